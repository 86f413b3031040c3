// SPDX-License-Identifier: Apache-2.0
// Keeps what a stage shows its observer.
#ifndef KOE_TESTS_SUPPORT_RECORDER_H_
#define KOE_TESTS_SUPPORT_RECORDER_H_

#include <map>
#include <string>
#include <vector>

#include "stages/stage.h"
#include "support/measure.h"

namespace koe::test_support {

class Recorder final : public stages::TensorObserver {
 public:
  struct Tensor {
    size_t rows = 0, cols = 0;
    std::vector<float> values;  // time-major
    ConstMatrix view() const { return ConstMatrix(values.data(), rows, cols); }
  };
  void OnTensor(const char* name, ConstMatrix x) override { tensors[name] = {x.rows, x.cols, Flatten(x)}; }

  std::map<std::string, Tensor> tensors;
};

}  // namespace koe::test_support

#endif  // KOE_TESTS_SUPPORT_RECORDER_H_
