// SPDX-License-Identifier: Apache-2.0
#ifndef KOE_TEXT_LINE_BREAKS_H_
#define KOE_TEXT_LINE_BREAKS_H_

#include <string>
#include <string_view>

namespace koe::text {

// Text whose hard-wrapped lines are joined: the same number of bytes, so that offsets stay what they are; a line end
// within a sentence becomes a space (and a carriage return before it U+007F, which CleanText drops). It is one where
//  - the next line that is not blank goes on in lower case, unless three or more lines in a row are all under 40
//    columns (a list, verse);
//  - the lines around it, up to a blank one, are 40 to 120 columns wide and the next line's first word would not have
//    fitted on this one.
// The item of a list is never joined to the line before, nor is a capital behind an indent. Other line ends, alone
// or as CR LF or CR, are left as newlines. text: well-formed UTF-8. Linear.
std::string JoinWrappedLines(std::string_view text);

}  // namespace koe::text

#endif  // KOE_TEXT_LINE_BREAKS_H_
