// SPDX-License-Identifier: Apache-2.0
#include "api/preparer.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <utility>

#include "api/clock.h"
#include "base/utf8.h"
#include "g2p/chunker.h"
#include "g2p/en/markup.h"
#include "text/line_breaks.h"
#include "text/segments.h"
#include "text/unicode.h"

namespace koe::api {
namespace {

constexpr double kMinChunkSeconds = 0.25, kMaxChunkSeconds = 60;
constexpr float kMaxPause = 10, kMaxGain = 16;
constexpr size_t kMaxOpenMarks = 64;
constexpr double kMaxPauseInARow = 600;

// Seconds of audio of n symbols at speed 1: a line through the chunks of the beginning of Pride and Prejudice,
// af_heart, from which none of them is more than 0.53 s away.
constexpr double kSecondsPerChunk = 0.36, kSecondsPerSymbol = 0.0575;

// FirstAudio::kFast: most symbols of the first chunks at speed 1. The first gives 1.2 s of audio; each of the others is
// made in less time than those before it are played where a second of audio takes up to 0.3 s.
constexpr std::array<size_t, 3> kFirstSymbols = {14, 60, 180};

// Chunks of one text get noise of their own, so that a long text does not repeat one noise.
uint64_t ChunkSeed(uint64_t seed, size_t chunk) { return seed + chunk * 0x9E3779B97F4A7C15u; }

Error OptionError(const std::string& what, double value, const std::string& range) {
  return Error(ErrorCode::kInvalidArgument, what + ": " + std::to_string(value) + ": must be " + range);
}

// What a chunk without a line end behind it ends at, by its last mark.
Cut CutOf(std::string_view phonemes) {
  constexpr std::u32string_view kClosers = U")\"\u201D\u201C' ";
  char32_t last = 0;
  for (const char32_t c : text::CodePoints(phonemes)) {
    if (kClosers.find(c) == std::u32string_view::npos) last = c;
  }
  if (std::u32string_view(U".!?\u2026").find(last) != std::u32string_view::npos) return Cut::kSentence;
  if (std::u32string_view(U",;:\u2014").find(last) != std::u32string_view::npos) return Cut::kClause;
  return Cut::kWord;
}

// Byte offsets of an ascending series turned into code points.
class CodePointCounter {
 public:
  CodePointCounter(std::string_view text, size_t before) : text_(text), count_(before) {}
  size_t At(size_t byte) {
    byte = std::min(byte, text_.size());
    if (byte >= byte_) {
      count_ += CountCodePoints(text_.substr(byte_, byte - byte_));
    } else {
      count_ -= CountCodePoints(text_.substr(byte, byte_ - byte));
    }
    byte_ = byte;
    return count_;
  }

 private:
  std::string_view text_;
  size_t byte_ = 0;
  size_t count_;
};

TextSpan SpanOf(CodePointCounter* counter, size_t base, size_t offset, size_t length) {
  TextSpan span{base + offset, length, counter->At(offset), 0};
  span.code_point_length = counter->At(offset + length) - span.code_point_offset;
  return span;
}

// Where the sentences of a text start; a line end in it ends one.
std::vector<size_t> SentenceStarts(std::string_view text) {
  std::vector<size_t> starts;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find_first_of("\n\r", begin), text.size());
    for (const text::TextRange& range : text::SplitSentences(text.substr(begin, end - begin))) {
      starts.push_back(begin + range.begin);
    }
    begin = end + 1;
  }
  return starts;
}

}  // namespace

Result<void> CheckSpeed(float speed) {
  if (std::isfinite(speed) && speed >= kMinSpeed && speed <= kMaxSpeed) return {};
  return Error(ErrorCode::kInvalidArgument, "speed: " + std::to_string(speed) + ": must be 0.25 to 4");
}

