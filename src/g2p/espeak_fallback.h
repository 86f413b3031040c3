// SPDX-License-Identifier: Apache-2.0
// Unknown words by the user's own espeak-ng, as misaki's EspeakFallback (0.9.4) reads it. The library is GPL: it is
// neither linked nor needed, but looked for when the user asks, and used through five functions whose prototypes are
// written here from its documentation.
#ifndef KOE_G2P_ESPEAK_FALLBACK_H_
#define KOE_G2P_ESPEAK_FALLBACK_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "g2p/fallback.h"
#include "koe/koe.h"
#include "koe/result.h"

namespace koe::g2p {

class EspeakLibrary;

struct EspeakOptions {
  std::string library;         // ""; $KOE_ESPEAK_LIBRARY, else the system's libespeak-ng.so.1 and the like
  std::string data;            // "": $KOE_ESPEAK_DATA, else the library's own; the folder espeak-ng-data or its parent
  bool misaki_quirks = false;  // British "e^ə" stays "Aə" and "i^ə" stays "iə", as in misaki
};

// Thread-safe: espeak-ng keeps one voice for the whole process, so that calls wait for each other.
class EspeakFallback : public Fallback {
 public:
  // kNotFound names every place that was looked at, kUnsupported a library that is not espeak-ng, has no English voice
  // or no data.
  static Result<std::unique_ptr<EspeakFallback>> Open(Language language, const EspeakOptions& options = {});
  std::optional<Pronunciation> Pronounce(std::string_view text) const override;

  // "1.52.0", and the library's name as it was opened.
  const std::string& version() const;
  const std::string& library() const;

 private:
  EspeakFallback(std::shared_ptr<EspeakLibrary> library, Language language, bool misaki_quirks)
      : library_(std::move(library)), british_(language == Language::kBritishEnglish), misaki_quirks_(misaki_quirks) {}
  std::shared_ptr<EspeakLibrary> library_;
  bool british_;
  bool misaki_quirks_;
};

// misaki's replacements: espeak-ng's IPA with ^ for ties to Kokoro's symbols. Exposed for tests.
std::string KokoroFromEspeak(std::string ipa, bool british, bool misaki_quirks);

}  // namespace koe::g2p

#endif  // KOE_G2P_ESPEAK_FALLBACK_H_
