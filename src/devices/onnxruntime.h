// SPDX-License-Identifier: Apache-2.0
// Runs exported ONNX models in the user's own onnxruntime, which is loaded when it is asked for and never linked.
#ifndef KOE_DEVICES_ONNXRUNTIME_H_
#define KOE_DEVICES_ONNXRUNTIME_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "koe/result.h"

namespace koe::devices {

// A tensor by name. Exactly one of floats and integers is set; data are read during the run only.
struct InputTensor {
  const char* name;
  std::vector<int64_t> shape;
  std::span<const float> floats = {};
  std::span<const int32_t> integers = {};
};
// Where an output goes: exactly one is set, of as many elements as the output has.
struct OutputTensor {
  const char* name;
  std::vector<int64_t> shape;
  std::span<float> floats = {};
  std::span<int32_t> integers = {};
};

class OnnxRuntime {
 public:
  // One opened model. Thread-safe.
  class Session {
   public:
    virtual ~Session() = default;
    // kInternal: what onnxruntime says, in one line.
    virtual Result<void> Run(const std::vector<InputTensor>& inputs,
                             const std::vector<OutputTensor>& outputs) const = 0;
  };

  // The library at `path`, or by the system's search for "" ($KOE_ONNXRUNTIME_LIBRARY, else libonnxruntime.so.1,
  // libonnxruntime.so). kNotFound: no such library; kUnsupported: it is older than 1.16. The library stays loaded.
  static Result<std::shared_ptr<const OnnxRuntime>> Load(const std::string& path);
  virtual ~OnnxRuntime() = default;
  // kNotFound, kInternal. num_threads 0: onnxruntime's choice.
  virtual Result<std::unique_ptr<Session>> Open(const std::string& model_path, int num_threads) const = 0;
  virtual const std::string& version() const = 0;
};

}  // namespace koe::devices

#endif  // KOE_DEVICES_ONNXRUNTIME_H_
