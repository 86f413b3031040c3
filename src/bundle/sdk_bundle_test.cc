// SPDX-License-Identifier: Apache-2.0
// Validation of SDK bundles over a folder of a few kilobytes; tests/sdk_bundle_test.py makes real ones.
#include "bundle/sdk_bundle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>

#include "bundle/digest.h"
#include "bundle/testing/synthetic.h"
#include "bundle/testing/temp_dir.h"

namespace koe::bundle {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ReadFile;
using testing::TinyArchitecture;
using testing::WriteFile;

FileRecord RecordOf(const std::string& path, const std::string& bytes) {
  return {path, bytes.size(), Sha256Hex(AsBytes(bytes))};
}

class SdkBundleTest : public ::testing::Test {
 protected:
  void SetUp() override {
    manifest_.generated_at = "2026-11-23T00:00:00Z";
    manifest_.provenance.sdk_commit = "0123456789abcdef";
    manifest_.bundle_profile = "custom";
    manifest_.supported_languages = {"en-US"};
    manifest_.buckets = {3, 15};
    manifest_.duration_token_sizes = {128};
    for (const char* name :
         {"kokoro_decoder_har_post_15s", "kokoro_decoder_har_post_3s", "kokoro_decoder_pre_15s",
          "kokoro_decoder_pre_3s", "kokoro_duration_t128", "kokoro_f0ntrain_t120", "kokoro_f0ntrain_t600"}) {
      SdkPackage package;
      package.path = std::string("coreml/") + name + ".mlpackage";
      for (const char* path : {"Data/com.apple.CoreML/model.mlmodel", "Manifest.json"}) {
        package.files.push_back(Put(package.path + "/" + path, std::string(name) + path));
        package.files.back().path = path;
      }
      package.tree_sha256 = TreeDigest(package.files);
      manifest_.packages.push_back(std::move(package));
    }
    manifest_.voices = {Put("voices/af_heart.bin", testing::TinyVoiceBin())};
    manifest_.vocab = Put(kSdkVocabName, R"({"vocab": {"a": 1}})");
    manifest_.harmonics =
        Put(kSdkHarmonicsName, R"({"linear_bias": 0.5, "linear_weights": [1, 2, 3, 4, 5, 6, 7, 8, 9]})");
    WriteManifests();
  }
  FileRecord Put(const std::string& path, const std::string& bytes) {
    WriteFile(dir_ / path, bytes);
    return RecordOf(path, bytes);
  }
  // Both manifests and the marker, as manifest_ has it.
  void WriteManifests() { WriteManifests(manifest_.ToJson()); }
  void WriteManifests(const std::string& json) {
    std::vector<FileRecord> files = manifest_.Files();
    files.push_back(Put(kSdkManifestName, json));
    SortByPath(&files);
    WriteFile(dir_ / kHostedManifestName, SdkHostedJson(SdkHostedVersion(manifest_), files));
    WriteFile(dir_ / kSdkMarker.name, kSdkMarker.text);
  }
  std::string Reason() {
    const auto report = ValidateSdkBundle(dir_.path(), TinyArchitecture());
    if (report) return "valid";
    EXPECT_EQ(report.error().code(), ErrorCode::kCorruptBundle) << report.error().message();
    return report.error().message();
  }
  // What Parse says of the manifest with one piece of text in another's place.
  std::string ParseReason(const std::string& from, const std::string& to) {
    std::string json = manifest_.ToJson();
    const size_t at = json.find(from);
    if (at == std::string::npos) return "no '" + from + "' in the manifest";
    json.replace(at, from.size(), to);
    const auto parsed = SdkManifest::Parse(json);
    return parsed ? "taken" : parsed.error().message();
  }

