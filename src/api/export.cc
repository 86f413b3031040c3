// SPDX-License-Identifier: Apache-2.0
#include "export/export.h"

#include "api/guard.h"
#include "bundle/sdk_bundle.h"
#include "export/sdk_bundle.h"
#include "koe/export.h"

namespace koe {

Result<ExportReport> ExportModel(const ExportOptions& options) {
  return api::Guard([&] { return exporter::Export(options); });
}

Result<SdkBundleReport> BuildSdkBundle(const SdkBundleOptions& options) {
  return api::Guard([&] { return exporter::BuildSdkBundle(options); });
}

Result<SdkBundleReport> ValidateSdkBundle(const std::string& dir) {
  return api::Guard([&] { return bundle::ValidateSdkBundle(dir); });
}

bool IsSdkBundle(const std::string& dir) { return bundle::IsSdkBundle(dir); }

}  // namespace koe
