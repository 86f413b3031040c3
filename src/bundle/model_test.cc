// SPDX-License-Identifier: Apache-2.0
// The importers on the real files: $KOE_MODEL_CACHE (default ~/.cache/koe) holds kokoro-v1.0.int8.onnx, voices/ and
// vocab.json. Skipped where they are absent.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <fstream>

#include "bundle/bundle.h"
#include "bundle/digest.h"
#include "bundle/import.h"
#include "bundle/onnx_reader.h"
#include "bundle/testing/mutator.h"
#include "bundle/testing/temp_dir.h"

namespace koe::bundle {
namespace {

using ::testing::HasSubstr;
using testing::ReadFile;
using testing::TempDir;

constexpr char kReleaseSha256[] = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb";

std::string Cache() {
  if (const char* cache = std::getenv("KOE_MODEL_CACHE"); cache != nullptr && *cache != 0) return cache;
  const char* home = std::getenv("HOME");
  return std::string(home != nullptr ? home : "") + "/.cache/koe";
}

class ModelTest : public ::testing::Test {
 protected:
  void SetUp() override {
    weights_ = Cache() + "/kokoro-v1.0.int8.onnx";
    if (access(weights_.c_str(), R_OK) != 0) GTEST_SKIP() << "no model data: set KOE_MODEL_CACHE";
  }
  std::string weights_;
};

TEST(KokoroTable, IsTheModel) {
  const Architecture& a = KokoroArchitecture();
  EXPECT_EQ(a.tensors.size(), 457u);
  EXPECT_EQ(a.onnx.size(), a.tensors.size());
  size_t elements = 0;
  std::set<std::string> names;
  for (const TensorSpec& spec : a.tensors) {
    elements += *CheckedElements(spec.shape);
    EXPECT_TRUE(names.insert(spec.name).second) << spec.name;
  }
  EXPECT_EQ(elements, 81140664u);  // of the reference's state dict (shared/tools/reference_model.py)
  EXPECT_TRUE(a.config.is(Json::Type::kObject));
}

TEST_F(ModelTest, TheBuiltInVocabularyIsThePublished) {
  const auto vocab = Vocab::Parse(ReadFile(Cache() + "/vocab.json"), 178);
  ASSERT_TRUE(vocab) << vocab.error().message();
  EXPECT_EQ(vocab->entries(), Vocab::Kokoro().entries());
  EXPECT_EQ(Vocab::Kokoro().size(), 114u);
  EXPECT_EQ(Vocab::Kokoro().num_rows(), 178u);
  EXPECT_EQ(Vocab::Kokoro().Find(U'ə'), 83);
  EXPECT_EQ(Vocab::Kokoro().Find(U'g'), std::nullopt);  // U+0261 is the symbol
}

TEST_F(ModelTest, EveryVoiceAndTensorOfTheReleaseIsAccepted) {
  const auto file = MappedFile::Open(weights_);
  ASSERT_TRUE(file);
  ASSERT_EQ(Sha256Hex(file->bytes()), kReleaseSha256);
  const auto tensors = ImportOnnx(file->bytes(), KokoroArchitecture());
  ASSERT_TRUE(tensors) << tensors.error().message();
  size_t num_int8 = 0;
  for (const ImportedTensor& tensor : *tensors) num_int8 += tensor.dtype == DType::kI8 || tensor.dtype == DType::kU8;
  EXPECT_EQ(num_int8, 169u + 4 + 24);  // products and convolutions, embeddings, two matrices a direction of six LSTMs

  size_t num_voices = 0;
  for (const auto& entry : std::filesystem::directory_iterator(Cache() + "/voices")) {
    const auto voice = MappedFile::Open(entry.path().string());
    ASSERT_TRUE(voice);
    EXPECT_TRUE(ImportVoiceBin(voice->bytes(), KokoroArchitecture())) << entry.path();
    ++num_voices;
  }
  EXPECT_EQ(num_voices, 54u);
}

TEST_F(ModelTest, BuildsAndOpensTheStarterBundle) {
  TempDir temp;
  BundleBuildOptions options;
  options.weights_path = weights_;
  options.voices_dir = Cache() + "/voices";
  options.vocab_path = Cache() + "/vocab.json";
  options.profile = "starter";
  options.output_dir = temp / "bundle";
  const auto built = bundle::BuildBundle(options);
  ASSERT_TRUE(built) << built.error().message();
  const auto report = ValidateBundle(options.output_dir);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->num_tensors, 457u);
  EXPECT_EQ(report->weights_sha256, kReleaseSha256);
  const auto bundle = Bundle::Open(options.output_dir);
  ASSERT_TRUE(bundle);
  const auto voice = (*bundle)->LoadVoice("af_heart");
  ASSERT_TRUE(voice);
  EXPECT_EQ(voice->size(), 510u * 256u);
  const auto weights = (*bundle)->OpenWeights();
  ASSERT_TRUE(weights);
  for (const TensorSpec& spec : KokoroTensorTable()) {
    const StoredTensor* tensor = (*weights)->Find(spec.name);
    ASSERT_NE(tensor, nullptr) << spec.name;
    EXPECT_EQ(tensor->shape, spec.shape) << spec.name;
  }
}

// The real graph, damaged in place and made whole again: what is accepted loads and is finite.
TEST_F(ModelTest, SurvivesMutationsOfTheRelease) {
  TempDir temp;
  std::filesystem::create_directory(temp / "out");
  const std::string path = temp / "model.onnx";
  const std::string original = ReadFile(weights_);
  std::ofstream(path, std::ios::binary) << original;
  // Bytes outside raw data: where the names of nodes and initialisers are.
  std::vector<size_t> structural;
  {
    const auto graph = ReadOnnx(AsBytes(original));
    ASSERT_TRUE(graph);
    for (const OnnxTensor& tensor : graph->initializers) {
      structural.push_back(static_cast<size_t>(tensor.message.data() - AsBytes(original).data()));
    }
  }
  BundleBuildOptions options;
  options.weights_path = path;
  options.output_dir = temp / "out/bundle";
  const char* count_text = std::getenv("KOE_MODEL_MUTATIONS");
  const size_t count = count_text != nullptr ? std::strtoull(count_text, nullptr, 10) : 36;
  size_t accepted = 0, refused = 0;
  for (size_t i = 0; i < count; ++i) {
    testing::Mutator mutator(90001 + i);
    std::string what;
    if (i % 4 == 0) {
      const size_t size = mutator.Below(original.size());
      what = "truncated to " + std::to_string(size);
      ASSERT_EQ(truncate(path.c_str(), static_cast<off_t>(size)), 0);
    } else {
      // A window around the head of an initialiser's record, or anywhere.
      const size_t at = i % 4 == 3 ? mutator.Below(original.size() - 64) : structural[mutator.Below(structural.size())];
      std::string window = mutator.Mutate(original.substr(at, 64), &what);
      window.resize(64, '\0');
      what += "in the window at " + std::to_string(at);
      std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
      file.seekp(static_cast<std::streamoff>(at)).write(window.data(), 64);
    }
    SCOPED_TRACE("mutation " + std::to_string(i) + ": " + what);
    const auto built = bundle::BuildBundle(options);
    if (built) {
      ++accepted;
      const auto report = ValidateBundle(options.output_dir);
      EXPECT_TRUE(report) << report.error().message();
      std::filesystem::remove_all(options.output_dir);
    } else {
      ++refused;
      EXPECT_TRUE(built.error().code() == ErrorCode::kCorruptBundle || built.error().code() == ErrorCode::kUnsupported)
          << built.error().message();
      EXPECT_THAT(built.error().message(), HasSubstr("model.onnx: "));
    }
    EXPECT_TRUE(std::filesystem::is_empty(temp / "out"));
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    if (i % 4 == 0) {
      const auto size = std::filesystem::file_size(path);
      file.seekp(static_cast<std::streamoff>(size))
          .write(original.data() + size, static_cast<std::streamsize>(original.size() - size));
    } else {
      const size_t at = std::strtoull(what.c_str() + what.rfind(' ') + 1, nullptr, 10);
      file.seekp(static_cast<std::streamoff>(at)).write(original.data() + at, 64);
    }
  }
  std::printf("release: %zu mutations: %zu accepted, %zu refused\n", count, accepted, refused);
  EXPECT_GT(refused, count / 3);
}

}  // namespace
}  // namespace koe::bundle