  testing::TempDir dir_;
  SdkManifest manifest_;
};

TEST_F(SdkBundleTest, IsValidAndReported) {
  const auto report = ValidateSdkBundle(dir_.path(), TinyArchitecture());
  ASSERT_TRUE(report.has_value()) << report.error().message();
  EXPECT_EQ(report->hosted_version, "custom-0123456789ab");
  EXPECT_THAT(report->buckets, ElementsAre(3, 15));
  EXPECT_THAT(report->voices, ElementsAre("af_heart"));
  EXPECT_EQ(report->packages.size(), 7u);
  EXPECT_EQ(report->num_files, 7u * 2 + 3 + 1);
  EXPECT_FALSE(report->provenance_verified);
  EXPECT_TRUE(IsSdkBundle(dir_.path()));
}

TEST_F(SdkBundleTest, WhatIsWrittenIsReadAgain) {
  const auto parsed = SdkManifest::Parse(manifest_.ToJson());
  ASSERT_TRUE(parsed.has_value()) << parsed.error().message();
  EXPECT_EQ(parsed->ToJson(), manifest_.ToJson());
}

// kokoro-coreml: sorted by path; of each path, NUL, size, NUL, digest, NUL. The digest here is sha256sum's of
// "a\0" "1\0" <digest of "x"> "\0" "b/c\0" "0\0" <digest of ""> "\0".
TEST(TreeDigest, IsTheSeeds) {
  const FileRecord a{"a", 1, "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"};
  const FileRecord b{"b/c", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"};
  EXPECT_EQ(TreeDigest({b, a}), "7f9255be1284ac2ccc6dab32ac69c755fb79e80b443e07797233fac387df20ce");
  EXPECT_EQ(TreeDigest({a, b}), TreeDigest({b, a}));
}

TEST_F(SdkBundleTest, EveryDamageIsSeen) {
  const auto damaged = [&](const std::string& path, const std::string& bytes) {
    const bool existed = std::filesystem::exists(dir_ / path);
    const std::string before = ReadFile(dir_ / path);
    WriteFile(dir_ / path, bytes);
    const std::string reason = Reason();
    if (existed) {
      WriteFile(dir_ / path, before);
    } else {
      std::filesystem::remove(dir_ / path);
    }
    return reason;
  };
  const std::string model = "coreml/kokoro_duration_t128.mlpackage/Data/com.apple.CoreML/model.mlmodel";
  std::string flipped = ReadFile(dir_ / model);
  flipped[3] = static_cast<char>(flipped[3] ^ 1);
  EXPECT_THAT(damaged(model, flipped), HasSubstr("SHA-256"));
  EXPECT_THAT(damaged(model, "short"), HasSubstr("5 bytes"));
  EXPECT_THAT(damaged("voices/af_more.bin", "x"), HasSubstr("not in the manifest"));
  EXPECT_THAT(damaged("coreml/kokoro_duration_t128.mlpackage/x", "x"), HasSubstr("not in the manifest"));
  EXPECT_THAT(damaged(kSdkMarker.name, "another"), HasSubstr("another text"));
  EXPECT_THAT(damaged(kHostedManifestName, R"({"version": "custom-0123456789ab", "files": []})"),
              HasSubstr("not those of"));
  EXPECT_EQ(damaged("compiled/x.mlmodelc/coremldata.bin", "x"), "valid");
  EXPECT_EQ(damaged(kSdkMarker.name, "kokoro-sdk-bundle"), "valid");  // without the end of line
  EXPECT_EQ(Reason(), "valid");

  std::filesystem::rename(dir_ / model, dir_ / "aside");
  EXPECT_THAT(Reason(), HasSubstr("not in the manifest"));
  std::filesystem::remove(dir_ / "aside");
  EXPECT_THAT(Reason(), HasSubstr("model.mlmodel"));
  std::filesystem::create_symlink("/dev/null", dir_ / model);
  EXPECT_THAT(Reason(), HasSubstr("link"));
}

TEST_F(SdkBundleTest, APackageIsVerifiedByItself) {
  const SdkPackage& package = manifest_.packages[4];
  const std::string model = package.path + "/" + package.files[0].path;
  const auto verify = [&] { return VerifySdkPackage(dir_.path(), package); };
  EXPECT_TRUE(verify());
  WriteFile(dir_ / "voices/af_heart.bin", "damaged");  // another file's affair
  EXPECT_TRUE(verify());
  WriteFile(dir_ / (package.path + "/more"), "x");
  EXPECT_EQ(verify().error().code(), ErrorCode::kCorruptBundle);
  std::filesystem::remove(dir_ / (package.path + "/more"));
  std::string bytes = ReadFile(dir_ / model);
  bytes[0] = static_cast<char>(bytes[0] ^ 1);
  WriteFile(dir_ / model, bytes);
  // A file system's clock may not have ticked between the two, and an unchanged file is not hashed again.
  std::filesystem::last_write_time(dir_ / model, std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
  EXPECT_EQ(verify().error().code(), ErrorCode::kCorruptBundle);
  std::filesystem::remove_all(dir_ / package.path);
  EXPECT_EQ(verify().error().code(), ErrorCode::kCorruptBundle);
}

TEST_F(SdkBundleTest, ContentsAreChecked) {
  manifest_.harmonics = Put(kSdkHarmonicsName, R"({"linear_bias": 0.5, "linear_weights": [1, 2]})");
  WriteManifests();
  EXPECT_THAT(Reason(), HasSubstr("nine finite"));
  SetUp();
}

TEST_F(SdkBundleTest, AVersionOfAnotherCommitIsRefused) {
  manifest_.provenance.sdk_commit = "fedcba9876543210";
  const std::string json = manifest_.ToJson();
  manifest_.provenance.sdk_commit = "0123456789abcdef";
  WriteManifests(json);
  EXPECT_THAT(Reason(), HasSubstr("version: not custom-fedcba987654"));
}

TEST_F(SdkBundleTest, TheFolderMustNotBeALink) {
  const testing::TempDir other;
  std::filesystem::create_directory_symlink(dir_.path(), other / "link");
  const auto report = ValidateSdkBundle(other / "link", TinyArchitecture());
  ASSERT_FALSE(report.has_value());
  EXPECT_THAT(report.error().message(), HasSubstr("symbolic link"));
  EXPECT_EQ(ValidateSdkBundle(other / "none").error().code(), ErrorCode::kNotFound);
}

TEST_F(SdkBundleTest, ManifestsThatDoNotAddUpAreRefused) {
  EXPECT_EQ(ParseReason("custom", "custom"), "taken");
  EXPECT_THAT(ParseReason("\"schema_version\": 1", "\"schema_version\": 2"), HasSubstr("schema_version"));
  EXPECT_THAT(ParseReason("\"custom\"", "\"other\""), HasSubstr("bundle_profile"));
  EXPECT_THAT(ParseReason("\"0123456789abcdef\"", "null"), HasSubstr("sdk_commit"));
  EXPECT_THAT(ParseReason("\"18.0\"", "\"12.0\""), HasSubstr("iOS"));
  EXPECT_THAT(ParseReason("128]", "64]"), HasSubstr("duration_token_sizes"));
  EXPECT_THAT(ParseReason("[3, 15]", "[15, 3]"), HasSubstr("not ascending"));
  EXPECT_THAT(ParseReason("[3, 15]", "[3, 7]"), HasSubstr("kokoro_f0ntrain_t280"));
  EXPECT_THAT(ParseReason("[3, 15]", "[0, 15]"), HasSubstr("1 to 120"));
  EXPECT_THAT(ParseReason("\"file_count\": 2", "\"file_count\": 3"), HasSubstr("file_count"));
  EXPECT_THAT(ParseReason("\"tree_sha256\": \"", "\"tree_sha256\": \"x"), HasSubstr("tree_sha256"));
  EXPECT_THAT(ParseReason("coreml/kokoro_decoder_pre_3s", "coreml/../x"), HasSubstr("no package in coreml/"));
  EXPECT_THAT(ParseReason("coreml/kokoro_decoder_pre_3s", "coreml/kokoro_decoder_pre_4s"),
              HasSubstr("neither kokoro_decoder_pre_3s"));
  EXPECT_THAT(ParseReason("coreml/kokoro_decoder_pre_3s", "coreml/kokoro_decoder_pre_15s"), HasSubstr("twice"));
  EXPECT_THAT(ParseReason("voices/af_heart.bin", "voices/../heart.bin"), HasSubstr("voices"));
  EXPECT_THAT(ParseReason("runtime/hnsf_weights.json", "runtime/other.json"), HasSubstr("hnsf_weights"));
  EXPECT_THAT(ParseReason("\"Manifest.json\"", "\"Other.json\""), HasSubstr("tree_sha256"));
}

// The flexible generator and multifunction packages, which the seed publishes, stand for those of every size.
TEST_F(SdkBundleTest, OnePackageMayServeManySizes) {
  const auto rename = [&](size_t index, const std::string& name) {
    manifest_.packages[index].path = "coreml/" + name + ".mlpackage";
  };
  rename(0, "kokoro_decoder_har_post_range");
  rename(1, "kokoro_unused");
  EXPECT_TRUE(SdkManifest::Parse(manifest_.ToJson()).has_value());
  rename(2, "kokoro_decoder_pre_multifunction");
  rename(3, "kokoro_unused_too");
  EXPECT_TRUE(SdkManifest::Parse(manifest_.ToJson()).has_value());
  rename(0, "kokoro_decoder_har_post_15s");
  EXPECT_FALSE(SdkManifest::Parse(manifest_.ToJson()).has_value());
}

}  // namespace
}  // namespace koe::bundle
