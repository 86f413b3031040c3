// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "nn/conv1d.h"
#include "support/nn_test_fixture.h"
#include "support/tile_bound.h"

namespace koe::nn {
namespace {

using test_support::RandomVector;
using test_support::Reference;

class ConvTranspose1dTest : public test_support::NnTest {
 protected:
  void Check(size_t in, size_t out, size_t stride, size_t rows, const kernels::ConvPlan& plan = {}) {
    SCOPED_TRACE(testing::Message() << in << "->" << out << " stride " << stride << " rows " << rows);
    const std::vector<float> weight = RandomVector(in * out * 2 * stride, 0.3f), bias = RandomVector(out);
    const std::vector<float> x = RandomVector(rows * in);
    const ConvPrologue prologue{.kind = ConvPrologue::Kind::kLeakyRelu, .slope = 0.1f};
    const std::vector<float> got = OnPools([&](test_support::Machine& machine) {
      const ConvTranspose1d conv(machine.kernels, weight, bias, in, out, stride, plan);
      const Matrix y = conv.Run(machine.exec(), ConstMatrix(x.data(), rows, in), prologue,
                                conv.AllocateProduct(machine.exec(), rows));
      EXPECT_EQ(y.rows, rows * stride);
      EXPECT_EQ(y.cols, out);
      EXPECT_EQ(y.stride, out);
      std::vector<float> result = test_support::Flatten(y);
      // The rows around belong to the caller: they may be written, and hold nothing that Run still needs.
      const size_t margin = stride / 2 * out;
      std::fill_n(y.data - margin, margin, 1e30f);
      std::fill_n(y.data + y.rows * out, margin, 1e30f);
      EXPECT_TRUE(test_support::SameBits(test_support::Flatten(y), result));
      return result;
    });
    const Reference activated = test_support::Activated(Reference(ConstMatrix(x.data(), rows, in)), prologue);
    Reference want = test_support::TransposeConvolved(
        activated, weight, bias, {.in = in, .out = out, .taps = 2 * stride, .stride = stride, .padding = stride / 2});
    if (!plan.is_direct) {
      const double bound = test_support::TileBound(plan.form, in, test_support::Largest(activated.value),
                                                   test_support::Largest(weight), test_support::Largest(bias));
      for (double& error : want.error) error += bound;
    }
    ExpectWithin(got, want);
  }
};
KOE_INSTANTIATE_NN_TARGETS(ConvTranspose1dTest);

TEST_P(ConvTranspose1dTest, TheGeneratorsRates) {
  for (const size_t stride : {10, 6}) {
    for (const size_t rows : {1, 2, 3, 50}) {
      Check(9, 5, stride, rows);
      if (HasFatalFailure()) return;
    }
    Check(5, 3, stride, 1500);  // long for one thread
    Check(64, 32, stride, 7);
  }
}

TEST_P(ConvTranspose1dTest, Tiles) {
  kernels::ConvPlan plan{.is_direct = false, .form = {kernels::TileForm::Kind::kToomCook, 6, 2, 1}, .tiles = 24};
  for (const bool expand_at_run : {false, true}) {
    plan.expand_at_run = expand_at_run;
    for (const size_t rows : {1, 50}) Check(9, 5, 10, rows, plan);
    Check(5, 3, 6, 1500, plan);
  }
}

TEST_P(ConvTranspose1dTest, OtherEvenRates) {
  for (const size_t stride : {2, 4, 16}) Check(3, 7, stride, 11);
}

}  // namespace
}  // namespace koe::nn
