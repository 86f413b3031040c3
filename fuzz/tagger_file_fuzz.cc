// SPDX-License-Identifier: Apache-2.0
// Any bytes as a tagger's weight file, as they are and with a consistent header: an error or tags, never a crash.
// A tail that is text gets tagged too.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "g2p/en/tokenizer.h"
#include "g2p/tagger_file.h"

namespace {

namespace layout = koe::g2p::tagger_file;

void Check(bool holds) {
  if (!holds) std::abort();
}

void Tag(const koe::g2p::Tagger& tagger, std::string_view text) {
  std::vector<koe::g2p::Token> tokens = koe::g2p::en::Tokenize(text, {true});
  tagger.TagTokens(tokens);
  for (const koe::g2p::Token& token : tokens) Check(token.tag != koe::g2p::Tag::kNone);
}

// What is written is read: the bytes as a section that has their first ones for its name.
void WriteAndRead(std::string_view bytes) {
  const std::string name(bytes.substr(0, bytes.size() % (layout::kNameBytes + 1)));
  const std::vector<koe::g2p::TaggerSection> sections = {{name, std::string(bytes)}, {"last", "x"}};
  const auto written = koe::g2p::WriteTaggerFile(koe::g2p::TaggerKind::kPerceptron, sections);
  if (!written) return Check(written.error().code() == koe::ErrorCode::kInvalidArgument);
  std::vector<uint64_t> aligned((written->size() + 7) / 8);
  std::memcpy(aligned.data(), written->data(), written->size());
  const auto file = koe::g2p::TaggerFile::Open(std::as_bytes(std::span(aligned)).first(written->size()));
  Check(file.has_value() && file->HasSection("last"));
  const std::span<const std::byte> read = file->Section(name).value();
  Check(read.size() == bytes.size() && std::memcmp(read.data(), bytes.data(), read.size()) == 0);
}

template <typename T>
void Put(std::vector<uint64_t>* words, size_t offset, T value) {
  std::memcpy(reinterpret_cast<char*>(words->data()) + offset, &value, sizeof(T));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  WriteAndRead({reinterpret_cast<const char*>(data), size});
  std::vector<uint64_t> words((size + 7) / 8 + 1);  // 8-byte aligned
  std::memcpy(words.data(), data, size);
  const std::span<const std::byte> bytes = std::as_bytes(std::span(words)).first(size);
  if (const auto as_is = koe::g2p::OpenTagger(bytes)) Tag(**as_is, "They read that record in 1999.");
  if (size < layout::kHeaderBytes) return 0;
  std::memcpy(words.data(), layout::kMagic, sizeof(layout::kMagic));
  Put<uint32_t>(&words, layout::kVersionAt, layout::kVersion);
  Put<uint64_t>(&words, layout::kFileBytesAt, size);
  Put<uint64_t>(&words, layout::kChecksumAt, layout::Checksum(bytes.subspan(layout::kHeaderBytes)));
  const auto tagger = koe::g2p::OpenTagger(bytes);
  if (!tagger) return 0;
  Tag(**tagger, "They read that record in 1999, I'd USED \"it\": don't A-Z\xE2\x80\x99s?");
  const std::string_view tail(reinterpret_cast<const char*>(data) + size - std::min<size_t>(size, 200),
                              std::min<size_t>(size, 200));
  if (!koe::FindInvalidUtf8(tail) && tail.find('\0') == std::string_view::npos) Tag(**tagger, tail);
  return 0;
}
