// SPDX-License-Identifier: Apache-2.0
#include "g2p/en/tagger_dictionary.h"

#include <algorithm>
#include <bit>
#include <string>
#include <string_view>

#include "g2p/en/perceptron_format.h"
#include "g2p/en/rule_tagger.h"

namespace koe::g2p::en {
namespace {

namespace format = perceptron_format;

Error Corrupt(const std::string& why) { return Error(ErrorCode::kCorruptBundle, "tagger: " + why); }

}  // namespace

Result<TaggerDictionary> TaggerDictionary::Open(const TaggerFile& file) {
  TaggerDictionary dictionary;
  KOE_TRY(const auto settings, file.Array<uint32_t>(format::kSettings, 1));
  if (settings[0] != kFeatureVersion) {
    return Error(ErrorCode::kUnsupported,
                 "tagger: features " + std::to_string(settings[0]) + ", expected " + std::to_string(kFeatureVersion));
  }
  KOE_TRY(const auto names, file.Array<char>(format::kTags));
  const size_t num_tags = names.size() / format::kTagBytes;
  if (num_tags == 0 || num_tags > format::kMaxTags || names.size() % format::kTagBytes != 0) return Corrupt("tags");
  for (size_t i = 0; i < num_tags; ++i) {
    std::string_view name(names.data() + i * format::kTagBytes, format::kTagBytes);
    name = name.substr(0, std::min(name.find('\0'), name.size()));
    const auto tag = ParseTag(name);
    if (!tag || *tag == Tag::kNone) return Corrupt("unknown tag");
    dictionary.tags_.push_back(*tag);
  }
  KOE_TRY(dictionary.words_, file.Array<uint32_t>(format::kWords));
  if (!std::has_single_bit(dictionary.words_.size())) return Corrupt("words: not a power of two");
  KOE_TRY(dictionary.classes_, file.Array<uint8_t>(format::kClasses));
  return dictionary;
}

std::optional<uint16_t> TaggerDictionary::Find(uint64_t key) const {
  const size_t mask = words_.size() - 1;
  for (size_t probe = 0; probe < format::kMaxProbes; ++probe) {
    const uint32_t entry = words_[(key + probe) & mask];
    if (entry == format::kEmpty) break;
    if (entry >> 16 == format::WordCheck(key)) return static_cast<uint16_t>(entry);
  }
  return std::nullopt;
}

TokenForm TaggerDictionary::Describe(std::span<const Token> tokens, size_t i, State* state) const {
  if (i >= state->sentence_end) state->is_shouted = IsShouted(tokens, i, &state->sentence_end);
  TokenForm form = DescribeToken(tokens[i].text);
  if (state->is_shouted && tokens[i].text != "I") form.casing = Casing::kLower;
  if (const Tag shape = TagByShape(tokens, i, &state->inside_quote); shape != Tag::kNone) {
    form.fixed = shape;
    form.word_class = ClassOfShape(shape);
    return form;
  }
  auto found = Find(DictionaryKey(form.word, form.casing));
  if (found) {
    const size_t word_class = *found & format::kClassMask;
    if (word_class < classes_.size() && classes_[word_class] < tags_.size()) form.fixed = tags_[classes_[word_class]];
  } else if (form.casing != Casing::kLower) {  // as at the start of a sentence or in a headline
    found = Find(DictionaryKey(form.word, Casing::kLower));
  }
  form.word_class = found ? *found & format::kClassMask : GuessClass(form);
  if (!found || (*found & format::kAnonymous) != 0) form.word = kUnknownWord;
  return form;
}

}  // namespace koe::g2p::en
