// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

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
  std::vector<Bytes> places;
  for (const ZipEntry& entry : *entries) {
    RequireSafeName(entry.name);
    if (!entry.data.empty()) places.push_back(entry.data);
    Crc32(entry.data);  // reads every byte
  }
  std::sort(places.begin(), places.end(), [](Bytes a, Bytes b) { return a.data() < b.data(); });
  for (size_t i = 1; i < places.size(); ++i)
    testing::Require(places[i - 1].data() + places[i - 1].size() <= places[i].data());
  return 0;
}
