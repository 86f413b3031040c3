// SPDX-License-Identifier: Apache-2.0
// Weights from the forms in which Kokoro is published. Each importer reads untrusted bytes, compares every tensor with
// the architecture's table and returns them in the table's order, values checked to be finite.
#ifndef KOE_BUNDLE_IMPORT_H_
#define KOE_BUNDLE_IMPORT_H_

#include <string>
#include <vector>

#include "bundle/architecture.h"
#include "bundle/tensor_data.h"
#include "koe/result.h"

namespace koe::bundle {

enum class WeightsFormat { kOnnx, kTorch, kSafetensors };
// By the ending: .onnx, .pth or .pt, .safetensors; kInvalidArgument otherwise.
Result<WeightsFormat> WeightsFormatOfPath(const std::string& path);
const char* WeightsFormatName(WeightsFormat format);  // onnx, pth, safetensors

// The result points into `file`, which must outlive it. kCorruptBundle: not the format, or a tensor is missing or of
// another shape or not finite; kUnsupported: a form of the format that is not read.
Result<std::vector<ImportedTensor>> ImportWeights(WeightsFormat format, Bytes file, const Architecture& architecture);

Result<std::vector<ImportedTensor>> ImportOnnx(Bytes file, const Architecture& architecture);
Result<std::vector<ImportedTensor>> ImportTorch(Bytes file, const Architecture& architecture);
Result<std::vector<ImportedTensor>> ImportSafetensors(Bytes file, const Architecture& architecture);

// A voice of the architecture's shape, row-major float32, finite and within +-kMaxVoiceMagnitude.
// From raw little-endian float32, or from a .pt file holding one tensor [rows, 1, cols] or [rows, cols].
Result<std::vector<float>> ImportVoiceBin(Bytes file, const Architecture& architecture);
Result<std::vector<float>> ImportVoiceTorch(Bytes file, const Architecture& architecture);

}  // namespace koe::bundle

#endif  // KOE_BUNDLE_IMPORT_H_
