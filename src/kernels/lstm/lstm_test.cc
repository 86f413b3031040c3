// SPDX-License-Identifier: Apache-2.0
#include "kernels/lstm/lstm.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/gemm/dense_test_util.h"

namespace koe::kernels {
namespace {

class LstmTest : public testing::TestWithParam<Target> {
 protected:
  const LstmOps& ops_ = *FindLstmOps(GetParam());
};
INSTANTIATE_TEST_SUITE_P(Targets, LstmTest, testing::ValuesIn(SupportedTargets()), TargetParamName);

// math.h: 4 ULP, a ULP being at most 2 eps of the value; below the normal range a result may be flushed to 0.
constexpr double kActivation = 8 * kEps;
constexpr double kTiny = 0x1p-126;

double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// c and h of one unit in double, and bounds on the errors of a float32 computation from the same gates whose errors are
// at most gate_error[4], and whose previous c is off by c_error. Slopes: sigmoid' <= 1/4, tanh' <= 1.
struct UnitState {
  double c = 0, h = 0, c_error = 0, h_error = 0;
};
UnitState StepUnit(const double gates[4], const double gate_error[4], const UnitState& before) {
  const double in = Sigmoid(gates[0]), forget = Sigmoid(gates[1]), g = std::tanh(gates[2]), out = Sigmoid(gates[3]);
  const double in_error = in * kActivation + gate_error[0] / 4 + kTiny;
  const double forget_error = forget * kActivation + gate_error[1] / 4 + kTiny;
  const double g_error = std::abs(g) * kActivation + gate_error[2];
  const double out_error = out * kActivation + gate_error[3] / 4 + kTiny;
  UnitState after;
  after.c = forget * before.c + in * g;
  // Each product rounds once (f c not at all under an FMA), the sum once.
  after.c_error = (forget + forget_error) * before.c_error + forget_error * std::abs(before.c) +
                  (in + in_error) * g_error + in_error * std::abs(g) +
                  kEps * (std::abs(forget * before.c) + std::abs(in * g) + std::abs(after.c)) + kTiny;
  const double tanh_c = std::tanh(after.c);
  after.h = out * tanh_c;
  after.h_error = (out + out_error) * (std::abs(tanh_c) * kActivation + after.c_error) + out_error * std::abs(tanh_c) +
                  kEps * std::abs(after.h) + kTiny;
  return after;
}

TEST_P(LstmTest, CellIsWithinTheBoundsOfItsActivations) {
  constexpr double kExactGates[4] = {};
  for (const size_t hidden : {8, 16, 24, 40, 256}) {
    for (const float scale : {0.01f, 1.0f, 8.0f, 60.0f}) {
      const std::vector<float> gates = RandomVector(4 * hidden, scale), before = RandomVector(hidden);
      GuardedOutput c(1, hidden), h(1, hidden);
      for (size_t i = 0; i < hidden; ++i) c.Set(0, i, before[i]);
      ops_.cell(gates.data(), c.data(), h.data(), hidden);
      for (size_t i = 0; i < hidden; ++i) {
        const double g[4] = {gates[i], gates[hidden + i], gates[2 * hidden + i], gates[3 * hidden + i]};
        const UnitState after = StepUnit(g, kExactGates, {.c = before[i]});
        ASSERT_NEAR(c.at(0, i), after.c, after.c_error * 1.001) << "unit " << i << " scale " << scale;
        ASSERT_NEAR(h.at(0, i), after.h, after.h_error * 1.001) << "unit " << i << " scale " << scale;
      }
      c.ExpectOnlyOutputWritten();
      h.ExpectOnlyOutputWritten();
    }
  }
}

struct Direction {
  Direction(Target target, size_t steps_in, size_t hidden_in)
      : steps(steps_in),
        hidden(hidden_in),
        stride(4 * hidden + 5),
        gates(RandomVector(steps * stride)),
        w_hh(target, 1, hidden, 4 * hidden),
        scratch(LstmScratchSize(hidden)) {
    // As wide as a trained layer's, so that the state neither dies nor saturates.
    for (float& w : w_hh.plain) w *= 1.0f / std::sqrt(static_cast<float>(hidden));
    w_hh.Repack(target);
  }
  LstmArgs Args(GuardedOutput* dst, bool reverse) {
    return {.gates = gates.data(),
            .gates_stride = stride,
            .w_hh = w_hh.packed.data(),
            .dst = dst->data(),
            .dst_stride = dst->stride(),
            .steps = steps,
            .hidden = hidden,
            .reverse = reverse,
            .scratch = scratch.data()};
  }
  size_t steps, hidden, stride;
  std::vector<float> gates;
  PackedWeights w_hh;
  AlignedBuffer<float> scratch;
};

TEST_P(LstmTest, FollowsTheRecurrenceWithinAPropagatedBound) {
  for (const size_t hidden : {8, 24, 64}) {
    for (const bool reverse : {false, true}) {
      SCOPED_TRACE(testing::Message() << "hidden " << hidden << " reverse " << reverse);
      const size_t steps = 6;
      Direction d(GetParam(), steps, hidden);
      GuardedOutput dst(steps, hidden);
      ops_.lstm(d.Args(&dst, reverse));
      dst.ExpectOnlyOutputWritten();
      std::vector<UnitState> state(hidden);
      for (size_t step = 0; step < steps; ++step) {
        const size_t t = reverse ? steps - 1 - step : step;
        std::vector<UnitState> next(hidden);
        for (size_t i = 0; i < hidden; ++i) {
          double gates[4], errors[4];
          for (size_t g = 0; g < 4; ++g) {
            const size_t column = g * hidden + i;
            gates[g] = d.gates[t * d.stride + column];
            double magnitude = std::abs(gates[g]), inherited = 0;
            for (size_t j = 0; j < hidden; ++j) {
              const double w = d.w_hh.at(0, j, column);
              gates[g] += w * state[j].h;
              magnitude += std::abs(w) * (std::abs(state[j].h) + state[j].h_error);
              inherited += std::abs(w) * state[j].h_error;
            }
            errors[g] = inherited + static_cast<double>(hidden + 3) * kEps * magnitude;
          }
          next[i] = StepUnit(gates, errors, state[i]);
        }
        state = next;
        for (size_t i = 0; i < hidden; ++i) {
          // The bound must stay small enough to notice a wrong gate or weight.
          ASSERT_LT(state[i].h_error, 2e-2);
          ASSERT_NEAR(dst.at(t, i), state[i].h, state[i].h_error * 1.001) << "step " << step << " unit " << i;
        }
      }
    }
  }
}

TEST_P(LstmTest, IsGemvThenCellBitForBit) {
  const size_t steps = 9, hidden = 256;
  Direction d(GetParam(), steps, hidden);
  GuardedOutput dst(steps, hidden);
  std::fill_n(d.scratch.data(), d.scratch.size(), std::numeric_limits<float>::quiet_NaN());  // holds no state
  ops_.lstm(d.Args(&dst, false));
  std::vector<float> gates(4 * hidden), c(hidden), h(hidden);
  for (size_t t = 0; t < steps; ++t) {
    FindGemmOps(GetParam())
        ->gemv(h.data(), d.w_hh.packed.data(), d.gates.data() + t * d.stride, gates.data(), hidden, 4 * hidden);
    ops_.cell(gates.data(), c.data(), h.data(), hidden);
    for (size_t i = 0; i < hidden; ++i) ASSERT_EQ(dst.at(t, i), h[i]) << t << " " << i;
  }
}

TEST_P(LstmTest, ReverseIsForwardOnReversedTime) {
  const size_t steps = 7, hidden = 40;
  Direction d(GetParam(), steps, hidden);
  GuardedOutput backward(steps, hidden), forward(steps, hidden);
  ops_.lstm(d.Args(&backward, true));
  for (size_t t = 0; t < steps / 2; ++t) {
    std::swap_ranges(d.gates.begin() + static_cast<ptrdiff_t>(t * d.stride),
                     d.gates.begin() + static_cast<ptrdiff_t>((t + 1) * d.stride),
                     d.gates.begin() + static_cast<ptrdiff_t>((steps - 1 - t) * d.stride));
  }
  ops_.lstm(d.Args(&forward, false));
  for (size_t t = 0; t < steps; ++t) {
    for (size_t i = 0; i < hidden; ++i) ASSERT_EQ(backward.at(t, i), forward.at(steps - 1 - t, i));
  }
}

TEST_P(LstmTest, NoStepsWriteNothing) {
  Direction d(GetParam(), 1, 8);
  GuardedOutput dst(0, 8);
  LstmArgs args = d.Args(&dst, true);
  args.steps = 0;
  ops_.lstm(args);
  dst.ExpectOnlyOutputWritten();
}

TEST_P(LstmTest, SaturatesAtTheLimitsAndKeepsNan) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  constexpr size_t kHidden = 8;
  for (const float big : {kInf, 1e30f, 200.0f}) {
    std::vector<float> gates(4 * kHidden, big), c(kHidden, 2.0f), h(kHidden);
    gates[kHidden] = -big;          // unit 0 forgets
    gates[1] = -big;                // unit 1 takes nothing in
    gates[2 * kHidden + 2] = -big;  // unit 2 takes in -1
    gates[3 * kHidden + 3] = -big;  // unit 3 puts nothing out
    ops_.cell(gates.data(), c.data(), h.data(), kHidden);
    for (size_t i = 0; i < kHidden; ++i) {
      const float expected = i == 0 ? 1.0f : i == 1 ? 2.0f : i == 2 ? 1.0f : 3.0f;
      EXPECT_EQ(c[i], expected) << i;
      EXPECT_NEAR(h[i], i == 3 ? 0.0 : std::tanh(expected), kActivation + 2 * kEps) << i;
    }
  }
  for (size_t gate = 0; gate < 4; ++gate) {
    std::vector<float> gates = RandomVector(4 * kHidden), c(kHidden, 0.5f), h(kHidden);
    gates[gate * kHidden + 5] = std::numeric_limits<float>::quiet_NaN();
    ops_.cell(gates.data(), c.data(), h.data(), kHidden);
    for (size_t i = 0; i < kHidden; ++i) {
      EXPECT_EQ(std::isnan(h[i]), i == 5) << "gate " << gate << " unit " << i;
      EXPECT_EQ(std::isnan(c[i]), i == 5 && gate != 3) << "gate " << gate << " unit " << i;
    }
  }
}

}  // namespace
}  // namespace koe::kernels
