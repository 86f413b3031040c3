// SPDX-License-Identifier: Apache-2.0
#include "bundle/convert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>

#include "bundle/half.h"
#include "bundle/import.h"
#include "bundle/testing/synthetic.h"

namespace koe::bundle {
namespace {

TEST(HalfTest, EveryHalfSurvivesTheWayToFloatAndBack) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float value = HalfToFloat(static_cast<uint16_t>(bits));
    if (std::isnan(value)) continue;
    EXPECT_EQ(FloatToHalf(value), bits);
  }
}

// Between two neighbouring halves: the nearer one; half way, the even one.
TEST(HalfTest, RoundsToTheNearest) {
  for (uint32_t bits = 0; bits < 0x7BFF; ++bits) {
    const float low = HalfToFloat(static_cast<uint16_t>(bits)), high = HalfToFloat(static_cast<uint16_t>(bits + 1));
    const float middle = (low + high) / 2;  // exact: one more bit than a half has
    EXPECT_EQ(FloatToHalf(middle), bits % 2 == 0 ? bits : bits + 1);
    EXPECT_EQ(FloatToHalf(std::nextafter(middle, low)), bits);
    EXPECT_EQ(FloatToHalf(std::nextafter(middle, high)), bits + 1);
    EXPECT_EQ(FloatToHalf(-std::nextafter(middle, high)), 0x8000 | (bits + 1));
  }
  EXPECT_EQ(FloatToHalf(65504.0f), 0x7BFF);
  EXPECT_EQ(FloatToHalf(65519.0f), 0x7BFF);
  EXPECT_EQ(FloatToHalf(65520.0f), 0x7C00);  // infinity
  EXPECT_EQ(FloatToHalf(1e30f), 0x7C00);
  EXPECT_EQ(FloatToHalf(1e-30f), 0);
}

class ConvertTest : public ::testing::Test {
 protected:
  // The tiny model of `form`, converted; values of each tensor.
  std::vector<std::vector<float>> Converted(testing::OnnxForm form, const std::string& precision) {
    file_ = testing::TinyOnnx(form);
    auto imported = ImportOnnx(AsBytes(file_), testing::TinyArchitecture());
    EXPECT_TRUE(imported);
    tensors_ = std::move(*imported);
    const auto done = ConvertTensors(precision, table_, &tensors_);
    EXPECT_TRUE(done) << done.error().message();
    std::vector<std::vector<float>> values;
    for (size_t i = 0; i < table_.size(); ++i) {
      const ImportedTensor& t = tensors_[i];
      const StoredTensor stored{table_[i].name, t.dtype, table_[i].shape, t.bytes.data(), t.scales, t.zero_points};
      values.emplace_back(stored.num_elements());
      EXPECT_EQ(t.bytes.size(), stored.num_elements() * ElementBytes(t.dtype));
      EXPECT_TRUE(Dequantise(stored, values.back()));
    }
    return values;
  }
  bool IsMatrix(size_t i) const {
    return std::count_if(table_[i].shape.begin(), table_[i].shape.end(), [](size_t d) { return d > 1; }) >= 2;
  }
  const std::vector<TensorSpec>& table_ = testing::TinyArchitecture().tensors;
  std::string file_;
  std::vector<ImportedTensor> tensors_;
};

TEST_F(ConvertTest, WideningIsExact) {
  // The tiny model's numbers are halves, so this way and the next lose nothing either.
  for (const auto form : {testing::OnnxForm::kInt8, testing::OnnxForm::kFp16, testing::OnnxForm::kFp32}) {
    const auto before = Converted(form, ""), after = Converted(form, "fp32");
    EXPECT_EQ(before, after);
    for (const ImportedTensor& tensor : tensors_) EXPECT_EQ(tensor.dtype, DType::kF32);
  }
}

TEST_F(ConvertTest, HalvesHoldTheMatrices) {
  const auto before = Converted(testing::OnnxForm::kInt8, ""), after = Converted(testing::OnnxForm::kInt8, "fp16");
  EXPECT_EQ(before, after);
  for (size_t i = 0; i < table_.size(); ++i) {
    EXPECT_EQ(tensors_[i].dtype, IsMatrix(i) ? DType::kF16 : DType::kF32) << table_[i].name;
    EXPECT_TRUE(tensors_[i].scales.empty());
  }
}

