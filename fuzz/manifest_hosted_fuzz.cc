// SPDX-License-Identifier: Apache-2.0
#include "bundle/manifests/hosted.h"

#include "manifest_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace koe::bundle;
  const std::string_view text = AsText(testing::FuzzBytes(data, size));
  // Small limits are met more often than the real ones.
  for (const ManifestLimits& limits : {ManifestLimits(), ManifestLimits{600, 100, 1000, 3}}) {
    const auto manifest =
        testing::RoundTrip(text.size() > limits.max_manifest_bytes ? text.substr(0, limits.max_manifest_bytes) : text,
                           [&](std::string_view t) {
                             // What is written again may be longer than what was read.
                             ManifestLimits of_text = limits;
                             of_text.max_manifest_bytes = std::max(t.size(), limits.max_manifest_bytes);
                             return HostedManifest::Parse(t, of_text);
                           });
    if (!manifest) continue;
    testing::RequireFiles(manifest->files, limits);
    testing::Require(manifest->TotalBytes() <= limits.max_total_bytes);
  }
  if (const auto refused = HostedManifest::Parse(text, {10, 100, 1000, 3}); text.size() > 10) {
    testing::Require(!refused && refused.error().code() == koe::ErrorCode::kTooLong);
  }
  return 0;
}
