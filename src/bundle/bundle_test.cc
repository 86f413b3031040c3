// SPDX-License-Identifier: Apache-2.0
// Building, opening and checking bundles of the tiny model.
#include "bundle/bundle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "bundle/digest.h"
#include "bundle/testing/synthetic.h"
#include "bundle/testing/temp_dir.h"

namespace koe::bundle {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ReadFile;
using testing::TempDir;
using testing::TinyArchitecture;
using testing::WriteFile;

class BundleTest : public ::testing::Test {
 protected:
  void SetUp() override {
    setenv("SOURCE_DATE_EPOCH", "1700000000", 1);
    unsetenv("KOE_BUNDLE");
    WriteFile(temp_ / "in/model.onnx", testing::TinyOnnx(testing::OnnxForm::kInt8));
    WriteFile(temp_ / "in/voices/af_heart.bin", testing::TinyVoiceBin());
    WriteFile(temp_ / "in/voices/bm_george.pt", testing::TinyVoiceTorch());
    WriteFile(temp_ / "in/voices/README.md", "not a voice");
    options_.weights_path = temp_ / "in/model.onnx";
    options_.voices_dir = temp_ / "in/voices";
    options_.output_dir = temp_ / "out/bundle";
  }
  Result<void> Build() { return BuildBundle(options_, extra_, TinyArchitecture()); }
  std::string BuildReason(ErrorCode code) {
    const auto built = Build();
    if (built) return "built";
    EXPECT_EQ(built.error().code(), code) << built.error().message();
    return built.error().message();
  }
  std::string ValidateReason() {
    const auto report = ValidateBundle(options_.output_dir, TinyArchitecture());
    if (report) return "valid";
    EXPECT_EQ(report.error().code(), ErrorCode::kCorruptBundle) << report.error().message();
    return report.error().message();
  }
  std::string File(const std::string& name) const { return options_.output_dir + "/" + name; }

  TempDir temp_;
  BundleBuildOptions options_;
  std::vector<ExtraFile> extra_ = {{"lexicon/us.lex", "american"}, {"lexicon/gb.lex", "british"}};
};

TEST_F(BundleTest, HoldsWhatItWasBuiltFrom) {
  std::vector<double> fractions;
  options_.progress = [&](double fraction, const std::string&) { fractions.push_back(fraction); };
  ASSERT_TRUE(Build());
  EXPECT_TRUE(std::is_sorted(fractions.begin(), fractions.end()));
  EXPECT_EQ(fractions.front(), 0);
  EXPECT_EQ(fractions.back(), 1);

  const auto bundle = Bundle::Open(options_.output_dir, Digests::kOnce, TinyArchitecture());
  ASSERT_TRUE(bundle) << bundle.error().message();
  EXPECT_THAT((*bundle)->voices(), ElementsAre("af_heart", "bm_george"));
  EXPECT_EQ((*bundle)->vocab().size(), 114u);
  const RuntimeManifest& manifest = (*bundle)->manifest();
  EXPECT_EQ(manifest.generated_at, "2023-11-14T22:13:20Z");
  EXPECT_EQ(manifest.bundle_profile, "full");
  EXPECT_EQ(manifest.tensor_precision, "int8");
  EXPECT_EQ(manifest.weights_source.file_name, "model.onnx");
  EXPECT_EQ(manifest.weights_source.sha256, Sha256Hex(AsBytes(testing::TinyOnnx(testing::OnnxForm::kInt8))));
  EXPECT_THAT(manifest.supported_languages, ElementsAre("en-us", "en-gb"));

  const auto a = (*bundle)->LoadVoice("af_heart"), b = (*bundle)->LoadVoice("bm_george");
  ASSERT_TRUE(a);
  ASSERT_TRUE(b);
  ASSERT_EQ(a->size(), 24u);
  EXPECT_EQ((*a)[0], -1.0f);
  EXPECT_TRUE(std::equal(a->begin(), a->end(), b->begin(), b->end()));
  EXPECT_EQ((*bundle)->LoadVoice("af_heart")->data(), a->data());  // cached

  const auto weights = (*bundle)->OpenWeights();
  ASSERT_TRUE(weights) << weights.error().message();
  EXPECT_EQ((*bundle)->OpenWeights()->get(), weights->get());
  EXPECT_EQ((*weights)->tensors().size(), TinyArchitecture().tensors.size());
  const StoredTensor* conv = (*weights)->Find("conv.weight");
  ASSERT_NE(conv, nullptr);
  EXPECT_EQ(conv->dtype, DType::kU8);
  EXPECT_EQ(conv->zero_points, std::vector<int32_t>{70});
  EXPECT_EQ((*weights)->Find("nothing"), nullptr);
  for (const StoredTensor& tensor : (*weights)->tensors()) {
    EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.data) % 64, 0u) << tensor.name;
  }

  const auto lexicon = (*bundle)->OpenLexicon(Language::kBritishEnglish);
  ASSERT_TRUE(lexicon);
  EXPECT_EQ(AsText(lexicon->bytes()), "british");
}

