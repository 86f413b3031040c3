// SPDX-License-Identifier: Apache-2.0
// Loops over arrays of any length and alignment: whole vectors, then the rest under a mask or, on targets whose masks
// do not hold back memory accesses, through a buffer. So nothing past the end is read or written on any target.

// Highway's per-target include guard.
#if defined(KOE_KERNELS_MATH_MAP_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef KOE_KERNELS_MATH_MAP_INL_H_
#undef KOE_KERNELS_MATH_MAP_INL_H_
#else
#define KOE_KERNELS_MATH_MAP_INL_H_
#endif

#include <cstddef>
#include <cstring>

#include "hwy/highway.h"
#include "kernels/simd_targets.h"

HWY_BEFORE_NAMESPACE();
namespace koe::kernels::HWY_NAMESPACE {
#if KOE_IS_VECTOR_TARGET

namespace hn = hwy::HWY_NAMESPACE;

// The first count < Lanes(d) lanes; zero in the others.
template <class D, typename T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> LoadFirst(D d, const T* src, size_t count) {
#if !HWY_MEM_OPS_MIGHT_FAULT
  return hn::MaskedLoad(hn::FirstN(d, count), d, src);
#else
  alignas(64) T buffer[hn::MaxLanes(D())] = {};
  std::memcpy(buffer, src, count * sizeof(T));
  return hn::Load(d, buffer);
#endif
}

template <class D, class V, typename T = hn::TFromD<D>>
HWY_INLINE void StoreFirst(V v, D d, T* dst, size_t count) {
#if !HWY_MEM_OPS_MIGHT_FAULT
  hn::BlendedStore(v, hn::FirstN(d, count), d, dst);
#else
  alignas(64) T buffer[hn::MaxLanes(D())];
  hn::Store(v, d, buffer);
  std::memcpy(dst, buffer, count * sizeof(T));
#endif
}

// dst[i] = f(d, src[i]); dst may be src.
template <class D, class F, typename T = hn::TFromD<D>>
HWY_INLINE void Map(D d, const T* src, size_t count, T* dst, F f) {
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) hn::StoreU(f(d, hn::LoadU(d, src + i)), d, dst + i);
  if (i < count) StoreFirst(f(d, LoadFirst(d, src + i, count - i)), d, dst + i, count - i);
}

// dst[i] = f(d, a[i], b[i]); dst may be any of the sources.
template <class D, class F, typename T = hn::TFromD<D>>
HWY_INLINE void Map(D d, const T* a, const T* b, size_t count, T* dst, F f) {
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) hn::StoreU(f(d, hn::LoadU(d, a + i), hn::LoadU(d, b + i)), d, dst + i);
  if (i < count) {
    const size_t rest = count - i;
    StoreFirst(f(d, LoadFirst(d, a + i, rest), LoadFirst(d, b + i, rest)), d, dst + i, rest);
  }
}

// dst[i] = f(d, a[i], b[i], c[i]); dst may be any of the sources.
template <class D, class F, typename T = hn::TFromD<D>>
HWY_INLINE void Map(D d, const T* a, const T* b, const T* c, size_t count, T* dst, F f) {
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    hn::StoreU(f(d, hn::LoadU(d, a + i), hn::LoadU(d, b + i), hn::LoadU(d, c + i)), d, dst + i);
  }
  if (i < count) {
    const size_t rest = count - i;
    StoreFirst(f(d, LoadFirst(d, a + i, rest), LoadFirst(d, b + i, rest), LoadFirst(d, c + i, rest)), d, dst + i, rest);
  }
}

#endif  // KOE_IS_VECTOR_TARGET
}  // namespace koe::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // KOE_KERNELS_MATH_MAP_INL_H_
