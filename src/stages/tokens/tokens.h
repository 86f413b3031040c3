// SPDX-License-Identifier: Apache-2.0
// Stage 1: a string of phoneme symbols -> token ids with a boundary token at both ends.
#ifndef KOE_STAGES_TOKENS_TOKENS_H_
#define KOE_STAGES_TOKENS_TOKENS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "stages/stage.h"

namespace koe::stages {

class Tokens {
 public:
  struct Input {
    std::string_view phonemes;  // UTF-8, one symbol a code point, at most 510
  };
  struct Output {
    std::vector<int32_t> token_ids;  // [T], 0 at both ends
    size_t num_symbols = 0;          // code points of the input: chooses the voice's row (num_symbols - 1)
    size_t dropped_symbols = 0;      // code points that the vocabulary lacks
  };
  static constexpr size_t kMaxSymbols = 510;  // ALBERT has 512 positions
  static constexpr int32_t kBoundaryToken = 0;

  virtual ~Tokens() = default;
  // kInvalidArgument: not UTF-8, no symbol at all, or none in the vocabulary. kTooLong: over kMaxSymbols.
  virtual Result<Output> Run(const Input& input, const StageContext& context) const = 0;
};

// Looks a code point up; nullopt where the vocabulary lacks it.
using VocabularyLookup = std::function<std::optional<int32_t>(char32_t)>;
std::unique_ptr<Tokens> MakeTokensCpu(VocabularyLookup vocabulary);

}  // namespace koe::stages

#endif  // KOE_STAGES_TOKENS_TOKENS_H_
