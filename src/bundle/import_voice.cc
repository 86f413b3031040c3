// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <string>

#include "bundle/half.h"
#include "bundle/import.h"
#include "bundle/limits.h"
#include "bundle/quoted.h"
#include "bundle/torch_file.h"

namespace koe::bundle {
namespace {

Result<std::vector<float>> Checked(std::vector<float> values) {
  for (size_t i = 0; i < values.size(); ++i) {
    // Also false for NaN.
    if (!(std::abs(values[i]) <= kMaxVoiceMagnitude)) {
      return Error(ErrorCode::kCorruptBundle,
                   "voice: value " + std::to_string(i) + " is " + std::to_string(values[i]) + ", beyond +-32");
    }
  }
  return values;
}

}  // namespace

Result<std::vector<float>> ImportVoiceBin(Bytes file, const Architecture& architecture) {
  const size_t count = architecture.voice_rows * architecture.voice_cols;
  if (file.size() != count * sizeof(float)) {
    return Error(ErrorCode::kCorruptBundle,
                 "voice: " + std::to_string(file.size()) + " bytes, expected " + std::to_string(count * sizeof(float)));
  }
  std::vector<float> values(count);
  std::memcpy(values.data(), file.data(), file.size());
  return Checked(std::move(values));
}

Result<std::vector<float>> ImportVoiceTorch(Bytes file, const Architecture& architecture) {
  KOE_TRY(const TorchFile torch, ReadTorchFile(file));
  if (torch.tensors.size() != 1 || !torch.tensors[0].name.empty()) {
    return Error(ErrorCode::kCorruptBundle, "voice: the file holds no single tensor");
  }
  const NamedTensor& tensor = torch.tensors[0];
  const size_t rows = architecture.voice_rows, cols = architecture.voice_cols;
  if (tensor.shape != std::vector<size_t>{rows, 1, cols} && tensor.shape != std::vector<size_t>{rows, cols}) {
    return Error(ErrorCode::kCorruptBundle, "voice: shape " + ShapeText(tensor.shape) + ", expected " +
                                                ShapeText(std::vector<size_t>{rows, 1, cols}));
  }
  std::vector<float> values(rows * cols);
  if (tensor.type == "F32") {
    std::memcpy(values.data(), tensor.data.data(), values.size() * sizeof(float));
  } else if (tensor.type == "F16" || tensor.type == "BF16") {
    for (size_t i = 0; i < values.size(); ++i) {
      const uint16_t half = LoadLe<uint16_t>(tensor.data.data() + 2 * i);
      values[i] = tensor.type == "F16" ? HalfToFloat(half) : BFloat16ToFloat(half);
    }
  } else {
    return Error(ErrorCode::kUnsupported, "voice: values of type " + Quoted(tensor.type));
  }
  return Checked(std::move(values));
}

}  // namespace koe::bundle
