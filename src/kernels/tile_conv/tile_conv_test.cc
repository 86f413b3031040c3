// SPDX-License-Identifier: Apache-2.0
#include "kernels/tile_conv/tile_conv.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "kernels/gemm/dense_test_util.h"
#include "kernels/tile_conv/transforms-inl.h"

namespace koe::kernels {
namespace {

// The transforms in double, and their error: an operation's result grows by at most its operands' magnitudes.
struct DoubleMath {
  using V = double;
  static V Set(float x) { return x; }
  static V Add(V a, V b) { return a + b; }
  static V Sub(V a, V b) { return a - b; }
  static V Mul(V a, V b) { return a * b; }
  static V MulAdd(V a, V b, V c) { return a * b + c; }
  static V MulSub(V a, V b, V c) { return a * b - c; }
  static V NegMulAdd(V a, V b, V c) { return c - a * b; }
};
struct MagnitudeMath {
  using V = double;
  static V Set(float x) { return std::abs(double{x}); }
  static V Add(V a, V b) { return a + b; }
  static V Sub(V a, V b) { return a + b; }
  static V Mul(V a, V b) { return a * b; }
  static V MulAdd(V a, V b, V c) { return a * b + c; }
  static V MulSub(V a, V b, V c) { return a * b + c; }
  static V NegMulAdd(V a, V b, V c) { return a * b + c; }
};

using Values = std::vector<double>;

template <class Form>
Values ForwardOf(const Values& samples) {
  Values planes(Form::kPlanes);
  Form::Forward([&](size_t j) { return samples[j]; }, [&](size_t p, double v) { planes[p] = v; });
  return planes;
}
template <class Form, size_t kTaps>
Values InverseOf(const Values& planes) {
  Values outputs(Form::kSamples - kTaps + 1);
  Form::template Inverse<Form::kSamples - kTaps + 1>([&](size_t p) { return planes[p]; },
                                                     [&](size_t j, double y) { outputs[j] = y; });
  return outputs;
}

// The code of transforms-inl.h for one form, in an arithmetic.
struct Transforms {
  Values (*forward)(const Values&);
  Values (*inverse)(const Values&);
};
template <class Form, size_t kTaps>
constexpr Transforms Make() {
  return {ForwardOf<Form>, InverseOf<Form, kTaps>};
}
namespace simd = HWY_NAMESPACE;
template <class A>
Transforms TransformsOf(const TileForm& form) {
  const size_t r = form.segment_taps();
  if (form.kind == TileForm::Kind::kFft) {
    using Form = simd::Fft32<A>;
    return r == 3 ? Make<Form, 3>() : r == 7 ? Make<Form, 7>() : Make<Form, 11>();
  }
  switch (form.samples * 100 + r) {
    case 402:
      return Make<simd::ToomCook<A, 4>, 2>();
    case 602:
      return Make<simd::ToomCook<A, 6>, 2>();
    case 802:
      return Make<simd::ToomCook<A, 8>, 2>();
    case 403:
      return Make<simd::ToomCook<A, 4>, 3>();
    case 603:
      return Make<simd::ToomCook<A, 6>, 3>();
    case 604:
      return Make<simd::ToomCook<A, 6>, 4>();
    case 605:
      return Make<simd::ToomCook<A, 6>, 5>();
    case 803:
      return Make<simd::ToomCook<A, 8>, 3>();
    case 804:
      return Make<simd::ToomCook<A, 8>, 4>();
    case 805:
      return Make<simd::ToomCook<A, 8>, 5>();
    case 1003:
      return Make<simd::ToomCook<A, 10>, 3>();
    case 1005:
      return Make<simd::ToomCook<A, 10>, 5>();
    case 1006:
      return Make<simd::ToomCook<A, 10>, 6>();
    case 1007:
      return Make<simd::ToomCook<A, 10>, 7>();
    case 1203:
      return Make<simd::ToomCook<A, 12>, 3>();
    case 1206:
      return Make<simd::ToomCook<A, 12>, 6>();
    case 1207:
      return Make<simd::ToomCook<A, 12>, 7>();
    case 1403:
      return Make<simd::ToomCook<A, 14>, 3>();
    case 1406:
      return Make<simd::ToomCook<A, 14>, 6>();
    case 1407:
      return Make<simd::ToomCook<A, 14>, 7>();
    case 1607:
      return Make<simd::ToomCook<A, 16>, 7>();
    case 1611:
      return Make<simd::ToomCook<A, 16>, 11>();
    default:
      return {};
  }
}

// Roundings on the longest path, those of the constants included (transforms-inl.h): Toom-Cook: a chain over the pairs,
// the constant, the node and its product; sum, chain, constant and the last addition on the way back. FFT: two
// additions, then four a level (tangent, its FMA, cosine, its FMA) and the factors' sums.
size_t RoundingsOf(const TileForm& form, Target target) {
  if (target == Target::kScalar) return 2 * (form.samples + form.planes() + 3);  // the plain matrices
  if (form.kind == TileForm::Kind::kFft) return (2 + 3 * 4 + 1) + (1 + 3 * 4 + 2 + 1);
  const size_t pairs = form.samples / 2 - 1;
  return (pairs + 2) + (pairs + 3);
}

Values Product(const Values& matrix, size_t rows, const Values& x, bool magnitude) {
  Values y(rows);
  for (size_t i = 0; i < rows; ++i) {
    for (size_t j = 0; j < x.size(); ++j) {
      const double a = matrix[i * x.size() + j];
      y[i] += (magnitude ? std::abs(a) : a) * x[j];
    }
  }
  return y;
}

Values RandomValues(size_t size) {
  const std::vector<float> values = RandomVector(size);
  return {values.begin(), values.end()};
}

std::string NameOf(const TileForm& form) {
  return (form.kind == TileForm::Kind::kFft ? "Fft" : "ToomCook") + std::to_string(form.samples) + "Taps" +
         std::to_string(form.taps) + "In" + std::to_string(form.segments);
}

TEST(TileFormTest, TheMatricesAreACorrelation) {
  for (const TileForm& form : SupportedTileForms()) {
    SCOPED_TRACE(NameOf(form));
    const TileMatrices m = MatricesOf(form);
    const size_t r = form.segment_taps();
    const Values d = RandomValues(form.samples), w = RandomValues(r);
    Values planes = Product(m.forward, form.planes(), d, false);
    const Values filter = Product(m.filter, form.planes(), w, false);
    for (size_t p = 0; p < planes.size(); ++p) planes[p] *= filter[p];
    const Values y = Product(m.inverse, form.outputs(), planes, false);
    for (size_t j = 0; j < form.outputs(); ++j) {
      double want = 0;
      for (size_t k = 0; k < r; ++k) want += w[k] * d[j + k];
      EXPECT_NEAR(y[j], want, 1e-9);  // nodes up to 3, powers up to 15: 1e7 double roundings
    }
  }
}

TEST(TileFormTest, TheTransformsAreTheirMatrices) {
  for (const TileForm& form : SupportedTileForms()) {
    SCOPED_TRACE(NameOf(form));
    const TileMatrices m = MatricesOf(form);
    const double bound = kEps * static_cast<double>(RoundingsOf(form, SupportedTargets().front()));
    const auto expect = [&](const Values& got, const Values& want, const Values& magnitude) {
      for (size_t i = 0; i < want.size(); ++i) ASSERT_NEAR(got[i], want[i], bound * magnitude[i]) << i;
    };
    const auto absolute = [](Values v) {
      for (double& x : v) x = std::abs(x);
      return v;
    };
    const Values d = RandomValues(form.samples), planes = RandomValues(form.planes());
    expect(TransformsOf<DoubleMath>(form).forward(d), Product(m.forward, form.planes(), d, false),
           TransformsOf<MagnitudeMath>(form).forward(absolute(d)));
    expect(TransformsOf<DoubleMath>(form).inverse(planes), Product(m.inverse, form.outputs(), planes, false),
           TransformsOf<MagnitudeMath>(form).inverse(absolute(planes)));
  }
}

TEST(TileFormTest, ProductsFollowFromTheForm) {
  EXPECT_DOUBLE_EQ((TileForm{TileForm::Kind::kToomCook, 10, 3, 1}).ProductsPerOutput(), 10.0 / 8);
  EXPECT_DOUBLE_EQ((TileForm{TileForm::Kind::kToomCook, 12, 11, 2}).ProductsPerOutput(), 24.0 / 7);
  EXPECT_DOUBLE_EQ((TileForm{TileForm::Kind::kFft, 34, 11, 1}).ProductsPerOutput(), 49.0 / 24);
  EXPECT_FALSE(IsSupported({TileForm::Kind::kToomCook, 7, 3, 1}));
  EXPECT_FALSE(IsSupported({TileForm::Kind::kFft, 34, 11, 2}));
  EXPECT_FALSE(IsSupported({TileForm::Kind::kToomCook, 10, 3, 0}));
}

// Two blocks of the widest kernel's registers, roughly.
constexpr size_t kTiles = 14;
size_t RowsOf(const TileForm& form, size_t dilation) { return kTiles / dilation * TileBlockRows(form, dilation); }

struct Shape {
  TileForm form;
  size_t rows, c_in, c_out, dilation;
  bool has_bias = true;
  bool is_fixed = false;  // products in whole numbers, by the target's kernel or else the reference
};

const FixedPlanesOps* FixedOpsFor(Target target) {
  const FixedPlanesOps* ops = FindFixedPlanesOps(target);
  return ops == nullptr ? &scalar::kFixedPlanesOps : ops;
}

// A convolution with its data; src has exactly the rows the contract says are read.
struct Problem {
  Problem(Target t, const Shape& shape, float scale_in = 1)
      : target(t),
        s(shape),
        stride(TileInputStride(s.c_in)),
        src(TileInputRows(s.form, s.dilation, s.rows) * stride),
        w(RandomVector(s.c_out * s.c_in * s.form.taps)),
        bias(RandomVector(s.has_bias ? s.c_out : 0)),
        residual(RandomVector(s.rows * (s.c_out + 2))),
        fixed(s.is_fixed ? FixedOpsFor(target) : nullptr),
        packed(TilePackedSize(s.form, s.c_in, s.c_out, s.is_fixed)),
        planes(TilePlanesSize(s.form, s.c_in, TilesOf(s.form, s.dilation, s.rows), s.is_fixed)),
        products(TileProductsSize(s.form, s.c_in, TilesOf(s.form, s.dilation, s.rows), s.is_fixed)),
        scale(scale_in) {
    const std::vector<float> values = RandomVector(src.size());
    std::copy(values.begin(), values.end(), src.data());
    for (AlignedBuffer<float>* scratch : {&planes, &products}) {
      std::fill_n(scratch->data(), scratch->size(), std::numeric_limits<float>::quiet_NaN());
    }
    AlignedBuffer<float> floats(TilePackedSize(s.form, s.c_in, s.c_out));
    const size_t panels = CeilDiv(s.c_out, kPanelWidth);
    for (size_t panel = 0; panel < panels; ++panel) {
      FindTileConvOps(target)->pack(s.form, w.data(), s.c_in, s.c_out, panel, panel + 1,
                                    s.is_fixed ? floats.data() : packed.data());
    }
    for (size_t plane = 0; s.is_fixed && plane < panels * s.form.planes(); ++plane) {
      fixed->pack(floats.data() + plane * s.c_in * kPanelWidth, s.c_in,
                  packed.data() + plane * FixedPlaneWeightsSize(s.c_in));
    }
  }
  TileConvArgs Args(GuardedOutput* dst, bool with_residual) {
    return {.form = s.form,
            .src = src.data(),
            .weights = packed.data(),
            .bias = bias.empty() ? nullptr : bias.data(),
            .residual = with_residual ? residual.data() : nullptr,
            .residual_stride = s.c_out + 2,
            .scale = scale,
            .dst = dst->data(),
            .dst_stride = dst->stride(),
            .rows = s.rows,
            .c_in = s.c_in,
            .c_out = s.c_out,
            .dilation = s.dilation,
            .planes = planes.data(),
            .products = products.data(),
            .fixed = fixed};
  }

