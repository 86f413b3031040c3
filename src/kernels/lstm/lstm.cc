// SPDX-License-Identifier: Apache-2.0
#include "kernels/lstm/lstm.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/lstm/lstm.cc"
#include "kernels/simd_targets.h"
//
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"
#include "kernels/gemm/gemm.h"
#include "kernels/math/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace koe::kernels::HWY_NAMESPACE {
#if KOE_IS_VECTOR_TARGET
namespace {

template <class D>
void CellAt(D d, const float* gates, float* c, float* h, size_t hidden, size_t i) {
  const auto in = Sigmoid(d, hn::LoadU(d, gates + i));
  const auto forget = Sigmoid(d, hn::LoadU(d, gates + hidden + i));
  const auto candidate = Tanh(d, hn::LoadU(d, gates + 2 * hidden + i));
  const auto out = Sigmoid(d, hn::LoadU(d, gates + 3 * hidden + i));
  const auto cell = hn::MulAdd(forget, hn::LoadU(d, c + i), hn::Mul(in, candidate));
  hn::StoreU(cell, d, c + i);
  hn::StoreU(hn::Mul(out, Tanh(d, cell)), d, h + i);
}

void Cell(const float* gates, float* c, float* h, size_t hidden) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 8> eight;  // hidden is a multiple of 8
  size_t i = 0;
  for (; i + hn::Lanes(d) <= hidden; i += hn::Lanes(d)) CellAt(d, gates, c, h, hidden, i);
  for (; i < hidden; i += hn::Lanes(eight)) CellAt(eight, gates, c, h, hidden, i);
}

constexpr Target kThisTarget = HWY_TARGET == HWY_AVX3   ? Target::kAvx512
                               : HWY_TARGET == HWY_AVX2 ? Target::kAvx2
                                                        : Target::kNeon;

// Columns that GemmOps::gemv takes at once on AVX-512.
constexpr size_t kGroup = 4 * kPanelWidth;

void Lstm(const LstmArgs& args) {
  const auto gemv = FindGemmOps(kThisTarget)->gemv;
  const size_t hidden = args.hidden;
  float* gates = args.scratch;
  float* zeros = gates + 4 * hidden;
  float* c = zeros + hidden;
  for (size_t i = 0; i < 2 * hidden; ++i) zeros[i] = 0.0f;
  const float* h = zeros;
  for (size_t step = 0; step < args.steps; ++step) {
    const size_t t = args.reverse ? args.steps - 1 - step : step;
    float* dst = args.dst + t * args.dst_stride;
    // Weights of 1 MiB and a little more do not fit L2. Up and down in turn, a step finds there what the step before
    // read last; always up, the first would have been thrown out for the last each time.
    const float* start = args.gates + t * args.gates_stride;
    const size_t groups = (4 * hidden + kGroup - 1) / kGroup;
    for (size_t i = 0; i < groups; ++i) {
      const size_t column = (step % 2 == 0 ? i : groups - 1 - i) * kGroup;
      gemv(h, args.w_hh + column * hidden, start + column, gates + column, hidden,
           HWY_MIN(kGroup, 4 * hidden - column));
    }
    Cell(gates, c, dst, hidden);
    h = dst;
  }
}

constexpr LstmOps kLstmOps{Lstm, Cell};

}  // namespace
#endif  // KOE_IS_VECTOR_TARGET
}  // namespace koe::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace koe::kernels {

const LstmOps* FindLstmOps(Target target) {
  switch (target) {
    KOE_VECTOR_CASES(kLstmOps)
    default:
      return &scalar::kLstmOps;
  }
}

}  // namespace koe::kernels
#endif  // HWY_ONCE