TEST_F(BundleTest, EqualInputsGiveEqualBytes) {
  ASSERT_TRUE(Build());
  const std::string first = options_.output_dir;
  options_.output_dir = temp_ / "other";
  ASSERT_TRUE(Build());
  for (const char* name : {"RuntimeManifest.json", "HostedManifest.json", "weights.safetensors", "vocab.json",
                           "voices/af_heart.bin", "voices/bm_george.bin", ".koe-bundle"}) {
    EXPECT_EQ(ReadFile(first + "/" + name), ReadFile(options_.output_dir + "/" + name)) << name;
    EXPECT_FALSE(ReadFile(first + "/" + name).empty()) << name;
  }
}

TEST_F(BundleTest, ReportsWithoutReadingTheFiles) {
  ASSERT_TRUE(Build());
  std::filesystem::remove(File("weights.safetensors"));
  const auto report = ReadBundle(options_.output_dir);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->num_files, 6u);
  EXPECT_EQ(report->num_tensors, TinyArchitecture().tensors.size());
  EXPECT_EQ(report->weights_source, "model.onnx");
  EXPECT_THAT(report->voices, ElementsAre("af_heart", "bm_george"));
  EXPECT_THAT(report->languages, ElementsAre("en-us", "en-gb"));
  const auto none = ReadBundle(temp_ / "in");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code(), ErrorCode::kNotFound);
}

TEST_F(BundleTest, AStartHashesNothingTwice) {
  ASSERT_TRUE(Build());
  const auto start = [&] {
    const auto bundle = Bundle::Open(options_.output_dir, Digests::kOnce, TinyArchitecture());
    EXPECT_TRUE(bundle);
    EXPECT_TRUE((*bundle)->OpenWeights());
    EXPECT_TRUE((*bundle)->LoadVoice("af_heart"));
    EXPECT_TRUE((*bundle)->OpenLexicon(Language::kAmericanEnglish));
  };
  const uint64_t before = NumFilesHashed();
  start();
  EXPECT_EQ(NumFilesHashed() - before, 4u);  // vocabulary, weights, one voice, one lexicon
  start();
  EXPECT_EQ(NumFilesHashed() - before, 4u);
  // A file that has changed is hashed again, and is not believed.
  WriteFile(File("voices/af_heart.bin"), std::string(96, '\0'));
  const auto bundle = Bundle::Open(options_.output_dir, Digests::kOnce, TinyArchitecture());
  ASSERT_TRUE(bundle);
  const auto voice = (*bundle)->LoadVoice("af_heart");
  ASSERT_FALSE(voice);
  EXPECT_EQ(voice.error().code(), ErrorCode::kCorruptBundle);
  EXPECT_THAT(voice.error().message(), HasSubstr("voices/af_heart.bin: SHA-256 is"));
}

TEST_F(BundleTest, UnknownNamesAreNamed) {
  ASSERT_TRUE(Build());
  const auto bundle = Bundle::Open(options_.output_dir, Digests::kOnce, TinyArchitecture());
  ASSERT_TRUE(bundle);
  for (const char* id : {"af_hart", "", "../af_heart", "af_heart.bin"}) {
    const auto voice = (*bundle)->LoadVoice(id);
    ASSERT_FALSE(voice) << id;
    EXPECT_EQ(voice.error().code(), ErrorCode::kInvalidArgument);
  }
  EXPECT_THAT((*bundle)->LoadVoice("af_hart").error().message(),
              HasSubstr("'af_hart': not in the bundle (nearest: 'af_heart')"));
  EXPECT_EQ((*bundle)->OpenFile("../../in/model.onnx").error().code(), ErrorCode::kNotFound);
}

