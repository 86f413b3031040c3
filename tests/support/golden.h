// SPDX-License-Identifier: Apache-2.0
// Tensors of the PyTorch reference for one utterance, in $KOE_SHARED/golden (default ../shared beside the source).
#ifndef KOE_TESTS_SUPPORT_GOLDEN_H_
#define KOE_TESTS_SUPPORT_GOLDEN_H_

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/array.h"
#include "koe/result.h"

namespace koe::test_support {

class Golden {
 public:
  // Every *.safetensors of the folder, the shortest speech first; none where the folder does not exist.
  // kCorruptBundle names a file that cannot be read.
  static Result<std::vector<Golden>> All();
  static Result<Golden> Open(const std::string& path);

  const std::string& name() const { return name_; }
  std::vector<std::string> tensor_names() const;
  bool Has(const std::string& tensor) const { return tensors_.count(tensor) != 0; }
  // Time-major, whichever way the file has it; empty where there is no such tensor.
  ConstMatrix Matrix(const std::string& tensor) const;
  std::span<const float> Floats(const std::string& tensor) const;
  std::span<const int32_t> Integers(const std::string& tensor) const;

  size_t num_frames() const { return Floats("F0_pred").size() / 2; }
  std::span<const float> acoustic_style() const { return Floats("ref_s").first(128); }
  std::span<const float> prosody_style() const { return Floats("ref_s").subspan(128); }
  float speed() const { return Floats("speed")[0]; }

 private:
  struct Tensor {
    size_t rows = 0, cols = 0;
    std::vector<float> floats;
    std::vector<int32_t> integers;
  };
  std::string name_;
  std::map<std::string, Tensor> tensors_;
};

}  // namespace koe::test_support

#endif  // KOE_TESTS_SUPPORT_GOLDEN_H_
