// SPDX-License-Identifier: Apache-2.0
// libespeak-ng, loaded at run time.
#ifndef KOE_G2P_ESPEAK_LIBRARY_H_
#define KOE_G2P_ESPEAK_LIBRARY_H_

#include <memory>
#include <optional>
#include <string>

#include "koe/result.h"

namespace koe::g2p {

class EspeakLibrary {
 public:
  // One object for each library, however often it is opened. Names as in EspeakOptions; never empty here.
  static Result<std::shared_ptr<EspeakLibrary>> Open(const std::string& name, const std::string& data);
  // Names that are tried where the user gives none, in order.
  static const char* const* SystemNames();  // ends with nullptr

  ~EspeakLibrary();
  EspeakLibrary(const EspeakLibrary&) = delete;
  EspeakLibrary& operator=(const EspeakLibrary&) = delete;

  // IPA with stress and ^ for ties, clauses joined by spaces; nullopt: the voice is not there. Waits for other calls.
  std::optional<std::string> Phonemes(const std::string& voice, const std::string& text);
  const std::string& name() const { return name_; }
  const std::string& version() const { return version_; }

 private:
  using InitializeFunction = int(int output, int buffer_length, const char* path, int options);
  using SetVoiceFunction = int(const char* name);
  using TextToPhonemesFunction = const char*(const void** text, int text_mode, int phoneme_mode);
  using InfoFunction = const char*(const char** data_path);
  using TerminateFunction = int();

  EspeakLibrary() = default;

  std::string name_, version_, voice_;
  void* handle_ = nullptr;
  SetVoiceFunction* set_voice_ = nullptr;
  TextToPhonemesFunction* text_to_phonemes_ = nullptr;
  TerminateFunction* terminate_ = nullptr;
};

}  // namespace koe::g2p

#endif  // KOE_G2P_ESPEAK_LIBRARY_H_
