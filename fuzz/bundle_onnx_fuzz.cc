// SPDX-License-Identifier: Apache-2.0
#include "bundle/testing/fuzz_oracle.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace koe::bundle;
  testing::CheckImport(ImportOnnx(testing::FuzzBytes(data, size), testing::TinyArchitecture()));
  return 0;
}
