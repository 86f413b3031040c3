// SPDX-License-Identifier: Apache-2.0
// What a stage takes is known before it runs, to the byte, and a second run allocates nothing: counts every
// `operator new` of this program, and what the arenas hold.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <vector>

#include "stages/alignment/alignment.h"
#include "stages/decoder/decoder.h"
#include "stages/duration/duration.h"
#include "stages/generator/generator.h"
#include "stages/harmonic_source/harmonic_source.h"
#include "stages/prosody/prosody.h"
#include "support/synthetic_test_fixture.h"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"  // g++ 12 inlines one of the two below and forgets the other
#endif

namespace {
std::atomic<size_t> num_allocations{0};
}

void* operator new(size_t size) {
  ++num_allocations;
  void* block = std::malloc(size);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}
void operator delete(void* pointer) noexcept { std::free(pointer); }
void operator delete(void* pointer, size_t) noexcept { std::free(pointer); }

namespace koe::stages {
namespace {

using kernels::ConvPreset;
using test_support::RandomVector;

struct Case {
  ConvPreset preset;
  size_t num_threads;
};

class StageMemoryTest : public testing::TestWithParam<Case> {
 protected:
  LoadOptions options() const { return {.convolutions = GetParam().preset}; }

  // run(stage, context) -> success
  template <typename Stage, typename F>
  void Check(const Result<std::unique_ptr<Stage>>& stage, F run) {
    KOE_ASSERT_OK(stage);
    test_support::Machine machine(test_support::BestKernels(), GetParam().num_threads);
    ThreadPool idle(GetParam().num_threads, ThreadPool::Idle());
    Arena counter{Arena::CountOnly()};
    ASSERT_TRUE(run(**stage, StageContext{{&machine.kernels, &idle, &counter, nullptr}}));
    for (int i = 0; i < 3; ++i) {
      machine.arena.Reserve(counter);
      const size_t before = num_allocations;
      ASSERT_TRUE(run(**stage, machine.context()));
      if (i > 0) {
        EXPECT_EQ(num_allocations - before, 0u) << "run " << i;
      }
      EXPECT_EQ(machine.arena.PeakBytes(), counter.PeakBytes());
      EXPECT_EQ(machine.arena.CapacityBytes(), counter.PeakBytes());
    }
  }
};

const bundle::Weights& SomeWeights() { return test_support::SharedSyntheticWeights(); }
const kernels::KernelSet& Kernels() { return test_support::BestKernels(); }

TEST_P(StageMemoryTest, Duration) {
  const std::vector<int32_t> ids = {0, 50, 156, 43, 102, 4, 0};
  const std::vector<float> style = test_support::RandomStyle();
  Check(MakeDurationCpu(SomeWeights(), Kernels(), options()), [&](const Duration& stage, const StageContext& context) {
    return stage.Run({ids, style, 1}, context).has_value();
  });
}

TEST_P(StageMemoryTest, Alignment) {
  const std::vector<float> features = RandomVector(640 + 512);
  const std::vector<int32_t> durations = {7};
  Result<std::unique_ptr<Alignment>> stage = MakeAlignmentCpu();
  Check(stage, [&](const Alignment& alignment, const StageContext& context) {
    return alignment
        .Run({durations, ConstMatrix(features.data(), 1, 640), ConstMatrix(features.data() + 640, 1, 512)}, context)
        .has_value();
  });
}

TEST_P(StageMemoryTest, Prosody) {
  const std::vector<float> features = RandomVector(9 * 640), style = test_support::RandomStyle();
  Check(MakeProsodyCpu(SomeWeights(), Kernels(), options()), [&](const Prosody& stage, const StageContext& context) {
    return stage.Run({ConstMatrix(features.data(), 9, 640), style}, context).has_value();
  });
}

TEST_P(StageMemoryTest, Decoder) {
  const std::vector<float> text = RandomVector(3 * 512), f0_hz = RandomVector(6, 20, 180), energy = RandomVector(6);
  const std::vector<float> style = test_support::RandomStyle();
  Check(MakeDecoderCpu(SomeWeights(), Kernels(), options()), [&](const Decoder& stage, const StageContext& context) {
    return stage.Run({ConstMatrix(text.data(), 3, 512), f0_hz, energy, style}, context).has_value();
  });
}

TEST_P(StageMemoryTest, HarmonicSource) {
  const std::vector<float> f0_hz = RandomVector(8, 80, 100);
  Check(MakeHarmonicSourceCpu(SomeWeights(), Kernels()), [&](const HarmonicSource& stage, const StageContext& context) {
    return stage.Run({.f0_hz = f0_hz, .seed = 5, .source = {}}, context).has_value();
  });
}

TEST_P(StageMemoryTest, Generator) {
  // Enough rows for groups of tiles that are computed one by one and for some that are not.
  for (const size_t frames : {4, 16}) {
    const std::vector<float> features = RandomVector(frames * 512), style = test_support::RandomStyle(),
                             excitation = RandomVector((60 * frames + 1) * 22, 0.3f);
    Check(MakeGeneratorCpu(SomeWeights(), Kernels(), options()), [&](const Generator& stage,
                                                                     const StageContext& context) {
      return stage
          .Run({ConstMatrix(features.data(), frames, 512), ConstMatrix(excitation.data(), 60 * frames + 1, 22), style},
               context)
          .has_value();
    });
  }
}

INSTANTIATE_TEST_SUITE_P(Presets, StageMemoryTest,
                         testing::Values(Case{ConvPreset::kExact, 1}, Case{ConvPreset::kExact, 3},
                                         Case{ConvPreset::kFast, 2}, Case{ConvPreset::kLowMemory, 2}),
                         [](const testing::TestParamInfo<Case>& test) {
                           return std::string(test.param.preset == ConvPreset::kExact  ? "Exact"
                                              : test.param.preset == ConvPreset::kFast ? "Fast"
                                                                                       : "LowMemory") +
                                  std::to_string(test.param.num_threads);
                         });

}  // namespace
}  // namespace koe::stages
