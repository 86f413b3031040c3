// SPDX-License-Identifier: Apache-2.0
// Strings for messages and tables.
#ifndef KOE_APPS_CLI_TEXT_H_
#define KOE_APPS_CLI_TEXT_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace koe::cli {

// printf into a string.
std::string Format(const char* format, ...) __attribute__((format(printf, 1, 2)));

// Fewest insertions, deletions, substitutions and swaps of neighbours that turn a into b (bytes; ASCII case ignored).
size_t EditDistance(std::string_view a, std::string_view b);

// The candidate with the smallest distance, the first of equals; nullopt where none is near enough to be what was meant
// (more than a third of the longer word, and more than one edit).
std::optional<std::string> Nearest(std::string_view word, const std::vector<std::string>& candidates);
// " (nearest: 'af_heart')", or "".
std::string NearestHint(std::string_view word, const std::vector<std::string>& candidates);

// Offset of the first byte that is not well-formed UTF-8.
std::optional<size_t> FindInvalidUtf8(std::string_view text);

// In single quotes, at most 60 bytes, on one line: control characters and bytes that are not UTF-8 as \xNN.
std::string Quote(std::string_view text);
// The same escapes, no quotes, any length: keeps a message to one line.
std::string OneLine(std::string_view text);

// Columns of a terminal that well-formed UTF-8 takes: none for a mark that combines, two for East Asian letters and
// emoji (by ranges, which is near enough for a table), else one.
size_t DisplayWidth(std::string_view text);

// Rows as left-aligned columns two spaces apart, without trailing spaces; one line each.
std::string Table(const std::vector<std::vector<std::string>>& rows);

// "a, b, c"; "none" for no words.
std::string Join(const std::vector<std::string>& words);

bool IsBlank(std::string_view text);

}  // namespace koe::cli

#endif  // KOE_APPS_CLI_TEXT_H_
