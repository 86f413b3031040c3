// SPDX-License-Identifier: Apache-2.0
#include "kernels/math/math.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/math/math.cc"
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

void ExpArray(const float* src, size_t count, float* dst) {
  Map(DF(), src, count, dst, [](auto d, auto x) HWY_ATTR { return Exp(d, x); });
}

void TanhArray(const float* src, size_t count, float* dst) {
  Map(DF(), src, count, dst, [](auto d, auto x) HWY_ATTR { return Tanh(d, x); });
}

void SigmoidArray(const float* src, size_t count, float* dst) {
  Map(DF(), src, count, dst, [](auto d, auto x) HWY_ATTR { return Sigmoid(d, x); });
}

void SinArray(const float* src, size_t count, float* dst) {
  Map(DF(), src, count, dst, [](auto d, auto x) HWY_ATTR { return Sin(d, x); });
}

void CosArray(const float* src, size_t count, float* dst) {
  Map(DF(), src, count, dst, [](auto d, auto x) HWY_ATTR { return Cos(d, x); });
}

void Atan2Array(const float* y, const float* x, size_t count, float* dst) {
  Map(DF(), y, x, count, dst, [](auto d, auto vy, auto vx) HWY_ATTR { return Atan2(d, vy, vx); });
}

constexpr MathOps kMathOps{ExpArray, TanhArray, SigmoidArray, SinArray, CosArray, Atan2Array};

}  // namespace
#endif  // KOE_IS_VECTOR_TARGET
}  // namespace koe::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace koe::kernels {

const MathOps* FindMathOps(Target target) {
  switch (target) {
    KOE_VECTOR_CASES(kMathOps)
    default:
      return &scalar::kMathOps;
  }
}

}  // namespace koe::kernels
#endif  // HWY_ONCE
