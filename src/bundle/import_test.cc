// SPDX-License-Identifier: Apache-2.0
// The importers on the tiny model: every form gives the same numbers, and what is wrong is named.
#include "bundle/import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/array.h"

#include "bundle/limits.h"
#include "bundle/safetensors.h"
#include "bundle/testing/file_builders.h"
#include "bundle/testing/synthetic.h"
#include "bundle/weights_file.h"

namespace koe::bundle {
namespace {

using ::testing::HasSubstr;
using testing::NormForm;
using testing::OnnxForm;
using testing::TinyArchitecture;
using testing::TinyValues;

// Values of every tensor after a round trip through the bundle's weights file.
std::vector<std::vector<float>> Dequantised(const std::vector<ImportedTensor>& tensors) {
  std::string file;
  const auto written = WriteWeightsFile(TinyArchitecture().tensors, tensors, [&](Bytes part) -> Result<void> {
    file.append(AsText(part));
    return {};
  });
  EXPECT_TRUE(written);
  AlignedBuffer<std::byte> aligned(file.size());
  std::memcpy(aligned.data(), file.data(), file.size());
  const auto stored = ReadWeightsFile(aligned.span(), TinyArchitecture().tensors);
  EXPECT_TRUE(stored) << stored.error().message();
  std::vector<std::vector<float>> values;
  for (const StoredTensor& tensor : *stored) {
    values.emplace_back(tensor.num_elements());
    EXPECT_TRUE(Dequantise(tensor, values.back()));
  }
  return values;
}

void ExpectTiny(WeightsFormat format, const std::string& file) {
  const auto tensors = ImportWeights(format, AsBytes(file), TinyArchitecture());
  ASSERT_TRUE(tensors) << tensors.error().message();
  EXPECT_EQ(Dequantised(*tensors), TinyValues());
}

std::string Reason(WeightsFormat format, const std::string& file, ErrorCode expected = ErrorCode::kCorruptBundle) {
  const auto tensors = ImportWeights(format, AsBytes(file), TinyArchitecture());
  if (tensors) return "accepted";
  EXPECT_EQ(tensors.error().code(), expected) << tensors.error().message();
  return tensors.error().message();
}

TEST(Import, EveryFormGivesTheSameNumbers) {
  for (const OnnxForm form : {OnnxForm::kInt8, OnnxForm::kFp32, OnnxForm::kFp16}) {
    ExpectTiny(WeightsFormat::kOnnx, testing::TinyOnnx(form));
  }
  ExpectTiny(WeightsFormat::kTorch, testing::TinyTorch(NormForm::kFolded));
  ExpectTiny(WeightsFormat::kTorch, testing::TinyTorch(NormForm::kFolded, true));
  ExpectTiny(WeightsFormat::kSafetensors, testing::TinySafetensors(NormForm::kFolded));
}

TEST(Import, KeepsTheTypesOfTheSource) {
  const auto types = [](OnnxForm form) {
    const std::string file = testing::TinyOnnx(form);
    const auto tensors = ImportOnnx(AsBytes(file), TinyArchitecture());
    EXPECT_TRUE(tensors);
    std::vector<DType> found;
    for (const ImportedTensor& tensor : *tensors) found.push_back(tensor.dtype);
    return found;
  };
  const std::vector<DType> int8 = types(OnnxForm::kInt8);
  EXPECT_EQ(int8[0], DType::kI8);   // embedding
  EXPECT_EQ(int8[1], DType::kI8);   // linear
  EXPECT_EQ(int8[2], DType::kF32);  // bias
  EXPECT_EQ(int8[5], DType::kU8);   // convolution
  EXPECT_EQ(int8[6], DType::kF32);  // transposed convolution
  EXPECT_EQ(int8[7], DType::kI8);   // LSTM
  EXPECT_STREQ(TensorPrecision(int8), "int8");
  EXPECT_STREQ(TensorPrecision(types(OnnxForm::kFp16)), "fp16");
  EXPECT_STREQ(TensorPrecision(types(OnnxForm::kFp32)), "fp32");
}

TEST(Import, FoldsWeightNorm) {
  for (const NormForm form : {NormForm::kWeightG, NormForm::kParametrised}) {
    for (const bool torch : {true, false}) {
      const std::string file = torch ? testing::TinyTorch(form, true) : testing::TinySafetensors(form);
      const auto tensors =
          ImportWeights(torch ? WeightsFormat::kTorch : WeightsFormat::kSafetensors, AsBytes(file), TinyArchitecture());
      ASSERT_TRUE(tensors) << tensors.error().message();
      const std::vector<std::vector<float>> values = Dequantised(*tensors);
      for (size_t i = 0; i < values.size(); ++i) {
        for (size_t j = 0; j < values[i].size(); ++j) {
          // g is rounded once and the product once: 2 x 2^-24.
          EXPECT_NEAR(values[i][j], TinyValues()[i][j], std::abs(TinyValues()[i][j]) * 0x1p-23f) << i << " " << j;
        }
      }
    }
  }
}

TEST(Import, ReadsABundlesOwnWeights) {
  const std::string onnx = testing::TinyOnnx(OnnxForm::kInt8);
  const auto tensors = ImportOnnx(AsBytes(onnx), TinyArchitecture());
  ASSERT_TRUE(tensors);
  std::string file;
  ASSERT_TRUE(WriteWeightsFile(TinyArchitecture().tensors, *tensors, [&](Bytes part) -> Result<void> {
    file.append(AsText(part));
    return {};
  }));
  ExpectTiny(WeightsFormat::kSafetensors, file);
}

// The parts of the folded form, to damage.
std::vector<testing::SafetensorsPart> Parts() {
  const std::string file = testing::TinySafetensors(NormForm::kFolded);
  std::vector<testing::SafetensorsPart> parts;
  const auto entries = ReadSafetensors(AsBytes(file));
  for (const SafetensorsEntry& e : *entries) {
    parts.push_back({e.name, e.dtype, e.shape, std::string(AsText(e.data))});
  }
  return parts;
}
std::string ReasonOf(const std::vector<testing::SafetensorsPart>& parts,
                     ErrorCode expected = ErrorCode::kCorruptBundle) {
  return Reason(WeightsFormat::kSafetensors, testing::SafetensorsBytes(parts), expected);
}

TEST(Import, NamesTheTensorThatIsWrong) {
  for (size_t i = 0; i < TinyArchitecture().tensors.size(); ++i) {
    const std::string& name = TinyArchitecture().tensors[i].name;
    auto missing = Parts();
    missing.erase(missing.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_EQ(ReasonOf(missing), "tensor: " + name + ": missing");
    auto reshaped = Parts();
    reshaped[i].shape.push_back(1);
    EXPECT_THAT(ReasonOf(reshaped), HasSubstr("tensor: " + name + ": '" + name + "' has shape"));
  }
  auto transposed = Parts();
  std::swap(transposed[1].shape[0], transposed[1].shape[1]);
  EXPECT_THAT(ReasonOf(transposed), HasSubstr("has shape [4, 6], expected [6, 4]"));
}

TEST(Import, RefusesValuesThatAreNotFinite) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity()}) {
    auto parts = Parts();
    parts[5].data.replace(4 * 7, 4, testing::RawLe<float>({bad}));
    EXPECT_EQ(ReasonOf(parts), "tensor: conv.weight: value 7 is not finite");
  }
  auto largest = Parts();
  largest[5].data.replace(4 * 7, 4, testing::RawLe<float>({std::numeric_limits<float>::max()}));
  EXPECT_EQ(ReasonOf(largest), "accepted");
  auto half = Parts();
  half[2].dtype = "F16";
  half[2].data = testing::RawLe<uint16_t>({0, 0, 0, 0, 0x7C00, 0});
  EXPECT_EQ(ReasonOf(half), "tensor: fc.bias: value 4 is not finite");
}