Result<void> CheckOptions(const SynthesisOptions& options) {
  KOE_CHECK_OK(CheckSpeed(options.speed));
  if (!(options.max_chunk_seconds >= kMinChunkSeconds && options.max_chunk_seconds <= kMaxChunkSeconds)) {
    return OptionError("chunk seconds", options.max_chunk_seconds, "0.25 to 60");
  }
  if (!(options.gain >= 0 && options.gain <= kMaxGain)) {
    return OptionError("gain", static_cast<double>(options.gain), "0 to 16");
  }
  const Pauses& pauses = options.pauses;
  for (const auto& pause : {pauses.word, pauses.clause, pauses.sentence, pauses.paragraph}) {
    if (pause && !(*pause >= 0 && *pause <= kMaxPause)) {
      return OptionError("pause", static_cast<double>(*pause), "0 to 10 seconds");
    }
  }
  return {};
}

Result<void> CheckInput(std::string_view input) {
  if (input.size() > kMaxInputBytes) {
    return Error(ErrorCode::kTooLong, "input: " + std::to_string(input.size()) + " bytes: at most " +
                                          std::to_string(kMaxInputBytes) + " at once");
  }
  if (const auto offset = FindInvalidUtf8(input)) {
    return Error(ErrorCode::kInvalidArgument, "input: byte " + std::to_string(*offset) + ": not valid UTF-8");
  }
  return {};
}

// The families of Kokoro's voice names: language letter, then f or m.
const char* VoiceLanguage(const std::string& id) {
  switch (id.empty() ? '\0' : id[0]) {
    case 'a':
      return "en-us";
    case 'b':
      return "en-gb";
    case 'e':
      return "es";
    case 'f':
      return "fr";
    case 'h':
      return "hi";
    case 'i':
      return "it";
    case 'j':
      return "ja";
    case 'p':
      return "pt";
    case 'z':
      return "zh";
    default:
      return "unknown";
  }
}

Preparer::Preparer(const bundle::Bundle& bundle, FrontEnds front_ends, const SynthesisOptions& options,
                   const std::atomic<bool>* cancelled, const text::FeedOptions& feed_options)
    : bundle_(bundle),
      front_ends_(std::move(front_ends)),
      options_(options),
      cancelled_(cancelled),
      feed_(feed_options),
      by_sentences_(feed_options.by_sentences) {
  rates_.push_back(1);
}

Result<std::unique_ptr<Preparer>> Preparer::Make(const bundle::Bundle& bundle, FrontEnds front_ends,
                                                 const SynthesisOptions& options, const std::atomic<bool>* cancelled,
                                                 bool by_sentences) {
  KOE_CHECK_OK(CheckOptions(options));
  text::FeedOptions feed_options;
  feed_options.by_sentences = by_sentences;
  feed_options.marks = options.markup && !options.input_is_phonemes;
  feed_options.strict = options.strict_markup;
  std::unique_ptr<Preparer> preparer(new Preparer(bundle, std::move(front_ends), options, cancelled, feed_options));
  preparer->feed_.SetVoiceCheck([p = preparer.get()](std::string_view voice) { return p->IsVoice(voice); });
  KOE_TRY(const Speaker speaker, preparer->MakeSpeaker(options.voice));
  preparer->speakers_.push_back(speaker);
  if (!options.input_is_phonemes && !speaker.has_front_end) {
    return Error(ErrorCode::kUnsupported,
                 "voice: '" + options.voice + "': speaks " + VoiceLanguage(speaker.mix->first_id()) +
                     ", for which there is no text front end: give phonemes, or a language (en-us, en-gb)");
  }
  return preparer;
}

bool Preparer::IsVoice(std::string_view voice) {
  const auto speaker = MakeSpeaker(voice);
  return speaker.has_value() && speaker->has_front_end;
}

Result<Preparer::Speaker> Preparer::MakeSpeaker(std::string_view voice) {
  auto found = mixes_.find(voice);
  if (found == mixes_.end()) {
    KOE_TRY(VoiceMix mix, VoiceMix::Open(bundle_, voice, options_.voice_blend));
    found = mixes_.emplace(std::string(voice), std::move(mix)).first;
  }
  Speaker speaker{&found->second, Language::kAmericanEnglish, true, std::string(voice)};
  if (!options_.language.empty()) {
    KOE_TRY(speaker.language, ParseLanguage(options_.language));
    return speaker;
  }
  const std::string language = VoiceLanguage(found->second.first_id());
  if (language == "en-gb") speaker.language = Language::kBritishEnglish;
  speaker.has_front_end = language == "en-gb" || language == "en-us" || language == "unknown";
  return speaker;
}

