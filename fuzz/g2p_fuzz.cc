// SPDX-License-Identifier: Apache-2.0
// Any bytes as text under any options, as a compiled lexicon and as a user's lexicon: no crash, UTF-8 out, offsets that
// ascend inside the text, phonemes of the model's vocabulary only, chunks within the limit.
//
// Byte 0 says what the rest is: 0xFF a compiled lexicon, 0xFE a user's lexicon, else text, and its bits the options:
// 1 misaki's quirks, 2 British, 4 the user's words, 8 and 16 the tagger (built-in rules, the trained one, one that is
// always wrong), 32 and 64 the fallback (spelling, the trained model, one that answers badly).
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/utf8.h"
#include "g2p/chunker.h"
#include "g2p/g2p.h"
#include "g2p/letter_to_sound/neural_fallback.h"
#include "g2p/tagger_file.h"
#include "g2p/testing/small_lexicon.h"
#include "kernels/target.h"

namespace {

using koe::Language;
using koe::g2p::EnglishG2P;
using koe::g2p::Tag;

void Check(bool holds) {
  if (!holds) std::abort();
}

// All that the front end may say by itself: phonemes, stress, marks, space. Markup and the user's words say more.
bool IsInVocabulary(char32_t c) {
  static const std::set<char32_t> symbols = [] {
    constexpr std::u32string_view kSymbols = U"AIOQTWYabdfhijklmnpstuvwzæðŋɐɑɒɔəɛɜɡɪɹʃʊʌʒʤʧˈˌːθᵊᵻ ;:,.!?—…\"“”()";
    return std::set<char32_t>(kSymbols.begin(), kSymbols.end());
  }();
  return symbols.contains(c);
}

class WrongTagger : public koe::g2p::Tagger {
 public:
  void TagTokens(std::span<koe::g2p::Token> tokens) const override {
    for (size_t i = 0; i < tokens.size(); ++i) {
      const size_t number = tokens[i].offset * 7 + tokens[i].text.size() * 13 + i;
      tokens[i].tag = static_cast<Tag>(number % (static_cast<size_t>(Tag::kGW) + 1));
    }
  }
};

class BadFallback : public koe::g2p::Fallback {
 public:
  std::optional<koe::g2p::Pronunciation> Pronounce(std::string_view text) const override {
    if (text.size() % 4 == 0) return std::nullopt;
    if (text.size() % 4 == 1) return koe::g2p::Pronunciation{"", koe::g2p::Source::kEspeak, 0};
    std::string phonemes;
    while (phonemes.size() < 20 * text.size() && phonemes.size() < 4000) phonemes += "ˈɾAʔ, ";
    return koe::g2p::Pronunciation{phonemes, koe::g2p::Source::kEspeak, 1};
  }
};

const std::string& LexiconBytes() {
  static const std::string blob = koe::g2p::SmallLexicon().value();
  return blob;
}

// Read whole; empty where it is not there.
std::string DataFile(const char* name) {
  std::ifstream file(std::string(KOE_SOURCE_DIR) + "/data/g2p/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::shared_ptr<const koe::g2p::Tagger> MakeTagger(unsigned which) {
  static const std::string bytes = DataFile("en.tagger");
  if (which == 2) return std::make_shared<WrongTagger>();
  if (which != 1 || bytes.empty()) return nullptr;
  return koe::g2p::OpenTagger(std::as_bytes(std::span(bytes))).value();
}

std::shared_ptr<const koe::g2p::Fallback> MakeFallback(unsigned which, Language language) {
  static const std::string bytes = DataFile("en.l2s");
  if (which == 2) return std::make_shared<BadFallback>();
  if (which != 1 || bytes.empty()) return nullptr;
  const koe::kernels::Target target = koe::kernels::ParseTarget("").value();
  return koe::g2p::OpenNeuralFallback(std::as_bytes(std::span(bytes)), std::as_bytes(std::span(LexiconBytes())),
                                      language, koe::kernels::KernelsFor(target))
      .value();
}

const EnglishG2P& FrontEnd(unsigned bits) {
  static std::array<std::unique_ptr<EnglishG2P>, 128> front_ends;
  std::unique_ptr<EnglishG2P>& front_end = front_ends[bits & 127];
  if (front_end) return *front_end;
  const Language language = (bits & 2) != 0 ? Language::kBritishEnglish : Language::kAmericanEnglish;
  koe::g2p::EnglishOptions options;
  options.misaki_quirks = (bits & 1) != 0;
  options.tagger = MakeTagger(bits >> 3 & 3);
  options.fallback = MakeFallback(bits >> 5 & 3, language);
  front_end = std::make_unique<EnglishG2P>(
      std::move(EnglishG2P::Open(std::as_bytes(std::span(LexiconBytes())), language, options).value()));
  return *front_end;
}

const koe::UserLexicon& UserWords() {
  static const auto lexicon =
      koe::UserLexicon::Parse("Oslo\tˈɑzlO\nread\tVBD\tɹˈɛd\nNew York\tnjˌuˈɔɹk\nC++\tsˈi\ncat\tNOUN\tkˈæt\n").value();
  return lexicon;
}

void CheckWords(const koe::g2p::PhonemeText& result, size_t text_size, bool has_user_words) {
  size_t end = 0;
  for (const koe::WordInfo& word : result.words) {
    Check(word.offset >= end);
    end = word.offset + word.length;
    Check(end <= text_size);
    Check(!koe::FindInvalidUtf8(word.text) && !koe::FindInvalidUtf8(word.phonemes));
    if (has_user_words || word.source == "markup") continue;
    for (size_t position = 0; const auto c = koe::DecodeUtf8(word.phonemes, &position);) Check(IsInVocabulary(*c));
  }
}

void FuzzText(const EnglishG2P& g2p, std::string_view text, const koe::UserLexicon* lexicon) {
  const auto* entries = lexicon != nullptr ? lexicon->entries() : nullptr;
  const auto result = g2p.Phonemize(text, nullptr, entries);
  Check(result.has_value() == !koe::FindInvalidUtf8(text).has_value());
  if (!result) return;
  Check(!koe::FindInvalidUtf8(result->phonemes));
  CheckWords(*result, text.size(), entries != nullptr);
  for (const auto& chunk : koe::g2p::ChunkKokoro(*result)) {
    Check(koe::CountCodePoints(chunk.phonemes) <= koe::kMaxPhonemesPerChunk);
  }
  for (const auto& chunk : koe::g2p::ChunkSentences(text, *result, 1)) {
    Check(koe::CountCodePoints(chunk.phonemes) <= koe::g2p::kMaxSentenceTokens - 2);
  }
  for (const auto& chunk : koe::g2p::ChunkPhonemes(text)) {
    Check(koe::CountCodePoints(chunk.phonemes) <= koe::kMaxPhonemesPerChunk);
  }
}

constexpr size_t kMaxNeuralBytes = 64;
constexpr std::string_view kPlainText =
    "Read the U.S. cats in New York, used to 5,000.5 or $1.05 in 1999: ABC's re-read C++ don't.";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] == 0xFF) {
    const auto g2p = EnglishG2P::Open(std::as_bytes(std::span(rest)), Language::kBritishEnglish);
    if (!g2p) return 0;
    const auto result = g2p->Phonemize(kPlainText);  // its phonemes are the file's
    Check(result && !koe::FindInvalidUtf8(result->phonemes));
  } else if (data[0] == 0xFE) {
    const auto lexicon = koe::UserLexicon::Parse(rest);
    if (lexicon) FuzzText(FrontEnd(0), kPlainText, &*lexicon);
  } else {
    // The trained model takes its time over every unknown word; long texts do without.
    const bool is_neural = (data[0] >> 5 & 3) == 1;
    const unsigned options = is_neural && rest.size() > kMaxNeuralBytes ? data[0] & ~0x60u : data[0];
    FuzzText(FrontEnd(options), rest, (data[0] & 4) != 0 ? &UserWords() : nullptr);
  }
  return 0;
}
