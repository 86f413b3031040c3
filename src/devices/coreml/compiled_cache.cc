// SPDX-License-Identifier: Apache-2.0
#include "devices/coreml/compiled_cache.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "bundle/digest.h"
#include "bundle/files.h"

namespace koe::devices {
namespace {

namespace fs = std::filesystem;

constexpr int kKeySchema = 1;
constexpr size_t kKeyDigits = 16;
constexpr size_t kMaxDigestFileBytes = 128;

// A copy where the compiler's place is on another file system; links in it stay what they are.
bool Move(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (!error) return true;
  fs::copy(from, to, fs::copy_options::recursive | fs::copy_options::copy_symlinks, error);
  if (error) {
    bundle::RemoveTree(to.string());
    return false;
  }
  bundle::RemoveTree(from.string());
  return true;
}

}  // namespace

std::string CompiledCacheKey(const bundle::SdkManifest& manifest, const std::string& sdk) {
  std::vector<std::string> packages, voices;
  for (const bundle::SdkPackage& package : manifest.packages) {
    packages.push_back(package.path + "=" + package.tree_sha256);
  }
  for (const bundle::FileRecord& voice : manifest.voices) voices.push_back(voice.path + "=" + voice.sha256);
  std::sort(packages.begin(), packages.end());
  std::sort(voices.begin(), voices.end());
  std::vector<std::string> lines = {
      "schema=" + std::to_string(kKeySchema),   "sdk=" + sdk,
      "repo=" + manifest.provenance.hf_repo_id, "revision=" + manifest.provenance.hf_artifact_revision,
      "profile=" + manifest.bundle_profile,     "download=" + manifest.provenance.hf_download_manifest_sha256,
      "vocab=" + manifest.vocab.sha256,         "hnsf=" + manifest.harmonics.sha256,
  };
  lines.insert(lines.end(), packages.begin(), packages.end());
  lines.insert(lines.end(), voices.begin(), voices.end());
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : "\n") + line;
  return bundle::Sha256Hex(bundle::AsBytes(text)).substr(0, kKeyDigits);
}

std::string CompiledCacheDirectory(const std::string& caches, const std::string& key) {
  return caches + "/KokoroTTS/compiled-" + key;
}

CompiledCache::CompiledCache(std::string directory, Compile compile)
    : directory_(std::move(directory)), compile_(std::move(compile)) {}

CompiledCache::~CompiledCache() {
  for (const std::string& path : temporary_) bundle::RemoveTree(path);
}

std::string CompiledCache::CompiledPath(const std::string& name) const {
  return directory_ + "/" + name + kCompiledEnd;
}

bool CompiledCache::IsKept(const std::string& name, const std::string& tree_sha256) const {
  if (directory_.empty()) return false;
  const std::string compiled = CompiledPath(name);
  std::error_code error;
  if (!fs::is_directory(fs::symlink_status(compiled, error))) return false;
  const auto digest = bundle::ReadSmallFile(compiled + kSourceDigestEnd, kMaxDigestFileBytes, name);
  return digest && *digest == tree_sha256;
}

void CompiledCache::Forget(const std::string& name) const {
  if (directory_.empty()) return;
  // The digest first: a model without one is not believed.
  bundle::RemoveTree(CompiledPath(name) + kSourceDigestEnd);
  bundle::RemoveTree(CompiledPath(name));
}

std::string CompiledCache::Keep(const std::string& name, const std::string& tree_sha256, const std::string& fresh) {
  std::string compiled = CompiledPath(name);
  // A name of this process's own, so that what stands under the final one is always whole.
  const std::string draft = compiled + ".partial-" + std::to_string(getpid());
  std::error_code error;
  if (!directory_.empty()) {
    fs::create_directories(directory_, error);
    bundle::RemoveTree(draft);
    if (!error && Move(fresh, draft)) {
      Forget(name);
      fs::rename(draft, compiled, error);
      if (!error && bundle::ReplaceSmallFile(compiled + kSourceDigestEnd, draft, tree_sha256)) return compiled;
      // Another process was quicker, or the disk is full: this one uses its own.
      temporary_.push_back(error ? draft : compiled);
      return temporary_.back();
    }
  }
  temporary_.push_back(fresh);
  return fresh;
}

Result<void> CompiledCache::OpenModel(const std::string& name, const std::string& package_path,
                                      const std::string& tree_sha256, const Open& open) {
  if (IsKept(name, tree_sha256)) {
    if (open(CompiledPath(name))) return {};
  }
  Forget(name);
  KOE_TRY(const std::string fresh, compile_(package_path));
  const std::string path = Keep(name, tree_sha256, fresh);
  auto opened = open(path);
  if (!opened) Forget(name);
  return opened;
}

}  // namespace koe::devices