Result<void> Preparer::ReadMark(const text::SpeechMark& mark) {
  using Kind = text::SpeechMark::Kind;
  switch (mark.kind) {
    case Kind::kPause:
      pause_ = std::min(pause_ + mark.number, kMaxPauseInARow);
      break;
    case Kind::kRate:
      rates_.push_back(mark.number);
      break;
    case Kind::kEndRate:
      rates_.pop_back();
      break;
    case Kind::kVoice: {
      KOE_TRY(const Speaker speaker, MakeSpeaker(mark.voice));
      speakers_.push_back(speaker);
      break;
    }
    case Kind::kEndVoice:
      speakers_.pop_back();
      break;
  }
  if (rates_.size() > kMaxOpenMarks || speakers_.size() > kMaxOpenMarks) {
    return Error(ErrorCode::kInvalidArgument, "markup: more than 63 marks are open at once");
  }
  return {};
}

// Strict markup: [word](target) with a target that is none.
Result<void> Preparer::CheckLinks(std::string_view text, size_t offset) const {
  for (size_t open = text.find('['); open != std::string_view::npos; open = text.find('[', open + 1)) {
    const size_t close = text.find(']', open + 1);
    if (close == std::string_view::npos) break;
    if (close + 1 >= text.size() || text[close + 1] != '(') continue;
    const size_t end = text.find_first_of(")\n", close);
    if (end != std::string_view::npos && text[end] == ')' && close > open + 1 &&
        g2p::en::IsFeature(text.substr(close + 2, end - close - 2))) {
      continue;
    }
    return Error(ErrorCode::kInvalidArgument,
                 "markup: byte " + std::to_string(offset + open) +
                     ": [word](...) must hold a stress level (+1, -1, 2, 0.5), /phonemes/ or #number flags#");
  }
  return {};
}

void Preparer::MakeTokens(PreparedChunk* chunk, std::vector<int32_t>* token_of_symbol) const {
  chunk->token_ids = {0};
  size_t position = 0;
  while (const auto symbol = DecodeUtf8(chunk->phonemes, &position)) {
    const auto id = bundle_.vocab().Find(*symbol);
    token_of_symbol->push_back(static_cast<int32_t>(chunk->token_ids.size()));
    if (id) {
      chunk->token_ids.push_back(*id);
    } else {
      ++chunk->dropped_symbols;
    }
  }
  token_of_symbol->push_back(static_cast<int32_t>(chunk->token_ids.size()));
  chunk->token_ids.push_back(0);
}

Result<void> Preparer::Add(PreparedChunk chunk) {
  const size_t symbols = CountCodePoints(chunk.phonemes);
  chunk.voice = speakers_.back().text;
  chunk.voice_row = speakers_.back().mix->Row(symbols);
  chunk.speed = std::clamp(options_.speed * static_cast<float>(rates_.back()), kMinSpeed, kMaxSpeed);
  chunk.gain = options_.gain;
  chunk.seed = ChunkSeed(options_.seed, num_chunks_++);
  chunk.estimated_seconds = kSecondsPerChunk + kSecondsPerSymbol * static_cast<double>(symbols);
  // However fast, a token takes a frame.
  const double least = static_cast<double>(chunk.token_ids.size() * kSamplesPerDurationFrame) / kSampleRateHz;
  chunk.estimated_seconds = std::max(chunk.estimated_seconds / static_cast<double>(chunk.speed), least);
  chunk.pause_before = std::exchange(pause_, 0);
  const Pauses& pauses = options_.pauses;
  if (options_.chunking != Chunking::kKokoro && !options_.input_is_phonemes) {
    chunk.pause = chunk.cut == Cut::kWord       ? pauses.word
                  : chunk.cut == Cut::kClause   ? pauses.clause
                  : chunk.cut == Cut::kSentence ? pauses.sentence
                                                : pauses.paragraph;
  }
  ready_.push_back(std::move(chunk));
  return {};
}

