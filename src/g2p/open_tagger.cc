// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "base/mapped_file.h"
#include "g2p/en/perceptron_tagger.h"
#include "g2p/en/spacy_tagger.h"
#include "g2p/tagger_file.h"

namespace koe::g2p {
namespace {

// A tagger and the file that it reads its weights from.
class MappedTagger : public Tagger {
 public:
  MappedTagger(MappedFile file, std::unique_ptr<Tagger> tagger) : file_(std::move(file)), tagger_(std::move(tagger)) {}
  void TagTokens(std::span<Token> tokens) const override { tagger_->TagTokens(tokens); }

 private:
  MappedFile file_;
  std::unique_ptr<Tagger> tagger_;
};

Result<std::unique_ptr<Tagger>> OpenNetwork(const TaggerFile& file) {
  KOE_TRY(const kernels::Target target, kernels::ParseTarget(""));
  KOE_TRY(auto tagger, en::SpacyTagger::Open(file, kernels::KernelsFor(target)));
  return std::unique_ptr<Tagger>(std::move(tagger));
}

}  // namespace

Result<std::unique_ptr<Tagger>> OpenTagger(std::span<const std::byte> bytes) {
  KOE_TRY(const TaggerFile file, TaggerFile::Open(bytes));
  switch (file.kind()) {
    case TaggerKind::kPerceptron:
      return en::PerceptronTagger::Open(file);
    case TaggerKind::kNetwork:
      return OpenNetwork(file);
    default:
      return Error(ErrorCode::kUnsupported, "tagger: kind " + std::to_string(static_cast<uint32_t>(file.kind())));
  }
}

Result<std::unique_ptr<Tagger>> OpenTagger(const std::string& path) {
  KOE_TRY(MappedFile file, MappedFile::Open(path));
  auto tagger = OpenTagger(file.bytes());
  if (!tagger) return tagger.error().WithContext(path);
  return std::unique_ptr<Tagger>(std::make_unique<MappedTagger>(std::move(file), std::move(*tagger)));
}

}  // namespace koe::g2p
