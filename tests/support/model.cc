// SPDX-License-Identifier: Apache-2.0
#include "support/model.h"

#include <cstdlib>
#include <filesystem>

namespace koe::test_support {

std::string BundlePath() {
  const char* path = std::getenv("KOE_BUNDLE");
  return path != nullptr ? path : std::string(KOE_SOURCE_DIR) + "/models/kokoro-82m";
}

Result<std::shared_ptr<const bundle::Weights>> BundleWeights() {
  const std::string path = BundlePath() + "/weights.safetensors";
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return std::shared_ptr<const bundle::Weights>();
  return bundle::Weights::Open(path);
}

}  // namespace koe::test_support