  // The convolution, and the error that the form may make: what grows through forward, products and inverse when all
  // signs agree, times the roundings on the longest path.
  struct Exact {
    double value = 0, bound = 0;
  };
  Exact At(size_t t, size_t co, bool with_residual) const {
    const TileForm& form = s.form;
    const TileMatrices m = MatricesOf(form);
    const Transforms magnitudes = TransformsOf<MagnitudeMath>(form);
    const size_t block = s.dilation * form.outputs(), r = form.segment_taps();
    const size_t first = t / block * block + t % s.dilation, j = t % block / s.dilation;
    Values sums(form.planes());
    std::vector<Values> inputs(form.planes()), filters(form.planes());  // of each plane, for whole numbers
    Exact exact;
    for (size_t ci = 0; ci < s.c_in; ++ci) {
      for (size_t k = 0; k < form.taps; ++k) exact.value += double{X(t + k * s.dilation, ci)} * W(co, ci, k);
      for (size_t segment = 0; segment < form.segments; ++segment) {
        Values d(form.samples), taps(r);
        for (size_t i = 0; i < d.size(); ++i) d[i] = std::abs(X(first + (segment * r + i) * s.dilation, ci));
        for (size_t k = 0; k < r && segment * r + k < form.taps; ++k) taps[k] = W(co, ci, segment * r + k);
        const Values input =
            target == Target::kScalar ? Product(m.forward, form.planes(), d, true) : magnitudes.forward(d);
        const Values filter = Product(m.filter, form.planes(), taps, false);
        for (size_t p = 0; p < sums.size(); ++p) {
          sums[p] += std::abs(filter[p]) * input[p];
          inputs[p].push_back(input[p]);
          filters[p].push_back(std::abs(filter[p]));
        }
      }
    }
    const Values outputs =
        target == Target::kScalar ? Product(m.inverse, form.outputs(), sums, true) : magnitudes.inverse(sums);
    const size_t depth = form.segments * s.c_in;
    const size_t roundings =
        RoundingsOf(form, target) + 1 + std::min(depth, kSumBlock) + (depth + kSumBlock - 1) / kSumBlock + 4;
    double magnitude = outputs[j];
    if (!bias.empty()) {
      exact.value += bias[co];
      magnitude += std::abs(bias[co]);
    }
    if (with_residual) {
      const double x = residual[t * (s.c_out + 2) + co];
      exact.value = (exact.value + x) * scale;
      magnitude = (magnitude + std::abs(x)) * scale;
    }
    exact.bound = static_cast<double>(roundings) * kEps * magnitude;
    if (s.is_fixed) {
      for (size_t p = 0; p < sums.size(); ++p) sums[p] = FixedError(inputs[p], filters[p]);
      exact.bound += scale * (target == Target::kScalar ? Product(m.inverse, form.outputs(), sums, true)
                                                        : magnitudes.inverse(sums))[j];
    }
    return exact;
  }
  // Of one plane's sum of products: what half a scale on each side makes of it (fixed_planes.h), each scale taken over
  // all inputs, and three more roundings for each.
  static double FixedError(const Values& input, const Values& filter) {
    const auto half_scale = [](const Values& values) {
      double squares = 0;
      for (const double v : values) squares += v * v;
      return 0.50005 * std::sqrt(squares) / double{kFixedPlaneMax};
    };
    const double a_error = half_scale(input), b_error = half_scale(filter);
    double error = 0;
    for (size_t i = 0; i < input.size(); ++i) {
      error += a_error * filter[i] + (input[i] + a_error) * b_error + 12 * kEps * input[i] * filter[i];
    }
    return error;
  }
  float X(size_t t, size_t ci) const { return src[t * stride + ci]; }
  float W(size_t co, size_t ci, size_t k) const { return w[(co * s.c_in + ci) * s.form.taps + k]; }

