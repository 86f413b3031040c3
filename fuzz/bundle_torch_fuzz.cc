// SPDX-License-Identifier: Apache-2.0
// A whole .pth file; the CRCs in it are what a search gets past last, so bundle_pickle_fuzz starts behind them.
#include "bundle/testing/fuzz_oracle.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace koe::bundle;
  testing::CheckImport(ImportTorch(testing::FuzzBytes(data, size), testing::TinyArchitecture()));
  return 0;
}
