// SPDX-License-Identifier: Apache-2.0
#include "g2p/en/retokenize.h"

#include <algorithm>

#include "base/utf8.h"
#include "g2p/phonemes.h"
#include "text/unicode.h"

namespace koe::g2p::en {
namespace {

// A token with what the markup says about it; several tokens after folding.
struct MarkedToken {
  size_t first;  // token indices
  size_t last;
  std::string_view text;
  Tag tag;
  bool is_head = true;
  bool has_phonemes = false;
  std::string phonemes;  // of the markup
  std::optional<double> stress;
  std::string_view number_flags;
};

MarkedToken Unmarked(const Token& token, size_t index) {
  return {index, index, token.text, token.tag, true, false, {}, std::nullopt, {}};
}

size_t CapitalWeight(std::string_view text) {
  size_t weight = 0;
  for (const char32_t c : text::CodePoints(text)) weight += text::ToLower(c) == c ? 1 : 2;
  return weight;
}

struct Overlap {
  size_t token;
  size_t word;
};

// Which tokens lie in which words, in order. misaki takes the position in this list for the token's, which holds as
// long as every token lies in exactly one word: behind white space or "[a](1)b" its features fall on the wrong tokens.
std::vector<Overlap> FindOverlaps(const std::vector<Token>& tokens, const std::vector<Markup::Word>& words,
                                  bool misaki_quirks) {
  std::vector<Overlap> overlaps;
  size_t word = 0;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const size_t end = tokens[i].offset + tokens[i].text.size();
    while (word < words.size() && words[word].end <= tokens[i].offset) ++word;
    for (size_t w = word; w < words.size() && words[w].begin < end; ++w) {
      const size_t token = misaki_quirks ? overlaps.size() : i;
      if (token >= tokens.size()) return overlaps;
      overlaps.push_back({token, w});
    }
  }
  return overlaps;
}

std::vector<MarkedToken> AttachFeatures(std::string_view line, const std::vector<Token>& tokens, const Markup& markup,
                                        bool misaki_quirks) {
  std::vector<MarkedToken> marked;
  marked.reserve(tokens.size());
  for (size_t i = 0; i < tokens.size(); ++i) {
    marked.push_back(Unmarked(tokens[i], i));
  }
  size_t previous = static_cast<size_t>(-1);
  for (const Overlap& overlap : FindOverlaps(tokens, markup.words, misaki_quirks)) {
    const bool is_first = overlap.word != previous;
    previous = overlap.word;
    const auto& feature = markup.words[overlap.word].feature;
    if (!feature) continue;
    MarkedToken& token = marked[overlap.token];
    switch (feature->kind) {
      case Feature::Kind::kStress:
        token.stress = feature->stress;
        break;
      case Feature::Kind::kPhonemes:
        if (!token.has_phonemes) token.is_head = is_first;
        token.has_phonemes = true;
        if (is_first) token.phonemes += feature->value;
        break;
      case Feature::Kind::kNumberFlags:
        token.number_flags = feature->value;
        break;
    }
  }
  std::vector<MarkedToken> folded;
  for (MarkedToken& token : marked) {
    if (token.is_head || folded.empty()) {
      folded.push_back(std::move(token));
      continue;
    }
    MarkedToken& into = folded.back();
    if (CapitalWeight(token.text) > CapitalWeight(into.text)) into.tag = token.tag;
    into.has_phonemes = true;  // a token that is not a head adds none
    into.last = token.last;
    const Token& end = tokens[token.last];
    into.text = line.substr(tokens[into.first].offset, end.offset + end.text.size() - tokens[into.first].offset);
  }
  return folded;
}

bool IsPunctuationTag(Tag tag) {
  switch (tag) {
    case Tag::kPeriod:
    case Tag::kComma:
    case Tag::kLeftBracket:
    case Tag::kRightBracket:
    case Tag::kOpenQuote:
    case Tag::kStraightQuote:
    case Tag::kCloseQuote:
    case Tag::kColon:
    case Tag::kDollar:
    case Tag::kHash:
    case Tag::kNFP:
      return true;
    default:
      return false;
  }
}

bool HasLetterOrDigit(std::string_view text) {
  for (const char32_t c : text::CodePoints(text)) {
    if (text::IsLetter(c) || text::DigitValue(c) >= 0) return true;
  }
  return false;
}

bool HasPhraseMark(std::string_view phonemes) {
  for (const char32_t c : text::CodePoints(phonemes)) {
    if (IsPhraseMark(c)) return true;
  }
  return false;
}

bool AllAsciiLetters(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return text::IsAsciiLetter(static_cast<unsigned char>(c)); });
}