Result<void> Preparer::ReadPhonemes(std::string_view phonemes) {
  CodePointCounter counter(phonemes, 0);
  for (g2p::Chunk& from : g2p::ChunkPhonemes(phonemes)) {
    PreparedChunk chunk;
    chunk.span = SpanOf(&counter, 0, from.text_offset, from.text_length);
    chunk.phonemes = std::move(from.phonemes);
    chunk.cut = CutOf(chunk.phonemes);
    std::vector<int32_t> unused;
    MakeTokens(&chunk, &unused);
    if (IsSpeakable(chunk.phonemes)) KOE_CHECK_OK(Add(std::move(chunk)));
  }
  return {};
}

// A chunk with nothing that the model has a symbol for is left out: one of them must not fail a whole text.
bool Preparer::IsSpeakable(std::string_view phonemes) const {
  size_t position = 0;
  while (const auto symbol = DecodeUtf8(phonemes, &position)) {
    if (*symbol != U' ' && bundle_.vocab().Find(*symbol)) return true;
  }
  return false;
}

void ExtendToWords(PreparedChunk* chunk) {
  TextSpan& span = chunk->span;
  for (const PreparedWord& word : chunk->words) {
    if (word.continues) continue;  // the chunk before has its beginning
    const size_t end = std::max(span.offset + span.length, word.span.offset + word.span.length);
    const size_t code_points_end = std::max(span.code_point_offset + span.code_point_length,
                                            word.span.code_point_offset + word.span.code_point_length);
    span.offset = std::min(span.offset, word.span.offset);
    span.length = end - span.offset;
    span.code_point_offset = std::min(span.code_point_offset, word.span.code_point_offset);
    span.code_point_length = code_points_end - span.code_point_offset;
  }
}

