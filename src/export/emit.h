// SPDX-License-Identifier: Apache-2.0
// Graphs as files: an ML Program (Core ML) or an ONNX model.
#ifndef KOE_EXPORT_EMIT_H_
#define KOE_EXPORT_EMIT_H_

#include <map>
#include <span>
#include <string>

#include "export/blob_file.h"
#include "export/graph.h"

namespace koe::exporter {

struct ModelText {
  std::string description;
  std::string version;
  std::map<std::string, std::string> properties;
};

struct NamedFunction {
  std::string name;
  const Graph* graph;
};

// The serialised Model of one function `main`, or of several, the first of which is the default. Large constants go to
// `blobs`. spec_version 6 to 10 chooses the operator set: 6 for iOS 15 and macOS 12, 7 for iOS 16; several functions
// need 9. kInternal: names that are not identifiers.
Result<std::string> EmitCoreMl(std::span<const NamedFunction> functions, int spec_version, const ModelText& text,
                               BlobFile* blobs);

// The serialised ModelProto: IR 8, opset 17. Names of inputs and outputs are the graph's; an input with a default is
// an initialiser too, so that a caller may leave it out.
std::string EmitOnnx(const Graph& graph, const std::string& name, const ModelText& text);

// PyTorch's rows of gates i, f, g, o in another order; `order` holds the new rows' old numbers.
SharedBytes ReorderGates(const SharedBytes& bytes, std::span<const size_t> order);

}  // namespace koe::exporter

#endif  // KOE_EXPORT_EMIT_H_
