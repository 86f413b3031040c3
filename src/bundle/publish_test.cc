// SPDX-License-Identifier: Apache-2.0
// Download manifests, precision and serials of builds; keys, differences and sites.
#include "bundle/publish.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>

#include "bundle/bundle.h"
#include "bundle/digest.h"
#include "bundle/manifests/download.h"
#include "bundle/manifests/release.h"
#include "bundle/testing/synthetic.h"
#include "bundle/testing/temp_dir.h"

namespace koe::bundle {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ReadFile;
using testing::TinyArchitecture;
using testing::WriteFile;

const std::string kCommit = "0123456789abcdef0123456789abcdef01234567";

class PublishTest : public ::testing::Test {
 protected:
  void SetUp() override {
    unsetenv("SOURCE_DATE_EPOCH");
    WriteFile(temp_ / "in/model.onnx", testing::TinyOnnx(testing::OnnxForm::kFp32));
    WriteFile(temp_ / "in/voices/af_heart.bin", testing::TinyVoiceBin());
    WriteFile(temp_ / "in/voices/bm_george.pt", testing::TinyVoiceTorch());
    ASSERT_TRUE(GenerateSigningKey(temp_ / "k.key", temp_ / "k.pub"));
  }
  BundleBuildOptions Options(const std::string& name, const std::string& profile) {
    BundleBuildOptions options;
    options.weights_path = temp_ / "in/model.onnx";
    options.voices_dir = temp_ / "in/voices";
    options.output_dir = temp_ / name;
    options.profile = profile;
    return options;
  }
  std::string Build(const BundleBuildOptions& options) {
    const auto built = BuildBundle(options, {{"lexicon/us.lex", "american"}}, TinyArchitecture());
    return built ? "built" : built.error().message();
  }
  PublishOptions Site(const std::string& bundle) {
    PublishOptions options;
    options.bundle_dir = temp_ / bundle;
    options.site_dir = temp_ / "site";
    return options;
  }
  Result<PublishReport> Publish(const PublishOptions& options) { return PublishBundle(options, TinyArchitecture()); }
  std::string PublishReason(const PublishOptions& options) {
    const auto published = Publish(options);
    return published ? "published" : published.error().message();
  }
  FileRecord RecordOf(const std::string& name, const std::string& path) {
    const std::string bytes = ReadFile(temp_ / path);
    return {name, bytes.size(), Sha256Hex(AsBytes(bytes))};
  }
  DownloadManifest Downloaded() {
    return {"hexgrad/Kokoro-82M",
            kCommit,
            "2023-11-14T22:13:20Z",
            {"*"},
            {RecordOf("model.onnx", "in/model.onnx"), RecordOf("voices/af_heart.bin", "in/voices/af_heart.bin"),
             RecordOf("voices/bm_george.pt", "in/voices/bm_george.pt")}};
  }
  // Every file that a published profile names is there with its digest.
  void ExpectWhole(const std::string& folder) {
    const auto hosted = HostedManifest::Parse(ReadFile(folder + "/HostedManifest.json"));
    ASSERT_TRUE(hosted) << folder;
    for (const FileRecord& file : hosted->files) {
      EXPECT_EQ(Sha256Hex(AsBytes(ReadFile(folder + "/" + file.path))), file.sha256) << file.path;
    }
  }

  testing::TempDir temp_;
};

TEST_F(PublishTest, BuildsTwiceToTheSameBytes) {
  for (const char* precision : {"", "int8", "fp16", "fp32"}) {
    BundleBuildOptions a = Options("a", "full"), b = Options("b", "full");
    a.precision = b.precision = precision;
    ASSERT_EQ(Build(a), "built");
    ASSERT_EQ(Build(b), "built");
    EXPECT_EQ(ReadFile(temp_ / "a/HostedManifest.json"), ReadFile(temp_ / "b/HostedManifest.json")) << precision;
    const auto report = ValidateBundle(temp_ / "a", TinyArchitecture());
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(report->tensor_precision, *precision != 0 ? precision : "fp32");
    EXPECT_EQ(report->generated_at, "1970-01-01T00:00:00Z");
  }
}

TEST_F(PublishTest, InputsMustBeThoseOfTheDownloadManifest) {
  DownloadManifest manifest = Downloaded();
  BundleBuildOptions options = Options("a", "full");
  options.download_manifest_path = temp_ / "DownloadManifest.json";
  options.serial = 9;
  options.sdk_commit = "abcdef1";
  const auto with = [&](const DownloadManifest& m) {
    WriteFile(options.download_manifest_path, m.ToJson());
    return Build(options);
  };
  ASSERT_EQ(with(manifest), "built");
  const auto report = ReadBundle(temp_ / "a");
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->provenance_verified);
  EXPECT_EQ(report->revision, kCommit);
  EXPECT_EQ(report->repo_id, "hexgrad/Kokoro-82M");
  EXPECT_EQ(report->generated_at, "2023-11-14T22:13:20Z");
  EXPECT_EQ(report->serial, 9u);
  EXPECT_EQ(report->sdk_commit, "abcdef1");
  const std::string before = ReadFile(temp_ / "a/HostedManifest.json");

