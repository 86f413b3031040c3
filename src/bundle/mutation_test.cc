// SPDX-License-Identifier: Apache-2.0
// Damaged inputs of every kind through build, validate and load. Whatever is accepted must be consistent: what builds,
// validates; what validates, loads; what loads is finite. Whatever is refused is refused with a reason and leaves
// nothing behind. $KOE_MUTATIONS says how many (default 500), $KOE_TEST_SEED where to start.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "bundle/bundle.h"
#include "bundle/digest.h"
#include "bundle/testing/file_builders.h"
#include "bundle/testing/mutator.h"
#include "bundle/testing/synthetic.h"
#include "bundle/testing/temp_dir.h"
#include "bundle/zip_reader.h"

namespace koe::bundle {
namespace {

using testing::Mutator;
using testing::NormForm;
using testing::OnnxForm;
using testing::ReadFile;
using testing::TempDir;
using testing::TinyArchitecture;
using testing::WriteFile;

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr && *text != 0 ? std::strtoull(text, nullptr, 10) : otherwise;
}

// What around the damage is made whole again, so that it reaches the parser behind: the pickle within its archive (with
// a CRC that fits), the header within its safetensors file (with its length).
enum class Around { kNothing, kArchive, kHeaderLength };

struct Source {
  const char* name;  // of the file below in/
  std::string bytes;
  Around around = Around::kNothing;
};

std::string Damage(const Source& source, Mutator* mutator, std::string* what) {
  if (source.around == Around::kHeaderLength) {
    const size_t length = LoadLe<uint64_t>(AsBytes(source.bytes).data());
    const std::string header = mutator->Mutate(source.bytes.substr(8, length), what);
    std::string file;
    testing::AppendLe<uint64_t>(header.size(), &file);
    return file + header + source.bytes.substr(8 + length);
  }
  if (source.around == Around::kArchive) {
    const auto entries = ReadStoredZip(AsBytes(source.bytes));
    std::vector<std::pair<std::string, std::string>> parts;
    for (const ZipEntry& entry : *entries) {
      const std::string data(AsText(entry.data));
      parts.emplace_back("t/" + entry.name, entry.name == "data.pkl" ? mutator->Mutate(data, what) : data);
    }
    return testing::ZipBytes(parts);
  }
  return mutator->Mutate(source.bytes, what);
}

class MutationTest : public ::testing::Test {
 protected:
  void SetUp() override {
    count_ = FromEnvironment("KOE_MUTATIONS", 500);
    seed_ = FromEnvironment("KOE_TEST_SEED", 1);
    RecordProperty("seed", std::to_string(seed_));
    setenv("SOURCE_DATE_EPOCH", "1700000000", 1);
    options_.weights_path = temp_ / "in/model.onnx";
    options_.voices_dir = temp_ / "in/voices";
    options_.vocab_path = temp_ / "in/vocab.json";
    options_.output_dir = temp_ / "out/bundle";
    std::filesystem::create_directory(temp_ / "out");
    PutInputs();
  }
  void PutInputs() {
    WriteFile(temp_ / "in/model.onnx", testing::TinyOnnx(OnnxForm::kInt8));
    WriteFile(temp_ / "in/voices/af_heart.bin", testing::TinyVoiceBin());
    WriteFile(temp_ / "in/voices/bm_george.pt", testing::TinyVoiceTorch());
    WriteFile(temp_ / "in/vocab.json", Vocab::Kokoro().ToJson());
  }

  static void ExpectReason(const Error& error) {
    EXPECT_TRUE(error.code() == ErrorCode::kCorruptBundle || error.code() == ErrorCode::kUnsupported ||
                error.code() == ErrorCode::kNotFound || error.code() == ErrorCode::kTooLong)
        << ErrorCodeName(error.code()) << ": " << error.message();
    EXPECT_GT(error.message().size(), 10u);
    EXPECT_LT(error.message().size(), 2000u);
    EXPECT_EQ(error.message().find('\n'), std::string::npos) << error.message();
  }

