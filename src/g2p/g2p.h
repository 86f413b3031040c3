// SPDX-License-Identifier: Apache-2.0
// English text to Kokoro's phonemes: misaki 0.9.4's algorithm (docs/g2p_en.md).
#ifndef KOE_G2P_G2P_H_
#define KOE_G2P_G2P_H_

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "g2p/fallback.h"
#include "g2p/tagger.h"
#include "koe/koe.h"
#include "koe/result.h"

namespace koe::g2p {

struct PhonemeText {
  std::string phonemes;         // each word's phonemes and white space, without white space at the ends
  std::vector<WordInfo> words;  // offsets ascend, into the text as given
  std::vector<size_t> lines;    // index of the first word of every line of the text that is not blank
  size_t unknown_words = 0;     // of a source for which IsGuess holds
  size_t dropped_symbols = 0;   // characters that are neither spoken nor punctuation the model knows: emoji, ...
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

  // kInvalidArgument: not UTF-8 (the message names the byte). kCancelled soon after *cancelled is set: it is looked at
  // before each line, and within long lines every 16 KiB. Text with nothing to speak gives empty phonemes. Linear.
  Result<PhonemeText> Phonemize(std::string_view text, const std::atomic<bool>* cancelled = nullptr) const;

 private:
  struct Impl;
  explicit EnglishG2P(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace koe::g2p

#endif  // KOE_G2P_G2P_H_
