// SPDX-License-Identifier: Apache-2.0
// The bundle's tensors as constants of a graph. Every tensor is dequantised and rounded once, however many programs
// use it, so that programs of one stage share their bytes.
#ifndef KOE_EXPORT_WEIGHT_STORE_H_
#define KOE_EXPORT_WEIGHT_STORE_H_

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "bundle/weights.h"
#include "export/graph.h"

namespace koe::exporter {

// Not thread-safe. The weights outlive the store; programs made from it keep what they use.
class WeightStore {
 public:
  explicit WeightStore(const bundle::Weights& weights) : weights_(weights) {}

  // The tensor `name` as float32, row-major. A name that the table lacks, or another number of elements than `size`,
  // is a mistake of the caller's: zeros, and Check fails.
  std::vector<float> Floats(const std::string& name, size_t size);
  // `shape` may differ from the stored one where the number of elements is the same.
  Value Tensor(Graph* graph, const std::string& name, Type type, Shape shape);
  // Values computed from tensors; `key` names what `make` computes.
  Value Derived(Graph* graph, const std::string& key, Type type, Shape shape,
                const std::function<std::vector<float>()>& make);
  // kInternal: the first mistake; kUnsupported: a value beyond what float16 can hold.
  Result<void> Check() const;

 private:
  const bundle::Weights& weights_;
  std::map<std::pair<std::string, Type>, SharedBytes> cache_;
  std::string mistake_, overflow_;
};

}  // namespace koe::exporter

#endif  // KOE_EXPORT_WEIGHT_STORE_H_
