// SPDX-License-Identifier: Apache-2.0
// Text, as it comes, to chunks that can be synthesised: pieces, phonemes, chunks, tokens, voice rows. Memory follows a
// paragraph, not the text.
#ifndef KOE_API_PREPARER_H_
#define KOE_API_PREPARER_H_

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/voice_mix.h"
#include "bundle/bundle.h"
#include "g2p/g2p.h"
#include "koe/result.h"
#include "koe/speech.h"
#include "text/text_feed.h"

namespace koe::api {

// kInvalidArgument: an option out of range.
Result<void> CheckSpeed(float speed);
Result<void> CheckOptions(const SynthesisOptions& options);
// kTooLong, kInvalidArgument (not UTF-8).
Result<void> CheckInput(std::string_view input);
// The language of a voice by its name ("en-us", "es", "unknown"), as VoiceInfo::language.
const char* VoiceLanguage(const std::string& id);

// The span of a chunk of text then holds all of its words, also those of which nothing is spoken.
void ExtendToWords(PreparedChunk* chunk);

// Not thread-safe. Of its chunks `text` is empty: what was read is not kept.
class Preparer {
 public:
  using FrontEnds = std::function<Result<const g2p::EnglishG2P*>(Language)>;
  enum class State { kChunk, kWait, kEnd };

  // bundle and *cancelled (or null) outlive the object. by_sentences: text is still being written.
  // Errors: kInvalidArgument, kUnsupported (a voice whose language has no front end).
  static Result<std::unique_ptr<Preparer>> Make(const bundle::Bundle& bundle, FrontEnds front_ends,
                                                const SynthesisOptions& options, const std::atomic<bool>* cancelled,
                                                bool by_sentences);
  void Append(std::string_view text) { options_.input_is_phonemes ? void(phonemes_ += text) : feed_.Append(text); }
  void Finish() { feed_.Finish(); }
  size_t pending_bytes() const { return feed_.pending_bytes(); }

  // kWait: the text has to go on first. Errors: those of text and front end; kInvalidArgument at the end where nothing
  // could be spoken.
  Result<State> Next(PreparedChunk* chunk);
  // After kEnd: seconds of silence that markup asks for at the end.
  double pause_at_end() const { return pause_; }
  // Words after the last chunk of which nothing is spoken.
  std::vector<PreparedWord> TakeSilentWords() { return std::move(silent_words_); }
  size_t unknown_words() const { return unknown_words_; }
  double seconds() const { return seconds_; }  // wall

 private:
  struct Speaker {
    const VoiceMix* mix;
    Language language;
    bool has_front_end;
    std::string text;  // as asked for
  };
  Preparer(const bundle::Bundle& bundle, FrontEnds front_ends, const SynthesisOptions& options,
           const std::atomic<bool>* cancelled, const text::FeedOptions& feed_options);
  Result<Speaker> MakeSpeaker(std::string_view voice);
  bool IsVoice(std::string_view voice);
  Result<void> ReadMark(const text::SpeechMark& mark);
  Result<void> ReadText(const text::FeedItem& item);
  Result<void> ReadPhonemes(std::string_view phonemes);
  Result<void> CheckLinks(std::string_view text, size_t offset) const;
  bool IsSpeakable(std::string_view phonemes) const;
  Result<void> Add(PreparedChunk chunk);
  void MakeTokens(PreparedChunk* chunk, std::vector<int32_t>* token_of_symbol) const;

  const bundle::Bundle& bundle_;
  FrontEnds front_ends_;
  SynthesisOptions options_;
  const std::atomic<bool>* cancelled_;
  text::TextFeed feed_;
  std::map<std::string, VoiceMix, std::less<>> mixes_;
  std::vector<Speaker> speakers_;  // innermost last
  std::vector<double> rates_;      // innermost last
  std::string phonemes_;           // of phoneme input, until it has been read
  std::deque<PreparedChunk> ready_;
  std::vector<PreparedWord> silent_words_;  // in no chunk so far: they go with the next one
  double pause_ = 0;                        // before the next chunk
  size_t num_chunks_ = 0, num_sentences_ = 0, unknown_words_ = 0;
  double seconds_ = 0;
  bool by_sentences_;
  bool has_input_ = false;
};

}  // namespace koe::api

#endif  // KOE_API_PREPARER_H_
