// SPDX-License-Identifier: Apache-2.0
#include "audio/join.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace koe {
namespace {

using Segments = std::vector<std::vector<float>>;

// The definition, on whole signals: each segment is joined to everything before it.
std::vector<float> JoinByDefinition(const Segments& segments) {
  std::vector<float> out;
  for (const auto& next : segments) {
    const size_t n = std::min({size_t{120}, out.size(), next.size()});
    const size_t start = out.size() - n;
    for (size_t i = 0; i < n; ++i) {
      const double t = (static_cast<double>(i) + 1) / (static_cast<double>(n) + 1);
      out[start + i] = static_cast<float>(out[start + i] * std::cos(t * M_PI / 2) + next[i] * std::sin(t * M_PI / 2));
    }
    out.insert(out.end(), next.begin() + static_cast<ptrdiff_t>(n), next.end());
  }
  return out;
}

std::vector<float> Join(const Segments& segments, std::vector<size_t>* firsts = nullptr) {
  Joiner joiner;
  std::vector<float> out;
  for (const auto& segment : segments) {
    const size_t first = joiner.Push(segment, &out);
    if (firsts != nullptr) firsts->push_back(first);
  }
  joiner.Finish(&out);
  return out;
}

std::vector<float> Noise(size_t length, uint32_t seed) {
  std::vector<float> samples(length);
  for (float& x : samples) {
    seed = seed * 1664525u + 1013904223u;
    x = static_cast<float>(static_cast<int32_t>(seed)) * 0x1p-31f;
  }
  return samples;
}

// Both round the same double to float; the products may differ in the angle's last bit, so one float step is allowed.
void ExpectSame(const std::vector<float>& actual, const std::vector<float>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) ASSERT_FLOAT_EQ(actual[i], expected[i]) << "sample " << i;
}

TEST(JoinTest, EqualsTheDefinitionForAllLengthsAroundTheOverlap) {
  const size_t lengths[] = {0, 1, 2, 60, 119, 120, 121, 239, 240, 241, 600, 1800};
  for (const size_t a : lengths) {
    for (const size_t b : lengths) {
      for (const size_t c : {size_t{0}, size_t{1}, size_t{120}, size_t{600}}) {
        SCOPED_TRACE(testing::Message() << a << " + " << b << " + " << c);
        const Segments segments = {Noise(a, 1), Noise(b, 2), Noise(c, 3)};
        ExpectSame(Join(segments), JoinByDefinition(segments));
      }
    }
  }
}

TEST(JoinTest, LengthIsTheSumLessTheOverlaps) {
  std::vector<size_t> firsts;
  const auto joined = Join({Noise(37800, 1), Noise(600, 2), Noise(1800, 3)}, &firsts);
  EXPECT_EQ(joined.size(), 37800u + 600 + 1800 - 2 * 120);
  EXPECT_EQ(firsts, (std::vector<size_t>{0, 37680, 38160}));
}

TEST(JoinTest, OneSegmentIsUnchanged) {
  for (const size_t length : {1, 119, 120, 121, 4000}) EXPECT_EQ(Join({Noise(length, 7)}), Noise(length, 7));
}

TEST(JoinTest, EmptySegmentsAreDropped) {
  std::vector<size_t> firsts;
  EXPECT_EQ(Join({{}, Noise(600, 1), {}, {}, Noise(600, 2), {}}, &firsts), Join({Noise(600, 1), Noise(600, 2)}));
  EXPECT_EQ(firsts, (std::vector<size_t>{0, 0, 600, 600, 480, 1080}));
  EXPECT_TRUE(Join({{}, {}}).empty());
}

// cos^2 + sin^2 = 1: two uncorrelated neighbours of equal power keep it.
TEST(JoinTest, WeightsHaveUnitPowerAndAreMirrored) {
  const std::vector<float> ones(600, 1.0f), zeros(600, 0.0f);
  const auto fade_out = Join({ones, zeros});
  const auto fade_in = Join({zeros, ones});
  for (size_t i = 0; i < 120; ++i) {
    const double out = fade_out[480 + i], in = fade_in[480 + i];
    EXPECT_NEAR(out * out + in * in, 1.0, 4 * 0x1p-24) << i;  // two squares of floats, each within half a step
    EXPECT_NEAR(out, fade_in[480 + 119 - i], 0x1p-23) << i;
    EXPECT_LT(fade_out[480 + i], fade_out[479 + i]);
  }
}

TEST(JoinTest, EmitsEverythingThatIsFinalAtOnce) {
  Joiner joiner;
  std::vector<float> out;
  joiner.Push(Noise(1000, 1), &out);
  EXPECT_EQ(out.size(), 880u);
  joiner.Push(Noise(50, 2), &out);  // overlaps wholly: the length stays 1000
  EXPECT_EQ(out.size(), 880u);
  joiner.Push(Noise(1000, 3), &out);
  EXPECT_EQ(out.size(), 880u + 880);
  joiner.Finish(&out);
  EXPECT_EQ(out.size(), 1000u + 1000 - 120);
  EXPECT_EQ(joiner.Push(Noise(10, 4), &out), 0u);  // a new signal
}

}  // namespace
}  // namespace koe
