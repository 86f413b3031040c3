// SPDX-License-Identifier: Apache-2.0
#include "kernels/norm/norm.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/norm/norm.cc"
#include "kernels/simd_targets.h"
//
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"
#include "kernels/math/map-inl.h"

HWY_BEFORE_NAMESPACE();
namespace koe::kernels::HWY_NAMESPACE {
#if KOE_IS_VECTOR_TARGET
namespace {

using DF = hn::ScalableTag<float>;
using VF = hn::Vec<DF>;

// kVecs adjacent vectors of channels at once, to hide the latency of the additions.
template <size_t kVecs>
HWY_NOINLINE void StatsColumns(const float* x, size_t stride, size_t rows, const float* pivot, float* sum,
                               float* sum_sq) {
  const DF d;
  const size_t lanes = hn::Lanes(d);
  VF p[kVecs], s[kVecs], q[kVecs];
  HWY_UNROLL(4)
  for (size_t v = 0; v < kVecs; ++v) {
    p[v] = hn::LoadU(d, pivot + v * lanes);
    s[v] = q[v] = hn::Zero(d);
  }
  for (size_t t = 0; t < rows; ++t) {
    const float* row = x + t * stride;
    HWY_UNROLL(4)
    for (size_t v = 0; v < kVecs; ++v) {
      const VF centred = hn::Sub(hn::LoadU(d, row + v * lanes), p[v]);
      s[v] = hn::Add(s[v], centred);
      q[v] = hn::MulAdd(centred, centred, q[v]);
    }
  }
  HWY_UNROLL(4)
  for (size_t v = 0; v < kVecs; ++v) {
    hn::StoreU(s[v], d, sum + v * lanes);
    hn::StoreU(q[v], d, sum_sq + v * lanes);
  }
}

void BlockStats(const float* x, size_t stride, size_t rows, size_t channels, const float* pivot, float* sum,
                float* sum_sq) {
  if (rows == 0) return scalar::kNormOps.block_stats(x, stride, rows, channels, pivot, sum, sum_sq);
  const DF d;
  const size_t lanes = hn::Lanes(d);
  size_t c = 0;
  for (; c + 4 * lanes <= channels; c += 4 * lanes) {
    StatsColumns<4>(x + c, stride, rows, pivot + c, sum + c, sum_sq + c);
  }
  for (; c + lanes <= channels; c += lanes) {
    StatsColumns<1>(x + c, stride, rows, pivot + c, sum + c, sum_sq + c);
  }
  if (c == channels) return;
  const size_t rest = channels - c;
  const VF p = LoadFirst(d, pivot + c, rest);
  VF s = hn::Zero(d), q = hn::Zero(d);
  for (size_t t = 0; t < rows; ++t) {
    const VF centred = hn::Sub(LoadFirst(d, x + t * stride + c, rest), p);
    s = hn::Add(s, centred);
    q = hn::MulAdd(centred, centred, q);
  }
  StoreFirst(s, d, sum + c, rest);
  StoreFirst(q, d, sum_sq + c, rest);
}

// (residual == null ? src : src + residual) -> dst, and its sum.
HWY_INLINE float AddAndSum(const float* src, const float* residual, size_t channels, float* dst) {
  const DF d;
  const size_t lanes = hn::Lanes(d);
  VF sum0 = hn::Zero(d), sum1 = hn::Zero(d);
  size_t c = 0;
  for (; c + 2 * lanes <= channels; c += 2 * lanes) {
    VF x0 = hn::LoadU(d, src + c), x1 = hn::LoadU(d, src + c + lanes);
    if (residual != nullptr) {
      x0 = hn::Add(x0, hn::LoadU(d, residual + c));
      x1 = hn::Add(x1, hn::LoadU(d, residual + c + lanes));
    }
    hn::StoreU(x0, d, dst + c);
    hn::StoreU(x1, d, dst + c + lanes);
    sum0 = hn::Add(sum0, x0);
    sum1 = hn::Add(sum1, x1);
  }
  for (; c < channels; c += lanes) {
    const size_t rest = channels - c < lanes ? channels - c : lanes;
    VF x = LoadFirst(d, src + c, rest);
    if (residual != nullptr) x = hn::Add(x, LoadFirst(d, residual + c, rest));
    StoreFirst(x, d, dst + c, rest);
    sum0 = hn::Add(sum0, x);
  }
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(sum0, sum1)));
}

HWY_INLINE float SumOfSquares(const float* x, size_t channels, float mean) {
  const DF d;
  const size_t lanes = hn::Lanes(d);
  const VF m = hn::Set(d, mean);
  VF sum0 = hn::Zero(d), sum1 = hn::Zero(d);
  size_t c = 0;
  for (; c + 2 * lanes <= channels; c += 2 * lanes) {
    const VF x0 = hn::Sub(hn::LoadU(d, x + c), m), x1 = hn::Sub(hn::LoadU(d, x + c + lanes), m);
    sum0 = hn::MulAdd(x0, x0, sum0);
    sum1 = hn::MulAdd(x1, x1, sum1);
  }
  for (; c < channels; c += lanes) {
    const size_t rest = channels - c < lanes ? channels - c : lanes;
    const VF centred = hn::Sub(LoadFirst(d, x + c, rest), m);
    const VF x0 = hn::IfThenElseZero(hn::FirstN(d, rest), centred);
    sum0 = hn::MulAdd(x0, x0, sum0);
  }
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(sum0, sum1)));
}

void LayerNorm(const float* src, size_t src_stride, const float* residual, size_t residual_stride, size_t rows,
               size_t channels, const float* gamma, const float* beta, float eps, float* dst, size_t dst_stride) {
  const DF d;
  const auto count = static_cast<float>(channels);
  for (size_t t = 0; t < rows; ++t) {
    float* row = dst + t * dst_stride;
    const float* r = residual == nullptr ? nullptr : residual + t * residual_stride;
    const float mean = AddAndSum(src + t * src_stride, r, channels, row) / count;
    const float variance = SumOfSquares(row, channels, mean) / count;
    const VF m = hn::Set(d, mean);
    const VF inv_std = hn::Div(hn::Set(d, 1.0f), hn::Sqrt(hn::Set(d, variance + eps)));
    Map(d, row, gamma, beta, channels, row, [m, inv_std](auto, auto x, auto g, auto b) HWY_ATTR {
      return hn::MulAdd(hn::Mul(hn::Sub(x, m), inv_std), g, b);
    });
  }
}

constexpr NormOps kNormOps{BlockStats, LayerNorm};

}  // namespace
#endif  // KOE_IS_VECTOR_TARGET
}  // namespace koe::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace koe::kernels {

const NormOps* FindNormOps(Target target) {
  switch (target) {
    KOE_VECTOR_CASES(kNormOps)
    default:
      return &scalar::kNormOps;
  }
}

}  // namespace koe::kernels
#endif  // HWY_ONCE
