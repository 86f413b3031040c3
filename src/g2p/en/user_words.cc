// SPDX-License-Identifier: Apache-2.0
#include "g2p/en/user_words.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "g2p/phonemes.h"
#include "text/unicode.h"

namespace koe::g2p::en {
namespace {

bool IsApostrophe(char32_t c) { return c == '\'' || c == U'\u2019' || c == U'\u2018'; }
bool IsPartOfWord(char32_t c) { return (text::IsWordChar(c) && c != '_') || text::IsCombiningMark(c); }

size_t Before(std::string_view line, size_t position) {
  do {
    --position;
  } while (position > 0 && (static_cast<unsigned char>(line[position]) & 0xC0) == 0x80);
  return position;
}
// 0 outside the line.
char32_t At(std::string_view line, size_t position) { return text::NextCodePoint(line, &position); }
char32_t LastBefore(std::string_view line, size_t position) {
  return position == 0 ? 0 : At(line, Before(line, position));
}

// A dot with single letters on both sides: e.g, U.S.
bool IsDotOfInitials(std::string_view line, size_t dot) {
  if (dot == 0 || dot + 1 >= line.size()) return false;
  const size_t letter = Before(line, dot);
  size_t after = dot + 1;
  const char32_t next = text::NextCodePoint(line, &after);
  return text::IsLetter(At(line, letter)) && text::IsLetter(next) && !IsPartOfWord(LastBefore(line, letter)) &&
         !IsPartOfWord(At(line, after));
}

bool IsWordBoundary(std::string_view line, size_t position) {
  if (position == 0 || position >= line.size()) return true;
  const char32_t left = LastBefore(line, position);
  size_t after = position;
  const char32_t right = text::NextCodePoint(line, &after);
  if (IsPartOfWord(left) && IsPartOfWord(right)) return false;
  if (text::IsCombiningMark(right)) return false;
  if (IsApostrophe(right) && IsPartOfWord(left) && IsPartOfWord(At(line, after))) return false;
  if (IsApostrophe(left) && IsPartOfWord(right)) return !IsPartOfWord(LastBefore(line, Before(line, position)));
  if (right == '.' && IsDotOfInitials(line, position)) return false;
  return left != '.' || !IsDotOfInitials(line, position - 1);
}

class Matcher {
 public:
  Matcher(const UserLexicon::Entries& lexicon, const Pronouncer& pronouncer)
      : lexicon_(lexicon), pronouncer_(pronouncer) {}

  // A word of the user's, or a form of one.
  std::optional<std::string> Find(std::string_view folded, std::string_view lower, Tag tag) const {
    if (auto found = Whole(folded, lower, tag)) return found;
    if (lower.ends_with('\'') && lower.size() > 2 && lower[lower.size() - 2] == 's') {  // the Joneses'
      if (auto found = Find(folded.substr(0, folded.size() - 1), lower.substr(0, lower.size() - 1), tag)) return found;
    }
    for (const auto form : {&Matcher::FormInS, &Matcher::FormInEd, &Matcher::FormInIng, &Matcher::FormWithClitic}) {
      auto found = (this->*form)(folded, lower, tag);
      if (found) return found;
    }
    return std::nullopt;
  }

 private:
  using Found = std::optional<std::string>;
  using Ending = std::string (Matcher::*)(const std::string& phonemes, std::string_view stem) const;

  Found Whole(std::string_view folded, std::string_view lower, Tag tag) const {
    const UserWord* word = lexicon_.Find(folded, lower);
    const std::string* phonemes = word == nullptr ? nullptr : word->Phonemes(tag);
    return phonemes == nullptr ? Found() : Found(*phonemes);
  }

