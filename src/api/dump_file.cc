// SPDX-License-Identifier: Apache-2.0
#include "api/dump_file.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <span>
#include <utility>

#include "audio/replace_file.h"
#include "base/mapped_file.h"
#include "bundle/safetensors.h"
#include "koe/koe.h"

namespace koe::api {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors is little-endian");

constexpr int32_t kTokenRows = 178;          // of the embedding
constexpr int32_t kMaxFramesPerToken = 200;  // 50 at speed 1, at the slowest speed

template <typename T>
std::vector<T> Values(const bundle::SafetensorsEntry& entry) {
  std::vector<T> values(entry.data.size() / sizeof(T));
  std::memcpy(values.data(), entry.data.data(), values.size() * sizeof(T));
  return values;
}

}  // namespace

Result<pipeline::DumpRequest> ReadGolden(const std::string& path) {
  KOE_TRY(const MappedFile file, MappedFile::Open(path));
  auto entries = bundle::ReadSafetensors(file.bytes());
  if (!entries) return entries.error().WithContext("golden: " + path);
  pipeline::DumpRequest request;
  for (const bundle::SafetensorsEntry& entry : *entries) {
    pipeline::NamedTensor& tensor = request.golden[entry.name];
    tensor.shape = entry.shape;
    if (entry.dtype == "F32") {
      tensor.floats = Values<float>(entry);
      if (!std::all_of(tensor.floats.begin(), tensor.floats.end(), [](float value) { return std::isfinite(value); })) {
        return Error(ErrorCode::kCorruptBundle, "golden: " + path + ": tensor '" + entry.name + "' is not finite");
      }
    } else if (entry.dtype == "I32") {
      tensor.integers = Values<int32_t>(entry);
    } else {
      return Error(ErrorCode::kCorruptBundle,
                   "golden: " + path + ": tensor '" + entry.name + "' is " + entry.dtype + ", must be F32 or I32");
    }
  }
  const auto missing = [&](const char* what) {
    return Error(ErrorCode::kCorruptBundle, "golden: " + path + ": needs " + what);
  };
  const auto token_ids = request.golden.find("token_ids");
  if (token_ids == request.golden.end() || token_ids->second.integers.empty()) return missing("token_ids, I32 [T]");
  request.token_ids = token_ids->second.integers;
  for (const int32_t id : request.token_ids) {
    if (id < 0 || id >= kTokenRows) return missing("token_ids of 0 to 177");
  }
  const auto durations = request.golden.find("pred_dur");
  if (durations != request.golden.end()) {
    for (const int32_t frames : durations->second.integers) {
      if (frames < 1 || frames > kMaxFramesPerToken) return missing("pred_dur of 1 to 200 frames");
    }
  }
  const auto voice_row = request.golden.find("ref_s");
  if (voice_row == request.golden.end() || voice_row->second.floats.size() != pipeline::kVoiceRowSize) {
    return missing("ref_s, F32 [256]");
  }
  request.voice_row = voice_row->second.floats;
  const auto speed = request.golden.find("speed");
  if (speed == request.golden.end() || speed->second.floats.size() != 1 || speed->second.floats[0] < kMinSpeed ||
      speed->second.floats[0] > kMaxSpeed) {
    return missing("speed, F32 [1] of 0.25 to 4");
  }
  request.speed = speed->second.floats[0];
  return request;
}

Result<void> WriteTensors(const pipeline::TensorMap& tensors, const std::string& path) {
  std::vector<bundle::SafetensorsEntry> entries;
  for (const auto& [name, tensor] : tensors) {
    const bool is_integer = !tensor.integers.empty();
    const auto data = is_integer ? std::as_bytes(std::span(tensor.integers)) : std::as_bytes(std::span(tensor.floats));
    entries.push_back({name, is_integer ? "I32" : "F32", tensor.shape, data});
  }
  std::string bytes = bundle::WriteSafetensorsHeader(entries, sizeof(float));
  for (const bundle::SafetensorsEntry& entry : entries) {
    bytes.append(reinterpret_cast<const char*>(entry.data.data()), entry.data.size());
  }
  return ReplaceFile(path, bytes);
}

}  // namespace koe::api
