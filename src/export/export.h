// SPDX-License-Identifier: Apache-2.0
#ifndef KOE_EXPORT_EXPORT_H_
#define KOE_EXPORT_EXPORT_H_

#include "koe/export.h"

namespace koe::exporter {

// koe::ExportModel, which catches what the standard library throws.
Result<ExportReport> Export(const ExportOptions& options);

}  // namespace koe::exporter

#endif  // KOE_EXPORT_EXPORT_H_
