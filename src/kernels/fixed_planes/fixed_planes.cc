// SPDX-License-Identifier: Apache-2.0
// AVX-512 VNNI. Highway 1.0.3 has no such dot product, so these are intrinsics.
#include "kernels/fixed_planes/fixed_planes.h"

#if defined(__x86_64__)

#if defined(__GNUC__) && !defined(__clang__)
// False positives inside the intrinsics (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>

#include <cstring>

#include "hwy/base.h"

// By function, not by file: inline functions of headers must not be compiled for more than the baseline.
#define KOE_VNNI __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))

namespace koe::kernels {
namespace {

constexpr size_t kLanes = 16;
constexpr size_t kPanelVecs = kPanelWidth / kLanes;
constexpr size_t kPairs = kFixedChunk / 2;
constexpr size_t kStep = 2 * kPanelWidth;  // whole numbers of weights for a pair of inputs
// Six rows by two vectors, a chunk's sum and the total of each: 24 sums, two weights and a broadcast of 32 registers.
constexpr size_t kMaxRows = 6;
// 4 KiB: four chunks, a little more than L3's latency.
constexpr size_t kPrefetchAhead = 2048;

// sum += weights . inputs, pairs of 16-bit numbers. Of the intrinsic, g++ 12 makes copies of the sums.
KOE_VNNI inline void DotAdd(__m512i& sum, __m512i weights, __m512i inputs) {
  asm("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(weights), "v"(inputs));
}

KOE_VNNI inline __m512i BroadcastPair(const int16_t* x) {
  int32_t two;
  std::memcpy(&two, x, sizeof(two));
  return _mm512_set1_epi32(two);
}

KOE_VNNI inline __m512 SwapNeighbours(__m512 x) { return _mm512_permute_ps(x, 0xB1); }

// What brings numbers with these largest magnitudes and sums of squares to whole ones. Approximations of 2^-14: the
// limits have room for them.
KOE_VNNI inline __m512 Inverse(__m512 max, __m512 squares) {
  const __m512 tiny = _mm512_set1_ps(1e-30f);  // quotients stay finite
  return _mm512_min_ps(_mm512_mul_ps(_mm512_set1_ps(kFixedPlaneNorm), _mm512_rsqrt14_ps(_mm512_add_ps(squares, tiny))),
                       _mm512_mul_ps(_mm512_set1_ps(kFixedPlaneMax), _mm512_rcp14_ps(_mm512_max_ps(max, tiny))));
}

// Their scale is the quotient of just that: an approximation and one step of Newton's.
KOE_VNNI inline __m512 ScaleOf(__m512 inverse) {
  const __m512 guess = _mm512_rcp14_ps(inverse);
  return _mm512_mul_ps(guess, _mm512_fnmadd_ps(inverse, guess, _mm512_set1_ps(2.0f)));
}

KOE_VNNI inline __mmask16 IsFinite(__m512 x) {  // false for NaN
  return _mm512_cmp_ps_mask(x, _mm512_set1_ps(__builtin_inff()), _CMP_LT_OQ);
}
KOE_VNNI inline __m512 OrNan(__mmask16 is_finite, __m512 x) {
  return _mm512_mask_blend_ps(is_finite, _mm512_set1_ps(__builtin_nanf("")), x);
}

KOE_VNNI inline __m512 LargerMagnitude(__m512 a, __m512 b) { return _mm512_range_ps(a, b, 0x0B); }

// One block of a row. count: its inputs, where it is not full.
template <bool kFull>
KOE_VNNI inline void QuantiseBlock(const float* x, size_t count, int16_t* whole, float* scales) {
  __m512 value[8];
  __m512 max = _mm512_setzero_ps(), squares = _mm512_setzero_ps();
  HWY_UNROLL(8)
  for (size_t v = 0; v < 8; ++v) {
    const size_t first = v * kLanes;
    const __mmask16 mask = kFull || count >= first + kLanes ? __mmask16{0xFFFF}
                           : count > first                  ? static_cast<__mmask16>((1u << (count - first)) - 1)
                                                            : __mmask16{0};
    value[v] = _mm512_maskz_loadu_ps(mask, x + first);
    max = LargerMagnitude(max, value[v]);
    squares = _mm512_fmadd_ps(value[v], value[v], squares);
  }
  max = _mm512_max_ps(max, SwapNeighbours(max));
  squares = _mm512_add_ps(squares, SwapNeighbours(squares));
  const __m512 inverse = Inverse(max, squares), scale = ScaleOf(inverse);
  const __m512 marked = OrNan(IsFinite(squares), scale);
  // Lanes 0, 2, ... 14.
  const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 0, 0, 0, 0, 0, 0, 0, 0);
  _mm256_store_ps(scales, _mm512_castps512_ps256(_mm512_permutexvar_ps(even, marked)));
  HWY_UNROLL(8)
  for (size_t v = 0; v < 8; ++v) {
    const __m512i rounded = _mm512_cvtps_epi32(_mm512_mul_ps(value[v], inverse));
    _mm256_store_si256(reinterpret_cast<__m256i*>(whole + v * kLanes), _mm512_cvtsepi32_epi16(rounded));
  }
}

KOE_VNNI void Quantise(const float* x, size_t x_stride, size_t depth, size_t rows, float* out, size_t out_stride) {
  const size_t padded = FixedPlaneDepth(depth);
  for (size_t r = 0; r < rows; ++r, x += x_stride, out += out_stride) {
    auto* whole = reinterpret_cast<int16_t*>(out);
    for (size_t first = 0; first < padded; first += kFixedBlock) {
      float* scales = out + padded / 2 + first / kFixedChunk;
      if (depth - first >= kFixedBlock) {
        QuantiseBlock<true>(x + first, kFixedBlock, whole + first, scales);
      } else {
        QuantiseBlock<false>(x + first, depth - first, whole + first, scales);
      }
    }
  }
}

// kRows rows by one panel. Every index is a constant: otherwise g++ keeps the sums in memory.
template <size_t kRows>
KOE_VNNI HWY_NOINLINE void Tile(const float* input, size_t input_stride, size_t padded, const float* packed,
                                float* products) {
  const auto* w = reinterpret_cast<const int16_t*>(packed);
  const float* row[kRows];
  HWY_UNROLL(6)
  for (size_t r = 0; r < kRows; ++r) row[r] = input + r * input_stride;
  __m512 total[kRows][kPanelVecs];
  HWY_UNROLL(6)
  for (size_t r = 0; r < kRows; ++r) {
    HWY_UNROLL(2)
    for (size_t v = 0; v < kPanelVecs; ++v) total[r][v] = _mm512_setzero_ps();
  }
  const size_t scales = padded / 2;
  for (size_t chunk = 0; chunk < padded / kFixedChunk; ++chunk) {
    // In units of float32: a pair of inputs is one.
    const size_t first = chunk / kFixedBlockChunks * (kFixedBlock / 2) + chunk % kFixedBlockChunks;
    __m512i sum[kRows][kPanelVecs];
    HWY_UNROLL(6)
    for (size_t r = 0; r < kRows; ++r) {
      HWY_UNROLL(2)
      for (size_t v = 0; v < kPanelVecs; ++v) sum[r][v] = _mm512_setzero_si512();
    }
    HWY_UNROLL(8)
    for (size_t p = 0; p < kPairs; ++p, w += kStep) {
      __m512i weights[kPanelVecs];
      HWY_UNROLL(2)
      for (size_t v = 0; v < kPanelVecs; ++v) {
        _mm_prefetch(reinterpret_cast<const char*>(w + kPrefetchAhead + v * 2 * kLanes), _MM_HINT_T0);
        weights[v] = _mm512_load_si512(w + v * 2 * kLanes);
      }
      HWY_UNROLL(6)
      for (size_t r = 0; r < kRows; ++r) {
        const __m512i two = BroadcastPair(reinterpret_cast<const int16_t*>(row[r] + first + p * (kLanes / 2)));
        HWY_UNROLL(2)
        for (size_t v = 0; v < kPanelVecs; ++v) DotAdd(sum[r][v], weights[v], two);
      }
    }
    HWY_UNROLL(6)
    for (size_t r = 0; r < kRows; ++r) {
      const __m512 scale = _mm512_set1_ps(row[r][scales + chunk]);
      HWY_UNROLL(2)
      for (size_t v = 0; v < kPanelVecs; ++v) {
        total[r][v] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum[r][v]), scale, total[r][v]);
      }
    }
  }
  HWY_UNROLL(6)
  for (size_t r = 0; r < kRows; ++r) {
    HWY_UNROLL(2)
    for (size_t v = 0; v < kPanelVecs; ++v) {
      const __m512 scale = _mm512_load_ps(reinterpret_cast<const float*>(w) + v * kLanes);
      _mm512_store_ps(products + r * kPanelWidth + v * kLanes, _mm512_mul_ps(total[r][v], scale));
    }
  }
}

