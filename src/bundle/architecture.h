// SPDX-License-Identifier: Apache-2.0
// What the program computes with, as a table: every reader compares a file with it and takes no size from the file.
#ifndef KOE_BUNDLE_ARCHITECTURE_H_
#define KOE_BUNDLE_ARCHITECTURE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "bundle/json.h"
#include "bundle/weights.h"

namespace koe::bundle {

// Where a tensor stands in the ONNX graph. The int8 release is the fp32 one with "_quant" behind the names of nodes and
// "_quantized" behind those of initialisers; `name` is without them.
struct OnnxSource {
  enum class Kind {
    kInitializer,      // `name` is an initialiser, stored as the table has it
    kNodeWeight,       // input 1 of the convolution node `name`
    kLinearWeight,     // input 1 of the MatMul or Gemm node `name`; [in][out] unless a Gemm transposes it
    kLstmInputWeight,  // of the LSTM node `name`, direction below: rows reordered from i,o,f,c to i,f,g,o
    kLstmRecurrentWeight,
    kLstmInputBias,
    kLstmRecurrentBias,
  };
  Kind kind;
  std::string name;
  size_t direction = 0;  // LSTM: 0 forward, 1 backward
};

struct Architecture {
  std::string name;                 // "kokoro-82m"
  std::vector<TensorSpec> tensors;  // in the order of the flow
  std::vector<OnnxSource> onnx;     // parallel to tensors
  Json config;                      // written to and compared with the manifest's model_config
  size_t voice_rows = 0;            // one style vector for each number of phonemes
  size_t voice_cols = 0;
  size_t vocab_rows = 0;  // ids are in [1, vocab_rows)
};

// Kokoro-82M v1.0.
const Architecture& KokoroArchitecture();

}  // namespace koe::bundle

#endif  // KOE_BUNDLE_ARCHITECTURE_H_
