// SPDX-License-Identifier: Apache-2.0
// Both readers of the format: as a source of weights and as a bundle's weights file.
#include "bundle/testing/fuzz_oracle.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace koe::bundle;
  testing::CheckImport(ImportSafetensors(testing::FuzzBytes(data, size), testing::TinyArchitecture()));
  koe::AlignedBuffer<std::byte> aligned(size);
  if (size != 0) std::memcpy(aligned.data(), data, size);
  const auto stored = ReadWeightsFile(aligned.span(), testing::TinyArchitecture().tensors);
  if (stored) {
    testing::RequireFinite(*stored);
  } else {
    testing::RequireReason(stored.error());
  }
  return 0;
}
