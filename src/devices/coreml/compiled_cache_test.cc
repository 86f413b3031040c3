// SPDX-License-Identifier: Apache-2.0
// The cache over a compiler that writes one file, and the policy: what of the Core ML device needs no Apple machine.
#include "devices/coreml/compiled_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "bundle/digest.h"
#include "bundle/testing/temp_dir.h"
#include "devices/coreml/compute_policy.h"

namespace koe::devices {
namespace {

namespace fs = std::filesystem;
using bundle::testing::ReadFile;
using bundle::testing::TempDir;
using bundle::testing::WriteFile;
using ::testing::HasSubstr;

bundle::SdkManifest Manifest() {
  bundle::SdkManifest m;
  m.provenance.hf_repo_id = "somebody/something";
  m.provenance.hf_artifact_revision = std::string(40, 'a');
  m.provenance.hf_download_manifest_sha256 = std::string(64, 'd');
  m.bundle_profile = "starter";
  m.vocab.sha256 = std::string(64, '1');
  m.harmonics.sha256 = std::string(64, '2');
  m.packages = {{"coreml/b.mlpackage", std::string(64, 'b'), {}}, {"coreml/a.mlpackage", std::string(64, 'c'), {}}};
  m.voices = {{"voices/af_heart.bin", 1, std::string(64, '3')}};
  return m;
}

TEST(CompiledCacheKey, IsTheDigestOfTheLines) {
  const std::string text = "schema=1\nsdk=koe 0.1.0\nrepo=somebody/something\nrevision=" + std::string(40, 'a') +
                           "\nprofile=starter\ndownload=" + std::string(64, 'd') + "\nvocab=" + std::string(64, '1') +
                           "\nhnsf=" + std::string(64, '2') + "\ncoreml/a.mlpackage=" + std::string(64, 'c') +
                           "\ncoreml/b.mlpackage=" + std::string(64, 'b') +
                           "\nvoices/af_heart.bin=" + std::string(64, '3');
  EXPECT_EQ(CompiledCacheKey(Manifest(), "koe 0.1.0"), bundle::Sha256Hex(bundle::AsBytes(text)).substr(0, 16));
  EXPECT_EQ(CompiledCacheDirectory("/caches", "0123"), "/caches/KokoroTTS/compiled-0123");
}

TEST(CompiledCacheKey, ChangesWithEverythingButThePlace) {
  const std::string key = CompiledCacheKey(Manifest(), "koe 0.1.0");
  const auto changed = [&](const std::function<void(bundle::SdkManifest*)>& change) {
    bundle::SdkManifest m = Manifest();
    change(&m);
    return CompiledCacheKey(m, "koe 0.1.0") != key;
  };
  EXPECT_NE(CompiledCacheKey(Manifest(), "koe 0.2.0"), key);
  EXPECT_TRUE(changed([](auto* m) { m->provenance.hf_repo_id = "x"; }));
  EXPECT_TRUE(changed([](auto* m) { m->provenance.hf_artifact_revision = "x"; }));
  EXPECT_TRUE(changed([](auto* m) { m->provenance.hf_download_manifest_sha256 = "x"; }));
  EXPECT_TRUE(changed([](auto* m) { m->bundle_profile = "custom"; }));
  EXPECT_TRUE(changed([](auto* m) { m->vocab.sha256 = "x"; }));
  EXPECT_TRUE(changed([](auto* m) { m->harmonics.sha256 = "x"; }));
  EXPECT_TRUE(changed([](auto* m) { m->packages[0].tree_sha256 = "x"; }));
  EXPECT_TRUE(changed([](auto* m) { m->voices[0].sha256 = "x"; }));
  EXPECT_FALSE(changed([](auto* m) { std::swap(m->packages[0], m->packages[1]); }));  // sorted
  EXPECT_FALSE(changed([](auto* m) { m->generated_at = "2026-11-23T00:00:00Z"; }));
}

class CompiledCacheTest : public ::testing::Test {
 protected:
  CompiledCache Cache(const std::string& directory) {
    return CompiledCache(directory, [this](const std::string& package) -> Result<std::string> {
      ++num_compiled_;
      if (compiler_fails_) return Error(ErrorCode::kInternal, "coreml: " + package + ": does not compile");
      const std::string path = temp_ / ("scratch/" + std::to_string(num_compiled_) + ".mlmodelc");
      WriteFile(path + "/model", "of " + package);
      return path;
    });
  }
  // Opens what has the file that the compiler writes.
  CompiledCache::Open Opening() {
    return [this](const std::string& path) -> Result<void> {
      opened_.push_back(path);
      if (!opens_ || ReadFile(path + "/model").find("of ") != 0) return Error(ErrorCode::kInternal, "does not open");
      return {};
    };
  }
  static constexpr char kDigest[] = "digest-1";
  Result<void> Use(CompiledCache* cache, const std::string& digest = kDigest) {
    return cache->OpenModel("m", "m.mlpackage", digest, Opening());
  }
  TempDir temp_;
  const std::string directory_ = temp_ / "caches/compiled-0";
  const std::string kept_ = directory_ + "/m.mlmodelc";
  int num_compiled_ = 0;
  bool compiler_fails_ = false, opens_ = true;
  std::vector<std::string> opened_;
};

TEST_F(CompiledCacheTest, CompilesOnceForManyProcesses) {
  for (int i = 0; i < 3; ++i) {
    CompiledCache cache = Cache(directory_);
    ASSERT_TRUE(Use(&cache));
    EXPECT_EQ(opened_.back(), kept_);
  }
  EXPECT_EQ(num_compiled_, 1);
  EXPECT_EQ(ReadFile(kept_ + kSourceDigestEnd), kDigest);
  EXPECT_EQ(std::distance(fs::directory_iterator(directory_), {}), 2);
  EXPECT_TRUE(fs::is_empty(temp_ / "scratch"));
}

TEST_F(CompiledCacheTest, AnotherPackageIsCompiledAgain) {
  CompiledCache cache = Cache(directory_);
  ASSERT_TRUE(Use(&cache));
  ASSERT_TRUE(Use(&cache, "digest-2"));
  EXPECT_EQ(num_compiled_, 2);
  EXPECT_EQ(ReadFile(kept_ + kSourceDigestEnd), "digest-2");
}

TEST_F(CompiledCacheTest, WhatIsBrokenIsMadeAnew) {
  CompiledCache cache = Cache(directory_);
  ASSERT_TRUE(Use(&cache));
  WriteFile(kept_ + "/model", "damaged");
  ASSERT_TRUE(Use(&cache));
  EXPECT_EQ(num_compiled_, 2);
  fs::remove(kept_ + kSourceDigestEnd);  // a process that was killed between the two
  ASSERT_TRUE(Use(&cache));
  EXPECT_EQ(num_compiled_, 3);
  fs::remove_all(kept_);
  ASSERT_TRUE(Use(&cache));
  EXPECT_EQ(num_compiled_, 4);
  fs::remove_all(kept_);
  fs::create_directory_symlink(temp_.path(), kept_);  // what a link leads to is not ours
  ASSERT_TRUE(Use(&cache));
  EXPECT_EQ(num_compiled_, 5);
  EXPECT_TRUE(fs::is_directory(fs::symlink_status(kept_)));
  EXPECT_TRUE(fs::exists(temp_.path()));
}

TEST_F(CompiledCacheTest, TriesOnceAndLeavesNothing) {
  CompiledCache cache = Cache(directory_);
  ASSERT_TRUE(Use(&cache));
  opens_ = false;
  const auto failed = Use(&cache);
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message(), HasSubstr("does not open"));
  EXPECT_EQ(num_compiled_, 2);
  EXPECT_EQ(opened_.size(), 3u);  // the kept one twice, the new one once
  EXPECT_TRUE(fs::is_empty(directory_));

