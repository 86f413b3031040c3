// SPDX-License-Identifier: Apache-2.0
// Any bytes as a letter-to-sound model: refused with a reason, or words come out as UTF-8. The checksum is corrected,
// or nothing but the header would be searched. The first byte chooses the word.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>

#include "base/utf8.h"
#include "g2p/letter_to_sound/model.h"
#include "g2p/letter_to_sound/respell.h"
#include "g2p/letter_to_sound/testing/model_builder.h"

namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace koe::g2p::letter_to_sound;  // NOLINT(google-build-using-namespace): one function
  if (size == 0) return 0;
  std::string file(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (file.size() >= kHeaderBytes) testing::SealModel(&file);
  const koe::kernels::KernelSet& kernels = koe::kernels::KernelsFor(koe::kernels::Target::kScalar);
  const auto model = Model::Open(std::as_bytes(std::span(file)), kernels);
  if (!model) {
    Check(!model.error().message().empty());
  } else {
    const std::string word = std::string("quizzically-'abcdefghijklmnop").substr(data[0] % 16, 1 + data[0] / 16);
    for (const Manner manner : {Manner::kLikelier, Manner::kSilver}) {
      const Guess guess = (*model)->Pronounce(word, koe::Language::kBritishEnglish, manner);
      Check(!koe::FindInvalidUtf8(guess.phonemes) && guess.confidence >= 0 && guess.confidence <= 1);
    }
  }
  // The same bytes as text.
  if (koe::FindInvalidUtf8(file)) return 0;
  for (const Piece& piece : SplitUnknown(file)) {
    Check(!koe::FindInvalidUtf8(piece.text) && !koe::FindInvalidUtf8(piece.respelled));
  }
  return 0;
}
