// SPDX-License-Identifier: Apache-2.0
// The manifests that come from elsewhere: what is written is read back, what is wrong is named.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bundle/manifests/download.h"
#include "bundle/manifests/hosted.h"
#include "bundle/manifests/release.h"

namespace koe::bundle {
namespace {

using ::testing::HasSubstr;

const std::string kDigest(64, 'a');
const std::string kCommit = "0123456789abcdef0123456789abcdef01234567";

HostedManifest Hosted() {
  return {"full-0123456789ab", 7, {{"RuntimeManifest.json", 10, kDigest}, {"voices/af_heart.bin", 522240, kDigest}}};
}

DownloadManifest Download() {
  return {"hexgrad/Kokoro-82M",
          kCommit,
          "2023-11-14T22:13:20Z",
          {"*.pth", "voices/*.pt"},
          {{"kokoro-v1_0.pth", 327212226, kDigest}, {"voices/af_heart.pt", 523425, kDigest}}};
}

ReleaseManifest Release() {
  ReleaseManifest m;
  m.generated_at = "2023-11-14T22:13:20Z";
  m.generated_by = "koe 0.1.0";
  m.revision = "r7";
  m.serial = 7;
  m.model_card = FileRecord{"README.md", 100, kDigest};
  m.top_level_hosted_manifest = FileRecord{"HostedManifest.json", 2000, kDigest};
  m.top_level_runtime_manifest = FileRecord{"RuntimeManifest.json", 3000, kDigest};
  m.top_level_hosted_files = {{"vocab.json", 1390, kDigest}};
  Provenance provenance{"abcdef1-dirty", "hexgrad/Kokoro-82M", kCommit, true, kDigest};
  m.profiles = {{"full",
                 provenance,
                 "full-0123456789ab",
                 7,
                 "int8",
                 54,
                 61,
                 127000000,
                 {"sdk/full/RuntimeManifest.json", 3000, kDigest},
                 {"sdk/full/HostedManifest.json", 2000, kDigest}},
                {"starter",
                 {},
                 "starter-0123456789ab",
                 3,
                 "int8",
                 1,
                 8,
                 99000000,
                 {"RuntimeManifest.json", 3000, kDigest},
                 {"HostedManifest.json", 2000, kDigest}}};
  return m;
}

// Text with the one place where `from` stands replaced.
std::string With(const std::string& text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : std::string(text).replace(at, from.size(), to);
}

template <typename M>
std::string Reason(const std::string& text, ErrorCode code, const ManifestLimits& limits = {}) {
  const auto parsed = M::Parse(text, limits);
  if (parsed) return "parsed";
  EXPECT_EQ(parsed.error().code(), code) << parsed.error().message();
  return parsed.error().message();
}

TEST(ManifestsTest, WhatIsWrittenIsReadBack) {
  const auto hosted = HostedManifest::Parse(Hosted().ToJson());
  ASSERT_TRUE(hosted) << hosted.error().message();
  EXPECT_EQ(hosted->ToJson(), Hosted().ToJson());
  EXPECT_EQ(hosted->serial, 7u);
  EXPECT_EQ(hosted->TotalBytes(), 522250u);
  EXPECT_EQ(hosted->files, Hosted().files);

  const auto download = DownloadManifest::Parse(Download().ToJson());
  ASSERT_TRUE(download) << download.error().message();
  EXPECT_EQ(download->ToJson(), Download().ToJson());
  EXPECT_EQ(download->files, Download().files);
  EXPECT_EQ(download->allow_patterns, Download().allow_patterns);

  const auto release = ReleaseManifest::Parse(Release().ToJson());
  ASSERT_TRUE(release) << release.error().message();
  EXPECT_EQ(release->ToJson(), Release().ToJson());
  ASSERT_NE(release->Find("full"), nullptr);
  EXPECT_EQ(release->Find("full")->provenance, Release().profiles[0].provenance);
  EXPECT_EQ(release->Find("full")->total_bytes, 127000000u);
  EXPECT_EQ(release->Find("custom"), nullptr);
  EXPECT_EQ(release->model_card, Release().model_card);
}

TEST(ManifestsTest, HostedManifestsOfBeforeHaveNoSerial) {
  const auto parsed = HostedManifest::Parse(With(Hosted().ToJson(), "\"serial\": 7,", ""));
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_EQ(parsed->serial, 0u);
}

// Every field, taken away or of another type, is missed by name.
template <typename M>
void EveryFieldIsNeeded(const M& manifest, const std::vector<std::string>& keys) {
  const std::string text = manifest.ToJson();
  for (const std::string& key : keys) {
    const std::string quoted = "\"" + key + "\":";
    EXPECT_THAT(Reason<M>(With(text, quoted, "\"x" + key + "\":"), ErrorCode::kCorruptBundle), HasSubstr(key));
    EXPECT_THAT(Reason<M>(With(text, quoted, quoted + " true, \"y\":"), ErrorCode::kCorruptBundle), HasSubstr(key));
  }
}

TEST(ManifestsTest, EveryFieldIsNeeded) {
  EveryFieldIsNeeded(Hosted(), {"version", "files", "path", "bytes", "sha256"});
  EveryFieldIsNeeded(Download(), {"schema_version", "repo_id", "revision", "generated_at", "allow_patterns", "files",
                                  "path", "bytes", "sha256"});
  EveryFieldIsNeeded(Release(), {"schema_version", "generated_at", "generated_by", "revision", "serial", "profiles",
                                 "profile", "hosted_manifest", "hosted_version", "tensor_precision", "voice_count",
                                 "file_count", "total_bytes", "runtime_manifest", "hosted_manifest_record"});
}

TEST(ManifestsTest, FilesStayWhereTheyBelong) {
  const std::string text = Hosted().ToJson();
  for (const char* path : {"../x", "/x", "a//b", "a/../b", ".x", "a/.x", "a\\\\b", "", "a/", "x.part", "x.part-etag",
                           "x.sig", "HostedManifest.json", "voices", "voices/af_heart.bin/x", "caf\xC3\xA9"}) {
    EXPECT_NE(Reason<HostedManifest>(With(text, "RuntimeManifest.json", path), ErrorCode::kCorruptBundle), "parsed")
        << path;
  }
  EXPECT_THAT(Reason<HostedManifest>(With(text, "RuntimeManifest.json", "voices"), ErrorCode::kCorruptBundle),
              HasSubstr("'voices' is a file and a folder"));
  EXPECT_THAT(
      Reason<HostedManifest>(With(text, "RuntimeManifest.json", "voices/af_heart.bin"), ErrorCode::kCorruptBundle),
      HasSubstr("twice"));
  EXPECT_THAT(Reason<HostedManifest>(With(text, "RuntimeManifest.json", "z"), ErrorCode::kCorruptBundle),
              HasSubstr("not sorted"));
  EXPECT_THAT(Reason<HostedManifest>(With(text, kDigest, std::string(64, 'A')), ErrorCode::kCorruptBundle),
              HasSubstr("hexadecimal"));
  EXPECT_THAT(Reason<HostedManifest>(With(text, "\"bytes\": 10", "\"bytes\": -1"), ErrorCode::kCorruptBundle),
              HasSubstr("bytes"));
  EXPECT_THAT(Reason<HostedManifest>(With(text, "\"serial\": 7", "\"serial\": -7"), ErrorCode::kCorruptBundle),
              HasSubstr("serial"));
}

TEST(ManifestsTest, ReleasesNameTheirOwnPlaces) {
  const std::string text = Release().ToJson();
  const auto corrupt = [&](const std::string& from, const std::string& to) {
    return Reason<ReleaseManifest>(With(text, from, to), ErrorCode::kCorruptBundle);
  };
  EXPECT_THAT(corrupt("\"hosted_manifest\": \"sdk/full/", "\"hosted_manifest\": \"sdk/custom/"),
              HasSubstr("not the path"));
  EXPECT_THAT(corrupt("sdk/full/RuntimeManifest.json", "sdk/custom/RuntimeManifest.json"), HasSubstr("belongs"));
  EXPECT_THAT(corrupt("sdk/full/RuntimeManifest.json", "RuntimeManifest.json"), HasSubstr("belongs"));
  EXPECT_THAT(corrupt("\"profile\": \"full\"", "\"profile\": \"tiny\""), HasSubstr("not starter, full or custom"));
  EXPECT_THAT(corrupt("\"r7\"", "\"../7\""), HasSubstr("revision"));
  EXPECT_THAT(corrupt("abcdef1-dirty", "abcdef"), HasSubstr("sdk_commit"));
  EXPECT_THAT(corrupt(kCommit, kCommit.substr(1)), HasSubstr("hf_artifact_revision"));
  EXPECT_THAT(corrupt("\"hf_download_manifest_sha256\": \"" + kDigest + "\"", "\"hf_download_manifest_sha256\": null"),
              HasSubstr("hf_provenance_verified"));
  ReleaseManifest twice = Release();
  twice.profiles[1] = twice.profiles[0];
  EXPECT_THAT(Reason<ReleaseManifest>(twice.ToJson(), ErrorCode::kCorruptBundle),
              HasSubstr("not sorted, or one twice"));
  EXPECT_THAT(
      Reason<ReleaseManifest>(With(text, "\"schema_version\": 1", "\"schema_version\": 2"), ErrorCode::kUnsupported),
      HasSubstr("schema_version: 2"));
}

TEST(ManifestsTest, LimitsAreLimits) {
  const std::string text = Hosted().ToJson();
  const auto too_long = [&](const ManifestLimits& limits) {
    return Reason<HostedManifest>(text, ErrorCode::kTooLong, limits);
  };
  // The last that is allowed, and one less.
  EXPECT_TRUE(HostedManifest::Parse(text, {text.size(), 522240, 522250, 2}));
  EXPECT_THAT(too_long({text.size() - 1, 522240, 522250, 2}), HasSubstr("more than"));
  EXPECT_THAT(too_long({text.size(), 522239, 522250, 2}), HasSubstr("voices/af_heart.bin"));
  EXPECT_THAT(too_long({text.size(), 522240, 522249, 2}), HasSubstr("bytes of files"));
  EXPECT_THAT(too_long({text.size(), 522240, 522250, 1}), HasSubstr("2 files, at most 1"));
  // Sums that would wrap.
  HostedManifest huge = Hosted();
  for (FileRecord& file : huge.files) file.bytes = INT64_MAX;
  EXPECT_THAT(Reason<HostedManifest>(huge.ToJson(), ErrorCode::kTooLong, {1 << 20, UINT64_MAX, UINT64_MAX - 1, 9}),
              HasSubstr("parsed"));
  EXPECT_THAT(Reason<HostedManifest>(huge.ToJson(), ErrorCode::kTooLong, {1 << 20, UINT64_MAX, INT64_MAX, 9}),
              HasSubstr("bytes of files"));
  HostedManifest many = Hosted();
  many.files.clear();
  for (size_t i = 0; i < kMaxBundleFiles + 1; ++i) many.files.push_back({"f" + std::to_string(10000 + i), 0, kDigest});
  EXPECT_THAT(Reason<HostedManifest>(many.ToJson(), ErrorCode::kTooLong), HasSubstr("513 files, at most 512"));
  many.files.pop_back();
  EXPECT_TRUE(HostedManifest::Parse(many.ToJson()));
  EXPECT_THAT(Reason<ReleaseManifest>(Release().ToJson(), ErrorCode::kTooLong, {2500, 1 << 30, 1 << 30, 512}),
              HasSubstr("more than 2500"));
}

TEST(ManifestsTest, FormsOfSmallTexts) {
  EXPECT_TRUE(IsTimestamp("2023-11-14T22:13:20Z"));
  for (const char* text :
       {"", "2023-11-14T22:13:20", "2023-11-14 22:13:20Z", "2023-11-14T22:13:20Z ", "2023-11-14T22:13:2xZ"}) {
    EXPECT_FALSE(IsTimestamp(text)) << text;
  }
  EXPECT_TRUE(IsRevision(kCommit));
  EXPECT_FALSE(IsRevision(kCommit + "0"));
  EXPECT_FALSE(IsRevision(kCommit.substr(1) + "g"));
  EXPECT_TRUE(IsSdkCommit("abcdef1"));
  EXPECT_TRUE(IsSdkCommit(kCommit + "-dirty"));
  for (const char* text : {"", "-dirty", "abcdef", "abcdef-dirty", "abcdefg", "ABCDEF1"}) {
    EXPECT_FALSE(IsSdkCommit(text)) << text;
  }
  EXPECT_TRUE(IsReleaseRevision("v1.0_a-b"));
  for (const std::string& text : {std::string(), std::string("a/b"), std::string(".a"), std::string(65, 'a')}) {
    EXPECT_FALSE(IsReleaseRevision(text)) << text;
  }
}

}  // namespace
}  // namespace koe::bundle
