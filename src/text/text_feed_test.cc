// SPDX-License-Identifier: Apache-2.0
#include "text/text_feed.h"

#include <gmock/gmock.h>

#include <chrono>
#include <string>
#include <vector>

#include "base/utf8.h"
#include "text/parts.h"

namespace koe::text {
namespace {

using testing::ElementsAre;

std::string Shown(const SpeechMark& mark) {
  switch (mark.kind) {
    case SpeechMark::Kind::kPause:
      return "<pause " + std::to_string(mark.number) + ">";
    case SpeechMark::Kind::kRate:
      return "<rate " + std::to_string(mark.number) + ">";
    case SpeechMark::Kind::kVoice:
      return "<voice " + std::string(mark.voice) + ">";
    case SpeechMark::Kind::kEndRate:
      return "</rate>";
    case SpeechMark::Kind::kEndVoice:
      return "</voice>";
  }
  return "";
}

// What Next gives, with "|" behind what ends a paragraph. Offsets must lead on without a gap, but for marks.
class Reader {
 public:
  explicit Reader(const FeedOptions& options) : feed_(options) {}
  void Push(std::string_view text) {
    whole_ += text;
    feed_.Append(text);
    Read();
  }
  void Finish() {
    feed_.Finish();
    Read();
  }
  std::vector<std::string> items;
  std::string error;
  bool ended = false;

