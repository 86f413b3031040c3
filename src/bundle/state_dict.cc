// SPDX-License-Identifier: Apache-2.0
#include "bundle/state_dict.h"

#include <cmath>
#include <unordered_map>

#include "bundle/half.h"
#include "bundle/quoted.h"
#include "bundle/weights_file.h"

namespace koe::bundle {
namespace {

using Index = std::unordered_map<std::string, const NamedTensor*>;

Error Corrupt(const std::string& tensor, const std::string& why) {
  return Error(ErrorCode::kCorruptBundle, "tensor: " + tensor + ": " + why);
}

bool EndsWith(const std::string& text, std::string_view end) {
  return text.size() >= end.size() && std::string_view(text).substr(text.size() - end.size()) == end;
}

// "module.bert.x" and "bert.module.x" -> "bert.x"
std::string WithoutModule(std::string name) {
  constexpr std::string_view kModule = "module.";
  if (name.compare(0, kModule.size(), kModule) == 0) name.erase(0, kModule.size());
  const size_t dot = name.find('.');
  if (dot != std::string::npos && name.compare(dot + 1, kModule.size(), kModule) == 0) {
    name.erase(dot + 1, kModule.size());
  }
  return name;
}

Result<float> FloatAt(const NamedTensor& tensor, size_t i) {
  if (tensor.type == "F32") return LoadLe<float>(tensor.data.data() + 4 * i);
  if (tensor.type == "F16") return HalfToFloat(LoadLe<uint16_t>(tensor.data.data() + 2 * i));
  if (tensor.type == "BF16") return BFloat16ToFloat(LoadLe<uint16_t>(tensor.data.data() + 2 * i));
  return Error(ErrorCode::kUnsupported, "tensor: " + Quoted(tensor.name) + ": type " + Quoted(tensor.type));
}

Result<std::vector<float>> Floats(const NamedTensor& tensor, size_t count) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) {
    KOE_TRY(values[i], FloatAt(tensor, i));
  }
  return values;
}

Result<void> CheckShape(const TensorSpec& spec, const NamedTensor& tensor, const std::vector<size_t>& expected) {
  if (tensor.shape == expected) return {};
  return Corrupt(spec.name,
                 Quoted(tensor.name) + " has shape " + ShapeText(tensor.shape) + ", expected " + ShapeText(expected));
}

void SetFloats(const std::vector<float>& values, ImportedTensor* imported) {
  const Bytes raw = std::as_bytes(std::span<const float>(values));
  imported->dtype = DType::kF32;
  imported->owned.assign(raw.begin(), raw.end());
  imported->bytes = imported->owned;
}

Result<ImportedTensor> ImportPlain(const TensorSpec& spec, const NamedTensor& tensor, const Index& index) {
  KOE_CHECK_OK(CheckShape(spec, tensor, spec.shape));
  ImportedTensor imported;
  imported.bytes = tensor.data;
  if (tensor.type == "F32") {
    imported.dtype = DType::kF32;
  } else if (tensor.type == "F16") {
    imported.dtype = DType::kF16;
  } else if (tensor.type == "BF16") {
    KOE_TRY(const std::vector<float> values, Floats(tensor, tensor.data.size() / 2));
    SetFloats(values, &imported);
  } else if (tensor.type == "I8" || tensor.type == "U8") {  // a bundle's own weights
    imported.dtype = tensor.type == "I8" ? DType::kI8 : DType::kU8;
    const auto scale = index.find(spec.name + std::string(kScaleSuffix));
    const auto zero = index.find(spec.name + std::string(kZeroPointSuffix));
    if (scale == index.end() || scale->second->type != "F32" || zero == index.end() || zero->second->type != "I32") {
      return Corrupt(spec.name, "integers without a float32 scale and an int32 zero point");
    }
    for (size_t i = 0; i < scale->second->data.size() / 4; ++i) {
      imported.scales.push_back(LoadLe<float>(scale->second->data.data() + 4 * i));
    }
    for (size_t i = 0; i < zero->second->data.size() / 4; ++i) {
      imported.zero_points.push_back(LoadLe<int32_t>(zero->second->data.data() + 4 * i));
    }
  } else {
    return Error(ErrorCode::kUnsupported, "tensor: " + spec.name + ": type " + Quoted(tensor.type));
  }
  return imported;
}

