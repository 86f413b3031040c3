// SPDX-License-Identifier: Apache-2.0
#include "text/normalize.h"

#include <algorithm>

#include "base/utf8.h"
#include "text/unicode.h"

namespace koe::text {

void MappedText::Append(std::string_view piece, size_t original_offset) {
  if (piece.empty()) return;
  const bool continues =
      !pieces_.empty() && pieces_.back().original_offset + (text_.size() - pieces_.back().offset) == original_offset;
  if (!continues) pieces_.push_back({text_.size(), original_offset});
  text_ += piece;
}

size_t MappedText::OriginalOffset(size_t offset) const {
  if (pieces_.empty()) return 0;
  auto after = std::upper_bound(pieces_.begin(), pieces_.end(), offset,
                                [](size_t value, const Piece& piece) { return value < piece.offset; });
  const Piece& piece = *std::prev(after);
  return piece.original_offset + (offset - piece.offset);
}

void MappedText::AppendMapped(const MappedText& other, size_t begin, size_t end) {
  auto piece = std::upper_bound(other.pieces_.begin(), other.pieces_.end(), begin,
                                [](size_t value, const Piece& p) { return value < p.offset; });
  while (begin < end) {
    const size_t piece_end = piece == other.pieces_.end() ? end : std::min(end, piece->offset);
    Append(other.text().substr(begin, piece_end - begin), other.OriginalOffset(begin));
    begin = piece_end;
    if (piece != other.pieces_.end()) ++piece;
  }
}

Result<void> CheckUtf8(std::string_view text) {
  if (const auto offset = FindInvalidUtf8(text)) {
    return Error(ErrorCode::kInvalidArgument, "text: invalid UTF-8 at byte " + std::to_string(*offset));
  }
  return {};
}

Result<MappedText> CleanText(std::string_view text) {
  KOE_CHECK_OK(CheckUtf8(text));
  MappedText clean;
  size_t kept_from = 0;
  int marks = 0;
  const auto replace = [&](size_t begin, size_t end, std::string_view with) {
    clean.Append(text.substr(kept_from, begin - kept_from), kept_from);
    clean.Append(with, begin);
    kept_from = end;
  };
  for (size_t position = 0; position < text.size();) {
    const size_t begin = position;
    const auto byte = static_cast<unsigned char>(text[position]);
    if (byte >= 0x20 && byte < 0x7F) {
      ++position;
      marks = 0;
      continue;
    }
    const char32_t c = *DecodeUtf8(text, &position);
    if (c == '\r') {
      const bool has_newline = position < text.size() && text[position] == '\n';
      replace(begin, position, has_newline ? "" : "\n");
    } else if ((c < 0x20 && c != '\t' && c != '\n') || c == 0x7F) {
      replace(begin, position, "");
    } else if (IsCombiningMark(c)) {
      if (++marks > kMaxCombiningMarks) replace(begin, position, "");
      continue;
    }
    marks = 0;
  }
  clean.Append(text.substr(kept_from), kept_from);
  return clean;
}

}  // namespace koe::text
