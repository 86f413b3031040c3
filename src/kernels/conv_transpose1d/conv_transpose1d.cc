// SPDX-License-Identifier: Apache-2.0
#include "kernels/conv_transpose1d/conv_transpose1d.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/conv_transpose1d/conv_transpose1d.cc"
#include "kernels/simd_targets.h"
//
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace koe::kernels::HWY_NAMESPACE {
#if KOE_IS_VECTOR_TARGET
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// The two outputs of one row, channels [c, the last multiple of the vector length]; returns where it stopped.
// next is null for the last row of the input.
template <class D>
size_t Channels(D d, size_t c, size_t channels, const float* x, const float* next, const float* w, const float* bias,
                float* even, float* odd) {
  for (; c + hn::Lanes(d) <= channels; c += hn::Lanes(d)) {
    const auto value = hn::LoadU(d, x + c);
    const auto start = hn::LoadU(d, bias + c);
    hn::StoreU(hn::MulAdd(hn::LoadU(d, w + channels + c), value, start), d, even + c);
    auto sum = hn::MulAdd(hn::LoadU(d, w + 2 * channels + c), value, start);
    if (next != nullptr) sum = hn::MulAdd(hn::LoadU(d, w + c), hn::LoadU(d, next + c), sum);
    hn::StoreU(sum, d, odd + c);
  }
  return c;
}

void DepthwiseX2(const float* src, size_t src_stride, size_t rows, size_t channels, const float* w, const float* bias,
                 size_t first, size_t count, float* dst, size_t dst_stride) {
  for (size_t t = first; t < first + count; ++t) {
    const float* x = src + t * src_stride;
    const float* next = t + 1 < rows ? x + src_stride : nullptr;
    float* even = dst + 2 * t * dst_stride;
    float* odd = even + dst_stride;
    const size_t done = Channels(hn::ScalableTag<float>(), 0, channels, x, next, w, bias, even, odd);
    Channels(hn::CappedTag<float, 1>(), done, channels, x, next, w, bias, even, odd);
  }
}

constexpr ConvTranspose1dOps kConvTranspose1dOps{DepthwiseX2};

}  // namespace
#endif  // KOE_IS_VECTOR_TARGET
}  // namespace koe::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace koe::kernels {

const ConvTranspose1dOps* FindConvTranspose1dOps(Target target) {
  switch (target) {
    KOE_VECTOR_CASES(kConvTranspose1dOps)
    default:
      return &scalar::kConvTranspose1dOps;
  }
}

}  // namespace koe::kernels
#endif  // HWY_ONCE
