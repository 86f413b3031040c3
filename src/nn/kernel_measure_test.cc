// SPDX-License-Identifier: Apache-2.0
#include "nn/kernel_measure.h"

#include <gtest/gtest.h>

#include <set>

#include "kernels/conv_plan.h"
#include "nn/conv_measure.h"
#include "support/machine.h"

namespace koe::nn {
namespace {

TEST(KernelMeasureTest, StopsBetweenShapes) {
  std::atomic<bool> cancelled = false;
  std::vector<std::string> names;
  double last = -1;
  const auto measured = MeasureKernels(test_support::BestKernels(), 1, 1, &cancelled, [&](double at, const char* name) {
    EXPECT_GT(at, last);
    last = at;
    names.push_back(name);
    cancelled = names.size() == 2;
  });
  ASSERT_EQ(measured.size(), 2u);
  EXPECT_EQ(names, (std::vector<std::string>{measured[0].name, measured[1].name}));
  for (size_t i = 0; i < measured.size(); ++i) {
    const KernelMeasurement& m = measured[i];
    EXPECT_EQ(m.name, ModelConvolutions()[i].name);
    EXPECT_NE(m.plan, "");
    EXPECT_GT(m.seconds, 0);
    EXPECT_GT(m.seconds_threads, 0);
    EXPECT_GT(m.product_seconds, 0);
    EXPECT_EQ(m.transform_seconds > 0, m.plan != "direct");
    // The work is what the plan's tiles multiply: at most that of the direct convolution of these rows.
    const ConvCase& conv = ModelConvolutions()[i];
    const double direct = 2.0 * static_cast<double>(conv.rows * conv.shape.taps * conv.shape.in * conv.shape.out);
    EXPECT_LT(m.product_flops * m.product_seconds, direct * 1.01);
    EXPECT_GT(m.product_flops * m.product_seconds, direct / 8);
  }
  cancelled = true;
  EXPECT_TRUE(MeasureConvPlanTable(test_support::BestKernels(), 1, &cancelled, [](double, const char*) {}).empty());
}

}  // namespace
}  // namespace koe::nn
