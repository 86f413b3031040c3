// SPDX-License-Identifier: Apache-2.0
#include "bundle/onnx_reader.h"

#include <gtest/gtest.h>

#include "bundle/limits.h"
#include "bundle/testing/file_builders.h"

namespace koe::bundle {
namespace {

using testing::OnnxModelBytes;
using testing::OnnxNodeBytes;
using testing::OnnxTensorBytes;
using testing::Proto;

std::string Reason(const std::string& file, ErrorCode expected = ErrorCode::kCorruptBundle) {
  const auto graph = ReadOnnx(AsBytes(file));
  if (graph) return "accepted";
  EXPECT_EQ(graph.error().code(), expected) << graph.error().message();
  return graph.error().message();
}

// The elements of a model's only tensor.
Result<std::vector<std::byte>> Elements(const std::string& tensor) {
  const std::string file = OnnxModelBytes({}, {tensor});
  KOE_TRY(const OnnxGraph graph, ReadOnnx(AsBytes(file)));
  std::vector<std::byte> owned;
  KOE_TRY(const Bytes bytes, OnnxElements(graph.initializers[0], &owned));
  return std::vector<std::byte>(bytes.begin(), bytes.end());
}

TEST(OnnxReader, ReadsNodesAndInitialisers) {
  const std::string file = OnnxModelBytes({OnnxNodeBytes("Gemm", "/fc/Gemm", {"x", "w", ""}, {"y"})},
                                          {OnnxTensorBytes("w", 1, {2, 1}, "abcdefgh")});
  const auto graph = ReadOnnx(AsBytes(file));
  ASSERT_TRUE(graph) << graph.error().message();
  const OnnxNode* node = graph->FindNode("/fc/Gemm");
  ASSERT_NE(node, nullptr);
  EXPECT_EQ(node->op_type, "Gemm");
  EXPECT_TRUE(node->transposes_b);
  EXPECT_EQ(node->inputs, (std::vector<std::string_view>{"x", "w", ""}));
  const OnnxTensor* tensor = graph->FindInitializer("w");
  ASSERT_NE(tensor, nullptr);
  EXPECT_EQ(tensor->shape, (std::vector<size_t>{2, 1}));
  EXPECT_EQ(AsText(tensor->raw), "abcdefgh");
  EXPECT_EQ(graph->FindInitializer("v"), nullptr);
}

TEST(OnnxReader, ReadsTypedFieldsPackedAndNot) {
  const std::string floats = testing::RawLe<float>({1.5f, -2.0f});
  const auto packed = Elements(Proto().Varint(1, 2).Varint(2, 1).Text(8, "t").Text(4, floats).bytes());
  ASSERT_TRUE(packed) << packed.error().message();
  EXPECT_EQ(AsText(*packed), floats);
  // Dims packed; int8 values as sign-extended varints, one packed field and one plain.
  Proto minus_two;
  const std::string minus("\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 10);
  const auto ints = Elements(
      Proto().Text(1, std::string("\x03", 1)).Varint(2, 3).Text(8, "t").Text(5, minus + "\x05").Varint(5, 127).bytes());
  ASSERT_TRUE(ints) << ints.error().message();
  EXPECT_EQ(AsText(*ints), std::string("\xFE\x05\x7F"));
}

TEST(OnnxReader, RefusesElementsThatAreNotTheShapes) {
  const auto refused = [](const std::string& tensor) {
    const auto elements = Elements(tensor);
    EXPECT_FALSE(elements);
    return elements ? ErrorCode::kInternal : elements.error().code();
  };
  EXPECT_EQ(refused(OnnxTensorBytes("t", 1, {3}, "abcdefgh")), ErrorCode::kCorruptBundle);
  EXPECT_EQ(refused(OnnxTensorBytes("t", 1, {1}, "abcdefgh")), ErrorCode::kCorruptBundle);
  EXPECT_EQ(refused(OnnxTensorBytes("t", 7, {1}, "abcdefgh")), ErrorCode::kUnsupported);
  EXPECT_EQ(refused(OnnxTensorBytes("t", 1, {size_t{1} << 62, 4}, "")), ErrorCode::kCorruptBundle);
  // No data, and a shape that would ask for 4 GiB.
  EXPECT_EQ(refused(Proto().Varint(1, size_t{1} << 30).Varint(2, 1).Text(8, "t").bytes()), ErrorCode::kCorruptBundle);
  EXPECT_EQ(refused(Proto().Varint(1, 1).Varint(2, 3).Text(8, "t").Varint(5, 128).bytes()), ErrorCode::kCorruptBundle);
  EXPECT_EQ(refused(Proto().Varint(1, 1).Varint(2, 2).Text(8, "t").Varint(5, 256).bytes()), ErrorCode::kCorruptBundle);
  EXPECT_EQ(refused(Proto().Varint(1, 1).Varint(2, 3).Text(8, "t").Varint(5, 1).Varint(5, 1).bytes()),
            ErrorCode::kCorruptBundle);
  EXPECT_EQ(refused(Proto().Varint(1, 1).Varint(2, 1).Text(8, "t").Text(4, "abc").bytes()), ErrorCode::kCorruptBundle);
}

TEST(OnnxReader, RefusesEveryTruncationThatCutsAField) {
  const std::string graph = Proto().Text(5, OnnxTensorBytes("w", 1, {2}, "abcdefgh")).bytes();
  const std::string file = Proto().Text(7, graph).bytes();
  EXPECT_EQ(Reason(file), "accepted");
  for (size_t size = 0; size < file.size(); ++size) EXPECT_NE(Reason(file.substr(0, size)), "accepted") << size;
}

TEST(OnnxReader, RefusesBadWires) {
  EXPECT_NE(Reason(std::string("\x3B\x00", 2)).find("wire type 3"), std::string::npos);    // a group
  EXPECT_NE(Reason(std::string("\x02\x00", 2)).find("bad field tag"), std::string::npos);  // field 0
  EXPECT_NE(Reason(std::string(11, '\xFF')).find("bad field tag"), std::string::npos);     // an endless varint
  EXPECT_NE(Reason("\x3A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01").find("past its message"), std::string::npos);
  EXPECT_NE(Reason("").find("no graph"), std::string::npos);
  EXPECT_NE(Reason(Proto().Text(7, "").Text(7, "").bytes()).find("second graph"), std::string::npos);
  EXPECT_NE(Reason(Proto().Varint(7, 1).bytes()).find("graph"), std::string::npos);
}

TEST(OnnxReader, RefusesExternalData) {
  const std::string external =
      Proto().Text(8, "w").Text(13, Proto().Text(1, "location").Text(2, "../x").bytes()).bytes();
  EXPECT_NE(Reason(OnnxModelBytes({}, {external}), ErrorCode::kUnsupported).find("other files"), std::string::npos);
  const std::string located = Proto().Text(8, "w").Varint(14, 1).bytes();
  EXPECT_NE(Reason(OnnxModelBytes({}, {located}), ErrorCode::kUnsupported).find("other files"), std::string::npos);
}

TEST(OnnxReader, HoldsTheLimits) {
  const std::string tensor = OnnxTensorBytes("w", 1, {}, "abcd");
  EXPECT_NE(Reason(OnnxModelBytes({}, {tensor, tensor})).find("twice"), std::string::npos);
  const std::string node = OnnxNodeBytes("Add", "n", {}, {});
  EXPECT_NE(Reason(OnnxModelBytes({node, node}, {})).find("twice"), std::string::npos);
  const auto named = [](size_t size) {
    return OnnxModelBytes({}, {OnnxTensorBytes(std::string(size, 'n'), 1, {}, "abcd")});
  };
  EXPECT_EQ(Reason(named(kMaxTensorNameBytes)), "accepted");
  EXPECT_NE(Reason(named(kMaxTensorNameBytes + 1)).find("a name of"), std::string::npos);
  const auto ranked = [](size_t rank) {
    return OnnxModelBytes({}, {OnnxTensorBytes("w", 1, std::vector<size_t>(rank, 1), "abcd")});
  };
  EXPECT_EQ(Reason(ranked(kMaxRank)), "accepted");
  EXPECT_NE(Reason(ranked(kMaxRank + 1)).find("rank"), std::string::npos);
  std::vector<std::string> many;
  for (size_t i = 0; i < kMaxTensors; ++i) many.push_back(OnnxTensorBytes("w" + std::to_string(i), 1, {}, "abcd"));
  EXPECT_EQ(Reason(OnnxModelBytes({}, many)), "accepted");
  many.push_back(tensor);
  EXPECT_NE(Reason(OnnxModelBytes({}, many)).find("too many initialisers"), std::string::npos);
  EXPECT_NE(
      Reason(OnnxModelBytes({OnnxNodeBytes("Add", "n", std::vector<std::string>(kMaxOnnxNodeInputs + 1, "x"), {})}, {}))
          .find("too many inputs"),
      std::string::npos);
}

}  // namespace
}  // namespace koe::bundle
