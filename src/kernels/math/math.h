// SPDX-License-Identifier: Apache-2.0
// Elementwise functions over contiguous arrays; dst may be src. The bounds hold for every target and are tested.
#ifndef KOE_KERNELS_MATH_MATH_H_
#define KOE_KERNELS_MATH_MATH_H_

#include <cstddef>

#include "kernels/target.h"

namespace koe::kernels {

struct MathOps {
  // 2 ULP. Below -87.33 (results under 2^-126) underflow is gradual; above 88.72: +inf. NaN stays NaN.
  void (*exp)(const float* src, size_t count, float* dst);
  // 4 ULP; +-1 beyond +-9.1; tanh(0) = 0.
  void (*tanh)(const float* src, size_t count, float* dst);
  // 1 / (1 + exp(-x)), 4 ULP; 0 and 1 in the limits.
  void (*sigmoid)(const float* src, size_t count, float* dst);
  // Absolute error 3e-7 for |x| <= 1e4 (argument reduction in two or more words); NaN for inf and NaN.
  void (*sin)(const float* src, size_t count, float* dst);
  void (*cos)(const float* src, size_t count, float* dst);
  // Angle of (x, y) in [-pi, pi]; absolute error 5e-7. Signs of zero as std::atan2: atan2(+0, -1) = pi,
  // atan2(-0, -1) = -pi, atan2(0, 0) = 0.
  void (*atan2)(const float* y, const float* x, size_t count, float* dst);
};

const MathOps* FindMathOps(Target target);

namespace scalar {
extern const MathOps kMathOps;
}

}  // namespace koe::kernels

#endif  // KOE_KERNELS_MATH_MATH_H_
