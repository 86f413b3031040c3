// SPDX-License-Identifier: Apache-2.0
#include "kernels/activation/activation.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/activation/activation.cc"
#include "kernels/simd_targets.h"
//
#include "hwy/foreach_target.h"
//
#include "hwy/cache_control.h"
#include "hwy/highway.h"
#include "kernels/math/map-inl.h"
#include "kernels/math/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace koe::kernels::HWY_NAMESPACE {
#if KOE_IS_VECTOR_TARGET
namespace {

using DF = hn::ScalableTag<float>;
using VF = hn::Vec<DF>;

// dst[t][c] = op(src[t][c]) with op = make(load) holding the constants of one vector of channels, read by load(array).
// A few rows at a time go through one vector of channels, so that the constants stay in registers; the rows of a group
// stay in the first-level cache.
template <class Make>
HWY_INLINE void MapChannels(const float* src, size_t src_stride, size_t rows, size_t channels, float* dst,
                            size_t dst_stride, Make make) {
  const DF d;
  const size_t lanes = hn::Lanes(d);
  const size_t group = channels <= 256 ? 16 : 8;
  for (size_t first = 0; first < rows; first += group) {
    const size_t count = rows - first < group ? rows - first : group;
    const float* s = src + first * src_stride;
    float* o = dst + first * dst_stride;
    size_t c = 0;
    for (; c + lanes <= channels; c += lanes) {
      const auto op = make([c](const float* array) HWY_ATTR { return hn::LoadU(DF(), array + c); });
      for (size_t t = 0; t < count; ++t) {
        // A column of rows is no stream that hardware would see coming: the next group's row is fetched here. Snake
        // over rows in memory takes a fifth of the time without.
        hwy::Prefetch(s + (t + group) * src_stride + c);
        hn::StoreU(op(hn::LoadU(d, s + t * src_stride + c)), d, o + t * dst_stride + c);
      }
    }
    if (c < channels) {
      const size_t rest = channels - c;
      const auto op = make([c, rest](const float* array) HWY_ATTR { return LoadFirst(DF(), array + c, rest); });
      for (size_t t = 0; t < count; ++t) {
        StoreFirst(op(LoadFirst(d, s + t * src_stride + c, rest)), d, o + t * dst_stride + c, rest);
      }
    }
  }
}

struct AffineOp {
  VF mean, scale, shift;
  HWY_INLINE VF operator()(VF x) const { return hn::MulAdd(hn::Sub(x, mean), scale, shift); }
};

template <class Load>
HWY_INLINE AffineOp MakeAffine(const ChannelAffine& affine, Load load) {
  return {load(affine.mean), load(affine.scale), load(affine.shift)};
}

// sin^2(alpha y) = sin^2(pi f), f = alpha y / pi less the nearest whole number. alpha / pi has two words and the
// product keeps its rounding error, so f is good to eps/2 whatever the size of alpha y; sin^2 is g Q(g), g = f^2. Q:
// minimax on |f| <= 0.5003, 6.6e-9 (kernels.md advice 5, refitted for coefficients rounded to float32).
struct SnakeOp {
  AffineOp affine;
  VF alpha_over_pi, alpha_over_pi_low, inv_alpha;

  HWY_INLINE VF operator()(VF x) const {
    const DF d;
    const VF y = affine(x);
    const VF v = hn::Mul(y, alpha_over_pi);
    const VF v_low = hn::MulAdd(y, alpha_over_pi_low, hn::MulSub(y, alpha_over_pi, v));
    const VF f = hn::Add(hn::Sub(v, hn::Round(v)), v_low);
    const VF g = hn::Mul(f, f);
    VF q = hn::Set(d, -3.27909517f);
    q = hn::MulAdd(q, g, hn::Set(d, 12.995595f));
    q = hn::MulAdd(q, g, hn::Set(d, -30.0873985f));
    q = hn::MulAdd(q, g, hn::Set(d, 42.7255821f));
    q = hn::MulAdd(q, g, hn::Set(d, -32.469593f));
    q = hn::MulAdd(q, g, hn::Set(d, 9.86960316f));
    return hn::MulAdd(hn::Mul(q, g), inv_alpha, y);
  }
};

void SnakeAffine(const float* src, size_t src_stride, size_t rows, size_t channels, const ChannelAffine& affine,
                 const float* alpha, const float* inv_alpha, float* dst, size_t dst_stride) {
  MapChannels(src, src_stride, rows, channels, dst, dst_stride, [&](auto load) HWY_ATTR {
    const VF a = load(alpha);
    const VF inv_pi = hn::Set(DF(), 0.318309873f), inv_pi_low = hn::Set(DF(), 1.28412765e-08f);
    const VF high = hn::Mul(a, inv_pi);
    const VF low = hn::MulAdd(a, inv_pi_low, hn::MulSub(a, inv_pi, high));
    return SnakeOp{MakeAffine(affine, load), high, low, load(inv_alpha)};
  });
}

// y > 0 ? y : slope y; NaN stays NaN.
struct LeakyReluOp {
  VF slope;
  HWY_INLINE VF operator()(VF y) const { return hn::IfThenElse(hn::Gt(y, hn::Zero(DF())), y, hn::Mul(slope, y)); }
};

struct LeakyReluAffineOp {
  AffineOp affine;
  LeakyReluOp leaky_relu;
  HWY_INLINE VF operator()(VF x) const { return leaky_relu(affine(x)); }
};

void LeakyReluAffine(const float* src, size_t src_stride, size_t rows, size_t channels, const ChannelAffine& affine,
                     float slope, float* dst, size_t dst_stride) {
  MapChannels(src, src_stride, rows, channels, dst, dst_stride, [&](auto load) HWY_ATTR {
    return LeakyReluAffineOp{MakeAffine(affine, load), LeakyReluOp{hn::Set(DF(), slope)}};
  });
}

void LeakyRelu(const float* src, size_t count, float slope, float* dst) {
  const LeakyReluOp op{hn::Set(DF(), slope)};
  Map(DF(), src, count, dst, [op](auto, auto x) HWY_ATTR { return op(x); });
}

// x sigmoid(t), t = 2 sqrt(2/pi) (x + 0.044715 x^3): no cancellation at x < 0, unlike 1 + tanh.
void Gelu(const float* src, size_t count, float* dst) {
  Map(DF(), src, count, dst, [](auto d, auto x) HWY_ATTR {
    const auto square = hn::Mul(x, x);
    const auto t = hn::Mul(x, hn::MulAdd(square, hn::Set(d, 0.0713548163f), hn::Set(d, 1.59576912f)));
    return hn::Mul(x, Sigmoid(d, t));
  });
}

constexpr ActivationOps kActivationOps{SnakeAffine, LeakyReluAffine, LeakyRelu, Gelu};

}  // namespace
#endif  // KOE_IS_VECTOR_TARGET
}  // namespace koe::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace koe::kernels {

const ActivationOps* FindActivationOps(Target target) {
  switch (target) {
    KOE_VECTOR_CASES(kActivationOps)
    default:
      return &scalar::kActivationOps;
  }
}

}  // namespace koe::kernels
#endif  // HWY_ONCE
