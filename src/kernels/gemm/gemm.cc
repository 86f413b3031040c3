// SPDX-License-Identifier: Apache-2.0
#include "kernels/gemm/gemm.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/gemm/gemm.cc"
#include "kernels/simd_targets.h"
//
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"
#include "kernels/gemm/panel-inl.h"

HWY_BEFORE_NAMESPACE();
namespace koe::kernels::HWY_NAMESPACE {
#if KOE_IS_VECTOR_TARGET
namespace {

void Gemm(const GemmArgs& args) { MultiplyPanels<false>(PanelsOf(args)); }

// kPanels panels at once: a row of one panel alone has too few independent sums (2 vectors on AVX-512) to hide the
// latency of an FMA.
template <size_t kPanels>
HWY_NOINLINE void GemvPanels(const float* x, const float* b, const float* start, float* y, size_t k) {
  constexpr size_t kVecs = kPanelWidth / kVecLanes;
  HWY_ALIGN float buffer[kPanels * kPanelWidth];
  const float* total = start;
  const size_t panel_size = k * kPanelWidth;
  for (size_t first = 0;; first += kSumBlock) {
    const size_t last = HWY_MIN(first + kSumBlock, k);
    PanelVec sum[kPanels][kVecs];
    HWY_UNROLL(4)
    for (size_t p = 0; p < kPanels; ++p) {
      HWY_UNROLL(8)
      for (size_t v = 0; v < kVecs; ++v) sum[p][v] = hn::Zero(kPanelTag);
    }
    for (size_t i = first; i < last; ++i, b += kPanelWidth) {
      const PanelVec value = hn::Set(kPanelTag, x[i]);
      HWY_UNROLL(4)
      for (size_t p = 0; p < kPanels; ++p) {
        HWY_UNROLL(8)
        for (size_t v = 0; v < kVecs; ++v) {
          sum[p][v] = hn::MulAdd(value, hn::Load(kPanelTag, b + p * panel_size + v * kVecLanes), sum[p][v]);
        }
      }
    }
    float* out = last == k ? y : buffer;
    HWY_UNROLL(4)
    for (size_t p = 0; p < kPanels; ++p) {
      HWY_UNROLL(8)
      for (size_t v = 0; v < kVecs; ++v) {
        const size_t at = p * kPanelWidth + v * kVecLanes;
        hn::StoreU(hn::Add(hn::LoadU(kPanelTag, total + at), sum[p][v]), kPanelTag, out + at);
      }
    }
    if (last == k) return;
    total = buffer;
  }
}

void Gemv(const float* x, const float* b, const float* bias, float* y, size_t k, size_t n) {
  // 8 vectors of sums: 4 panels on AVX-512, 2 on AVX2, 1 on NEON.
  constexpr size_t kPanels = 8 * kVecLanes / kPanelWidth;
  constexpr size_t kWidth = kPanels * kPanelWidth;
  HWY_ALIGN float zeros[kWidth] = {};
  size_t column = 0;
  for (; column + kWidth <= n; column += kWidth) {
    GemvPanels<kPanels>(x, b + column * k, bias == nullptr ? zeros : bias + column, y + column, k);
  }
  for (; column < n; column += kPanelWidth) {
    const size_t count = HWY_MIN(kPanelWidth, n - column);
    HWY_ALIGN float start[kPanelWidth] = {};
    HWY_ALIGN float sums[kPanelWidth];
    for (size_t lane = 0; bias != nullptr && lane < count; ++lane) start[lane] = bias[column + lane];
    GemvPanels<1>(x, b + column * k, start, sums, k);
    for (size_t lane = 0; lane < count; ++lane) y[column + lane] = sums[lane];
  }
}

constexpr GemmOps kGemmOps{scalar::Pack, Gemm, Gemv};

}  // namespace
#endif  // KOE_IS_VECTOR_TARGET
}  // namespace koe::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace koe::kernels {

const GemmOps* FindGemmOps(Target target) {
  switch (target) {
    KOE_VECTOR_CASES(kGemmOps)
    default:
      return &scalar::kGemmOps;
  }
}

}  // namespace koe::kernels
#endif  // HWY_ONCE