TEST(Import, WidensBFloat16AndRefusesDouble) {
  auto parts = Parts();
  parts[2].dtype = "BF16";
  parts[2].data = testing::RawLe<uint16_t>({0x3F80, 0xC000, 0, 0, 0, 0});
  const std::string file = testing::SafetensorsBytes(parts);
  const auto tensors = ImportSafetensors(AsBytes(file), TinyArchitecture());
  ASSERT_TRUE(tensors);
  EXPECT_EQ((*tensors)[2].dtype, DType::kF32);
  EXPECT_EQ(LoadLe<float>((*tensors)[2].bytes.data()), 1.0f);
  EXPECT_EQ(LoadLe<float>((*tensors)[2].bytes.data() + 4), -2.0f);
  parts[2].dtype = "F64";
  parts[2].data.assign(48, '\0');
  EXPECT_THAT(ReasonOf(parts, ErrorCode::kUnsupported), HasSubstr("type 'F64'"));
}

TEST(Import, RefusesAmbiguousAndHalfWeightNorms) {
  const auto part = [](const std::string& name, std::vector<size_t> shape, size_t count) {
    return testing::SafetensorsPart{name, "F32", std::move(shape), testing::RawLe(std::vector<float>(count, 1))};
  };
  auto both = Parts();
  both.push_back(part("conv.weight_g", {4, 1, 1}, 4));
  EXPECT_THAT(ReasonOf(both), HasSubstr("both folded and as weight norm"));
  auto half = Parts();
  half[5] = part("conv.weight_g", {4, 1, 1}, 4);
  EXPECT_THAT(ReasonOf(half), HasSubstr("half of a weight norm"));
  half.push_back(part("conv.weight_v", {4, 2, 3}, 24));
  EXPECT_EQ(ReasonOf(half), "accepted");
  half.back().data.replace(0, 24, std::string(24, '\0'));  // a row of zeros has no direction
  EXPECT_THAT(ReasonOf(half), HasSubstr("weight norm of row 0 is not finite"));
  half[5] = part("conv.weight_g", {4}, 4);
  EXPECT_THAT(ReasonOf(half), HasSubstr("has shape [4]"));
}

