// SPDX-License-Identifier: Apache-2.0
#include "g2p/g2p.h"

#include <algorithm>
#include <utility>

#include "base/mapped_file.h"
#include "base/utf8.h"
#include "g2p/en/markup.h"
#include "g2p/en/phonemizer.h"
#include "g2p/en/pronouncer.h"
#include "g2p/en/retokenize.h"
#include "g2p/en/rule_tagger.h"
#include "g2p/en/tokenizer.h"
#include "g2p/lexicon.h"
#include "g2p/phonemes.h"
#include "text/normalize.h"
#include "text/segments.h"
#include "text/unicode.h"

namespace koe::g2p {
namespace {

// Longer lines are worked on in parts, cut after sentences where there are any, so that memory follows the words and
// not the scratch of a whole book on one line. A sentence's end resets what one word needs to know of the next.
constexpr size_t kMaxPartBytes = 16384;

bool IsSentenceEnd(std::string_view text, size_t begin, size_t i) {
  return i > begin && text[i] == ' ' && (text[i - 1] == '.' || text[i - 1] == '!' || text[i - 1] == '?');
}

size_t PartEnd(std::string_view text, size_t begin, size_t end) {
  if (end - begin <= kMaxPartBytes) return end;
  const size_t limit = begin + kMaxPartBytes;
  for (size_t i = limit; i > begin + kMaxPartBytes / 2; --i) {
    if (IsSentenceEnd(text, begin, i)) return i;
  }
  for (size_t i = limit; i > begin + kMaxPartBytes / 2; --i) {
    if (text[i] == ' ') return i;
  }
  size_t cut = limit;
  while ((static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;
  return cut;
}

std::string TrimSpaces(const std::string& s) {
  const size_t begin = s.find_first_not_of(' ');
  if (begin == std::string::npos) return "";
  return s.substr(begin, s.find_last_not_of(' ') - begin + 1);
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

  void PhonemizePart(const text::MappedText& clean, size_t begin, size_t end, PhonemeText* out) const;
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

void EnglishG2P::Impl::PhonemizePart(const text::MappedText& clean, size_t begin, size_t end, PhonemeText* out) const {
  const en::Markup markup = en::ReadMarkup(clean, begin, end);
  const std::string_view line = markup.text.text();
  std::vector<Token> tokens = en::Tokenize(line, {options.misaki_quirks});
  const Tagger& tagger = options.tagger ? *options.tagger : static_cast<const Tagger&>(rule_tagger);
  tagger.TagTokens(tokens);
  const Fallback& fallback = options.fallback ? *options.fallback : static_cast<const Fallback&>(spelling);
  auto words = en::PronounceUnits(pronouncer, fallback, en::Retokenize(line, tokens, markup));
  // An abbreviation keeps its full stop ("Ltd."); at the end of a line that stop also ends the sentence.
  if (!words.empty() && words.back().source == Source::kSpelled && line.substr(0, words.back().end).ends_with('.')) {
    words.back().phonemes += '.';
  }
  for (en::SpokenWord& word : words) {
    WordInfo info;
    info.text = std::string(line.substr(word.begin, word.end - word.begin));
    info.offset = markup.text.OriginalOffset(word.begin);
    info.length = markup.text.OriginalEnd(word.end) - info.offset;
    info.tag = TagName(word.tag);
    const size_t dropped = CountDropped(word, info.text);
    out->dropped_symbols += dropped;
    info.source = dropped > 0 ? "unknown" : SourceName(std::max(word.source, Source::kPunctuation));
    if (word.source == Source::kMarkup) info.source = SourceName(word.source);
    info.confidence = word.confidence;
    info.phonemes = std::move(word.phonemes);
    info.whitespace = word.space_after ? " " : "";
    if (IsGuess(word.source)) ++out->unknown_words;
    out->words.push_back(std::move(info));
  }
}

Result<PhonemeText> EnglishG2P::Phonemize(std::string_view text, const std::atomic<bool>* cancelled) const {
  KOE_TRY(const text::MappedText clean, text::CleanText(text));
  PhonemeText out;
  for (const text::TextRange& line : text::SplitLines(clean.text())) {
    const size_t first_word = out.words.size();
    for (size_t begin = line.begin; begin < line.end;) {
      if (cancelled != nullptr && cancelled->load(std::memory_order_relaxed)) {
        return Error(ErrorCode::kCancelled, "synthesis: cancelled: on request");
      }
      const size_t end = PartEnd(clean.text(), begin, line.end);
      const size_t before = out.words.size();
      impl_->PhonemizePart(clean, begin, end, &out);
      if (end < line.end && out.words.size() > before && clean.text()[end] == ' ') out.words.back().whitespace = " ";
      begin = end;
    }
    if (out.words.size() > first_word) {
      out.lines.push_back(first_word);
      if (first_word > 0) out.words[first_word - 1].whitespace = " ";
    }
  }
  for (const WordInfo& word : out.words) {
    out.phonemes += word.phonemes;
    out.phonemes += word.whitespace;
  }
  out.phonemes = TrimSpaces(out.phonemes);
  return out;
}

}  // namespace koe::g2p
