// SPDX-License-Identifier: Apache-2.0
#ifndef KOE_EXPORT_SDK_BUNDLE_H_
#define KOE_EXPORT_SDK_BUNDLE_H_

#include "koe/export.h"

namespace koe::exporter {

// koe::BuildSdkBundle, which catches what the standard library throws.
Result<SdkBundleReport> BuildSdkBundle(const SdkBundleOptions& options);

}  // namespace koe::exporter

#endif  // KOE_EXPORT_SDK_BUNDLE_H_
