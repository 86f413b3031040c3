// SPDX-License-Identifier: Apache-2.0
#ifndef KOE_BASE_UTF8_H_
#define KOE_BASE_UTF8_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace koe {

// The code point that starts at text[*position]; advances *position past it. nullopt (position unchanged) at the end or
// for an ill-formed sequence: overlong, surrogate, above U+10FFFF, truncated (Unicode 15, table 3-7).
std::optional<char32_t> DecodeUtf8(std::string_view text, size_t* position);
void AppendUtf8(char32_t code_point, std::string* text);  // code_point must be a scalar value
// Offset of the first ill-formed byte; nullopt where all is well.
std::optional<size_t> FindInvalidUtf8(std::string_view text);
// Number of code points of well-formed text.
size_t CountCodePoints(std::string_view text);

}  // namespace koe

#endif  // KOE_BASE_UTF8_H_