TEST_F(ConvertTest, EightBitsAreOffByAtMostHalfAScale) {
  const auto before = Converted(testing::OnnxForm::kFp32, ""), after = Converted(testing::OnnxForm::kFp32, "int8");
  size_t num_int8 = 0;
  for (size_t i = 0; i < table_.size(); ++i) {
    if (!IsMatrix(i)) {
      EXPECT_EQ(tensors_[i].dtype, DType::kF32);
      EXPECT_EQ(before[i], after[i]);
      continue;
    }
    ++num_int8;
    ASSERT_EQ(tensors_[i].dtype, DType::kI8) << table_[i].name;
    ASSERT_EQ(tensors_[i].scales.size(), table_[i].shape[0]);
    EXPECT_TRUE(CheckValues(table_[i].name, DType::kI8, tensors_[i].bytes, table_[i].shape[0], tensors_[i].scales,
                            tensors_[i].zero_points));
    const size_t cols = before[i].size() / table_[i].shape[0];
    for (size_t k = 0; k < before[i].size(); ++k) {
      const float scale = tensors_[i].scales[k / cols];
      // Half a scale, and the rounding of the quotient (at most 127 of them) and of the product.
      EXPECT_LE(std::abs(before[i][k] - after[i][k]), scale * (0.5f + 2 * 127 * 6e-8f)) << table_[i].name << ' ' << k;
    }
  }
  EXPECT_GT(num_int8, 3u);
}

TEST_F(ConvertTest, WhatIsSmallAlreadyStaysAsItIs) {
  Converted(testing::OnnxForm::kInt8, "int8");
  std::vector<std::string> bytes;
  for (const ImportedTensor& t : tensors_) bytes.emplace_back(AsText(t.bytes));
  Converted(testing::OnnxForm::kInt8, "");
  for (size_t i = 0; i < tensors_.size(); ++i) {
    if (tensors_[i].dtype == DType::kI8 || tensors_[i].dtype == DType::kU8) {
      EXPECT_EQ(bytes[i], AsText(tensors_[i].bytes));
    }
  }
}

TEST(ConvertTensorTest, RowsOfZerosAndValuesThatDoNotFit) {
  const std::vector<TensorSpec> table = {{"w", {2, 3}}};
  const auto convert = [&](const std::vector<float>& values, const std::string& precision, ImportedTensor* out) {
    std::vector<ImportedTensor> tensors(1);
    tensors[0].owned.resize(values.size() * 4);
    std::memcpy(tensors[0].owned.data(), values.data(), values.size() * 4);
    tensors[0].bytes = tensors[0].owned;
    const auto result = ConvertTensors(precision, table, &tensors);
    *out = std::move(tensors[0]);
    return result;
  };
  ImportedTensor out;
  ASSERT_TRUE(convert({0, 0, 0, 127, -63.6f, 1e-3f}, "int8", &out));
  EXPECT_EQ(out.scales, (std::vector<float>{1, 1}));
  EXPECT_EQ(std::vector<std::byte>(out.bytes.begin(), out.bytes.end()),
            (std::vector<std::byte>{std::byte{0}, std::byte{0}, std::byte{0}, std::byte{127}, std::byte{0xC0},
                                    std::byte{0}}));
  EXPECT_EQ(convert({0, 0, 0, 3e38f, -3e38f, 0}, "int8", &out).error().code(), ErrorCode::kUnsupported);
  ASSERT_TRUE(convert({1e-42f, 0, 0, 1.6e38f, -1.6e38f, 0}, "int8", &out));
  EXPECT_TRUE(CheckValues("w", DType::kI8, out.bytes, 2, out.scales, out.zero_points));
  const auto large = convert({0, 0, 0, 0, 65520.0f, 0}, "fp16", &out);
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code(), ErrorCode::kUnsupported);
  EXPECT_THAT(large.error().message(), ::testing::HasSubstr("value 4"));
  // Snake's alphas are [1][C][1]: the least of them would become 0, and its inverse infinite.
  const std::vector<TensorSpec> alphas = {{"alpha", {1, 6, 1}}};
  std::vector<ImportedTensor> tensors(1);
  const std::vector<float> values = {1e-4f, 3, 1, 1, 1, 1};
  tensors[0].bytes = std::as_bytes(std::span(values));
  ASSERT_TRUE(ConvertTensors("int8", alphas, &tensors));
  EXPECT_EQ(tensors[0].dtype, DType::kF32);
  EXPECT_EQ(convert({0, 0, 0, 0, 0, 0}, "int4", &out).error().code(), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace koe::bundle
