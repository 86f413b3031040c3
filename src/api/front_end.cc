// SPDX-License-Identifier: Apache-2.0
#include "api/front_end.h"

#include <utility>

#include "g2p/cached_fallback.h"
#include "g2p/espeak_fallback.h"
#include "g2p/letter_to_sound/neural_fallback.h"
#include "g2p/tagger_file.h"

namespace koe::api {

Result<std::unique_ptr<const FrontEnd>> FrontEnd::Open(const bundle::Bundle& bundle, Language language,
                                                       const FrontEndOptions& options) {
  std::unique_ptr<FrontEnd> front_end(new FrontEnd());
  KOE_TRY(front_end->lexicon_, bundle.OpenLexicon(language));
  const std::span<const std::byte> lexicon = front_end->lexicon_.bytes();
  g2p::EnglishOptions g2p_options;
  g2p_options.misaki_quirks = options.misaki_quirks;
  if (bundle.HasFile(bundle::kTaggerPath)) {
    KOE_TRY(front_end->tagger_, bundle.OpenFile(bundle::kTaggerPath));
    auto tagger = g2p::OpenTagger(front_end->tagger_.bytes());
    if (!tagger) return tagger.error().WithContext(bundle::kTaggerPath);
    g2p_options.tagger = std::move(*tagger);
  }
  if (options.unknown_words == UnknownWords::kEspeak) {
    g2p::EspeakOptions espeak;
    espeak.misaki_quirks = options.misaki_quirks;
    KOE_TRY(g2p_options.fallback, g2p::EspeakFallback::Open(language, espeak));
  } else if (options.unknown_words == UnknownWords::kNeural && !bundle.HasFile(bundle::kLetterToSoundPath)) {
    return Error(ErrorCode::kUnsupported, "unknown words: neural: this bundle has no letter-to-sound model");
  } else if (options.unknown_words != UnknownWords::kSpell && bundle.HasFile(bundle::kLetterToSoundPath)) {
    front_end->letter_to_sound_ = options.letter_to_sound;
    if (front_end->letter_to_sound_ == nullptr) {
      KOE_TRY(const MappedFile weights, bundle.OpenFile(bundle::kLetterToSoundPath));
      KOE_TRY(const kernels::Target target, kernels::ParseTarget(""));
      const kernels::KernelSet& kernels = options.kernels != nullptr ? *options.kernels : kernels::KernelsFor(target);
      auto model = g2p::letter_to_sound::Model::Open(weights.bytes(), kernels);
      if (!model) return model.error().WithContext(bundle::kLetterToSoundPath);
      front_end->letter_to_sound_ = std::move(*model);
    }
    KOE_TRY(g2p_options.fallback, g2p::MakeNeuralFallback(front_end->letter_to_sound_, lexicon, language));
  }
  // Either takes far longer than all the rest of a word.
  if (g2p_options.fallback) g2p_options.fallback = std::make_shared<g2p::CachedFallback>(g2p_options.fallback);
  KOE_TRY(g2p::EnglishG2P g2p, g2p::EnglishG2P::Open(lexicon, language, g2p_options));
  front_end->g2p_ = std::make_unique<const g2p::EnglishG2P>(std::move(g2p));
  return std::unique_ptr<const FrontEnd>(std::move(front_end));
}

}  // namespace koe::api
