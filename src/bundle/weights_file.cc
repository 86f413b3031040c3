// SPDX-License-Identifier: Apache-2.0
#include "bundle/weights_file.h"

#include <algorithm>
#include <unordered_map>

#include "base/array.h"
#include "bundle/quoted.h"
#include "bundle/safetensors.h"

namespace koe::bundle {
namespace {

template <typename T>
Bytes RawBytes(const std::vector<T>& values) {
  return std::as_bytes(std::span<const T>(values));
}

bool IsInteger(DType dtype) { return dtype == DType::kI8 || dtype == DType::kU8; }

constexpr std::byte kZeros[kTensorAlignment] = {};

// The parts in the order of the file. safetensors allows no holes, so a tensor whose size is no multiple of 64 is
// followed by a U8 tensor of zeros; the many tensors whose size is one come first and need none. Scales and zero points
// are copied at load and are not aligned.
std::vector<SafetensorsEntry> Layout(const std::vector<TensorSpec>& table, const std::vector<ImportedTensor>& tensors) {
  std::vector<SafetensorsEntry> parts;
  for (const bool whole : {true, false}) {
    for (size_t i = 0; i < table.size(); ++i) {
      const ImportedTensor& t = tensors[i];
      const size_t over = t.bytes.size() % kTensorAlignment;
      if ((over == 0) != whole) continue;
      parts.push_back({table[i].name, DTypeName(t.dtype), table[i].shape, t.bytes});
      if (over != 0) {
        const Bytes padding(kZeros, kTensorAlignment - over);
        parts.push_back({std::string(kPaddingPrefix) + std::to_string(i), "U8", {padding.size()}, padding});
      }
    }
  }
  for (size_t i = 0; i < table.size(); ++i) {
    const ImportedTensor& t = tensors[i];
    if (!IsInteger(t.dtype)) continue;
    parts.push_back({table[i].name + std::string(kScaleSuffix), "F32", {t.scales.size()}, RawBytes(t.scales)});
    parts.push_back(
        {table[i].name + std::string(kZeroPointSuffix), "I32", {t.zero_points.size()}, RawBytes(t.zero_points)});
  }
  return parts;
}

class MappedWeights : public Weights {
 public:
  MappedWeights(MappedFile file, std::vector<StoredTensor> tensors)
      : file_(std::move(file)), tensors_(std::move(tensors)) {
    for (size_t i = 0; i < tensors_.size(); ++i) index_[tensors_[i].name] = i;
  }
  const StoredTensor* Find(std::string_view name) const override {
    const auto found = index_.find(name);
    return found == index_.end() ? nullptr : &tensors_[found->second];
  }
  std::span<const StoredTensor> tensors() const override { return tensors_; }

