// SPDX-License-Identifier: Apache-2.0
#include "g2p/letter_to_sound/neural_fallback.h"

#include <algorithm>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "g2p/en/phonemizer.h"
#include "g2p/en/pronouncer.h"
#include "g2p/letter_to_sound/respell.h"
#include "g2p/phonemes.h"
#include "text/unicode.h"

namespace koe::g2p {
namespace {

using letter_to_sound::Guess;
using letter_to_sound::Model;
using letter_to_sound::Piece;

constexpr size_t kMaxCachedWords = 4096;
// Of letters read by their names where no rule says whether that is meant: an estimate, since no dictionary has them.
constexpr float kSpelledConfidence = 0.5f;

struct Roman {
  std::string_view letters, words;
};
constexpr Roman kRomans[] = {{"ii", "two"},        {"iii", "three"},    {"iv", "four"},    {"vi", "six"},
                             {"vii", "seven"},     {"viii", "eight"},   {"ix", "nine"},    {"xii", "twelve"},
                             {"xiii", "thirteen"}, {"xiv", "fourteen"}, {"xv", "fifteen"}, {"xvi", "sixteen"}};

struct Unit {
  std::string_view letters, words;
};
// Behind a number only.
constexpr Unit kUnits[] = {{"cm", "centimeters"}, {"fps", "frames per second"}, {"ft", "feet"},
                           {"kg", "kilograms"},   {"km", "kilometers"},         {"lb", "pounds"},
                           {"lbs", "pounds"},     {"mm", "millimeters"},        {"mph", "miles per hour"},
                           {"oz", "ounces"}};

struct Country {
  std::string_view letters, words;
};
// Before the sign of dollars only. "US" is spelled.
constexpr Country kCountries[] = {{"A", "Australian"},   {"AU", "Australian"}, {"C", "Canadian"},
                                  {"CA", "Canadian"},    {"HK", "Hong Kong"},  {"NT", "Taiwan"},
                                  {"NZ", "New Zealand"}, {"S", "Singapore"},   {"SG", "Singapore"}};

bool HasVowelLetter(std::string_view lower) { return lower.find_first_of("aeiouy") != std::string_view::npos; }

class NeuralFallback : public Fallback {
 public:
  NeuralFallback(std::shared_ptr<const Model> model, Lexicon lexicon, Language language)
      : model_(std::move(model)), pronouncer_(std::move(lexicon), language, false), language_(language) {}

  std::optional<Pronunciation> Pronounce(std::string_view text) const override;

 private:
  // What has been said of a text so far.
  struct Speech {
    std::string phonemes;
    Source source = Source::kSpelled;
    float confidence = 1;
    bool joins = false;  // the next part follows without a space
    void Add(std::string_view part, float part_confidence) {
      if (part.empty()) return;
      if (!phonemes.empty() && !joins) phonemes += ' ';
      joins = false;
      phonemes += part;
      confidence = std::min(confidence, part_confidence);
    }
  };

  std::optional<std::string> Known(std::string_view word) const;
  // Nothing where a final e acute is not heard: "resume" is not "r\u00E9sum\u00E9".
  std::optional<std::string> Known(std::string_view word, bool ends_in_ay) const;
  void SayWords(std::string_view words, Speech* speech) const;
  void SayWord(const Piece& word, bool follows_number, Speech* speech) const;
  bool SayAccented(const Piece& word, Speech* speech) const;
  void SayPart(std::string_view part, std::string_view respelled, bool ends_in_ay, Speech* speech) const;
  void Spell(std::string_view letters, Speech* speech) const;
  // word in lower case, of the model's alphabet.
  Guess GuessWord(const std::string& word) const;
  std::optional<std::string> BritishIng(std::string_view word) const;

  std::shared_ptr<const Model> model_;
  en::Pronouncer pronouncer_;
  en::SpellingFallback spelling_{&pronouncer_};
  Language language_;
  mutable std::mutex mutex_;
  mutable std::unordered_map<std::string, Guess> cache_;  // guarded by mutex_
};

std::optional<std::string> NeuralFallback::Known(std::string_view word) const {
  en::WordRequest request;
  request.text = word;
  request.tag = word == "a" ? Tag::kDT : Tag::kNone;
  if (word.size() == 1 && word != "a" && !text::IsAsciiDigit(static_cast<unsigned char>(word[0]))) return std::nullopt;
  auto known = pronouncer_.Pronounce(request, en::Context{});
  if (!known || known->phonemes.empty()) return std::nullopt;
  return std::move(known->phonemes);
}

std::optional<std::string> NeuralFallback::Known(std::string_view word, bool ends_in_ay) const {
  auto known = Known(word);
  if (known && ends_in_ay && !known->ends_with('A')) return std::nullopt;
  return known;
}

void NeuralFallback::SayWords(std::string_view words, Speech* speech) const {
  while (!words.empty()) {
    const size_t end = std::min(words.find(' '), words.size());
    if (const auto known = Known(words.substr(0, end))) speech->Add(*known, 1);
    words.remove_prefix(std::min(end + 1, words.size()));
  }
}

void NeuralFallback::Spell(std::string_view letters, Speech* speech) const {
  if (const auto spelled = pronouncer_.SpellLetters(letters)) speech->Add(spelled->phonemes, kSpelledConfidence);
}

Guess NeuralFallback::GuessWord(const std::string& word) const {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = cache_.find(word); found != cache_.end()) return found->second;
  }
  Guess guess = model_->Pronounce(word, language_, letter_to_sound::Manner::kSilver);
  const std::lock_guard lock(mutex_);
  if (cache_.size() >= kMaxCachedWords) cache_.clear();
  cache_.emplace(word, guess);
  return guess;
}

