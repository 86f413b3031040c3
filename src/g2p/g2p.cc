// SPDX-License-Identifier: Apache-2.0
#include "g2p/g2p.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/mapped_file.h"
#include "base/utf8.h"
#include "g2p/en/markup.h"
#include "g2p/en/phonemizer.h"
#include "g2p/en/pronouncer.h"
#include "g2p/en/retokenize.h"
#include "g2p/en/rule_tagger.h"
#include "g2p/en/tokenizer.h"
#include "g2p/en/user_words.h"
#include "g2p/lexicon.h"
#include "g2p/phonemes.h"
#include "text/normalize.h"
#include "text/parts.h"
#include "text/unicode.h"

namespace koe::g2p {
namespace {

// Charges the time since the last call to a step.
class StepClock {
 public:
  explicit StepClock(bool is_on) : is_on_(is_on) { Charge(nullptr); }
  void Charge(double* step) {
    if (!is_on_) return;
    const auto now = std::chrono::steady_clock::now();
    if (step != nullptr) *step += std::chrono::duration<double>(now - last_).count();
    last_ = now;
  }

 private:
  bool is_on_;
  std::chrono::steady_clock::time_point last_;
};

void TrimSpaces(std::string* s) {
  s->erase(std::min(s->find_last_not_of(' ') + 1, s->size()));
  s->erase(0, s->find_first_not_of(' '));
}

// Characters of a silent word that are neither white space, nor joints of words, nor money signs read with the amount.
size_t CountDropped(const en::SpokenWord& word, std::string_view text) {
  if (!word.phonemes.empty() || word.source == Source::kMarkup) return 0;
  size_t dropped = 0;
  for (const char32_t c : text::CodePoints(text)) {
    const bool is_money = word.tag == Tag::kDollar && (c == '$' || c == U'\u00A3' || c == U'\u20AC');
    if (!text::IsSpace(c) && c != '\'' && c != '-' && c != '_' && c != '/' && !is_money) ++dropped;
  }
  return dropped;
}

// Says nothing more once the call is cancelled: a part may hold thousands of unknown words of a millisecond each.
class StoppableFallback final : public Fallback {
 public:
  StoppableFallback(const Fallback& fallback, const std::atomic<bool>* cancelled)
      : fallback_(fallback), cancelled_(cancelled) {}
  std::optional<Pronunciation> Pronounce(std::string_view text) const override {
    if (cancelled_ != nullptr && cancelled_->load(std::memory_order_relaxed)) return std::nullopt;
    return fallback_.Pronounce(text);
  }

 private:
  const Fallback& fallback_;
  const std::atomic<bool>* cancelled_;
};

}  // namespace

struct EnglishG2P::Impl {
  MappedFile file;  // empty where the bytes are the caller's
  en::Pronouncer pronouncer;
  en::RuleTagger rule_tagger;
  en::SpellingFallback spelling{&pronouncer};
  EnglishOptions options;

