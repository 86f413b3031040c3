// SPDX-License-Identifier: Apache-2.0
// Text in clean parts of bounded size, one after the other, so that the memory of a front end follows a sentence and
// not a book.
#ifndef KOE_TEXT_PARTS_H_
#define KOE_TEXT_PARTS_H_

#include <cstddef>
#include <string_view>

#include "text/normalize.h"

namespace koe::text {

// No part is longer, in bytes of the text given.
inline constexpr size_t kMaxPartBytes = 16384;
// How far past a part the end of its last sentence may be judged by.
inline constexpr size_t kPartLookAheadBytes = 64;

// Where text of more than kMaxPartBytes is cut: at the white space after a sentence, else at white space, else between
// code points; at most kMaxPartBytes.
size_t PartCut(std::string_view text);

// Lines (LF, CR, CR LF) that are not blank, without white space at both ends of the whole text. A line longer than
// kMaxPartBytes comes in parts, cut after the last sentence that fits, else at the last space, else anywhere between
// code points. Linear.
class PartReader {
 public:
  // text: well-formed UTF-8 (CheckUtf8) that outlives the reader.
  explicit PartReader(std::string_view text);

  // The next part that is not blank; false at the end.
  bool Next();
  // Cleaned (see Cleaner), mapped to the text given; until the next call of Next.
  const MappedText& part() const { return part_; }
  bool starts_line() const { return starts_line_; }
  bool ends_at_space() const { return ends_at_space_; }  // the line goes on after white space

 private:
  size_t LineEnd();

  std::string_view text_;
  Cleaner cleaner_;
  MappedText part_;
  size_t position_ = 0;
  size_t next_lf_ = 0, next_cr_ = 0;  // the first at or after position_, once looked for
  bool at_line_start_ = true;
  bool starts_line_ = true;
  bool ends_at_space_ = false;
};

}  // namespace koe::text

#endif  // KOE_TEXT_PARTS_H_
