// SPDX-License-Identifier: Apache-2.0
#include "nn/conv1d.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "support/nn_test_fixture.h"
#include "support/tile_bound.h"

namespace koe::nn {
namespace {

using test_support::GuardedMatrix;
using test_support::Largest;
using test_support::RandomVector;
using test_support::Reference;
using test_support::TileBound;
using Kind = ConvPrologue::Kind;

enum class Residual { kNone, kApart, kScaled, kInPlace };
constexpr float kScale = 0.70710678f;

struct Case {
  ConvShape shape;
  size_t rows;
  Kind prologue = Kind::kNone;
  Residual residual = Residual::kNone;
  bool has_bias = true;
  kernels::ConvPlan plan = {};
};

std::ostream& operator<<(std::ostream& os, const Case& c) {
  return os << c.shape.in << "->" << c.shape.out << " taps " << c.shape.taps << " dilation " << c.shape.dilation
            << " stride " << c.shape.stride << " padding " << c.shape.padding << " rows " << c.rows << " prologue "
            << static_cast<int>(c.prologue) << " residual " << static_cast<int>(c.residual) << " "
            << kernels::ConvPlanName(c.plan);
}

// Random weights, input and everything around the convolution.
struct Problem {
  explicit Problem(const Case& test_case)
      : c(test_case),
        weight(RandomVector(c.shape.out * c.shape.in * c.shape.taps, 0.3f)),
        bias(RandomVector(c.has_bias ? c.shape.out : 0)),
        mean(RandomVector(c.shape.in, 2)),
        scale(RandomVector(c.shape.in, 0.2f, 1)),
        shift(RandomVector(c.shape.in)),
        alpha(RandomVector(c.shape.in, 0.1f, 0.8f)),
        x(c.rows, c.shape.in, RandomVector(c.rows * c.shape.in)),
        residual(RandomVector(c.shape.OutputRows(c.rows) * c.shape.out)) {
    for (const float a : alpha) inv_alpha.push_back(1 / a);
  }

  ConvPrologue prologue() const {
    return {.kind = c.prologue,
            .slope = 0.1f,
            .affine = {mean.data(), scale.data(), shift.data()},
            .alpha = alpha.data(),
            .inv_alpha = inv_alpha.data()};
  }
  ConstMatrix residual_view() const { return ConstMatrix(residual.data(), residual.size() / c.shape.out, c.shape.out); }

  // The output, then the mean and reciprocal deviation of every channel.
  std::vector<float> Run(test_support::Machine& machine) const {
    const Conv1d conv(machine.kernels, weight, bias, c.shape, c.plan, &machine.pool);
    GuardedMatrix y(c.shape.OutputRows(c.rows), c.shape.out);
    if (c.residual == Residual::kInPlace) y = GuardedMatrix(y.view().rows, y.view().cols, residual);
    ChannelStats stats(machine.exec(), y.view().rows, y.view().cols, conv.stats_rows());
    ConvEpilogue epilogue{.stats = &stats};
    if (c.residual == Residual::kInPlace) {
      epilogue.residual = y.view();
    } else if (c.residual != Residual::kNone) {
      epilogue.residual = residual_view();
    }
    if (c.residual == Residual::kScaled) epilogue.scale = kScale;
    conv.Run(machine.exec(), x.view(), prologue(), y.view(), epilogue);
    EXPECT_TRUE(y.OnlyInsideWritten());

    std::vector<float> result = test_support::Flatten(y.view());
    std::vector<float> moments(2 * c.shape.out), moments_of_y(2 * c.shape.out);
    const std::span<float> a(moments), b(moments_of_y);
    stats.Finish(1e-5f, a.first(c.shape.out), a.subspan(c.shape.out));
    ComputeStats(machine.exec(), y.view(), conv.stats_rows())
        .Finish(1e-5f, b.first(c.shape.out), b.subspan(c.shape.out));
    EXPECT_TRUE(test_support::SameBits(moments, moments_of_y)) << "statistics gathered on the way";
    result.insert(result.end(), moments.begin(), moments.end());
    return result;
  }

