// SPDX-License-Identifier: Apache-2.0
// What the handles hold, and how the C structs and the C++ ones become each other.
#ifndef KOE_C_API_HANDLES_H_
#define KOE_C_API_HANDLES_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "koe/engine.h"
#include "koe/koe_c.h"

struct koe_cancel {
  koe::CancelToken token;
};
struct koe_buffer {
  std::string bytes;
};
struct koe_engine {
  koe::Engine engine;
  std::vector<koe::VoiceInfo> voices;
  koe::EngineInfo info;
};
struct koe_lexicon {
  koe::UserLexicon lexicon;
};
struct koe_audio {
  koe::Audio audio;
  std::string text;  // that was spoken: subtitles are cut from it
};
struct koe_chunk {
  const koe::ChunkPlan* plan = nullptr;    // of one of the two below, or the callback's
  const koe::AudioChunk* audio = nullptr;  // null for a plan
  std::optional<koe::AudioChunk> own_audio{};
  std::optional<koe::ChunkPlan> own_plan{};
};
struct koe_stream {
  koe::Stream stream;
};
struct koe_phonemes {
  koe::Phonemization phonemization;
};
struct koe_prepared {
  koe::Prepared prepared;
  std::string text;
};

namespace koe::c_api {

Result<SynthesisOptions> ReadSynthesisOptions(const koe_synthesis_options* given);
koe_word_time WordTimeOf(const WordTime& word);
koe_chunk_info ChunkInfoOf(const ChunkInfo& chunk);

}  // namespace koe::c_api

#endif  // KOE_C_API_HANDLES_H_
