// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "koe/koe.h"

// from_cxx BUNDLE OUT.wav
int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const auto engine = koe::Engine::Open(argv[1], {});
  if (!engine) {
    std::fprintf(stderr, "%s\n", engine.error().message().c_str());
    return engine.error().code() == koe::ErrorCode::kNotFound ? 4 : 70;
  }
  const auto audio = engine->Synthesize("Hello.", {});
  return audio && koe::WriteAudio(audio->samples, argv[2], koe::AudioFormat::kWav) ? 0 : 1;
}