  Impl(MappedFile f, Lexicon lexicon, Language language, EnglishOptions o)
      : file(std::move(f)), pronouncer(std::move(lexicon), language, o.misaki_quirks), options(std::move(o)) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  // What a part's views point to.
  struct Workspace {
    en::Markup markup;
    std::vector<en::SpokenWord> spoken;
    std::vector<PhonemeWord> words;
  };
  void PhonemizePart(const text::MappedText& clean, const UserLexicon::Entries* user,
                     const std::atomic<bool>* cancelled, Workspace* workspace, PhonemePart* part, StepClock* clock,
                     PhonemizeSteps* steps) const;
};

EnglishG2P::EnglishG2P(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EnglishG2P::EnglishG2P(EnglishG2P&&) noexcept = default;
EnglishG2P& EnglishG2P::operator=(EnglishG2P&&) noexcept = default;
EnglishG2P::~EnglishG2P() = default;

Result<EnglishG2P> EnglishG2P::Open(const std::string& lexicon_path, Language language, const EnglishOptions& options) {
  KOE_TRY(MappedFile file, MappedFile::Open(lexicon_path));
  auto lexicon = Lexicon::Open(file.bytes());
  if (!lexicon) return lexicon.error().WithContext(lexicon_path);
  return EnglishG2P(std::make_unique<Impl>(std::move(file), std::move(*lexicon), language, options));
}

Result<EnglishG2P> EnglishG2P::Open(std::span<const std::byte> lexicon, Language language,
                                    const EnglishOptions& options) {
  KOE_TRY(Lexicon opened, Lexicon::Open(lexicon));
  return EnglishG2P(std::make_unique<Impl>(MappedFile(), std::move(opened), language, options));
}

void EnglishG2P::Impl::PhonemizePart(const text::MappedText& clean, const UserLexicon::Entries* user,
                                     const std::atomic<bool>* cancelled, Workspace* workspace, PhonemePart* part,
                                     StepClock* clock, PhonemizeSteps* steps) const {
  const en::Markup& markup = workspace->markup = en::ReadMarkup(clean, 0, clean.text().size());
  const std::string_view line = markup.text.text();
  clock->Charge(&steps->clean);
  std::vector<Token> tokens = en::Tokenize(line, {options.misaki_quirks});
  clock->Charge(&steps->tokenise);
  const Tagger& tagger = options.tagger ? *options.tagger : static_cast<const Tagger&>(rule_tagger);
  tagger.TagTokens(tokens);
  clock->Charge(&steps->tag);
  const StoppableFallback fallback(options.fallback ? *options.fallback : static_cast<const Fallback&>(spelling),
                                   cancelled);
  std::vector<en::SpokenWord>& spoken = workspace->spoken;
  en::Units units = en::Retokenize(line, tokens, markup, options.misaki_quirks);
  if (user != nullptr) en::ApplyUserLexicon(*user, pronouncer, line, &units);
  spoken = en::PronounceUnits(pronouncer, fallback, std::move(units));
  // An abbreviation keeps its full stop ("Ltd."); at the end of a line that stop also ends the sentence.
  if (!spoken.empty() && spoken.back().source == Source::kSpelled && line.substr(0, spoken.back().end).ends_with('.')) {
    spoken.back().phonemes += '.';
  }
  workspace->words.clear();
  workspace->words.reserve(spoken.size());
  for (const en::SpokenWord& from : spoken) {
    PhonemeWord word;
    word.text = line.substr(from.begin, from.end - from.begin);
    word.offset = markup.text.OriginalOffset(from.begin);
    word.length = markup.text.OriginalEnd(from.end) - word.offset;
    word.phonemes = from.phonemes;
    word.tag = from.tag;
    const size_t dropped = CountDropped(from, word.text);
    part->dropped_symbols += dropped;
    word.source = dropped > 0                      ? "unknown"
                  : from.source == Source::kMarkup ? SourceName(from.source)
                                                   : SourceName(std::max(from.source, Source::kPunctuation));
    word.confidence = dropped > 0 ? 0 : from.confidence;
    word.space_after = from.space_after;
    if (IsGuess(from.source)) ++part->unknown_words;
    workspace->words.push_back(word);
  }
  part->words = workspace->words;
}

Result<void> EnglishG2P::PhonemizeEach(std::string_view text, const std::atomic<bool>* cancelled, Sink sink,
                                       PhonemizeSteps* steps, const UserLexicon::Entries* user) const {
  PhonemizeSteps unused;
  StepClock clock(steps != nullptr);
  if (steps == nullptr) steps = &unused;
  KOE_CHECK_OK(text::CheckUtf8(text));
  text::PartReader reader(text);
  Impl::Workspace workspace;
  bool line_has_words = false;
  while (true) {
    if (cancelled != nullptr && cancelled->load(std::memory_order_relaxed)) {
      return Error(ErrorCode::kCancelled, "synthesis: cancelled: on request");
    }
    if (!reader.Next()) break;
    if (reader.starts_line()) line_has_words = false;
    PhonemePart part;
    impl_->PhonemizePart(reader.part(), user, cancelled, &workspace, &part, &clock, steps);
    if (!workspace.words.empty()) {
      if (reader.ends_at_space()) workspace.words.back().space_after = true;
      part.starts_line = !line_has_words;
      line_has_words = true;
    }
    clock.Charge(&steps->pronounce);
    if (!workspace.words.empty()) KOE_CHECK_OK(sink(part));
    clock.Charge(nullptr);
  }
  clock.Charge(&steps->clean);
  return {};
}

Result<PhonemeText> EnglishG2P::Phonemize(std::string_view text, const std::atomic<bool>* cancelled,
                                          const UserLexicon::Entries* user) const {
  PhonemeText out;
  const auto add_part = [&out](const PhonemePart& part) -> Result<void> {
    if (part.starts_line) {
      out.lines.push_back(out.words.size());
      if (!out.words.empty()) {
        if (out.words.back().whitespace.empty()) out.phonemes += ' ';
        out.words.back().whitespace = " ";
      }
    }
    for (const PhonemeWord& word : part.words) {
      WordInfo info;
      info.text = word.text;
      info.offset = word.offset;
      info.length = word.length;
      info.phonemes = word.phonemes;
      info.tag = TagName(word.tag);
      info.source = word.source;
      info.confidence = word.confidence;
      info.whitespace = word.space_after ? " " : "";
      out.phonemes += word.phonemes;
      if (word.space_after) out.phonemes += ' ';
      out.words.push_back(std::move(info));
    }
    out.unknown_words += part.unknown_words;
    out.dropped_symbols += part.dropped_symbols;
    return {};
  };
  KOE_CHECK_OK(PhonemizeEach(text, cancelled, add_part, nullptr, user));
  TrimSpaces(&out.phonemes);
  return out;
}

}  // namespace koe::g2p
