// SPDX-License-Identifier: Apache-2.0
#include "nn/lstm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "support/nn_test_fixture.h"

namespace koe::nn {
namespace {

using test_support::GuardedMatrix;
using test_support::RandomVector;
using test_support::Reference;

struct DirectionData {
  DirectionData(size_t in, size_t hidden)
      : ih(RandomVector(4 * hidden * in, 1 / std::sqrt(static_cast<float>(in)))),
        hh(RandomVector(4 * hidden * hidden, 0.3f / std::sqrt(static_cast<float>(hidden)))),
        bias_ih(RandomVector(4 * hidden, 0.3f)),
        bias_hh(RandomVector(4 * hidden, 0.3f)) {}
  LstmDirectionWeights view() const { return {ih, hh, bias_ih, bias_hh}; }
  std::vector<float> ih, hh, bias_ih, bias_hh;
};

class BiLstmTest : public test_support::NnTest {
 protected:
  void Check(size_t in, size_t hidden, size_t steps) {
    SCOPED_TRACE(testing::Message() << in << "->2x" << hidden << " steps " << steps);
    const DirectionData forward(in, hidden), backward(in, hidden);
    const GuardedMatrix x(steps, in, RandomVector(steps * in));
    const std::vector<float> got = OnPools([&](test_support::Machine& machine) {
      const BiLstm lstm(machine.kernels, forward.view(), backward.view(), in, hidden);
      EXPECT_EQ(lstm.hidden(), hidden);
      const GuardedMatrix y(steps, 2 * hidden);
      lstm.Run(machine.exec(), x.view(), y.view());
      EXPECT_TRUE(y.OnlyInsideWritten());
      return test_support::Flatten(y.view());
    });
    const Reference want = test_support::LstmRun(Reference(x.view()), forward.view(), backward.view(), hidden);
    ExpectWithin(got, want);
    // The bound grows with the steps; it must still mean something at the end.
    for (const double error : want.error) ASSERT_LT(error, 1e-2);
  }
};
KOE_INSTANTIATE_NN_TARGETS(BiLstmTest);

TEST_P(BiLstmTest, BothDirectionsFollowTheEquations) {
  for (const size_t hidden : {8, 16, 40}) {
    for (const size_t steps : {1, 2, 3, 12}) {
      Check(13, hidden, steps);
      if (HasFatalFailure()) return;
    }
  }
  Check(1, 8, 5);
  Check(640, 24, 4);
}

// int8 that is made float32 where it is used: the bits of the same weights in float32. Multiplied as stored: within the
// bounds of float32 all the same.
TEST_P(BiLstmTest, StoredWeights) {
  constexpr size_t kIn = 10, kHidden = 16, kSteps = 40;
  const std::vector<float> bias = RandomVector(4 * kHidden, 0.3f), x = RandomVector(kSteps * kIn);
  const float scale = 0.01f;
  const int32_t zero_point = 120;
  std::vector<uint8_t> bytes[2];
  std::vector<float> floats[2];
  WeightView stored[2];
  for (size_t i = 0; i < 2; ++i) {
    const size_t size = 4 * kHidden * (i == 0 ? kIn : kHidden);
    for (const float value : RandomVector(size, 20)) bytes[i].push_back(static_cast<uint8_t>(128 + value));
    stored[i].data = bytes[i].data();
    stored[i].type = WeightView::Type::kU8;
    stored[i].size = size;
    stored[i].scales = {&scale, 1};
    stored[i].zero_points = {&zero_point, 1};
    floats[i].resize(size);
    stored[i].ToFloats(kernels(), floats[i].data());
  }
  const auto run = [&](const LstmDirectionWeights& weights, WeightStorage storage) {
    return OnPools([&](test_support::Machine& machine) {
      const BiLstm lstm(machine.kernels, weights, weights, kIn, kHidden, storage);
      const GuardedMatrix y(kSteps, 2 * kHidden);
      lstm.Run(machine.exec(), ConstMatrix(x.data(), kSteps, kIn), y.view());
      EXPECT_TRUE(y.OnlyInsideWritten());
      return test_support::Flatten(y.view());
    });
  };
  const LstmDirectionWeights as_bytes{stored[0], stored[1], bias, bias}, as_floats{floats[0], floats[1], bias, bias};
  const std::vector<float> got = run(as_bytes, WeightStorage::kAsStored);
  EXPECT_TRUE(test_support::SameBits(got, run(as_bytes, WeightStorage::kFloat)));
  if (kernels().fixed_gemm == nullptr) {
    EXPECT_TRUE(test_support::SameBits(got, run(as_floats, WeightStorage::kFloat)));
  }
  ExpectWithin(got,
               test_support::LstmRun(Reference(ConstMatrix(x.data(), kSteps, kIn)), as_floats, as_floats, kHidden));
}

// Long runs forget their past: the last steps of a long one and of a shorter one differ by no more than float32 noise,
// and the backward direction starts at the end.
TEST_P(BiLstmTest, TheBackwardHalfIsTheForwardHalfOfTheReversedInput) {
  const size_t in = 10, hidden = 16, steps = 300;
  const DirectionData forward(in, hidden), backward(in, hidden);
  const std::vector<float> x = RandomVector(steps * in);
  std::vector<float> reversed;
  for (size_t t = steps; t-- > 0;)
    reversed.insert(reversed.end(), x.begin() + static_cast<ptrdiff_t>(t * in),
                    x.begin() + static_cast<ptrdiff_t>((t + 1) * in));
  test_support::Machine machine(kernels(), 2);
  const GuardedMatrix y(steps, 2 * hidden), z(steps, 2 * hidden);
  BiLstm(machine.kernels, forward.view(), backward.view(), in, hidden)
      .Run(machine.exec(), ConstMatrix(x.data(), steps, in), y.view());
  BiLstm(machine.kernels, backward.view(), forward.view(), in, hidden)
      .Run(machine.exec(), ConstMatrix(reversed.data(), steps, in), z.view());
  for (size_t t = 0; t < steps; ++t) {
    const std::span<const float> a = y.view().RowSpan(t), b = z.view().RowSpan(steps - 1 - t);
    ASSERT_TRUE(test_support::SameBits(a.first(hidden), b.subspan(hidden))) << "step " << t;
    ASSERT_TRUE(test_support::SameBits(a.subspan(hidden), b.first(hidden))) << "step " << t;
  }
}

}  // namespace
}  // namespace koe::nn
