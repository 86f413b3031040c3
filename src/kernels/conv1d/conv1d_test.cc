// SPDX-License-Identifier: Apache-2.0
#include "kernels/conv1d/conv1d.h"

#include <cmath>
#include <limits>

#include "kernels/gemm/dense_test_util.h"

namespace koe::kernels {
namespace {

struct Shape {
  size_t rows, c_in, c_out, taps, dilation, time_stride;
};

std::ostream& operator<<(std::ostream& os, const Shape& s) {
  return os << "rows " << s.rows << " c_in " << s.c_in << " c_out " << s.c_out << " taps " << s.taps << " dilation "
            << s.dilation << " stride " << s.time_stride;
}

// A convolution with its data; src has exactly the rows the contract says are read.
struct Problem {
  Problem(Target target, const Shape& s, bool with_bias, bool with_residual)
      : shape(s),
        src_stride(s.c_in + 1),
        src(RandomVector(1 + ((s.rows - 1) * s.time_stride + (s.taps - 1) * s.dilation) * src_stride + s.c_in)),
        weights(target, s.taps, s.c_in, s.c_out),
        bias(RandomVector(with_bias ? s.c_out : 0)),
        residual_stride(s.c_out + 2),
        residual(RandomVector(with_residual ? s.rows * residual_stride : 0)) {}

  Conv1dArgs Args(GuardedOutput* dst) const {
    return {.src = src.data() + 1,  // misaligned
            .src_stride = src_stride,
            .weights = weights.packed.data(),
            .bias = bias.empty() ? nullptr : bias.data(),
            .residual = residual.empty() ? nullptr : residual.data(),
            .residual_stride = residual_stride,
            .dst = dst->data(),
            .dst_stride = dst->stride(),
            .rows = shape.rows,
            .c_in = shape.c_in,
            .c_out = shape.c_out,
            .taps = shape.taps,
            .dilation = shape.dilation,
            .time_stride = shape.time_stride};
  }

