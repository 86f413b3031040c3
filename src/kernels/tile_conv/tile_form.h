// SPDX-License-Identifier: Apache-2.0
// The ways to compute a tile of a convolution with fewer products than taps, and their constants.
#ifndef KOE_KERNELS_TILE_CONV_TILE_FORM_H_
#define KOE_KERNELS_TILE_CONV_TILE_FORM_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace koe::kernels {

// A tile of `samples` input rows gives samples - segment_taps + 1 outputs of a filter with segment_taps taps at the
// cost of `planes` products of a vector and a matrix of channels. A longer filter is cut into segments whose products
// are added before the way back.
struct TileForm {
  enum class Kind : uint8_t {
    kToomCook,  // polynomial interpolation at 0, +-p_i and infinity (Winograd): as many products as samples
    kFft,       // ... at the 32nd roots of unity, 0 and infinity: 34 samples, 49 products
  };
  Kind kind = Kind::kToomCook;
  size_t samples = 0;   // kToomCook: 4, 6, ... 16; kFft: 34
  size_t taps = 0;      // of the whole filter
  size_t segments = 1;  // kFft: 1

  size_t segment_taps() const { return (taps + segments - 1) / segments; }
  size_t outputs() const { return samples - segment_taps() + 1; }
  size_t planes() const { return kind == Kind::kFft ? 49 : samples; }
  // Products for each output, where a direct convolution has `taps`.
  double ProductsPerOutput() const { return static_cast<double>(planes() * segments) / static_cast<double>(outputs()); }
  bool operator==(const TileForm&) const = default;
};

// True for the forms that the kernels are compiled for.
bool IsSupported(const TileForm& form);
// All of them, for tests and measurements.
std::vector<TileForm> SupportedTileForms();

// y = inverse ((filter w) * (forward d)) for one channel, one segment: the forms as matrices, row-major.
struct TileMatrices {
  std::vector<double> forward;  // [planes][samples]
  std::vector<double> filter;   // [planes][segment_taps]
  std::vector<double> inverse;  // [outputs][planes]
};
TileMatrices MatricesOf(const TileForm& form);

// Symmetric nodes: measured best of the small rationals tried (Winograd's error is the size of the intermediate
// values).
template <size_t kPairs>
constexpr std::array<double, kPairs> ToomCookNodes() {
  static_assert(kPairs >= 1 && kPairs <= 7);
  if constexpr (kPairs == 1) return {1.0};
  if constexpr (kPairs == 2) return {2.0 / 3, 3.0 / 2};
  if constexpr (kPairs == 3) return {0.5, 1.0, 2.0};
  if constexpr (kPairs == 4) return {0.5, 3.0 / 4, 4.0 / 3, 2.0};
  if constexpr (kPairs == 5) return {1.0 / 3, 2.0 / 3, 1.0, 3.0 / 2, 3.0};
  if constexpr (kPairs == 6) return {1.0 / 3, 0.5, 3.0 / 4, 4.0 / 3, 2.0, 3.0};
  if constexpr (kPairs == 7) return {1.0 / 3, 0.5, 3.0 / 4, 1.0, 4.0 / 3, 2.0, 3.0};
}

inline constexpr size_t kMaxToomCookOutputs = 14;

// Coefficients of products over the squared nodes, lowest power first, leading 1 left out.
template <size_t kPairs>
struct ToomCookTable {
  float node[kPairs];
  float all[kPairs];                         // prod_j (z - p_j^2)
  float without[kPairs][kPairs];             // prod_{j != i} (z - p_j^2), kPairs - 1 of them
  float power[kMaxToomCookOutputs][kPairs];  // p_i^j
};

template <size_t kPairs>
constexpr ToomCookTable<kPairs> MakeToomCookTable() {
  constexpr std::array<double, kPairs> nodes = ToomCookNodes<kPairs>();
  ToomCookTable<kPairs> table{};
  for (size_t skip = 0; skip <= kPairs; ++skip) {  // kPairs: none
    double poly[kPairs + 1] = {1.0};
    size_t degree = 0;
    for (size_t j = 0; j < kPairs; ++j) {
      if (j == skip) continue;
      ++degree;
      for (size_t k = degree; k > 0; --k) poly[k] = poly[k - 1] - nodes[j] * nodes[j] * poly[k];
      poly[0] *= -nodes[j] * nodes[j];
    }
    for (size_t k = 0; k < degree; ++k) {
      (skip == kPairs ? table.all[k] : table.without[skip][k]) = static_cast<float>(poly[k]);
    }
  }
  for (size_t i = 0; i < kPairs; ++i) {
    table.node[i] = static_cast<float>(nodes[i]);
    double power = 1;
    for (size_t j = 0; j < kMaxToomCookOutputs; ++j, power *= nodes[i]) table.power[j][i] = static_cast<float>(power);
  }
  return table;
}

// cos, sin and tan of 2 pi k / 32.
inline constexpr float kCos32[8] = {1.0f,         0.980785280f, 0.923879533f, 0.831469612f,
                                    0.707106781f, 0.555570233f, 0.382683432f, 0.195090322f};
inline constexpr float kSin32[8] = {0.0f,         0.195090322f, 0.382683432f, 0.555570233f,
                                    0.707106781f, 0.831469612f, 0.923879533f, 0.980785280f};
inline constexpr float kTan32[8] = {0.0f, 0.198912367f, 0.414213562f, 0.668178638f,
                                    1.0f, 1.496605763f, 2.414213562f, 5.027339492f};

}  // namespace koe::kernels

#endif  // KOE_KERNELS_TILE_CONV_TILE_FORM_H_
