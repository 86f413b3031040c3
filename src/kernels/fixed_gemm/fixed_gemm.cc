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

KOE_VNNI FixedRowTail TailOf(const int8_t* digits, size_t digit_bytes) {
  FixedRowTail tail{};
  std::memcpy(&tail, digits + kFixedDigits * digit_bytes, sizeof(tail));
  return tail;
}

// What a row's fourth digits add to the sums of the third by one panel w, to tops. Out of line and before the sums of
// the others are begun: beside them g++ would keep those in memory.
KOE_VNNI HWY_NOINLINE void Tops(const FixedGemmArgs& args, const int8_t* digits, const uint8_t* w, size_t column,
                                float* tops) {
  const int8_t* list = digits + kFixedDigits * FixedDigitBytes(args.k) + kFixedTailBytes;
  const FixedRowTail tail = TailOf(digits, FixedDigitBytes(args.k));
  // Two chains each: a dot product takes several cycles to come out.
  __m512i sum[2][kPanelVecs];
  for (size_t v = 0; v < kPanelVecs; ++v) {
    sum[0][v] =
        _mm512_mullo_epi32(_mm512_set1_epi32(-tail.top_sum), _mm512_load_si512(args.zero_points + column + v * kLanes));
    sum[1][v] = _mm512_setzero_si512();
  }
  const auto add = [&](uint32_t i, __m512i* to) KOE_VNNI {
    FixedOutliers four;
    std::memcpy(&four, list + i * sizeof(four), sizeof(four));
    const __m512i digits4 = Broadcast4(four.digits);
    const uint8_t* at = w + size_t{four.group} * 4 * kPanelWidth;
    for (size_t v = 0; v < kPanelVecs; ++v) DotAdd(to[v], LoadWeights(at + v * 4 * kLanes), digits4);
  };
  uint32_t i = 0;
  for (; i + 2 <= tail.num_outliers; i += 2) {
    add(i, sum[0]);
    add(i + 1, sum[1]);
  }
  if (i < tail.num_outliers) add(i, sum[0]);
  for (size_t v = 0; v < kPanelVecs; ++v) {
    const __m512 top = _mm512_cvtepi32_ps(_mm512_add_epi32(sum[0][v], sum[1][v]));
    _mm512_store_ps(tops + v * kLanes, _mm512_mul_ps(top, _mm512_set1_ps(256.0f)));
  }
}

