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

void SinCyclesArray(const double* cycles, size_t count, float* dst) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, decltype(d)> df;
  const size_t lanes = hn::Lanes(d);
  for (size_t i = 0; i < count; i += lanes) {
    const size_t n = count - i < lanes ? count - i : lanes;
    const auto x = n == lanes ? hn::LoadU(d, cycles + i) : LoadFirst(d, cycles + i, n);
    // In double, exactly: whole cycles, then half cycles, whose sine changes sign.
    const auto f = hn::Sub(x, hn::Round(x));
    const auto halves = hn::Round(hn::Add(f, f));
    const auto quarter = hn::NegMulAdd(halves, hn::Set(d, 0.5), f);
    const auto sine = SinReduced(df, hn::Mul(hn::DemoteTo(df, quarter), hn::Set(df, 6.28318548f)));
    const auto y = FlipIfOdd(df, sine, hn::DemoteTo(df, halves));
    if (n == lanes) {
      hn::StoreU(y, df, dst + i);
    } else {
      StoreFirst(y, df, dst + i, n);
    }
  }
}

constexpr MathOps kMathOps{ExpArray, TanhArray, SigmoidArray, SinArray, CosArray, Atan2Array, SinCyclesArray};

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
