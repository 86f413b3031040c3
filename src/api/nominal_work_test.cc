// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "koe/bench.h"

namespace koe {
namespace {

double Of(const std::vector<StageWork>& work, const std::string& stage) {
  for (const StageWork& entry : work) {
    if (entry.stage == stage) return entry.flops;
  }
  return -1;
}

TEST(NominalWork, AddsUpToWhatTheReferenceSays) {
  // design.md section 4.2: 23.9 GMAC per second of audio in the 48 convolutions of the residual blocks. By hand, at
  // 800 and 4,800 rows: six convolutions of 3 + 7 + 11 + 7 taps, and of 3 + 7 + 11 + 11.
  const double blocks = 800.0 * 6 * (3 + 7 + 11 + 7) * 256 * 256 + 4800.0 * 6 * (3 + 7 + 11 + 11) * 128 * 128;
  EXPECT_NEAR(blocks, 23.9e9, 0.05e9);
  const double upsampling = 80.0 * 512 * 256 * 20 + 800.0 * 256 * 128 * 12;
  const double excitation = 800.0 * 256 * 22 * 12 + 4800.0 * 128 * 22, last = 4800.0 * 22 * 128 * 7;
  const auto one = NominalWork(2, 40), two = NominalWork(2, 80);
  const double per_second = Of(two, "generator") - Of(one, "generator");
  EXPECT_NEAR(per_second, 2 * (blocks + upsampling + excitation + last), 1.0);
}

TEST(NominalWork, TokensCostTheirShareOfAlbert) {
  // design.md: 66 MMAC a token in ALBERT, without attention's products; the rest of the stage is LSTMs and
  // convolutions: by hand 18.6 MMAC.
  const auto one = NominalWork(1, 40), two = NominalWork(2, 40);
  const double attention = 2.0 * 12 * 768 * (4 - 1);
  const double albert = 12.0 * (4 * 768 * 768 + 2 * 768 * 2048) + 128 * 768;
  const double lstm = 2.0 * 4 * 256 * (4 * (640 + 256) + 512 + 256);
  const double rest = 768 * 512 + lstm + 50 * 512 + 3.0 * 512 * 512 * 5;
  EXPECT_NEAR(Of(two, "duration") - Of(one, "duration"), 2 * (attention + albert + rest), 1.0);
}

TEST(NominalWork, FramesCostNothingBeforeAlignmentAndTokensNothingAfter) {
  const auto few = NominalWork(10, 100), many_frames = NominalWork(10, 200), many_tokens = NominalWork(20, 100);
  EXPECT_EQ(Of(few, "duration"), Of(many_frames, "duration"));
  for (const char* stage : {"prosody", "decoder", "harmonic_source", "generator"}) {
    EXPECT_EQ(Of(few, stage), Of(many_tokens, stage)) << stage;
    EXPECT_GT(Of(many_frames, stage), Of(few, stage)) << stage;
  }
}

TEST(BuildFacts, NamesTheCompiler) {
  const BuildFacts facts = Build();
  EXPECT_EQ(facts.version, Version());
  EXPECT_FALSE(facts.commit.empty());
  EXPECT_TRUE(facts.compiler.find('.') != std::string::npos) << facts.compiler;
}

}  // namespace
}  // namespace koe
