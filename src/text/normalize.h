// SPDX-License-Identifier: Apache-2.0
// From the caller's bytes to text the front ends can read, every piece with its place in the caller's bytes.
#ifndef KOE_TEXT_NORMALIZE_H_
#define KOE_TEXT_NORMALIZE_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "koe/result.h"

namespace koe::text {

// More combining marks than this on one base are dropped (reliability.md T3: text made to be slow).
inline constexpr int kMaxCombiningMarks = 16;

// Text put together from pieces of an original; knows where each byte came from.
class MappedText {
 public:
  void Append(std::string_view piece, size_t original_offset);
  void Clear();  // keeps the memory
  std::string_view text() const { return text_; }
  // Offset in the original of the byte at `offset`; at text().size(): the end of the last piece. O(log pieces).
  size_t OriginalOffset(size_t offset) const;
  // The same for a non-empty range [begin, end): where its last byte ends.
  size_t OriginalEnd(size_t end) const { return end == 0 ? 0 : OriginalOffset(end - 1) + 1; }
  // A part of the text, mapped to the same original.
  void AppendMapped(const MappedText& other, size_t begin, size_t end);

 private:
  struct Piece {
    size_t offset;
    size_t original_offset;
  };
  std::string text_;
  std::vector<Piece> pieces_;  // ascending offsets; adjacent pieces of the original are merged
};

// kInvalidArgument naming the offset of the first ill-formed byte: "text: invalid UTF-8 at byte 12".
Result<void> CheckUtf8(std::string_view text);

// C0 controls and DEL but tab and newlines.
constexpr bool IsDroppedControl(char32_t c) {
  return (c < 0x20 && c != U'\t' && c != U'\n' && c != U'\r') || c == 0x7F;
}

// Drops controls (IsDroppedControl) and combining marks beyond kMaxCombiningMarks on one base, and turns CR LF and CR
// into newline. Takes a text in consecutive pieces.
class Cleaner {
 public:
  // Appends piece, which starts at `offset` of the text, to *clean. piece: well-formed UTF-8. Linear.
  void Clean(std::string_view piece, size_t offset, MappedText* clean);
  // A newline was left out between this piece and the next.
  void EndLine() { marks_ = 0; }

 private:
  int marks_ = 0;  // combining marks in a row so far
};

// CheckUtf8 and Cleaner over a whole text.
Result<MappedText> CleanText(std::string_view text);

}  // namespace koe::text

#endif  // KOE_TEXT_NORMALIZE_H_