template <size_t kRows = kMaxRows>
void RunTile(size_t rows, const float* input, size_t input_stride, size_t padded, const float* packed,
             float* products) {
  if constexpr (kRows > 1) {
    if (rows < kRows) return RunTile<kRows - 1>(rows, input, input_stride, padded, packed, products);
  }
  Tile<kRows>(input, input_stride, padded, packed, products);
}

void Multiply(const float* input, size_t input_stride, size_t tiles, size_t depth, const float* packed,
              float* products) {
  const size_t blocks = (tiles + kMaxRows - 1) / kMaxRows;
  for (size_t block = 0; block < blocks; ++block) {
    const size_t first = block * tiles / blocks;
    RunTile((block + 1) * tiles / blocks - first, input + first * input_stride, input_stride, FixedPlaneDepth(depth),
            packed, products + first * kPanelWidth);
  }
}

// Calls f(i) for the inputs of a chunk in the order that they are packed in.
template <class F>
KOE_VNNI inline void ForChunk(size_t chunk, const F& f) {
  const size_t first = chunk / kFixedBlockChunks * kFixedBlock + 2 * (chunk % kFixedBlockChunks);
  for (size_t p = 0; p < kPairs; ++p) f(first + p * kLanes);
}

KOE_VNNI inline __m512 LoadWeights(const float* w, size_t depth, size_t i) {
  return i < depth ? _mm512_load_ps(w + i * kPanelWidth) : _mm512_setzero_ps();
}

