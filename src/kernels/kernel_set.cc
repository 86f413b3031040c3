// SPDX-License-Identifier: Apache-2.0
#include "kernels/kernel_set.h"

namespace koe::kernels {
namespace {

KernelSet Make(Target target) {
  return {target,
          *FindActivationOps(target),
          *FindConv1dOps(target),
          *FindConvTranspose1dOps(target),
          *FindElementwiseOps(target),
          *FindExcitationOps(target),
          FindFixedGemmOps(target),
          FindFixedPlanesOps(target),
          *FindGemmOps(target),
          *FindLstmOps(target),
          *FindMathOps(target),
          *FindNormOps(target),
          *FindSoftmaxOps(target),
          *FindStftOps(target),
          *FindTileConvOps(target)};
}

}  // namespace

const KernelSet& KernelsFor(Target target) {
  switch (target) {
#if defined(__x86_64__)
    case Target::kAvx512: {
      static const KernelSet set = Make(Target::kAvx512);
      return set;
    }
    case Target::kAvx2: {
      static const KernelSet set = Make(Target::kAvx2);
      return set;
    }
#elif defined(__aarch64__)
    case Target::kNeon: {
      static const KernelSet set = Make(Target::kNeon);
      return set;
    }
#endif
    default: {
      static const KernelSet set = Make(Target::kScalar);
      return set;
    }
  }
}

}  // namespace koe::kernels
