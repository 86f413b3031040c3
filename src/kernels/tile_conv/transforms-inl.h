// SPDX-License-Identifier: Apache-2.0
// The transforms of tile_conv.h, written over an arithmetic A (A::V with Add, Sub, Mul, MulAdd...): vectors of channels
// in the kernel; double and magnitudes in the tests.

// Highway's per-target include guard.
#if defined(KOE_KERNELS_TILE_CONV_TRANSFORMS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef KOE_KERNELS_TILE_CONV_TRANSFORMS_INL_H_
#undef KOE_KERNELS_TILE_CONV_TRANSFORMS_INL_H_
#else
#define KOE_KERNELS_TILE_CONV_TRANSFORMS_INL_H_
#endif

#include <cstddef>
#include <utility>

#include "hwy/highway.h"
#include "kernels/tile_conv/tile_form.h"

HWY_BEFORE_NAMESPACE();
namespace koe::kernels::HWY_NAMESPACE {

// f(integral constant 0), f(1), ... f(kCount - 1): every index a constant, so that arrays become registers.
template <size_t... kIndex, class F>
HWY_INLINE void UnrollImpl(std::index_sequence<kIndex...>, const F& f) {
  (f(std::integral_constant<size_t, kIndex>()), ...);
}
template <size_t kCount, class F>
HWY_INLINE void Unroll(const F& f) {
  UnrollImpl(std::make_index_sequence<kCount>(), f);
}

// Toom-Cook with nodes 0, +-p_i, infinity. Planes: node 0, then (+p_i, -p_i) for every pair, then infinity.
template <class A, size_t kPoints>
struct ToomCook {
  using V = typename A::V;
  static constexpr size_t kSamples = kPoints, kPlanes = kPoints, kPairs = kPoints / 2 - 1;
  static constexpr ToomCookTable<kPairs> kTable = MakeToomCookTable<kPairs>();

  // load(j) is sample j of the tile; store(plane, v).
  template <class Load, class Store>
  static HWY_INLINE void Forward(const Load& load, const Store& store) {
    V even[kPairs + 1], odd[kPairs + 1];
    Unroll<kPairs + 1>([&](auto k) HWY_ATTR {
      even[k] = load(2 * k);
      odd[k] = load(2 * k + 1);
    });
    V zero = even[kPairs], infinity = odd[kPairs];
    Unroll<kPairs>([&](auto k) HWY_ATTR {
      const V c = A::Set(kTable.all[k]);
      zero = A::MulAdd(c, even[k], zero);
      infinity = A::MulAdd(c, odd[k], infinity);
    });
    store(0, zero);
    store(kPoints - 1, infinity);
    Unroll<kPairs>([&](auto i) HWY_ATTR {
      V e = even[kPairs], o = odd[kPairs - 1];
      Unroll<kPairs - 1>([&](auto k) HWY_ATTR {
        const V c = A::Set(kTable.without[i][k]);
        e = A::MulAdd(c, even[k + 1], e);
        o = A::MulAdd(c, odd[k], o);
      });
      const V p = A::Set(kTable.node[i]);
      store(1 + 2 * i, A::MulAdd(p, o, e));
      store(2 + 2 * i, A::NegMulAdd(p, o, e));
    });
  }

