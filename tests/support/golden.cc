// SPDX-License-Identifier: Apache-2.0
#include "support/golden.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/mapped_file.h"
#include "bundle/safetensors.h"

namespace koe::test_support {
namespace {

// As the reference dumps them; everything else with two dimensions is channels first.
bool IsTimeMajor(const std::string& name) { return name == "bert_dur" || name == "d"; }

std::filesystem::path GoldenFolder() {
  const char* shared = std::getenv("KOE_SHARED");
  const std::filesystem::path root =
      shared != nullptr ? shared : std::filesystem::path(KOE_SOURCE_DIR) / ".." / "shared";
  return root / "golden";
}

}  // namespace

Result<Golden> Golden::Open(const std::string& path) {
  KOE_TRY(const MappedFile file, MappedFile::Open(path));
  KOE_TRY(const std::vector<bundle::SafetensorsEntry> entries, bundle::ReadSafetensors(file.bytes()));
  Golden golden;
  golden.name_ = std::filesystem::path(path).stem().string();
  const auto corrupt = [&](const std::string& tensor) {
    return Error(ErrorCode::kCorruptBundle, "golden: " + path + ": tensor '" + tensor + "'");
  };
  for (const bundle::SafetensorsEntry& entry : entries) {
    if (entry.shape.empty() || entry.shape.size() > 2) return corrupt(entry.name);
    const size_t columns = entry.shape.size() == 2 ? entry.shape[1] : 1;
    Tensor tensor{entry.shape[0], columns, {}, {}};
    const size_t count = tensor.rows * tensor.cols;
    if (entry.data.size() != 4 * count) return corrupt(entry.name);
    if (entry.dtype == "I32") {
      tensor.integers.resize(count);
      std::memcpy(tensor.integers.data(), entry.data.data(), entry.data.size());
    } else if (entry.dtype == "F32") {
      std::vector<float> values(count);
      std::memcpy(values.data(), entry.data.data(), entry.data.size());
      if (columns > 1 && !IsTimeMajor(entry.name)) {
        tensor.floats.resize(count);
        for (size_t c = 0; c < tensor.rows; ++c) {
          for (size_t t = 0; t < columns; ++t) tensor.floats[t * tensor.rows + c] = values[c * columns + t];
        }
        std::swap(tensor.rows, tensor.cols);
      } else {
        tensor.floats = std::move(values);
      }
    } else {
      return corrupt(entry.name);
    }
    golden.tensors_[entry.name] = std::move(tensor);
  }
  for (const char* needed : {"token_ids", "pred_dur", "ref_s", "speed", "F0_pred", "waveform"}) {
    if (!golden.Has(needed)) return corrupt(needed);
  }
  if (golden.Floats("ref_s").size() != 256 || golden.Floats("speed").size() != 1) return corrupt("ref_s, speed");
  return golden;
}

Result<std::vector<Golden>> Golden::All() {
  std::vector<std::string> paths;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(GoldenFolder(), error)) {
    if (entry.path().extension() == ".safetensors") paths.push_back(entry.path().string());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<Golden> goldens;
  for (const std::string& path : paths) {
    KOE_TRY(Golden golden, Open(path));
    goldens.push_back(std::move(golden));
  }
  std::stable_sort(goldens.begin(), goldens.end(),
                   [](const Golden& a, const Golden& b) { return a.num_frames() < b.num_frames(); });
  return goldens;
}

std::vector<std::string> Golden::tensor_names() const {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : tensors_) names.push_back(name);
  return names;
}

ConstMatrix Golden::Matrix(const std::string& tensor) const {
  const auto it = tensors_.find(tensor);
  if (it == tensors_.end()) return {};
  return ConstMatrix(it->second.floats.data(), it->second.rows, it->second.cols);
}

std::span<const float> Golden::Floats(const std::string& tensor) const {
  const auto it = tensors_.find(tensor);
  if (it == tensors_.end()) return {};
  return it->second.floats;
}

std::span<const int32_t> Golden::Integers(const std::string& tensor) const {
  const auto it = tensors_.find(tensor);
  if (it == tensors_.end()) return {};
  return it->second.integers;
}

}  // namespace koe::test_support
