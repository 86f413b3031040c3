// SPDX-License-Identifier: Apache-2.0
#include "bundle/manifests/sdk.h"

#include "manifest_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace koe::bundle;
  const std::string_view text = AsText(testing::FuzzBytes(data, size));
  const auto manifest = testing::RoundTrip(text, [](std::string_view t) { return SdkManifest::Parse(t); });
  if (manifest) testing::RequireFiles(manifest->Files(), {});
  return 0;
}
