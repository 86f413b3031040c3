// SPDX-License-Identifier: Apache-2.0
// A model of a few hundred numbers with a place of every kind, in every form that the importers read. All values are
// exact in float16, so that every form holds the same numbers.
#ifndef KOE_BUNDLE_TESTING_SYNTHETIC_H_
#define KOE_BUNDLE_TESTING_SYNTHETIC_H_

#include <string>
#include <vector>

#include "bundle/architecture.h"

namespace koe::bundle::testing {

const Architecture& TinyArchitecture();

// Values of each tensor of the architecture, row-major.
const std::vector<std::vector<float>>& TinyValues();

enum class OnnxForm { kInt8, kFp32, kFp16 };
std::string TinyOnnx(OnnxForm form);

enum class NormForm { kFolded, kWeightG, kParametrised };
std::string TinyTorch(NormForm form, bool module_prefix = false);
std::string TinySafetensors(NormForm form);

std::string TinyVoiceBin();
std::string TinyVoiceTorch();  // the storage has a row more than the view, as some official files do

}  // namespace koe::bundle::testing

#endif  // KOE_BUNDLE_TESTING_SYNTHETIC_H_
