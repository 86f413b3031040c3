// SPDX-License-Identifier: Apache-2.0
#include "bundle/import.h"

#include <algorithm>
#include <cctype>

#include "bundle/limits.h"
#include "bundle/state_dict.h"
#include "bundle/torch_file.h"

namespace koe::bundle {

Result<WeightsFormat> WeightsFormatOfPath(const std::string& path) {
  std::string lower = path;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto ends = [&](std::string_view end) {
    return lower.size() >= end.size() && std::string_view(lower).substr(lower.size() - end.size()) == end;
  };
  if (ends(".onnx")) return WeightsFormat::kOnnx;
  if (ends(".pth") || ends(".pt")) return WeightsFormat::kTorch;
  if (ends(".safetensors")) return WeightsFormat::kSafetensors;
  return Error(ErrorCode::kInvalidArgument,
               "weights: '" + path + "': the name does not end in .onnx, .pth or .safetensors");
}

const char* WeightsFormatName(WeightsFormat format) {
  switch (format) {
    case WeightsFormat::kOnnx:
      return "onnx";
    case WeightsFormat::kTorch:
      return "pth";
    default:
      return "safetensors";
  }
}

Result<std::vector<ImportedTensor>> ImportWeights(WeightsFormat format, Bytes file, const Architecture& architecture) {
  if (file.size() > kMaxModelFileBytes) {
    return Error(ErrorCode::kCorruptBundle, "weights: " + std::to_string(file.size()) + " bytes, at most " +
                                                std::to_string(kMaxModelFileBytes) + " are read");
  }
  switch (format) {
    case WeightsFormat::kOnnx:
      return ImportOnnx(file, architecture);
    case WeightsFormat::kTorch:
      return ImportTorch(file, architecture);
    default:
      return ImportSafetensors(file, architecture);
  }
}

Result<std::vector<ImportedTensor>> ImportTorch(Bytes file, const Architecture& architecture) {
  KOE_TRY(const TorchFile torch, ReadTorchFile(file));
  return ImportStateDict(torch.tensors, architecture);
}

}  // namespace koe::bundle
