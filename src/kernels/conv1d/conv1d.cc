// SPDX-License-Identifier: Apache-2.0
#include "kernels/conv1d/conv1d.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/conv1d/conv1d.cc"
#include "kernels/simd_targets.h"
//
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"
#include "kernels/conv1d/panels_of.h"
#include "kernels/gemm/panel-inl.h"

HWY_BEFORE_NAMESPACE();
namespace koe::kernels::HWY_NAMESPACE {
#if KOE_IS_VECTOR_TARGET
namespace {

void Conv1d(const Conv1dArgs& args) { MultiplyPanels<true>(PanelsOf(args)); }

constexpr Conv1dOps kConv1dOps{Conv1d};

}  // namespace
#endif  // KOE_IS_VECTOR_TARGET
}  // namespace koe::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace koe::kernels {

const Conv1dOps* FindConv1dOps(Target target) {
  switch (target) {
    KOE_VECTOR_CASES(kConv1dOps)
    default:
      return &scalar::kConv1dOps;
  }
}

}  // namespace koe::kernels
#endif  // HWY_ONCE
