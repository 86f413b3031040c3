// SPDX-License-Identifier: Apache-2.0
// Keys on disk, and signatures of bundles and of single manifests.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "bundle/bundle.h"
#include "bundle/files.h"
#include "bundle/limits.h"
#include "bundle/publish.h"
#include "bundle/signature.h"

namespace koe::bundle {
namespace {

bool IsDirectory(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

std::string WithoutSlashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

Result<void> WriteNew(const std::string& path, const std::string& text, mode_t mode) {
  const auto failed = [&](int code) {
    return Error(code == EEXIST ? ErrorCode::kInvalidArgument : ErrorCode::kIo,
                 "key: '" + path + "': " + (code == EEXIST ? "there already; keys are not replaced" : strerror(code)));
  };
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
  if (fd < 0) return failed(errno);
  const ssize_t written = write(fd, text.data(), text.size());
  int code = written < 0 ? errno : static_cast<size_t>(written) != text.size() ? ENOSPC : 0;
  if (code == 0 && fsync(fd) != 0) code = errno;
  if (close(fd) != 0 && code == 0) code = errno;
  if (code == 0) return {};
  unlink(path.c_str());
  return failed(code);
}

// The manifest that stands for `path`.
Result<std::string> ReadSigned(const std::string& path, std::string* manifest_path) {
  *manifest_path = IsDirectory(path) ? path + "/" + kHostedManifestName : path;
  if (IsDirectory(path)) return ReadSmallFile(*manifest_path, kMaxManifestBytes, kHostedManifestName);
  return ReadInputFile(path, kMaxManifestBytes);
}

}  // namespace

Result<std::string> GenerateSigningKey(const std::string& secret_path, const std::string& public_path) {
  KOE_TRY(const SecretKey secret, SecretKey::Generate());
  KOE_TRY(const PublicKey public_key, secret.Public());
  KOE_TRY(std::string pem, secret.ToPem());
  const auto written = WriteNew(secret_path, pem, 0600);
  Erase(&pem);
  if (!written) return written.error();
  if (const auto second = WriteNew(public_path, public_key.ToPem(), 0644); !second) {
    unlink(secret_path.c_str());  // just made, and good for nothing without its other half
    return second.error();
  }
  return public_key.Hex();
}

Result<std::string> SignBundle(const std::string& given_path, const std::string& secret_key_path) {
  const std::string path = WithoutSlashes(given_path);
  KOE_TRY(const SecretKey key, LoadSecretKey(secret_key_path));
  std::string manifest_path;
  KOE_TRY(const std::string text, ReadSigned(path, &manifest_path));
  // What is signed must be worth it.
  if (IsDirectory(path)) KOE_CHECK_OK(HostedManifest::Parse(text));
  KOE_TRY(const std::string signature, Sign(AsBytes(text), key));
  const std::string signature_path = manifest_path + kSignatureSuffix;
  // Beside a bundle, not in it: a bundle whose signing was killed must not hold a file too many.
  const std::string temporary = IsDirectory(path) ? path + kSignatureSuffix + ".new" : signature_path + ".new";
  KOE_CHECK_OK(ReplaceSmallFile(signature_path, temporary, signature));
  return signature_path;
}

Result<void> VerifyBundle(const std::string& given_path, const std::string& public_key,
                          const Architecture& architecture) {
  const std::string path = WithoutSlashes(given_path);
  KOE_TRY(const PublicKey key, PublicKeyOfArgument(public_key));
  std::string manifest_path;
  KOE_TRY(const std::string text, ReadSigned(path, &manifest_path));
  const std::string signature_path = manifest_path + kSignatureSuffix;
  auto signature = ReadInputFile(signature_path, kMaxSignatureBytes);
  if (!signature && signature.error().code() == ErrorCode::kNotFound) {
    return Error(ErrorCode::kCorruptBundle, "signature: " + signature_path + ": missing");
  }
  if (!signature) return signature.error();
  KOE_CHECK_OK(VerifySignature(AsBytes(text), AsBytes(*signature), key, manifest_path));
  if (IsDirectory(path)) KOE_CHECK_OK(ValidateBundle(path, architecture));
  return {};
}

}  // namespace koe::bundle