  Reference Want() const {
    Reference y =
        test_support::Convolved(test_support::Activated(Reference(x.view()), prologue()), weight, bias, c.shape);
    if (c.residual == Residual::kNone) return y;
    return test_support::AddedScaled(y, Reference(residual_view()), c.residual == Residual::kScaled ? kScale : 1);
  }

  Case c;
  std::vector<float> weight, bias, mean, scale, shift, alpha, inv_alpha;
  GuardedMatrix x;
  std::vector<float> residual;
};

class Conv1dTest : public test_support::NnTest {
 protected:
  void Check(const Case& test_case) {
    SCOPED_TRACE(testing::Message() << test_case);
    const Problem problem(test_case);
    const std::vector<float> got = OnPools([&](test_support::Machine& machine) { return problem.Run(machine); });
    Reference want = problem.Want();
    if (!test_case.plan.is_direct) {
      const Reference activated = test_support::Activated(Reference(problem.x.view()), problem.prologue());
      const double bound = TileBound(test_case.plan.form, test_case.shape.in, Largest(activated.value),
                                     Largest(problem.weight), Largest(problem.bias) + Largest(problem.residual));
      for (double& error : want.error) error += bound;
    }
    ExpectWithin(std::span(got).first(want.value.size()), want);
  }
};
KOE_INSTANTIATE_NN_TARGETS(Conv1dTest);

TEST_P(Conv1dTest, EveryPrologueAndEpilogue) {
  for (const Kind prologue : {Kind::kNone, Kind::kLeakyRelu, Kind::kLeakyReluAffine, Kind::kSnakeAffine}) {
    for (const Residual residual : {Residual::kNone, Residual::kApart, Residual::kScaled, Residual::kInPlace}) {
      Check({{.in = 7, .out = 37, .taps = 3, .dilation = 3, .padding = 3}, 50, prologue, residual});
      if (HasFatalFailure()) return;
    }
  }
}

TEST_P(Conv1dTest, PaddingDilationAndStride) {
  for (const size_t stride : {1, 2, 6}) {
    for (const size_t dilation : {1, 3, 5}) {
      for (const size_t taps : {1, 3, 12}) {
        for (const size_t padding : {size_t{0}, size_t{1}, dilation * (taps - 1) / 2, dilation * (taps - 1)}) {
          for (const size_t rows : {1, 2, 5, 97}) {
            if (rows + 2 * padding < dilation * (taps - 1) + 1) continue;
            Check({{3, 5, taps, dilation, stride, padding}, rows, Kind::kLeakyRelu, Residual::kNone, taps != 3});
            if (HasFatalFailure()) return;
          }
        }
      }
    }
  }
}

// 1200 rows are four tiles of 384: long for one thread, short for two and four. 6200 rows are long for four as well.
// Above 128 channels a tile has 192 rows.
TEST_P(Conv1dTest, LongInputs) {
  const ConvShape dilated{.in = 6, .out = 5, .taps = 3, .dilation = 5, .padding = 5};
  Check({dilated, 1200, Kind::kSnakeAffine, Residual::kInPlace});
  Check({dilated, 6200, Kind::kLeakyReluAffine, Residual::kScaled});
  Check({{.in = 2, .out = 3, .taps = 12, .stride = 6, .padding = 3}, 7300, Kind::kNone, Residual::kNone});
  Check({{.in = 131, .out = 3, .taps = 3, .padding = 1}, 601, Kind::kLeakyRelu, Residual::kApart});
  Check({{.in = 2, .out = 130, .taps = 1}, 601, Kind::kNone, Residual::kNone});
}

TEST_P(Conv1dTest, ManyPanelsAreSharedOut) {
  Check({{.in = 20, .out = 331, .taps = 3, .padding = 1}, 3, Kind::kLeakyReluAffine, Residual::kScaled});
  Check({{.in = 1, .out = 1, .taps = 3, .stride = 2, .padding = 1}, 2, Kind::kNone, Residual::kNone});
}

kernels::ConvPlan TilePlan(kernels::TileForm::Kind kind, size_t samples, size_t taps, size_t segments, size_t tiles,
                           bool expand_at_run = false) {
  return {.is_direct = false, .form = {kind, samples, taps, segments}, .tiles = tiles, .expand_at_run = expand_at_run};
}

// One row, less than a tile, more than a group for every thread, and with more panels than groups.
TEST_P(Conv1dTest, Tiles) {
  using FormKind = kernels::TileForm::Kind;
  const kernels::ConvPlan toom = TilePlan(FormKind::kToomCook, 10, 3, 1, 12),
                          segments = TilePlan(FormKind::kToomCook, 12, 11, 2, 48),
                          fft = TilePlan(FormKind::kFft, 34, 11, 1, 12),
                          at_run = TilePlan(FormKind::kToomCook, 8, 3, 1, 24, true);
  kernels::ConvPlan first = segments;
  first.expand_first = true;
  for (const kernels::ConvPlan& plan : {toom, segments, fft, at_run, first}) {
    const size_t taps = plan.form.taps;
    for (const size_t dilation : {1, 3, 5}) {
      const ConvShape shape{
          .in = 3, .out = 34, .taps = taps, .dilation = dilation, .padding = dilation * (taps - 1) / 2};
      for (const size_t rows : {1, 7, 400}) {
        Check({shape, rows, Kind::kLeakyReluAffine, Residual::kScaled, true, plan});
        if (HasFatalFailure()) return;
      }
      Check({shape, 3000, Kind::kSnakeAffine, Residual::kInPlace, false, plan});
      if (HasFatalFailure()) return;
    }
  }
  Check({{.in = 5, .out = 200, .taps = 3, .padding = 2}, 130, Kind::kLeakyRelu, Residual::kApart, true, toom});
  Check({{.in = 5, .out = 200, .taps = 3, .padding = 1}, 130, Kind::kLeakyRelu, Residual::kScaled, true, at_run});
  Check({{.in = 5, .out = 9, .taps = 3, .padding = 0}, 1700, Kind::kNone, Residual::kNone, true, toom});
}

// How weights are stored does not show, whatever the plan makes of them and when.
TEST_P(Conv1dTest, StoredWeightsGiveTheSameBits) {
  const ConvShape shape{.in = 6, .out = 70, .taps = 3, .padding = 1};
  const Problem problem({shape, 300, Kind::kLeakyRelu});
  std::vector<int8_t> bytes(problem.weight.size());
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<int8_t>(problem.weight[i] * 100);
  const float scale = 0.01f;
  const int32_t zero_point = 3;
  WeightView stored;
  stored.data = bytes.data();
  stored.type = WeightView::Type::kI8;
  stored.size = bytes.size();
  stored.scales = {&scale, 1};
  stored.zero_points = {&zero_point, 1};
  std::vector<float> floats(bytes.size());
  stored.ToFloats(kernels(), floats.data());
  const kernels::ConvPlan at_load = TilePlan(kernels::TileForm::Kind::kToomCook, 8, 3, 1, 12),
                          at_run = TilePlan(kernels::TileForm::Kind::kToomCook, 8, 3, 1, 12, true);
  kernels::ConvPlan first = at_load;
  first.expand_first = true;
  for (const kernels::ConvPlan& plan : {kernels::ConvPlan(), at_load, at_run, first}) {
    test_support::Machine machine(kernels(), 2);
    const Conv1d from_floats(kernels(), floats, problem.bias, shape, plan);
    const Conv1d from_bytes(kernels(), stored, problem.bias, shape, plan);
    EXPECT_EQ(from_bytes.WeightBytes() < from_floats.WeightBytes(), !plan.TransformsAtLoad());
    GuardedMatrix a(300, 70), b(300, 70);
    from_floats.Run(machine.exec(), problem.x.view(), problem.prologue(), a.view(), {});
    from_bytes.Run(machine.exec(), problem.x.view(), problem.prologue(), b.view(), {});
    EXPECT_TRUE(test_support::SameBits(test_support::Flatten(a.view()), test_support::Flatten(b.view())));
    EXPECT_TRUE(b.OnlyInsideWritten());
  }
}

TEST_P(Conv1dTest, TransformingLaterGivesTheSameBits) {
  using FormKind = kernels::TileForm::Kind;
  for (kernels::ConvPlan plan : {TilePlan(FormKind::kToomCook, 12, 11, 2, 24),
                                 TilePlan(FormKind::kToomCook, 10, 3, 1, 12), TilePlan(FormKind::kFft, 34, 7, 1, 12)}) {
    const Problem problem({{.in = 5, .out = 40, .taps = plan.form.taps, .padding = 1}, 200, Kind::kLeakyRelu});
    std::vector<std::vector<float>> results;
    for (const bool expand_first : {false, true}) {
      plan.expand_first = expand_first;
      test_support::Machine machine(kernels(), 2);
      const Conv1d conv(kernels(), problem.weight, problem.bias, problem.c.shape, plan);
      GuardedMatrix y(problem.c.shape.OutputRows(200), 40);
      conv.Run(machine.exec(), problem.x.view(), problem.prologue(), y.view(), {});
      results.push_back(test_support::Flatten(y.view()));
    }
    EXPECT_TRUE(test_support::SameBits(results[0], results[1])) << kernels::ConvPlanName(plan);
  }
}

TEST_P(Conv1dTest, TilesCancelled) {
  for (const size_t rows : {40, 41, 3000}) {
    const kernels::ConvPlan plan = TilePlan(kernels::TileForm::Kind::kToomCook, 6, 3, 1, 12, rows == 41);
    const Problem problem({{.in = 4, .out = 3, .taps = 3}, rows});
    test_support::Machine machine(kernels(), 2);
    const Conv1d conv(machine.kernels, problem.weight, problem.bias, problem.c.shape, plan);
    machine.cancelled = true;
    GuardedMatrix y(rows - 2, 3);
    const std::vector<float> before = test_support::Flatten(y.view());
    conv.Run(machine.exec(), problem.x.view(), {}, y.view(), {});
    EXPECT_TRUE(test_support::SameBits(test_support::Flatten(y.view()), before));
  }
}

// A row's result is the same whether a long input is tiled or a short piece of it is computed alone.
TEST_P(Conv1dTest, ThePathThroughMemoryDoesNotShow) {
  const Problem problem({{.in = 9, .out = 40, .taps = 7, .dilation = 3, .padding = 9}, 1300, Kind::kSnakeAffine});
  test_support::Machine machine(kernels(), 1);
  const Conv1d conv(machine.kernels, problem.weight, problem.bias, problem.c.shape);
  ConvShape unpadded_shape = problem.c.shape;
  unpadded_shape.padding = 0;
  const Conv1d unpadded(machine.kernels, problem.weight, problem.bias, unpadded_shape);
  GuardedMatrix whole(1300, 40);
  conv.Run(machine.exec(), problem.x.view(), problem.prologue(), whole.view(), {});
  for (const size_t first : {9, 380, 767, 1191}) {
    const size_t rows = 100;
    GuardedMatrix piece(rows, 40);
    unpadded.Run(machine.exec(), problem.x.view().Rows(first - 9, rows + 18), problem.prologue(), piece.view(), {});
    EXPECT_TRUE(test_support::SameBits(test_support::Flatten(piece.view()),
                                       test_support::Flatten(whole.view().Rows(first, rows))));
  }
}

// The tests above rely on this: only tiles and padded copies of the input take memory, and a short input that needs
// neither takes none.
TEST_P(Conv1dTest, ALongInputIsTiledAndAShortOneIsNot) {
  const Conv1d conv(kernels(), RandomVector(12), {}, {.in = 4, .out = 3});
  for (const size_t rows : {1152, 1153}) {
    test_support::Machine machine(kernels(), 1);
    const GuardedMatrix x(rows, 4, RandomVector(rows * 4)), y(rows, 3);
    conv.Run(machine.exec(), x.view(), {}, y.view(), {});
    EXPECT_EQ(machine.arena.PeakBytes() > 0, rows == 1153);
  }
}

TEST_P(Conv1dTest, ACancelledRunReturnsEarly) {
  const Problem problem({{.in = 4, .out = 3}, 1300});
  test_support::Machine machine(kernels(), 2);
  const Conv1d conv(machine.kernels, problem.weight, problem.bias, problem.c.shape);
  machine.cancelled = true;
  GuardedMatrix y(1300, 3);
  const std::vector<float> before = test_support::Flatten(y.view());
  conv.Run(machine.exec(), problem.x.view(), {}, y.view(), {});
  EXPECT_TRUE(test_support::SameBits(test_support::Flatten(y.view()), before));
}

}  // namespace
}  // namespace koe::nn
