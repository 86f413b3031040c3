// SPDX-License-Identifier: Apache-2.0
// AVX-512 VNNI. Highway 1.0.3 has no 8-bit dot product, so these are intrinsics.
#include "kernels/fixed_gemm/fixed_gemm.h"

#if defined(__x86_64__)

#if defined(__GNUC__) && !defined(__clang__)
// False positives inside the intrinsics (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>

#include <cstring>
#include <limits>

#include "hwy/base.h"
#include "kernels/fixed_gemm/fixed_row.h"

// By function, not by file: inline functions of headers must not be compiled for more than the baseline.
#define KOE_VNNI __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))

namespace koe::kernels {
namespace {

constexpr size_t kLanes = 16;
constexpr size_t kPanelVecs = kPanelWidth / kLanes;
// Three digits of four rows by two vectors: 24 sums, two weights and a broadcast of 32 registers.
constexpr size_t kTileRows = 4;
// One row takes four panels at once: 24 sums again.
constexpr size_t kRowPanels = 4;
// Rows that are taken through all panels before the next ones: their digits stay in L2 beside the panel.
constexpr size_t kBlockRows = 96;
// Vectors of inputs that are quantised at a time: their digits are one vector each.
constexpr size_t kStepVecs = 4;

// sum += weights (unsigned bytes) . inputs (signed), four by four. Of the intrinsic, g++ 12 makes copies of the sums,
// which then no longer fit the registers: three times slower.
KOE_VNNI inline void DotAdd(__m512i& sum, __m512i weights, __m512i inputs) {
  asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(weights), "v"(inputs));
}

KOE_VNNI inline __m512i LoadWeights(const uint8_t* w) { return _mm512_load_si512(w); }

KOE_VNNI inline __m512i Broadcast4(const int8_t* x) {
  int32_t four;
  std::memcpy(&four, x, sizeof(four));
  return _mm512_set1_epi32(four);
}

KOE_VNNI inline FixedRowTail TailOf(const int8_t* digits, size_t digit_bytes) {
  FixedRowTail tail{};
  std::memcpy(&tail, digits + kFixedDigits * digit_bytes, sizeof(tail));
  return tail;
}

KOE_VNNI inline FixedOutliers OutliersOf(const int8_t* digits, size_t digit_bytes, size_t i) {
  FixedOutliers four;
  std::memcpy(&four, digits + kFixedDigits * digit_bytes + kFixedTailBytes + i * sizeof(four), sizeof(four));
  return four;
}

// One vector of outputs from the sums.
KOE_VNNI inline void Finish(const FixedGemmArgs& args, __m512i low, __m512i middle, __m512i high, float row_scale,
                            size_t column, float* c) {
  const size_t count = args.n > column ? args.n - column : 0;
  const __mmask16 mask = count >= kLanes ? __mmask16{0xFFFF} : static_cast<__mmask16>((1u << count) - 1);
  const __m512 base = _mm512_set1_ps(256.0f);
  const __m512 upper = _mm512_fmadd_ps(_mm512_cvtepi32_ps(high), base, _mm512_cvtepi32_ps(middle));
  const __m512 sum = _mm512_fmadd_ps(upper, base, _mm512_cvtepi32_ps(low));
  const __m512 scale = _mm512_mul_ps(_mm512_set1_ps(row_scale), _mm512_load_ps(args.scales + column));
  const __m512 bias = args.bias == nullptr ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps(mask, args.bias + column);
  _mm512_mask_storeu_ps(c + column, mask, _mm512_fmadd_ps(sum, scale, bias));
}

// kRows rows by one panel. Every index is a constant: otherwise g++ keeps the sums in memory.
template <size_t kRows>
KOE_VNNI HWY_NOINLINE void Tile(const FixedGemmArgs& args, size_t row, size_t panel) {
  constexpr size_t kLines = kRows * kFixedDigits;
  const size_t digit_bytes = FixedDigitBytes(args.k), row_bytes = FixedRowBytes(args.k);
  const auto* x0 = reinterpret_cast<const int8_t*>(args.x + row * row_bytes);
  const int8_t* x1 = x0 + (kRows > 1 ? row_bytes : 0);
  const int8_t* x2 = x1 + (kRows > 2 ? row_bytes : 0);
  const int8_t* x3 = x2 + (kRows > 3 ? row_bytes : 0);
  const size_t column = panel * kPanelWidth;
  const uint8_t* w = args.w + panel * FixedPanelBytes(args.k);
  __m512i sum[kLines][kPanelVecs];
  uint32_t num_outliers = 0;
  HWY_UNROLL(4)
  for (size_t r = 0; r < kRows; ++r) {
    const FixedRowTail tail = TailOf(r == 0 ? x0 : r == 1 ? x1 : r == 2 ? x2 : x3, digit_bytes);
    num_outliers = HWY_MAX(num_outliers, tail.num_outliers);
    HWY_UNROLL(2)
    for (size_t v = 0; v < kPanelVecs; ++v) sum[kFixedDigits * r + 2][v] = _mm512_setzero_si512();
  }
  // The fourth digits first, before the others' sums take registers. All rows at once, those with fewer outliers over
  // zeros: a loop of each row would be left by a mispredicted branch.
  for (size_t i = 0; i < num_outliers; ++i) {
    HWY_UNROLL(4)
    for (size_t r = 0; r < kRows; ++r) {
      const FixedOutliers four = OutliersOf(r == 0 ? x0 : r == 1 ? x1 : r == 2 ? x2 : x3, digit_bytes, i);
      const __m512i top = Broadcast4(four.digits);
      HWY_UNROLL(2)
      for (size_t v = 0; v < kPanelVecs; ++v) {
        DotAdd(sum[kFixedDigits * r + 2][v], LoadWeights(w + (four.group * kPanelVecs + v) * 4 * kLanes), top);
      }
    }
  }
  HWY_UNROLL(4)
  for (size_t r = 0; r < kRows; ++r) {
    const FixedRowTail tail = TailOf(r == 0 ? x0 : r == 1 ? x1 : r == 2 ? x2 : x3, digit_bytes);
    HWY_UNROLL(3)
    for (size_t d = 0; d < kFixedDigits; ++d) {
      const __m512i minus = _mm512_set1_epi32(-tail.sums[d]);
      HWY_UNROLL(2)
      for (size_t v = 0; v < kPanelVecs; ++v) {
        const __m512i zeros = _mm512_mullo_epi32(minus, _mm512_load_si512(args.zero_points + column + v * kLanes));
        __m512i& to = sum[r * kFixedDigits + d][v];
        to = d == 2 ? _mm512_add_epi32(_mm512_slli_epi32(to, 8), zeros) : zeros;
      }
    }
  }
  const size_t steps = (args.k + 3) / 4;
  for (size_t i = 0; i < steps; ++i, w += 4 * kPanelWidth) {
    // The next panel's beginning, while this one's end is in use.
    _mm_prefetch(reinterpret_cast<const char*>(w) + 2048, _MM_HINT_T0);
    _mm_prefetch(reinterpret_cast<const char*>(w) + 2048 + 64, _MM_HINT_T0);
    __m512i weights[kPanelVecs];
    HWY_UNROLL(2)
    for (size_t v = 0; v < kPanelVecs; ++v) weights[v] = LoadWeights(w + v * 4 * kLanes);
    HWY_UNROLL(12)
    for (size_t line = 0; line < kLines; ++line) {
      const int8_t* x = line < 3 ? x0 : line < 6 ? x1 : line < 9 ? x2 : x3;
      const __m512i four = Broadcast4(x + line % kFixedDigits * digit_bytes + 4 * i);
      HWY_UNROLL(2)
      for (size_t v = 0; v < kPanelVecs; ++v) DotAdd(sum[line][v], weights[v], four);
    }
  }
  float* c = args.c + row * args.c_stride;
  HWY_UNROLL(4)
  for (size_t r = 0; r < kRows; ++r, c += args.c_stride) {
    const float scale = TailOf(r == 0 ? x0 : r == 1 ? x1 : r == 2 ? x2 : x3, digit_bytes).scale;
    HWY_UNROLL(2)
    for (size_t v = 0; v < kPanelVecs; ++v) {
      Finish(args, sum[3 * r][v], sum[3 * r + 1][v], sum[3 * r + 2][v], scale, column + v * kLanes, c);
    }
  }
}

// One row by kPanels panels.
template <size_t kPanels>
KOE_VNNI HWY_NOINLINE void RowTile(const FixedGemmArgs& args, size_t panel) {
  constexpr size_t kVecs = kPanels * kPanelVecs;
  const size_t digit_bytes = FixedDigitBytes(args.k), panel_bytes = FixedPanelBytes(args.k);
  const auto* x = reinterpret_cast<const int8_t*>(args.x);
  const FixedRowTail tail = TailOf(x, digit_bytes);
  const size_t column = panel * kPanelWidth;
  const uint8_t* w = args.w + panel * panel_bytes;
  __m512i sum[kFixedDigits][kVecs];
  HWY_UNROLL(8)
  for (size_t v = 0; v < kVecs; ++v) sum[2][v] = _mm512_setzero_si512();
  for (size_t i = 0; i < tail.num_outliers; ++i) {
    const FixedOutliers four = OutliersOf(x, digit_bytes, i);
    const __m512i top = Broadcast4(four.digits);
    const uint8_t* at = w + four.group * 4 * kPanelWidth;
    HWY_UNROLL(8)
    for (size_t v = 0; v < kVecs; ++v) {
      DotAdd(sum[2][v], LoadWeights(at + v / kPanelVecs * panel_bytes + v % kPanelVecs * 4 * kLanes), top);
    }
  }
  HWY_UNROLL(3)
  for (size_t d = 0; d < kFixedDigits; ++d) {
    const __m512i minus = _mm512_set1_epi32(-tail.sums[d]);
    HWY_UNROLL(8)
    for (size_t v = 0; v < kVecs; ++v) {
      const __m512i zeros = _mm512_mullo_epi32(minus, _mm512_load_si512(args.zero_points + column + v * kLanes));
      sum[d][v] = d == 2 ? _mm512_add_epi32(_mm512_slli_epi32(sum[d][v], 8), zeros) : zeros;
    }
  }
  const size_t steps = (args.k + 3) / 4;
  for (size_t i = 0; i < steps; ++i, w += 4 * kPanelWidth) {
    const __m512i low = Broadcast4(x + 4 * i), middle = Broadcast4(x + digit_bytes + 4 * i),
                  high = Broadcast4(x + 2 * digit_bytes + 4 * i);
    HWY_UNROLL(8)
    for (size_t v = 0; v < kVecs; ++v) {
      const __m512i weights = LoadWeights(w + v / kPanelVecs * panel_bytes + v % kPanelVecs * 4 * kLanes);
      DotAdd(sum[0][v], weights, low);
      DotAdd(sum[1][v], weights, middle);
      DotAdd(sum[2][v], weights, high);
    }
  }
  HWY_UNROLL(8)
  for (size_t v = 0; v < kVecs; ++v) {
    Finish(args, sum[0][v], sum[1][v], sum[2][v], tail.scale, column + v * kLanes, args.c);
  }
}

void Gemm(const FixedGemmArgs& args) {
  const size_t panels = (args.n + kPanelWidth - 1) / kPanelWidth;
  if (args.m == 1) {
    size_t panel = 0;
    for (; panel + kRowPanels <= panels; panel += kRowPanels) RowTile<kRowPanels>(args, panel);
    for (; panel < panels; ++panel) RowTile<1>(args, panel);
    return;
  }
  for (size_t first = 0; first < args.m; first += kBlockRows) {
    const size_t last = HWY_MIN(first + kBlockRows, args.m);
    for (size_t panel = 0; panel < panels; ++panel) {
      size_t row = first;
      for (; row + kTileRows <= last; row += kTileRows) Tile<kTileRows>(args, row, panel);
      switch (last - row) {
        case 3:
          Tile<3>(args, row, panel);
          break;
        case 2:
          Tile<2>(args, row, panel);
          break;
        case 1:
          Tile<1>(args, row, panel);
          break;
        default:
          break;
      }
    }
  }
}

KOE_VNNI inline __mmask16 FirstLanes(size_t count) {
  return count >= kLanes ? __mmask16{0xFFFF} : static_cast<__mmask16>((1u << count) - 1);
}

KOE_VNNI inline __m512i MagnitudeBits(const float* x, size_t i, size_t k) {
  const __m512i bits = _mm512_castps_si512(_mm512_maskz_loadu_ps(i < k ? FirstLanes(k - i) : __mmask16{0}, x + i));
  return _mm512_and_si512(bits, _mm512_set1_epi32(0x7FFFFFFF));
}

KOE_VNNI inline size_t CountAbove(__m512i magnitude_bits, float limit) {
  const __m512 values = _mm512_castsi512_ps(magnitude_bits);
  return static_cast<size_t>(__builtin_popcount(_mm512_cmp_ps_mask(values, _mm512_set1_ps(limit), _CMP_GT_OQ)));
}

// The magnitude that three digits hold. peaks: the largest magnitudes of parts of the row.
KOE_VNNI float Limit(const float* x, size_t k, float max, const __m512i* peaks) {
  // No more peaks than inputs pass a limit: that rules most limits out, so that seldom more than one is counted.
  constexpr float kHalves[kMaxFixedShift + 1] = {1.0f, 1.0f / 2, 1.0f / 4, 1.0f / 8, 1.0f / 16, 1.0f / 32};
  int shift = 0;
  for (; shift < kMaxFixedShift; ++shift) {
    size_t count = 0;
    for (size_t v = 0; v < kStepVecs; ++v) count += CountAbove(peaks[v], max * kHalves[shift + 1]);
    if (count > MaxFixedOutliers(k)) break;
  }
  for (; shift > 0; --shift) {
    size_t count = 0;
    for (size_t i = 0; i < k; i += kLanes) count += CountAbove(MagnitudeBits(x, i, k), max * kHalves[shift]);
    if (count <= MaxFixedOutliers(k)) break;
  }
  return max * kHalves[shift];
}

// digits[d] = byte d of the 64 values of four vectors, in their order.
KOE_VNNI inline void SplitBytes(const __m512i* values, __m512i* digits) {
  // In each quarter of a vector, the four values' bytes 0, then their bytes 1, ...
  const __m512i by_digit = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
  __m512i v[kStepVecs];
  for (size_t i = 0; i < kStepVecs; ++i) v[i] = _mm512_shuffle_epi8(values[i], by_digit);
  const __m512i low01 = _mm512_unpacklo_epi32(v[0], v[1]), low23 = _mm512_unpacklo_epi32(v[2], v[3]);
  const __m512i high01 = _mm512_unpackhi_epi32(v[0], v[1]), high23 = _mm512_unpackhi_epi32(v[2], v[3]);
  // Now quarter q has fours q of all vectors: to vector after vector.
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  digits[0] = _mm512_permutexvar_epi32(order, _mm512_unpacklo_epi64(low01, low23));
  digits[1] = _mm512_permutexvar_epi32(order, _mm512_unpackhi_epi64(low01, low23));
  digits[2] = _mm512_permutexvar_epi32(order, _mm512_unpacklo_epi64(high01, high23));
  digits[3] = _mm512_permutexvar_epi32(order, _mm512_unpackhi_epi64(high01, high23));
}

KOE_VNNI void Quantise(const float* x, size_t stride, size_t rows, size_t k, std::byte* out) {
  const size_t digit_bytes = FixedDigitBytes(k);
  const __m512i offsets = _mm512_set1_epi32(static_cast<int>(kDigitOffsets)), ones = _mm512_set1_epi8(1);
  for (size_t r = 0; r < rows; ++r, x += stride, out += FixedRowBytes(k)) {
    auto* digits = reinterpret_cast<int8_t*>(out);
    // As integers, so that NaN is the largest of all.
    __m512i peaks[kStepVecs] = {};
    for (size_t i = 0; i < k; i += kStepVecs * kLanes) {
      for (size_t v = 0; v < kStepVecs; ++v) {
        peaks[v] = _mm512_max_epi32(peaks[v], MagnitudeBits(x, i + v * kLanes, k));
      }
    }
    const int32_t bits = _mm512_reduce_max_epi32(
        _mm512_max_epi32(_mm512_max_epi32(peaks[0], peaks[1]), _mm512_max_epi32(peaks[2], peaks[3])));
    float max;
    std::memcpy(&max, &bits, sizeof(max));
    std::byte* list = out + kFixedDigits * digit_bytes + kFixedTailBytes;
    for (size_t i = 0; i < FixedListBytes(k); i += 64) _mm512_store_si512(list + i, _mm512_setzero_si512());
    FixedRowTail tail{};
    if (bits >= 0x7F800000) {
      std::memset(digits, 0, kFixedDigits * digit_bytes);
      tail.scale = std::numeric_limits<float>::quiet_NaN();
    } else {
      const float limit = Limit(x, k, HWY_MAX(max, kMinFixedMax), peaks);
      tail.scale = limit / kFixedMax;
      const __m512 inverse = _mm512_set1_ps(kFixedMax / limit);
      __m512i sums[kFixedDigits + 1] = {};
      for (size_t i = 0; i < digit_bytes; i += kStepVecs * kLanes) {
        __m512i bytes[kStepVecs], split[kStepVecs];
        for (size_t v = 0; v < kStepVecs; ++v) {
          const size_t at = i + v * kLanes;
          const __m512 values = _mm512_maskz_loadu_ps(at < k ? FirstLanes(k - at) : __mmask16{0}, x + at);
          const __m512i whole = _mm512_cvtps_epi32(_mm512_mul_ps(values, inverse));
          bytes[v] = _mm512_xor_si512(_mm512_add_epi32(whole, offsets), offsets);
        }
        SplitBytes(bytes, split);
        for (size_t d = 0; d < kFixedDigits; ++d) {
          _mm512_store_si512(digits + d * digit_bytes + i, split[d]);
          DotAdd(sums[d], ones, split[d]);
        }
        DotAdd(sums[kFixedDigits], ones, split[kFixedDigits]);
        if (uint32_t rest = _mm512_test_epi32_mask(split[kFixedDigits], split[kFixedDigits]); rest != 0) {
          alignas(64) int32_t tops[kLanes];
          _mm512_store_si512(tops, split[kFixedDigits]);
          for (; rest != 0; rest &= rest - 1) {
            const auto lane = static_cast<uint32_t>(__builtin_ctz(rest));
            FixedOutliers four{static_cast<uint32_t>(i / 4) + lane, {}};
            std::memcpy(four.digits, &tops[lane], sizeof(four.digits));
            std::memcpy(list + tail.num_outliers++ * sizeof(four), &four, sizeof(four));
          }
        }
      }
      sums[2] = _mm512_add_epi32(sums[2], _mm512_slli_epi32(sums[kFixedDigits], 8));
      for (size_t d = 0; d < kFixedDigits; ++d) tail.sums[d] = _mm512_reduce_add_epi32(sums[d]);
    }
    std::memcpy(digits + kFixedDigits * digit_bytes, &tail, sizeof(tail));
  }
}

constexpr FixedGemmOps kVnniOps{Quantise, Gemm};

}  // namespace

const FixedGemmOps* FindFixedGemmOps(Target target) {
  static const bool has_vnni = __builtin_cpu_supports("avx512vnni") != 0;
  return target == Target::kAvx512 && has_vnni ? &kVnniOps : nullptr;
}

}  // namespace koe::kernels

#else

namespace koe::kernels {

const FixedGemmOps* FindFixedGemmOps(Target) { return nullptr; }

}  // namespace koe::kernels

#endif
