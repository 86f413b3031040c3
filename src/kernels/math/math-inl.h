// SPDX-License-Identifier: Apache-2.0
// Elementary functions on float32 vectors, compiled once per SIMD target. The bounds are those of math.h; the
// polynomials are minimax fits (Lawson's reweighting) whose coefficients were rounded to float32 one after another, the
// later ones refitted. NaN gives NaN everywhere.
// Use: after kernels/simd_targets.h, hwy/foreach_target.h and hwy/highway.h, inside #if KOE_IS_VECTOR_TARGET.

// Highway's per-target include guard.
#if defined(KOE_KERNELS_MATH_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef KOE_KERNELS_MATH_MATH_INL_H_
#undef KOE_KERNELS_MATH_MATH_INL_H_
#else
#define KOE_KERNELS_MATH_MATH_INL_H_
#endif

#include "hwy/highway.h"
#include "kernels/simd_targets.h"

HWY_BEFORE_NAMESPACE();
namespace koe::kernels::HWY_NAMESPACE {
#if KOE_IS_VECTOR_TARGET

namespace hn = hwy::HWY_NAMESPACE;

// exp(x) - 1 = (em1 + 1) 2^n - 1 with em1 = exp(r) - 1, r = x - n ln2, |r| <= ln2/2. |x| <= 128. The products with the
// first word of ln2 are exact under the FMA, so r has one rounding. Relative error of em1: 1.3 eps.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V ReducedExpm1(D d, V x, hn::Vec<hn::RebindToSigned<D>>& n) {
  const V rounded = hn::Round(hn::Mul(x, hn::Set(d, 1.44269504f)));
  n = hn::ConvertTo(hn::RebindToSigned<D>(), rounded);
  V r = hn::NegMulAdd(rounded, hn::Set(d, 0.693147182f), x);
  r = hn::NegMulAdd(rounded, hn::Set(d, -1.90465421e-09f), r);
  V q = hn::Set(d, 0.00139422191f);
  q = hn::MulAdd(q, r, hn::Set(d, 0.00836886093f));
  q = hn::MulAdd(q, r, hn::Set(d, 0.0416663848f));
  q = hn::MulAdd(q, r, hn::Set(d, 0.166665196f));
  q = hn::MulAdd(q, r, hn::Set(d, 0.5f));
  return hn::MulAdd(hn::Mul(r, r), q, r);
}

// 2^n for -126 <= n <= 127.
template <class D, class VI>
HWY_INLINE hn::Vec<D> PowerOfTwo(D d, VI n) {
  const hn::RebindToSigned<D> di;
  return hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(n, hn::Set(di, 127))));
}

// 2 ULP. Underflow is gradual: the factor 2^n is applied in two halves.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Exp(D d, V x) {
  // exp(-104) rounds to 0 and exp(89) to infinity; between them n fits the two factors.
  const V clamped = hn::Min(hn::Max(x, hn::Set(d, -104.0f)), hn::Set(d, 89.0f));
  hn::Vec<hn::RebindToSigned<D>> n;
  const V p = hn::Add(ReducedExpm1(d, clamped, n), hn::Set(d, 1.0f));
  const auto half = hn::ShiftRight<1>(n);
  const V y = hn::Mul(hn::Mul(p, PowerOfTwo(d, half)), PowerOfTwo(d, hn::Sub(n, half)));
  return hn::IfThenElse(hn::IsNaN(x), x, y);
}

// 4 ULP, with the sign of zero. tanh(a) = e / (e + 2) with e = exp(2a) - 1, which is accurate at small a too.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Tanh(D d, V x) {
  const V one = hn::Set(d, 1.0f);
  // tanh(9.1) rounds to 1.
  const V a = hn::Min(hn::Abs(x), hn::Set(d, 10.0f));
  hn::Vec<hn::RebindToSigned<D>> n;
  const V em1 = ReducedExpm1(d, hn::Add(a, a), n);
  const V scale = PowerOfTwo(d, n);
  const V e = hn::MulAdd(em1, scale, hn::Sub(scale, one));
  const V y = hn::CopySignToAbs(hn::Div(e, hn::Add(e, hn::Set(d, 2.0f))), x);
  return hn::IfThenElse(hn::IsNaN(x), x, y);
}

// 4 ULP. Neither form overflows: z = exp(-|x|); 1 / (1 + z) for x >= 0, z / (1 + z) below.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Sigmoid(D d, V x) {
  const V one = hn::Set(d, 1.0f);
  const V z = Exp(d, hn::Neg(hn::Abs(x)));
  return hn::Div(hn::IfThenElse(hn::Lt(x, hn::Zero(d)), z, one), hn::Add(one, z));
}

