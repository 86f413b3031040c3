// SPDX-License-Identifier: Apache-2.0
#include "bundle/digest.h"

#include <openssl/evp.h>
#include <sys/stat.h>

#include <atomic>
#include <mutex>
#include <unordered_map>

#include "base/file_times.h"

namespace koe::bundle {
namespace {

constexpr size_t kMaxMemo = 4096;

std::atomic<uint64_t> num_files_hashed{0};

struct Memo {
  std::mutex mutex;
  std::unordered_map<std::string, std::string> digests;  // path|size|mtime|inode -> SHA-256
};
Memo& TheMemo() {
  static Memo* memo = new Memo;  // never destroyed: threads may outlive static destruction
  return *memo;
}

std::string MemoKey(const std::string& path, const struct stat& info) {
  return path + '|' + std::to_string(info.st_size) + '|' + std::to_string(ModificationTime(info).tv_sec) + '.' +
         std::to_string(ModificationTime(info).tv_nsec) + '|' + std::to_string(info.st_dev) + ':' +
         std::to_string(info.st_ino);
}

}  // namespace

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  bool ok = context != nullptr && EVP_DigestInit_ex(context, EVP_sha256(), nullptr) == 1;
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::~Sha256() = default;

void Sha256::Update(Bytes bytes) {
  state_->ok = state_->ok && EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1;
}

std::string Sha256::FinishHex() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  if (!state_->ok || EVP_DigestFinal_ex(state_->context, digest, &length) != 1 || length != 32) return "";
  state_->ok = false;
  std::string hex;
  for (unsigned i = 0; i < length; ++i) {
    hex.push_back("0123456789abcdef"[digest[i] >> 4]);
    hex.push_back("0123456789abcdef"[digest[i] & 15]);
  }
  return hex;
}

std::string Sha256Hex(Bytes bytes) {
  Sha256 sha;
  sha.Update(bytes);
  return sha.FinishHex();
}

bool IsSha256Hex(const std::string& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

Result<MappedFile> OpenVerified(const std::string& path, const std::string& name, uint64_t size,
                                const std::string& sha256, bool remember) {
  struct stat before;
  if (lstat(path.c_str(), &before) != 0) return Error(ErrorCode::kNotFound, "file: " + name + ": missing");
  if (!S_ISREG(before.st_mode)) return Error(ErrorCode::kCorruptBundle, "file: " + name + ": not a regular file");
  KOE_TRY(MappedFile file, MappedFile::Open(path));
  if (file.bytes().size() != size) {
    return Error(ErrorCode::kCorruptBundle, "file: " + name + ": " + std::to_string(file.bytes().size()) +
                                                " bytes, the manifest says " + std::to_string(size));
  }
  const std::string key = MemoKey(path, before);
  std::string digest;
  if (remember) {
    std::lock_guard<std::mutex> lock(TheMemo().mutex);
    const auto found = TheMemo().digests.find(key);
    if (found != TheMemo().digests.end()) digest = found->second;
  }
  if (digest.empty()) {
    digest = Sha256Hex(file.bytes());
    num_files_hashed.fetch_add(1, std::memory_order_relaxed);
    struct stat after;
    // A file that changes while it is read is hashed again next time.
    if (!digest.empty() && lstat(path.c_str(), &after) == 0 && MemoKey(path, after) == key) {
      std::lock_guard<std::mutex> lock(TheMemo().mutex);
      if (TheMemo().digests.size() >= kMaxMemo) TheMemo().digests.clear();
      TheMemo().digests[key] = digest;
    }
  }
  if (digest != sha256) {
    return Error(ErrorCode::kCorruptBundle,
                 "file: " + name + ": SHA-256 is " + digest + ", the manifest says " + sha256);
  }
  return file;
}

uint64_t NumFilesHashed() { return num_files_hashed.load(std::memory_order_relaxed); }

}  // namespace koe::bundle
