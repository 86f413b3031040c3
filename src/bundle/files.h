// SPDX-License-Identifier: Apache-2.0
// The file system as the bundle uses it: nothing outside the bundle is read through it, nothing half-written is seen.
#ifndef KOE_BUNDLE_FILES_H_
#define KOE_BUNDLE_FILES_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "bundle/byte_reader.h"
#include "koe/result.h"

namespace koe::bundle {

// kIo: "file: <path>: <strerror>".
Error FileError(const std::string& path, int code);

// Relative, of [A-Za-z0-9._-] parts joined by single slashes, no part starting with a dot, at most kMaxPathBytes.
bool IsSafePath(const std::string& path);
// [A-Za-z0-9_-]{1,64}
bool IsVoiceId(const std::string& id);

// No component of `path` below `root` is a symbolic link, and the file is a regular one. kNotFound, kCorruptBundle.
Result<void> CheckInside(const std::string& root, const std::string& path);

// The whole of a regular file, not through a symbolic link. kNotFound, kIo, kCorruptBundle above `max_bytes`.
Result<std::string> ReadSmallFile(const std::string& path, size_t max_bytes, const std::string& name);

// The same for an input of the caller's choice, where links are followed: kNotFound also for what is not a regular
// file.
Result<std::string> ReadInputFile(const std::string& path, size_t max_bytes);

// Relative paths of everything but directories below `root`, sorted; kCorruptBundle for a link or a special file or
// more than `max_files`.
Result<std::vector<std::string>> ListFiles(const std::string& root, size_t max_files);

// A new file, written in parts and synced to the disk by Finish.
class FileWriter {
 public:
  static Result<FileWriter> Create(const std::string& path);  // kIo, also where the file exists
  FileWriter(FileWriter&& other) noexcept;
  FileWriter& operator=(FileWriter&&) = delete;
  ~FileWriter();
  Result<void> Write(Bytes bytes);
  Result<void> Finish();

 private:
  FileWriter(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  int fd_;
  std::string path_;
};

// Opens, syncs and closes a regular file (kIo for a link) or a directory.
Result<void> SyncFile(const std::string& path);
Result<void> SyncDirectory(const std::string& path);

// Swaps two entries of one file system in one step: 0, or -1 and errno (EINVAL, ENOSYS where it cannot).
int ExchangePaths(const char* a, const char* b);
// Everything below and `path` itself; links are removed, not followed. Best effort.
void RemoveTree(const std::string& path);

// A small file that is there whole or not at all: written to `temporary` on the same file system (which must be no one
// else's), synced, renamed to `path`, the folder synced. kIo: what was at `path` is as it was, unless only the last
// sync failed.
Result<void> ReplaceSmallFile(const std::string& path, const std::string& temporary, std::string_view text);
// The same by way of <folder>/.<name>.new.
Result<void> ReplaceSmallFileIn(const std::string& folder, const std::string& name, std::string_view text);

// The file by which a directory is known as one that may be replaced: a bundle, a published site.
inline constexpr char kMarkerName[] = ".koe-bundle";
inline constexpr char kMarkerText[] = "koe-bundle\n";
struct Marker {
  const char *name, *text;
  const char* what;  // "a bundle that koe has made"
};
inline constexpr Marker kBundleMarker = {kMarkerName, kMarkerText, "a bundle that koe has made"};
inline constexpr Marker kSiteMarker = {".koe-site", "koe-site\n", "a site that koe has published"};

// kInvalidArgument where building into `output` could destroy something: empty, "/", the home directory, a link, a
// file, a directory that is neither empty nor marked, or one that holds one of `inputs` (or is one).
Result<void> CheckOutputDirectory(const std::string& output, const std::vector<std::string>& inputs,
                                  const Marker& marker = kBundleMarker);
// `inner` is `outer` or lies below it, links resolved as far as the paths exist.
bool IsWithin(const std::string& outer, const std::string& inner);
// The directory holds the marker with its text.
bool IsMarked(const std::string& directory, const Marker& marker);

// A directory beside `target` that becomes `target` in one rename, or vanishes. Directories that killed builds of the
// same target have left behind are removed first. Parents of the target are made as needed.
class StagingDirectory {
 public:
  static Result<StagingDirectory> Create(const std::string& target);
  StagingDirectory(StagingDirectory&& other) noexcept;
  StagingDirectory& operator=(StagingDirectory&&) = delete;
  ~StagingDirectory();
  const std::string& path() const { return path_; }
  // Until this returns ok the old target is as it was. An old target is moved away and removed.
  Result<void> Commit();

 private:
  StagingDirectory() = default;
  std::string target_, path_;
  std::vector<std::string> made_parents_;  // innermost last
  int lock_fd_ = -1;
};

}  // namespace koe::bundle

#endif  // KOE_BUNDLE_FILES_H_
