// SPDX-License-Identifier: Apache-2.0
// Audio while it is made. Made by Engine::OpenStream:
//
//   auto stream = engine.OpenStream(text, options);
//   while (true) {
//     auto next = stream->Next();
//     if (!next || !*next) break;  // an error; the end
//     play((*next)->samples);
//   }
//
// The samples of all chunks, one after the other, are bit for bit those of Engine::Synthesize with the same options.
#ifndef KOE_STREAM_H_
#define KOE_STREAM_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "koe/common.h"
#include "koe/result.h"
#include "koe/speech.h"
#include "koe/times.h"

namespace koe {

struct StreamOptions {
  // How much audio is made ahead of what Next has given out; at least 1. The chunk that is being made comes on top.
  double max_seconds_ahead = 60;
};

// What is known of a chunk before its audio is.
struct ChunkPlan {
  size_t index = 0;
  ChunkInfo info;               // tokens, first_sample and num_samples are final
  std::vector<WordTime> words;  // that start in this chunk, or whose time ends in it (then again, with all of it)
  size_t first_word = 0;        // index of words[0] among the stream's words
};

struct AudioChunk {
  ChunkPlan plan;
  // Those that are final now: the last 120 of a chunk are mixed with the next one's first and come with them. Silence
  // that follows by markup comes with the chunk.
  std::vector<float> samples;
  size_t first_sample = 0;  // of samples, in the stream
  bool is_last = false;
};

// What a stream has done so far.
struct StreamStatistics {
  size_t num_chunks = 0;
  size_t num_samples = 0;          // made
  double first_audio_seconds = 0;  // wall time from opening (of a stream that text is pushed to: from the first Push)
                                   // to the first chunk's audio; 0 before
  double wall_seconds = 0;         // of making audio, without waiting for text or for Next
  size_t unknown_words = 0;
  std::vector<StageTime> stages;
};

// One thread of its own makes audio ahead (Engine's pool computes). All functions may be called from different threads,
// each of them from one at a time. It may outlive the Engine object.
class Stream {
 public:
  Stream(Stream&&) noexcept;
  Stream& operator=(Stream&&) noexcept;
  ~Stream();  // cancels and returns within 100 ms

  // The next chunk of audio, waiting for it; nullopt after the last. Errors as Engine::Synthesize; each is returned
  // again by later calls. kCancelled within 100 ms of Cancel or of SynthesisOptions::cancel.
  Result<std::optional<AudioChunk>> Next();

  // The plan of the chunk that the next call of Next returns, waiting for its durations but not for its audio; nullopt
  // after the last.
  Result<std::optional<ChunkPlan>> Peek();

  // More text, for a stream opened without one, cut anywhere (also within a character). A sentence is spoken when its
  // end has been seen; how the text is cut into pushes changes no sample. kInvalidArgument: after Finish, or for a
  // stream opened with text; kTooLong: more than 10 MiB wait to be spoken.
  Result<void> Push(std::string_view text);
  // No more text comes: what is there is spoken to its end.
  Result<void> Finish();

  void Cancel();

  // All sentences of the chunks that Next has returned.
  std::vector<SentenceTime> Sentences() const;
  StreamStatistics Statistics() const;

 private:
  friend class Engine;
  struct Impl;
  explicit Stream(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Gets each chunk on the calling thread; false ends the speech there.
using AudioSink = std::function<bool(const AudioChunk&)>;

}  // namespace koe

#endif  // KOE_STREAM_H_