  compiler_fails_ = true;
  const auto refused = Use(&cache);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr("does not compile"));
}

TEST_F(CompiledCacheTest, WorksWithoutADirectory) {
  WriteFile(temp_ / "a-file", "");
  for (const std::string& directory : {std::string(), temp_ / "a-file/below"}) {
    opened_.clear();
    {
      CompiledCache cache = Cache(directory);
      ASSERT_TRUE(Use(&cache));
      EXPECT_THAT(opened_.back(), HasSubstr("scratch/"));
      EXPECT_TRUE(fs::exists(opened_.back()));
    }
    EXPECT_FALSE(fs::exists(opened_.back()));  // gone with the cache
  }
}

TEST(ComputePolicy, IsTheSeeds) {
  const auto units = [](const char* package) {
    const auto found = UnitsFor(kDefaultPolicy, package);
    return found ? ComputeUnitsName(*found) : "none";
  };
  EXPECT_STREQ(units("kokoro_duration_t128"), "cpu");
  EXPECT_STREQ(units("kokoro_duration"), "cpu");
  EXPECT_STREQ(units("kokoro_f0ntrain_t600"), "gpu");
  EXPECT_STREQ(units("kokoro_decoder_pre_15s"), "ane");
  EXPECT_STREQ(units("kokoro_decoder_har_post_15s"), "gpu");
  EXPECT_STREQ(units("another"), "none");
}

TEST(ComputePolicy, IsChosenByName) {
  EXPECT_EQ(*ParseComputePolicy("coreml"), kDefaultPolicy);
  const ComputePolicy cpu = *ParseComputePolicy("coreml:cpu");
  EXPECT_EQ(cpu.decoder, ComputeUnits::kCpuOnly);
  EXPECT_EQ(cpu.generator, ComputeUnits::kCpuOnly);
  EXPECT_EQ(ParseComputePolicy("coreml:ane")->duration, ComputeUnits::kCpuAndNeuralEngine);
  EXPECT_EQ(ParseComputePolicy("coreml:all")->prosody, ComputeUnits::kAll);
  EXPECT_EQ(ParseComputePolicy("coreml:fast").error().code(), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace koe::devices
