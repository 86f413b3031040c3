// SPDX-License-Identifier: Apache-2.0
#include "kernels/softmax/softmax.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/softmax/softmax.cc"
#include "kernels/simd_targets.h"
//
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"
#include "kernels/math/map-inl.h"
#include "kernels/math/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace koe::kernels::HWY_NAMESPACE {
#if KOE_IS_VECTOR_TARGET
namespace {

using DF = hn::ScalableTag<float>;
using VF = hn::Vec<DF>;

HWY_INLINE float MaxOf(const float* x, size_t count) {
  const DF d;
  const size_t lanes = hn::Lanes(d);
  VF max = hn::Set(d, x[0]);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) max = hn::Max(max, hn::LoadU(d, x + i));
  if (i < count) {
    const size_t rest = count - i;
    max = hn::IfThenElse(hn::FirstN(d, rest), hn::Max(max, LoadFirst(d, x + i, rest)), max);
  }
  return hn::GetLane(hn::MaxOfLanes(d, max));
}

void SoftmaxRows(float* x, size_t stride, size_t rows, size_t cols, float scale) {
  const DF d;
  const size_t lanes = hn::Lanes(d);
  const VF s = hn::Set(d, scale);
  for (size_t t = 0; t < rows; ++t) {
    float* row = x + t * stride;
    const VF max = hn::Set(d, MaxOf(row, cols));
    VF sum = hn::Zero(d);
    size_t i = 0;
    for (; i + lanes <= cols; i += lanes) {
      const VF e = Exp(d, hn::Mul(s, hn::Sub(hn::LoadU(d, row + i), max)));
      hn::StoreU(e, d, row + i);
      sum = hn::Add(sum, e);
    }
    if (i < cols) {
      const size_t rest = cols - i;
      const VF e = Exp(d, hn::Mul(s, hn::Sub(LoadFirst(d, row + i, rest), max)));
      StoreFirst(e, d, row + i, rest);
      sum = hn::Add(sum, hn::IfThenElseZero(hn::FirstN(d, rest), e));
    }
    const VF inv_sum = hn::Div(hn::Set(d, 1.0f), hn::SumOfLanes(d, sum));
    Map(d, row, cols, row, [inv_sum](auto, auto e) HWY_ATTR { return hn::Mul(e, inv_sum); });
  }
}

constexpr SoftmaxOps kSoftmaxOps{SoftmaxRows};

}  // namespace
#endif  // KOE_IS_VECTOR_TARGET
}  // namespace koe::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace koe::kernels {

const SoftmaxOps* FindSoftmaxOps(Target target) {
  switch (target) {
    KOE_VECTOR_CASES(kSoftmaxOps)
    default:
      return &scalar::kSoftmaxOps;
  }
}

}  // namespace koe::kernels
#endif  // HWY_ONCE
