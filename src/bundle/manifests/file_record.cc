// SPDX-License-Identifier: Apache-2.0
#include "bundle/manifests/file_record.h"

#include <algorithm>
#include <set>

namespace koe::bundle {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kDirty = "-dirty";

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

Result<void> CheckFiles(const std::vector<FileRecord>& files, const ManifestLimits& limits, const std::string& where) {
  if (files.size() > limits.max_files) {
    return Error(ErrorCode::kTooLong,
                 where + ": " + std::to_string(files.size()) + " files, at most " + std::to_string(limits.max_files));
  }
  std::set<std::string_view> paths;
  uint64_t total = 0;
  for (const FileRecord& file : files) {
    if (!paths.insert(file.path).second) {
      return Error(ErrorCode::kCorruptBundle, where + ": '" + file.path + "' twice");
    }
    if (file.bytes > limits.max_file_bytes) {
      return Error(ErrorCode::kTooLong, where + ": '" + file.path + "': " + std::to_string(file.bytes) +
                                            " bytes, at most " + std::to_string(limits.max_file_bytes));
    }
    if (file.bytes > limits.max_total_bytes - total) {
      return Error(ErrorCode::kTooLong,
                   where + ": more than " + std::to_string(limits.max_total_bytes) + " bytes of files");
    }
    total += file.bytes;
  }
  for (const FileRecord& file : files) {
    const std::string_view path = file.path;
    for (size_t end = path.find('/'); end != std::string_view::npos; end = path.find('/', end + 1)) {
      if (paths.count(path.substr(0, end)) != 0) {
        return Error(ErrorCode::kCorruptBundle,
                     where + ": '" + std::string(path.substr(0, end)) + "' is a file and a folder");
      }
    }
  }
  return {};
}

void SortByPath(std::vector<FileRecord>* files) {
  std::sort(files->begin(), files->end(), [](const FileRecord& a, const FileRecord& b) { return a.path < b.path; });
}

bool IsTimestamp(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00T00:00:00Z";
  if (text.size() != kForm.size()) return false;
  for (size_t i = 0; i < kForm.size(); ++i) {
    if (kForm[i] == '0' ? !IsDigit(text[i]) : text[i] != kForm[i]) return false;
  }
  return true;
}

bool IsRevision(std::string_view text) {
  return text.size() == 40 && text.find_first_not_of(kHexDigits) == std::string_view::npos;
}

bool IsSdkCommit(std::string_view text) {
  if (text.ends_with(kDirty)) text.remove_suffix(kDirty.size());
  return text.size() >= 7 && text.size() <= 40 && text.find_first_not_of(kHexDigits) == std::string_view::npos;
}

}  // namespace koe::bundle
