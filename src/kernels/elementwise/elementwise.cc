// SPDX-License-Identifier: Apache-2.0
#include "kernels/elementwise/elementwise.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/elementwise/elementwise.cc"
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

void AddScale(const float* a, const float* b, float scale, size_t count, float* dst) {
  Map(DF(), a, b, count, dst,
      [scale](auto d, auto x, auto y) HWY_ATTR { return hn::Mul(hn::Add(x, y), hn::Set(d, scale)); });
}

void Add3Scale(const float* a, const float* b, const float* c, float scale, size_t count, float* dst) {
  Map(DF(), a, b, c, count, dst, [scale](auto d, auto x, auto y, auto z) HWY_ATTR {
    return hn::Mul(hn::Add(hn::Add(x, y), z), hn::Set(d, scale));
  });
}

// Whole vectors; returns how many values that was. The rest is left to the scalar form, which is bit-equal.
template <typename T>
HWY_INLINE size_t Dequantize(const T* q, int32_t zero_point, float scale, size_t count, float* dst) {
  const DF d;
  const hn::RebindToSigned<DF> di;
  const hn::Rebind<T, DF> dq;
  const auto zero = hn::Set(di, zero_point);
  const auto s = hn::Set(d, scale);
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto integer = hn::Sub(hn::PromoteTo(di, hn::LoadU(dq, q + i)), zero);
    hn::StoreU(hn::Mul(hn::ConvertTo(d, integer), s), d, dst + i);
  }
  return i;
}

void DequantizeI8(const int8_t* q, int32_t zero_point, float scale, size_t count, float* dst) {
  const size_t i = Dequantize(q, zero_point, scale, count, dst);
  scalar::kElementwiseOps.dequantize_i8(q + i, zero_point, scale, count - i, dst + i);
}

void DequantizeU8(const uint8_t* q, int32_t zero_point, float scale, size_t count, float* dst) {
  const size_t i = Dequantize(q, zero_point, scale, count, dst);
  scalar::kElementwiseOps.dequantize_u8(q + i, zero_point, scale, count - i, dst + i);
}

// A column of vectors at a time: its zero points and scales stay in registers.
void DequantizeRows(const int8_t* q, const int32_t* zero_points, const float* scales, size_t rows, size_t cols,
                    float* dst) {
  const DF d;
  const hn::RebindToSigned<DF> di;
  const hn::Rebind<int8_t, DF> dq;
  const size_t lanes = hn::Lanes(d);
  size_t c = 0;
  for (; c + 2 * lanes <= cols; c += 2 * lanes) {
    const auto zero0 = hn::LoadU(di, zero_points + c), zero1 = hn::LoadU(di, zero_points + c + lanes);
    const auto scale0 = hn::LoadU(d, scales + c), scale1 = hn::LoadU(d, scales + c + lanes);
    for (size_t r = 0; r < rows; ++r) {
      const int8_t* from = q + r * cols + c;
      float* to = dst + r * cols + c;
      const auto i0 = hn::Sub(hn::PromoteTo(di, hn::LoadU(dq, from)), zero0);
      const auto i1 = hn::Sub(hn::PromoteTo(di, hn::LoadU(dq, from + lanes)), zero1);
      hn::StoreU(hn::Mul(hn::ConvertTo(d, i0), scale0), d, to);
      hn::StoreU(hn::Mul(hn::ConvertTo(d, i1), scale1), d, to + lanes);
    }
  }
  if (c == cols) return;
  for (size_t r = 0; r < rows; ++r) {
    scalar::kElementwiseOps.dequantize_rows(q + r * cols + c, zero_points + c, scales + c, 1, cols - c,
                                            dst + r * cols + c);
  }
}

void F16ToF32(const uint16_t* src, size_t count, float* dst) {
  const DF d;
  const hn::Rebind<uint16_t, DF> du;
  const hn::Rebind<hwy::float16_t, DF> dh;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    hn::StoreU(hn::PromoteTo(d, hn::BitCast(dh, hn::LoadU(du, src + i))), d, dst + i);
  }
  scalar::kElementwiseOps.f16_to_f32(src + i, count - i, dst + i);
}

bool AllFinite(const float* src, size_t count) {
  const DF d;
  const hn::RebindToSigned<DF> di;
  const auto magnitude = hn::Set(di, 0x7fffffff);
  const size_t lanes = hn::Lanes(d);
  auto largest = hn::Zero(di);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    largest = hn::Max(largest, hn::And(hn::BitCast(di, hn::LoadU(d, src + i)), magnitude));
  }
  return hn::AllTrue(di, hn::Lt(largest, hn::Set(di, 0x7f800000))) &&
         scalar::kElementwiseOps.all_finite(src + i, count - i);
}

constexpr ElementwiseOps kElementwiseOps{AddScale,       Add3Scale, DequantizeI8, DequantizeU8,
                                         DequantizeRows, F16ToF32,  AllFinite};

}  // namespace
#endif  // KOE_IS_VECTOR_TARGET
}  // namespace koe::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace koe::kernels {

const ElementwiseOps* FindElementwiseOps(Target target) {
  switch (target) {
    KOE_VECTOR_CASES(kElementwiseOps)
    default:
      return &scalar::kElementwiseOps;
  }
}

}  // namespace koe::kernels
#endif  // HWY_ONCE
