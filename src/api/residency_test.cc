// SPDX-License-Identifier: Apache-2.0
// What an engine keeps in memory and hashes: providers, unloading, the memo of digests. Skipped without a bundle.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <thread>

#include "bundle/digest.h"
#include "bundle/testing/temp_dir.h"
#include "koe/download.h"
#include "koe/koe.h"
#include "koe/provider.h"
#include "support/model.h"

namespace koe {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kMeasuresMemory = false;  // the sanitizer keeps what is freed
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kMeasuresMemory = false;
#else
constexpr bool kMeasuresMemory = true;
#endif
#else
constexpr bool kMeasuresMemory = true;
#endif

constexpr char kHello[] = "h\xC9\x99l\xCB\x88O.";

class ResidencyTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!ReadBundle(test_support::BundlePath()).has_value())
      GTEST_SKIP() << "no bundle at " << test_support::BundlePath();
  }
  static std::vector<float> Speak(const Engine& engine) {
    SynthesisOptions options;
    options.input_is_phonemes = true;
    const auto audio = engine.Synthesize(kHello, options);
    EXPECT_TRUE(audio) << audio.error().message();
    return audio ? audio->samples : std::vector<float>();
  }
  static size_t ResidentKilobytes() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("VmRSS:")) return std::stoul(line.substr(6));
    }
    return 0;
  }
};

TEST_F(ResidencyTest, AStartHashesEachFileOnce) {
  const uint64_t before = bundle::NumFilesHashed();
  const auto first = Engine::Open(test_support::BundlePath(), {});
  ASSERT_TRUE(first);
  const std::vector<float> samples = Speak(*first);
  EXPECT_TRUE(first->Phonemize("Hello.", Language::kAmericanEnglish));
  // At most: vocabulary, weights, voice, lexicon, tagger, letters to sounds. Fewer where another test was first.
  const uint64_t hashed = bundle::NumFilesHashed() - before;
  EXPECT_LE(hashed, 6u);
  const auto second = Engine::Open(test_support::BundlePath(), {});
  ASSERT_TRUE(second);
  EXPECT_EQ(Speak(*second), samples);
  EXPECT_TRUE(second->Phonemize("Hello.", Language::kAmericanEnglish));
  EXPECT_EQ(bundle::NumFilesHashed() - before, hashed);
}

// The bundle is its own site: it is fetched into a store when the engine is opened, and found there the next time.
TEST_F(ResidencyTest, AnEngineOnAFetchedStoreSpeaksTheSame) {
  const std::string manifest = std::filesystem::absolute(test_support::BundlePath()) / "HostedManifest.json";
  bundle::testing::TempDir temp;
  FetchOptions options;
  options.url = "file://" + manifest;
  options.manifest_sha256 = bundle::Sha256Hex(bundle::AsBytes(bundle::testing::ReadFile(manifest)));
  options.store_dir = temp / "store";
  uint64_t transferred = 0;
  options.progress = [&](const DownloadProgress& now) { transferred = now.bytes_transferred; };
  const auto direct = Engine::Open(test_support::BundlePath(), {});
  ASSERT_TRUE(direct);
  const std::vector<float> samples = Speak(*direct);
  for (const bool first : {true, false}) {
    std::string phase;
    transferred = 0;
    const auto engine =
        Engine::Open(MakeStoreProvider(options), {}, [&](const ProviderProgress& now) { phase = now.phase; });
    ASSERT_TRUE(engine) << engine.error().message();
    EXPECT_EQ(Speak(*engine), samples);
    EXPECT_EQ(phase, "ready");
    EXPECT_EQ(transferred > 0, first);
  }
}

TEST_F(ResidencyTest, UnloadsAndLoadsAgain) {
  const auto engine = Engine::Open(test_support::BundlePath(), {});
  ASSERT_TRUE(engine);
  EXPECT_FALSE(engine->Unload());  // nothing is loaded
  const std::vector<float> samples = Speak(*engine);
  const size_t loaded = ResidentKilobytes();
  EXPECT_TRUE(engine->Unload());
  EXPECT_FALSE(engine->Unload());
  // The weights of one engine in float32 are 325 MB; the allocator may keep some of it.
  if (kMeasuresMemory) {
    EXPECT_LT(ResidentKilobytes() + 200000, loaded);
  }
  const uint64_t hashed = bundle::NumFilesHashed();
  EXPECT_EQ(Speak(*engine), samples);
  EXPECT_EQ(bundle::NumFilesHashed(), hashed);
}