 private:
  MappedFile file_;
  std::vector<StoredTensor> tensors_;
  std::unordered_map<std::string_view, size_t> index_;
};

}  // namespace

Result<void> WriteWeightsFile(const std::vector<TensorSpec>& table, const std::vector<ImportedTensor>& tensors,
                              const std::function<Result<void>(Bytes)>& sink) {
  if (table.size() != tensors.size()) return Error(ErrorCode::kInternal, "weights: not one tensor a table row");
  const std::vector<SafetensorsEntry> parts = Layout(table, tensors);
  KOE_CHECK_OK(sink(AsBytes(WriteSafetensorsHeader(parts, kTensorAlignment, {{"format", "koe-weights-1"}}))));
  for (const SafetensorsEntry& part : parts) KOE_CHECK_OK(sink(part.data));
  return {};
}

Result<std::vector<StoredTensor>> ReadWeightsFile(Bytes file, const std::vector<TensorSpec>& table) {
  KOE_TRY(const std::vector<SafetensorsEntry> entries, ReadSafetensors(file));
  std::unordered_map<std::string_view, const SafetensorsEntry*> by_name;
  size_t num_padding = 0;
  for (const SafetensorsEntry& entry : entries) {
    if (std::string_view(entry.name).substr(0, kPaddingPrefix.size()) == kPaddingPrefix) {
      ++num_padding;
    } else {
      by_name.emplace(entry.name, &entry);
    }
  }
  size_t num_used = 0;
  std::vector<StoredTensor> tensors;
  for (const TensorSpec& spec : table) {
    const auto corrupt = [&](const std::string& why) {
      return Error(ErrorCode::kCorruptBundle, "tensor: " + spec.name + ": " + why);
    };
    const auto find = [&](const std::string& name) -> const SafetensorsEntry* {
      const auto found = by_name.find(name);
      if (found == by_name.end()) return nullptr;
      ++num_used;
      return found->second;
    };
    const SafetensorsEntry* entry = find(spec.name);
    if (entry == nullptr) return corrupt("missing");
    if (entry->shape != spec.shape) {
      return corrupt("shape " + ShapeText(entry->shape) + ", expected " + ShapeText(spec.shape));
    }
    StoredTensor tensor;
    tensor.name = spec.name;
    tensor.shape = spec.shape;
    tensor.data = entry->data.data();
    if (entry->dtype == "F32") {
      tensor.dtype = DType::kF32;
    } else if (entry->dtype == "F16") {
      tensor.dtype = DType::kF16;
    } else if (entry->dtype == "I8") {
      tensor.dtype = DType::kI8;
    } else if (entry->dtype == "U8") {
      tensor.dtype = DType::kU8;
    } else {
      return corrupt("type " + Quoted(entry->dtype));
    }
    if (reinterpret_cast<uintptr_t>(tensor.data) % kTensorAlignment != 0) return corrupt("not 64-byte aligned");
    if (IsInteger(tensor.dtype)) {
      const SafetensorsEntry* scale = find(spec.name + std::string(kScaleSuffix));
      const SafetensorsEntry* zero = find(spec.name + std::string(kZeroPointSuffix));
      const size_t rows = spec.shape.empty() ? 1 : spec.shape[0];
      if (scale == nullptr || scale->dtype != "F32" || scale->shape.size() != 1 ||
          (scale->shape[0] != 1 && scale->shape[0] != rows)) {
        return corrupt("its scale is missing or not F32 of 1 or " + std::to_string(rows));
      }
      if (zero == nullptr || zero->dtype != "I32" || zero->shape != scale->shape) {
        return corrupt("its zero point is missing or not I32 as many as scales");
      }
      for (size_t i = 0; i < scale->shape[0]; ++i) {
        tensor.scales.push_back(LoadLe<float>(scale->data.data() + 4 * i));
        tensor.zero_points.push_back(LoadLe<int32_t>(zero->data.data() + 4 * i));
      }
    }
    KOE_CHECK_OK(CheckValues(spec.name, tensor.dtype, entry->data, spec.shape.empty() ? 1 : spec.shape[0],
                             tensor.scales, tensor.zero_points));
    tensors.push_back(std::move(tensor));
  }
  if (num_used + num_padding != entries.size()) {
    return Error(ErrorCode::kCorruptBundle, "weights: " + std::to_string(entries.size() - num_used - num_padding) +
                                                " tensors that are not in the model's table");
  }
  return tensors;
}

Result<std::shared_ptr<const Weights>> Weights::Open(const std::string& path, const std::vector<TensorSpec>& table) {
  KOE_TRY(MappedFile file, MappedFile::Open(path));
  return Open(std::move(file), table);
}

Result<std::shared_ptr<const Weights>> Weights::Open(MappedFile file, const std::vector<TensorSpec>& table) {
  KOE_TRY(std::vector<StoredTensor> tensors, ReadWeightsFile(file.bytes(), table));
  return std::shared_ptr<const Weights>(std::make_shared<MappedWeights>(std::move(file), std::move(tensors)));
}

const char* TensorPrecision(const std::vector<DType>& types) {
  const auto has = [&](DType t) { return std::find(types.begin(), types.end(), t) != types.end(); };
  if (has(DType::kI8) || has(DType::kU8)) return "int8";
  return has(DType::kF16) ? "fp16" : "fp32";
}

}  // namespace koe::bundle
