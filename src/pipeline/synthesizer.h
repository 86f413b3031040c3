// SPDX-License-Identifier: Apache-2.0
// The flow: phonemes of one chunk -> waveform, through the seven stages.
#ifndef KOE_PIPELINE_SYNTHESIZER_H_
#define KOE_PIPELINE_SYNTHESIZER_H_

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "pipeline/plan.h"

namespace koe::pipeline {

// A voice's table: [510][256]. The row for a chunk is chosen by its number of phoneme symbols.
inline constexpr size_t kVoiceRows = 510;
inline constexpr size_t kVoiceRowSize = 2 * stages::kStyleSize;

struct VoiceRow {
  std::span<const float> acoustic_style;  // [128]
  std::span<const float> prosody_style;   // [128]
};
inline VoiceRow SplitVoiceRow(std::span<const float> row) {
  return {row.first(stages::kStyleSize), row.subspan(stages::kStyleSize)};
}
// num_symbols in [1, 510], as the tokens stage guarantees; symbols that the vocabulary lacks count.
inline std::span<const float> VoiceTableRow(std::span<const float> table, size_t num_symbols) {
  return table.subspan((num_symbols - 1) * kVoiceRowSize, kVoiceRowSize);
}
inline VoiceRow ChooseVoiceRow(std::span<const float> table, size_t num_symbols) {
  return SplitVoiceRow(VoiceTableRow(table, num_symbols));
}

// kInternal where a sample is not finite.
Result<void> CheckWaveform(const kernels::KernelSet& kernels, std::span<const float> waveform);

// Wall seconds by stage. harmonic_source and decoder run side by side.
using StageSeconds = std::array<double, kStages.size()>;

inline constexpr size_t kNoMemoryLimit = ~size_t{0};

// A chunk that is tokens already.
struct TokensRequest {
  std::span<const int32_t> token_ids;  // [T], 0 at both ends, T at most 512
  std::span<const float> voice_row;    // [256]
  float speed = 1;
  uint64_t seed = 0;
  size_t max_bytes = kNoMemoryLimit;
};

struct ChunkRequest {
  std::string_view phonemes;
  std::span<const float> voice;  // [510][256]
  float speed = 1;
  uint64_t seed = 0;
};

struct ChunkResult {
  stages::Tokens::Output tokens;
  std::span<const int32_t> durations;  // [T]
  std::span<const float> waveform;     // [600 F], finite
};

// What the stages before the generator make of a chunk; it lives in the arena it was made in.
struct FrontResult {
  std::span<const int32_t> durations;     // [T]
  ConstMatrix decoder_features;           // [2F][512]
  ConstMatrix excitation;                 // [120F+1][22]
  std::span<const float> acoustic_style;  // of the request's voice row
};

// Memory for one synthesis at a time; reused, so that a second one of the same length allocates nothing here. Each
// arena holds what its next run was found to need, and never less than before.
struct Workspace {
  Arena arena;       // of the generator
  Arena front;       // of the stages before it
  Arena results[2];  // what is left of those: of the chunk whose generator runs, and of the next, in turns
  size_t HeldBytes() const {
    return arena.CapacityBytes() + front.CapacityBytes() + results[0].CapacityBytes() + results[1].CapacityBytes();
  }
};

class Synthesizer {
 public:
  // All of it outlives the object.
  Synthesizer(const Model& model, const kernels::KernelSet& kernels, ThreadPool& pool)
      : model_(model), kernels_(kernels), pool_(pool) {}

  // on_progress is called on this thread with the stage that runs and the share of it that is done: 0 before each
  // stage, more on the way where a stage tells. The result's spans live until the workspace is used again. Errors:
  // those of the stages; kInternal where the waveform is not finite; kCancelled.
  Result<ChunkResult> Run(const ChunkRequest& request, Workspace& workspace, const std::atomic<bool>* cancelled,
                          FunctionRef<void(StageId, double)> on_progress, StageSeconds* seconds) const;

  // The two halves of Run, for chunks of tokens. RunFront uses workspace.front and leaves its result in
  // workspace.results[result]; one runs at a time. on_progress as above. kTooLong, before it is taken, where model and
  // chunk would hold more than max_bytes.
  Result<FrontResult> RunFront(const TokensRequest& request, Workspace& workspace, size_t result,
                               const std::atomic<bool>* cancelled, FunctionRef<void(StageId, double)> on_progress,
                               StageSeconds* seconds) const;
  // Uses workspace.arena, where the waveform [600 F] is; it is finite. May run beside the next chunk's RunFront, unless
  // model().saves_memory.
  Result<std::span<const float>> RunGenerator(const FrontResult& front, Workspace& workspace,
                                              const std::atomic<bool>* cancelled,
                                              FunctionRef<void(StageId, double)> on_progress,
                                              StageSeconds* seconds) const;
  // generate() on this thread, front() beside it on a free worker of the pool, else after it.
  void RunSideBySide(FunctionRef<void()> generate, FunctionRef<void()> front) const;

  // The most that model and chunk hold at a time, exactly, with the next chunk's stages beside its generator where they
  // may be: the stages run without their loops and count, which takes tens of microseconds. num_frames: duration
  // frames, 40 a second.
  size_t PeakBytes(size_t num_tokens, size_t num_frames) const;

  stages::StageContext Context(Workspace& workspace, const std::atomic<bool>* cancelled,
                               stages::TensorObserver* observer) const {
    return Context(workspace.arena, cancelled, observer);
  }
  stages::StageContext Context(Arena& arena, const std::atomic<bool>* cancelled,
                               stages::TensorObserver* observer) const {
    return {{&kernels_, &pool_, &arena, cancelled}, observer};
  }
  const Model& model() const { return model_; }

 private:
  using OnProgress = FunctionRef<void(StageId, double)>;
  // Up to the durations, in the context's arena; then up to the generator, in another one.
  Result<stages::Duration::Output> TokenStages(const TokensRequest& request, const stages::StageContext& context,
                                               OnProgress on_progress, StageSeconds* seconds) const;
  Result<FrontResult> FrameStages(const TokensRequest& request, const stages::Duration::Output& duration,
                                  const stages::StageContext& context, OnProgress on_progress,
                                  StageSeconds* seconds) const;
  // The same without computing.
  void CountTokenStages(std::span<const int32_t> token_ids, Arena* counter) const;
  void CountFrameStages(size_t num_frames, Arena* counter) const;
  void CountResult(size_t num_tokens, size_t num_frames, Arena* counter) const;
  void CountGenerator(size_t num_frames, Arena* counter) const;
  size_t PeakBytes(const Arena& tokens, const Arena& frames, size_t num_tokens, size_t num_frames) const;
  Result<std::span<const float>> GeneratorStage(const FrontResult& front, const stages::StageContext& context,
                                                OnProgress on_progress, StageSeconds* seconds) const;

  const Model& model_;
  const kernels::KernelSet& kernels_;
  ThreadPool& pool_;
};

}  // namespace koe::pipeline

#endif  // KOE_PIPELINE_SYNTHESIZER_H_
