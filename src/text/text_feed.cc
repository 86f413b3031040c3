// SPDX-License-Identifier: Apache-2.0
#include "text/text_feed.h"

#include <algorithm>

#include "base/utf8.h"
#include "text/parts.h"
#include "text/segments.h"
#include "text/unicode.h"

namespace koe::text {
namespace {

constexpr size_t kForgetBytes = 65536;  // how much that is done with is kept, so that it is not moved piece by piece

bool IsLineEnd(char c) { return c == '\n' || c == '\r'; }

// Length of the UTF-8 sequence that `first` starts; 1 for what starts none.
size_t SequenceLength(char first) {
  const auto u = static_cast<unsigned char>(first);
  return u >= 0xF0 ? 4 : u >= 0xE0 ? 3 : u >= 0xC0 ? 2 : 1;
}

}  // namespace

// Where a character begins of which not all bytes are there yet; else the end.
size_t TextFeed::LastUsable() const {
  const size_t size = buffer_.size();
  for (size_t back = 1; back <= 3 && back <= size - begin_; ++back) {
    const char c = buffer_[size - back];
    if ((static_cast<unsigned char>(c) & 0xC0) == 0x80) continue;
    return SequenceLength(c) > back ? size - back : size;
  }
  return size;
}

Result<void> TextFeed::CheckUtf8() {
  const size_t usable = finished_ ? buffer_.size() : LastUsable();
  if (usable <= checked_) return {};
  if (const auto bad = FindInvalidUtf8(std::string_view(buffer_).substr(checked_, usable - checked_))) {
    return Error(ErrorCode::kInvalidArgument,
                 "input: byte " + std::to_string(base_ + checked_ + *bad) + ": not valid UTF-8");
  }
  checked_ = usable;
  return {};
}

// Up to the next line that is not blank behind a blank one, unless it goes on in lower case (line_breaks.h). A
// paragraph that is too long ends after the last line of it that fits and ends a sentence, else after its last line; a
// line that is too long as PartReader cuts it.
TextFeed::Piece TextFeed::FindParagraph() const {
  const std::string_view text = std::string_view(buffer_).substr(begin_, checked_ - begin_);
  size_t line = 0, last_line = 0, last_sentence = 0;
  bool has_text = false, blank_before = false;
  while (line < text.size()) {
    const size_t end = std::min(text.find_first_of("\n\r", line), text.size());
    const TextRange inner = Trim(text, {line, end});
    if (inner.begin < inner.end) {
      size_t position = inner.begin;
      if (has_text && blank_before && !IsLower(NextCodePoint(text, &position))) return {begin_ + line, true};
      if (end > kMaxPartBytes) {
        if (has_text) return {begin_ + (last_sentence > 0 ? last_sentence : last_line), true};
        const std::string_view rest = text.substr(line, end - line);
        if (rest.size() > kMaxPartBytes) return {begin_ + line + PartCut(rest), false};
      }
      has_text = true;
      blank_before = false;
    } else {
      if (has_text && end > kMaxPartBytes) return {begin_ + line, true};
      if (end - line > kMaxPartBytes) return {begin_ + line + PartCut(text.substr(line, end - line)), false};
      blank_before = true;
    }
    line = std::min(end + 1, text.size());
    last_line = line;
    if (has_text && !blank_before && SentenceEndsBefore(text, end)) last_sentence = line;
    // Blank lines without end are no paragraph.
    if (!has_text && line > kMaxPartBytes) return {begin_ + line, true};
  }
  return {begin_ + text.size(), true};
}

// A sentence whose end has been seen: the white space behind it, and what is behind that; or a line.
std::optional<TextFeed::Piece> TextFeed::FindSentence() {
  const std::string_view text = std::string_view(buffer_).substr(0, checked_);
  for (size_t i = std::max(scanned_, begin_); i < text.size(); ++i) {
    scanned_ = i;
    if (IsLineEnd(text[i])) return Piece{i + 1, true};
    if (i - block_begin_ >= kMaxPartBytes + kPartLookAheadBytes) {
      return Piece{std::max(begin_, block_begin_ + PartCut(text.substr(block_begin_, i - block_begin_))), false};
    }
    if (text[i] != ' ' && text[i] != '\t') continue;
    size_t next = i;
    while (next < text.size() && next - i < kMaxPartBytes && (text[next] == ' ' || text[next] == '\t')) ++next;
    if (next - i == kMaxPartBytes) return Piece{next, false};
    if (next >= text.size() && !finished_) return std::nullopt;
    const std::string_view context = text.substr(block_begin_);
    if (SentenceEndsBefore(context, i - block_begin_)) return Piece{next, next >= text.size()};
    i = next - 1;
  }
  scanned_ = text.size();
  if (!finished_) return std::nullopt;
  return Piece{text.size(), true};
}

Error TextFeed::StrictError(size_t at, const std::string& why) const {
  return Error(ErrorCode::kInvalidArgument, "markup: byte " + std::to_string(at) + ": " + why);
}

Result<std::optional<SpeechMark>> TextFeed::MarkAt(size_t at) {
  const std::string_view rest = std::string_view(buffer_).substr(at, checked_ - at);
  const auto mark = ParseSpeechMark(rest);
  const auto refuse = [&](const std::string& why) -> Result<std::optional<SpeechMark>> {
    if (options_.strict) {
      return StrictError(base_ + at,
                         "'" + std::string(rest.substr(0, std::min<size_t>(rest.find(']'), 40))) + "': " + why);
    }
    return std::optional<SpeechMark>();
  };
  if (!mark) {
    if (options_.strict && LooksLikeSpeechMark(rest)) {
      return refuse("must be pause:SECONDSs, pause:NUMBERms, rate:FACTOR (0.25 to 4) or voice:NAME in brackets");
    }
    return std::optional<SpeechMark>();
  }
  switch (mark->kind) {
    case SpeechMark::Kind::kEndRate:
      if (open_rates_ == 0) return refuse("no [rate:] is open");
      break;
    case SpeechMark::Kind::kEndVoice:
      if (open_voices_ == 0) return refuse("no [voice:] is open");
      break;
    case SpeechMark::Kind::kVoice:
      if (is_voice_ && !is_voice_(mark->voice)) return refuse("no such voice");
      break;
    case SpeechMark::Kind::kPause:
    case SpeechMark::Kind::kRate:
      break;
  }
  return mark;
}

void TextFeed::Advance(size_t end) {
  code_points_ += CountCodePoints(std::string_view(buffer_).substr(begin_, end - begin_));
  begin_ = end;
}

FeedItem TextFeed::TakeText(size_t end, bool ends_paragraph) {
  FeedItem item;
  item.kind = FeedItem::Kind::kText;
  item.offset = base_ + begin_;
  item.code_points = code_points_;
  item.text = std::string_view(buffer_).substr(begin_, end - begin_);
  item.ends_paragraph = ends_paragraph;
  Advance(end);
  return item;
}

// What is done with goes once there is much of it.
void TextFeed::Forget() {
  if (block_begin_ < kForgetBytes || (!options_.by_sentences && block_begin_ < buffer_.size())) return;
  const size_t n = block_begin_;
  for (size_t* place : {&begin_, &block_begin_, &checked_, &scanned_, &no_mark_before_}) *place -= std::min(*place, n);
  if (block_) block_->end -= n;
  base_ += n;
  buffer_.erase(0, n);
}

// The first mark in [begin_, limit). nullopt: there is none; kWait: one may be on its way.
Result<TextFeed::FoundMark> TextFeed::FindMark(size_t limit) {
  const std::string_view text = std::string_view(buffer_).substr(0, limit);
  size_t open = text.find('[', std::max(begin_, no_mark_before_));
  for (; open < limit; open = text.find('[', open + 1)) {
    const std::string_view rest = std::string_view(buffer_).substr(open, checked_ - open);
    // The ( of [word](...) decides, too.
    const size_t close = rest.substr(0, kMaxMarkBytes).find(']');
    const bool is_whole =
        finished_ || rest.size() >= kMaxMarkBytes || (close != std::string_view::npos && close + 1 < rest.size());
    if (!is_whole) return FoundMark{.may_come = true};
    KOE_TRY(const auto mark, MarkAt(open));
    no_mark_before_ = mark ? open : open + 1;
    if (mark) return FoundMark{false, open, *mark};
  }
  return FoundMark{};
}

FeedItem TextFeed::TakeMark(const SpeechMark& mark) {
  FeedItem item;
  item.kind = FeedItem::Kind::kMark;
  item.offset = base_ + begin_;
  item.code_points = code_points_;
  item.mark = mark;
  using Kind = SpeechMark::Kind;
  if (mark.kind == Kind::kRate) ++open_rates_;
  if (mark.kind == Kind::kEndRate) --open_rates_;
  if (mark.kind == Kind::kVoice) ++open_voices_;
  if (mark.kind == Kind::kEndVoice) --open_voices_;
  if (mark.kind == Kind::kRate || mark.kind == Kind::kVoice) last_open_ = item.offset;
  Advance(begin_ + mark.length);
  return item;
}

Result<FeedItem> TextFeed::Next() {
  if (block_ && begin_ >= block_->end) block_.reset();
  if (!block_) block_begin_ = begin_;
  Forget();
  KOE_CHECK_OK(CheckUtf8());
  if (!options_.by_sentences && !finished_) return FeedItem{.kind = FeedItem::Kind::kWait};
  if (begin_ >= buffer_.size() && finished_) {
    if (options_.strict && open_rates_ + open_voices_ > 0) return StrictError(last_open_, "is not closed");
    return FeedItem{};
  }
  if (!block_) block_ = options_.by_sentences ? FindSentence() : std::optional<Piece>(FindParagraph());
  if (options_.marks) {
    KOE_TRY(const FoundMark found, FindMark(block_ ? block_->end : checked_));
    if (found.may_come) return FeedItem{.kind = FeedItem::Kind::kWait};
    // A mark ends the piece before it, wherever that would end.
    if (found.mark) return found.at == begin_ ? TakeMark(*found.mark) : TakeText(found.at, false);
  }
  if (!block_) return FeedItem{.kind = FeedItem::Kind::kWait};
  return TakeText(block_->end, block_->ends_paragraph);
}

}  // namespace koe::text
