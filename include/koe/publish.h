// SPDX-License-Identifier: Apache-2.0
// For those who publish bundles: keys and signatures, differences, sites. docs/publishing.md shows the way.
#ifndef KOE_PUBLISH_H_
#define KOE_PUBLISH_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "koe/bundle.h"
#include "koe/common.h"
#include "koe/result.h"

namespace koe {

// Ed25519 keys as PEM files, as openssl's command line makes and reads them. A public key is its file, or 64
// hexadecimal digits.

// Makes both files; the secret one is readable by its owner alone. Returns the public key's digits.
// kInvalidArgument: a file is there already; kIo.
Result<std::string> GenerateSigningKey(const std::string& secret_path, const std::string& public_path);

// Signs `path`, or HostedManifest.json where `path` is a bundle (its digests cover every other file), into the same
// name with ".sig" behind it. Returns the signature's path. kInvalidArgument: the key; kNotFound, kCorruptBundle,
// kTooLong (more than a manifest's 2 MiB), kIo.
Result<std::string> SignBundle(const std::string& path, const std::string& secret_key_path);

// The signature is the key's. A bundle is validated as well, so that all of it is what was signed.
// kCorruptBundle: no or another signature, or not valid; kInvalidArgument: the key; kNotFound, kIo.
Result<void> VerifyBundle(const std::string& path, const std::string& public_key);

// One thing in which two bundles differ.
struct BundleChange {
  enum class Kind { kField, kAdded, kRemoved, kChanged };  // of a manifest; a file
  Kind kind;
  std::string name;           // of the field, or the file's path
  std::string before, after;  // what it was and is; digest and size of a file; "" where it is not there
};
// From the manifests alone; `koe bundle validate` says whether the files are what they say. In the order of the
// manifest, fields first, files by path. Errors as ReadBundle.
Result<std::vector<BundleChange>> DiffBundles(const std::string& before_dir, const std::string& after_dir);

// Checks as ValidateBundle and then speaks one word: the bundle loads and computes. Speech must be finite, of the
// length that the durations say and not silent. Errors as ValidateBundle and Engine::Synthesize.
Result<BundleReport> ValidateBundleDeep(const std::string& dir);

struct PublishOptions {
  std::string bundle_dir;
  std::string site_dir;         // must not exist, be empty, or be a site that was published before
  std::string sign_key_path;    // "": not signed; needed where the site is signed already
  std::string model_card_path;  // becomes README.md; "": the one that the site has
  std::string repo_id;          // "": the one that the site has
  std::string sdk_commit;
  uint64_t serial = 0;   // 0: one above the site's; else above it (kInvalidArgument)
  std::string revision;  // what fetch's --revision asks for; "": "r<serial>"
  std::function<void(double fraction, const std::string& what)> progress;
  const CancelToken* cancel = nullptr;
};
struct PublishReport {
  uint64_t serial = 0;
  std::string revision;
  std::string release_sha256;         // of sdk/SDKReleaseManifest.json
  std::string hosted_path;            // of the bundle's HostedManifest.json below the site
  std::string hosted_sha256;          // what fetch's --sha256 asks for
  std::vector<std::string> profiles;  // that the site offers now
  uint64_t num_bytes = 0;             // on disk; equal files of two profiles are one
};
// Puts a bundle into a tree of files that any web server can host: starter at the top, other profiles below
// sdk/<profile>/. Other profiles of an earlier site are kept, each file compared with its digest. The whole tree is
// made beside site_dir and renamed into place: on any error site_dir is as it was. kInvalidArgument, kNotFound,
// kCorruptBundle (the bundle or the site that is there), kIo, kCancelled.
Result<PublishReport> PublishBundle(const PublishOptions& options);

}  // namespace koe

#endif  // KOE_PUBLISH_H_
