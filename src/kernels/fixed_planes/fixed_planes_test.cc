// SPDX-License-Identifier: Apache-2.0
#include "kernels/fixed_planes/fixed_planes.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "kernels/gemm/dense_test_util.h"

namespace koe::kernels {
namespace {

// The reference, and what this machine has.
std::vector<const FixedPlanesOps*> AllOps() {
  std::vector<const FixedPlanesOps*> all = {&scalar::kFixedPlanesOps};
  for (const Target target : SupportedTargets()) {
    if (const FixedPlanesOps* ops = FindFixedPlanesOps(target); ops != nullptr) all.push_back(ops);
  }
  return all;
}

// Of a scale: the error of an approximation of 2^-14, and float32's.
constexpr double kScaleSlack = 1.0001;

struct Case {
  Case(size_t tiles_in, size_t depth_in, float deviation = 1)
      : tiles(tiles_in),
        depth(depth_in),
        x_stride((depth + 15) / 16 * 16 + 16),
        row_size(FixedPlaneRowSize(depth)),
        x(tiles * x_stride),
        w(depth * kPanelWidth),
        rows(tiles * row_size),
        packed(FixedPlaneWeightsSize(depth)) {
    const std::vector<float> values = RandomVector(x.size(), deviation), weights = RandomVector(w.size(), 0.1f);
    std::copy(values.begin(), values.end(), x.data());
    std::copy(weights.begin(), weights.end(), w.data());
    for (size_t lane = 0; lane < kPanelWidth; lane += 5) w[lane] *= 100;  // one large weight
  }
  std::vector<float> Run(const FixedPlanesOps& ops) {
    for (AlignedBuffer<float>* out : {&rows, &packed}) std::memset(out->data(), 0x5A, out->size() * sizeof(float));
    ops.quantise(x.data(), x_stride, depth, tiles, rows.data(), row_size);
    ops.pack(w.data(), depth, packed.data());
    AlignedBuffer<float> products(tiles * kPanelWidth);
    ops.multiply(rows.data(), row_size, tiles, depth, packed.data(), products.data());
    return {products.data(), products.data() + products.size()};
  }
  float X(size_t tile, size_t i) const { return x[tile * x_stride + i]; }
  // The chunk that input i is in.
  static size_t ChunkOf(size_t i) { return i / kFixedBlock * kFixedBlockChunks + i % 16 / 2; }
  // The smallest scale of each chunk of some values.
  template <class At>
  std::vector<double> Scales(const At& at) const {
    std::vector<double> max(FixedPlaneDepth(depth) / kFixedChunk), squares(max.size());
    for (size_t i = 0; i < depth; ++i) {
      const double value = std::abs(double{at(i)});
      max[ChunkOf(i)] = std::max(max[ChunkOf(i)], value);
      squares[ChunkOf(i)] += value * value;
    }
    for (size_t c = 0; c < max.size(); ++c) {
      max[c] = std::max(max[c] / double{kFixedPlaneMax}, std::sqrt(squares[c] + 1e-30) / double{kFixedPlaneNorm});
    }
    return max;
  }
  // What the contract allows: each value off by half a scale and four roundings.
  void Expect(const std::vector<float>& products) const {
    std::vector<double> weight_scale(kPanelWidth);
    for (size_t lane = 0; lane < kPanelWidth; ++lane) {
      const std::vector<double> scales = Scales([&](size_t i) { return w[i * kPanelWidth + lane]; });
      weight_scale[lane] = *std::max_element(scales.begin(), scales.end()) * kScaleSlack;
    }
    for (size_t tile = 0; tile < tiles; ++tile) {
      const std::vector<double> scales = Scales([&](size_t i) { return X(tile, i); });
      for (size_t lane = 0; lane < kPanelWidth; ++lane) {
        double want = 0, magnitude = 0, bound = 0;
        for (size_t i = 0; i < depth; ++i) {
          const double a = X(tile, i), b = w[i * kPanelWidth + lane];
          const double a_error = scales[ChunkOf(i)] * kScaleSlack / 2 + 4 * kEps * std::abs(a),
                       b_error = b == 0 ? 0 : weight_scale[lane] / 2 + 4 * kEps * std::abs(b);
          want += a * b;
          magnitude += (std::abs(a) + a_error) * (std::abs(b) + b_error);
          bound += a_error * std::abs(b) + (std::abs(a) + a_error) * b_error;
        }
        bound += static_cast<double>(scales.size() + 2) * kEps * magnitude;
        ASSERT_NEAR(products[tile * kPanelWidth + lane], want, bound) << "tile " << tile << " lane " << lane;
      }
    }
  }
  size_t tiles, depth, x_stride, row_size;
  AlignedBuffer<float> x, w, rows, packed;
};

TEST(FixedPlanesTest, ProductsAreWithinTheirBound) {
  for (const FixedPlanesOps* ops : AllOps()) {
    for (const size_t depth : {1, 2, 15, 16, 17, 100, 127, 128, 129, 200, 256, 300}) {
      for (const size_t tiles : {1, 2, 3, 4, 5, 6, 7, 12, 14}) {
        SCOPED_TRACE(testing::Message() << "depth " << depth << " tiles " << tiles);
        Case c(tiles, depth);
        c.Expect(c.Run(*ops));
        if (HasFatalFailure()) return;
      }
    }
  }
}

// Everything as large as the limits allow, with signs that agree: the sum of a chunk comes nearest to overflow.
TEST(FixedPlanesTest, NoSumOverflows) {
  for (const FixedPlanesOps* ops : AllOps()) {
    for (const bool has_outlier : {false, true}) {
      Case c(3, 256);
      for (size_t i = 0; i < c.x.size(); ++i) c.x[i] = -3.0f;
      for (size_t i = 0; i < c.w.size(); ++i) c.w[i] = i / kPanelWidth % 2 == 0 ? 7.0f : 7.1f;
      if (has_outlier) {
        for (size_t tile = 0; tile < c.tiles; ++tile) c.x[tile * c.x_stride + 34] = -11;
        for (size_t lane = 0; lane < kPanelWidth; ++lane) c.w[34 * kPanelWidth + lane] = 25;
      }
      c.Expect(c.Run(*ops));
    }
  }
}

TEST(FixedPlanesTest, AChunkHasItsOwnScale) {
  for (const FixedPlanesOps* ops : AllOps()) {
    Case c(2, 256);
    for (size_t i = 0; i < 256; ++i) {
      if (Case::ChunkOf(i) != 3) continue;
      c.x[i] *= 1e6f;
      for (size_t lane = 0; lane < kPanelWidth; ++lane) c.w[i * kPanelWidth + lane] = 0;
    }
    c.Expect(c.Run(*ops));
  }
}

TEST(FixedPlanesTest, SmallAndZeroRows) {
  for (const FixedPlanesOps* ops : AllOps()) {
    for (const float scale : {0.0f, 1e-38f, 1e-20f, 1e-13f, 1e18f}) {
      SCOPED_TRACE(scale);
      Case c(3, 130);
      for (float& value : c.x.span()) value *= scale;
      c.Expect(c.Run(*ops));
    }
    Case c(3, 128);
    std::fill_n(c.w.data(), c.w.size(), 0.0f);
    for (const float product : c.Run(*ops)) ASSERT_EQ(product, 0);
  }
}

TEST(FixedPlanesTest, WhatIsNotFiniteGivesNan) {
  for (const FixedPlanesOps* ops : AllOps()) {
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                            -std::numeric_limits<float>::infinity(), 1e30f}) {
      SCOPED_TRACE(bad);
      Case c(3, 140);
      c.x[c.x_stride + 133] = bad;
      const std::vector<float> products = c.Run(*ops);
      for (size_t i = 0; i < products.size(); ++i) ASSERT_EQ(std::isnan(products[i]), i / kPanelWidth == 1) << i;
    }
  }
}