TEST(Import, IgnoresWhatTheModelDoesNotUse) {
  auto parts = Parts();
  parts.push_back({"bert.pooler.weight", "F32", {1}, std::string(4, '\xFF')});
  parts.push_back({"bert.embeddings.position_ids", "I64", {1}, std::string(8, '\0')});
  parts.push_back({"x.norm.weight", "F32", {2}, testing::RawLe<float>({1, 1})});
  parts.push_back({"x.norm.bias", "F32", {2}, testing::RawLe<float>({0, 0})});
  EXPECT_EQ(ReasonOf(parts), "accepted");
  parts.back().data = testing::RawLe<float>({0, 0.5f});
  EXPECT_THAT(ReasonOf(parts, ErrorCode::kUnsupported), HasSubstr("x.norm.bias"));
  auto doubled = Parts();
  doubled.push_back({"module.alpha", "F32", {1, 4, 1}, doubled.back().data});
  EXPECT_THAT(ReasonOf(doubled), HasSubstr("tensor: 'alpha': twice"));
}

TEST(Import, ChecksScalesAndZeroPoints) {
  const auto with = [](float scale, int32_t zero, size_t count) {
    auto parts = Parts();
    parts[1].dtype = "I8";
    parts[1].data.resize(24);
    parts.push_back({"fc.weight.scale", "F32", {count}, testing::RawLe(std::vector<float>(count, scale))});
    parts.push_back({"fc.weight.zero_point", "I32", {count}, testing::RawLe(std::vector<int32_t>(count, zero))});
    return ReasonOf(parts);
  };
  EXPECT_EQ(with(0.5f, 0, 1), "accepted");
  EXPECT_EQ(with(0.5f, -128, 6), "accepted");
  EXPECT_THAT(with(0.5f, 0, 4), HasSubstr("4 scales"));
  EXPECT_THAT(with(0.0f, 0, 1), HasSubstr("scale 0 is 0"));
  EXPECT_THAT(with(-1.0f, 0, 1), HasSubstr("scale 0 is -1"));
  EXPECT_THAT(with(std::numeric_limits<float>::quiet_NaN(), 0, 6), HasSubstr("scale 0 is nan"));
  EXPECT_THAT(with(std::numeric_limits<float>::infinity(), 0, 6), HasSubstr("scale 0 is inf"));
  EXPECT_THAT(with(std::numeric_limits<float>::max(), 0, 6), HasSubstr("scale 0 is"));  // times 255 is infinite
  EXPECT_THAT(with(0.5f, 128, 1), HasSubstr("zero point 0 is 128"));
  EXPECT_THAT(with(0.5f, -129, 1), HasSubstr("zero point 0 is -129"));
}