// w = g v / |v|, the norm over all dimensions but the first (torch.nn.utils.weight_norm, dim = 0).
Result<ImportedTensor> FoldWeightNorm(const TensorSpec& spec, const NamedTensor& g, const NamedTensor& v) {
  std::vector<size_t> g_shape(spec.shape.size(), 1);
  if (g_shape.empty()) return Corrupt(spec.name, "weight norm of a scalar");
  g_shape[0] = spec.shape[0];
  KOE_CHECK_OK(CheckShape(spec, v, spec.shape));
  KOE_CHECK_OK(CheckShape(spec, g, g_shape));
  const size_t rows = spec.shape[0];
  size_t cols = 1;
  for (size_t i = 1; i < spec.shape.size(); ++i) cols *= spec.shape[i];
  KOE_TRY(const std::vector<float> magnitude, Floats(g, rows));
  KOE_TRY(std::vector<float> values, Floats(v, rows * cols));
  for (size_t r = 0; r < rows; ++r) {
    float* row = values.data() + r * cols;
    double sum = 0;
    for (size_t c = 0; c < cols; ++c) sum += static_cast<double>(row[c]) * row[c];
    const double factor = magnitude[r] / std::sqrt(sum);  // not finite for a row of zeros: CheckValues refuses it
    for (size_t c = 0; c < cols; ++c) {
      const double w = row[c] * factor;
      if (!(std::abs(w) <= 3.0e38))
        return Corrupt(spec.name, "weight norm of row " + std::to_string(r) + " is not finite");
      row[c] = static_cast<float>(w);
    }
  }
  ImportedTensor imported;
  SetFloats(values, &imported);
  return imported;
}

Result<ImportedTensor> Import(const TensorSpec& spec, const Index& index) {
  const auto find = [&](const std::string& name) -> const NamedTensor* {
    const auto found = index.find(name);
    return found == index.end() ? nullptr : found->second;
  };
  const NamedTensor* plain = find(spec.name);
  const NamedTensor *g = nullptr, *v = nullptr;
  if (EndsWith(spec.name, ".weight")) {
    g = find(spec.name + "_g");
    v = find(spec.name + "_v");
    if (g == nullptr && v == nullptr) {
      const std::string parametrised = spec.name.substr(0, spec.name.size() - std::string_view("weight").size()) +
                                       "parametrizations.weight.original";
      g = find(parametrised + "0");
      v = find(parametrised + "1");
    }
  }
  if (plain != nullptr && (g != nullptr || v != nullptr)) return Corrupt(spec.name, "both folded and as weight norm");
  if (plain != nullptr) return ImportPlain(spec, *plain, index);
  if (g != nullptr && v != nullptr) return FoldWeightNorm(spec, *g, *v);
  if (g != nullptr || v != nullptr) return Corrupt(spec.name, "half of a weight norm");
  return Corrupt(spec.name, "missing");
}

}  // namespace

Result<std::vector<ImportedTensor>> ImportStateDict(const std::vector<NamedTensor>& tensors,
                                                    const Architecture& architecture) {
  Index index;
  for (const NamedTensor& tensor : tensors) {
    const std::string name = WithoutModule(tensor.name);
    if (!index.emplace(name, &tensor).second) return Corrupt(Quoted(name), "twice in the file");
    const bool norm_weight = EndsWith(name, ".norm.weight"), norm_bias = EndsWith(name, ".norm.bias");
    if (!norm_weight && !norm_bias) continue;
    const size_t width = tensor.type == "F32" ? 4 : 2;
    for (size_t i = 0; i < tensor.data.size() / width; ++i) {
      KOE_TRY(const float value, FloatAt(tensor, i));
      if (value != (norm_weight ? 1.0f : 0.0f)) {
        return Error(ErrorCode::kUnsupported,
                     "tensor: " + Quoted(name) + ": an instance norm with learned scale or shift");
      }
    }
  }
  std::vector<ImportedTensor> imported;
  for (const TensorSpec& spec : architecture.tensors) {
    KOE_TRY(ImportedTensor tensor, Import(spec, index));
    KOE_CHECK_OK(CheckValues(spec.name, tensor.dtype, tensor.bytes, spec.shape.empty() ? 1 : spec.shape[0],
                             tensor.scales, tensor.zero_points));
    imported.push_back(std::move(tensor));
  }
  return imported;
}

}  // namespace koe::bundle
