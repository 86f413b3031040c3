// SPDX-License-Identifier: Apache-2.0
// The real model's weights, where this machine has them.
#ifndef KOE_TESTS_SUPPORT_MODEL_H_
#define KOE_TESTS_SUPPORT_MODEL_H_

#include <memory>
#include <string>

#include "bundle/weights.h"

namespace koe::test_support {

// $KOE_BUNDLE, default models/kokoro-82m in the source folder.
std::string BundlePath();

// weights.safetensors of that bundle; nullptr where there is no such file. Errors are those of Weights::Open.
Result<std::shared_ptr<const bundle::Weights>> BundleWeights();

}  // namespace koe::test_support

#endif  // KOE_TESTS_SUPPORT_MODEL_H_