TEST_F(BundleTest, Profiles) {
  options_.profile = "starter";
  ASSERT_TRUE(Build());
  EXPECT_THAT(ReadBundle(options_.output_dir)->voices, ElementsAre("af_heart"));
  options_.profile = "custom";
  options_.voices = {"bm_george"};
  ASSERT_TRUE(Build());  // replaces the one before
  EXPECT_THAT(ReadBundle(options_.output_dir)->voices, ElementsAre("bm_george"));
  EXPECT_EQ(ValidateReason(), "valid");
  options_.voices = {"af_bella"};
  EXPECT_THAT(BuildReason(ErrorCode::kNotFound), HasSubstr("'af_bella'"));
  options_.voices = {};
  EXPECT_THAT(BuildReason(ErrorCode::kInvalidArgument), HasSubstr("no voices given"));
  options_.profile = "huge";
  EXPECT_THAT(BuildReason(ErrorCode::kInvalidArgument), HasSubstr("'huge'"));
  EXPECT_EQ(ValidateReason(), "valid");  // refusals left the last one as it was
}

TEST_F(BundleTest, RefusesDangerousOutputs) {
  const auto refused = [&](const std::string& output) {
    options_.output_dir = output;
    return BuildReason(ErrorCode::kInvalidArgument);
  };
  EXPECT_THAT(refused(""), HasSubstr("empty"));
  EXPECT_THAT(refused("/"), HasSubstr("root"));
  EXPECT_THAT(refused("//"), HasSubstr("root"));
  const std::string home = temp_ / "home/user";
  std::filesystem::create_directories(home);
  const std::string old_home = std::getenv("HOME") != nullptr ? std::getenv("HOME") : "";
  setenv("HOME", home.c_str(), 1);
  EXPECT_THAT(refused(home), HasSubstr("home directory"));
  EXPECT_THAT(refused(home + "/../user/"), HasSubstr("home directory"));
  EXPECT_THAT(refused(temp_ / "home"), HasSubstr("home directory"));
  setenv("HOME", old_home.c_str(), 1);
  EXPECT_THAT(refused(temp_ / "in"), HasSubstr("holds the input"));
  EXPECT_THAT(refused(temp_ / "in/voices"), HasSubstr("holds the input"));
  EXPECT_THAT(refused(temp_ / "in/model.onnx"), HasSubstr("not a directory"));
  std::filesystem::create_directory_symlink(home, temp_ / "link");
  EXPECT_THAT(refused(temp_ / "link"), HasSubstr("symbolic link"));
  EXPECT_THAT(refused(temp_ / "link/"), HasSubstr("symbolic link"));
  WriteFile(temp_ / "full/precious.txt", "do not lose me");
  EXPECT_THAT(refused(temp_ / "full"), HasSubstr("neither empty nor a bundle"));
  EXPECT_EQ(ReadFile(temp_ / "full/precious.txt"), "do not lose me");
  EXPECT_THAT(refused("."), HasSubstr("current directory"));
  std::filesystem::create_directory(temp_ / "empty");
  EXPECT_EQ(refused(temp_ / "empty"), "built");
}

TEST_F(BundleTest, AFailedBuildLeavesNothingBehind) {
  WriteFile(temp_ / "in/voices/af_bad.bin", "short");
  EXPECT_THAT(BuildReason(ErrorCode::kCorruptBundle), HasSubstr("af_bad.bin"));
  EXPECT_THAT(temp_.Names(), ElementsAre("in"));  // "out" was not made either
  std::filesystem::remove(temp_ / "in/voices/af_bad.bin");
  options_.weights_path = temp_ / "in/none.onnx";
  EXPECT_THAT(BuildReason(ErrorCode::kNotFound), HasSubstr("none.onnx"));
  EXPECT_THAT(temp_.Names(), ElementsAre("in"));
}

TEST_F(BundleTest, ACancelledBuildLeavesNothingBehind) {
  for (const double cancel_at : {0.0, 0.4, 0.5, 0.85, 0.95}) {
    CancelToken cancel;
    options_.cancel = &cancel;
    options_.progress = [&](double fraction, const std::string&) {
      if (fraction >= cancel_at) cancel.Cancel();
    };
    EXPECT_THAT(BuildReason(ErrorCode::kCancelled), HasSubstr("cancelled")) << cancel_at;
    EXPECT_FALSE(std::filesystem::exists(options_.output_dir)) << cancel_at;
    EXPECT_TRUE(!std::filesystem::exists(temp_ / "out") || std::filesystem::is_empty(temp_ / "out")) << cancel_at;
  }
}

