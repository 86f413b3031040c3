// SPDX-License-Identifier: Apache-2.0
// Every operation of one SIMD target. Chosen once per engine and passed by reference; stateless and thread-safe.
#ifndef KOE_KERNELS_KERNEL_SET_H_
#define KOE_KERNELS_KERNEL_SET_H_

#include "kernels/activation/activation.h"
#include "kernels/conv1d/conv1d.h"
#include "kernels/conv_transpose1d/conv_transpose1d.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/excitation/excitation.h"
#include "kernels/fixed_gemm/fixed_gemm.h"
#include "kernels/fixed_planes/fixed_planes.h"
#include "kernels/gemm/gemm.h"
#include "kernels/lstm/lstm.h"
#include "kernels/math/math.h"
#include "kernels/norm/norm.h"
#include "kernels/softmax/softmax.h"
#include "kernels/stft/stft.h"
#include "kernels/target.h"
#include "kernels/tile_conv/tile_conv.h"

namespace koe::kernels {

struct KernelSet {
  Target target;
  ActivationOps activation;
  Conv1dOps conv1d;
  ConvTranspose1dOps conv_transpose1d;
  ElementwiseOps elementwise;
  ExcitationOps excitation;
  const FixedGemmOps* fixed_gemm;      // null: weights are float32
  const FixedPlanesOps* fixed_planes;  // null: no plan uses them
  GemmOps gemm;
  LstmOps lstm;
  MathOps math;
  NormOps norm;
  SoftmaxOps softmax;
  StftOps stft;
  TileConvOps tile_conv;
};

// target must be one of SupportedTargets().
const KernelSet& KernelsFor(Target target);

}  // namespace koe::kernels

#endif  // KOE_KERNELS_KERNEL_SET_H_