  Shape shape;
  size_t src_stride;
  std::vector<float> src;
  PackedWeights weights;
  std::vector<float> bias;
  size_t residual_stride;
  std::vector<float> residual;
};

// Bit for bit the contract's order, and within its bound of the exact value.
void ExpectConvolution(Target target, const Problem& p, const GuardedOutput& dst, size_t column_step = 1) {
  const Shape& s = p.shape;
  for (size_t t = 0; t < s.rows; ++t) {
    for (size_t co = 0; co < s.c_out; co += column_step) {
      ReferenceSum sum(target, s.taps, s.c_in, p.bias.empty() ? 0.0f : p.bias[co]);
      for (size_t tap = 0; tap < s.taps; ++tap) {
        const float* x = p.src.data() + 1 + (t * s.time_stride + tap * s.dilation) * p.src_stride;
        for (size_t ci = 0; ci < s.c_in; ++ci) sum.AddProduct(x[ci], p.weights.at(tap, ci, co));
        sum.EndTap();
      }
      if (!p.residual.empty()) sum.AddResidual(p.residual[t * p.residual_stride + co]);
      ASSERT_EQ(dst.at(t, co), sum.value()) << "row " << t << " channel " << co;
      ASSERT_NEAR(dst.at(t, co), sum.exact(), sum.bound());
    }
  }
}

class Conv1dTest : public testing::TestWithParam<Target> {
 protected:
  void Check(const Shape& shape, bool with_bias, bool with_residual, size_t column_step = 1) {
    SCOPED_TRACE(testing::Message() << shape << " bias " << with_bias << " residual " << with_residual);
    const Problem p(GetParam(), shape, with_bias, with_residual);
    GuardedOutput dst(shape.rows, shape.c_out);
    ops_.conv1d(p.Args(&dst));
    ExpectConvolution(GetParam(), p, dst, column_step);
    dst.ExpectOnlyOutputWritten();
  }
  const Conv1dOps& ops_ = *FindConv1dOps(GetParam());
};
INSTANTIATE_TEST_SUITE_P(Targets, Conv1dTest, testing::ValuesIn(SupportedTargets()), TargetParamName);

TEST_P(Conv1dTest, EveryRowAndChannelTail) {
  for (size_t rows = 1; rows <= 25; ++rows) {
    for (const size_t c_out : {1, 16, 22, 32, 50, 64, 81}) {
      Check({rows, 5, c_out, 3, 1, 1}, true, rows % 2 == 0);
      if (HasFatalFailure()) return;
    }
  }
}

TEST_P(Conv1dTest, DilationsStridesAndOddChannels) {
  for (const size_t dilation : {1, 3, 5}) {
    for (const size_t time_stride : {1, 2, 6}) {
      for (const size_t c_in : {1, 7, 22}) {
        for (const size_t taps : {1, 2, 7, 11, 12}) {
          Check({17, c_in, 38, taps, dilation, time_stride}, taps != 7, taps >= 7);
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST_P(Conv1dTest, BlocksOfTheSumEndWithinATap) {
  for (const size_t c_in : {127, 128, 129, 256, 258}) {
    for (const size_t c_out : {22, 54}) Check({27, c_in, c_out, 3, 2, 1}, c_in != 129, c_in >= 129);
  }
}

TEST_P(Conv1dTest, ShapesOfTheModel) {
  Check({211, 128, 128, 3, 1, 1}, true, true, 37);     // several row blocks, the last uneven
  Check({50, 256, 256, 11, 5, 1}, true, true, 37);     // residual block
  Check({33, 1090, 1024, 3, 1, 1}, true, false, 101);  // decoder
  Check({30, 512, 2560, 2, 1, 1}, true, false, 211);   // upsampling as two taps
  Check({100, 128, 22, 7, 1, 1}, true, false);         // spectrum
  Check({40, 1, 1, 3, 1, 2}, true, false);             // F0
  Check({40, 22, 256, 12, 1, 6}, true, false, 37);     // excitation
}

TEST_P(Conv1dTest, ARowDoesNotDependOnTheRowsComputedWithIt) {
  const Problem p(GetParam(), {101, 19, 54, 3, 3, 2}, true, true);
  GuardedOutput together(101, 54), alone(101, 54);
  ops_.conv1d(p.Args(&together));
  for (size_t first = 0; first < 101;) {
    const size_t count = std::min<size_t>(1 + first % 14, 101 - first);
    Conv1dArgs args = p.Args(&alone);
    args.src += first * 2 * args.src_stride;
    args.residual += first * args.residual_stride;
    args.dst += first * args.dst_stride;
    args.rows = count;
    ops_.conv1d(args);
    first += count;
  }
  for (size_t t = 0; t < 101; ++t) {
    for (size_t co = 0; co < 54; ++co) {
      ASSERT_EQ(std::bit_cast<uint32_t>(together.at(t, co)), std::bit_cast<uint32_t>(alone.at(t, co)));
    }
  }
}

TEST_P(Conv1dTest, ResidualMayBeTheOutputItself) {
  for (const size_t c_out : {22, 64}) {
    const Problem p(GetParam(), {29, 6, c_out, 3, 1, 1}, true, true);
    GuardedOutput apart(29, c_out), in_place(29, c_out);
    ops_.conv1d(p.Args(&apart));
    for (size_t t = 0; t < 29; ++t) {
      for (size_t co = 0; co < c_out; ++co) in_place.Set(t, co, p.residual[t * p.residual_stride + co]);
    }
    Conv1dArgs args = p.Args(&in_place);
    args.residual = args.dst;
    args.residual_stride = args.dst_stride;
    ops_.conv1d(args);
    for (size_t t = 0; t < 29; ++t) {
      for (size_t co = 0; co < c_out; ++co) ASSERT_EQ(in_place.at(t, co), apart.at(t, co));
    }
    in_place.ExpectOnlyOutputWritten();
  }
}

TEST_P(Conv1dTest, NoRowsOrChannelsWriteNothing) {
  Problem p(GetParam(), {3, 4, 40, 3, 1, 1}, true, true);
  GuardedOutput dst(0, 40);
  Conv1dArgs args = p.Args(&dst);
  args.rows = 0;
  ops_.conv1d(args);
  args.rows = 3;
  args.c_out = 0;
  ops_.conv1d(args);
  dst.ExpectOnlyOutputWritten();
}

TEST_P(Conv1dTest, ANanReachesExactlyTheRowsThatReadIt) {
  const size_t rows = 40, dilation = 5, taps = 3;
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    Problem p(GetParam(), {rows, 7, 33, taps, dilation, 1}, true, true);
    const size_t bad_row = 23;
    p.src[1 + bad_row * p.src_stride + 4] = bad;
    GuardedOutput dst(rows, 33);
    ops_.conv1d(p.Args(&dst));
    for (size_t t = 0; t < rows; ++t) {
      const bool reads = t == bad_row || t + dilation == bad_row || t + 2 * dilation == bad_row;
      for (size_t co = 0; co < 33; ++co) ASSERT_EQ(std::isfinite(dst.at(t, co)), !reads) << t << " " << co;
    }
  }
}

}  // namespace
}  // namespace koe::kernels