Result<void> Preparer::ReadText(const text::FeedItem& item) {
  if (options_.strict_markup) KOE_CHECK_OK(CheckLinks(item.text, item.offset));
  KOE_TRY(const g2p::EnglishG2P* front_end, front_ends_(speakers_.back().language));
  const bool joins_lines = options_.chunking != Chunking::kKokoro && !by_sentences_;
  const std::string joined = joins_lines ? text::JoinWrappedLines(item.text) : std::string();
  const std::string_view text = joins_lines ? std::string_view(joined) : item.text;
  KOE_TRY(const auto spoken, front_end->Phonemize(text, cancelled_, options_.lexicon.entries()));
  unknown_words_ += spoken.unknown_words;

  const float speed = options_.speed * static_cast<float>(rates_.back());
  text::ChunkLimits limits;
  limits.speed = static_cast<double>(speed);
  limits.max_seconds = options_.max_chunk_seconds;
  if (options_.max_chunk_characters > 0) limits.max_characters = options_.max_chunk_characters;
  std::vector<g2p::Chunk> chunks;
  if (options_.chunking == Chunking::kKokoro) {
    chunks = g2p::ChunkKokoro(spoken);
  } else {
    chunks = g2p::ChunkSentences(text, spoken, limits);
    if (options_.chunking == Chunking::kPacked) chunks = g2p::PackSentences(text, std::move(chunks), limits);
    if (options_.chunking == Chunking::kParagraph) chunks = g2p::JoinParagraphs(text, std::move(chunks));
  }
  if (options_.first_audio == FirstAudio::kFast && num_chunks_ < kFirstSymbols.size()) {
    std::vector<size_t> max_symbols;
    for (const size_t symbols : kFirstSymbols) {
      max_symbols.push_back(static_cast<size_t>(static_cast<float>(symbols) * std::max(speed, 0.5f)));
    }
    std::vector<g2p::Chunk> split;
    for (const g2p::Chunk& chunk : chunks) {
      const size_t done = std::min(num_chunks_ + split.size(), max_symbols.size());
      for (g2p::Chunk& part : g2p::SplitForFirstAudio(chunk, spoken, std::span(max_symbols).subspan(done))) {
        split.push_back(std::move(part));
      }
    }
    chunks = std::move(split);
  }

  const std::vector<size_t> sentences = SentenceStarts(text);
  CodePointCounter chunk_counter(item.text, item.code_points), word_counter(item.text, item.code_points);
  size_t next_word = 0;  // the first that is in no chunk yet
  const auto make_word = [&](size_t index) {
    PreparedWord word;
    word.info = spoken.words[index];
    word.span = SpanOf(&word_counter, item.offset, word.info.offset, word.info.length);
    const auto after = std::upper_bound(sentences.begin(), sentences.end(), word.info.offset);
    word.sentence = num_sentences_ + static_cast<size_t>(std::max<ptrdiff_t>(after - sentences.begin(), 1)) - 1;
    word.info.offset += item.offset;
    return word;
  };
  for (size_t c = 0; c < chunks.size(); ++c) {
    g2p::Chunk& from = chunks[c];
    if (!IsSpeakable(from.phonemes)) continue;
    PreparedChunk chunk;
    chunk.words = std::exchange(silent_words_, {});
    for (; next_word < from.first_word; ++next_word) chunk.words.push_back(make_word(next_word));
    chunk.span = SpanOf(&chunk_counter, item.offset, from.text_offset, from.text_length);
    chunk.phonemes = std::move(from.phonemes);
    std::vector<int32_t> token_of_symbol;
    MakeTokens(&chunk, &token_of_symbol);
    for (const g2p::ChunkWord& part : from.words) {
      PreparedWord word = make_word(part.word);
      const size_t last = part.first_symbol + part.num_symbols;
      word.first_token = static_cast<size_t>(token_of_symbol[part.first_symbol]);
      word.num_tokens = static_cast<size_t>(token_of_symbol[last]) - word.first_token;
      word.space_token = part.space_after && token_of_symbol[last + 1] > token_of_symbol[last];
      word.continues = part.word < next_word;
      next_word = std::max(next_word, part.word + 1);
      chunk.words.push_back(std::move(word));
    }
    ExtendToWords(&chunk);
    const size_t end = from.text_offset + from.text_length;
    const size_t next = c + 1 < chunks.size() ? chunks[c + 1].text_offset : text.size();
    const bool line_ends = c + 1 < chunks.size()
                               ? next > end && text.substr(end, next - end).find_first_of("\n\r") != text.npos
                               : item.ends_paragraph;
    chunk.cut = line_ends ? Cut::kParagraph : CutOf(chunk.phonemes);
    KOE_CHECK_OK(Add(std::move(chunk)));
  }
  for (; next_word < spoken.words.size(); ++next_word) silent_words_.push_back(make_word(next_word));
  num_sentences_ += sentences.size();
  return {};
}

Result<Preparer::State> Preparer::Next(PreparedChunk* chunk) {
  const auto start = Clock::now();
  while (ready_.empty()) {
    KOE_TRY(const text::FeedItem item, feed_.Next());
    if (item.kind == text::FeedItem::Kind::kWait) return State::kWait;
    if (item.kind == text::FeedItem::Kind::kEnd && !phonemes_.empty()) {
      has_input_ = true;
      KOE_CHECK_OK(ReadPhonemes(std::exchange(phonemes_, {})));
      continue;
    }
    if (item.kind == text::FeedItem::Kind::kEnd) {
      if (num_chunks_ == 0) {
        return Error(ErrorCode::kInvalidArgument,
                     has_input_ ? "input: nothing in it can be spoken" : "input: empty: there is nothing to speak");
      }
      return State::kEnd;
    }
    has_input_ = true;
    if (item.kind == text::FeedItem::Kind::kMark) {
      KOE_CHECK_OK(ReadMark(item.mark));
    } else {
      KOE_CHECK_OK(ReadText(item));
    }
    seconds_ += SecondsSince(start);
  }
  *chunk = std::move(ready_.front());
  ready_.pop_front();
  return State::kChunk;
}

}  // namespace koe::api
