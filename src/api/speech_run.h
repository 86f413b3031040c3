// SPDX-License-Identifier: Apache-2.0
// Prepared chunks to joined audio, one after the other: the stages before the generator of a chunk run beside the
// generator of the chunk before. What Synthesize, SynthesizePrepared and streams have in common.
#ifndef KOE_API_SPEECH_RUN_H_
#define KOE_API_SPEECH_RUN_H_

#include <array>
#include <atomic>
#include <functional>
#include <optional>
#include <vector>

#include "audio/join.h"
#include "koe/result.h"
#include "koe/speech.h"
#include "koe/stream.h"
#include "pipeline/synthesizer.h"

namespace koe::api {

enum class NextChunk { kChunk, kNotYet, kEnd };

// Where chunks come from and audio goes; called on the thread that runs. A callback's error ends the run.
struct SpeechPorts {
  // may_wait: kNotYet is no answer.
  std::function<Result<NextChunk>(PreparedChunk* chunk, bool may_wait)> next;
  std::function<Result<void>(const ChunkPlan& plan)> planned;  // before the chunk's audio; may be null
  std::function<Result<void>(AudioChunk chunk)> made;
  std::function<void(pipeline::StageId stage, double fraction, size_t chunk)> progress;  // may be null
  std::function<double()> pause_at_end;                                                  // after kEnd; may be null
};

// Where the chunks' pieces lie in the joined signal, known from their durations alone.
class JoinPlan {
 public:
  struct Piece {
    size_t silence = 0;                  // samples to join before it
    size_t cut_front = 0, cut_back = 0;  // samples of its waveform that are left out
    size_t first_sample = 0, num_samples = 0;
  };
  // durations: frames per token, with both boundary tokens.
  Piece Add(const PreparedChunk& chunk, std::span<const int32_t> durations);
  // Samples of silence to join for a pause of that many seconds.
  static size_t SilenceSamples(double seconds);

 private:
  size_t end_ = 0;     // of the signal
  double wanted_ = 0;  // of the last chunk's pause what its own silence did not cover; negative: nothing is wanted
  bool is_first_ = true;
};

class SpeechRun {
 public:
  // All of it outlives the object. quick_start: the first chunk has the machine for itself, so that it comes soon.
  // max_bytes: of the model and one chunk, 0 for any number.
  SpeechRun(const pipeline::Synthesizer& synthesizer, pipeline::Workspace& workspace,
            const std::atomic<bool>* cancelled, bool quick_start, size_t max_bytes)
      : synthesizer_(synthesizer),
        workspace_(workspace),
        cancelled_(cancelled),
        quick_start_(quick_start),
        max_bytes_(max_bytes == 0 ? pipeline::kNoMemoryLimit : max_bytes) {}

  // Once. Errors: those of the stages and the ports; kInvalidArgument: a chunk is not what Prepare makes.
  Result<void> Run(const SpeechPorts& ports);
  const pipeline::StageSeconds& seconds() const { return seconds_; }
  size_t num_chunks() const { return num_chunks_; }

 private:
  // A chunk whose durations are known.
  struct Front {
    PreparedChunk chunk;
    pipeline::FrontResult result;
    JoinPlan::Piece piece;
    ChunkPlan plan;
  };
  Result<void> RunFront(const SpeechPorts& ports, Front* front, size_t arena, size_t index, bool reports,
                        pipeline::StageSeconds* seconds);
  Result<void> Announce(const SpeechPorts& ports, Front* front);
  Result<void> Generate(const SpeechPorts& ports, const Front& front, std::vector<float>* waveform);
  void TimeWords(const Front& front, ChunkPlan* plan);

  const pipeline::Synthesizer& synthesizer_;
  pipeline::Workspace& workspace_;
  const std::atomic<bool>* cancelled_;
  const bool quick_start_;
  const size_t max_bytes_;
  pipeline::StageSeconds seconds_{};
  JoinPlan join_plan_;
  Joiner joiner_;
  size_t num_chunks_ = 0, num_words_ = 0, num_samples_ = 0;
  std::optional<WordTime> last_word_;  // which the next chunk may go on with
};

// KPipeline.join_timestamps of kokoro 0.9.4: the time of each of a chunk's words, in half frames from its start. The
// white space token between two words is cut in half. Deviates: after a word without phonemes the reference counts its
// white space token twice and is a token off from there on.
struct HalfFrames {
  int64_t begin, end;
};
std::vector<HalfFrames> TimesInChunk(std::span<const int32_t> durations, std::span<const PreparedWord> words);

// Adds a chunk to a whole: samples, chunks, word_times.
void Collect(AudioChunk chunk, Audio* audio);

// Sentences of words in order: consecutive words of one index.
std::vector<SentenceTime> SentencesOf(std::span<const WordTime> words);

}  // namespace koe::api

#endif  // KOE_API_SPEECH_RUN_H_
