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

void MappedText::Clear() {
  text_.clear();
  pieces_.clear();
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

void Cleaner::Clean(std::string_view piece, size_t offset, MappedText* clean) {
  size_t kept_from = 0;
  const auto replace = [&](size_t begin, size_t end, std::string_view with) {
    clean->Append(piece.substr(kept_from, begin - kept_from), offset + kept_from);
    clean->Append(with, offset + begin);
    kept_from = end;
  };
  for (size_t position = 0; position < piece.size();) {
    const size_t begin = position;
    const auto byte = static_cast<unsigned char>(piece[position]);
    if (byte >= 0x20 && byte < 0x7F) {
      ++position;
      marks_ = 0;
      continue;
    }
    const char32_t c = NextCodePoint(piece, &position);
    if (c == '\r') {
      const bool has_newline = position < piece.size() && piece[position] == '\n';
      replace(begin, position, has_newline ? "" : "\n");
    } else if (IsDroppedControl(c)) {
      replace(begin, position, "");
    } else if (IsCombiningMark(c)) {
      if (++marks_ > kMaxCombiningMarks) replace(begin, position, "");
      continue;
    }
    marks_ = 0;
  }
  clean->Append(piece.substr(kept_from), offset + kept_from);
}

Result<MappedText> CleanText(std::string_view text) {
  KOE_CHECK_OK(CheckUtf8(text));
  MappedText clean;
  Cleaner().Clean(text, 0, &clean);
  return clean;
}

}  // namespace koe::text
