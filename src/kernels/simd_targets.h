// SPDX-License-Identifier: Apache-2.0
// Included before hwy/foreach_target.h in every SIMD source file: which Highway targets are compiled, and how a file's
// per-target table of functions is found. On x86 the vector targets are AVX2 and AVX-512 (Highway's AVX3); older CPUs
// run the scalar reference, which the compiler vectorises for the baseline.
#ifndef KOE_KERNELS_SIMD_TARGETS_H_
#define KOE_KERNELS_SIMD_TARGETS_H_

#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)

// True in the passes that compile one of our vector targets (not Highway's scalar baseline).
#define KOE_IS_VECTOR_TARGET (HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128)

// KOE_VECTOR_CASES(kOps): cases of a switch over kernels::Target that return &N_<TARGET>::kOps.
#define KOE_VECTOR_CASES(OPS) KOE_CASE_AVX2_(OPS) KOE_CASE_AVX512_(OPS) KOE_CASE_NEON_(OPS)
#if defined(__x86_64__)
#define KOE_CASE_AVX2_(OPS)           \
  case ::koe::kernels::Target::kAvx2: \
    return &N_AVX2::OPS;
#define KOE_CASE_AVX512_(OPS)           \
  case ::koe::kernels::Target::kAvx512: \
    return &N_AVX3::OPS;
#define KOE_CASE_NEON_(OPS)
#elif defined(__aarch64__)
#define KOE_CASE_AVX2_(OPS)
#define KOE_CASE_AVX512_(OPS)
#define KOE_CASE_NEON_(OPS)           \
  case ::koe::kernels::Target::kNeon: \
    return &N_NEON::OPS;
#else
#define KOE_CASE_AVX2_(OPS)
#define KOE_CASE_AVX512_(OPS)
#define KOE_CASE_NEON_(OPS)
#endif

#endif  // KOE_KERNELS_SIMD_TARGETS_H_