TEST_F(BundleTest, AFailedReplacementKeepsTheOld) {
  ASSERT_TRUE(Build());
  const std::string before = ReadFile(File("HostedManifest.json"));
  WriteFile(options_.weights_path, "not a model");
  EXPECT_NE(BuildReason(ErrorCode::kCorruptBundle), "built");
  EXPECT_EQ(ReadFile(File("HostedManifest.json")), before);
  EXPECT_EQ(ValidateReason(), "valid");
}

TEST_F(BundleTest, RemovesWhatAKilledBuildHasLeft) {
  const std::string abandoned = temp_ / "out/.bundle.koe-build-abcdefgh";
  WriteFile(abandoned + "/weights.safetensors", "half");
  WriteFile(temp_ / "out/.bundle.koe-build-other-program", "kept");
  ASSERT_TRUE(Build());
  EXPECT_FALSE(std::filesystem::exists(abandoned));
  EXPECT_TRUE(std::filesystem::exists(temp_ / "out/.bundle.koe-build-other-program"));
}

TEST_F(BundleTest, AnotherVocabularyIsChecked) {
  options_.vocab_path = temp_ / "in/vocab.json";
  WriteFile(options_.vocab_path, R"({"vocab": {"a": 43, "ə": 83}})");
  ASSERT_TRUE(Build());
  const auto bundle = Bundle::Open(options_.output_dir, Digests::kOnce, TinyArchitecture());
  ASSERT_TRUE(bundle);
  EXPECT_EQ((*bundle)->vocab().size(), 2u);
  EXPECT_EQ((*bundle)->vocab().Find(0x259), 83);
  for (const char* bad : {"{}", R"({"vocab": {}})", R"({"vocab": {"a": 0}})", R"({"vocab": {"a": 178}})",
                          R"({"vocab": {"ab": 1}})", R"({"vocab": {"": 1}})", R"({"vocab": {"a": 1, "b": 1}})",
                          R"({"vocab": {"a": 1.5}})", R"({"vocab": {"a": 1, "a": 2}})", "x"}) {
    WriteFile(options_.vocab_path, bad);
    EXPECT_NE(BuildReason(ErrorCode::kCorruptBundle), "built") << bad;
  }
}

TEST_F(BundleTest, ExtraFilesStayInTheirFolder) {
  for (const char* path :
       {"../x", "lexicon/../../x", "/x", "weights.safetensors", "lexicon/", "lexicon/.x", "lexicon"}) {
    extra_ = {{path, "x"}};
    EXPECT_NE(BuildReason(ErrorCode::kInvalidArgument), "built") << path;
  }
}

TEST_F(BundleTest, ValidateSeesEveryKindOfDamage) {
  const auto damaged = [&](const std::function<void()>& damage) {
    std::filesystem::remove_all(options_.output_dir);
    EXPECT_TRUE(Build());
    EXPECT_EQ(ValidateReason(), "valid");
    damage();
    return ValidateReason();
  };
  EXPECT_THAT(damaged([&] { WriteFile(File("extra.txt"), "x"); }), HasSubstr("extra.txt: in the directory but not"));
  EXPECT_THAT(damaged([&] { WriteFile(File("voices/zz_new.bin"), testing::TinyVoiceBin()); }), HasSubstr("zz_new"));
  EXPECT_THAT(damaged([&] { std::filesystem::remove(File("voices/af_heart.bin")); }), HasSubstr("missing"));
  EXPECT_THAT(damaged([&] { std::filesystem::remove(File("lexicon/us.lex")); }), HasSubstr("missing"));
  EXPECT_THAT(damaged([&] { std::filesystem::remove(File(".koe-bundle")); }), HasSubstr(".koe-bundle"));
  EXPECT_THAT(damaged([&] { std::filesystem::remove(File("HostedManifest.json")); }), HasSubstr("HostedManifest"));
  for (const char* name : {"weights.safetensors", "voices/bm_george.bin", "vocab.json", "lexicon/gb.lex"}) {
    EXPECT_THAT(damaged([&] {
                  std::string bytes = ReadFile(File(name));
                  bytes.back() = static_cast<char>(bytes.back() ^ 1);
                  WriteFile(File(name), bytes);
                }),
                HasSubstr(std::string(name) + ": SHA-256 is"));
    EXPECT_THAT(damaged([&] { WriteFile(File(name), ReadFile(File(name)) + "x"); }), HasSubstr("the manifest says"));
    EXPECT_THAT(damaged([&] {
                  std::filesystem::rename(File(name), temp_ / "aside");  // the same bytes, elsewhere
                  std::filesystem::create_symlink(temp_ / "aside", File(name));
                }),
                HasSubstr(std::string(name) + ": a link"));
  }
  EXPECT_THAT(damaged([&] {
                std::filesystem::rename(File("voices"), temp_ / "voices_aside");
                std::filesystem::create_directory_symlink(temp_ / "voices_aside", File("voices"));
              }),
              HasSubstr("a link"));
  EXPECT_THAT(damaged([&] {
                std::string text = ReadFile(File("RuntimeManifest.json"));
                text.insert(text.size() - 1, " ");
                WriteFile(File("RuntimeManifest.json"), text);
              }),
              HasSubstr("not those of RuntimeManifest.json"));
}

