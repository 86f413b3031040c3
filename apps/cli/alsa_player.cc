// SPDX-License-Identifier: Apache-2.0
// ALSA's library, loaded when it is asked for. The few functions are declared here as alsa-lib 1 documents them: a
// stable binary interface, and no package is needed to build.
#include <dlfcn.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include "player.h"

namespace koe::cli {
namespace {

constexpr int kPlayback = 0, kS16LittleEndian = 2, kInterleaved = 3;
// How much the device holds: what a late chunk may take, and what is heard after Ctrl-C at most.
constexpr unsigned kLatencyUs = 200000;
constexpr size_t kFrameBytes = 2;
constexpr size_t kPieceFrames = kSampleRateHz / 20;  // between looks at the token: 50 ms

struct Pcm;
using ErrorHandler = void (*)(const char*, int, const char*, int, const char*, ...);

struct Alsa {
  int (*open)(Pcm**, const char*, int, int) = nullptr;
  int (*set_params)(Pcm*, int, int, unsigned, unsigned, int, unsigned) = nullptr;
  long (*writei)(Pcm*, const void*, unsigned long) = nullptr;  // NOLINT(google-runtime-int): ALSA's types
  int (*recover)(Pcm*, int, int) = nullptr;
  int (*drain)(Pcm*) = nullptr;
  int (*drop)(Pcm*) = nullptr;
  int (*close)(Pcm*) = nullptr;
  const char* (*strerror)(int) = nullptr;
  int (*set_error_handler)(ErrorHandler) = nullptr;
};

template <typename Function>
bool Find(void* library, const char* name, Function* function) {
  *function = reinterpret_cast<Function>(dlsym(library, name));
  return *function != nullptr;
}

// The library stays loaded: it is one for the process.
Result<Alsa> Load(const char* name) {
  void* library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return Error(ErrorCode::kUnsupported, std::string(name) + ": cannot be loaded");
  Alsa alsa;
  const bool found = Find(library, "snd_pcm_open", &alsa.open) &&
                     Find(library, "snd_pcm_set_params", &alsa.set_params) &&
                     Find(library, "snd_pcm_writei", &alsa.writei) && Find(library, "snd_pcm_recover", &alsa.recover) &&
                     Find(library, "snd_pcm_drain", &alsa.drain) && Find(library, "snd_pcm_drop", &alsa.drop) &&
                     Find(library, "snd_pcm_close", &alsa.close) && Find(library, "snd_strerror", &alsa.strerror) &&
                     Find(library, "snd_lib_error_set_handler", &alsa.set_error_handler);
  if (!found) return Error(ErrorCode::kUnsupported, std::string(name) + ": not ALSA's library");
  return alsa;
}

void Silent(const char*, int, const char*, int, const char*, ...) {}  // the caller gets the error itself

class AlsaPlayer final : public Player {
 public:
  AlsaPlayer(const Alsa& alsa, Pcm* pcm) : alsa_(alsa), pcm_(pcm) {}
  ~AlsaPlayer() override {
    if (pcm_ == nullptr) return;
    alsa_.drop(pcm_);
    alsa_.close(pcm_);
  }
  AlsaPlayer(const AlsaPlayer&) = delete;
  AlsaPlayer& operator=(const AlsaPlayer&) = delete;

  Result<void> Write(std::string_view samples, const CancelToken& cancel) override {
    size_t frames = samples.size() / kFrameBytes;
    const char* at = samples.data();
    while (frames > 0) {
      if (cancel.IsCancelled()) return Error(ErrorCode::kCancelled, "interrupted: the speech was cut short");
      const long written = alsa_.writei(pcm_, at, std::min(frames, kPieceFrames));  // NOLINT(google-runtime-int)
      if (written >= 0) {
        frames -= static_cast<size_t>(written);
        at += static_cast<size_t>(written) * kFrameBytes;
        continue;
      }
      // The chunk came later than the device waited (EPIPE), or the machine slept (ESTRPIPE): it goes on.
      const auto error = static_cast<int>(written);
      if (const int failed = alsa_.recover(pcm_, error, /*silent=*/1); failed < 0 && error != -EINTR) {
        return Failed(failed);
      }
    }
    return {};
  }

  Result<void> Finish(const CancelToken& cancel) override {
    if (cancel.IsCancelled()) return Error(ErrorCode::kCancelled, "interrupted: the speech was cut short");
    const int drained = alsa_.drain(pcm_);
    alsa_.close(std::exchange(pcm_, nullptr));
    if (drained < 0) return Failed(drained);
    return {};
  }

 private:
  Error Failed(int error) const { return Error(ErrorCode::kIo, std::string("player: ALSA: ") + alsa_.strerror(error)); }

  const Alsa alsa_;
  Pcm* pcm_;
};

}  // namespace

Result<std::unique_ptr<Player>> OpenAlsaPlayer(const char* library, const char* device) {
  KOE_TRY(const Alsa alsa, Load(library));
  alsa.set_error_handler(&Silent);
  Pcm* pcm = nullptr;
  int error = alsa.open(&pcm, device, kPlayback, /*mode=*/0);
  if (error >= 0) {
    error = alsa.set_params(pcm, kS16LittleEndian, kInterleaved, 1, kSampleRateHz, /*soft_resample=*/1, kLatencyUs);
    if (error < 0) alsa.close(pcm);
  }
  if (error < 0) {
    return Error(ErrorCode::kUnsupported, std::string("ALSA device '") + device + "': " + alsa.strerror(error));
  }
  return std::unique_ptr<Player>(std::make_unique<AlsaPlayer>(alsa, pcm));
}

}  // namespace koe::cli