  std::string AddS(const std::string& phonemes, std::string_view) const { return pronouncer_.AddS(phonemes); }
  std::string AddEd(const std::string& phonemes, std::string_view) const { return pronouncer_.AddEd(phonemes); }
  std::string AddIng(const std::string& phonemes, std::string_view stem) const {
    std::string added = pronouncer_.AddIng(phonemes);
    // British stems that end in a vowel say the r they are spelled with.
    if (added.empty()) added = phonemes + (stem.ends_with('r') || stem.ends_with("re") ? "ɹɪŋ" : "ɪŋ");
    return added;
  }
  std::string AddWill(const std::string& phonemes, std::string_view) const { return phonemes + "ᵊl"; }
  std::string AddHave(const std::string& phonemes, std::string_view) const { return phonemes + "əv"; }
  std::string AddAre(const std::string& phonemes, std::string_view) const {
    return phonemes + (pronouncer_.is_british() ? "ə" : "əɹ");
  }

  // The form `folded` made of the stem of `keep` bytes and `letters`.
  Found Form(std::string_view folded, std::string_view lower, size_t keep, std::string_view letters, Tag tag,
             Ending ending) const {
    const std::string stem = std::string(folded.substr(0, keep)) + std::string(letters);
    const std::string lower_stem = std::string(lower.substr(0, keep)) + std::string(letters);
    const auto phonemes = Whole(stem, lower_stem, tag);
    if (!phonemes) return std::nullopt;
    // The dictionaries' own form counts, where it is more than their own stem with this ending.
    if (const auto form = pronouncer_.lexicon().FindGrown(folded)) {
      const auto regular = pronouncer_.lexicon().FindGrown(stem);
      if (!regular) return std::nullopt;
      const std::string spoken = (this->*ending)(pronouncer_.lexicon().Phonemes(*regular), lower_stem);
      if (pronouncer_.lexicon().Phonemes(*form) != spoken) return std::nullopt;
    }
    return (this->*ending)(*phonemes, lower_stem);
  }

  Found FormInS(std::string_view folded, std::string_view lower, Tag tag) const {
    const size_t n = lower.size();
    if (n < 3 || !lower.ends_with('s') || folded.size() != n) return std::nullopt;
    Found found;
    if (!lower.ends_with("ss")) found = Form(folded, lower, n - 1, "", tag, &Matcher::AddS);
    if (!found && (lower.ends_with("'s") || (n > 4 && lower.ends_with("es")))) {
      found = Form(folded, lower, n - 2, "", tag, &Matcher::AddS);
    }
    if (!found && n > 4 && lower.ends_with("ies")) found = Form(folded, lower, n - 3, "y", tag, &Matcher::AddS);
    return found;
  }
  Found FormInEd(std::string_view folded, std::string_view lower, Tag tag) const {
    const size_t n = lower.size();
    if (n < 4 || !lower.ends_with("ed") || folded.size() != n) return std::nullopt;
    Found found = Form(folded, lower, n - 1, "", tag, &Matcher::AddEd);
    if (!found) found = Form(folded, lower, n - 2, "", tag, &Matcher::AddEd);
    if (!found && n > 4 && lower.ends_with("ied")) found = Form(folded, lower, n - 3, "y", tag, &Matcher::AddEd);
    if (!found && IsDoubled(lower, n - 3)) found = Form(folded, lower, n - 3, "", tag, &Matcher::AddEd);
    return found;
  }
  Found FormInIng(std::string_view folded, std::string_view lower, Tag tag) const {
    const size_t n = lower.size();
    if (n < 5 || !lower.ends_with("ing") || folded.size() != n) return std::nullopt;
    Found found = Form(folded, lower, n - 3, "", tag, &Matcher::AddIng);
    if (!found) found = Form(folded, lower, n - 3, "e", tag, &Matcher::AddIng);
    if (!found && IsDoubled(lower, n - 4)) found = Form(folded, lower, n - 4, "", tag, &Matcher::AddIng);
    return found;
  }
  Found FormWithClitic(std::string_view folded, std::string_view lower, Tag tag) const {
    if (folded.size() != lower.size()) return std::nullopt;
    const auto form = [&](std::string_view clitic, Ending ending) {
      return lower.size() > clitic.size() && lower.ends_with(clitic)
                 ? Form(folded, lower, lower.size() - clitic.size(), "", tag, ending)
                 : Found();
    };
    Found found = form("'d", &Matcher::AddEd);
    if (!found) found = form("'ll", &Matcher::AddWill);
    if (!found) found = form("'ve", &Matcher::AddHave);
    return found ? found : form("'re", &Matcher::AddAre);
  }
  // podded, modding
  static bool IsDoubled(std::string_view lower, size_t i) {
    return i > 1 && lower[i] == lower[i - 1] && std::string_view("bcdgklmnprstvxz").find(lower[i]) != std::string::npos;
  }

