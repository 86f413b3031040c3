// SPDX-License-Identifier: Apache-2.0
#include "kernels/kernel_set.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>

namespace koe::kernels {
namespace {

// The tables are structs of function pointers and nothing else.
template <class Ops>
std::array<void*, sizeof(Ops) / sizeof(void*)> Entries(const Ops& ops) {
  std::array<void*, sizeof(Ops) / sizeof(void*)> entries;
  static_assert(sizeof(entries) == sizeof(ops));
  std::memcpy(entries.data(), &ops, sizeof(ops));
  return entries;
}

template <class Ops>
void ExpectOwnTables(const Ops& a, const Ops& b, const char* name) {
  const auto entries_a = Entries(a), entries_b = Entries(b);
  for (size_t i = 0; i < entries_a.size(); ++i) {
    EXPECT_NE(entries_a[i], nullptr) << name << " " << i;
    EXPECT_NE(entries_b[i], nullptr) << name << " " << i;
    EXPECT_NE(entries_a[i], entries_b[i]) << name << " " << i;
  }
}

TEST(KernelSetTest, OneSetPerTargetBuiltOnce) {
  for (const Target target : SupportedTargets()) {
    EXPECT_EQ(KernelsFor(target).target, target);
    EXPECT_EQ(&KernelsFor(target), &KernelsFor(target));
  }
}

// A vector target that fell back to the scalar form, or to another target's, would still pass the numeric tests.
TEST(KernelSetTest, EveryTargetHasItsOwnFunctions) {
  const std::vector<Target> targets = SupportedTargets();
  for (size_t i = 0; i < targets.size(); ++i) {
    for (size_t j = i + 1; j < targets.size(); ++j) {
      SCOPED_TRACE(std::string(TargetName(targets[i])) + " and " + TargetName(targets[j]));
      const KernelSet &a = KernelsFor(targets[i]), &b = KernelsFor(targets[j]);
      ExpectOwnTables(a.activation, b.activation, "activation");
      ExpectOwnTables(a.elementwise, b.elementwise, "elementwise");
      ExpectOwnTables(a.excitation, b.excitation, "excitation");
      ExpectOwnTables(a.math, b.math, "math");
      ExpectOwnTables(a.norm, b.norm, "norm");
      ExpectOwnTables(a.softmax, b.softmax, "softmax");
      ExpectOwnTables(a.stft, b.stft, "stft");
      ExpectOwnTables(a.tile_conv, b.tile_conv, "tile_conv");
      EXPECT_NE(a.gemm.gemm, b.gemm.gemm);
      EXPECT_NE(a.lstm.lstm, b.lstm.lstm);
    }
  }
}

TEST(KernelSetTest, ScalarSetIsTheReference) {
  const KernelSet& set = KernelsFor(Target::kScalar);
  EXPECT_EQ(set.math.exp, scalar::kMathOps.exp);
  EXPECT_EQ(set.stft.istft, scalar::kStftOps.istft);
  EXPECT_EQ(set.gemm.gemm, scalar::kGemmOps.gemm);
}

}  // namespace
}  // namespace koe::kernels
