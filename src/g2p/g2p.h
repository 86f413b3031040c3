// SPDX-License-Identifier: Apache-2.0
// English text to Kokoro's phonemes: misaki 0.9.4's algorithm (docs/g2p_en.md).
#ifndef KOE_G2P_G2P_H_
#define KOE_G2P_G2P_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/function_ref.h"
#include "g2p/fallback.h"
#include "g2p/tagger.h"
#include "koe/koe.h"
#include "koe/result.h"

namespace koe::g2p {

// A word or mark of a PhonemePart; its views die with the part.
struct PhonemeWord {
  std::string_view text;      // cleaned and without markup
  size_t offset = 0;          // bytes into the text as given
  size_t length = 0;          // bytes of the text as given
  std::string_view phonemes;  // empty where nothing is spoken
  Tag tag = Tag::kNone;
  const char* source = "";  // WordInfo::source
  float confidence = 1;
  bool space_after = false;
};

// A line, or as much of a long line as is worked on at a time (text::PartReader).
struct PhonemePart {
  std::span<const PhonemeWord> words;  // at least one; offsets ascend, also from part to part
  bool starts_line = false;            // there is a white space before it that no word carries, unless it is the first
  size_t unknown_words = 0;            // of a source for which IsGuess holds
  size_t dropped_symbols = 0;          // characters that are neither spoken nor punctuation the model knows: emoji, ...
};

// Where the time goes, in seconds.
struct PhonemizeSteps {
  double clean = 0;  // cleaning, lines and markup
  double tokenise = 0;
  double tag = 0;
  double pronounce = 0;  // pieces, dictionaries and rules, fallback, words
};

// All parts of a text.
struct PhonemeText {
  std::string phonemes;         // each word's phonemes and white space, without white space at the ends
  std::vector<WordInfo> words;  // offsets ascend, into the text as given
  std::vector<size_t> lines;    // index of the first word of every line of the text that is not blank
  size_t unknown_words = 0;
  size_t dropped_symbols = 0;
};

struct EnglishOptions {
  // true: also what misaki does wrong but the reference's phonemes contain (docs/g2p_en.md lists it), for comparing.
  bool misaki_quirks = false;
  std::shared_ptr<const Tagger> tagger;      // null: the built-in rules
  std::shared_ptr<const Fallback> fallback;  // null: unknown words are spelled letter by letter
};

// Immutable and thread-safe.
class EnglishG2P {
 public:
  // lexicon_path: a compiled lexicon, mapped. kNotFound, kIo, kCorruptBundle.
  static Result<EnglishG2P> Open(const std::string& lexicon_path, Language language,
                                 const EnglishOptions& options = {});
  // The same from memory that outlives the object.
  static Result<EnglishG2P> Open(std::span<const std::byte> lexicon, Language language,
                                 const EnglishOptions& options = {});
  EnglishG2P(EnglishG2P&&) noexcept;
  EnglishG2P& operator=(EnglishG2P&&) noexcept;
  ~EnglishG2P();

  // Calls sink for every part in order, and ends with the first error it returns. Memory is bounded, whatever the size
  // of the text; time is linear in it. kInvalidArgument: not UTF-8 (the message names the byte), before any part.
  // kCancelled where *cancelled is set: it is looked at before each part. Adds to *steps where it is given.
  // user: words that are asked for before the dictionaries, or null.
  using Sink = FunctionRef<Result<void>(const PhonemePart& part)>;
  Result<void> PhonemizeEach(std::string_view text, const std::atomic<bool>* cancelled, Sink sink,
                             PhonemizeSteps* steps = nullptr, const UserLexicon::Entries* user = nullptr) const;

  // The parts put together. Text with nothing to speak gives empty phonemes.
  Result<PhonemeText> Phonemize(std::string_view text, const std::atomic<bool>* cancelled = nullptr,
                                const UserLexicon::Entries* user = nullptr) const;

 private:
  struct Impl;
  explicit EnglishG2P(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace koe::g2p

#endif  // KOE_G2P_G2P_H_
