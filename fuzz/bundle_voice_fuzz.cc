// SPDX-License-Identifier: Apache-2.0
#include "bundle/limits.h"
#include "bundle/testing/fuzz_oracle.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace koe::bundle;
  for (const auto import : {ImportVoiceBin, ImportVoiceTorch}) {
    const auto voice = import(testing::FuzzBytes(data, size), testing::TinyArchitecture());
    if (!voice) {
      testing::RequireReason(voice.error());
      continue;
    }
    testing::Require(voice->size() == 24);
    for (const float v : *voice) testing::Require(std::abs(v) <= kMaxVoiceMagnitude);
  }
  return 0;
}
