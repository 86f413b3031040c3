// SPDX-License-Identifier: Apache-2.0
// The calls of Core ML itself, as C++: all Objective-C++ of Koe is in coreml_model.mm.
#ifndef KOE_DEVICES_COREML_COREML_MODEL_H_
#define KOE_DEVICES_COREML_COREML_MODEL_H_

#include <memory>
#include <string>

#include "devices/coreml/compute_policy.h"
#include "devices/onnxruntime.h"
#include "koe/result.h"

namespace koe::devices {

// Compiles a package into a folder of its own in the temporary directory. kInternal: what Core ML says.
Result<std::string> CompileCoreMlModel(const std::string& package_path);
// kInternal. The session is thread-safe; its runs are one at a time.
Result<std::unique_ptr<OnnxRuntime::Session>> OpenCoreMlModel(const std::string& compiled_path, ComputeUnits units);
// "<Caches>" of the user or app; "" where there is none.
std::string CachesDirectory();
// "macOS 15.1 (24B83)"
std::string OperatingSystemVersion();

}  // namespace koe::devices

#endif  // KOE_DEVICES_COREML_COREML_MODEL_H_
