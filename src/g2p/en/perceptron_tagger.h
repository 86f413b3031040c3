// SPDX-License-Identifier: Apache-2.0
// An averaged perceptron (Collins 2002) over hashed features, trained by tools/train_tagger.
#ifndef KOE_G2P_EN_PERCEPTRON_TAGGER_H_
#define KOE_G2P_EN_PERCEPTRON_TAGGER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "g2p/en/grammar_rules.h"
#include "g2p/en/tagger_dictionary.h"
#include "g2p/en/tagger_features.h"
#include "g2p/tagger.h"
#include "g2p/tagger_file.h"
#include "koe/result.h"

namespace koe::g2p::en {

// Calls choose(window) -> Tag for every token whose tag is not certain, from left to right; tags[i] gets the tags.
// The trainer goes through a sentence in the same way.
template <typename FormAt, typename Choose, typename Emit>
void TagLeftToRight(size_t num_tokens, const FormAt& form_at, const Choose& choose, const Emit& emit) {
  TokenForm ring[5];  // tokens i - 2 to i + 2
  for (TokenForm& form : ring) form = kOutside;
  if (num_tokens > 0) ring[0] = form_at(0);
  if (num_tokens > 1) ring[1] = form_at(1);
  TagHistory history;
  for (size_t i = 0; i < num_tokens; ++i) {
    ring[(i + 2) % 5] = i + 2 < num_tokens ? form_at(i + 2) : kOutside;
    const TokenForm& form = ring[i % 5];
    Tag tag = form.fixed;
    if (tag == Tag::kNone) {
      const FeatureWindow window = {&ring[(i + 3) % 5], &ring[(i + 4) % 5], &form,
                                    &ring[(i + 1) % 5], &ring[(i + 2) % 5], history.tag1,
                                    history.tag2,       history.verb,       history.is_first};
      tag = TagByGrammar(window);
      if (tag == Tag::kNone) tag = choose(i, window);
    }
    emit(i, tag);
    history.Push(tag);
  }
}

// Tags from left to right: what a token's shape decides first (TagByShape), words that only ever had one tag next, and
// for the rest the tag with the highest sum of weights. Reads the file where it lies, and nothing of it is believed
// without a bound, so that a damaged file gives wrong tags at worst. Linear, no allocation.
class PerceptronTagger : public Tagger {
 public:
  // The file's bytes must outlive the tagger. kCorruptBundle; kUnsupported: other features than this build's.
  static Result<std::unique_ptr<Tagger>> Open(const TaggerFile& file);
  void TagTokens(std::span<Token> tokens) const override;

 private:
  explicit PerceptronTagger(TaggerDictionary dictionary) : dictionary_(std::move(dictionary)) {}
  Tag BestTag(const Features& features, uint64_t forbidden) const;

  TaggerDictionary dictionary_;
  std::span<const uint32_t> slots_;
  std::span<const uint8_t> weights_;
};

}  // namespace koe::g2p::en

#endif  // KOE_G2P_EN_PERCEPTRON_TAGGER_H_
