// SPDX-License-Identifier: Apache-2.0
// Every tensor of the reference, as `koe dump` writes them: stages fed the golden's inputs, and the whole chain.
#include "pipeline/dump.h"

#include <gmock/gmock.h>

#include <map>
#include <string>
#include <vector>

#include "support/golden_test_fixture.h"
#include "support/synthetic_synthesizer.h"

namespace koe::pipeline {
namespace {

// design.md 5: from tokens, with the reference's noise.
constexpr double kMinChainSnrDb = 90;
constexpr double kMinSineSnrDb = 60;

// In the reference's layout: channels first, but for two.
NamedTensor ReferenceTensor(const test_support::Golden& golden, const std::string& name) {
  const std::span<const int32_t> integers = golden.Integers(name);
  if (!integers.empty()) return {{integers.size()}, {}, {integers.begin(), integers.end()}};
  const ConstMatrix x = golden.Matrix(name);
  if (x.cols == 1) return {{x.rows}, test_support::Flatten(x), {}};
  if (name == "bert_dur" || name == "d") return {{x.rows, x.cols}, test_support::Flatten(x), {}};
  NamedTensor tensor{{x.cols, x.rows}, std::vector<float>(x.rows * x.cols), {}};
  for (size_t t = 0; t < x.rows; ++t) {
    for (size_t c = 0; c < x.cols; ++c) tensor.floats[c * x.rows + t] = x.Row(t)[c];
  }
  return tensor;
}

ConstMatrix TimeMajor(const NamedTensor& channels_first, std::vector<float>* storage) {
  const size_t channels = channels_first.shape[0], rows = channels_first.shape[1];
  storage->resize(rows * channels);
  for (size_t c = 0; c < channels; ++c) {
    for (size_t t = 0; t < rows; ++t) (*storage)[t * channels + c] = channels_first.floats[c * rows + t];
  }
  return ConstMatrix(storage->data(), rows, channels);
}

DumpRequest RequestOf(const test_support::Golden& golden, bool feed_stages) {
  DumpRequest request;
  for (const std::string& name : golden.tensor_names()) request.golden[name] = ReferenceTensor(golden, name);
  request.token_ids = request.golden["token_ids"].integers;
  request.voice_row = request.golden["ref_s"].floats;
  request.speed = golden.speed();
  request.feed_stages = feed_stages;
  request.use_golden_har = true;
  return request;
}

class DumpGoldenTest : public test_support::GoldenTest {
 protected:
  void Load(kernels::Target target) {
    kernels_ = &kernels::KernelsFor(target);
    const auto plan = MakePlan(Precision::kExact, 1);
    KOE_ASSERT_OK(plan);
    auto model = LoadModel(*plan, {weights_.get(), kernels_, test_support::Letters}, pool_);
    KOE_ASSERT_OK(model);
    model_ = std::move(*model);
  }
  Result<TensorMap> DumpOf(const test_support::Golden& golden, bool feed_stages) {
    return Dump(Synthesizer(model_, *kernels_, pool_), RequestOf(golden, feed_stages), workspace_);
  }

