// SPDX-License-Identifier: Apache-2.0
// A whole ONNX file as weights; the reader's own promises; numbers of base 128 against their definition.
#include "bundle/limits.h"
#include "bundle/onnx_reader.h"
#include "bundle/testing/fuzz_oracle.h"

namespace {

using namespace koe::bundle;

// Bits beyond the 64th are kept here, so that they are seen.
void CheckVarint(Bytes bytes) {
  unsigned __int128 value = 0;
  size_t size = 0;
  bool ended = false;
  while (!ended && size < std::min<size_t>(bytes.size(), 10)) {
    const auto byte = std::to_integer<unsigned>(bytes[size]);
    value |= static_cast<unsigned __int128>(byte % 128) << (7 * size++);
    ended = byte < 128;
  }
  const bool fits = ended && (value >> 64) == 0;
  ByteReader reader(bytes);
  uint64_t read = 0;
  testing::Require(reader.ReadVarint(&read) == fits);
  testing::Require(reader.offset() == (fits ? size : 0) && (!fits || read == static_cast<uint64_t>(value)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes bytes = testing::FuzzBytes(data, size);
  for (const size_t skip : {0, 1, 2}) CheckVarint(bytes.subspan(std::min(skip, size)));
  if (const auto graph = ReadOnnx(bytes)) {
    for (const OnnxNode& node : graph->nodes) {
      testing::Require(node.inputs.size() <= kMaxOnnxNodeInputs && node.outputs.size() <= kMaxOnnxNodeInputs);
      testing::Require(node.name.size() <= kMaxTensorNameBytes);
    }
    for (const OnnxTensor& tensor : graph->initializers) {
      testing::Require(tensor.shape.size() <= kMaxRank && graph->FindInitializer(tensor.name) == &tensor);
      std::vector<std::byte> owned;
      const auto elements = OnnxElements(tensor, &owned);
      if (!elements) testing::RequireReason(elements.error());
    }
  } else {
    testing::RequireReason(graph.error());
  }
  testing::CheckImport(ImportOnnx(bytes, testing::TinyArchitecture()));
  return 0;
}