TEST_F(ResidencyTest, UnloadsByItselfButNotUnderACall) {
  EngineOptions options;
  options.unload_after_seconds = 0.2;
  const auto engine = Engine::Open(test_support::BundlePath(), options);
  ASSERT_TRUE(engine);
  const std::vector<float> samples = Speak(*engine);
  // An unload that comes at any moment of a call spoils nothing.
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 3; ++i) EXPECT_EQ(Speak(*engine), samples);
    });
  }
  for (int i = 0; i < 50; ++i) {
    engine->Unload();
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  for (std::thread& thread : threads) thread.join();
  bool unloaded = false;
  for (int i = 0; i < 500 && !unloaded; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    // Its own watch has been quicker: nothing is left to unload.
    unloaded = i > 50 && !engine->Unload();
  }
  EXPECT_TRUE(unloaded);
  EXPECT_EQ(Speak(*engine), samples);
  for (const double seconds : {-1.0, 1e9, std::numeric_limits<double>::quiet_NaN()}) {
    options.unload_after_seconds = seconds;
    EXPECT_EQ(Engine::Open(test_support::BundlePath(), options).error().code(), ErrorCode::kInvalidArgument);
  }
}

// The model is loaded while its file is hashed: a digest that is wrong is an error all the same, and no model is kept.
TEST_F(ResidencyTest, WeightsThatDoNotMatchTheirDigestNeverSpeak) {
  bundle::testing::TempDir temp;
  const std::string dir = temp / "bundle", weights = dir + "/weights.safetensors";
  std::filesystem::copy(test_support::BundlePath(), dir, std::filesystem::copy_options::recursive);
  const std::string sound = bundle::testing::ReadFile(weights);
  // One weight in the middle, which loads as well as any other; the header, with which nothing can be loaded.
  for (const size_t at : {sound.size() / 2, size_t{20}}) {
    std::string damaged = sound;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    bundle::testing::WriteFile(weights, damaged);
    const auto engine = Engine::Open(dir, {});
    ASSERT_TRUE(engine) << engine.error().message();
    SynthesisOptions phonemes;
    phonemes.input_is_phonemes = true;
    for (int call = 0; call < 2; ++call) {
      const auto audio = engine->Synthesize(kHello, phonemes);
      ASSERT_FALSE(audio);
      EXPECT_EQ(audio.error().code(), ErrorCode::kCorruptBundle);
      EXPECT_NE(audio.error().message().find("SHA-256 is"), std::string::npos) << audio.error().message();
    }
    EngineOptions trusting;
    trusting.verify_digests = false;
    const auto unchecked = Engine::Open(dir, trusting);
    ASSERT_TRUE(unchecked);
    EXPECT_EQ(unchecked->Synthesize(kHello, phonemes).has_value(), at != 20);
  }
}

TEST_F(ResidencyTest, SpeaksFromMemoryAsFromDisk) {
  std::map<std::string, std::string> files;
  const std::filesystem::path root = test_support::BundlePath();
  for (const char* path : {"RuntimeManifest.json", "weights.safetensors", "vocab.json", "voices/af_heart.bin"}) {
    std::ifstream file(root / path, std::ios::binary);
    files[path] = {std::istreambuf_iterator<char>(file), {}};
  }
  std::map<std::string, std::span<const std::byte>> spans;
  for (const auto& [path, bytes] : files) spans[path] = std::as_bytes(std::span(bytes));
  const auto memory = Engine::Open(MakeMemoryProvider(spans), {});
  ASSERT_TRUE(memory) << memory.error().message();
  EXPECT_EQ(memory->Info().bundle_path, "memory");
  const auto disk = Engine::Open(MakeDirectoryProvider(root.string()), {});
  ASSERT_TRUE(disk);
  EXPECT_EQ(Speak(*memory), Speak(*disk));

  std::vector<std::string> phases;
  const auto downloaded =
      Engine::Open(MakeDownloadedProvider(
                       [&](const ProviderProgressCallback& progress, const CancelToken*) -> Result<std::string> {
                         progress({1, "downloading"});
                         return root.string();
                       },
                       "store"),
                   {}, [&](const ProviderProgress& progress) { phases.emplace_back(progress.phase); });
  ASSERT_TRUE(downloaded);
  EXPECT_EQ(phases, std::vector<std::string>{"downloading"});
  EXPECT_EQ(downloaded->Info().bundle_path, root.string());
}

}  // namespace
}  // namespace koe