std::string PunctuationPhonemes(Tag tag, std::string_view text) {
  switch (tag) {
    case Tag::kLeftBracket:
      return "(";
    case Tag::kRightBracket:
      return ")";
    case Tag::kOpenQuote:
      return "\u201C";
    case Tag::kStraightQuote:
    case Tag::kCloseQuote:
      return "\u201D";
    default: {
      std::string marks;
      for (const char32_t c : text::CodePoints(text)) {
        if (IsMark(c)) AppendUtf8(c, &marks);
      }
      return marks;
    }
  }
}

std::optional<Currency> CurrencyOf(std::string_view text) {
  if (text == "$") return Currency::kDollar;
  if (text == "£") return Currency::kPound;
  if (text == "€") return Currency::kEuro;
  return std::nullopt;
}

bool IsLetterAt(std::string_view text, bool at_end) {
  size_t position = 0;
  if (at_end) {
    position = text.size() - 1;
    while (position > 0 && (static_cast<unsigned char>(text[position]) & 0xC0) == 0x80) --position;
  }
  return text::IsLetter(text::NextCodePoint(text, &position));
}

}  // namespace

Tag DominantTag(const Piece* first, const Piece* last) {
  const Piece* best = first;
  size_t best_weight = CapitalWeight(first->text);
  for (const Piece* piece = first + 1; piece != last; ++piece) {
    const size_t weight = CapitalWeight(piece->text);
    if (weight > best_weight) {
      best = piece;
      best_weight = weight;
    }
  }
  return best->tag;
}

Units Retokenize(std::string_view line, const std::vector<Token>& tokens, const Markup& markup, bool misaki_quirks) {
  Units out;
  out.pieces.reserve(tokens.size() + 8);
  out.units.reserve(tokens.size() + 8);
  Currency currency = Currency::kNone;
  bool group_is_open = false;
  const bool has_marks = !markup.words.empty();
  const std::vector<MarkedToken> marked =
      has_marks ? AttachFeatures(line, tokens, markup, misaki_quirks) : std::vector<MarkedToken>();
  const size_t num_tokens = has_marks ? marked.size() : tokens.size();
  const auto token_at = [&](size_t i) { return has_marks ? marked[i] : Unmarked(tokens[i], i); };
  std::vector<std::string_view> parts;
  for (size_t i = 0; i < num_tokens; ++i) {
    const MarkedToken token = token_at(i);
    const bool space_after = tokens[token.last].space_after;
    if (token.has_phonemes) {
      parts = {token.text};
    } else {
      SplitToken(token.text, &parts);
      if (parts.empty()) parts = {token.text.substr(0, 0)};
    }
    for (size_t j = 0; j < parts.size(); ++j) {
      const bool is_last = j + 1 == parts.size();
      const bool continues = group_is_open && !out.pieces.back().space_after;
      Piece& piece = out.pieces.emplace_back();
      piece.text = parts[j];
      piece.begin = static_cast<size_t>(parts[j].data() - line.data());
      piece.end = piece.begin + parts[j].size();
      piece.tag = token.tag;
      piece.space_after = is_last && space_after;
      piece.stress = token.stress;
      piece.number_flags = token.number_flags;
      const auto give = [&piece](std::string_view phonemes, Source source) {
        piece.has_phonemes = true;
        piece.phonemes = phonemes;
        piece.source = source;
      };
      const auto sign = piece.tag == Tag::kDollar ? CurrencyOf(piece.text) : std::nullopt;
      if (token.has_phonemes) {
        give(token.phonemes, Source::kMarkup);
      } else if (sign) {
        currency = *sign;
        give("", Source::kPunctuation);
      } else if (piece.tag == Tag::kColon && (piece.text == "-" || piece.text == "\u2013")) {
        give("\u2014", Source::kPunctuation);
      } else if (IsPunctuationTag(piece.tag) && !AllAsciiLetters(piece.text) &&
                 (misaki_quirks || !HasLetterOrDigit(piece.text))) {
        give(PunctuationPhonemes(piece.tag, piece.text), Source::kPunctuation);
        if (!misaki_quirks && HasPhraseMark(piece.phonemes)) currency = Currency::kNone;
      } else if (currency != Currency::kNone) {
        if (piece.tag != Tag::kCD) {
          currency = Currency::kNone;
        } else if (is_last && (i + 1 == num_tokens || token_at(i + 1).tag != Tag::kCD)) {
          piece.currency = currency;
        }
      } else if (j > 0 && !is_last && piece.text == "2" && IsLetterAt(parts[j - 1], true) &&
                 IsLetterAt(parts[j + 1], false)) {
        piece.reads_as_to = true;
      }
      if (piece.has_phonemes || piece.reads_as_to) {
        out.units.push_back({out.pieces.size() - 1, 1});
        group_is_open = false;
      } else if (continues) {
        piece.is_head = false;
        ++out.units.back().count;
      } else {
        out.units.push_back({out.pieces.size() - 1, 1});
        group_is_open = !piece.space_after;
      }
    }
  }
  return out;
}

}  // namespace koe::g2p::en
