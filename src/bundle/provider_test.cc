// SPDX-License-Identifier: Apache-2.0
#include "koe/provider.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bundle/bundle.h"
#include "bundle/digest.h"
#include "bundle/files.h"
#include "bundle/testing/synthetic.h"
#include "bundle/testing/temp_dir.h"

namespace koe::bundle {
namespace {

using ::testing::HasSubstr;
using testing::TinyArchitecture;

class ProviderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    testing::WriteFile(temp_ / "in/model.onnx", testing::TinyOnnx(testing::OnnxForm::kInt8));
    testing::WriteFile(temp_ / "in/voices/af_heart.bin", testing::TinyVoiceBin());
    BundleBuildOptions options;
    options.weights_path = temp_ / "in/model.onnx";
    options.voices_dir = temp_ / "in/voices";
    options.output_dir = dir_;
    ASSERT_TRUE(BuildBundle(options, {{"lexicon/us.lex", "american"}}, TinyArchitecture()));
    const auto paths = ListFiles(dir_, 100);
    for (const std::string& path : *paths) files_[path] = testing::ReadFile(dir_ + "/" + path);
  }
  std::shared_ptr<ResourceProvider> Memory() const {
    std::map<std::string, std::span<const std::byte>> spans;
    for (const auto& [path, bytes] : files_) spans[path] = AsBytes(bytes);
    return MakeMemoryProvider(spans, "the program");
  }
  static Result<std::shared_ptr<const Bundle>> Open(std::shared_ptr<ResourceProvider> provider,
                                                    Digests digests = Digests::kOnce) {
    return Bundle::Open(std::move(provider), digests, {}, nullptr, TinyArchitecture());
  }

  testing::TempDir temp_;
  const std::string dir_ = temp_ / "bundle";
  std::map<std::string, std::string> files_;
};

TEST_F(ProviderTest, MemoryAndDirectoryOfferTheSame) {
  for (const auto& provider : {Memory(), MakeDirectoryProvider(dir_)}) {
    const auto bundle = Open(provider);
    ASSERT_TRUE(bundle) << bundle.error().message();
    EXPECT_EQ((*bundle)->dir(), provider->Name());
    EXPECT_EQ((*bundle)->LoadVoice("af_heart")->size(), 24u);
    const auto weights = (*bundle)->OpenWeights();
    ASSERT_TRUE(weights) << weights.error().message();
    EXPECT_EQ((*weights)->tensors().size(), TinyArchitecture().tensors.size());
    EXPECT_EQ(AsText((*bundle)->OpenLexicon(Language::kAmericanEnglish)->bytes()), "american");
    EXPECT_EQ((*bundle)->OpenFile("nothing").error().code(), ErrorCode::kNotFound);
  }
}

TEST_F(ProviderTest, WeightsOutliveTheBundleAndTheProvider) {
  std::shared_ptr<const Weights> weights;
  {
    const auto bundle = Open(Memory());
    ASSERT_TRUE(bundle);
    weights = *(*bundle)->OpenWeights();
  }
  for (const StoredTensor& tensor : weights->tensors()) {
    std::vector<float> values(tensor.num_elements());
    EXPECT_TRUE(Dequantise(tensor, values)) << tensor.name;
  }
}

