// SPDX-License-Identifier: Apache-2.0
// Any bytes as text, and any bytes as a compiled lexicon: no crash, UTF-8 out, offsets inside, chunks within the limit.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "base/utf8.h"
#include "g2p/chunker.h"
#include "g2p/g2p.h"
#include "g2p/lexicon.h"

namespace {

using koe::g2p::EnglishG2P;

void Check(bool holds) {
  if (!holds) std::abort();
}

const EnglishG2P& FrontEnd() {
  static const std::string blob = [] {
    std::string gold =
        R"({"the": "ðə", "to": "tˈu", "am": "æm", "and": "ænd", "read": {"DEFAULT": "ɹˈid", "VBD": "ɹˈɛd"},
      "one": "wˈʌn", "point": "pˈYnt", "dollar": "dˈɑləɹ", "cent": "sˈɛnt", "used": "jˈuzd", "minus": "mˈInəs")";
    for (char c = 'A'; c <= 'Z'; ++c) gold += std::string(", \"") + c + "\": \"ˈA\"";
    return koe::g2p::CompileLexicon(gold + "}", R"({"cat": "kˈæt"})").value();
  }();
  static const EnglishG2P front_end =
      std::move(EnglishG2P::Open(std::as_bytes(std::span(blob)), koe::Language::kAmericanEnglish).value());
  return front_end;
}

void FuzzText(const EnglishG2P& g2p, std::string_view text) {
  const auto result = g2p.Phonemize(text);
  Check(result.has_value() == !koe::FindInvalidUtf8(text).has_value());
  if (!result) return;
  Check(!koe::FindInvalidUtf8(result->phonemes));
  size_t end = 0;
  for (const koe::WordInfo& word : result->words) {
    Check(word.offset >= end);
    end = word.offset + word.length;
    Check(end <= text.size());
  }
  for (const auto& chunk : koe::g2p::ChunkKokoro(*result)) {
    Check(koe::CountCodePoints(chunk.phonemes) <= koe::kMaxPhonemesPerChunk);
  }
  for (const auto& chunk : koe::g2p::ChunkSentences(text, *result, 1)) {
    Check(koe::CountCodePoints(chunk.phonemes) <= koe::g2p::kMaxSentenceTokens - 2);
  }
  for (const auto& chunk : koe::g2p::ChunkPhonemes(text)) {
    Check(koe::CountCodePoints(chunk.phonemes) <= koe::kMaxPhonemesPerChunk);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] != 0xFF) {
    FuzzText(FrontEnd(), rest);
    return 0;
  }
  const auto g2p = EnglishG2P::Open(std::as_bytes(std::span(rest)), koe::Language::kBritishEnglish);
  if (g2p) FuzzText(*g2p, "Read the U.S. cats, used to 5,000.5 or $1.05 in 1999: ABC's re-read don't.");
  return 0;
}
