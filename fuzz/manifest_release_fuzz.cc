// SPDX-License-Identifier: Apache-2.0
#include "bundle/manifests/release.h"

#include "manifest_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace koe::bundle;
  const std::string_view text = AsText(testing::FuzzBytes(data, size));
  const auto manifest = testing::RoundTrip(text, [](std::string_view t) { return ReleaseManifest::Parse(t); });
  if (!manifest) return 0;
  testing::RequireFiles(manifest->top_level_hosted_files, {});
  testing::Require(IsReleaseRevision(manifest->revision));
  for (const ReleaseProfile& profile : manifest->profiles) {
    testing::Require(manifest->Find(profile.profile) == &profile);
    testing::RequireFiles({profile.runtime_manifest, profile.hosted_manifest_record}, {});
  }
  return 0;
}
