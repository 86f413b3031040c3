// SPDX-License-Identifier: Apache-2.0
#include "devices/coreml/coreml_runtime.h"

namespace koe::devices {

Result<std::shared_ptr<const OnnxRuntime>> MakeCoreMlRuntime(const std::string&, const std::string&,
                                                             const ComputePolicy&) {
  return Error(ErrorCode::kUnsupported, "coreml: this build of koe has none: Core ML is on Apple's systems only");
}

}  // namespace koe::devices
