// SPDX-License-Identifier: Apache-2.0
// Core ML behind the interface of the other runtimes of models with fixed sizes. Compiled on Apple's systems only;
// elsewhere a place that names it is kUnsupported.
#ifndef KOE_DEVICES_COREML_COREML_RUNTIME_H_
#define KOE_DEVICES_COREML_COREML_RUNTIME_H_

#include <memory>
#include <string>

#include "devices/coreml/compute_policy.h"
#include "devices/onnxruntime.h"
#include "koe/result.h"

namespace koe::devices {

// For the packages of an SDK bundle (`koe bundle build --kind coreml`) in `bundle_dir`. A package's files are compared
// with the manifest and compiled when it is first opened; compiled models are kept in `compiled_dir`, "" for
// <Caches>/KokoroTTS/compiled-<key>. The errors of opening a model: kNotFound (not in the manifest), kCorruptBundle,
// kInternal with what Core ML says. kNotFound, kCorruptBundle, kUnsupported: the bundle.
Result<std::shared_ptr<const OnnxRuntime>> MakeCoreMlRuntime(const std::string& bundle_dir,
                                                             const std::string& compiled_dir,
                                                             const ComputePolicy& policy);

}  // namespace koe::devices

#endif  // KOE_DEVICES_COREML_COREML_RUNTIME_H_