  // Opens and reads everything; says whether all went well.
  bool Loads(const std::string& dir) {
    const auto bundle = Bundle::Open(dir, Digests::kAlways, TinyArchitecture());
    if (!bundle) {
      ExpectReason(bundle.error());
      return false;
    }
    bool well = true;
    for (const std::string& id : (*bundle)->voices()) {
      const auto voice = (*bundle)->LoadVoice(id);
      if (!voice) {
        ExpectReason(voice.error());
        well = false;
        continue;
      }
      for (const float v : *voice) EXPECT_TRUE(std::abs(v) <= 32);
    }
    const auto weights = (*bundle)->OpenWeights();
    if (!weights) {
      ExpectReason(weights.error());
      return false;
    }
    std::vector<float> values;
    for (const StoredTensor& tensor : (*weights)->tensors()) {
      values.assign(tensor.num_elements(), NAN);
      EXPECT_TRUE(Dequantise(tensor, values));
      for (const float v : values) EXPECT_TRUE(std::isfinite(v)) << tensor.name;
    }
    return well;
  }

  bool Validates(const std::string& dir) {
    const auto report = ValidateBundle(dir, TinyArchitecture());
    if (!report) ExpectReason(report.error());
    return report.has_value();
  }

  // The bundle with digests that fit the files as they are now.
  void RecomputeDigests(const std::string& dir) {
    auto manifest = RuntimeManifest::Parse(ReadFile(dir + "/RuntimeManifest.json"));
    ASSERT_TRUE(manifest) << manifest.error().message();
    const auto refresh = [&](FileRecord* record) {
      const std::string bytes = ReadFile(dir + "/" + record->path);
      record->bytes = bytes.size();
      record->sha256 = Sha256Hex(AsBytes(bytes));
    };
    refresh(&manifest->weights);
    refresh(&manifest->vocab);
    for (FileRecord& voice : manifest->voices) refresh(&voice);
    WriteFile(dir + "/RuntimeManifest.json", manifest->ToJson());
    RecomputeHosted(dir, manifest->Files());
  }
  void RecomputeHosted(const std::string& dir, std::vector<FileRecord> files) {
    const std::string runtime = ReadFile(dir + "/RuntimeManifest.json");
    files.push_back({"RuntimeManifest.json", runtime.size(), Sha256Hex(AsBytes(runtime))});
    std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
    HostedManifest hosted;
    hosted.version = "full-000000000000";
    hosted.files = std::move(files);
    WriteFile(dir + "/HostedManifest.json", hosted.ToJson());
  }

  void Report(const char* what) {
    std::printf("%s: %zu mutations from seed %zu: %zu accepted, %zu refused\n", what, accepted_ + refused_,
                static_cast<size_t>(seed_), accepted_, refused_);
    // Both must happen, or the test does not reach what it is for.
    if (count_ >= 100) {
      EXPECT_GT(accepted_, 0u);
      EXPECT_GT(refused_, accepted_);
    }
  }