// misaki's rule for -ing gives up on British stems in a long vowel or schwa; there the r of the spelling comes back.
std::optional<std::string> NeuralFallback::BritishIng(std::string_view word) const {
  if (language_ != Language::kBritishEnglish || word.size() < 6 || !word.ends_with("ing")) return std::nullopt;
  const std::string stem(word.substr(0, word.size() - 3));
  for (const std::string& candidate : {stem, stem + "e"}) {
    const auto known = Known(candidate);
    if (!known || !(known->ends_with("\u0259") || known->ends_with("\u02D0"))) continue;
    const bool has_r = stem.ends_with('r');
    return *known + (has_r ? "\u0279\u026A\u014B" : "\u026A\u014B");
  }
  return std::nullopt;
}

void NeuralFallback::SayPart(std::string_view part, std::string_view respelled, bool ends_in_ay, Speech* speech) const {
  if (part.size() == 1) return Spell(part, speech);
  if (const auto known = Known(part, ends_in_ay)) return speech->Add(*known, 1);
  if (const Guess name = model_->FindName(text::ToLower(part), language_); !name.phonemes.empty()) {
    speech->source = Source::kNeural;
    return speech->Add(name.phonemes, name.confidence);
  }
  const std::string lower = text::ToLower(respelled);
  if (lower.size() > letter_to_sound::kMaxWordLetters || !HasVowelLetter(lower)) return Spell(part, speech);
  if (lower[0] == 'x' && !HasVowelLetter(lower.substr(1, 1))) {  // "Xbox"
    Spell("x", speech);
    return SayPart(part.substr(1), respelled.substr(1), ends_in_ay, speech);
  }
  if (const auto ing = BritishIng(lower)) return speech->Add(*ing, 1);
  Guess guess = GuessWord(lower);
  if (guess.phonemes.empty()) return Spell(part, speech);
  if (ends_in_ay) {
    for (const std::string_view ee : {"i\u02D0", "i"}) {
      if (!guess.phonemes.ends_with(ee)) continue;
      guess.phonemes.replace(guess.phonemes.size() - ee.size(), ee.size(), "A");
      break;
    }
  }
  speech->source = Source::kNeural;
  speech->Add(guess.phonemes, guess.confidence);
}

// Words whose accents change how they are said, and what ends in e acute and s.
bool NeuralFallback::SayAccented(const Piece& word, Speech* speech) const {
  if (text::IsAscii(word.lower)) return false;
  std::string_view stem = word.lower;
  const auto say = [&](std::string_view name, bool has_ending) {
    const Guess guess = model_->FindName(name, language_);
    if (guess.phonemes.empty()) return false;
    speech->source = Source::kNeural;
    speech->Add(guess.phonemes, guess.confidence);
    if (has_ending) speech->phonemes += pronouncer_.PluralEnding(speech->phonemes);
    return true;
  };
  if (say(stem, false)) return true;
  if (!stem.ends_with('s')) return false;
  stem.remove_suffix(stem.ends_with("'s") ? 2 : 1);
  if (say(stem, true)) return true;
  constexpr std::string_view kEAcute = "\u00E9";
  const bool is_plural =
      stem.ends_with(kEAcute) || (stem.ends_with('e') && stem.substr(0, stem.size() - 1).ends_with(kEAcute));
  if (!is_plural || !text::IsAsciiLower(static_cast<unsigned char>(word.text[0]))) return false;
  Piece singular = word;
  const size_t cut = word.lower.size() - stem.size();
  for (std::string* part : {&singular.text, &singular.respelled, &singular.lower}) part->resize(part->size() - cut);
  singular.respelled.push_back('e');
  singular.ends_in_ay = true;
  SayWord(singular, false, speech);
  if (!speech->phonemes.empty()) speech->phonemes += pronouncer_.PluralEnding(speech->phonemes);
  return true;
}

