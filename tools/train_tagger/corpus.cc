// SPDX-License-Identifier: Apache-2.0
#include "corpus.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "base/utf8.h"
#include "bundle/json.h"
#include "g2p/en/rule_tagger.h"
#include "g2p/en/tokenizer.h"
#include "g2p/en/url.h"
#include "text/unicode.h"

namespace koe::g2p::training {
namespace {

struct Piece {
  std::string_view text;
  Tag tag;
  size_t begin = 0;  // in the sentence's text
};

bool HasWordChar(std::string_view s) {
  for (const char32_t c : text::CodePoints(s)) {
    if (text::IsWordChar(c) && c != '_') return true;
  }
  return false;
}
bool HasDigit(std::string_view s) { return s.find_first_of("0123456789") != std::string_view::npos; }
bool IsApostrophe(std::string_view s) { return s == "'" || s == "\u2019"; }

// A word's tag that punctuation cannot have.
bool IsTagOfWord(Tag tag) {
  return (tag >= Tag::kCC && tag <= Tag::kWRB && tag != Tag::kSYM) || tag == Tag::kADD || tag == Tag::kAFX ||
         tag == Tag::kXX;
}

// Whether white space stood between two of MASC's tokens, which it does not say.
bool IsApart(const Piece& left, const Piece& right) {
  static constexpr std::array<std::string_view, 9> kClosing = {",", ".", "!", "?", ":", ";", ")", "]", "\u201D"};
  static constexpr std::array<std::string_view, 5> kOpening = {"(", "[", "\u201C", "$", "\u00A3"};
  static constexpr std::array<std::string_view, 7> kClitics = {"s", "t", "m", "re", "ve", "ll", "d"};
  const std::string_view l = left.text, r = right.text;
  if (l.size() > 1 && l.ends_with('-') && HasWordChar(l)) return false;
  if (l == "-" || r == "-") return left.tag != Tag::kHYPH && right.tag != Tag::kHYPH;
  if (std::find(kClosing.begin(), kClosing.end(), r) != kClosing.end() || r == "%") return false;
  if (std::find(kOpening.begin(), kOpening.end(), l) != kOpening.end()) return false;
  if (r == "\"" || l == "\"") return r == "\"" ? right.tag != Tag::kCloseQuote : left.tag != Tag::kOpenQuote;
  if (r.size() > 1 && (r[0] == '\'' || r.starts_with("\u2019"))) return false;
  if (r == "n't" || r == "N'T" || r == "n\u2019t") return false;
  if (IsApostrophe(r)) return right.tag == Tag::kOpenQuote;
  if (IsApostrophe(l)) return std::find(kClitics.begin(), kClitics.end(), r) == kClitics.end();
  return l != "/" && r != "/";
}

std::string JoinPieces(std::vector<Piece>* pieces) {
  std::string text;
  for (size_t i = 0; i < pieces->size(); ++i) {
    if (i > 0 && IsApart((*pieces)[i - 1], (*pieces)[i])) text += ' ';
    (*pieces)[i].begin = text.size();
    text += (*pieces)[i].text;
  }
  return text;
}

// The tag of a token that is put together from several pieces: "n't", "'re" in curly apostrophes.
Tag TagOfClitic(std::string_view text) {
  if (text.size() < 4) return Tag::kNone;
  if (text == "n\u2019t") return Tag::kRB;
  if (text == "\u2019re" || text == "\u2019ve" || text == "\u2019m") return Tag::kVBP;
  if (text == "\u2019ll") return Tag::kMD;
  return Tag::kNone;
}

bool IsPrefix(std::string_view text) {
  static constexpr std::array<std::string_view, 14> kPrefixes = {
      "non", "anti", "pre", "post", "co", "ex", "semi", "multi", "inter", "intra", "pro", "ultra", "mini", "quasi"};
  return std::find(kPrefixes.begin(), kPrefixes.end(), text::ToLower(text)) != kPrefixes.end();
}

Tag TagOfToken(const std::vector<Token>& tokens, size_t i, const std::vector<Piece>& pieces, size_t first,
               size_t last) {
  const std::string_view text = tokens[i].text;
  if (first != last) return TagOfClitic(text);
  const Piece& piece = pieces[first];
  if (en::IsUrl(text) || (text.find('@') != std::string_view::npos && text.size() > 3)) return Tag::kADD;
  if (piece.text != text && !HasDigit(text) && !piece.text.ends_with('-')) return Tag::kNone;
  if (piece.text != text && HasDigit(text)) return HasDigit(text.substr(0, 1)) ? Tag::kCD : Tag::kNone;
  // The tag after a hyphen is the whole compound's.
  if (i >= 2 && tokens[i - 1].text == "-" && first >= 2 && pieces[first - 2].tag == Tag::kNone) return Tag::kNone;
  if (i + 1 < tokens.size() && tokens[i + 1].text == "-" && !tokens[i].space_after && IsPrefix(text)) return Tag::kAFX;
  return IsTagOfWord(piece.tag) ? piece.tag : Tag::kNone;
}

// Treebanks later than the corpus tag "to" before a noun phrase as a preposition.
void RetagTo(std::vector<Token>* tokens) {
  for (size_t i = 0; i < tokens->size(); ++i) {
    if ((*tokens)[i].tag != Tag::kTO) continue;
    size_t next = i + 1;
    while (next < tokens->size() && (*tokens)[next].tag == Tag::kRB) ++next;
    const bool at_end = next >= tokens->size() || !HasWordChar((*tokens)[next].text);
    if (!at_end && (*tokens)[next].tag != Tag::kVB && (*tokens)[next].tag != Tag::kNone) (*tokens)[i].tag = Tag::kIN;
  }
}

void AddSentence(std::vector<Piece>* pieces, Corpus* corpus) {
  if (pieces->empty()) return;
  Sentence& sentence = corpus->emplace_back();
  sentence.text = JoinPieces(pieces);
  sentence.tokens = en::Tokenize(sentence.text, {true});
  bool inside_quote = false;
  size_t first = 0;
  for (size_t i = 0; i < sentence.tokens.size(); ++i) {
    Token& token = sentence.tokens[i];
    const size_t begin = token.offset, end = begin + token.text.size();
    while (first + 1 < pieces->size() && (*pieces)[first].begin + (*pieces)[first].text.size() <= begin) ++first;
    size_t last = first;
    while (last + 1 < pieces->size() && (*pieces)[last + 1].begin < end) ++last;
    token.tag = en::TagByShape(sentence.tokens, i, &inside_quote);
    if (token.tag == Tag::kNone) token.tag = TagOfToken(sentence.tokens, i, *pieces, first, last);
  }
  RetagTo(&sentence.tokens);
  pieces->clear();
}

template <typename Line>
void ForEachLine(std::string_view file, const Line& use) {
  for (size_t begin = 0; begin < file.size();) {
    const size_t end = std::min(file.find('\n', begin), file.size());
    std::string_view line = file.substr(begin, end - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    use(line);
    begin = end + 1;
  }
}

}  // namespace

Result<Corpus> ReadTaggedLines(std::string_view file) {
  if (FindInvalidUtf8(file)) return Error(ErrorCode::kInvalidArgument, "corpus: not UTF-8");
  Corpus corpus;
  std::vector<Piece> pieces;
  size_t number = 0, bad_line = 0;
  ForEachLine(file, [&](std::string_view line) {
    ++number;
    if (line.empty()) {
      AddSentence(&pieces, &corpus);
      return;
    }
    const size_t tab = line.find('\t');
    if (tab == std::string_view::npos || tab == 0) {
      if (bad_line == 0) bad_line = number;
      return;
    }
    std::string_view text = line.substr(0, tab);
    while (text.size() > 1 && text.ends_with(' ')) text.remove_suffix(1);
    if (text.find(' ') != std::string_view::npos) {
      if (bad_line == 0) bad_line = number;
      return;
    }
    pieces.push_back({text, ParseTag(line.substr(tab + 1)).value_or(Tag::kNone)});
  });
  AddSentence(&pieces, &corpus);
  if (bad_line != 0) {
    return Error(ErrorCode::kInvalidArgument, "corpus: line " + std::to_string(bad_line) + ": not \"token<TAB>tag\"");
  }
  return corpus;
}

Result<Corpus> ReadTrace(std::string_view file) {
  Corpus corpus;
  std::set<std::string> seen;
  Error error(ErrorCode::kInvalidArgument, "");
  size_t number = 0;
  ForEachLine(file, [&](std::string_view line) {
    ++number;
    if (line.empty() || !error.message().empty()) return;
    const auto json = bundle::ParseJson(line, {8, 1U << 20}, "trace line " + std::to_string(number));
    if (!json) {
      error = json.error();
      return;
    }
    const bundle::Json* tokens = json->Find("tokens");
    if (tokens == nullptr || !tokens->is(bundle::Json::Type::kArray)) {
      error = Error(ErrorCode::kInvalidArgument, "trace line " + std::to_string(number) + ": no tokens");
      return;
    }
    Sentence sentence;
    std::vector<std::pair<size_t, size_t>> ranges;
    std::string key;
    for (const bundle::Json& item : tokens->items) {
      if (item.items.size() < 3) continue;
      Token token;
      token.offset = sentence.text.size();
      token.space_after = !item.items[2].text.empty();
      token.tag = ParseTag(item.items[1].text).value_or(Tag::kNone);
      ranges.emplace_back(token.offset, item.items[0].text.size());
      sentence.text += item.items[0].text + item.items[2].text;
      key += item.items[0].text + '\x01' + item.items[1].text + '\x02';
      sentence.tokens.push_back(token);
    }
    if (!seen.insert(key).second) return;
    Sentence& kept = corpus.emplace_back(std::move(sentence));
    for (size_t i = 0; i < ranges.size(); ++i) {
      kept.tokens[i].text = std::string_view(kept.text).substr(ranges[i].first, ranges[i].second);
    }
  });
  if (!error.message().empty()) return error;
  return corpus;
}

}  // namespace koe::g2p::training