TEST_F(ProviderTest, WhatIsOfferedIsNotTrusted) {
  for (const char* path : {"weights.safetensors", "voices/af_heart.bin", "lexicon/us.lex", "vocab.json"}) {
    const std::string sound = files_[path];
    const auto use = [&]() -> Result<void> {
      KOE_TRY(const auto bundle, Open(Memory()));
      KOE_CHECK_OK(bundle->OpenWeights());
      KOE_CHECK_OK(bundle->LoadVoice("af_heart"));
      KOE_CHECK_OK(bundle->OpenLexicon(Language::kAmericanEnglish));
      return {};
    };
    files_[path].back() = static_cast<char>(files_[path].back() ^ 1);
    EXPECT_THAT(use().error().message(), HasSubstr("SHA-256 is")) << path;
    files_[path] = sound + "x";
    EXPECT_EQ(use().error().code(), ErrorCode::kCorruptBundle) << path;
    files_[path] = sound.substr(1);
    EXPECT_EQ(use().error().code(), ErrorCode::kCorruptBundle) << path;
    files_.erase(path);
    EXPECT_EQ(use().error().code(), ErrorCode::kCorruptBundle) << path;
    files_[path] = sound;
    EXPECT_TRUE(use()) << path;
  }
  files_["RuntimeManifest.json"].resize(100);
  EXPECT_EQ(Open(Memory()).error().code(), ErrorCode::kCorruptBundle);
  files_.erase("RuntimeManifest.json");
  EXPECT_EQ(Open(Memory()).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(Open(nullptr).error().code(), ErrorCode::kInvalidArgument);
  // Whoever asks for it goes without.
  files_ = {};
  SetUp();
  files_["lexicon/us.lex"] = "AMERICAN";
  const auto unchecked = Open(Memory(), Digests::kNotChecked);
  ASSERT_TRUE(unchecked);
  EXPECT_EQ(AsText((*unchecked)->OpenLexicon(Language::kAmericanEnglish)->bytes()), "AMERICAN");
}

TEST_F(ProviderTest, ADownloadIsBroughtOnce) {
  int calls = 0;
  bool fails = true;
  std::vector<std::string> phases;
  const auto provider = MakeDownloadedProvider(
      [&](const ProviderProgressCallback& progress, const CancelToken*) -> Result<std::string> {
        ++calls;
        if (progress) progress({0.5, "downloading"});
        if (fails) return Error(ErrorCode::kIo, "network: down");
        return dir_;
      },
      "store");
  const auto open = [&] {
    return Bundle::Open(
        provider, Digests::kOnce, [&](const ProviderProgress& p) { phases.emplace_back(p.phase); }, nullptr,
        TinyArchitecture());
  };
  EXPECT_EQ(open().error().message(), "network: down");
  fails = false;
  ASSERT_TRUE(open());
  ASSERT_TRUE(open());
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(phases, (std::vector<std::string>{"downloading", "downloading"}));
  const auto nowhere = MakeDownloadedProvider(
      [](const ProviderProgressCallback&, const CancelToken*) -> Result<std::string> { return std::string(); },
      "store");
  EXPECT_EQ(Open(nowhere).error().code(), ErrorCode::kNotFound);
}

// A file is read from the disk and hashed once for each change, however often bundles are opened.
TEST_F(ProviderTest, EachFileIsHashedOnceForEachChange) {
  const auto use = [&] {
    const auto bundle = Open(MakeDirectoryProvider(dir_));
    ASSERT_TRUE(bundle);
    ASSERT_TRUE((*bundle)->OpenWeights());
    ASSERT_TRUE((*bundle)->LoadVoice("af_heart"));
    ASSERT_TRUE((*bundle)->OpenLexicon(Language::kAmericanEnglish));
  };
  const uint64_t before = NumFilesHashed();
  use();
  EXPECT_EQ(NumFilesHashed() - before, 4u);  // weights, voice, lexicon, vocabulary
  use();
  use();
  EXPECT_EQ(NumFilesHashed() - before, 4u);
  // The same bytes written anew are another file.
  const std::string voice = dir_ + "/voices/af_heart.bin";
  std::filesystem::remove(voice);
  testing::WriteFile(voice, files_["voices/af_heart.bin"]);
  use();
  EXPECT_EQ(NumFilesHashed() - before, 5u);
  // In memory: once for each bundle.
  const auto provider = Memory();
  const auto bundle = Open(provider);
  ASSERT_TRUE(bundle);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE((*bundle)->OpenWeights());
  EXPECT_EQ(NumFilesHashed() - before, 5u);
}

}  // namespace
}  // namespace koe::bundle
