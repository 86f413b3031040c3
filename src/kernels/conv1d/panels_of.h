// SPDX-License-Identifier: Apache-2.0
// A convolution over time-major rows is a product of panels whose taps start `dilation` rows apart.
#ifndef KOE_KERNELS_CONV1D_PANELS_OF_H_
#define KOE_KERNELS_CONV1D_PANELS_OF_H_

#include "kernels/conv1d/conv1d.h"
#include "kernels/gemm/panel.h"

namespace koe::kernels {

inline PanelArgs PanelsOf(const Conv1dArgs& c) {
  return {.src = c.src,
          .row_step = c.time_stride * c.src_stride,
          .tap_step = c.dilation * c.src_stride,
          .rows = c.rows,
          .taps = c.taps,
          .k = c.c_in,
          .n = c.c_out,
          .packed = c.weights,
          .bias = c.bias,
          .residual = c.residual,
          .residual_stride = c.residual_stride,
          .dst = c.dst,
          .dst_stride = c.dst_stride};
}

}  // namespace koe::kernels

#endif  // KOE_KERNELS_CONV1D_PANELS_OF_H_
