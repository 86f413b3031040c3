// SPDX-License-Identifier: Apache-2.0
// A bundle: the directory that holds everything the engine reads. koe/koe.h's bundle functions forward to these.
#ifndef KOE_BUNDLE_BUNDLE_H_
#define KOE_BUNDLE_BUNDLE_H_

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/mapped_file.h"
#include "bundle/architecture.h"
#include "bundle/manifests/hosted.h"
#include "bundle/manifests/runtime.h"
#include "bundle/vocab.h"
#include "bundle/weights.h"
#include "koe/koe.h"
#include "koe/provider.h"
#include "koe/result.h"

namespace koe::bundle {

// A file that the build puts into the bundle as it is.
struct ExtraFile {
  std::string path;  // below lexicon/; lexicon/us.lex and lexicon/gb.lex decide on supported_languages
  std::string bytes;
};

// options.lexicons_dir and g2p_dir are not read here: the caller passes compiled dictionaries and g2p models as
// `extra_files`.
// kInvalidArgument: options, an output directory that must not be replaced; kNotFound: an input or a voice that does
// not exist; kCorruptBundle, kUnsupported: an input's content; kIo.
Result<void> BuildBundle(const BundleBuildOptions& options, const std::vector<ExtraFile>& extra_files = {},
                         const Architecture& architecture = KokoroArchitecture());
Result<BundleReport> ReadBundle(const std::string& dir);
Result<BundleReport> ValidateBundle(const std::string& dir, const Architecture& architecture = KokoroArchitecture());
Result<std::string> FindBundle(const std::string& given_dir);

// When a file's SHA-256 is compared with the manifest's, before its bytes are believed.
enum class Digests {
  kNotChecked,
  kOnce,    // a process hashes an unchanged file (path, size, time, inode) once
  kAlways,  // at every opening
};

// Immutable but for its caches; thread-safe. What it returns by reference or span lives as long as the object.
class Bundle {
 public:
  // Reads the manifest and the vocabulary; other files are compared with the manifest when they are first used.
  // kNotFound: no bundle there; kCorruptBundle; kUnsupported: made for another model or by a newer format.
  static Result<std::shared_ptr<const Bundle>> Open(const std::string& dir, Digests digests = Digests::kOnce,
                                                    const Architecture& architecture = KokoroArchitecture());
  // The same on what a provider offers, which is prepared first. A provider without a directory is hashed once for each
  // file and opened bundle.
  static Result<std::shared_ptr<const Bundle>> Open(std::shared_ptr<ResourceProvider> provider,
                                                    Digests digests = Digests::kOnce,
                                                    const ProviderProgressCallback& progress = {},
                                                    const CancelToken* cancel = nullptr,
                                                    const Architecture& architecture = KokoroArchitecture());
  ~Bundle();
  Bundle(const Bundle&) = delete;
  Bundle& operator=(const Bundle&) = delete;

  const std::string& dir() const;  // or the provider's name
  bool is_provided() const;        // its files are not in dir(), but come from a provider
  const RuntimeManifest& manifest() const;
  const Vocab& vocab() const;
  const std::vector<std::string>& voices() const;  // ids, sorted

  // [510][256] row-major: row n - 1 is the style of n phonemes; [0, 128) of a row is the acoustic style, the rest the
  // prosody style. Finite, within +-32. kInvalidArgument: no such voice (names the nearest); kCorruptBundle.
  Result<std::span<const float>> LoadVoice(const std::string& id) const;

  // The same object for as long as anyone holds it; its 88 MiB are unmapped after that. Errors as Weights::Open.
  Result<std::shared_ptr<const Weights>> OpenWeights() const;

  // A compiled dictionary, checked and mapped. kNotFound: the bundle has none for the language.
  Result<MappedFile> OpenLexicon(Language language) const;
  bool HasLexicon(Language language) const;

  bool HasFile(const std::string& path) const;
  // Any file of the manifest by its path in the bundle, checked and mapped. kNotFound: not in the manifest.
  Result<MappedFile> OpenFile(const std::string& path) const;

 private:
  struct State;
  explicit Bundle(std::unique_ptr<State> state);
  static Result<std::shared_ptr<const Bundle>> Finish(std::unique_ptr<State> state, RuntimeManifest manifest);
  Result<MappedFile> OpenProvided(const FileRecord& file) const;
  std::unique_ptr<State> state_;
};

}  // namespace koe::bundle

#endif  // KOE_BUNDLE_BUNDLE_H_