  ThreadPool pool_{2};
  const kernels::KernelSet* kernels_ = nullptr;
  Model model_;
  Workspace workspace_;
};

TEST_F(DumpGoldenTest, FedByStageEveryTensorIsTheReferences) {
  Load(kernels::SupportedTargets().front());
  for (const test_support::Golden& golden : goldens_) {
    const auto dump = DumpOf(golden, true);
    KOE_ASSERT_OK(dump);
    for (const std::string& name : golden.tensor_names()) {
      const auto it = dump->find(name);
      ASSERT_NE(it, dump->end()) << name;
      const NamedTensor want = ReferenceTensor(golden, name);
      EXPECT_EQ(it->second.shape, want.shape) << name;
      if (!want.integers.empty()) {
        EXPECT_EQ(it->second.integers, want.integers) << name;
      } else if (name == "har") {
        std::vector<float> storage;
        ExpectClose(golden, name, test_support::SpectrumSnrDb(TimeMajor(it->second, &storage), golden.Matrix(name)),
                    test_support::kMinStageSnrDb);
      } else {
        ExpectClose(golden, name, test_support::SnrDb(it->second.floats, std::span<const float>(want.floats)),
                    name == "sine_clean" ? kMinSineSnrDb : test_support::kMinStageSnrDb);
      }
    }
  }
}

TEST_F(DumpGoldenTest, FromTokensToTheWaveformOnEveryTarget) {
  std::map<std::string, std::vector<float>> best;
  for (const kernels::Target target : kernels::SupportedTargets()) {
    Load(target);
    for (const test_support::Golden& golden : goldens_) {
      const auto dump = DumpOf(golden, false);
      KOE_ASSERT_OK(dump);
      const std::string label = std::string("waveform/") + kernels::TargetName(target);
      EXPECT_EQ(dump->find("pred_dur")->second.integers, ReferenceTensor(golden, "pred_dur").integers)
          << golden.name() << " " << label;
      const std::vector<float>& waveform = dump->find("waveform")->second.floats;
      ExpectClose(golden, label, test_support::SnrDb(waveform, golden.Floats("waveform")), kMinChainSnrDb);
      std::vector<float>& reference = best[golden.name()];
      if (reference.empty()) {
        reference = waveform;
      } else {
        ExpectClose(golden, label + " to the best target",
                    test_support::SnrDb(waveform, std::span<const float>(reference)), test_support::kMinTargetSnrDb);
      }
      if (target == kernels::Target::kScalar) break;  // slow: the shortest will do
    }
  }
}

class DumpTest : public testing::Test {
 protected:
  void SetUp() override {
    auto made = test_support::SyntheticSynthesizer::Make(test_support::SharedSyntheticWeights(),
                                                         test_support::BestKernels(), 2);
    KOE_ASSERT_OK(made);
    synthesizer_ = std::move(*made);
    request_.token_ids = {0, 6, 0};
    request_.voice_row.assign(voice_.begin(), voice_.begin() + kVoiceRowSize);
    request_.seed = 9;
  }
  std::unique_ptr<test_support::SyntheticSynthesizer> synthesizer_;
  std::vector<float> voice_ = test_support::RandomVoice();
  DumpRequest request_;
  Workspace workspace_;
};

TEST_F(DumpTest, ShowsTheRunItself) {
  const auto dump = Dump(synthesizer_->get(), request_, workspace_);
  KOE_ASSERT_OK(dump);
  const auto result = synthesizer_->Run({.phonemes = "a", .voice = voice_, .seed = 9}, workspace_);
  KOE_ASSERT_OK(result);
  EXPECT_TRUE(test_support::SameBits(dump->find("waveform")->second.floats, result->waveform));
  EXPECT_THAT(dump->find("pred_dur")->second.integers, testing::ElementsAreArray(result->durations));
}

TEST_F(DumpTest, NamesAndShapesAreTheReferences) {
  const auto dump = Dump(synthesizer_->get(), request_, workspace_);
  KOE_ASSERT_OK(dump);
  const size_t f = dump->find("F0_pred")->second.shape[0] / 2, e = 120 * f + 1;
  const std::map<std::string, std::vector<size_t>> shapes = {{"token_ids", {3}},
                                                             {"ref_s", {256}},
                                                             {"speed", {1}},
                                                             {"bert_dur", {3, 768}},
                                                             {"d_en", {512, 3}},
                                                             {"d", {3, 640}},
                                                             {"duration", {3}},
                                                             {"pred_dur", {3}},
                                                             {"t_en", {512, 3}},
                                                             {"en", {640, f}},
                                                             {"asr", {512, f}},
                                                             {"F0_pred", {2 * f}},
                                                             {"N_pred", {2 * f}},
                                                             {"x_pre", {512, 2 * f}},
                                                             {"sine_clean", {600 * f}},
                                                             {"har_source", {600 * f}},
                                                             {"har", {22, e}},
                                                             {"ups0", {256, 20 * f}},
                                                             {"x_source0", {256, 20 * f}},
                                                             {"mrf0", {256, 20 * f}},
                                                             {"ups1", {128, 120 * f}},
                                                             {"x_source1", {128, e}},
                                                             {"mrf1", {128, e}},
                                                             {"conv_post", {22, e}},
                                                             {"waveform", {600 * f}}};
  EXPECT_EQ(dump->size(), shapes.size());
  for (const auto& [name, shape] : shapes) {
    const auto it = dump->find(name);
    ASSERT_NE(it, dump->end()) << name;
    EXPECT_EQ(it->second.shape, shape) << name;
    size_t count = 1;
    for (const size_t d : shape) count *= d;
    EXPECT_EQ(it->second.floats.size() + it->second.integers.size(), count) << name;
  }
}

// A dump fed with its own tensors gives them again.
TEST_F(DumpTest, FeedingItsOwnTensorsChangesNothing) {
  const auto chain = Dump(synthesizer_->get(), request_, workspace_);
  KOE_ASSERT_OK(chain);
  request_.golden = *chain;
  request_.feed_stages = true;
  const auto fed = Dump(synthesizer_->get(), request_, workspace_);
  KOE_ASSERT_OK(fed);
  for (const auto& [name, tensor] : *chain) {
    EXPECT_TRUE(test_support::SameBits(fed->find(name)->second.floats, tensor.floats)) << name;
  }
}

TEST_F(DumpTest, AGoldenTensorThatIsMissingOrMisshapenIsNamed) {
  const auto chain = Dump(synthesizer_->get(), request_, workspace_);
  KOE_ASSERT_OK(chain);
  for (const bool feed : {false, true}) {
    for (const std::string name : {"har", "t_en", "pred_dur", "x_pre", "har_source", "N_pred"}) {
      if (!feed && name != "har") continue;
      for (const bool misshapen : {false, true}) {
        request_.golden = *chain;
        request_.feed_stages = feed;
        request_.use_golden_har = true;
        if (misshapen) {
          NamedTensor& tensor = request_.golden[name];
          tensor.shape.back() -= 1;
          if (!tensor.integers.empty()) tensor.integers.pop_back();
        } else {
          request_.golden.erase(name);
        }
        const auto dump = Dump(synthesizer_->get(), request_, workspace_);
        KOE_EXPECT_ERROR(dump, ErrorCode::kCorruptBundle);
        EXPECT_THAT(dump.error().message(), testing::HasSubstr("'" + name + "'"));
      }
    }
  }
}

}  // namespace
}  // namespace koe::pipeline