  // load(plane); emit(j, y_j) for the kOutputs outputs.
  template <size_t kOutputs, class Load, class Emit>
  static HWY_INLINE void Inverse(const Load& load, const Emit& emit) {
    V sum[kPairs], difference[kPairs];
    V first = load(0);
    Unroll<kPairs>([&](auto i) HWY_ATTR {
      const V plus = load(1 + 2 * i), minus = load(2 + 2 * i);
      sum[i] = A::Add(plus, minus);
      difference[i] = A::Sub(plus, minus);
      first = A::Add(first, sum[i]);
    });
    emit(0, first);
    Unroll<kOutputs - 1>([&](auto before) HWY_ATTR {
      constexpr size_t j = decltype(before)::value + 1;
      const V* terms = j % 2 == 0 ? sum : difference;
      V y = A::Mul(A::Set(kTable.power[j][0]), terms[0]);
      Unroll<kPairs - 1>([&](auto i) HWY_ATTR { y = A::MulAdd(A::Set(kTable.power[j][i + 1]), terms[i + 1], y); });
      if constexpr (j == kOutputs - 1) y = A::Add(y, load(kPoints - 1));
      emit(j, y);
    });
  }
};

// Spectrum of N real samples: bins 0 ... N/2; bins 0 and N/2 have no imaginary part. Its sign follows e^(+2 pi i k n/N)
// in the forward transform and e^(-...) in the inverse, which saves the negations at a quarter of the circle.
template <class A, size_t N>
struct HalfSpectrum {
  HWY_INLINE HalfSpectrum() {}  // an implicit one would not be compiled for the target (g++ on Arm)
  typename A::V re[N / 2 + 1], im[N / 2];
};

// Samples load(kFirst + kStep * n), n < N. Radix 2, decimation in time. A twiddle costs six FMAs with its cosine taken
// out: e +- c (o + t o').
template <class A, size_t N, size_t kFirst, size_t kStep, class Load>
HWY_INLINE HalfSpectrum<A, N> RealFft(const Load& load) {
  using V = typename A::V;
  HalfSpectrum<A, N> x;
  if constexpr (N == 4) {
    const V x0 = load(kFirst), x1 = load(kFirst + kStep), x2 = load(kFirst + 2 * kStep), x3 = load(kFirst + 3 * kStep);
    const V even = A::Add(x0, x2), odd = A::Add(x1, x3);
    x.re[0] = A::Add(even, odd);
    x.re[2] = A::Sub(even, odd);
    x.re[1] = A::Sub(x0, x2);
    x.im[1] = A::Sub(x1, x3);
  } else {
    const HalfSpectrum<A, N / 2> e = RealFft<A, N / 2, kFirst, 2 * kStep>(load);
    const HalfSpectrum<A, N / 2> o = RealFft<A, N / 2, kFirst + kStep, 2 * kStep>(load);
    x.re[0] = A::Add(e.re[0], o.re[0]);
    x.re[N / 2] = A::Sub(e.re[0], o.re[0]);
    x.re[N / 4] = e.re[N / 4];
    x.im[N / 4] = o.re[N / 4];
    Unroll<N / 4 - 1>([&](auto before) HWY_ATTR {
      constexpr size_t k = decltype(before)::value + 1, turn = k * (32 / N);
      const V c = A::Set(kCos32[turn]), t = A::Set(kTan32[turn]);
      const V u = A::NegMulAdd(t, o.im[k], o.re[k]), v = A::MulAdd(t, o.re[k], o.im[k]);
      x.re[k] = A::MulAdd(c, u, e.re[k]);
      x.im[k] = A::MulAdd(c, v, e.im[k]);
      x.re[N / 2 - k] = A::NegMulAdd(c, u, e.re[k]);
      x.im[N / 2 - k] = A::MulSub(c, v, e.im[k]);
    });
  }
  return x;
}

// y[kFirst + kStep * n] = sum over all N bins of x e^(-2 pi i k n / N).
template <class A, size_t N, size_t kFirst, size_t kStep>
HWY_INLINE void InverseRealFft(const HalfSpectrum<A, N>& x, typename A::V* y) {
  using V = typename A::V;
  if constexpr (N == 4) {
    const V two = A::Set(2.0f);
    const V even = A::Add(x.re[0], x.re[2]), odd = A::Sub(x.re[0], x.re[2]);
    y[kFirst] = A::MulAdd(two, x.re[1], even);
    y[kFirst + 2 * kStep] = A::NegMulAdd(two, x.re[1], even);
    y[kFirst + kStep] = A::MulAdd(two, x.im[1], odd);
    y[kFirst + 3 * kStep] = A::NegMulAdd(two, x.im[1], odd);
  } else {
    HalfSpectrum<A, N / 2> e, o;
    e.re[0] = A::Add(x.re[0], x.re[N / 2]);
    o.re[0] = A::Sub(x.re[0], x.re[N / 2]);
    e.re[N / 4] = A::Add(x.re[N / 4], x.re[N / 4]);
    o.re[N / 4] = A::Add(x.im[N / 4], x.im[N / 4]);
    Unroll<N / 4 - 1>([&](auto before) HWY_ATTR {
      constexpr size_t k = decltype(before)::value + 1, turn = k * (32 / N);
      const V c = A::Set(kCos32[turn]), s = A::Set(kSin32[turn]);
      e.re[k] = A::Add(x.re[k], x.re[N / 2 - k]);
      e.im[k] = A::Sub(x.im[k], x.im[N / 2 - k]);
      const V u = A::Sub(x.re[k], x.re[N / 2 - k]), v = A::Add(x.im[k], x.im[N / 2 - k]);
      o.re[k] = A::MulAdd(c, u, A::Mul(s, v));
      o.im[k] = A::MulSub(c, v, A::Mul(s, u));
    });
    InverseRealFft<A, N / 2, kFirst, 2 * kStep>(e, y);
    InverseRealFft<A, N / 2, kFirst + kStep, 2 * kStep>(o, y);
  }
}

// The 32 roots of unity, 0 and infinity: a cyclic correlation of samples 1 ... 32 whose first and last output are set
// right by one product each. Planes: bin 0, bin 16, then for bins 1 ... 15 = a + b i the three factors a + b, a, b of
// a complex product with three multiplications, then node 0 and infinity.
template <class A>
struct Fft32 {
  using V = typename A::V;
  static constexpr size_t kSamples = 34, kPlanes = 49;

  template <class Load, class Store>
  static HWY_INLINE void Forward(const Load& load, const Store& store) {
    const HalfSpectrum<A, 32> x = RealFft<A, 32, 1, 1>(load);
    store(0, x.re[0]);
    store(1, x.re[16]);
    Unroll<15>([&](auto k) HWY_ATTR {
      store(2 + 3 * k, A::Add(x.re[k + 1], x.im[k + 1]));
      store(3 + 3 * k, x.re[k + 1]);
      store(4 + 3 * k, x.im[k + 1]);
    });
    store(47, A::Sub(load(0), load(32)));
    store(48, A::Sub(load(33), load(1)));
  }

  template <size_t kOutputs, class Load, class Emit>
  static HWY_INLINE void Inverse(const Load& load, const Emit& emit) {
    HalfSpectrum<A, 32> x;
    x.re[0] = load(0);
    x.re[16] = load(1);
    Unroll<15>([&](auto k) HWY_ATTR {
      const V shared = load(2 + 3 * k);
      x.re[k + 1] = A::Sub(shared, load(4 + 3 * k));
      x.im[k + 1] = A::Add(shared, load(3 + 3 * k));
    });
    V y[32];
    InverseRealFft<A, 32, 0, 1>(x, y);
    emit(0, A::Add(y[31], load(47)));
    Unroll<kOutputs - 2>([&](auto j) HWY_ATTR { emit(j + 1, y[j]); });
    emit(kOutputs - 1, A::Add(y[kOutputs - 2], load(48)));
  }
};

}  // namespace koe::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // KOE_KERNELS_TILE_CONV_TRANSFORMS_INL_H_
