// SPDX-License-Identifier: Apache-2.0
// The neural stages on exported ONNX models of fixed sizes: the smallest that fits is used, the rest is padding behind
// a mask, and what came of the padding is cut off. Nothing is ever cut short: what fits no size is an error.
#ifndef KOE_DEVICES_ONNX_STAGES_H_
#define KOE_DEVICES_ONNX_STAGES_H_

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "devices/onnxruntime.h"
#include "pipeline/plan.h"

namespace koe::devices {

// A folder of float32 models with the names that `koe export --format onnx --precision fp32` gives them. Opens a model
// when it is first needed. Thread-safe.
class OnnxFolder {
 public:
  // kNotFound: no model of any stage there.
  static Result<std::shared_ptr<const OnnxFolder>> Open(std::shared_ptr<const OnnxRuntime> runtime, std::string folder,
                                                        int num_threads);

  pipeline::StaticBuckets buckets() const { return buckets_; }
  // The smallest size that holds `tokens`. kTooLong names it and the largest there is.
  Result<int> TokenSize(size_t tokens) const;
  // The smallest number of seconds that holds `frames` of 40 a second. kTooLong.
  Result<int> Seconds(size_t frames) const;
  Result<const OnnxRuntime::Session*> Session(const std::string& name) const;

 private:
  OnnxFolder(std::shared_ptr<const OnnxRuntime> runtime, std::string folder, int num_threads)
      : runtime_(std::move(runtime)), folder_(std::move(folder)), num_threads_(num_threads) {}
  std::shared_ptr<const OnnxRuntime> runtime_;
  std::string folder_;
  int num_threads_;
  pipeline::StaticBuckets buckets_;  // ascending
  mutable std::mutex mutex_;
  mutable std::map<std::string, std::unique_ptr<OnnxRuntime::Session>> sessions_;
};

std::unique_ptr<stages::Duration> MakeOnnxDuration(std::shared_ptr<const OnnxFolder> folder);
std::unique_ptr<stages::Prosody> MakeOnnxProsody(std::shared_ptr<const OnnxFolder> folder);
std::unique_ptr<stages::Decoder> MakeOnnxDecoder(std::shared_ptr<const OnnxFolder> folder);
std::unique_ptr<stages::Generator> MakeOnnxGenerator(std::shared_ptr<const OnnxFolder> folder);

}  // namespace koe::devices

#endif  // KOE_DEVICES_ONNX_STAGES_H_
