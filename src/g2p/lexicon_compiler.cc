// SPDX-License-Identifier: Apache-2.0
// Writes the file that lexicon.cc reads; the form is in docs/lexicon_format.md.
#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "g2p/lexicon.h"
#include "g2p/lexicon_format.h"

namespace koe::g2p {
namespace {

namespace format = lexicon_format;

constexpr size_t kFirstPairCandidate = 2;  // a pair that occurs once saves nothing

struct Value {
  bool is_silver;
  std::string phonemes;
  std::vector<std::pair<std::string, std::optional<std::string>>> variants;  // nullopt: null in the dictionary
};
using Dictionary = std::map<std::string, Value>;  // by key, in byte order

Error Invalid(const std::string& what) { return Error(ErrorCode::kInvalidArgument, "lexicon: " + what); }

bool IsValidKey(const std::string& key) {
  return !key.empty() && key.size() <= format::kMaxKeyBytes &&
         std::all_of(key.begin(), key.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

Result<void> ReadDictionary(const std::string& json_text, bool is_silver, Dictionary* dictionary) {
  const auto json = nlohmann::json::parse(json_text, nullptr, /*allow_exceptions=*/false);
  const std::string tier = is_silver ? "silver" : "gold";
  if (!json.is_object()) return Invalid(tier + ": not a JSON object");
  for (const auto& [key, entry] : json.items()) {
    if (!IsValidKey(key))
      return Invalid(tier + ": key \"" + key + "\": not 1.." + std::to_string(format::kMaxKeyBytes) +
                     " visible ASCII characters");
    Value value{is_silver, {}, {}};
    const auto check = [](const std::string& phonemes) {
      return CountCodePoints(phonemes) <= format::kMaxPhonemeCodes && !FindInvalidUtf8(phonemes);
    };
    if (entry.is_string()) {
      value.phonemes = entry.get<std::string>();
      if (!check(value.phonemes)) return Invalid(tier + ": " + key + ": phonemes too long");
    } else if (entry.is_object() && entry.contains("DEFAULT") && entry["DEFAULT"].is_string()) {
      value.phonemes = entry["DEFAULT"].get<std::string>();
      for (const auto& [tag, phonemes] : entry.items()) {
        if (tag == "DEFAULT") continue;
        if (tag.empty() || tag.size() > format::kTagBytes || (!phonemes.is_string() && !phonemes.is_null()) ||
            (phonemes.is_string() && !check(phonemes.get<std::string>()))) {
          return Invalid(tier + ": " + key + ": variant \"" + tag + "\"");
        }
        value.variants.emplace_back(
            tag, phonemes.is_null() ? std::nullopt : std::optional<std::string>(phonemes.get<std::string>()));
      }
      if (!check(value.phonemes) || value.variants.size() > 255) return Invalid(tier + ": " + key + ": too long");
    } else {
      return Invalid(tier + ": " + key + ": neither phonemes nor an object with DEFAULT");
    }
    dictionary->emplace(key, std::move(value));  // gold is read first and stays
  }
  return {};
}

// One code per symbol, then one code for each of the most frequent pairs: a third fewer bytes than one code per symbol.
class PhonemeCoder {
 public:
  static Result<PhonemeCoder> Build(const Dictionary& dictionary) {
    PhonemeCoder coder;
    std::map<char32_t, size_t> index;
    const auto for_each_string = [&](auto&& visit) {
      for (const auto& [key, value] : dictionary) {
        visit(value.phonemes);
        for (const auto& [tag, phonemes] : value.variants) {
          if (phonemes) visit(*phonemes);
        }
      }
    };
    for_each_string([&](const std::string& s) {
      for (size_t position = 0; const auto c = DecodeUtf8(s, &position);) index.emplace(*c, 0);
    });
    if (index.size() > format::kMaxCodes || index.contains(U'\0')) return Invalid("more symbols than codes");
    for (auto& [c, code] : index) {
      code = coder.symbols_.size();
      coder.symbols_.push_back(c);
    }
    const size_t n = coder.symbols_.size();
    std::vector<size_t> counts(n * n);
    for_each_string([&](const std::string& s) {
      size_t before = n;
      for (size_t position = 0; const auto c = DecodeUtf8(s, &position);) {
        const size_t code = index[*c];
        if (before < n) ++counts[before * n + code];
        before = code;
      }
    });
    std::vector<size_t> order;
    for (size_t pair = 0; pair < n * n; ++pair) {
      if (counts[pair] >= kFirstPairCandidate) order.push_back(pair);
    }
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return counts[a] > counts[b]; });
    order.resize(std::min(order.size(), format::kMaxCodes - n));
    coder.pair_codes_.assign(n * n, 0);
    for (const size_t pair : order) {
      coder.pair_codes_[pair] = n + coder.pairs_.size();
      coder.pairs_.emplace_back(pair / n, pair % n);
    }
    return coder;
  }

  // The shortest sequence of codes for phonemes (dynamic programming from the end; ties: the pair).
  std::string Encode(const std::string& phonemes) const {
    std::vector<size_t> codes;
    for (size_t position = 0; const auto c = DecodeUtf8(phonemes, &position);) {
      codes.push_back(static_cast<size_t>(std::lower_bound(symbols_.begin(), symbols_.end(), *c) - symbols_.begin()));
    }
    const size_t n = symbols_.size();
    std::vector<size_t> cost(codes.size() + 2, 0);
    for (size_t i = codes.size(); i-- > 0;) {
      cost[i] = 1 + cost[i + 1];
      if (PairAt(codes, i, n) != 0) cost[i] = std::min(cost[i], 1 + cost[i + 2]);
    }
    std::string out;
    for (size_t i = 0; i < codes.size();) {
      const size_t pair = PairAt(codes, i, n);
      const bool takes_pair = pair != 0 && cost[i] == 1 + cost[i + 2];
      out.push_back(static_cast<char>(takes_pair ? pair : codes[i]));
      i += takes_pair ? 2 : 1;
    }
    return out;
  }

  const std::vector<char32_t>& symbols() const { return symbols_; }
  const std::vector<std::pair<size_t, size_t>>& pairs() const { return pairs_; }

 private:
  size_t PairAt(const std::vector<size_t>& codes, size_t i, size_t n) const {
    return i + 1 < codes.size() ? pair_codes_[codes[i] * n + codes[i + 1]] : 0;
  }

  std::vector<char32_t> symbols_;                 // ascending
  std::vector<std::pair<size_t, size_t>> pairs_;  // symbol codes
  std::vector<size_t> pair_codes_;                // by first * symbols + second; 0: none (a pair's code is never 0)
};

void AppendU32(size_t value, std::string* out) {
  for (int shift = 0; shift < 32; shift += 8) out->push_back(static_cast<char>(value >> shift & 0xFF));
}

void AppendEntry(const std::string& key, const std::string& before, const Value& value, const PhonemeCoder& coder,
                 const std::vector<std::string>& tags, std::string* out) {
  const auto shared = std::min<size_t>(
      15, static_cast<size_t>(std::mismatch(key.begin(), key.end(), before.begin(), before.end()).first - key.begin()));
  const size_t suffix = key.size() - shared;
  out->push_back(static_cast<char>(shared << 4 | std::min<size_t>(suffix, format::kLongKey)));
  if (suffix >= format::kLongKey) out->push_back(static_cast<char>(suffix));
  out->append(key, shared);
  const std::string codes = coder.Encode(value.phonemes);
  const unsigned flags =
      (value.is_silver ? format::kSilverFlag : 0) | (value.variants.empty() ? 0 : format::kVariantsFlag);
  out->push_back(static_cast<char>(flags | std::min<size_t>(codes.size(), format::kLongValue)));
  if (codes.size() >= format::kLongValue) out->push_back(static_cast<char>(codes.size()));
  *out += codes;
  if (value.variants.empty()) return;
  out->push_back(static_cast<char>(value.variants.size()));
  for (const auto& [tag, phonemes] : value.variants) {
    out->push_back(static_cast<char>(std::find(tags.begin(), tags.end(), tag) - tags.begin()));
    const std::string variant = phonemes ? coder.Encode(*phonemes) : std::string();
    out->push_back(static_cast<char>(phonemes ? variant.size() : format::kNullLength));
    *out += variant;
  }
}

}  // namespace

Result<std::string> CompileLexicon(const std::string& gold_json, const std::string& silver_json) {
  Dictionary dictionary;
  KOE_CHECK_OK(ReadDictionary(gold_json, false, &dictionary));
  KOE_CHECK_OK(ReadDictionary(silver_json, true, &dictionary));
  KOE_TRY(const PhonemeCoder coder, PhonemeCoder::Build(dictionary));

  std::vector<std::string> tags;
  for (const auto& [key, value] : dictionary) {
    for (const auto& [tag, phonemes] : value.variants) {
      if (std::find(tags.begin(), tags.end(), tag) == tags.end()) tags.push_back(tag);
    }
  }
  std::sort(tags.begin(), tags.end());
  if (tags.size() > format::kMaxTags) return Invalid("more than " + std::to_string(format::kMaxTags) + " tags");

  std::string keys;
  std::vector<size_t> block_offsets;
  std::string prefixes, before;
  size_t longest_key = 0;
  size_t index = 0;
  for (const auto& [key, value] : dictionary) {
    if (index++ % format::kKeysPerBlock == 0) {
      block_offsets.push_back(keys.size());
      prefixes += (key + std::string(format::kPrefixBytes, '\0')).substr(0, format::kPrefixBytes);
      before.clear();
    }
    AppendEntry(key, before, value, coder, tags, &keys);
    before = key;
    longest_key = std::max(longest_key, key.size());
  }
  block_offsets.push_back(keys.size());

  std::array<size_t, format::kNumHeaderWords> words{};
  words[format::kVersionWord] = format::kVersion;
  words[format::kNumKeys] = dictionary.size();
  words[format::kNumBlocks] = block_offsets.size() - 1;
  words[format::kNumSymbols] = coder.symbols().size();
  words[format::kNumPairs] = coder.pairs().size();
  words[format::kNumTags] = tags.size();
  words[format::kMaxKeyWord] = longest_key;
  std::string tables;
  const auto start = [&](format::HeaderWord word) { words[word] = format::kHeaderBytes + tables.size(); };
  start(format::kSymbolsOffset);
  for (const char32_t c : coder.symbols()) AppendU32(c, &tables);
  start(format::kTagsOffset);
  for (const std::string& tag : tags) tables += tag + std::string(format::kTagBytes - tag.size(), '\0');
  start(format::kPrefixesOffset);
  tables += prefixes;
  start(format::kBlocksOffset);
  for (const size_t offset : block_offsets) AppendU32(offset, &tables);
  start(format::kPairsOffset);
  for (const auto& [first, second] : coder.pairs()) {
    tables.push_back(static_cast<char>(first));
    tables.push_back(static_cast<char>(second));
  }
  start(format::kKeysOffset);
  words[format::kFileBytes] = format::kHeaderBytes + tables.size() + keys.size();
  if (words[format::kFileBytes] > UINT32_MAX) return Invalid("larger than 4 GiB");

  std::string file(format::kMagic, sizeof(format::kMagic));
  for (const size_t word : words) AppendU32(word, &file);
  return file + tables + keys;
}

}  // namespace koe::g2p