  const UserLexicon::Entries& lexicon_;
  const Pronouncer& pronouncer_;
};

struct Match {
  size_t num_pieces = 0;
  std::string phonemes;
};

// The pieces of a line as they are compared: folded, with one space where white space stands between them.
class FoldedLine {
 public:
  FoldedLine(std::string_view line, const std::vector<Piece>& pieces) {
    spans_.resize(pieces.size());
    for (size_t i = 0; i < pieces.size();) {
      // Marks that combine with the piece before them are folded with it.
      size_t next = i + 1;
      while (next < pieces.size() && text::IsCombiningMark(At(line, pieces[next].begin))) ++next;
      const std::string folded = FoldWord(line.substr(pieces[i].begin, pieces[next - 1].end - pieces[i].begin));
      const bool is_apart = i > 0 && pieces[i].begin > pieces[i - 1].end && text::IsSpace(At(line, pieces[i - 1].end));
      if (is_apart && !folded_.ends_with(' ')) {
        folded_ += ' ';
        lower_ += ' ';
      }
      const Span start{folded_.size(), lower_.size(), 0, 0};
      folded_ += folded;
      lower_ += text::ToLower(folded);
      for (; i < next; ++i) {
        spans_[i] = {start.folded, start.lower, i + 1 == next ? folded_.size() : 0, i + 1 == next ? lower_.size() : 0};
      }
    }
  }
  // From the start of piece `first` to the end of piece `last`; empty where `last` goes on with a combining mark.
  std::string_view Folded(size_t first, size_t last) const {
    return Part(folded_, spans_[first].folded, spans_[last].folded_end);
  }
  std::string_view Lower(size_t first, size_t last) const {
    return Part(lower_, spans_[first].lower, spans_[last].lower_end);
  }
  std::string_view LowerFrom(size_t first) const { return std::string_view(lower_).substr(spans_[first].lower); }

 private:
  struct Span {
    size_t folded, lower, folded_end, lower_end;
  };
  static std::string_view Part(const std::string& text, size_t begin, size_t end) {
    return begin < end ? std::string_view(text).substr(begin, end - begin) : std::string_view();
  }
  std::string folded_, lower_;
  std::vector<Span> spans_;
};

class Scanner {
 public:
  Scanner(const UserLexicon::Entries& lexicon, const Pronouncer& pronouncer, std::string_view line,
          const std::vector<Piece>& pieces)
      : lexicon_(lexicon), matcher_(lexicon, pronouncer), line_(line), pieces_(pieces), folded_(line, pieces) {}

  // The longest run from piece `first` on.
  Match Longest(size_t first) const {
    Match best;
    const std::string_view rest = folded_.LowerFrom(first).substr(0, kMaxUserWordBytes);
    if (rest.empty() || !lexicon_.first_bytes.test(static_cast<unsigned char>(rest[0])) ||
        pieces_[first].source == Source::kMarkup || !IsWordBoundary(line_, pieces_[first].begin)) {
      return best;
    }
    const size_t max_bytes = lexicon_.LongestSharedPrefix(rest) + kMaxGrowth;
    for (size_t i = first; i < pieces_.size() && pieces_[i].source != Source::kMarkup; ++i) {
      const std::string_view lower = folded_.Lower(first, i);
      if (lower.size() > max_bytes) break;
      if (!MayMatch(lower.size()) || !IsWordBoundary(line_, pieces_[i].end)) continue;
      const Tag tag = i == first ? pieces_[i].tag : DominantTag(&pieces_[first], &pieces_[i] + 1);
      if (auto phonemes = matcher_.Find(folded_.Folded(first, i), lower, tag)) {
        best = {i - first + 1, std::move(*phonemes)};
      }
    }
    return best;
  }

