// SPDX-License-Identifier: Apache-2.0
// What every stage shares. Each stage is an interface with an Input, an Output and one Run; a device makes the stages
// it can (pipeline/plan.h), and Make<Stage>Cpu is the CPU's. Stages know each other only as shapes:
//   T tokens, F duration frames (40/s), 2F F0 frames (80/s), S = 600 F samples (24,000/s), E = 120 F + 1 excitation
//   frames (4,800/s). Activations are time-major, [time][channels] row-major.
#ifndef KOE_STAGES_STAGE_H_
#define KOE_STAGES_STAGE_H_

#include <atomic>
#include <functional>
#include <span>

#include "kernels/conv_plan.h"
#include "nn/exec.h"

namespace koe::stages {

inline constexpr size_t kStyleSize = 128;  // half of a voice's row: [0, 128) acoustic, [128, 256) prosody
inline constexpr size_t kF0FramesPerFrame = 2;
inline constexpr size_t kSamplesPerF0Frame = 300;
inline constexpr size_t kSamplesPerFrame = kF0FramesPerFrame * kSamplesPerF0Frame;

// Receives tensors that a stage makes on the way, for dumps and bisection. Called on the thread that runs the stage;
// the view is valid during the call.
class TensorObserver {
 public:
  virtual ~TensorObserver() = default;
  // name as in the reference implementation; x is time-major.
  virtual void OnTensor(const char* name, ConstMatrix x) = 0;
};

// Passed by value. Outputs live in exec.arena until it is reset.
struct StageContext {
  nn::Exec exec;
  TensorObserver* observer = nullptr;
  // Gets the share of the stage's work that is done, in [0, 1], ascending, on the thread that runs the stage; may be
  // null.
  const std::function<void(double)>* progress = nullptr;

  void Report(double fraction) const {
    if (progress != nullptr) (*progress)(fraction);
  }

  void Observe(const char* name, ConstMatrix x) const {
    if (observer != nullptr) observer->OnTensor(name, x);
  }
};

// How the CPU's stages are made.
struct LoadOptions {
  kernels::ConvPreset convolutions = kernels::ConvPreset::kExact;
  ThreadPool* pool = nullptr;                    // shares the work of packing weights, where given
  std::atomic<size_t>* weight_bytes = nullptr;   // gets the memory that the stage's weights hold added, where given
  const std::atomic<bool>* cancelled = nullptr;  // ends it with kCancelled between two layers, where given
};

inline Error CancelledError() { return Error(ErrorCode::kCancelled, "synthesis: cancelled: on request"); }

}  // namespace koe::stages

#endif  // KOE_STAGES_STAGE_H_
