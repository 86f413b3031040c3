// SPDX-License-Identifier: Apache-2.0
#include "bundle/testing/fuzz_oracle.h"
#include "bundle/zip_reader.h"

namespace {

using namespace koe::bundle;

// Names below one folder, which climb nowhere.
void RequireSafeName(const std::string& name) {
  const std::string rooted = "/" + name + "/";
  for (const char* bad : {"//", "/./", "/../", "\\", ":"}) testing::Require(rooted.find(bad) == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto entries = ReadStoredZip(testing::FuzzBytes(data, size));
  if (!entries) {
    testing::RequireReason(entries.error());
    return 0;
  }
  size_t total = 0;
  for (const ZipEntry& entry : *entries) {
    RequireSafeName(entry.name);
    total += entry.data.size();
    Crc32(entry.data);  // reads every byte
  }
  testing::Require(total <= size);  // entries do not overlap
  return 0;
}
