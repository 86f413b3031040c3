// SPDX-License-Identifier: Apache-2.0
// Bundles in the layout of kokoro-coreml's SDK, checked. src/export/sdk_bundle.h makes them.
#ifndef KOE_BUNDLE_SDK_BUNDLE_H_
#define KOE_BUNDLE_SDK_BUNDLE_H_

#include <string>

#include "bundle/architecture.h"
#include "bundle/files.h"
#include "bundle/manifests/sdk.h"
#include "koe/export.h"
#include "koe/result.h"

namespace koe::bundle {

inline constexpr Marker kSdkMarker = {".kokoro-sdk-bundle", "kokoro-sdk-bundle\n", "an SDK bundle that koe has made"};

// A directory with KokoroRuntimeManifest.json.
bool IsSdkBundle(const std::string& dir);
// The manifest as it stands in dir. kNotFound, kCorruptBundle, kUnsupported.
Result<SdkManifest> ReadSdkManifest(const std::string& dir);
// Compares one package's files with the manifest, each once in a process. kCorruptBundle: a file that is missing,
// changed or not the manifest's.
Result<void> VerifySdkPackage(const std::string& dir, const SdkPackage& package);
// koe::ValidateSdkBundle
Result<SdkBundleReport> ValidateSdkBundle(const std::string& dir,
                                          const Architecture& architecture = KokoroArchitecture());

// What HostedManifest.json of such a bundle says: the seed's two fields.
std::string SdkHostedJson(const std::string& version, const std::vector<FileRecord>& files);
// "<profile>-<first 12 digits of the commit>"
std::string SdkHostedVersion(const SdkManifest& manifest);

}  // namespace koe::bundle

#endif  // KOE_BUNDLE_SDK_BUNDLE_H_
