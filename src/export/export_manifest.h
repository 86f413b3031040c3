// SPDX-License-Identifier: Apache-2.0
// ExportManifest.json: what an export's folder holds, with which options and of which weights. It lists nothing that is
// not so, even where an export was interrupted: `koe --place` believes it.
#ifndef KOE_EXPORT_EXPORT_MANIFEST_H_
#define KOE_EXPORT_EXPORT_MANIFEST_H_

#include <string>
#include <vector>

#include "bundle/json.h"
#include "export/package.h"
#include "koe/export.h"

namespace koe::exporter {

class ExportManifest {
 public:
  // Reads the manifest that options.output_dir has, if any. What it lists stays listed where it is of the same options,
  // weights and version, is still there, and is not in `plans`, which are about to be written.
  ExportManifest(const ExportOptions& options, const std::string& weights_sha256,
                 const std::vector<PackagePlan>& plans);
  // Before the first package is written: the manifest of what stays, or none. kIo, kInvalidArgument (in the way).
  Result<void> Begin() const;
  // When all are. The report's packages come first.
  Result<void> Finish(const ExportReport& report) const;

 private:
  std::string Text(const ExportReport& report) const;
  const std::string output_dir_;
  bundle::Json head_ = bundle::Json::Object();
  std::vector<bundle::Json> kept_;  // packages
};

}  // namespace koe::exporter

#endif  // KOE_EXPORT_EXPORT_MANIFEST_H_
