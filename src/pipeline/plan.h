// SPDX-License-Identifier: Apache-2.0
// Where and how each stage runs (design.md 9), and the devices that offer stages.
#ifndef KOE_PIPELINE_PLAN_H_
#define KOE_PIPELINE_PLAN_H_

#include <array>
#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "koe/koe.h"
#include "stages/alignment/alignment.h"
#include "stages/decoder/decoder.h"
#include "stages/duration/duration.h"
#include "stages/generator/generator.h"
#include "stages/harmonic_source/harmonic_source.h"
#include "stages/prosody/prosody.h"
#include "stages/tokens/tokens.h"

namespace koe::pipeline {

// In the order of the flow.
enum class StageId { kTokens, kDuration, kAlignment, kProsody, kDecoder, kHarmonicSource, kGenerator };
inline constexpr std::array<StageId, 7> kStages = {StageId::kTokens,   StageId::kDuration, StageId::kAlignment,
                                                   StageId::kProsody,  StageId::kDecoder,  StageId::kHarmonicSource,
                                                   StageId::kGenerator};
const char* StageName(StageId stage);

// A loaded model: one implementation of every stage. Immutable and thread-safe.
struct Model {
  std::unique_ptr<stages::Tokens> tokens;
  std::unique_ptr<stages::Duration> duration;
  std::unique_ptr<stages::Alignment> alignment;
  std::unique_ptr<stages::Prosody> prosody;
  std::unique_ptr<stages::Decoder> decoder;
  std::unique_ptr<stages::HarmonicSource> harmonic_source;
  std::unique_ptr<stages::Generator> generator;
  size_t weight_bytes = 0;  // memory that their weights hold
  // Whether memory is to be held no longer than it is used, at some cost in time (kLowMemory).
  bool saves_memory = false;
};

// What a device makes stages from. kernels outlives the stages; weights are only read while they are made.
struct DeviceResources {
  const bundle::Weights* weights = nullptr;
  const kernels::KernelSet* kernels = nullptr;
  stages::VocabularyLookup vocabulary;
  ThreadPool* pool = nullptr;  // shares the work of making stages, where given
  std::atomic<size_t>* weight_bytes = nullptr;
  const std::atomic<bool>* cancelled = nullptr;  // ends loading with kCancelled, where given
};

// Fixed sizes that a device's stages are compiled for; the smallest that fits is used. Empty: any length, no padding.
struct StaticBuckets {
  std::vector<int> token_counts;
  std::vector<int> seconds;
};

class Device {
 public:
  virtual ~Device() = default;
  virtual const char* name() const = 0;
  virtual StaticBuckets buckets() const = 0;
  virtual bool Offers(StageId stage, Precision precision) const = 0;
  // Puts its implementation of `stage` into the model. kUnsupported where Offers says no.
  virtual Result<void> Make(StageId stage, Precision precision, const DeviceResources& resources,
                            Model* model) const = 0;
};

const Device& CpuDevice();
// Every device of this build, the CPU last.
std::span<const Device* const> Devices();

struct Placement {
  StageId stage;
  const Device* device;
  Precision precision;
  int num_threads;  // the CPU device's stages share one pool
};
using Plan = std::array<Placement, kStages.size()>;

const char* PrecisionName(Precision precision);

// Each stage on the first device that offers it at this precision. kUnsupported where none does.
Result<Plan> MakePlan(Precision precision, int num_threads);

// Makes every stage on its device, side by side. The first error in the order of the flow is returned.
Result<Model> LoadModel(const Plan& plan, const DeviceResources& resources, ThreadPool& pool);

}  // namespace koe::pipeline

#endif  // KOE_PIPELINE_PLAN_H_