 private:
  // How much longer than what it shares with its stem a form is: the doubled letter and "ing".
  static constexpr size_t kMaxGrowth = 4;

  bool MayMatch(size_t bytes) const {
    for (size_t shorter = 0; shorter <= std::min(kMaxGrowth, bytes); ++shorter) {
      const size_t stem = bytes - shorter;
      if (stem < lexicon_.lengths.size() && lexicon_.lengths.test(stem)) return bytes > 0;
    }
    return false;
  }

  const UserLexicon::Entries& lexicon_;
  Matcher matcher_;
  std::string_view line_;
  const std::vector<Piece>& pieces_;
  FoldedLine folded_;
};

// A mark that was glued to a word of the user's, at the end of its unit.
bool IsPhraseMarks(std::string_view text) {
  for (const char32_t c : text::CodePoints(text)) {
    if (!IsPhraseMark(c)) return false;
  }
  return !text.empty();
}

}  // namespace

void ApplyUserLexicon(const UserLexicon::Entries& lexicon, const Pronouncer& pronouncer, std::string_view line,
                      Units* units) {
  const Scanner scanner(lexicon, pronouncer, line, units->pieces);
  std::vector<std::pair<size_t, Match>> matches;  // by first piece
  for (size_t i = 0; i < units->pieces.size();) {
    Match match = scanner.Longest(i);
    const size_t next = i + std::max(size_t{1}, match.num_pieces);
    if (match.num_pieces > 0) matches.emplace_back(i, std::move(match));
    i = next;
  }
  if (matches.empty()) return;
  Units out;
  out.pieces.reserve(units->pieces.size());
  auto match = matches.begin();
  size_t covered = 0;  // pieces that matches have taken
  for (const Unit& unit : units->units) {
    bool is_open = false;
    for (size_t i = unit.first; i < unit.first + unit.count; ++i) {
      if (i < covered) continue;
      if (match != matches.end() && match->first == i) {
        const Piece& last = units->pieces[i + match->second.num_pieces - 1];
        Piece word = units->pieces[i];
        if (match->second.num_pieces > 1) word.tag = DominantTag(&units->pieces[i], &last + 1);
        word.text = line.substr(word.begin, last.end - word.begin);
        word.end = last.end;
        word.space_after = last.space_after;
        word.has_phonemes = true;
        word.reads_as_to = false;
        word.source = Source::kLexicon;
        word.confidence = 1;
        word.phonemes = std::move(match->second.phonemes);
        if (word.stress) word.phonemes = ApplyStress(std::move(word.phonemes), *word.stress);
        covered = i + match->second.num_pieces;
        out.units.push_back({out.pieces.size(), 1});
        out.pieces.push_back(std::move(word));
        is_open = false;
        ++match;
        continue;
      }
      if (is_open) {
        ++out.units.back().count;
      } else {
        out.units.push_back({out.pieces.size(), 1});
        is_open = true;
      }
      Piece& piece = out.pieces.emplace_back(std::move(units->pieces[i]));
      const bool ends_split_unit = i + 1 == unit.first + unit.count && covered > unit.first;
      if (ends_split_unit && out.units.back().count == 1 && !piece.has_phonemes && IsPhraseMarks(piece.text)) {
        piece.has_phonemes = true;
        piece.phonemes = std::string(piece.text);
        piece.source = Source::kPunctuation;
      }
    }
  }
  *units = std::move(out);
}

}  // namespace koe::g2p::en
