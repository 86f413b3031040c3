// SPDX-License-Identifier: Apache-2.0
// Tests of stages that need no model data.
#ifndef KOE_TESTS_SUPPORT_SYNTHETIC_TEST_FIXTURE_H_
#define KOE_TESTS_SUPPORT_SYNTHETIC_TEST_FIXTURE_H_

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/machine.h"
#include "support/measure.h"
#include "support/recorder.h"
#include "support/synthetic_weights.h"

#ifndef KOE_ASSERT_OK
#define KOE_ASSERT_OK(result) ASSERT_TRUE((result).has_value()) << (result).error().message()
#endif
#define KOE_EXPECT_ERROR(result, error_code)                                            \
  do {                                                                                  \
    const auto& koe_result = (result);                                                  \
    ASSERT_FALSE(koe_result.has_value());                                               \
    EXPECT_EQ(koe_result.error().code(), (error_code)) << koe_result.error().message(); \
  } while (false)

namespace koe::test_support {

// What another SIMD target may differ from the best one, where both sum in float32 (design.md 5).
inline constexpr double kMinTargetSnrDb = 90;

// Made once in a process.
inline const SyntheticWeights& SharedSyntheticWeights() {
  static const SyntheticWeights weights;
  return weights;
}

inline std::vector<float> RandomStyle() { return RandomVector(128, 0.2f); }

// Cancels a run as soon as a tensor of this name is shown.
class CancelAt final : public stages::TensorObserver {
 public:
  CancelAt(Machine* machine, std::string name) : machine_(*machine), name_(std::move(name)) {}
  void OnTensor(const char* name, ConstMatrix) override {
    if (name == name_) machine_.cancelled = true;
  }

 private:
  Machine& machine_;
  std::string name_;
};

}  // namespace koe::test_support

#endif  // KOE_TESTS_SUPPORT_SYNTHETIC_TEST_FIXTURE_H_
