// SPDX-License-Identifier: Apache-2.0
// Koe: text to speech with Kokoro-82M. Text in, 24 kHz mono float PCM out.
//
//   auto engine = koe::Engine::Open("models/kokoro-82m", {});
//   if (!engine) { use(engine.error().message()); }
//   auto audio = engine->Synthesize("Hello world.", {});
//   if (audio) { auto written = koe::WriteAudio(audio->samples, "hello.wav", koe::AudioFormat::kWav); }
//
// Conventions: text is UTF-8; offsets are bytes into the caller's text; samples are float, 24,000 a second, nominally
// within [-1, 1] and never clipped here; every fallible function returns Result and nothing throws.
// This header is all of them; a program may include only those that it needs.
#ifndef KOE_KOE_H_
#define KOE_KOE_H_

#include "koe/audio_file.h"  // IWYU pragma: export
#include "koe/bundle.h"      // IWYU pragma: export
#include "koe/common.h"      // IWYU pragma: export
#include "koe/engine.h"      // IWYU pragma: export
#include "koe/result.h"      // IWYU pragma: export
#include "koe/speech.h"      // IWYU pragma: export
#include "koe/stream.h"      // IWYU pragma: export
#include "koe/text.h"        // IWYU pragma: export
#include "koe/times.h"       // IWYU pragma: export

#endif  // KOE_KOE_H_
