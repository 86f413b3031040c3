// SPDX-License-Identifier: Apache-2.0
// The built-in fallback for words that no dictionary has: the letter-to-sound model, with rules around it for what is
// no plain word (docs/letter_to_sound.md).
#ifndef KOE_G2P_LETTER_TO_SOUND_NEURAL_FALLBACK_H_
#define KOE_G2P_LETTER_TO_SOUND_NEURAL_FALLBACK_H_

#include <cstddef>
#include <memory>
#include <span>

#include "g2p/fallback.h"
#include "g2p/letter_to_sound/model.h"
#include "koe/koe.h"
#include "koe/result.h"

namespace koe::g2p {

// lexicon: the compiled dictionary of the same accent, which must outlive the fallback; parts of a word that it has
// sound as it says. Fallbacks of both accents may share one model. kCorruptBundle: the lexicon.
Result<std::unique_ptr<Fallback>> MakeNeuralFallback(std::shared_ptr<const letter_to_sound::Model> model,
                                                     std::span<const std::byte> lexicon, Language language);

// The same with a model of its own. Copies the weights. Also the errors of Model::Open.
Result<std::unique_ptr<Fallback>> OpenNeuralFallback(std::span<const std::byte> weights,
                                                     std::span<const std::byte> lexicon, Language language,
                                                     const kernels::KernelSet& kernels);

}  // namespace koe::g2p

#endif  // KOE_G2P_LETTER_TO_SOUND_NEURAL_FALLBACK_H_
