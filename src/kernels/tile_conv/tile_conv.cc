// SPDX-License-Identifier: Apache-2.0
#include "kernels/tile_conv/tile_conv.h"

#include <algorithm>
#include <vector>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/tile_conv/tile_conv.cc"
#include "kernels/simd_targets.h"
//
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"
#include "kernels/gemm/panel-inl.h"
#include "kernels/tile_conv/layout.h"
#include "kernels/tile_conv/transforms-inl.h"

HWY_BEFORE_NAMESPACE();
namespace koe::kernels::HWY_NAMESPACE {
#if KOE_IS_VECTOR_TARGET
namespace {

// Vectors of channels.
struct ChannelMath {
  using V = PanelVec;
  static HWY_INLINE V Set(float x) { return hn::Set(kPanelTag, x); }
  static HWY_INLINE V Add(V a, V b) { return hn::Add(a, b); }
  static HWY_INLINE V Sub(V a, V b) { return hn::Sub(a, b); }
  static HWY_INLINE V Mul(V a, V b) { return hn::Mul(a, b); }
  static HWY_INLINE V MulAdd(V a, V b, V c) { return hn::MulAdd(a, b, c); }
  static HWY_INLINE V MulSub(V a, V b, V c) { return hn::MulSub(a, b, c); }
  static HWY_INLINE V NegMulAdd(V a, V b, V c) { return hn::NegMulAdd(a, b, c); }
};

// One tile, all channels: rows src + j * step -> planes dst + p * plane.
template <class Form>
HWY_NOINLINE void ForwardTile(const float* src, size_t step, size_t channels, float* dst, size_t plane) {
  for (size_t c = 0; c < channels; c += kVecLanes) {
    Form::Forward([=](size_t j) HWY_ATTR { return hn::Load(kPanelTag, src + j * step + c); },
                  [=](size_t p, PanelVec v) HWY_ATTR { hn::StoreU(v, kPanelTag, dst + p * plane + c); });
  }
}

// One tile, one panel of channels: planes src + p * plane -> rows dst + j * dst_step.
struct InverseArgs {
  const float* src;
  size_t plane;
  const float* bias;      // [kPanelWidth]
  const float* residual;  // used with kAddends >= 1
  size_t residual_step;
  const float* addend;  // used with kAddends == 2
  size_t addend_step;
  float scale;
  float* dst;
  size_t dst_step;
};

template <class Form, size_t kOutputs, size_t kAddends>
HWY_NOINLINE void InverseTile(const InverseArgs& args) {
  const PanelVec scale = hn::Set(kPanelTag, args.scale);
  for (size_t c = 0; c < kPanelWidth; c += kVecLanes) {
    const float* src = args.src + c;
    const PanelVec bias = hn::Load(kPanelTag, args.bias + c);
    Form::template Inverse<kOutputs>(
        [&](size_t p) HWY_ATTR { return hn::Load(kPanelTag, src + p * args.plane); },
        [&](size_t j, PanelVec y) HWY_ATTR {
          PanelVec out = hn::Add(y, bias);
          if constexpr (kAddends >= 1) {
            out = hn::Add(out, hn::LoadU(kPanelTag, args.residual + j * args.residual_step + c));
          }
          if constexpr (kAddends == 2) {
            out = hn::Add(out, hn::LoadU(kPanelTag, args.addend + j * args.addend_step + c));
          }
          if constexpr (kAddends >= 1) out = hn::Mul(out, scale);
          hn::StoreU(out, kPanelTag, args.dst + j * args.dst_step + c);
        });
  }
}

struct FormFunctions {
  void (*forward)(const float* src, size_t step, size_t channels, float* dst, size_t plane) = nullptr;
  void (*inverse[3])(const InverseArgs& args) = {};  // by the number of addends
};

template <class Form, size_t kTaps>
FormFunctions MakeFunctions() {
  constexpr size_t kOutputs = Form::kSamples - kTaps + 1;
  return {ForwardTile<Form>,
          {InverseTile<Form, kOutputs, 0>, InverseTile<Form, kOutputs, 1>, InverseTile<Form, kOutputs, 2>}};
}

template <size_t kPoints>
FormFunctions ToomCookFunctions(size_t taps) {
  using Form = ToomCook<ChannelMath, kPoints>;
  switch (taps) {
    case 2:
      if constexpr (kPoints <= 8) return MakeFunctions<Form, 2>();
      break;
    case 3:
      if constexpr (kPoints <= 14) return MakeFunctions<Form, 3>();
      break;
    case 4:
      if constexpr (kPoints == 6 || kPoints == 8) return MakeFunctions<Form, 4>();
      break;
    case 5:
      if constexpr (kPoints >= 6 && kPoints <= 10) return MakeFunctions<Form, 5>();
      break;
    case 6:
      if constexpr (kPoints >= 10 && kPoints <= 14) return MakeFunctions<Form, 6>();
      break;
    case 7:
      if constexpr (kPoints >= 10) return MakeFunctions<Form, 7>();
      break;
    case 11:
      if constexpr (kPoints == 16) return MakeFunctions<Form, 11>();
      break;
    default:
      break;
  }
  return {};
}

FormFunctions FunctionsOf(const TileForm& form) {
  const size_t taps = form.segment_taps();
  if (form.kind == TileForm::Kind::kFft) {
    using Form = Fft32<ChannelMath>;
    return taps == 3 ? MakeFunctions<Form, 3>() : taps == 7 ? MakeFunctions<Form, 7>() : MakeFunctions<Form, 11>();
  }
  switch (form.samples) {
    case 4:
      return ToomCookFunctions<4>(taps);
    case 6:
      return ToomCookFunctions<6>(taps);
    case 8:
      return ToomCookFunctions<8>(taps);
    case 10:
      return ToomCookFunctions<10>(taps);
    case 12:
      return ToomCookFunctions<12>(taps);
    case 14:
      return ToomCookFunctions<14>(taps);
    default:
      return ToomCookFunctions<16>(taps);
  }
}

// Weights stream from L3 once a group: they are fetched around L2 (the non-temporal hint), so that it keeps the
// transformed input and the products. 2 KiB ahead are 16 steps of 24 FMAs, a little more than L3's latency.
constexpr size_t kPrefetchAhead = 512;

// products[r][lane] = sum_i input[r][i] weights[i][lane], in blocks of kSumBlock.
template <size_t kRows, bool kOnce>
HWY_NOINLINE void ProductTile(const float* input, size_t row_step, size_t depth, const float* w, float* products) {
  PanelVec sum[kRows][kTileVecs];
  for (size_t first = 0; first < depth; first += kSumBlock) {
    const size_t count = HWY_MIN(kSumBlock, depth - first);
    const float* x0 = input + first;
    const float* x3 = x0 + (kRows > 3 ? 3 * row_step : 0);
    const float* x6 = x3 + (kRows > 6 ? 3 * row_step : 0);
    const float* x9 = x6 + (kRows > 9 ? 3 * row_step : 0);
    HWY_UNROLL(12)
    for (size_t r = 0; r < kRows; ++r) {
      HWY_UNROLL(4)
      for (size_t v = 0; v < kTileVecs; ++v) sum[r][v] = hn::Zero(kPanelTag);
    }
    for (size_t i = 0; i < count; ++i, w += kPanelWidth) {
      HWY_UNROLL(2)
      for (size_t lane = 0; lane < kTileLanes; lane += 16)
        __builtin_prefetch(w + kPrefetchAhead + lane, 0, kOnce ? 0 : 3);
      PanelVec weights[kTileVecs];
      HWY_UNROLL(4)
      for (size_t v = 0; v < kTileVecs; ++v) weights[v] = hn::Load(kPanelTag, w + v * kVecLanes);
      HWY_UNROLL(12)
      for (size_t r = 0; r < kRows; ++r) {
        const float* x = r < 3 ? x0 : r < 6 ? x3 : r < 9 ? x6 : x9;
        const PanelVec value = hn::Set(kPanelTag, x[(r % 3) * row_step + i]);
        HWY_UNROLL(4)
        for (size_t v = 0; v < kTileVecs; ++v) sum[r][v] = hn::MulAdd(value, weights[v], sum[r][v]);
      }
    }
    if (first == 0) {
      HWY_UNROLL(12)
      for (size_t r = 0; r < kRows; ++r) {
        HWY_UNROLL(4)
        for (size_t v = 0; v < kTileVecs; ++v) {
          hn::Store(sum[r][v], kPanelTag, products + r * kPanelWidth + v * kVecLanes);
        }
      }
    } else {
      HWY_UNROLL(12)
      for (size_t r = 0; r < kRows; ++r) {
        HWY_UNROLL(4)
        for (size_t v = 0; v < kTileVecs; ++v) {
          float* out = products + r * kPanelWidth + v * kVecLanes;
          hn::Store(hn::Add(hn::Load(kPanelTag, out), sum[r][v]), kPanelTag, out);
        }
      }
    }
  }
}

template <bool kOnce, size_t kRows = kTileRows>
void RunProductTile(size_t rows, const float* input, size_t row_step, size_t depth, const float* w, float* products) {
  if constexpr (kRows > 1) {
    if (rows < kRows) return RunProductTile<kOnce, kRows - 1>(rows, input, row_step, depth, w, products);
  }
  ProductTile<kRows, kOnce>(input, row_step, depth, w, products);
}

// products[tile][lane] = input[tile][depth] weights[depth][lane], tiles in blocks of registers.
void MultiplyPlane(const TileConvLayout& layout, const float* input, const float* weights, float* products) {
  const size_t blocks = (layout.tiles + kTileRows - 1) / kTileRows;
  const auto run = blocks == 1 ? RunProductTile<true> : RunProductTile<false>;
  for (size_t column = 0; column < kPanelWidth; column += kTileLanes) {
    for (size_t block = 0; block < blocks; ++block) {
      const size_t first = block * layout.tiles / blocks;
      run((block + 1) * layout.tiles / blocks - first, input + first * layout.input_row, layout.input_row, layout.depth,
          weights + column, products + first * kPanelWidth + column);
    }
  }
}

// The end of a tile that is not whole in rows or channels: through a buffer, with the same operations.
void InversePartialTile(const FormFunctions& functions, const InverseArgs& args, size_t addends, size_t outputs,
                        size_t channels) {
  HWY_ALIGN float buffer[32 * kPanelWidth];
  HWY_ALIGN static constexpr float kZeros[kPanelWidth] = {};
  InverseArgs plain = args;
  plain.bias = kZeros;
  plain.dst = buffer;
  plain.dst_step = kPanelWidth;
  functions.inverse[0](plain);
  for (size_t j = 0; j < outputs; ++j) {
    for (size_t c = 0; c < channels; ++c) {
      float out = buffer[j * kPanelWidth + c] + args.bias[c];
      if (addends >= 1) out += args.residual[j * args.residual_step + c];
      if (addends == 2) out += args.addend[j * args.addend_step + c];
      if (addends >= 1) out *= args.scale;
      args.dst[j * args.dst_step + c] = out;
    }
  }
}

void Forward(const TileConvArgs& args) {
  const TileForm& form = args.form;
  const FormFunctions functions = FunctionsOf(form);
  const TileConvLayout layout(args);
  const size_t stride = TileInputStride(args.c_in), step = args.dilation * stride;
  for (size_t tile = 0; tile < layout.tiles; ++tile) {
    const float* first = args.src + FirstRowOfTile(form, args.dilation, tile) * stride;
    float* planes = args.planes + tile * layout.input_row;
    if (args.fixed != nullptr) {
      // A tile's planes in float32 stay in L1 or L2 until they are whole numbers.
      functions.forward(first, step, args.c_in, args.products, layout.FloatRow());
      args.fixed->quantise(args.products, layout.FloatRow(), layout.depth, layout.planes, planes, layout.input_plane);
      continue;
    }
    for (size_t s = 0; s < form.segments; ++s) {
      functions.forward(first + s * form.segment_taps() * step, step, args.c_in, planes + s * args.c_in,
                        layout.input_plane);
    }
  }
}

// Products -> the panel of output channels that starts at `column`.
void Inverse(const TileConvArgs& args, const TileConvLayout& layout, const FormFunctions& functions, size_t column) {
  const TileForm& form = args.form;
  const size_t channels = std::min(kPanelWidth, args.c_out - column);
  const size_t addends = args.residual == nullptr ? 0 : args.addend == nullptr ? 1 : 2;
  HWY_ALIGN float bias[kPanelWidth] = {};
  if (args.bias != nullptr) std::copy_n(args.bias + column, channels, bias);
  for (size_t tile = 0; tile < layout.tiles; ++tile) {
    const size_t row = FirstRowOfTile(form, args.dilation, tile);
    const size_t outputs = OutputsOfTile(form, args.dilation, row, args.rows);
    if (outputs == 0) continue;
    const InverseArgs inverse{.src = args.products + tile * kPanelWidth,
                              .plane = layout.product_plane,
                              .bias = bias,
                              .residual = addends >= 1 ? args.residual + row * args.residual_stride + column : nullptr,
                              .residual_step = args.dilation * args.residual_stride,
                              .addend = addends == 2 ? args.addend + row * args.addend_stride + column : nullptr,
                              .addend_step = args.dilation * args.addend_stride,
                              .scale = args.scale,
                              .dst = args.dst + row * args.dst_stride + column,
                              .dst_step = args.dilation * args.dst_stride};
    if (outputs < form.outputs() || channels < kPanelWidth) {
      InversePartialTile(functions, inverse, addends, outputs, channels);
    } else {
      functions.inverse[addends](inverse);
    }
  }
}

// The rows of output and residual that the inverse transform is about to touch: they are in memory, not in a cache.
// (Inlined: g++ 12 takes a function that only prefetches for one without effect and drops the call.)
HWY_INLINE void PrefetchRows(const TileConvArgs& args, size_t column, size_t first, size_t last) {
  for (size_t row = first; row < last; ++row) {
    const float* dst = args.dst + row * args.dst_stride + column;
    __builtin_prefetch(dst, 1, 3);
    __builtin_prefetch(dst + kPanelWidth - 1, 1, 3);
    if (args.residual == nullptr || args.residual == args.dst) continue;
    const float* residual = args.residual + row * args.residual_stride + column;
    __builtin_prefetch(residual, 0, 3);
    __builtin_prefetch(residual + kPanelWidth - 1, 0, 3);
  }
}

template <bool kInverse>
void Multiply(const TileConvArgs& args, size_t first_panel, size_t last_panel) {
  const FormFunctions functions = FunctionsOf(args.form);
  const TileConvLayout layout(args);
  for (size_t panel = first_panel; panel < last_panel; ++panel) {
    const float* weights = args.weights + panel * layout.planes * layout.weights_plane;
    for (size_t p = 0; p < layout.planes; ++p) {
      if constexpr (kInverse) {
        PrefetchRows(args, panel * kPanelWidth, p * args.rows / layout.planes, (p + 1) * args.rows / layout.planes);
      }
      const float* input = args.planes + p * layout.input_plane;
      float* products = args.products + p * layout.product_plane;
      if (args.fixed != nullptr) {
        args.fixed->multiply(input, layout.input_row, layout.tiles, layout.depth, weights + p * layout.weights_plane,
                             products);
      } else {
        MultiplyPlane(layout, input, weights + p * layout.weights_plane, products);
      }
    }
    if constexpr (kInverse) Inverse(args, layout, functions, panel * kPanelWidth);
  }
}

// sums[lane] = sum_k filter[k] taps[k][lane], in double, over one panel of output channels.
void FilterRow(const double* filter, size_t num_taps, const double* taps, float* packed) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, decltype(d)> df;
  for (size_t lane = 0; lane < kPanelWidth; lane += hn::Lanes(d)) {
    auto sum = hn::Mul(hn::Set(d, filter[0]), hn::Load(d, taps + lane));
    for (size_t k = 1; k < num_taps; ++k) {
      sum = hn::MulAdd(hn::Set(d, filter[k]), hn::Load(d, taps + k * kPanelWidth + lane), sum);
    }
    hn::Store(hn::DemoteTo(df, sum), df, packed + lane);
  }
}

void Pack(const TileForm& form, const float* w, size_t c_in, size_t c_out, size_t first_panel, size_t last_panel,
          float* packed) {
  const TileMatrices matrices = MatricesOf(form);
  const TileConvLayout layout(form, c_in, 1, false);
  const size_t r = form.segment_taps();
  HWY_ALIGN double taps[16 * kPanelWidth];
  for (size_t panel = first_panel; panel < last_panel; ++panel) {
    float* out = packed + panel * layout.planes * layout.weights_plane;
    for (size_t s = 0; s < form.segments; ++s) {
      for (size_t ci = 0; ci < c_in; ++ci) {
        for (size_t lane = 0; lane < kPanelWidth; ++lane) {
          const size_t co = panel * kPanelWidth + lane;
          for (size_t k = 0; k < r; ++k) {
            const size_t tap = s * r + k;
            taps[k * kPanelWidth + lane] = co < c_out && tap < form.taps ? w[(co * c_in + ci) * form.taps + tap] : 0.0;
          }
        }
        for (size_t p = 0; p < layout.planes; ++p) {
          FilterRow(matrices.filter.data() + p * r, r, taps,
                    out + p * layout.weights_plane + (s * c_in + ci) * kPanelWidth);
        }
      }
    }
  }
}

void PackPanel(const TileForm& form, const double* filter, const float* panel, size_t c_in, float* packed) {
  const TileConvLayout layout(form, c_in, 1, false);
  const size_t r = form.segment_taps();
  HWY_ALIGN double taps[16 * kPanelWidth];
  for (size_t s = 0; s < form.segments; ++s) {
    for (size_t ci = 0; ci < c_in; ++ci) {
      for (size_t k = 0; k < r; ++k) {
        const size_t tap = s * r + k;
        for (size_t lane = 0; lane < kPanelWidth; ++lane) {
          taps[k * kPanelWidth + lane] = tap < form.taps ? panel[(tap * c_in + ci) * kPanelWidth + lane] : 0.0;
        }
      }
      for (size_t p = 0; p < layout.planes; ++p) {
        FilterRow(filter + p * r, r, taps, packed + p * layout.weights_plane + (s * c_in + ci) * kPanelWidth);
      }
    }
  }
}

void Expand(const TileForm& form, const float* filter, const float* panel, size_t c_in, float* expanded) {
  const TileConvLayout layout(form, c_in, 1, false);
  const size_t r = form.segment_taps();
  constexpr size_t kVecs = kPanelWidth / kVecLanes;
  for (size_t s = 0; s < form.segments; ++s) {
    const size_t taps = std::min(r, form.taps - s * r);
    for (size_t p = 0; p < layout.planes; ++p) {
      const float* coefficients = filter + p * r;
      const float* src = panel + s * r * c_in * kPanelWidth;
      float* dst = expanded + p * layout.weights_plane + s * c_in * kPanelWidth;
      for (size_t i = 0; i < c_in * kVecs; ++i) {
        PanelVec sum = hn::Mul(hn::Set(kPanelTag, coefficients[0]), hn::Load(kPanelTag, src + i * kVecLanes));
        for (size_t k = 1; k < taps; ++k) {
          sum = hn::MulAdd(hn::Set(kPanelTag, coefficients[k]),
                           hn::Load(kPanelTag, src + (k * c_in * kVecs + i) * kVecLanes), sum);
        }
        hn::Store(sum, kPanelTag, dst + i * kVecLanes);
      }
    }
  }
}

constexpr TileConvOps kTileConvOps{Pack, Expand, PackPanel, Forward, Multiply<true>, Multiply<false>};

}  // namespace
#endif  // KOE_IS_VECTOR_TARGET
}  // namespace koe::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace koe::kernels {

size_t TilePackedSize(const TileForm& form, size_t c_in, size_t c_out, bool is_fixed) {
  const TileConvLayout layout(form, c_in, 1, is_fixed);
  return (c_out + kPanelWidth - 1) / kPanelWidth * layout.planes * layout.weights_plane;
}
size_t TilePlanesSize(const TileForm& form, size_t c_in, size_t tiles, bool is_fixed) {
  return form.planes() * TileConvLayout(form, c_in, tiles, is_fixed).input_plane;
}
size_t TileProductsSize(const TileForm& form, size_t c_in, size_t tiles, bool is_fixed) {
  const TileConvLayout layout(form, c_in, tiles, is_fixed);
  return form.planes() * std::max(layout.product_plane, is_fixed ? layout.FloatRow() : 0);
}

std::vector<float> TileFilterOf(const TileForm& form) {
  const std::vector<double> filter = MatricesOf(form).filter;
  return {filter.begin(), filter.end()};
}

const TileConvOps* FindTileConvOps(Target target) {
  switch (target) {
    KOE_VECTOR_CASES(kTileConvOps)
    default:
      return &scalar::kTileConvOps;
  }
}

}  // namespace koe::kernels
#endif  // HWY_ONCE
