// SPDX-License-Identifier: Apache-2.0
#include "g2p/espeak_library.h"

#include <dlfcn.h>

#include <algorithm>
#include <map>
#include <mutex>

namespace koe::g2p {
namespace {

// Of espeak-ng's interface, as its documentation gives them.
constexpr int kSynchronousOutput = 2, kNoExit = 0x8000;
constexpr int kTextIsUtf8 = 1;
constexpr int kPhonemesAsIpa = 0x02, kWithTie = 0x80, kTie = '^' << 8;

struct Registry {
  std::mutex mutex;  // of the registry and, as its state is one for the process, of every call into espeak-ng
  std::map<std::string, std::weak_ptr<EspeakLibrary>> open;
};
Registry& TheRegistry() {
  static auto* registry = new Registry;  // outlives whatever is destroyed at exit
  return *registry;
}

template <typename Function>
Function* Find(void* handle, const char* name) {
  return reinterpret_cast<Function*>(dlsym(handle, name));
}

}  // namespace

const char* const* EspeakLibrary::SystemNames() {
#ifdef __APPLE__
  static constexpr const char* kNames[] = {"libespeak-ng.1.dylib", "libespeak-ng.dylib",
                                           "/opt/homebrew/lib/libespeak-ng.dylib", "/usr/local/lib/libespeak-ng.dylib",
                                           nullptr};
#else
  static constexpr const char* kNames[] = {"libespeak-ng.so.1", "libespeak-ng.so", nullptr};
#endif
  return kNames;
}

Result<std::shared_ptr<EspeakLibrary>> EspeakLibrary::Open(const std::string& name, const std::string& data) {
  Registry& registry = TheRegistry();
  const std::lock_guard<std::mutex> lock(registry.mutex);
  auto& known = registry.open[name + '\n' + data];
  if (auto library = known.lock()) return library;
  void* handle = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* why = dlerror();
    return Error(ErrorCode::kNotFound, why == nullptr ? name : why);
  }
  // Its destructor locks again, so it must not run in here.
  auto* initialize = Find<InitializeFunction>(handle, "espeak_Initialize");
  auto* info = Find<InfoFunction>(handle, "espeak_Info");
  auto* set_voice = Find<SetVoiceFunction>(handle, "espeak_SetVoiceByName");
  auto* text_to_phonemes = Find<TextToPhonemesFunction>(handle, "espeak_TextToPhonemes");
  auto* terminate = Find<TerminateFunction>(handle, "espeak_Terminate");
  if (initialize == nullptr || info == nullptr || set_voice == nullptr || text_to_phonemes == nullptr ||
      terminate == nullptr) {
    dlclose(handle);
    return Error(ErrorCode::kUnsupported, "espeak: '" + name + "': not libespeak-ng: lacks its functions");
  }
  if (initialize(kSynchronousOutput, 0, data.empty() ? nullptr : data.c_str(), kNoExit) <= 0) {
    dlclose(handle);
    return Error(ErrorCode::kUnsupported, "espeak: '" + name + "': cannot find its data" +
                                              (data.empty() ? "" : " in '" + data + "'") +
                                              "; set KOE_ESPEAK_DATA to the folder espeak-ng-data");
  }
  std::shared_ptr<EspeakLibrary> library(new EspeakLibrary);
  library->name_ = name;
  const char* version = info(nullptr);  // "1.52.0" or "1.51 (build ...)"
  library->version_ = version == nullptr ? "unknown" : version;
  library->version_.resize(std::min(library->version_.find(' '), library->version_.size()));
  library->handle_ = handle;
  library->set_voice_ = set_voice;
  library->text_to_phonemes_ = text_to_phonemes;
  library->terminate_ = terminate;
  known = library;
  return library;
}

EspeakLibrary::~EspeakLibrary() {
  const std::lock_guard<std::mutex> lock(TheRegistry().mutex);
  terminate_();
  dlclose(handle_);
}

std::optional<std::string> EspeakLibrary::Phonemes(const std::string& voice, const std::string& text) {
  const std::lock_guard<std::mutex> lock(TheRegistry().mutex);
  if (voice != voice_) {
    voice_.clear();
    if (set_voice_(voice.c_str()) != 0) return std::nullopt;
    voice_ = voice;
  }
  std::string phonemes;
  // Each call takes a clause and moves on; it must end even if a library does not move.
  const void* rest = text.c_str();
  for (size_t calls = 0; rest != nullptr && calls <= text.size(); ++calls) {
    const char* clause = text_to_phonemes_(&rest, kTextIsUtf8, kPhonemesAsIpa | kWithTie | kTie);
    if (clause == nullptr) continue;
    if (calls > 0) phonemes += ' ';
    phonemes += clause;
  }
  return phonemes;
}

}  // namespace koe::g2p
