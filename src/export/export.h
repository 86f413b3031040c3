// SPDX-License-Identifier: Apache-2.0
#ifndef KOE_EXPORT_EXPORT_H_
#define KOE_EXPORT_EXPORT_H_

#include <string>
#include <vector>

#include "bundle/bundle.h"
#include "koe/export.h"

namespace koe::exporter {

// koe::ExportModel, which catches what the standard library throws.
Result<ExportReport> Export(const ExportOptions& options);

// The packages alone, appended to report->packages; options.output_dir exists, options.bundle_dir is not read.
Result<void> WritePackages(const ExportOptions& options, const bundle::Bundle& bundle, const bundle::Weights& weights,
                           ExportReport* report);
// The two files that the seed's host code reads: vocabulary and the weights of the harmonics, in runtime/.
Result<std::vector<ExportedFile>> WriteRuntimeFiles(const std::string& output_dir, const bundle::Bundle& bundle,
                                                    const bundle::Weights& weights);

}  // namespace koe::exporter

#endif  // KOE_EXPORT_EXPORT_H_
