// SPDX-License-Identifier: Apache-2.0
#include "g2p/user_lexicon.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "base/utf8.h"
#include "bundle/vocab.h"
#include "g2p/phonemes.h"
#include "text/unicode.h"

namespace koe {
namespace g2p {

std::string FoldWord(std::string_view text) {
  std::string folded = text::IsAscii(text) ? std::string(text) : text::ToNfkc(text);
  ReplaceAll("\u2018", "'", &folded);
  ReplaceAll("\u2019", "'", &folded);
  std::string out;
  for (size_t at = 0; at < folded.size();) {
    const size_t begin = at;
    if (!text::IsSpace(text::NextCodePoint(folded, &at))) {
      out.append(folded, begin, at - begin);
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

const std::string* UserWord::Phonemes(Tag tag) const {
  const std::string_view name = TagName(tag);
  const std::string_view word_class = IsVerb(tag)        ? "VERB"
                                      : IsNoun(tag)      ? "NOUN"
                                      : IsAdverb(tag)    ? "ADV"
                                      : IsAdjective(tag) ? "ADJ"
                                                         : "";
  for (const std::string_view wanted : {name, word_class, std::string_view()}) {
    for (const UserPronunciation& pronunciation : pronunciations) {
      if (pronunciation.tag == wanted) return &pronunciation.phonemes;
    }
  }
  return nullptr;
}

namespace {

struct Line {
  const std::string& file;
  size_t number;
  Error Wrong(const std::string& what) const {
    return Error(ErrorCode::kInvalidArgument, file + ":" + std::to_string(number) + ": " + what);
  }
};

std::string Quoted(std::string_view text) {
  constexpr size_t kMaxBytes = 60;
  if (text.size() <= kMaxBytes) return "'" + std::string(text) + "'";
  size_t end = kMaxBytes;
  while ((static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return "'" + std::string(text.substr(0, end)) + "...'";
}

std::string CodePointName(char32_t c) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string name = "U+";
  for (int shift = c > 0xFFFF ? 20 : 12; shift >= 0; shift -= 4) name += kDigits[(c >> shift) & 15];
  return name;
}

std::string_view TrimBlanks(std::string_view text) {
  const size_t begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

// What people write for a symbol that the model has under another code point.
std::string HintFor(char32_t c) {
  static constexpr std::array<std::pair<char32_t, const char*>, 10> kMeant = {{{'g', "ɡ (U+0261)"},
                                                                               {'\'', "ˈ (U+02C8)"},
                                                                               {U'\u2019', "ˈ (U+02C8)"},
                                                                               {':', "ː (U+02D0)"},
                                                                               {U'\u025D', "ɜɹ"},
                                                                               {U'\u026B', "l"},
                                                                               {U'\u02A6', "ts"},
                                                                               {U'\u0361', "no tie: ʧ, ʤ"},
                                                                               {U'\u0329', "ᵊ before the consonant"},
                                                                               {'3', "ɜ (U+025C)"}}};
  for (const auto& [wrong, right] : kMeant) {
    if (wrong == c) return std::string(": use ") + right;
  }
  return ": see docs/user_lexicon.md for the symbols";
}

Result<std::string> ReadPhonemes(const Line& line, std::string_view field) {
  std::string_view phonemes = field;
  if (phonemes.size() > 1 && phonemes.starts_with('/') && phonemes.ends_with('/')) {
    phonemes = TrimBlanks(phonemes.substr(1, phonemes.size() - 2));
  }
  if (phonemes.empty()) return line.Wrong("phonemes: none: give at least one symbol");
  size_t count = 0;
  bool is_spoken = false;
  for (const char32_t c : text::CodePoints(phonemes)) {
    ++count;
    is_spoken = is_spoken || (text::IsLetter(c) && c != U'ˈ' && c != U'ˌ' && c != U'ː');
    if (c != ':' && bundle::Vocab::Kokoro().Find(c)) continue;
    std::string symbol;
    AppendUtf8(c, &symbol);
    return line.Wrong("phonemes: " + Quoted(phonemes) + ": '" + symbol + "' (" + CodePointName(c) +
                      ") is no phoneme symbol" + HintFor(c));
  }
  if (count > kMaxUserPhonemes) {
    return line.Wrong("phonemes: " + std::to_string(count) + " symbols: at most " + std::to_string(kMaxUserPhonemes));
  }
  if (!is_spoken) return line.Wrong("phonemes: " + Quoted(phonemes) + ": nothing in it can be spoken");
  return std::string(phonemes);
}

Result<std::string> ReadTag(const Line& line, std::string_view field) {
  if (field.empty() || field == "*") return std::string();
  for (const char* word_class : {"NOUN", "VERB", "ADJ", "ADV"}) {
    if (field == word_class) return std::string(field);
  }
  const auto tag = ParseTag(field);
  if (tag && *tag != Tag::kNone) return std::string(field);
  return line.Wrong("tag: " + Quoted(field) + ": must be NOUN, VERB, ADJ, ADV or a Penn tag (NN, NNP, VB, VBD, ...)");
}

// What is above this is a word of one line; it is given with the number of its line.
using Words = std::map<std::pair<std::string, std::string>, std::map<std::string, std::pair<std::string, size_t>>>;

Result<void> ReadLine(const Line& line, std::string_view text, Words* words) {
  if (const auto bad = FindInvalidUtf8(text)) {
    const bool is_utf16 = line.number == 1 && (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF"));
    return line.Wrong("byte " + std::to_string(*bad) + ": not valid UTF-8" + (is_utf16 ? " but UTF-16" : ""));
  }
  const std::string_view content = TrimBlanks(text);
  if (content.find_first_not_of(" \t") == std::string_view::npos || content.starts_with('#')) return {};
  for (const char c : content) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\t') || byte == 0x7F) return line.Wrong(CodePointName(byte) + ": a control character");
  }
  std::array<std::string_view, 3> fields;
  size_t num_fields = 0;
  for (size_t begin = 0; begin <= content.size();) {
    const size_t end = std::min(content.find('\t', begin), content.size());
    if (num_fields == fields.size()) return line.Wrong("fields: more than three: give word, tag, phonemes");
    fields[num_fields++] = TrimBlanks(content.substr(begin, end - begin));
    begin = end + 1;
  }
  if (num_fields == 1) {
    return line.Wrong("fields: " + Quoted(content) + ": needs a tab between the word and its phonemes");
  }
  std::string_view word = fields[0];
  if (word.starts_with("\\#")) word.remove_prefix(1);
  const std::string key = FoldWord(word);
  if (key.empty()) return line.Wrong("word: none: the line starts with a tab");
  if (key.size() > kMaxUserWordBytes) {
    return line.Wrong("word: " + Quoted(word) + ": longer than " + std::to_string(kMaxUserWordBytes) + " bytes");
  }
  KOE_TRY(const std::string tag, ReadTag(line, num_fields == 3 ? fields[1] : ""));
  KOE_TRY(std::string phonemes, ReadPhonemes(line, fields[num_fields - 1]));
  auto& pronunciations = (*words)[{text::ToLower(key), key}];
  const auto [found, is_new] = pronunciations.try_emplace(tag, phonemes, line.number);
  if (!is_new && found->second.first != phonemes) {
    return line.Wrong("word: " + Quoted(word) + (tag.empty() ? "" : " as " + tag) + ": has other phonemes in line " +
                      std::to_string(found->second.second));
  }
  return {};
}

std::shared_ptr<const UserLexicon::Entries> MakeEntries(std::vector<UserWord> words) {
  auto entries = std::make_shared<UserLexicon::Entries>();
  entries->words = std::move(words);
  for (const UserWord& word : entries->words) {
    entries->first_bytes.set(static_cast<unsigned char>(word.lower[0]));
    entries->lengths.set(std::min(word.lower.size(), entries->lengths.size() - 1));
  }
  return entries;
}

}  // namespace
}  // namespace g2p

const g2p::UserWord* UserLexicon::Entries::Find(std::string_view folded, std::string_view lower) const {
  auto word = std::lower_bound(words.begin(), words.end(), lower,
                               [](const g2p::UserWord& w, std::string_view value) { return w.lower < value; });
  const g2p::UserWord* any_case = nullptr;
  for (; word != words.end() && word->lower == lower; ++word) {
    if (word->key == folded) return &*word;
    if (word->key == word->lower) any_case = &*word;
  }
  return any_case;
}

size_t UserLexicon::Entries::LongestSharedPrefix(std::string_view lower) const {
  const auto after = std::lower_bound(words.begin(), words.end(), lower,
                                      [](const g2p::UserWord& w, std::string_view value) { return w.lower < value; });
  const auto shared = [lower](const g2p::UserWord& word) {
    const size_t size = std::min(lower.size(), word.lower.size());
    return static_cast<size_t>(
        std::mismatch(lower.begin(), lower.begin() + static_cast<ptrdiff_t>(size), word.lower.begin()).first -
        lower.begin());
  };
  // The words around where it would stand share most.
  size_t longest = after == words.end() ? 0 : shared(*after);
  if (after != words.begin()) longest = std::max(longest, shared(*(after - 1)));
  return longest;
}

UserLexicon::UserLexicon() = default;
UserLexicon::UserLexicon(std::shared_ptr<const Entries> entries) : entries_(std::move(entries)) {}
size_t UserLexicon::size() const { return entries_ == nullptr ? 0 : entries_->words.size(); }

Result<UserLexicon> UserLexicon::Parse(std::string_view text, const std::string& name) {
  if (text.size() > g2p::kMaxUserLexiconBytes) {
    return Error(ErrorCode::kTooLong, name + ": longer than 64 MiB");
  }
  g2p::Words words;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  size_t number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = text.substr(begin, end - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    KOE_CHECK_OK(g2p::ReadLine({name, ++number}, line, &words));
    if (words.size() > g2p::kMaxUserWords) {
      return Error(ErrorCode::kTooLong, name + ": more than a million words");
    }
    begin = end + 1;
  }
  std::vector<g2p::UserWord> sorted;
  for (auto& [key, pronunciations] : words) {
    g2p::UserWord& word = sorted.emplace_back();
    word.lower = key.first;
    word.key = key.second;
    for (auto& [tag, phonemes] : pronunciations) word.pronunciations.push_back({tag, phonemes.first});
  }
  if (sorted.empty()) return UserLexicon();
  return UserLexicon(g2p::MakeEntries(std::move(sorted)));
}

Result<UserLexicon> UserLexicon::Load(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const auto failure = [&](ErrorCode code) { return Error(code, "lexicon: '" + path + "': " + std::strerror(errno)); };
  if (fd < 0) return failure(errno == ENOENT || errno == ENOTDIR ? ErrorCode::kNotFound : ErrorCode::kIo);
  std::string text;
  std::vector<char> block(65536);
  std::optional<Error> error;
  while (text.size() <= g2p::kMaxUserLexiconBytes) {
    const ssize_t n = read(fd, block.data(), block.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) error = failure(ErrorCode::kIo);
    if (n <= 0) break;
    text.append(block.data(), static_cast<size_t>(n));
  }
  close(fd);
  if (error) return *error;
  return Parse(text, "lexicon: " + path);
}

UserLexicon UserLexicon::Layer(std::span<const UserLexicon> lexicons) {
  std::map<std::pair<std::string_view, std::string_view>, const g2p::UserWord*> merged;
  size_t num_used = 0;
  const UserLexicon* only = nullptr;
  for (const UserLexicon& lexicon : lexicons) {
    if (lexicon.entries_ == nullptr) continue;
    ++num_used;
    only = &lexicon;
    for (const g2p::UserWord& word : lexicon.entries_->words) merged[{word.lower, word.key}] = &word;
  }
  if (num_used == 0) return UserLexicon();
  if (num_used == 1) return *only;
  std::vector<g2p::UserWord> words;
  words.reserve(merged.size());
  for (const auto& [key, word] : merged) words.push_back(*word);
  return UserLexicon(g2p::MakeEntries(std::move(words)));
}

}  // namespace koe
