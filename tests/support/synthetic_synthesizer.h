// SPDX-License-Identifier: Apache-2.0
// The whole pipeline over synthetic weights: the symbols a..z, about a frame a symbol.
#ifndef KOE_TESTS_SUPPORT_SYNTHETIC_SYNTHESIZER_H_
#define KOE_TESTS_SUPPORT_SYNTHETIC_SYNTHESIZER_H_

#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/synthesizer.h"
#include "support/synthetic_test_fixture.h"

namespace koe::test_support {

inline std::optional<int32_t> Letters(char32_t symbol) {
  if (symbol < U'a' || symbol > U'z') return std::nullopt;
  return static_cast<int32_t>(symbol - U'a' + 1) * 6;
}

class SyntheticSynthesizer {
 public:
  static Result<std::unique_ptr<SyntheticSynthesizer>> Make(const bundle::Weights& weights,
                                                            const kernels::KernelSet& kernels, size_t num_threads,
                                                            Precision precision = Precision::kExact) {
    std::unique_ptr<SyntheticSynthesizer> made(new SyntheticSynthesizer(kernels, num_threads));
    KOE_TRY(const pipeline::Plan plan, pipeline::MakePlan(precision, static_cast<int>(num_threads)));
    KOE_TRY(made->model_, pipeline::LoadModel(plan, {&weights, &kernels, Letters}, made->pool_));
    return made;
  }
  const pipeline::Synthesizer& get() const { return synthesizer_; }

  // on_progress may cancel through `cancelled`.
  Result<pipeline::ChunkResult> Run(
      const pipeline::ChunkRequest& request, pipeline::Workspace& workspace,
      FunctionRef<void(pipeline::StageId, double)> on_progress = [](pipeline::StageId, double) {}) {
    pipeline::StageSeconds seconds{};
    return synthesizer_.Run(request, workspace, &cancelled, on_progress, &seconds);
  }
  std::atomic<bool> cancelled{false};

 private:
  SyntheticSynthesizer(const kernels::KernelSet& kernels, size_t num_threads)
      : pool_(num_threads), synthesizer_(model_, kernels, pool_) {}
  ThreadPool pool_;
  pipeline::Model model_;
  pipeline::Synthesizer synthesizer_;
};

inline std::vector<float> RandomVoice() { return RandomVector(pipeline::kVoiceRows * pipeline::kVoiceRowSize, 0.2f); }
inline std::vector<float> WaveformOf(const Result<pipeline::ChunkResult>& result) {
  if (!result.has_value()) return {};
  return {result->waveform.begin(), result->waveform.end()};
}

}  // namespace koe::test_support

#endif  // KOE_TESTS_SUPPORT_SYNTHETIC_SYNTHESIZER_H_
