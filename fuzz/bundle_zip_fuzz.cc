// SPDX-License-Identifier: Apache-2.0
#include "bundle/testing/fuzz_oracle.h"
#include "bundle/zip_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace koe::bundle;
  const auto entries = ReadStoredZip(testing::FuzzBytes(data, size));
  if (!entries) {
    testing::RequireReason(entries.error());
    return 0;
  }
  size_t total = 0;
  for (const ZipEntry& entry : *entries) {
    total += entry.data.size();
    Crc32(entry.data);  // reads every byte
  }
  testing::Require(total <= size);  // entries do not overlap
  return 0;
}