TEST_F(BundleTest, RefusesOtherModelsAndSchemas) {
  ASSERT_TRUE(Build());
  const auto kokoro = Bundle::Open(options_.output_dir);
  ASSERT_FALSE(kokoro);
  EXPECT_EQ(kokoro.error().code(), ErrorCode::kUnsupported);
  EXPECT_THAT(kokoro.error().message(), HasSubstr("not the kokoro-82m"));
  const std::string text = ReadFile(File("RuntimeManifest.json"));
  const auto with = [&](const std::string& from, const std::string& to) {
    WriteFile(File("RuntimeManifest.json"), std::string(text).replace(text.find(from), from.size(), to));
    const auto opened = Bundle::Open(options_.output_dir, Digests::kOnce, TinyArchitecture());
    return opened ? Error(ErrorCode::kInternal, "opened") : opened.error();
  };
  EXPECT_EQ(with("\"schema_version\": 1", "\"schema_version\": 2").code(), ErrorCode::kUnsupported);
  EXPECT_EQ(with("\"n_token\": 178", "\"n_token\": 179").code(), ErrorCode::kUnsupported);
  EXPECT_EQ(with("voices/af_heart.bin", "voices/../heart.bin").code(), ErrorCode::kCorruptBundle);
  EXPECT_EQ(with("\"path\": \"vocab.json\"", "\"path\": \"weights.safetensors\"").code(), ErrorCode::kCorruptBundle);
  EXPECT_EQ(with("voices/bm_george.bin", "voices/af_heart.bin").code(), ErrorCode::kCorruptBundle);  // twice
  EXPECT_EQ(with("koe 0", "\\u001b[2J").code(), ErrorCode::kCorruptBundle);  // a terminal's escape
}

TEST_F(BundleTest, FindsTheFirstOfThePlaces) {
  ASSERT_TRUE(Build());
  EXPECT_EQ(*FindBundle(options_.output_dir), options_.output_dir);
  const auto given = FindBundle(temp_ / "in");
  ASSERT_FALSE(given);
  EXPECT_EQ(given.error().code(), ErrorCode::kNotFound);
  setenv("KOE_BUNDLE", options_.output_dir.c_str(), 1);
  EXPECT_EQ(*FindBundle(""), options_.output_dir);
  EXPECT_FALSE(FindBundle(temp_ / "in"));
  setenv("KOE_BUNDLE", (temp_ / "in").c_str(), 1);
  EXPECT_THAT(FindBundle("").error().message(), HasSubstr("$KOE_BUNDLE"));
  unsetenv("KOE_BUNDLE");

  std::filesystem::create_directories(temp_ / "data/koe");
  std::filesystem::rename(options_.output_dir, temp_ / "data/koe/kokoro-82m");
  setenv("XDG_DATA_HOME", (temp_ / "data").c_str(), 1);
  const std::filesystem::path old = std::filesystem::current_path();
  std::filesystem::current_path(temp_.path());
  EXPECT_EQ(*FindBundle(""), temp_ / "data/koe/kokoro-82m");
  setenv("XDG_DATA_HOME", (temp_ / "none").c_str(), 1);
  const auto none = FindBundle("");
  if (none) {
    EXPECT_EQ(*none, "/usr/share/koe/kokoro-82m");
  } else {
    EXPECT_THAT(none.error().message(), HasSubstr("./models/kokoro-82m"));
    EXPECT_THAT(none.error().message(), HasSubstr("/usr/share/koe/kokoro-82m"));
  }
  std::filesystem::create_directories(temp_ / "models");
  std::filesystem::rename(temp_ / "data/koe/kokoro-82m", temp_ / "models/kokoro-82m");
  EXPECT_EQ(*FindBundle(""), "./models/kokoro-82m");
  std::filesystem::current_path(old);
  unsetenv("XDG_DATA_HOME");
}

}  // namespace
}  // namespace koe::bundle