TEST(FixedPlanesTest, AWeightThatIsNotFiniteGivesNan) {
  for (const FixedPlanesOps* ops : AllOps()) {
    Case c(2, 140);
    c.w[133 * kPanelWidth + 7] = std::numeric_limits<float>::quiet_NaN();
    c.w[20 * kPanelWidth + 30] = std::numeric_limits<float>::infinity();
    const std::vector<float> products = c.Run(*ops);
    for (size_t i = 0; i < products.size(); ++i) {
      const size_t lane = i % kPanelWidth;
      ASSERT_EQ(std::isnan(products[i]), lane == 7 || lane == 30) << i;
    }
  }
}

TEST(FixedPlanesTest, ARowDoesNotDependOnThoseBesideIt) {
  for (const FixedPlanesOps* ops : AllOps()) {
    Case c(13, 256);
    const std::vector<float> together = c.Run(*ops);
    AlignedBuffer<float> alone(kPanelWidth);
    for (size_t tile = 0; tile < c.tiles; ++tile) {
      ops->multiply(c.rows.data() + tile * c.row_size, c.row_size, 1, c.depth, c.packed.data(), alone.data());
      for (size_t lane = 0; lane < kPanelWidth; ++lane) {
        ASSERT_EQ(std::bit_cast<uint32_t>(alone[lane]), std::bit_cast<uint32_t>(together[tile * kPanelWidth + lane]));
      }
    }
  }
}

// What is not an approximation: the same rows and weights give the same bits everywhere.
TEST(FixedPlanesTest, MultiplyEqualsTheReferenceToTheBit) {
  for (const FixedPlanesOps* ops : AllOps()) {
    Case c(7, 300);
    c.Run(scalar::kFixedPlanesOps);
    AlignedBuffer<float> got(c.tiles * kPanelWidth), want(c.tiles * kPanelWidth);
    ops->multiply(c.rows.data(), c.row_size, c.tiles, c.depth, c.packed.data(), got.data());
    scalar::kFixedPlanesOps.multiply(c.rows.data(), c.row_size, c.tiles, c.depth, c.packed.data(), want.data());
    for (size_t i = 0; i < want.size(); ++i) ASSERT_EQ(got[i], want[i]) << i;
  }
}

}  // namespace
}  // namespace koe::kernels
