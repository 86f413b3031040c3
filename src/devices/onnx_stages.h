// SPDX-License-Identifier: Apache-2.0
// The neural stages on exported ONNX models of fixed sizes: the smallest that fits is used, the rest is padding behind
// a mask, and what came of the padding is cut off. Nothing is ever cut short: what fits no size is an error.
#ifndef KOE_DEVICES_ONNX_STAGES_H_
#define KOE_DEVICES_ONNX_STAGES_H_

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "devices/onnxruntime.h"
#include "pipeline/plan.h"

namespace koe::devices {

// In the order of the flow; what `koe export` calls duration, f0ntrain, decoder_pre and decoder_har_post.
enum class OnnxStage { kDuration, kProsody, kDecoder, kGenerator };

// A folder of float32 models with the names that `koe export --format onnx --precision fp32` gives them. Opens a model
// when it is first needed. Thread-safe.
class OnnxFolder {
 public:
  // kNotFound: no model of any stage there.
  // `ending` is that of the models' names, for runtimes of other formats.
  static Result<std::shared_ptr<const OnnxFolder>> Open(std::shared_ptr<const OnnxRuntime> runtime, std::string folder,
                                                        int num_threads, std::string ending = ".onnx");

  const std::string& path() const { return folder_; }
  // Ascending: tokens of the duration stage, seconds of the others. Empty: the folder has no model of that stage.
  const std::vector<int>& sizes(OnnxStage stage) const { return sizes_[static_cast<size_t>(stage)]; }
  pipeline::StaticBuckets buckets() const;
  // The smallest size that holds `count` tokens, or duration frames (40 a second). kTooLong names both.
  Result<int> SizeFor(OnnxStage stage, size_t count) const;
  // The model of a size that the folder has. kNotFound: it is gone; kInternal: what onnxruntime says.
  Result<const OnnxRuntime::Session*> Session(OnnxStage stage, int size) const;

 private:
  OnnxFolder(std::shared_ptr<const OnnxRuntime> runtime, std::string folder, int num_threads, std::string ending)
      : runtime_(std::move(runtime)),
        folder_(std::move(folder)),
        num_threads_(num_threads),
        ending_(std::move(ending)) {}
  std::shared_ptr<const OnnxRuntime> runtime_;
  std::string folder_;
  int num_threads_;
  std::string ending_;
  std::array<std::vector<int>, 4> sizes_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, std::unique_ptr<OnnxRuntime::Session>> sessions_;
};

std::unique_ptr<stages::Duration> MakeOnnxDuration(std::shared_ptr<const OnnxFolder> folder);
std::unique_ptr<stages::Prosody> MakeOnnxProsody(std::shared_ptr<const OnnxFolder> folder);
std::unique_ptr<stages::Decoder> MakeOnnxDecoder(std::shared_ptr<const OnnxFolder> folder);
std::unique_ptr<stages::Generator> MakeOnnxGenerator(std::shared_ptr<const OnnxFolder> folder);

}  // namespace koe::devices

#endif  // KOE_DEVICES_ONNX_STAGES_H_