KOE_VNNI void Pack(const float* w, size_t depth, float* packed) {
  const size_t padded = FixedPlaneDepth(depth), chunks = padded / kFixedChunk;
  for (size_t v = 0; v < kPanelVecs; ++v) {
    const float* from = w + v * kLanes;
    __m512 inverse = _mm512_set1_ps(__builtin_inff());
    __mmask16 is_finite = 0xFFFF;
    for (size_t chunk = 0; chunk < chunks; ++chunk) {
      __m512 max = _mm512_setzero_ps(), squares = _mm512_setzero_ps();
      ForChunk(chunk, [&](size_t i) KOE_VNNI {
        const __m512 a = LoadWeights(from, depth, i), b = LoadWeights(from, depth, i + 1);
        max = LargerMagnitude(LargerMagnitude(max, a), b);
        squares = _mm512_fmadd_ps(a, a, _mm512_fmadd_ps(b, b, squares));
      });
      inverse = _mm512_min_ps(inverse, Inverse(max, squares));
      is_finite = static_cast<__mmask16>(is_finite & IsFinite(squares));
    }
    float* out = packed + v * kLanes;
    for (size_t chunk = 0; chunk < chunks; ++chunk) {
      ForChunk(chunk, [&](size_t i) KOE_VNNI {
        const __m512i a = _mm512_cvtps_epi32(_mm512_mul_ps(LoadWeights(from, depth, i), inverse)),
                      b = _mm512_cvtps_epi32(_mm512_mul_ps(LoadWeights(from, depth, i + 1), inverse));
        _mm512_store_si512(out, _mm512_mask_blend_epi16(0xAAAAAAAA, a, _mm512_slli_epi32(b, 16)));
        out += kPanelWidth;
      });
    }
    _mm512_store_ps(out, OrNan(is_finite, ScaleOf(inverse)));
  }
}

constexpr FixedPlanesOps kVnniOps{Quantise, Pack, Multiply};

}  // namespace

const FixedPlanesOps* FindFixedPlanesOps(Target target) {
  static const bool has_vnni = __builtin_cpu_supports("avx512vnni") != 0;
  return target == Target::kAvx512 && has_vnni ? &kVnniOps : nullptr;
}

}  // namespace koe::kernels

#else

namespace koe::kernels {

const FixedPlanesOps* FindFixedPlanesOps(Target) { return nullptr; }

}  // namespace koe::kernels

#endif
