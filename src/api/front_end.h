// SPDX-License-Identifier: Apache-2.0
// A bundle's files for one language, put together.
#ifndef KOE_API_FRONT_END_H_
#define KOE_API_FRONT_END_H_

#include <memory>

#include "base/mapped_file.h"
#include "bundle/bundle.h"
#include "g2p/g2p.h"
#include "g2p/letter_to_sound/model.h"
#include "koe/koe.h"
#include "koe/result.h"

namespace koe::api {

struct FrontEndOptions {
  FrontEndOptions() = default;
  explicit FrontEndOptions(const EngineOptions& options)
      : unknown_words(options.unknown_words), misaki_quirks(options.misaki_quirks) {}
  UnknownWords unknown_words = UnknownWords::kDefault;
  bool misaki_quirks = false;
  const kernels::KernelSet* kernels = nullptr;                         // null: the best that this CPU has
  std::shared_ptr<const g2p::letter_to_sound::Model> letter_to_sound;  // of another language's front end, or null
};

// Immutable and thread-safe.
class FrontEnd {
 public:
  // The tagger is the bundle's where it has one, else the built-in rules. kNotFound: the bundle has no dictionary for
  // the language, or there is no espeak-ng; kUnsupported: the bundle has no letter-to-sound model and kNeural was asked
  // for, or espeak-ng cannot be used; kCorruptBundle, kIo.
  static Result<std::unique_ptr<const FrontEnd>> Open(const bundle::Bundle& bundle, Language language,
                                                      const FrontEndOptions& options = {});
  const g2p::EnglishG2P& g2p() const { return *g2p_; }
  // Null where it is not used.
  const std::shared_ptr<const g2p::letter_to_sound::Model>& letter_to_sound() const { return letter_to_sound_; }

 private:
  FrontEnd() = default;
  MappedFile lexicon_, tagger_;
  std::shared_ptr<const g2p::letter_to_sound::Model> letter_to_sound_;
  std::unique_ptr<const g2p::EnglishG2P> g2p_;  // views the files
};

}  // namespace koe::api

#endif  // KOE_API_FRONT_END_H_
