// SPDX-License-Identifier: Apache-2.0
// A text in pieces to work on one after the other, so that neither memory nor the first sound waits for the whole: the
// paragraphs of a text that is there, or the sentences of one that is still being written; speech marks in between.
#ifndef KOE_TEXT_TEXT_FEED_H_
#define KOE_TEXT_TEXT_FEED_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "koe/result.h"
#include "text/speech_marks.h"

namespace koe::text {

struct FeedOptions {
  bool by_sentences = false;  // pieces are sentences and lines, given out as soon as their end has been seen
  bool marks = true;          // read speech marks
  bool strict = false;        // what looks like a mark and is none, and what is not closed, is an error
};

struct FeedItem {
  enum class Kind { kText, kMark, kWait, kEnd };
  Kind kind = Kind::kEnd;
  size_t offset = 0;            // bytes into the whole text
  size_t code_points = 0;       // code points before it
  std::string_view text = {};   // kText: at most 2 kMaxPartBytes; valid until the next call
  bool ends_paragraph = false;  // kText: a line end or the end of the text comes after it
  SpeechMark mark = {};         // kMark; its voice is valid until the next call
};

// Not thread-safe. Time is linear in the text, however it is appended.
class TextFeed {
 public:
  explicit TextFeed(const FeedOptions& options) : options_(options) {}
  // A [voice:] for which is_voice is false is malformed.
  void SetVoiceCheck(std::function<bool(std::string_view)> is_voice) { is_voice_ = std::move(is_voice); }
  void Append(std::string_view text) { buffer_ += text; }
  void Finish() { finished_ = true; }

  // kWait: more text is needed to know where the piece ends (before Finish only). kInvalidArgument: not UTF-8, or
  // (strict) malformed markup; the message names the byte.
  Result<FeedItem> Next();
  // Bytes appended that Next has not given out.
  size_t pending_bytes() const { return buffer_.size() - begin_; }

 private:
  struct Piece {
    size_t end;  // in buffer_
    bool ends_paragraph;
  };
  struct FoundMark {
    bool may_come = false;
    size_t at = 0;  // in buffer_
    std::optional<SpeechMark> mark = std::nullopt;
  };
  Result<void> CheckUtf8();
  size_t LastUsable() const;
  void Forget();
  Piece FindParagraph() const;
  std::optional<Piece> FindSentence();
  Result<FoundMark> FindMark(size_t limit);
  Result<std::optional<SpeechMark>> MarkAt(size_t at);
  Error StrictError(size_t at, const std::string& why) const;
  FeedItem TakeText(size_t end, bool ends_paragraph);
  FeedItem TakeMark(const SpeechMark& mark);
  void Advance(size_t end);

  FeedOptions options_;
  std::function<bool(std::string_view)> is_voice_;
  std::string buffer_;
  bool finished_ = false;
  size_t base_ = 0;  // bytes of the text before buffer_
  // Places in buffer_:
  size_t begin_ = 0;            // what is before has been given out
  size_t block_begin_ = 0;      // of the paragraph or sentence that begin_ is in
  std::optional<Piece> block_;  // its end, once found
  size_t checked_ = 0;          // well formed up to here
  size_t scanned_ = 0;          // no sentence ends before here
  size_t no_mark_before_ = 0;
  size_t code_points_ = 0;  // of the text before begin_
  size_t open_rates_ = 0, open_voices_ = 0;
  size_t last_open_ = 0;  // byte of the last mark that opened something
};

}  // namespace koe::text

#endif  // KOE_TEXT_TEXT_FEED_H_