  Target target;
  Shape s;
  size_t stride;
  AlignedBuffer<float> src;
  std::vector<float> w, bias, residual;
  const FixedPlanesOps* fixed;
  AlignedBuffer<float> packed, planes, products;
  float scale;
};

class TileConvTest : public testing::TestWithParam<Target> {
 protected:
  // Rows and channels in steps, since the exact error is costly.
  void Check(const Shape& s, bool with_residual, size_t row_step = 1, size_t channel_step = 1) {
    SCOPED_TRACE(testing::Message() << NameOf(s.form) << " rows " << s.rows << " c_in " << s.c_in << " c_out "
                                    << s.c_out << " dilation " << s.dilation << " residual " << with_residual);
    Problem p(GetParam(), s, with_residual ? 0.7f : 1.0f);
    GuardedOutput dst(s.rows, s.c_out);
    Run(p.Args(&dst, with_residual));
    dst.ExpectOnlyOutputWritten();
    for (size_t t = 0; t < s.rows; t += row_step) {
      for (size_t co = 0; co < s.c_out; co += channel_step) {
        const Problem::Exact exact = p.At(t, co, with_residual);
        ASSERT_NEAR(dst.at(t, co), exact.value, exact.bound) << "row " << t << " channel " << co;
      }
    }
  }
  void Run(const TileConvArgs& args) const {
    ops_.forward(args);
    ops_.multiply(args, 0, CeilDiv(args.c_out, kPanelWidth));
  }
  const TileConvOps& ops_ = *FindTileConvOps(GetParam());
};
INSTANTIATE_TEST_SUITE_P(Targets, TileConvTest, testing::ValuesIn(SupportedTargets()), TargetParamName);

TEST_P(TileConvTest, EveryFormAndDilation) {
  for (const TileForm& form : SupportedTileForms()) {
    for (const size_t dilation : {1, 3, 5}) {
      const size_t rows = RowsOf(form, dilation);
      Check({form, rows, 3, 33, dilation}, true, 7, 16);
      Check({form, rows - form.outputs(), 17, 32, dilation, false}, false, 11, 13);
      if (HasFatalFailure()) return;
    }
  }
}

TEST_P(TileConvTest, EveryFormWithProductsOfWholeNumbers) {
  for (const TileForm& form : SupportedTileForms()) {
    if (form.segments > 1) continue;
    for (const size_t dilation : {1, 3}) {
      Check({form, RowsOf(form, dilation), 17, 33, dilation, true, true}, true, 7, 16);
      Check({form, RowsOf(form, dilation) - form.outputs(), 130, 32, dilation, false, true}, false, 41, 29);
      Check({form, 1, 3, 7, dilation, true, true}, true);
      if (HasFatalFailure()) return;
    }
  }
}

TEST_P(TileConvTest, EveryNumberOfRows) {
  const TileForm form{TileForm::Kind::kToomCook, 8, 3, 1};
  for (size_t rows = 1; rows <= RowsOf(form, 1); ++rows) Check({form, rows, 2, 7, 1}, rows % 2 == 0, 5, 3);
  for (size_t rows = 1; rows <= RowsOf(form, 5); rows += 7) Check({form, rows, 2, 40, 5}, rows % 2 == 0, 5, 13);
}

TEST_P(TileConvTest, SumsOfSeveralBlocks) {
  Check({{TileForm::Kind::kToomCook, 10, 3, 1}, 96, 300, 64, 1}, true, 31, 21);
  Check({{TileForm::Kind::kToomCook, 12, 11, 2}, 84, 131, 40, 1}, false, 29, 13);
  Check({{TileForm::Kind::kFft, 34, 11, 1}, 288, 256, 64, 1}, true, 67, 31);
}

TEST_P(TileConvTest, WeightsAreRoundedOnce) {
  for (const TileForm& form : SupportedTileForms()) {
    SCOPED_TRACE(NameOf(form));
    const size_t c_in = 3, c_out = 35, r = form.segment_taps();
    const Problem p(GetParam(), {form, 1, c_in, c_out, 1});
    const TileMatrices m = MatricesOf(form);
    const size_t depth = form.segments * c_in;
    for (size_t co = 0; co < 64; ++co) {
      for (size_t i = 0; i < depth; ++i) {
        for (size_t plane = 0; plane < form.planes(); ++plane) {
          double want = 0, magnitude = 0;
          for (size_t k = 0, tap = i / c_in * r; co < c_out && k < r && tap < form.taps; ++k, ++tap) {
            const double term = m.filter[plane * r + k] * p.W(co, i % c_in, tap);
            want += term;
            magnitude += std::abs(term);
          }
          const float got = p.packed[((co / 32 * form.planes() + plane) * depth + i) * 32 + co % 32];
          ASSERT_NEAR(got, want, kEps * std::abs(want) + 1e-14 * magnitude);
        }
      }
    }
  }
}

TEST_P(TileConvTest, PackedPanelsExpandToTheSameWeights) {
  for (const TileForm& form : SupportedTileForms()) {
    SCOPED_TRACE(NameOf(form));
    const size_t c_in = 3, c_out = 35, r = form.segment_taps(), depth = form.segments * c_in;
    const Problem p(GetParam(), {form, 1, c_in, c_out, 1});
    AlignedBuffer<float> panels(PackedSize(form.taps, c_in, c_out)), expanded(form.planes() * depth * kPanelWidth);
    FindGemmOps(GetParam())->pack(p.w.data(), form.taps, c_in, c_out, 1, form.taps, c_in * form.taps, panels.data());
    const TileMatrices m = MatricesOf(form);
    AlignedBuffer<float> packed(TilePackedSize(form, c_in, c_out)), one(expanded.size());
    ops_.pack(form, p.w.data(), c_in, c_out, 0, 2, packed.data());
    for (size_t panel = 0; panel < 2; ++panel) {
      ops_.pack_panel(form, m.filter.data(), panels.data() + panel * form.taps * c_in * kPanelWidth, c_in, one.data());
      for (size_t i = 0; i < one.size(); ++i) ASSERT_EQ(one[i], packed[panel * one.size() + i]) << i;
      ops_.expand(form, TileFilterOf(form).data(), panels.data() + panel * form.taps * c_in * kPanelWidth, c_in,
                  expanded.data());
      for (size_t i = 0; i < expanded.size(); ++i) {
        const size_t co = panel * kPanelWidth + i % kPanelWidth, plane = i / kPanelWidth / depth;
        const size_t ci = i / kPanelWidth % depth % c_in, first = i / kPanelWidth % depth / c_in * r;
        double want = 0, magnitude = 0;
        for (size_t k = 0; co < c_out && k < r && first + k < form.taps; ++k) {
          const double term = m.filter[plane * r + k] * p.W(co, ci, first + k);
          want += term;
          magnitude += std::abs(term);
        }
        ASSERT_NEAR(expanded[i], want, static_cast<double>(r + 2) * kEps * magnitude);
      }
    }
  }
}

TEST_P(TileConvTest, ATileDoesNotDependOnTheRowsComputedWithIt) {
  for (const auto& [form, is_fixed] : {std::pair{TileForm{TileForm::Kind::kToomCook, 12, 7, 1}, false},
                                       {TileForm{TileForm::Kind::kFft, 34, 11, 1}, false},
                                       {TileForm{TileForm::Kind::kFft, 34, 11, 1}, true}}) {
    const size_t rows = RowsOf(form, 1), m = form.outputs();
    Problem p(GetParam(), {form, rows, 20, 45, 1, true, is_fixed});
    GuardedOutput together(rows, 45), alone(rows, 45);
    Run(p.Args(&together, true));
    for (size_t tile = 0; tile < kTiles;) {
      const size_t count = std::min(1 + tile % 5, kTiles - tile);
      TileConvArgs args = p.Args(&alone, true);
      args.src += tile * m * p.stride;
      args.residual += tile * m * args.residual_stride;
      args.dst += tile * m * args.dst_stride;
      args.rows = count * m - (tile == 0 ? 0 : 2);  // a partial tile computes the same
      Run(args);
      for (size_t t = tile * m; t < tile * m + args.rows; ++t) {
        for (size_t co = 0; co < 45; ++co) {
          ASSERT_EQ(std::bit_cast<uint32_t>(together.at(t, co)), std::bit_cast<uint32_t>(alone.at(t, co))) << t;
        }
      }
      tile += count;
    }
  }
}

TEST_P(TileConvTest, PanelsMayBeMadeInAnyOrder) {
  const TileForm form{TileForm::Kind::kToomCook, 6, 3, 1};
  Problem p(GetParam(), {form, 61, 20, 130, 1});
  GuardedOutput together(61, 130), apart(61, 130);
  Run(p.Args(&together, true));
  const TileConvArgs args = p.Args(&apart, true);
  ops_.forward(args);
  for (const size_t panel : {4, 0, 3, 1, 2}) ops_.multiply(args, panel, panel + 1);
  apart.ExpectOnlyOutputWritten();
  for (size_t t = 0; t < 61; ++t) {
    for (size_t co = 0; co < 130; ++co) ASSERT_EQ(together.at(t, co), apart.at(t, co));
  }
}

TEST_P(TileConvTest, ASecondAddendIsAddedBeforeTheScale) {
  const TileForm form{TileForm::Kind::kToomCook, 8, 5, 1};
  const size_t rows = 50, c_out = 70;  // partial tiles and panels
  Problem p(GetParam(), {form, rows, 6, c_out, 1}, 0.25f);
  const std::vector<float> addend = RandomVector(rows * c_out);
  GuardedOutput plain(rows, c_out), in_place(rows, c_out);
  p.scale = 1;
  Run(p.Args(&plain, true));
  TileConvArgs args = p.Args(&in_place, true);
  args.scale = 0.25f;
  args.addend = args.dst;
  args.addend_stride = args.dst_stride;
  for (size_t t = 0; t < rows; ++t) {
    for (size_t co = 0; co < c_out; ++co) in_place.Set(t, co, addend[t * c_out + co]);
  }
  Run(args);
  in_place.ExpectOnlyOutputWritten();
  for (size_t t = 0; t < rows; ++t) {
    for (size_t co = 0; co < c_out; ++co) {
      ASSERT_EQ(in_place.at(t, co), (plain.at(t, co) + addend[t * c_out + co]) * 0.25f);
    }
  }
}

TEST_P(TileConvTest, ResidualMayBeTheOutputItself) {
  const TileForm form{TileForm::Kind::kToomCook, 10, 3, 1};
  const size_t rows = 90, c_out = 70;
  Problem p(GetParam(), {form, rows, 6, c_out, 3});
  GuardedOutput apart(rows, c_out), in_place(rows, c_out);
  Run(p.Args(&apart, true));
  TileConvArgs args = p.Args(&in_place, true);
  for (size_t t = 0; t < rows; ++t) {
    for (size_t co = 0; co < c_out; ++co) in_place.Set(t, co, p.residual[t * args.residual_stride + co]);
  }
  args.residual = args.dst;
  args.residual_stride = args.dst_stride;
  Run(args);
  for (size_t t = 0; t < rows; ++t) {
    for (size_t co = 0; co < c_out; ++co) ASSERT_EQ(in_place.at(t, co), apart.at(t, co));
  }
  in_place.ExpectOnlyOutputWritten();
}

TEST_P(TileConvTest, ANanStaysInTheTilesThatReadIt) {
  for (const bool is_fixed : {false, true}) {
    const TileForm form{TileForm::Kind::kToomCook, 10, 3, 1};
    const size_t rows = 96, bad_row = 21;  // tile 2 covers rows 16 ... 23 and reads 16 ... 25
    Problem p(GetParam(), {form, rows, 4, 33, 1, true, is_fixed});
    p.src[bad_row * p.stride + 2] = std::numeric_limits<float>::quiet_NaN();
    GuardedOutput dst(rows, 33);
    Run(p.Args(&dst, false));
    for (size_t t = 0; t < rows; ++t) {
      const bool reaches = t + 2 >= bad_row && t <= bad_row, may = t / 8 == 2;
      for (size_t co = 0; co < 33; ++co) {
        if (reaches) {
          ASSERT_TRUE(std::isnan(dst.at(t, co))) << t;
        } else if (!may) {
          ASSERT_TRUE(std::isfinite(dst.at(t, co))) << t;
        }
      }
    }
  }
}

TEST_P(TileConvTest, NoRowsWriteNothing) {
  Problem p(GetParam(), {{TileForm::Kind::kFft, 34, 7, 1}, 1, 4, 33, 1});
  GuardedOutput dst(0, 33);
  TileConvArgs args = p.Args(&dst, false);
  args.rows = 0;
  Run(args);
  dst.ExpectOnlyOutputWritten();
}

}  // namespace
}  // namespace koe::kernels