// sin(r), |r| <= 1.575. Polynomial 4.9e-9, in float32 1.0 eps.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V SinReduced(D d, V r) {
  const V z = hn::Mul(r, r);
  V s = hn::Set(d, 2.59879221e-06f);
  s = hn::MulAdd(s, z, hn::Set(d, -0.000198060225f));
  s = hn::MulAdd(s, z, hn::Set(d, 0.00833300874f));
  s = hn::MulAdd(s, z, hn::Set(d, -0.166666567f));
  return hn::MulAdd(hn::Mul(z, r), s, r);
}

// x - h pi for |h| <= 2^13, a multiple of 1/2: the first FMA is exact (x - h pi_1 is a multiple of 2^-23 below 2),
// the second rounds once; the two words of pi are good for 5e-15 h.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V SubtractPi(D d, V x, V h) {
  const V r = hn::NegMulAdd(h, hn::Set(d, 3.14159274f), x);
  return hn::NegMulAdd(h, hn::Set(d, -8.74227766e-08f), r);
}

// v with its sign flipped where the whole number q is odd.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V FlipIfOdd(D d, V v, V q) {
  const hn::RebindToSigned<D> di;
  return hn::Xor(v, hn::BitCast(d, hn::ShiftLeft<31>(hn::ConvertTo(di, q))));
}

// Absolute error 3e-7 for |x| <= 1e4: 0.5 eps from the reduction and 1 eps from the polynomial. Beyond, the error grows
// with |x| and the result may leave [-1, 1]; infinities give NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Sin(D d, V x) {
  const V q = hn::Round(hn::Mul(x, hn::Set(d, 0.318309886f)));
  return FlipIfOdd(d, SinReduced(d, SubtractPi(d, x, q)), q);
}

// As Sin: cos(x) = -(-1)^q sin(x - (q + 1/2) pi).
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Cos(D d, V x) {
  const V half = hn::Set(d, 0.5f);
  const V q = hn::Round(hn::MulSub(x, hn::Set(d, 0.318309886f), half));
  return FlipIfOdd(d, hn::Neg(SinReduced(d, SubtractPi(d, x, hn::Add(q, half)))), q);
}

// Sine and cosine of |x| <= pi/2, absolute error 2e-7.
template <class D, class V = hn::Vec<D>>
HWY_INLINE void SinCosReduced(D d, V x, V& sin, V& cos) {
  sin = SinReduced(d, x);
  cos = SinReduced(d, hn::Sub(hn::Set(d, 1.57079637f), hn::Abs(x)));
}

// Angle of (x, y), absolute error 5e-7, signs of zero and infinities as std::atan2.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Atan2(D d, V y, V x) {
  const V zero = hn::Zero(d);
  const V ax = hn::Abs(x), ay = hn::Abs(y);
  const V big = hn::Max(ax, ay), small = hn::Min(ax, ay);
  V a = hn::Div(small, big);
  // 0/0 and inf/inf, whose angles are those of ratio 0 and 1.
  a = hn::IfThenElse(hn::Eq(small, big), hn::IfThenElse(hn::Eq(big, zero), zero, hn::Set(d, 1.0f)), a);
  const V z = hn::Mul(a, a);
  V p = hn::Set(d, 0.0026187629f);
  p = hn::MulAdd(p, z, hn::Set(d, -0.0151183931f));
  p = hn::MulAdd(p, z, hn::Set(d, 0.0410985053f));
  p = hn::MulAdd(p, z, hn::Set(d, -0.0736469626f));
  p = hn::MulAdd(p, z, hn::Set(d, 0.105729729f));
  p = hn::MulAdd(p, z, hn::Set(d, -0.141857266f));
  p = hn::MulAdd(p, z, hn::Set(d, 0.199903652f));
  p = hn::MulAdd(p, z, hn::Set(d, -0.333329856f));
  V angle = hn::MulAdd(hn::Mul(a, z), p, a);
  angle = hn::IfThenElse(hn::Gt(ay, ax), hn::Sub(hn::Set(d, 1.57079637f), angle), angle);
  const hn::RebindToSigned<D> di;
  const auto x_is_negative = hn::MaskFromVec(hn::BitCast(d, hn::BroadcastSignBit(hn::BitCast(di, x))));
  angle = hn::IfThenElse(x_is_negative, hn::Sub(hn::Set(d, 3.14159274f), angle), angle);
  angle = hn::CopySignToAbs(angle, y);
  return hn::IfThenElse(hn::Or(hn::IsNaN(x), hn::IsNaN(y)), hn::Set(d, __builtin_nanf("")), angle);
}

#endif  // KOE_IS_VECTOR_TARGET
}  // namespace koe::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // KOE_KERNELS_MATH_MATH_INL_H_
