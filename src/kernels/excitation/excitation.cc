// SPDX-License-Identifier: Apache-2.0
#include "kernels/excitation/excitation.h"

#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/excitation/excitation.cc"
#include "kernels/simd_targets.h"
//
#include "hwy/foreach_target.h"
//
#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"
#include "kernels/math/map-inl.h"
#include "kernels/math/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace koe::kernels::HWY_NAMESPACE {
#if KOE_IS_VECTOR_TARGET
namespace {

using DD = hn::ScalableTag<double>;
using DU = hn::RebindToUnsigned<DD>;
using DF = hn::Rebind<float, DD>;
using VD = hn::Vec<DD>;
using VU = hn::Vec<DU>;
constexpr size_t kLanes = hn::MaxLanes(DD());

// Words below 2^52 as doubles, exactly: they become the low bits of 2^52 + word.
HWY_INLINE VD ToDouble(VU words) {
  const DD d;
  return hn::Sub(hn::BitCast(d, hn::Or(words, hn::Set(DU(), 0x4330000000000000u))), hn::Set(d, 0x1p52));
}

// Philox 4x32-10 and Box-Muller on `kLanes` blocks of four numbers from block number `first`; base/rng.cc step by step,
// with each 32-bit word in 64 bits.
HWY_INLINE void NormalBlocks(uint64_t seed, uint32_t stream, uint64_t first, float* dst) {
  const DD d;
  const DU du;
  const hn::Repartition<uint32_t, DU> d32;
  const VU low = hn::Set(du, 0xFFFFFFFFu);
  const VU block = hn::Add(hn::Set(du, first), hn::Iota(du, 0));
  VU c0 = hn::And(block, low), c1 = hn::ShiftRight<32>(block), c2 = hn::Set(du, stream), c3 = hn::Set(du, 0x6B6F65u);
  const VU multiplier0 = hn::Set(du, 0xD2511F53u), multiplier1 = hn::Set(du, 0xCD9E8D57u);
  uint32_t key0 = static_cast<uint32_t>(seed), key1 = static_cast<uint32_t>(seed >> 32);
  for (int round = 0; round < 10; ++round, key0 += 0x9E3779B9u, key1 += 0xBB67AE85u) {
    const VU p0 = hn::MulEven(hn::BitCast(d32, c0), hn::BitCast(d32, multiplier0));
    const VU p1 = hn::MulEven(hn::BitCast(d32, c2), hn::BitCast(d32, multiplier1));
    c0 = hn::Xor(hn::Xor(hn::ShiftRight<32>(p1), c1), hn::Set(du, key0));
    c2 = hn::Xor(hn::Xor(hn::ShiftRight<32>(p0), c3), hn::Set(du, key1));
    c1 = hn::And(p1, low);
    c3 = hn::And(p0, low);
  }
  const DF df;
  const VU one = hn::Set(du, 1);
  const VD unit = hn::Set(d, 0x1p-32), turn = hn::Set(d, 6.283185307179586), minus_two = hn::Set(d, -2.0);
  const auto radius = [&](VU word) HWY_ATTR {
    return hn::Sqrt(hn::Mul(minus_two, hn::Log(d, hn::Mul(ToDouble(hn::Add(word, one)), unit))));
  };
  const auto angle = [&](VU word) HWY_ATTR { return hn::Mul(turn, hn::Mul(ToDouble(word), unit)); };
  const VD r0 = radius(c0), r1 = radius(c2), a0 = angle(c1), a1 = angle(c3);
  hn::StoreInterleaved4(hn::DemoteTo(df, hn::Mul(r0, hn::Cos(d, a0))), hn::DemoteTo(df, hn::Mul(r0, hn::Sin(d, a0))),
                        hn::DemoteTo(df, hn::Mul(r1, hn::Cos(d, a1))), hn::DemoteTo(df, hn::Mul(r1, hn::Sin(d, a1))),
                        df, dst);
}

void Normal(uint64_t seed, uint32_t stream, uint64_t first, size_t count, float* dst) {
  constexpr size_t kNumbers = 4 * kLanes;
  alignas(64) float buffer[kNumbers];
  uint64_t block = first / 4;
  size_t skip = first % 4;
  while (count > 0) {
    if (skip == 0 && count >= kNumbers) {
      NormalBlocks(seed, stream, block, dst);
      dst += kNumbers;
      count -= kNumbers;
    } else {
      NormalBlocks(seed, stream, block, buffer);
      const size_t n = count < kNumbers - skip ? count : kNumbers - skip;
      std::memcpy(dst, buffer + skip, n * sizeof(float));
      dst += n;
      count -= n;
      skip = 0;
    }
    block += kLanes;
  }
}

// sin(2 pi x), x in cycles: in double, exactly, whole cycles are taken off, then half cycles, whose sine changes sign.
HWY_INLINE hn::Vec<DF> SinCycles(VD x) {
  const DD d;
  const DF df;
  const VD f = hn::Sub(x, hn::Round(x));
  const VD halves = hn::Round(hn::Add(f, f));
  const VD rest = hn::NegMulAdd(halves, hn::Set(d, 0.5), f);
  const auto sine = SinReduced(df, hn::Mul(hn::DemoteTo(df, rest), hn::Set(df, 6.28318548f)));
  return FlipIfOdd(df, sine, hn::DemoteTo(df, halves));
}

void AddHarmonic(const HarmonicArgs& args) {
  const DD d;
  const DF df;
  const VD start = hn::Set(d, args.start), step = hn::Set(d, args.step), iota = hn::Iota(d, 0);
  const auto sine_scale = hn::Set(df, args.sine_scale), noise_scale = hn::Set(df, args.noise_scale);
  for (size_t i = 0; i < args.count; i += kLanes) {
    const size_t n = args.count - i < kLanes ? args.count - i : kLanes;
    auto value = hn::Zero(df);
    if (args.sine_scale != 0) {
      value =
          hn::Mul(sine_scale, SinCycles(hn::MulAdd(hn::Add(iota, hn::Set(d, static_cast<double>(i))), step, start)));
    }
    if (args.noise != nullptr) {
      const auto noise = n == kLanes ? hn::LoadU(df, args.noise + i) : LoadFirst(df, args.noise + i, n);
      value = hn::MulAdd(noise_scale, noise, value);
    }
    if (n == kLanes) {
      hn::StoreU(hn::Add(hn::LoadU(df, args.dst + i), value), df, args.dst + i);
    } else {
      StoreFirst(hn::Add(LoadFirst(df, args.dst + i, n), value), df, args.dst + i, n);
    }
  }
}

constexpr ExcitationOps kExcitationOps{Normal, AddHarmonic};

}  // namespace
#endif  // KOE_IS_VECTOR_TARGET
}  // namespace koe::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace koe::kernels {

const ExcitationOps* FindExcitationOps(Target target) {
  switch (target) {
    KOE_VECTOR_CASES(kExcitationOps)
    default:
      return &scalar::kExcitationOps;
  }
}

}  // namespace koe::kernels
#endif  // HWY_ONCE
