// SPDX-License-Identifier: Apache-2.0
// Text and phonemes: languages, chunking, a user's pronunciations, what the front end saw.
#ifndef KOE_TEXT_H_
#define KOE_TEXT_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "koe/common.h"
#include "koe/result.h"

namespace koe {

enum class Language { kAmericanEnglish, kBritishEnglish };
// "en-us" and "en-gb"; anything else is kInvalidArgument and names both.
Result<Language> ParseLanguage(std::string_view code);
const char* LanguageCode(Language language);

// What pronounces a word that no dictionary has.
//   kDefault: kNeural where the bundle has such a model, else kSpell
//   kNeural: the bundle's letter-to-sound model
//   kEspeak: the user's own espeak-ng (GPL; never linked), loaded by the first call that needs it: $KOE_ESPEAK_LIBRARY,
//     else the system's; $KOE_ESPEAK_DATA is where its data lie
//   kSpell: letter by letter
enum class UnknownWords { kDefault, kNeural, kEspeak, kSpell };

// Where long text is cut; each chunk is synthesised by itself. In all but kKokoro hard-wrapped lines are joined, and a
// sentence of more than SynthesisOptions::max_chunk_seconds by estimate (14 characters a second), of more characters
// than max_chunk_characters, or of more than 450 tokens is cut at clauses, else between words.
//   kSentences: each sentence is a chunk.
//   kKokoro: as the Python package: each line by itself, as many words as fit 510 phonemes, cut at punctuation.
//   kPacked: neighbouring sentences of a paragraph share a chunk as long as they are within those limits.
//   kParagraph: a paragraph is a chunk; one over 450 tokens is cut between sentences into parts of like length.
enum class Chunking { kSentences, kKokoro, kPacked, kParagraph };

// A user's own pronunciations, asked before the dictionaries (docs/user_lexicon.md). Immutable and thread-safe; copies
// share the entries.
class UserLexicon {
 public:
  UserLexicon();  // no entries
  // Lines "word<TAB>phonemes" or "word<TAB>tag<TAB>phonemes". kInvalidArgument: "name:3: phonemes: 'g' (U+0067): ...",
  // the first thing that is wrong with its line; kTooLong: more than 64 MiB or a million entries.
  static Result<UserLexicon> Parse(std::string_view text, const std::string& name = "lexicon");
  // The same from a file or pipe. Also kNotFound, kIo.
  static Result<UserLexicon> Load(const std::string& path);
  // All of them in one: where several have a word, the last one's pronunciations count.
  static UserLexicon Layer(std::span<const UserLexicon> lexicons);
  size_t size() const;  // words

  struct Entries;                                            // src/g2p/user_lexicon.h
  const Entries* entries() const { return entries_.get(); }  // null where there are none

 private:
  explicit UserLexicon(std::shared_ptr<const Entries> entries);
  std::shared_ptr<const Entries> entries_;
};

struct PhonemizeOptions {
  Language language = Language::kAmericanEnglish;
  UserLexicon lexicon;
  // Fills in Phonemization::chunks, for speech at this speed.
  std::optional<Chunking> chunking = std::nullopt;
  float speed = 1.0f;
  const CancelToken* cancel = nullptr;
};

// One word (or punctuation mark) as the front end saw it.
struct WordInfo {
  std::string text;      // as in the input
  size_t offset = 0;     // bytes into the input
  size_t length = 0;     // bytes
  std::string phonemes;  // empty where nothing is spoken
  std::string tag;       // Penn tag, as far as the front end knows it
  // markup, lexicon (the user's), gold, silver, stem, letters, number, neural, espeak, spelled, punctuation, unknown
  std::string source;
  float confidence = 1;    // [0, 1]: the estimated probability that the phonemes are right
  std::string whitespace;  // what follows in phonemes: "" or " "
};

// A chunk as it would be synthesised.
struct ChunkPreview {
  size_t text_offset = 0;  // bytes into the input, of this chunk's first word
  size_t text_length = 0;  // bytes
  std::string phonemes;
};

struct Phonemization {
  std::string phonemes;  // what the model gets
  std::vector<WordInfo> words;
  std::vector<ChunkPreview> chunks;  // where they were asked for
  size_t unknown_words = 0;          // words that no dictionary has (sources neural, espeak, spelled)
  size_t dropped_symbols = 0;        // characters that are neither spoken nor in the model's vocabulary
};

}  // namespace koe

#endif  // KOE_TEXT_H_
