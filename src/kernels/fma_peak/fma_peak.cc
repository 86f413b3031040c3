// SPDX-License-Identifier: Apache-2.0
#include "kernels/fma_peak/fma_peak.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/fma_peak/fma_peak.cc"
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
using DF = hn::ScalableTag<float>;
using VF = hn::Vec<DF>;

constexpr size_t kChains = 12;

size_t NumValues() { return kChains * hn::Lanes(DF()); }

void Chains(size_t rounds, float scale, float shift, float* values) {
  const DF d;
  const size_t lanes = hn::Lanes(d);
  const VF m = hn::Set(d, scale), c = hn::Set(d, shift);
  const auto start = [d, lanes](size_t chain) HWY_ATTR { return hn::Iota(d, static_cast<float>(chain * lanes)); };
  VF a0 = start(0), a1 = start(1), a2 = start(2), a3 = start(3), a4 = start(4), a5 = start(5);
  VF a6 = start(6), a7 = start(7), a8 = start(8), a9 = start(9), a10 = start(10), a11 = start(11);
  for (size_t i = 0; i < rounds; ++i) {
    a0 = hn::MulAdd(a0, m, c);
    a1 = hn::MulAdd(a1, m, c);
    a2 = hn::MulAdd(a2, m, c);
    a3 = hn::MulAdd(a3, m, c);
    a4 = hn::MulAdd(a4, m, c);
    a5 = hn::MulAdd(a5, m, c);
    a6 = hn::MulAdd(a6, m, c);
    a7 = hn::MulAdd(a7, m, c);
    a8 = hn::MulAdd(a8, m, c);
    a9 = hn::MulAdd(a9, m, c);
    a10 = hn::MulAdd(a10, m, c);
    a11 = hn::MulAdd(a11, m, c);
  }
  size_t at = 0;
  for (const VF& a : {a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11}) {
    hn::StoreU(a, d, values + at);
    at += lanes;
  }
}

constexpr FmaPeakOps kFmaPeakOps{Chains, NumValues};

}  // namespace
#endif  // KOE_IS_VECTOR_TARGET
}  // namespace koe::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace koe::kernels {

const FmaPeakOps* FindFmaPeakOps(Target target) {
  switch (target) {
    KOE_VECTOR_CASES(kFmaPeakOps)
    default:
      return &scalar::kFmaPeakOps;
  }
}

}  // namespace koe::kernels
#endif  // HWY_ONCE
