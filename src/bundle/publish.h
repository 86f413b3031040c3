// SPDX-License-Identifier: Apache-2.0
// Behind koe/publish.h's functions of the same names.
#ifndef KOE_BUNDLE_PUBLISH_H_
#define KOE_BUNDLE_PUBLISH_H_

#include <string>
#include <vector>

#include "bundle/architecture.h"
#include "koe/publish.h"
#include "koe/result.h"

namespace koe::bundle {

inline constexpr char kModelCardName[] = "README.md";

Result<std::string> GenerateSigningKey(const std::string& secret_path, const std::string& public_path);
Result<std::string> SignBundle(const std::string& path, const std::string& secret_key_path);
Result<void> VerifyBundle(const std::string& path, const std::string& public_key,
                          const Architecture& architecture = KokoroArchitecture());
Result<std::vector<BundleChange>> DiffBundles(const std::string& before_dir, const std::string& after_dir);
Result<PublishReport> PublishBundle(const PublishOptions& options,
                                    const Architecture& architecture = KokoroArchitecture());

}  // namespace koe::bundle

#endif  // KOE_BUNDLE_PUBLISH_H_