 private:
  void Read() {
    while (error.empty() && !ended) {
      auto item = feed_.Next();
      if (!item) {
        error = item.error().message();
        return;
      }
      if (item->kind == FeedItem::Kind::kWait) return;
      if (item->kind != FeedItem::Kind::kEnd) {
        EXPECT_EQ(item->offset, place_);
        EXPECT_EQ(item->code_points, CountCodePoints(std::string_view(whole_).substr(0, place_)));
      }
      if (item->kind == FeedItem::Kind::kEnd) {
        ended = true;
      } else if (item->kind == FeedItem::Kind::kMark) {
        items.push_back(Shown(item->mark));
        place_ += item->mark.length;
      } else {
        EXPECT_EQ(item->text, std::string_view(whole_).substr(place_, item->text.size()));
        EXPECT_FALSE(item->text.empty());
        items.push_back(std::string(item->text) + (item->ends_paragraph ? "|" : ""));
        place_ += item->text.size();
      }
      if (ended) {
        EXPECT_EQ(place_, whole_.size());
      }
    }
  }
  TextFeed feed_;
  std::string whole_;
  size_t place_ = 0;
};

std::vector<std::string> Items(std::string_view text, const FeedOptions& options = {}, size_t push_bytes = SIZE_MAX) {
  Reader reader(options);
  for (size_t at = 0; at < text.size();) {
    const size_t size = std::min(push_bytes, text.size() - at);
    reader.Push(text.substr(at, size));
    at += size;
  }
  reader.Finish();
  if (!reader.error.empty()) return {"error: " + reader.error};
  EXPECT_TRUE(reader.ended);
  return reader.items;
}

TEST(TextFeedTest, GivesParagraphs) {
  EXPECT_THAT(Items("One. Two.\nThree.\n\nFour.\n"), ElementsAre("One. Two.\nThree.\n\n|", "Four.\n|"));
  // A page break in a sentence is none between paragraphs.
  EXPECT_THAT(Items("One and\n\ntwo.\n\nThree."), ElementsAre("One and\n\ntwo.\n\n|", "Three.|"));
  EXPECT_THAT(Items(""), ElementsAre());
  EXPECT_THAT(Items("\n \n"), ElementsAre("\n \n|"));
}

TEST(TextFeedTest, GivesMarks) {
  EXPECT_THAT(Items("A [pause:1.5s] b [pause:20ms]."),
              ElementsAre("A ", "<pause 1.500000>", " b ", "<pause 0.020000>", ".|"));
  EXPECT_THAT(Items("[rate:0.9]a[/rate][voice:af_heart:0.7+bm_george:0.3]b[/voice]"),
              ElementsAre("<rate 0.900000>", "a", "</rate>", "<voice af_heart:0.7+bm_george:0.3>", "b", "</voice>"));
}

TEST(TextFeedTest, WhatIsMalformedIsText) {
  for (const char* text :
       {"[pause]", "[pause:]", "[pause:1]", "[pause:-1s]", "[pause:1e3s]", "[pause:61s]", "[pause:1s", "[rate:0.1]",
        "[rate:5]", "[rate:x]", "[/rate]", "[/voice]", "[voice:]", "[voice:a b]", "[pause:1s](/p/)", "[]", "[", "]"}) {
    EXPECT_THAT(Items(text), ElementsAre(std::string(text) + "|")) << text;
  }
  FeedOptions off;
  off.marks = false;
  EXPECT_THAT(Items("a [pause:1s] b", off), ElementsAre("a [pause:1s] b|"));
}

TEST(TextFeedTest, StrictMarkupNamesTheByte) {
  FeedOptions strict;
  strict.strict = true;
  for (const char* text :
       {"ab [pause:1]", "ab [rate:5]x[/rate]", "ab [/rate]", "ab [/voice]", "ab [voice:]", "ab [rate:2]never closed"}) {
    const auto items = Items(text, strict);
    ASSERT_EQ(items.size(), 1u) << text;
    EXPECT_THAT(items[0], testing::StartsWith("error: markup: byte 3: ")) << text;
  }
  EXPECT_THAT(Items("[word](/w/) [x] [rate:2]a[/rate]", strict), testing::SizeIs(4));
}

TEST(TextFeedTest, SentencesOfTextThatIsWritten) {
  FeedOptions options;
  options.by_sentences = true;
  const std::string text =
      "Mr. Fox\u2019s \u201cden\u201d. It is 3.5 m deep! [pause:1s] Is it? Yes\nA line [rate:2]and so[/rate] on. end. "
      "\u00C9t\u00E9. x";
  const auto whole = Items(text, options);
  EXPECT_THAT(whole, ElementsAre("Mr. Fox\u2019s \u201cden\u201d. ", "It is 3.5 m deep! ", "<pause 1.000000>",
                                 " Is it? ", "Yes\n|", "A line ", "<rate 2.000000>", "and so", "</rate>", " on. end. ",
                                 "\u00C9t\u00E9. x|"));
  for (const size_t bytes : {1, 2, 3, 5, 64}) EXPECT_EQ(Items(text, options, bytes), whole) << bytes;
}

TEST(TextFeedTest, ASentenceComesWhenItsEndIsSeen) {
  FeedOptions options;
  options.by_sentences = true;
  Reader reader(options);
  reader.Push("Hello there.");
  EXPECT_THAT(reader.items, ElementsAre());  // "there.com" may come
  reader.Push(" ");
  EXPECT_THAT(reader.items, ElementsAre());  // "or there" may come
  reader.Push("W");
  EXPECT_THAT(reader.items, ElementsAre("Hello there. "));
  reader.Finish();
  EXPECT_THAT(reader.items, ElementsAre("Hello there. ", "W|"));
}

TEST(TextFeedTest, RefusesWhatIsNotUtf8) {
  FeedOptions options;
  options.by_sentences = true;
  for (const size_t bytes : {size_t{1}, size_t{100}}) {
    EXPECT_THAT(Items("abc \xC3\xA9 \xFF", options, bytes).back(), "error: input: byte 7: not valid UTF-8");
    EXPECT_THAT(Items("abc \xC3", options, bytes).back(), "error: input: byte 4: not valid UTF-8");
  }
}

// Long texts of every kind come in pieces of bounded size, in time that is linear in them.
TEST(TextFeedTest, PiecesAreBoundedAndTimeIsLinear) {
  const size_t size = 400'000;
  for (const char* unit : {"a", " ", "\n", "a ", "A b. ", "word ", "[", "[pause:0s]", "[rate:1][/rate]", "a\n", "a\n\n",
                           "Long line of words that goes on\n", "\xF0\x9F\x98\x80", "[x [pause:1s"}) {
    std::string text;
    while (text.size() < size) text += unit;
    for (const bool by_sentences : {false, true}) {
      FeedOptions options;
      options.by_sentences = by_sentences;
      TextFeed feed(options);
      size_t total = 0;
      const auto start = std::chrono::steady_clock::now();
      for (size_t at = 0; at < text.size(); at += 50000) feed.Append(std::string_view(text).substr(at, 50000));
      feed.Finish();
      while (true) {
        const auto item = feed.Next();
        ASSERT_TRUE(item.has_value()) << item.error().message();
        if (item->kind == FeedItem::Kind::kEnd) break;
        ASSERT_NE(item->kind, FeedItem::Kind::kWait);
        ASSERT_LE(item->text.size(), 2 * kMaxPartBytes);
        total += item->kind == FeedItem::Kind::kMark ? item->mark.length : item->text.size();
      }
      EXPECT_EQ(total, text.size()) << unit;
      // A hundred times what it takes; a quadratic scan takes hours.
      EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20)) << unit;
    }
  }
}

}  // namespace
}  // namespace koe::text
