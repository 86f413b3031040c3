// SPDX-License-Identifier: Apache-2.0
// spaCy's own part-of-speech network (tok2vec: MultiHashEmbed and MaxoutWindowEncoder; tagger: one linear layer), from
// weights that tools/convert_spacy_tagger.py takes out of a model such as en_core_web_sm.
#ifndef KOE_G2P_EN_SPACY_TAGGER_H_
#define KOE_G2P_EN_SPACY_TAGGER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/array.h"
#include "g2p/en/spacy_features.h"
#include "g2p/tagger.h"
#include "g2p/tagger_file.h"
#include "kernels/kernel_set.h"
#include "koe/result.h"

namespace koe::g2p::en {

// Immutable, thread-safe. The tag of a token depends on the whole line: 4 layers of +-1 token in the shipped models.
class SpacyTagger : public Tagger {
 public:
  // The file's bytes must outlive the tagger: the embedding tables stay there. kernels: stateless, lives as long too.
  // kCorruptBundle: a section is missing, has a wrong size or a value out of range, or a tag has no name we know.
  static Result<std::unique_ptr<SpacyTagger>> Open(const TaggerFile& file, const kernels::KernelSet& kernels);

  // The most probable tag of each token, as it comes: no rule of ours corrects it.
  void TagTokens(std::span<Token> tokens) const override;

  // Scores before the argmax, [tokens][num_tags()] row-major. Error against exact arithmetic: see spacy_tagger_test.
  std::vector<float> Logits(std::span<const Token> tokens) const;
  size_t num_tags() const { return tags_.size(); }
  Tag tag(size_t index) const { return tags_[index]; }

 private:
  // y = layer_norm(max over pieces (x W + b)) * gain + shift
  struct Maxout {
    size_t in = 0;
    AlignedBuffer<float> packed;  // columns [piece][out], so that the maximum runs over contiguous blocks
    AlignedBuffer<float> bias;
    std::span<const float> gain, shift;
  };
  struct Embedding {
    SpacyAttribute attribute;
    uint32_t rows;
    uint32_t seed;
    std::span<const float> table;  // [rows][width]
  };

  explicit SpacyTagger(const kernels::KernelSet& kernels) : kernels_(kernels) {}
  Maxout MakeMaxout(std::span<const float> weight, std::span<const float> bias, size_t in) const;
  // src rows may overlap each other (src_stride < in); scratch: [rows][pieces * width].
  void RunMaxout(const Maxout& layer, const float* src, size_t src_stride, size_t rows, float* scratch,
                 float* dst) const;
  // [tokens][width], without the padding.
  std::vector<float> Encode(std::span<const Token> tokens) const;

  const kernels::KernelSet& kernels_;
  SpacyStrings strings_;
  size_t width_ = 0, pieces_ = 0, window_ = 0;
  std::vector<Embedding> embeddings_;
  Maxout mix_;
  std::vector<Maxout> layers_;
  AlignedBuffer<float> output_;
  AlignedBuffer<float> output_bias_;
  std::vector<Tag> tags_;
};

}  // namespace koe::g2p::en

#endif  // KOE_G2P_EN_SPACY_TAGGER_H_
