// SPDX-License-Identifier: Apache-2.0
#include "export/graph.h"

#include <gmock/gmock.h>

#include "export/blob_file.h"

namespace koe::exporter {
namespace {

TEST(Graph, EqualOperationsAreOne) {
  Graph g;
  const Value x = g.Input("x", Type::kF32, {1, 4, 8});
  const Value a = g.Add(x, g.Scalar(Type::kF32, 1)), b = g.Add(x, g.Scalar(Type::kF32, 1));
  EXPECT_EQ(a, b);
  EXPECT_NE(a, g.Add(x, g.Scalar(Type::kF32, 2)));
  EXPECT_NE(g.Cast(x, Type::kF16), g.Cast(x, Type::kI32));
  EXPECT_EQ(g.Cast(x, Type::kF32), x);
  g.Output("y", a);
  EXPECT_TRUE(g.Check().has_value());
  EXPECT_EQ(g.Count(Op::kAdd), 2u);
}

TEST(Graph, InfersShapes) {
  Graph g;
  const auto zeros = [&](Shape shape) {
    return g.Floats(Type::kF32, shape, std::vector<float>(static_cast<size_t>(NumElements(shape))));
  };
  const Value x = g.Input("x", Type::kF32, {1, 4, 9});
  const Value conv = g.Conv(x, zeros({6, 4, 3}), zeros({6}), {.stride = 2, .padding = 1});
  EXPECT_EQ(g.shape(conv), (Shape{1, 6, 5}));
  EXPECT_EQ(g.shape(g.ConvTranspose(conv, zeros({6, 2, 20}), std::nullopt, {.stride = 10, .padding = 5})),
            (Shape{1, 2, 50}));
  EXPECT_EQ(g.shape(g.ConvTranspose(x, zeros({4, 1, 3}), std::nullopt, {.stride = 2, .groups = 4})), (Shape{1, 4, 19}));
  EXPECT_EQ(g.shape(g.Gather(x, g.Integers({2, 3}, std::vector<int32_t>(6)), 1)), (Shape{1, 2, 3, 9}));
  EXPECT_EQ(g.shape(g.MatMul(x, x, true)), (Shape{1, 4, 4}));
  EXPECT_EQ(g.shape(g.SplitHalves(x, 1).second), (Shape{1, 2, 9}));
  EXPECT_EQ(g.shape(g.ReflectLeft(g.Upsample2(x))), (Shape{1, 4, 19}));
  EXPECT_EQ(g.shape(g.Add(x, zeros({9}))), (Shape{1, 4, 9}));
  g.Output("y", conv);
  EXPECT_TRUE(g.Check().has_value());
}

// Each mistake by itself fails the graph, whatever follows.
TEST(Graph, RefusesWhatDoesNotFit) {
  const auto fails = [](auto mistake) {
    Graph g;
    const Value x = g.Input("x", Type::kF32, {1, 4, 8});
    g.Output("y", g.Unary(Op::kSin, x));
    mistake(g, x);
    const auto checked = g.Check();
    return !checked.has_value() && checked.error().code() == ErrorCode::kInternal;
  };
  EXPECT_FALSE(fails([](Graph&, Value) {}));
  EXPECT_TRUE(fails([](Graph& g, Value x) { g.Add(x, g.Floats(Type::kF32, {3}, std::vector<float>(3))); }));
  EXPECT_TRUE(fails([](Graph& g, Value x) { g.Add(x, g.Scalar(Type::kF16, 1)); }));
  EXPECT_TRUE(fails([](Graph& g, Value x) {
    g.Conv(x, g.Floats(Type::kF32, {2, 3, 1}, std::vector<float>(6)), {}, {});
  }));
  EXPECT_TRUE(fails([](Graph& g, Value x) { g.Slice(x, 2, 0, 9); }));
  EXPECT_TRUE(fails([](Graph& g, Value x) { g.Transpose(x, {0, 2, 2}); }));
  EXPECT_TRUE(fails([](Graph& g, Value x) { g.Reshape(x, {31}); }));
  EXPECT_TRUE(fails([](Graph& g, Value x) { g.Squeeze(x, 1); }));
  EXPECT_TRUE(fails([](Graph& g, Value x) { g.Gather(x, x, 1); }));
  EXPECT_TRUE(fails([](Graph& g, Value x) { g.Concat({x, g.Slice(x, 2, 0, 4)}, 1); }));
  EXPECT_TRUE(fails([](Graph& g, Value) { g.Constant(Type::kF32, {2}, std::make_shared<ByteVector>(4)); }));
}

uint64_t Load(const ByteVector& file, size_t offset, size_t size) {
  uint64_t value = 0;
  for (size_t i = 0; i < size; ++i) value |= uint64_t{std::to_integer<uint8_t>(file[offset + i])} << 8 * i;
  return value;
}

TEST(BlobFile, LaysOutRecords) {
  BlobFile blobs;
  const auto bytes = [](size_t size, int value) {
    return std::make_shared<const ByteVector>(size, static_cast<std::byte>(value));
  };
  EXPECT_EQ(blobs.Add(Type::kF16, bytes(20, 1)), 64u);
  EXPECT_EQ(blobs.Add(Type::kF32, bytes(64, 2)), 192u);  // 64 + 64 + 20, aligned
  EXPECT_EQ(blobs.Add(Type::kF16, bytes(20, 1)), 64u);   // equal bytes
  EXPECT_EQ(blobs.Add(Type::kF32, bytes(20, 1)), 320u);  // of another type
  ByteVector file;
  ASSERT_TRUE(blobs
                  .Write([&](std::span<const std::byte> part) -> Result<void> {
                    file.insert(file.end(), part.begin(), part.end());
                    return {};
                  })
                  .has_value());
  EXPECT_EQ(file.size(), 320u + 64 + 20);
  EXPECT_EQ(Load(file, 0, 4), 3u);
  EXPECT_EQ(Load(file, 4, 4), 2u);
  EXPECT_EQ(Load(file, 192, 4), 0xDEADBEEFu);
  EXPECT_EQ(Load(file, 196, 4), 2u);    // float32
  EXPECT_EQ(Load(file, 200, 8), 64u);   // bytes
  EXPECT_EQ(Load(file, 208, 8), 256u);  // where they are
  EXPECT_EQ(Load(file, 256, 1), 2u);
}

}  // namespace
}  // namespace koe::exporter
