// SPDX-License-Identifier: Apache-2.0
#include "koe/provider.h"

#include <cstring>
#include <mutex>
#include <utility>

#include "base/array.h"

namespace koe {
namespace {

Error NoOpen(const std::string& path) {
  return Error(ErrorCode::kInternal, "provider: " + path + ": asked for although the files lie in a directory");
}

class DirectoryProvider : public ResourceProvider {
 public:
  explicit DirectoryProvider(std::string dir) : dir_(std::move(dir)) {}
  std::string Name() const override { return dir_; }
  std::string Directory() const override { return dir_; }
  Result<std::unique_ptr<const ResourceBytes>> Open(const std::string& path, size_t) const override {
    return NoOpen(path);
  }

 private:
  std::string dir_;
};

class MemoryProvider : public ResourceProvider {
 public:
  MemoryProvider(const std::map<std::string, std::span<const std::byte>>& files, std::string name)
      : name_(std::move(name)) {
    for (const auto& [path, bytes] : files) {
      auto copy = std::make_shared<AlignedBuffer<std::byte>>(bytes.size());
      if (!bytes.empty()) std::memcpy(copy->data(), bytes.data(), bytes.size());
      files_[path] = std::move(copy);
    }
  }
  std::string Name() const override { return name_; }
  Result<std::unique_ptr<const ResourceBytes>> Open(const std::string& path, size_t max_bytes) const override {
    const auto found = files_.find(path);
    if (found == files_.end()) return Error(ErrorCode::kNotFound, "file: " + path + ": not in " + name_);
    if (found->second->size() > max_bytes) {
      return Error(ErrorCode::kCorruptBundle, "file: " + path + ": more than " + std::to_string(max_bytes) + " bytes");
    }
    return std::unique_ptr<const ResourceBytes>(std::make_unique<Shared>(found->second));
  }

 private:
  using Buffer = std::shared_ptr<const AlignedBuffer<std::byte>>;
  class Shared : public ResourceBytes {
   public:
    explicit Shared(Buffer buffer) : buffer_(std::move(buffer)) {}
    std::span<const std::byte> bytes() const override { return buffer_->span(); }

   private:
    Buffer buffer_;
  };
  std::string name_;
  std::map<std::string, Buffer> files_;
};

class DownloadedProvider : public ResourceProvider {
 public:
  DownloadedProvider(BringBundle bring, std::string name) : bring_(std::move(bring)), name_(std::move(name)) {}
  std::string Name() const override { return name_; }
  Result<void> Prepare(const ProviderProgressCallback& progress, const CancelToken* cancel) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!dir_.empty()) return {};
    KOE_TRY(dir_, bring_(progress, cancel));
    if (!dir_.empty()) return {};
    return Error(ErrorCode::kNotFound, "bundle: " + name_ + ": brought to no directory");
  }
  std::string Directory() const override {
    const std::lock_guard<std::mutex> lock(mutex_);
    return dir_;
  }
  Result<std::unique_ptr<const ResourceBytes>> Open(const std::string& path, size_t) const override {
    return NoOpen(path);
  }

 private:
  const BringBundle bring_;
  const std::string name_;
  mutable std::mutex mutex_;
  std::string dir_;
};

}  // namespace

Result<void> ResourceProvider::Prepare(const ProviderProgressCallback& progress, const CancelToken*) {
  if (progress) progress({1, "ready"});
  return {};
}

std::shared_ptr<ResourceProvider> MakeDirectoryProvider(std::string dir) {
  return std::make_shared<DirectoryProvider>(std::move(dir));
}

std::shared_ptr<ResourceProvider> MakeMemoryProvider(const std::map<std::string, std::span<const std::byte>>& files,
                                                     std::string name) {
  return std::make_shared<MemoryProvider>(files, std::move(name));
}

std::shared_ptr<ResourceProvider> MakeDownloadedProvider(BringBundle bring, std::string name) {
  return std::make_shared<DownloadedProvider>(std::move(bring), std::move(name));
}

}  // namespace koe