TEST(Import, OnnxNamesWhatIsMissing) {
  EXPECT_THAT(Reason(WeightsFormat::kOnnx, testing::OnnxModelBytes({}, {})),
              HasSubstr("tensor: emb.weight: the file has no initialiser 'enc.emb.weight'"));
  std::string renamed = testing::TinyOnnx(OnnxForm::kFp32);
  renamed.replace(renamed.rfind("/enc/lstm/LSTM"), 5, "/foo/");
  EXPECT_THAT(Reason(WeightsFormat::kOnnx, renamed),
              HasSubstr("tensor: lstm.weight_ih_l0: the file has no node '/enc/lstm/LSTM'"));
  std::string unscaled = testing::TinyOnnx(OnnxForm::kInt8);
  for (size_t at; (at = unscaled.find("fc.weight_scale")) != std::string::npos;) unscaled[at] = 'g';
  EXPECT_THAT(Reason(WeightsFormat::kOnnx, unscaled), HasSubstr("no initialiser 'fc.weight_scale'"));
}

TEST(Import, ChoosesTheFormatByTheEnding) {
  EXPECT_EQ(*WeightsFormatOfPath("a/b.ONNX"), WeightsFormat::kOnnx);
  EXPECT_EQ(*WeightsFormatOfPath("b.pth"), WeightsFormat::kTorch);
  EXPECT_EQ(*WeightsFormatOfPath("b.safetensors"), WeightsFormat::kSafetensors);
  const auto other = WeightsFormatOfPath("b.gguf");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code(), ErrorCode::kInvalidArgument);
}

TEST(ImportVoice, BothFormsAgree) {
  const std::string bin = testing::TinyVoiceBin(), torch = testing::TinyVoiceTorch();
  const auto a = ImportVoiceBin(AsBytes(bin), TinyArchitecture());
  const auto b = ImportVoiceTorch(AsBytes(torch), TinyArchitecture());
  ASSERT_TRUE(a);
  ASSERT_TRUE(b) << b.error().message();
  EXPECT_EQ(*a, *b);
  EXPECT_EQ((*a)[8], 0.0f);
}

TEST(ImportVoice, RefusesOtherSizesAndValues) {
  const auto reason = [](const std::string& bin) {
    const auto voice = ImportVoiceBin(AsBytes(bin), TinyArchitecture());
    return voice ? "accepted" : voice.error().message();
  };
  std::string bin = testing::TinyVoiceBin();
  EXPECT_THAT(reason(bin.substr(4)), HasSubstr("92 bytes, expected 96"));
  EXPECT_THAT(reason(bin + bin), HasSubstr("192 bytes"));
  EXPECT_THAT(reason(""), HasSubstr("0 bytes"));
  const auto with = [&](float value) { return std::string(bin).replace(8, 4, testing::RawLe<float>({value})); };
  EXPECT_EQ(reason(with(kMaxVoiceMagnitude)), "accepted");
  EXPECT_THAT(reason(with(std::nextafter(kMaxVoiceMagnitude, 99.0f))), HasSubstr("voice: value 2 is"));
  EXPECT_THAT(reason(with(-33.0f)), HasSubstr("value 2"));
  EXPECT_THAT(reason(with(std::numeric_limits<float>::quiet_NaN())), HasSubstr("value 2 is nan"));
  const auto model = ImportVoiceTorch(AsBytes(testing::TinyTorch(NormForm::kFolded)), TinyArchitecture());
  ASSERT_FALSE(model);
  EXPECT_THAT(model.error().message(), HasSubstr("no single tensor"));
}

}  // namespace
}  // namespace koe::bundle
