// SPDX-License-Identifier: Apache-2.0
#include "stages/tokens/tokens.h"

#include <string>
#include <utility>

#include "base/utf8.h"

namespace koe::stages {
namespace {

class TokensCpu final : public Tokens {
 public:
  explicit TokensCpu(VocabularyLookup vocabulary) : vocabulary_(std::move(vocabulary)) {}

  Result<Output> Run(const Input& input, const StageContext&) const override {
    Output output;
    output.token_ids.push_back(kBoundaryToken);
    size_t position = 0;
    while (position < input.phonemes.size()) {
      const auto symbol = DecodeUtf8(input.phonemes, &position);
      if (!symbol) {
        return Error(ErrorCode::kInvalidArgument, "phonemes: byte " + std::to_string(position) + ": not valid UTF-8");
      }
      if (++output.num_symbols > kMaxSymbols) {
        return Error(ErrorCode::kTooLong, "phonemes: " + std::to_string(CountCodePoints(input.phonemes)) +
                                              " symbols: a chunk takes at most " + std::to_string(kMaxSymbols));
      }
      if (const auto id = vocabulary_(*symbol)) {
        output.token_ids.push_back(*id);
      } else {
        ++output.dropped_symbols;
      }
    }
    output.token_ids.push_back(kBoundaryToken);
    if (output.token_ids.size() == 2) {
      return Error(ErrorCode::kInvalidArgument,
                   output.num_symbols == 0
                       ? "phonemes: empty: there is nothing to speak"
                       : "phonemes: '" + std::string(input.phonemes) + "': no symbol is in the model's vocabulary");
    }
    return output;
  }

 private:
  VocabularyLookup vocabulary_;
};

}  // namespace

std::unique_ptr<Tokens> MakeTokensCpu(VocabularyLookup vocabulary) {
  return std::make_unique<TokensCpu>(std::move(vocabulary));
}

}  // namespace koe::stages
