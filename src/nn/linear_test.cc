// SPDX-License-Identifier: Apache-2.0
#include "nn/linear.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "support/nn_test_fixture.h"

namespace koe::nn {
namespace {

using test_support::GuardedMatrix;
using test_support::RandomVector;
using test_support::Reference;

class LinearTest : public test_support::NnTest {
 protected:
  void Check(size_t rows, size_t in, size_t out, bool has_bias) {
    SCOPED_TRACE(testing::Message() << rows << " rows, " << in << "->" << out << ", bias " << has_bias);
    const std::vector<float> weight = RandomVector(in * out, 0.3f), bias = RandomVector(has_bias ? out : 0);
    const GuardedMatrix x(rows, in, RandomVector(rows * in));
    const std::vector<float> got = OnPools([&](test_support::Machine& machine) {
      const Linear linear(machine.kernels, weight, bias, in, out);
      EXPECT_EQ(linear.in(), in);
      EXPECT_EQ(linear.out(), out);
      const GuardedMatrix y(rows, out);
      linear.Run(machine.exec(), x.view(), y.view());
      EXPECT_TRUE(y.OnlyInsideWritten());
      // The form for one row gives the same bits.
      const GuardedMatrix row(1, out);
      linear.Run(machine.exec(), x.view().RowSpan(rows - 1), row.view().RowSpan(0));
      EXPECT_TRUE(row.OnlyInsideWritten());
      EXPECT_TRUE(test_support::SameBits(row.view().RowSpan(0), y.view().RowSpan(rows - 1)));
      return test_support::Flatten(y.view());
    });
    ExpectWithin(got, test_support::Convolved(Reference(x.view()), weight, bias, {.in = in, .out = out}));
  }
};
KOE_INSTANTIATE_NN_TARGETS(LinearTest);

TEST_P(LinearTest, OneRow) {
  for (const size_t in : {1, 7, 128, 640}) {
    for (const size_t out : {1, 31, 32, 33, 256}) {
      Check(1, in, out, out != 31);
      if (HasFatalFailure()) return;
    }
  }
}

TEST_P(LinearTest, OddSizes) {
  for (const size_t rows : {2, 5, 13, 29}) {
    for (const size_t in : {1, 3, 129}) {
      for (const size_t out : {1, 17, 50, 65}) {
        Check(rows, in, out, in != 3);
        if (HasFatalFailure()) return;
      }
    }
  }
}

// A task takes 192 rows and about a million products: these are cut by rows, by panels and by both.
TEST_P(LinearTest, ManyRowsAndPanels) {
  Check(193, 5, 33, true);
  Check(400, 24, 70, true);
  Check(192, 300, 200, true);
  Check(3, 768, 300, true);
}

// Several in one loop: the bits of each alone, whether their weights are stored as bytes or not.
TEST_P(LinearTest, SeveralAtOnce) {
  constexpr size_t kIn = 70, kRows = 200;
  const std::vector<uint8_t> bytes(kIn * 40, 131);
  const float scale = 0.1f;
  const int32_t zero_point = 128;
  WeightView stored;
  stored.data = bytes.data();
  stored.type = WeightView::Type::kU8;
  stored.size = bytes.size();
  stored.scales = {&scale, 1};
  stored.zero_points = {&zero_point, 1};
  const std::vector<float> wide = RandomVector(kIn * 300), bias = RandomVector(300);
  const GuardedMatrix x(kRows, kIn, RandomVector(kRows * kIn));
  OnPools([&](test_support::Machine& machine) {
    const Linear linears[] = {Linear(machine.kernels, wide, bias, kIn, 300),
                              Linear(machine.kernels, stored, {}, kIn, 40),
                              Linear(machine.kernels, stored, {}, kIn, 40, WeightStorage::kAsStored)};
    const GuardedMatrix together[] = {{kRows, 300}, {kRows, 40}, {kRows, 40}};
    const Linear::Job jobs[] = {
        {&linears[0], together[0].view()}, {&linears[1], together[1].view()}, {&linears[2], together[2].view()}};
    Linear::RunAll(machine.exec(), x.view(), jobs);
    std::vector<float> all;
    for (size_t i = 0; i < 3; ++i) {
      const GuardedMatrix alone(kRows, linears[i].out());
      linears[i].Run(machine.exec(), x.view(), alone.view());
      EXPECT_TRUE(together[i].OnlyInsideWritten());
      const std::vector<float> values = test_support::Flatten(together[i].view());
      EXPECT_TRUE(test_support::SameBits(values, test_support::Flatten(alone.view()))) << i;
      all.insert(all.end(), values.begin(), values.end());
    }
    return all;
  });
}

// int8 with a scale for each output. Made float32 panel by panel: the bits of the same weights in float32. Multiplied
// as stored: within the bound of float32 all the same, since 130 products may round more often than an input once.
TEST_P(LinearTest, StoredWeights) {
  constexpr size_t kIn = 130, kOut = 70, kRows = 200;
  std::vector<int8_t> bytes;
  for (const float value : RandomVector(kIn * kOut, 40)) {
    bytes.push_back(static_cast<int8_t>(std::clamp(value, -127.0f, 127.0f)));
  }
  const std::vector<float> scales = RandomVector(kOut, 0.01f), bias = RandomVector(kOut);
  const std::vector<int32_t> zero_points(kOut, -2);
  WeightView stored;
  stored.data = bytes.data();
  stored.type = WeightView::Type::kI8;
  stored.size = bytes.size();
  stored.scales = scales;
  stored.zero_points = zero_points;
  std::vector<float> floats(bytes.size());
  stored.ToFloats(kernels(), floats.data());
  const GuardedMatrix x(kRows, kIn, RandomVector(kRows * kIn));
  const auto run = [&](const WeightView& weight, WeightStorage storage) {
    return OnPools([&](test_support::Machine& machine) {
      const Linear linear(machine.kernels, weight, bias, kIn, kOut, storage);
      const GuardedMatrix y(kRows, kOut), row(1, kOut);
      linear.Run(machine.exec(), x.view(), y.view());
      linear.Run(machine.exec(), x.view().RowSpan(7), row.view().RowSpan(0));
      EXPECT_TRUE(y.OnlyInsideWritten() && row.OnlyInsideWritten());
      EXPECT_TRUE(test_support::SameBits(row.view().RowSpan(0), y.view().RowSpan(7)));
      return test_support::Flatten(y.view());
    });
  };
  const std::vector<float> got = run(stored, WeightStorage::kAsStored);
  EXPECT_TRUE(test_support::SameBits(got, run(stored, WeightStorage::kFloat)));
  if (kernels().fixed_gemm == nullptr) {
    EXPECT_TRUE(test_support::SameBits(got, run(floats, WeightStorage::kFloat)));
  }
  ExpectWithin(got, test_support::Convolved(Reference(x.view()), floats, bias, {.in = kIn, .out = kOut}));
}

}  // namespace
}  // namespace koe::nn