  TempDir temp_;
  BundleBuildOptions options_;
  uint64_t count_ = 0, seed_ = 0;
  size_t accepted_ = 0, refused_ = 0;
};

TEST_F(MutationTest, OfTheSources) {
  const Source sources[] = {
      {"model.onnx", testing::TinyOnnx(OnnxForm::kInt8)},
      {"fp32.onnx", testing::TinyOnnx(OnnxForm::kFp32)},
      {"fp16.onnx", testing::TinyOnnx(OnnxForm::kFp16)},
      {"model.pth", testing::TinyTorch(NormForm::kWeightG, true)},
      {"parametrised.pth", testing::TinyTorch(NormForm::kParametrised)},
      {"model.safetensors", testing::TinySafetensors(NormForm::kFolded)},
      {"norm.safetensors", testing::TinySafetensors(NormForm::kWeightG)},
      {"header.safetensors", testing::TinySafetensors(NormForm::kParametrised), Around::kHeaderLength},
      {"pickle.pth", testing::TinyTorch(NormForm::kFolded), Around::kArchive},
      {"voices/bm_george.pt", testing::TinyVoiceTorch(), Around::kArchive},
      {"voices/af_heart.bin", testing::TinyVoiceBin()},
      {"voices/bm_george.pt", testing::TinyVoiceTorch()},
      {"vocab.json", Vocab::Kokoro().ToJson()},
  };
  for (uint64_t i = 0; i < count_ / 2; ++i) {
    Mutator mutator(seed_ * 1000003 + i);
    const Source& source = sources[i % std::size(sources)];
    std::string what;
    const std::string path = temp_ / "in" + ("/" + std::string(source.name));
    const std::string mutated = Damage(source, &mutator, &what);
    SCOPED_TRACE(std::string(source.name) + " mutation " + std::to_string(i) + ": " + what);
    WriteFile(path, mutated);
    const std::string name(source.name);
    const bool weights = name.find('/') == std::string::npos && name != "vocab.json";
    options_.weights_path = weights ? path : temp_ / "in/model.onnx";

    const auto built = BuildBundle(options_, {}, TinyArchitecture());
    if (built) {
      ++accepted_;
      EXPECT_TRUE(Validates(options_.output_dir));
      EXPECT_TRUE(Loads(options_.output_dir));
      std::filesystem::remove_all(options_.output_dir);
    } else {
      ++refused_;
      ExpectReason(built.error());
    }
    for (const auto& left : std::filesystem::directory_iterator(temp_ / "out")) {
      ADD_FAILURE() << left.path() << " was left behind";
    }
    WriteFile(path, source.bytes);
    if (HasFailure()) break;
  }
  Report("sources");
}

TEST_F(MutationTest, OfTheBundle) {
  const std::string master = temp_ / "master", work = temp_ / "work";
  options_.output_dir = master;
  ASSERT_TRUE(BuildBundle(options_, {{"lexicon/us.lex", "lexicon"}}, TinyArchitecture()));
  std::filesystem::copy(master, work, std::filesystem::copy_options::recursive);
  const char* const files[] = {"weights.safetensors", "voices/af_heart.bin",  "weights.safetensors",
                               "vocab.json",          "RuntimeManifest.json", "HostedManifest.json"};
  std::vector<std::string> originals;
  for (const char* file : files) originals.push_back(ReadFile(master + "/" + file));
  const std::string runtime = ReadFile(master + "/RuntimeManifest.json");
  const std::string hosted = ReadFile(master + "/HostedManifest.json");
  const auto manifest = RuntimeManifest::Parse(runtime);
  ASSERT_TRUE(manifest);

  for (uint64_t i = 0; i < count_ - count_ / 2; ++i) {
    Mutator mutator(seed_ * 7000003 + i);
    const std::string file = files[i % std::size(files)];
    std::string what;
    const std::string mutated = mutator.Mutate(originals[i % std::size(files)], &what);
    SCOPED_TRACE(file + " mutation " + std::to_string(i) + ": " + what);
    WriteFile(work + "/" + file, mutated);
    if (file == "RuntimeManifest.json") {
      RecomputeHosted(work, manifest->Files());
    } else if (file != "HostedManifest.json") {
      RecomputeDigests(work);
    }
    const bool valid = Validates(work);
    const bool loads = Loads(work);
    // The engine reads neither the hosted manifest nor the number of tensors; everything else it refuses as well.
    EXPECT_TRUE(loads || !valid);
    EXPECT_TRUE(valid || !loads || file == "HostedManifest.json" || file == "RuntimeManifest.json");
    (valid ? accepted_ : refused_) += 1;
    WriteFile(work + "/" + file, originals[i % std::size(files)]);
    WriteFile(work + "/RuntimeManifest.json", runtime);
    WriteFile(work + "/HostedManifest.json", hosted);
    if (HasFailure()) break;
  }
  Report("bundle");
}

}  // namespace
}  // namespace koe::bundle
