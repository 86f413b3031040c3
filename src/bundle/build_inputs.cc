// SPDX-License-Identifier: Apache-2.0
#include "bundle/build_inputs.h"

#include "bundle/digest.h"
#include "bundle/files.h"
#include "bundle/limits.h"
#include "bundle/quoted.h"

namespace koe::bundle {
namespace {

std::string_view FileName(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

}  // namespace

Result<InputCheck> InputCheck::Load(const std::string& path) {
  KOE_TRY(const std::string text, ReadInputFile(path, kMaxManifestBytes));
  InputCheck check;
  auto manifest = DownloadManifest::Parse(text);
  if (!manifest) return manifest.error().WithContext(path);
  check.manifest_ = std::move(*manifest);
  check.sha256_ = Sha256Hex(AsBytes(text));
  return check;
}

Result<void> InputCheck::Check(const std::string& input_path, Bytes bytes, bool must_be_listed) const {
  if (!is_present()) return {};
  const FileRecord* same_name = nullptr;
  std::string digest;
  for (const FileRecord& file : manifest_.files) {
    if (FileName(file.path) != FileName(input_path)) continue;
    same_name = &file;
    if (file.bytes != bytes.size()) continue;
    if (digest.empty()) digest = Sha256Hex(bytes);
    if (file.sha256 == digest) return {};
  }
  if (same_name == nullptr && !must_be_listed) return {};
  return Error(ErrorCode::kCorruptBundle,
               "input: " + Quoted(input_path) +
                   (same_name == nullptr ? ": not in the download manifest"
                                         : ": differs from '" + same_name->path + "' of the download manifest"));
}

Result<void> InputCheck::Listed(const std::string& input_path, Bytes bytes) const {
  return Check(input_path, bytes, true);
}

Result<void> InputCheck::NotContradicted(const std::string& input_path, Bytes bytes) const {
  return Check(input_path, bytes, false);
}

}  // namespace koe::bundle
