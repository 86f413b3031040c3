// SPDX-License-Identifier: Apache-2.0
// The transforms as the matrices they are.
#include <algorithm>
#include <vector>

#include "kernels/tile_conv/layout.h"

namespace koe::kernels::scalar {
namespace {

void Pack(const TileForm& form, const float* w, size_t c_in, size_t c_out, size_t first_panel, size_t last_panel,
          float* packed) {
  const TileMatrices matrices = MatricesOf(form);
  const TileConvLayout layout(form, c_in, 1, false);
  const size_t r = form.segment_taps();
  for (size_t panel = first_panel; panel < last_panel; ++panel) {
    float* out = packed + panel * layout.planes * layout.weights_plane;
    for (size_t p = 0; p < layout.planes; ++p) {
      for (size_t i = 0; i < layout.depth; ++i) {
        for (size_t lane = 0; lane < kPanelWidth; ++lane) {
          const size_t co = panel * kPanelWidth + lane;
          double sum = 0;
          for (size_t k = 0, tap = i / c_in * r; co < c_out && k < r && tap < form.taps; ++k, ++tap) {
            sum += matrices.filter[p * r + k] * static_cast<double>(w[(co * c_in + i % c_in) * form.taps + tap]);
          }
          out[p * layout.weights_plane + i * kPanelWidth + lane] = static_cast<float>(sum);
        }
      }
    }
  }
}

void PackPanel(const TileForm& form, const double* filter, const float* panel, size_t c_in, float* packed) {
  const TileConvLayout layout(form, c_in, 1, false);
  const size_t r = form.segment_taps();
  for (size_t p = 0; p < layout.planes; ++p) {
    for (size_t i = 0; i < layout.depth; ++i) {
      for (size_t lane = 0; lane < kPanelWidth; ++lane) {
        double sum = 0;
        for (size_t k = 0, tap = i / c_in * r; k < r && tap < form.taps; ++k, ++tap) {
          sum += filter[p * r + k] * static_cast<double>(panel[(tap * c_in + i % c_in) * kPanelWidth + lane]);
        }
        packed[p * layout.weights_plane + i * kPanelWidth + lane] = static_cast<float>(sum);
      }
    }
  }
}

void Expand(const TileForm& form, const float* filter, const float* panel, size_t c_in, float* expanded) {
  const TileConvLayout layout(form, c_in, 1, false);
  const size_t r = form.segment_taps();
  for (size_t p = 0; p < layout.planes; ++p) {
    for (size_t s = 0; s < form.segments; ++s) {
      for (size_t i = 0; i < c_in * kPanelWidth; ++i) {
        float sum = 0;
        for (size_t k = 0, tap = s * r; k < r && tap < form.taps; ++k, ++tap) {
          sum += filter[p * r + k] * panel[tap * c_in * kPanelWidth + i];
        }
        expanded[p * layout.weights_plane + s * c_in * kPanelWidth + i] = sum;
      }
    }
  }
}

// out[i] += factor * row[i]
void AddScaled(const float* row, float factor, size_t count, float* out) {
  for (size_t i = 0; i < count; ++i) out[i] += factor * row[i];
}

void Forward(const TileConvArgs& args) {
  const TileForm& form = args.form;
  const TileConvLayout layout(args);
  const std::vector<double> matrix = MatricesOf(form).forward;
  const size_t stride = TileInputStride(args.c_in);
  for (size_t tile = 0; tile < layout.tiles; ++tile) {
    const size_t first = FirstRowOfTile(form, args.dilation, tile);
    for (size_t s = 0; s < form.segments; ++s) {
      for (size_t p = 0; p < layout.planes; ++p) {
        float* out = args.fixed != nullptr
                         ? args.products + p * layout.FloatRow()
                         : args.planes + p * layout.input_plane + tile * layout.input_row + s * args.c_in;
        std::fill_n(out, args.c_in, 0.0f);
        for (size_t j = 0; j < form.samples; ++j) {
          const auto factor = static_cast<float>(matrix[p * form.samples + j]);
          if (factor == 0) continue;
          AddScaled(args.src + (first + (s * form.segment_taps() + j) * args.dilation) * stride, factor, args.c_in,
                    out);
        }
      }
    }
    if (args.fixed != nullptr) {
      args.fixed->quantise(args.products, layout.FloatRow(), layout.depth, layout.planes,
                           args.planes + tile * layout.input_row, layout.input_plane);
    }
  }
}

void MultiplyPlane(const TileConvLayout& layout, const float* input, const float* weights, float* products) {
  for (size_t tile = 0; tile < layout.tiles; ++tile) {
    float* total = products + tile * kPanelWidth;
    std::fill_n(total, kPanelWidth, 0.0f);
    for (size_t first = 0; first < layout.depth; first += kSumBlock) {
      float sum[kPanelWidth] = {};
      for (size_t i = first; i < std::min(layout.depth, first + kSumBlock); ++i) {
        AddScaled(weights + i * kPanelWidth, input[tile * layout.input_row + i], kPanelWidth, sum);
      }
      AddScaled(sum, 1.0f, kPanelWidth, total);
    }
  }
}

void Inverse(const TileConvArgs& args, const TileConvLayout& layout, const std::vector<double>& matrix, size_t column) {
  const size_t channels = std::min(kPanelWidth, args.c_out - column);
  for (size_t tile = 0; tile < layout.tiles; ++tile) {
    const size_t first = FirstRowOfTile(args.form, args.dilation, tile);
    for (size_t j = 0; j < OutputsOfTile(args.form, args.dilation, first, args.rows); ++j) {
      const size_t t = first + j * args.dilation;
      float sum[kPanelWidth] = {};
      for (size_t p = 0; p < layout.planes; ++p) {
        const auto factor = static_cast<float>(matrix[j * layout.planes + p]);
        if (factor == 0) continue;
        AddScaled(args.products + p * layout.product_plane + tile * kPanelWidth, factor, channels, sum);
      }
      for (size_t c = 0; c < channels; ++c) {
        float y = sum[c] + (args.bias == nullptr ? 0.0f : args.bias[column + c]);
        if (args.residual != nullptr) {
          y += args.residual[t * args.residual_stride + column + c];
          if (args.addend != nullptr) y += args.addend[t * args.addend_stride + column + c];
          y *= args.scale;
        }
        args.dst[t * args.dst_stride + column + c] = y;
      }
    }
  }
}

template <bool kInverse>
void Multiply(const TileConvArgs& args, size_t first_panel, size_t last_panel) {
  const TileConvLayout layout(args);
  const std::vector<double> matrix = MatricesOf(args.form).inverse;
  for (size_t panel = first_panel; panel < last_panel; ++panel) {
    const float* weights = args.weights + panel * layout.planes * layout.weights_plane;
    for (size_t p = 0; p < layout.planes; ++p) {
      const float* input = args.planes + p * layout.input_plane;
      float* products = args.products + p * layout.product_plane;
      if (args.fixed != nullptr) {
        args.fixed->multiply(input, layout.input_row, layout.tiles, layout.depth, weights + p * layout.weights_plane,
                             products);
      } else {
        MultiplyPlane(layout, input, weights + p * layout.weights_plane, products);
      }
    }
    if constexpr (kInverse) Inverse(args, layout, matrix, panel * kPanelWidth);
  }
}

}  // namespace

const TileConvOps kTileConvOps{Pack, Expand, PackPanel, Forward, Multiply<true>, Multiply<false>};

}  // namespace koe::kernels::scalar
