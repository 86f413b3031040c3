// SPDX-License-Identifier: Apache-2.0
// What an export consists of, by name, and how one package gets onto the disk.
#ifndef KOE_EXPORT_PACKAGE_H_
#define KOE_EXPORT_PACKAGE_H_

#include <string>
#include <utility>
#include <vector>

#include "export/emit.h"
#include "export/stages.h"
#include "koe/export.h"

namespace koe::exporter {

struct FunctionPlan {
  std::string name;  // "main", or in a multifunction package "t128", "bucket_3s"
  StageSpec spec;
  int size = 0;  // tokens or seconds
};
struct PackagePlan {
  std::string name;  // without an ending
  ExportStage stage = ExportStage::kDuration;
  int spec_version = 0;
  std::vector<FunctionPlan> functions;
};

// Every package that the options ask for, stage by stage, sizes ascending. kInvalidArgument.
Result<std::vector<PackagePlan>> PlanPackages(const ExportOptions& options);

// The spec of one stage and size (tokens or seconds) under the options.
StageSpec SpecOf(const ExportOptions& options, ExportStage stage, int size);

// Writes one package into output_dir and fills in its digests. kInvalidArgument: something else is in the way; kIo.
Result<ExportedPackage> WriteMlPackage(const std::string& output_dir, const std::string& name, const std::string& model,
                                       const BlobFile& blobs);
Result<ExportedPackage> WriteOnnxModel(const std::string& output_dir, const std::string& name,
                                       const std::string& model);
// A small file, through a temporary name.
Result<ExportedFile> WriteSmallFile(const std::string& output_dir, const std::string& path, const std::string& text);

// bundle::TreeDigest
std::string TreeDigest(const std::vector<ExportedFile>& files);

}  // namespace koe::exporter

#endif  // KOE_EXPORT_PACKAGE_H_
