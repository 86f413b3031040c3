// SPDX-License-Identifier: Apache-2.0
#include "export/export.h"

#include "api/guard.h"
#include "koe/export.h"

namespace koe {

Result<ExportReport> ExportModel(const ExportOptions& options) {
  return api::Guard([&] { return exporter::Export(options); });
}

}  // namespace koe
