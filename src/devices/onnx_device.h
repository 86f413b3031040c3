// SPDX-License-Identifier: Apache-2.0
// "onnx:cpu" and "coreml": the neural stages on exported models, and which stages a user places there.
#ifndef KOE_DEVICES_ONNX_DEVICE_H_
#define KOE_DEVICES_ONNX_DEVICE_H_

#include <memory>
#include <string>
#include <vector>

#include "pipeline/plan.h"

namespace koe::devices {

// What a plan's stages run on; outlives the models made from the plan.
struct PlacedStages {
  std::vector<std::shared_ptr<const pipeline::Device>> devices;  // each once; empty: every stage is native
  int largest_seconds = 0;                                       // of one chunk that every placed stage holds; 0: any
};

// Puts the stages that `places` names on exported models in `models_dir`: "generator=onnx:cpu", "all=onnx:cpu"; of two
// for one stage the later counts; "=cpu" is the native form. "pitch" is what the harmonic source integrates: it stays
// native wherever duration and prosody are, unless it is placed by name (native_pitch.h); "all" leaves it.
// "coreml", or "coreml:cpu", ":gpu", ":ane", ":all" (coreml/compute_policy.h): the packages of an SDK bundle in
// `models_dir`, on Apple's systems; kUnsupported elsewhere. Every stage may have processors of its own, but Core ML and
// onnxruntime are not mixed.
// Placed stages compute in float32, whatever the plan's precision. kInvalidArgument: what names no stage or device; no
// models_dir. kNotFound: no onnxruntime, no models of a placed stage. kUnsupported: an onnxruntime that is too old.
Result<PlacedStages> PlaceStages(const std::vector<std::string>& places, const std::string& models_dir, int num_threads,
                                 pipeline::Plan* plan);

}  // namespace koe::devices

#endif  // KOE_DEVICES_ONNX_DEVICE_H_
