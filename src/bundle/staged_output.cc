// SPDX-License-Identifier: Apache-2.0
#include "bundle/staged_output.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "bundle/digest.h"
#include "bundle/files.h"

namespace koe::bundle {

Result<void> StagedOutput::MakeFolders(const std::string& path) {
  for (size_t end = path.find('/'); end != std::string::npos; end = path.find('/', end + 1)) {
    const std::string folder = root_ + "/" + path.substr(0, end);
    if (!folders_.insert(folder).second) continue;
    if (mkdir(folder.c_str(), 0777) != 0 && errno != EEXIST) {
      return Error(ErrorCode::kIo, "directory: " + folder + ": " + std::strerror(errno));
    }
  }
  return {};
}

Result<FileRecord> StagedOutput::Put(const std::string& path, const std::function<Result<void>(const Sink&)>& produce) {
  KOE_CHECK_OK(MakeFolders(path));
  FileRecord record;
  record.path = path;
  Sha256 sha;
  KOE_TRY(FileWriter writer, FileWriter::Create(root_ + "/" + path));
  KOE_CHECK_OK(produce([&](Bytes part) -> Result<void> {
    sha.Update(part);
    record.bytes += part.size();
    return writer.Write(part);
  }));
  KOE_CHECK_OK(writer.Finish());
  record.sha256 = sha.FinishHex();
  if (record.sha256.empty()) return Error(ErrorCode::kInternal, "SHA-256: the library failed");
  return record;
}

Result<FileRecord> StagedOutput::Put(const std::string& path, Bytes bytes) {
  return Put(path, [&](const Sink& sink) { return sink(bytes); });
}

Result<bool> StagedOutput::Link(const std::string& existing, const std::string& path) {
  KOE_CHECK_OK(MakeFolders(path));
  return link(existing.c_str(), (root_ + "/" + path).c_str()) == 0;
}

Result<void> StagedOutput::SyncFolders() const {
  for (const std::string& folder : folders_) KOE_CHECK_OK(SyncDirectory(folder));
  return {};
}

std::string ReproducibleTimestamp(const std::string& otherwise) {
  constexpr char kEpoch[] = "1970-01-01T00:00:00Z";
  const char* epoch = std::getenv("SOURCE_DATE_EPOCH");
  if (epoch == nullptr || *epoch == 0) return otherwise.empty() ? kEpoch : otherwise;
  char* end = nullptr;
  const long long value = std::strtoll(epoch, &end, 10);
  if (*end != 0 || value < 0 || value >= (1LL << 36)) return otherwise.empty() ? kEpoch : otherwise;
  const std::time_t time = static_cast<std::time_t>(value);
  std::tm utc;
  char text[32];
  if (gmtime_r(&time, &utc) == nullptr || std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc) == 0) {
    return kEpoch;
  }
  return text;
}

}  // namespace koe::bundle