  for (size_t i = 0; i < manifest.files.size(); ++i) {
    DownloadManifest other = Downloaded();
    other.files[i].sha256[0] = other.files[i].sha256[0] == '0' ? '1' : '0';
    EXPECT_THAT(with(other), HasSubstr("differs from '" + other.files[i].path)) << i;
    other = Downloaded();
    ++other.files[i].bytes;
    EXPECT_THAT(with(other), HasSubstr("differs from")) << i;
    other = Downloaded();
    other.files.erase(other.files.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_THAT(with(other), HasSubstr("not in the download manifest")) << i;
  }
  WriteFile(options.download_manifest_path, "{}");
  EXPECT_THAT(Build(options), HasSubstr("DownloadManifest.json"));
  options.download_manifest_path = temp_ / "none";
  EXPECT_THAT(Build(options), HasSubstr("missing"));
  EXPECT_EQ(ReadFile(temp_ / "a/HostedManifest.json"), before);

  // A vocabulary from elsewhere passes; one under a name that the manifest has must be that one.
  WriteFile(temp_ / "in/vocab.json", R"({"vocab": {"a": 43}})");
  options.download_manifest_path = temp_ / "DownloadManifest.json";
  options.vocab_path = temp_ / "in/vocab.json";
  EXPECT_EQ(with(manifest), "built");
  manifest.files.push_back(RecordOf("x/vocab.json", "in/vocab.json"));
  SortByPath(&manifest.files);
  EXPECT_EQ(with(manifest), "built");
  WriteFile(temp_ / "in/vocab.json", R"({"vocab": {"a": 44}})");
  EXPECT_THAT(with(manifest), HasSubstr("differs from 'x/vocab.json'"));
  options.sdk_commit = "no commit";
  EXPECT_THAT(Build(options), HasSubstr("commit"));
}

TEST_F(PublishTest, SignaturesHoldOneBundle) {
  ASSERT_EQ(Build(Options("a", "full")), "built");
  const std::string bundle = temp_ / "a", pub = temp_ / "k.pub";
  const auto verify = [&](const std::string& key) {
    const auto verified = VerifyBundle(bundle, key, TinyArchitecture());
    return verified ? "verified" : verified.error().message();
  };
  EXPECT_THAT(verify(pub), HasSubstr("missing"));
  EXPECT_FALSE(ReadBundle(bundle)->is_signed);
  const auto signed_as = SignBundle(bundle + "/", temp_ / "k.key");
  ASSERT_TRUE(signed_as) << signed_as.error().message();
  EXPECT_EQ(*signed_as, bundle + "/HostedManifest.json.sig");
  EXPECT_EQ(verify(pub), "verified");
  EXPECT_TRUE(ReadBundle(bundle)->is_signed);
  EXPECT_TRUE(ValidateBundle(bundle, TinyArchitecture()));
  EXPECT_EQ(temp_.Names(), (std::set<std::string>{"a", "in", "k.key", "k.pub"}));

  ASSERT_TRUE(GenerateSigningKey(temp_ / "other.key", temp_ / "other.pub"));
  EXPECT_THAT(verify(temp_ / "other.pub"), HasSubstr("not made by the key"));
  EXPECT_THAT(verify(temp_ / "in/model.onnx"), HasSubstr("public key"));
  // Whole files of another kind under the same signature.
  const std::string voice = ReadFile(bundle + "/voices/af_heart.bin");
  std::string changed = voice;
  changed[3] = static_cast<char>(changed[3] ^ 1);
  WriteFile(bundle + "/voices/af_heart.bin", changed);
  EXPECT_THAT(verify(pub), HasSubstr("af_heart.bin: SHA-256"));
  WriteFile(bundle + "/voices/af_heart.bin", voice);
  const std::string hosted = ReadFile(bundle + "/HostedManifest.json");
  WriteFile(bundle + "/HostedManifest.json", hosted + " ");
  EXPECT_THAT(verify(pub), HasSubstr("not made by the key"));
  WriteFile(bundle + "/HostedManifest.json", hosted);
  EXPECT_EQ(verify(pub), "verified");
  WriteFile(bundle + "/HostedManifest.json.sig", "short");
  EXPECT_THAT(verify(pub), HasSubstr("64"));
  EXPECT_FALSE(ValidateBundle(bundle, TinyArchitecture()));

  // Any single file.
  WriteFile(temp_ / "m.json", "text");
  ASSERT_TRUE(SignBundle(temp_ / "m.json", temp_ / "k.key"));
  EXPECT_TRUE(VerifyBundle(temp_ / "m.json", pub, TinyArchitecture()));
  WriteFile(temp_ / "m.json", "texts");
  EXPECT_FALSE(VerifyBundle(temp_ / "m.json", pub, TinyArchitecture()));
}

TEST_F(PublishTest, KeysAreNeverReplacedAndStaySecret) {
  struct stat info;
  ASSERT_EQ(stat((temp_ / "k.key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  const std::string secret = ReadFile(temp_ / "k.key");
  const auto again = GenerateSigningKey(temp_ / "k.key", temp_ / "new.pub");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_FALSE(GenerateSigningKey(temp_ / "new.key", temp_ / "k.pub"));
  EXPECT_EQ(temp_.Names(), (std::set<std::string>{"in", "k.key", "k.pub"}));
  EXPECT_EQ(ReadFile(temp_ / "k.key"), secret);
}

TEST_F(PublishTest, DifferencesAreNamed) {
  ASSERT_EQ(Build(Options("a", "full")), "built");
  BundleBuildOptions options = Options("b", "starter");
  options.precision = "fp16";
  options.serial = 2;
  ASSERT_EQ(Build(options), "built");
  EXPECT_TRUE(DiffBundles(temp_ / "a", temp_ / "a")->empty());
  const auto changes = DiffBundles(temp_ / "a", temp_ / "b");
  ASSERT_TRUE(changes) << changes.error().message();
  std::vector<std::string> names;
  for (const BundleChange& change : *changes) names.push_back(change.name);
  EXPECT_THAT(names, ElementsAre("version", "serial", "bundle_profile", "tensor_precision", "voices/bm_george.bin",
                                 "weights.safetensors"));
  EXPECT_EQ((*changes)[4].kind, BundleChange::Kind::kRemoved);
  EXPECT_EQ((*changes)[5].kind, BundleChange::Kind::kChanged);
  EXPECT_EQ((*changes)[3].before, "fp32");
  EXPECT_EQ((*changes)[3].after, "fp16");
  EXPECT_EQ(DiffBundles(temp_ / "a", temp_ / "in").error().code(), ErrorCode::kNotFound);
}

TEST_F(PublishTest, StarterStandsAtTheTopAndOthersBelowSdk) {
  ASSERT_EQ(Build(Options("starter", "starter")), "built");
  ASSERT_EQ(Build(Options("full", "full")), "built");
  const auto first = Publish(Site("full"));
  ASSERT_TRUE(first) << first.error().message();
  EXPECT_EQ(first->serial, 1u);
  EXPECT_EQ(first->hosted_path, "sdk/full/HostedManifest.json");
  PublishOptions options = Site("starter");
  WriteFile(temp_ / "card.md", "# Model");
  options.model_card_path = temp_ / "card.md";
  options.repo_id = "koe/kokoro";
  const auto second = Publish(options);
  ASSERT_TRUE(second) << second.error().message();
  EXPECT_EQ(second->serial, 2u);
  EXPECT_EQ(second->revision, "r2");
  EXPECT_THAT(second->profiles, ElementsAre("full", "starter"));
  ExpectWhole(temp_ / "site");
  ExpectWhole(temp_ / "site/sdk/full");
  const std::string text = ReadFile(temp_ / "site/sdk/SDKReleaseManifest.json");
  EXPECT_EQ(Sha256Hex(AsBytes(text)), second->release_sha256);
  const auto release = ReleaseManifest::Parse(text);
  ASSERT_TRUE(release) << release.error().message();
  EXPECT_EQ(release->repo_id, "koe/kokoro");
  EXPECT_EQ(release->model_card->path, "README.md");
  EXPECT_EQ(release->top_level_hosted_manifest->sha256, second->hosted_sha256);
  EXPECT_EQ(release->top_level_runtime_manifest->path, "RuntimeManifest.json");
  EXPECT_EQ(release->Find("full")->voice_count, 2u);
  EXPECT_EQ(release->Find("starter")->voice_count, 1u);
  EXPECT_EQ(release->Find("full")->hosted_manifest_record,
            RecordOf("sdk/full/HostedManifest.json", "site/sdk/full/HostedManifest.json"));
  // Equal files of two profiles are one on the disk.
  struct stat a, b;
  ASSERT_EQ(stat((temp_ / "site/weights.safetensors").c_str(), &a), 0);
  ASSERT_EQ(stat((temp_ / "site/sdk/full/weights.safetensors").c_str(), &b), 0);
  EXPECT_EQ(a.st_ino, b.st_ino);

  // Once more: what the publisher does not say stays; serials grow.
  ASSERT_EQ(PublishReason(Site("full")), "published");
  const auto third = ReleaseManifest::Parse(ReadFile(temp_ / "site/sdk/SDKReleaseManifest.json"));
  EXPECT_EQ(third->serial, 3u);
  EXPECT_EQ(third->repo_id, "koe/kokoro");
  EXPECT_EQ(ReadFile(temp_ / "site/README.md"), "# Model");
  EXPECT_EQ(third->profiles.size(), 2u);
  ExpectWhole(temp_ / "site");
}

TEST_F(PublishTest, SignedSitesStaySigned) {
  ASSERT_EQ(Build(Options("full", "full")), "built");
  PublishOptions options = Site("full");
  options.sign_key_path = temp_ / "k.key";
  ASSERT_EQ(PublishReason(options), "published");
  for (const char* path : {"site/sdk/SDKReleaseManifest.json", "site/sdk/full/HostedManifest.json"}) {
    EXPECT_TRUE(VerifyBundle(temp_ / path, temp_ / "k.pub", TinyArchitecture())) << path;
  }
  options.sign_key_path = "";
  EXPECT_THAT(PublishReason(options), HasSubstr("is signed"));
}

TEST_F(PublishTest, NothingGoesBackOrBreaks) {
  BundleBuildOptions build = Options("full", "full");
  build.serial = 5;
  ASSERT_EQ(Build(build), "built");
  PublishOptions options = Site("full");
  options.serial = 10;
  ASSERT_EQ(PublishReason(options), "published");
  const std::string before = ReadFile(temp_ / "site/sdk/SDKReleaseManifest.json");
  EXPECT_THAT(PublishReason(options), HasSubstr("serials only grow"));
  options.serial = 0;
  build.serial = 4;
  ASSERT_EQ(Build(build), "built");
  EXPECT_THAT(PublishReason(options), HasSubstr("roll-back"));
  build.serial = 5;
  ASSERT_EQ(Build(build), "built");
  options.revision = "../x";
  EXPECT_THAT(PublishReason(options), HasSubstr("revision"));
  options.revision = "";
  // A bundle or a site that is damaged is not published.
  WriteFile(temp_ / "full/vocab.json", "{}");
  EXPECT_NE(PublishReason(options), "published");
  ASSERT_EQ(Build(build), "built");
  ASSERT_EQ(Build(Options("starter", "starter")), "built");
  WriteFile(temp_ / "site/sdk/full/vocab.json", "{}");
  PublishOptions starter = Site("starter");
  EXPECT_THAT(PublishReason(starter), HasSubstr("vocab.json"));
  EXPECT_EQ(ReadFile(temp_ / "site/sdk/SDKReleaseManifest.json"), before);
  // Folders that are none of a publisher's.
  for (const char* path : {"in", "full", "full/site", "."}) {
    options.site_dir = temp_ / path;
    EXPECT_NE(PublishReason(options), "published") << path;
  }
  std::filesystem::create_directory_symlink(temp_ / "site", temp_ / "link");
  options.site_dir = temp_ / "link";
  EXPECT_THAT(PublishReason(options), HasSubstr("symbolic link"));
  CancelToken cancel;
  cancel.Cancel();
  PublishOptions cancelled = Site("full");
  cancelled.site_dir = temp_ / "new_site";
  cancelled.cancel = &cancel;
  EXPECT_EQ(Publish(cancelled).error().code(), ErrorCode::kCancelled);
  EXPECT_FALSE(std::filesystem::exists(temp_ / "new_site"));
}

}  // namespace
}  // namespace koe::bundle