// One vector of outputs from the sums.
KOE_VNNI inline void Finish(const FixedGemmArgs& args, __m512i low, __m512i middle, __m512i high, __m512 top,
                            float row_scale, size_t column, float* c) {
  const size_t count = args.n > column ? args.n - column : 0;
  const __mmask16 mask = count >= kLanes ? __mmask16{0xFFFF} : static_cast<__mmask16>((1u << count) - 1);
  const __m512 base = _mm512_set1_ps(256.0f);
  const __m512 upper = _mm512_fmadd_ps(_mm512_add_ps(top, _mm512_cvtepi32_ps(high)), base, _mm512_cvtepi32_ps(middle));
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
  alignas(64) float tops[kRows][kPanelWidth] = {};
  float scales[kRows];
  __m512i sum[kLines][kPanelVecs];
  HWY_UNROLL(4)
  for (size_t r = 0; r < kRows; ++r) {
    const int8_t* x = r == 0 ? x0 : r == 1 ? x1 : r == 2 ? x2 : x3;
    const FixedRowTail tail = TailOf(x, digit_bytes);
    scales[r] = tail.scale;
    if (tail.num_outliers > 0) Tops(args, x, w, column, tops[r]);
  }
  HWY_UNROLL(4)
  for (size_t r = 0; r < kRows; ++r) {
    const FixedRowTail tail = TailOf(r == 0 ? x0 : r == 1 ? x1 : r == 2 ? x2 : x3, digit_bytes);
    HWY_UNROLL(3)
    for (size_t d = 0; d < kFixedDigits; ++d) {
      const __m512i minus = _mm512_set1_epi32(-tail.sums[d]);
      HWY_UNROLL(2)
      for (size_t v = 0; v < kPanelVecs; ++v) {
        sum[r * kFixedDigits + d][v] =
            _mm512_mullo_epi32(minus, _mm512_load_si512(args.zero_points + column + v * kLanes));
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
    HWY_UNROLL(2)
    for (size_t v = 0; v < kPanelVecs; ++v) {
      Finish(args, sum[3 * r][v], sum[3 * r + 1][v], sum[3 * r + 2][v], _mm512_load_ps(tops[r] + v * kLanes), scales[r],
             column + v * kLanes, c);
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
  alignas(64) float tops[kPanels * kPanelWidth] = {};
  for (size_t p = 0; p < kPanels && tail.num_outliers > 0; ++p) {
    Tops(args, x, w + p * panel_bytes, column + p * kPanelWidth, tops + p * kPanelWidth);
  }
  __m512i sum[kFixedDigits][kVecs];
  HWY_UNROLL(3)
  for (size_t d = 0; d < kFixedDigits; ++d) {
    const __m512i minus = _mm512_set1_epi32(-tail.sums[d]);
    HWY_UNROLL(8)
    for (size_t v = 0; v < kVecs; ++v) {
      sum[d][v] = _mm512_mullo_epi32(minus, _mm512_load_si512(args.zero_points + column + v * kLanes));
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
    Finish(args, sum[0][v], sum[1][v], sum[2][v], _mm512_load_ps(tops + v * kLanes), tail.scale, column + v * kLanes,
           args.c);
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

// The magnitude that three digits hold.
KOE_VNNI float Limit(const float* x, size_t k, float max) {
  const __m512i magnitude = _mm512_set1_epi32(0x7FFFFFFF);
  for (int shift = 0; shift < kMaxFixedShift; ++shift) {
    const __m512 half = _mm512_set1_ps(max / 2);
    size_t count = 0;
    for (size_t i = 0; i < k && count <= MaxFixedOutliers(k); i += kLanes) {
      const __m512i bits = _mm512_castps_si512(_mm512_maskz_loadu_ps(FirstLanes(k - i), x + i));
      const __m512 value = _mm512_castsi512_ps(_mm512_and_si512(bits, magnitude));
      count += static_cast<size_t>(__builtin_popcount(_mm512_cmp_ps_mask(value, half, _CMP_GT_OQ)));
    }
    if (count > MaxFixedOutliers(k)) break;
    max /= 2;
  }
  return max;
}

KOE_VNNI void Quantise(const float* x, size_t stride, size_t rows, size_t k, std::byte* out) {
  const size_t digit_bytes = FixedDigitBytes(k);
  const __m512i magnitude = _mm512_set1_epi32(0x7FFFFFFF), offsets = _mm512_set1_epi32(static_cast<int>(kDigitOffsets));
  for (size_t r = 0; r < rows; ++r, x += stride, out += FixedRowBytes(k)) {
    auto* digits = reinterpret_cast<int8_t*>(out);
    // As integers, so that NaN is the largest of all.
    __m512i max_bits = _mm512_castps_si512(_mm512_set1_ps(kMinFixedMax));
    for (size_t i = 0; i < k; i += kLanes) {
      const __m512i bits = _mm512_castps_si512(_mm512_maskz_loadu_ps(FirstLanes(k - i), x + i));
      max_bits = _mm512_max_epi32(max_bits, _mm512_and_si512(bits, magnitude));
    }
    const int32_t bits = _mm512_reduce_max_epi32(max_bits);
    float max;
    std::memcpy(&max, &bits, sizeof(max));
    std::byte* list = out + kFixedDigits * digit_bytes + kFixedTailBytes;
    FixedRowTail tail{};
    if (bits >= 0x7F800000) {
      std::memset(digits, 0, kFixedDigits * digit_bytes);
      tail.scale = std::numeric_limits<float>::quiet_NaN();
    } else {
      const float limit = Limit(x, k, max);
      tail.scale = limit / kFixedMax;
      const __m512 inverse = _mm512_set1_ps(kFixedMax / limit);
      for (size_t i = 0; i < digit_bytes; i += kLanes) {
        const __mmask16 mask = i < k ? FirstLanes(k - i) : __mmask16{0};
        const __m512i value = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_maskz_loadu_ps(mask, x + i), inverse));
        const __m512i bytes = _mm512_xor_si512(_mm512_add_epi32(value, offsets), offsets);
        auto* to = reinterpret_cast<__m128i*>(digits + i);
        _mm_store_si128(to, _mm512_cvtepi32_epi8(bytes));
        _mm_store_si128(to + digit_bytes / 16, _mm512_cvtepi32_epi8(_mm512_srli_epi32(bytes, 8)));
        _mm_store_si128(to + digit_bytes / 8, _mm512_cvtepi32_epi8(_mm512_srli_epi32(bytes, 16)));
        const __m512i top = _mm512_srai_epi32(bytes, 24);
        if (uint32_t rest = _mm512_test_epi32_mask(top, top); rest != 0) {
          alignas(64) int32_t lanes[kLanes];
          _mm512_store_si512(lanes, top);
          for (; rest != 0; rest &= rest - 1) {
            const auto lane = static_cast<size_t>(__builtin_ctz(rest));
            AddOutlier(i + lane, static_cast<int8_t>(lanes[lane]), &tail, list);
          }
        }
      }
      const __m512i ones = _mm512_set1_epi8(1);
      for (size_t d = 0; d < kFixedDigits; ++d) {
        __m512i sum = _mm512_setzero_si512();
        for (size_t i = 0; i < digit_bytes; i += 64) {
          DotAdd(sum, ones, _mm512_load_si512(digits + d * digit_bytes + i));
        }
        tail.sums[d] = _mm512_reduce_add_epi32(sum);
      }
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