void NeuralFallback::SayWord(const Piece& word, bool follows_number, Speech* speech) const {
  if (SayAccented(word, speech)) return;
  if (const auto known = Known(word.text, word.ends_in_ay)) return speech->Add(*known, 1);
  const std::string lower = text::ToLower(word.text);
  if (follows_number) {
    const auto* unit =
        std::find_if(std::begin(kUnits), std::end(kUnits), [&](const Unit& u) { return u.letters == lower; });
    if (unit != std::end(kUnits)) return SayWords(unit->words, speech);
  }
  const auto* roman =
      std::find_if(std::begin(kRomans), std::end(kRomans), [&](const Roman& r) { return r.letters == lower; });
  if (roman != std::end(kRomans) && lower == word.text) return SayWords(roman->words, speech);

  std::string_view stem = word.text, respelled = word.respelled;
  const bool is_possessive = lower.ends_with("'s") && lower.size() > 2;
  if (is_possessive) {
    stem.remove_suffix(2);
    respelled.remove_suffix(2);
  }
  const auto parts = letter_to_sound::SplitCamelCase(stem);
  if (const Guess name = model_->FindName(text::ToLower(stem), language_); !name.phonemes.empty()) {  // "LinkedIn"
    speech->source = Source::kNeural;
    speech->Add(name.phonemes, name.confidence);
  } else if (parts.size() == 1 || word.text != word.respelled) {
    SayPart(stem, respelled, word.ends_in_ay, speech);
  } else {
    for (const std::string_view part : parts) {
      if (part == "Mc" && &part != &parts.back()) {
        speech->Add("m\u0259k", 1);
      } else {
        SayPart(part, part, false, speech);
      }
    }
  }
  if (is_possessive && !speech->phonemes.empty()) speech->phonemes += pronouncer_.PluralEnding(speech->phonemes);
}

std::optional<Pronunciation> NeuralFallback::Pronounce(std::string_view text) const {
  // An abbreviation is what the other fallback says it is.
  if (en::IsAbbreviation(text)) return spelling_.Pronounce(text);
  Speech speech;
  const std::vector<Piece> pieces = letter_to_sound::SplitUnknown(text);
  for (size_t i = 0; i < pieces.size(); ++i) {
    const Piece& piece = pieces[i];
    switch (piece.kind) {
      case Piece::Kind::kWord:
        if (i + 1 < pieces.size() && pieces[i + 1].kind == Piece::Kind::kName && pieces[i + 1].text == "dollars") {
          const auto* country = std::find_if(std::begin(kCountries), std::end(kCountries),
                                             [&](const Country& c) { return c.letters == piece.text; });
          if (country != std::end(kCountries)) {
            for (std::string_view words = country->words; !words.empty();) {
              const size_t end = std::min(words.find(' '), words.size());
              SayPart(words.substr(0, end), words.substr(0, end), false, &speech);
              words.remove_prefix(std::min(end + 1, words.size()));
            }
            break;
          }
          if (piece.text == "US") {
            Spell(piece.text, &speech);
            break;
          }
        }
        SayWord(piece, i > 0 && pieces[i - 1].kind == Piece::Kind::kNumber, &speech);
        break;
      case Piece::Kind::kNumber:
        // "2nd" is one; so is "1980s".
        if (i + 1 < pieces.size() && pieces[i + 1].kind == Piece::Kind::kWord) {
          if (const auto known = Known(piece.text + text::ToLower(pieces[i + 1].text))) {
            speech.Add(*known, 1);
            ++i;
            break;
          }
        }
        if (piece.text.size() > 1 && piece.text[0] == '0') {  // "04:07"
          for (const char& digit : piece.text) {
            if (const auto known = Known({&digit, 1})) speech.Add(*known, 1);
          }
        } else if (const auto known = Known(piece.text)) {
          speech.Add(*known, 1);
        }
        break;
      case Piece::Kind::kName:
        SayWords(piece.text, &speech);
        break;
      case Piece::Kind::kMark:
        if (i == 0) break;
        speech.phonemes += piece.text;
        speech.joins = true;
        break;
      case Piece::Kind::kHyphen:
        // Numbers on both sides: a range, or a telephone number.
        speech.joins = !speech.phonemes.empty() && pieces[i - 1].kind == Piece::Kind::kWord;
        break;
      case Piece::Kind::kGap:
        break;
    }
  }
  if (std::none_of(speech.phonemes.begin(), speech.phonemes.end(),
                   [](char c) { return c != ' ' && !IsMark(static_cast<unsigned char>(c)); })) {
    return std::nullopt;
  }
  // As with an abbreviation, the full stop of known words is the front end's to keep or drop.
  if (speech.source == Source::kSpelled && speech.phonemes.ends_with('.')) speech.phonemes.pop_back();
  return Pronunciation{std::move(speech.phonemes), speech.source, speech.confidence};
}

}  // namespace

Result<std::unique_ptr<Fallback>> MakeNeuralFallback(std::shared_ptr<const Model> model,
                                                     std::span<const std::byte> lexicon, Language language) {
  KOE_TRY(Lexicon opened, Lexicon::Open(lexicon));
  return std::unique_ptr<Fallback>(std::make_unique<NeuralFallback>(std::move(model), std::move(opened), language));
}

Result<std::unique_ptr<Fallback>> OpenNeuralFallback(std::span<const std::byte> weights,
                                                     std::span<const std::byte> lexicon, Language language,
                                                     const kernels::KernelSet& kernels) {
  KOE_TRY(std::shared_ptr<const Model> model, Model::Open(weights, kernels));
  return MakeNeuralFallback(std::move(model), lexicon, language);
}

}  // namespace koe::g2p
