// SPDX-License-Identifier: Apache-2.0
// Both readers of the format: as a source of weights and as a bundle's weights file.
#include "bundle/limits.h"
#include "bundle/safetensors.h"
#include "bundle/testing/fuzz_oracle.h"

namespace {

using namespace koe::bundle;

// The tensors' bytes are the file's behind the header, each once.
void CheckEntries(const std::vector<SafetensorsEntry>& entries, Bytes file) {
  size_t covered = sizeof(uint64_t) + LoadLe<uint64_t>(file.data());
  for (const SafetensorsEntry& entry : entries) {
    testing::Require(entry.data.data() == file.data() + covered);
    covered += entry.data.size();
    testing::Require(entry.shape.size() <= kMaxRank && entry.name.size() <= kMaxTensorNameBytes);
    unsigned __int128 bytes = SafetensorsElementBytes(entry.dtype);
    if (bytes == 0) continue;
    for (const size_t d : entry.shape) {
      bytes *= d;
      if (bytes == 0) break;
      testing::Require(bytes >> 64 == 0);
    }
    testing::Require(bytes == entry.data.size());
  }
  testing::Require(covered == file.size());
}

// No input here is as long as a header may be, so a sound file's is filled up with spaces, which JSON allows, beyond
// that.
void CheckLongHeader(Bytes file) {
  const size_t end = sizeof(uint64_t) + LoadLe<uint64_t>(file.data());
  const uint64_t size = kMaxSafetensorsHeaderBytes + 1;
  std::string longer(AsText(std::as_bytes(std::span<const uint64_t>(&size, 1))));
  longer.append(AsText(file.subspan(sizeof(uint64_t), end - sizeof(uint64_t))));
  longer.resize(sizeof(uint64_t) + size, ' ');
  longer.append(AsText(file.subspan(end)));
  const auto entries = ReadSafetensors(AsBytes(longer));
  testing::Require(!entries);
  testing::RequireReason(entries.error());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes bytes = testing::FuzzBytes(data, size);
  if (const auto entries = ReadSafetensors(bytes)) {
    CheckEntries(*entries, bytes);
    CheckLongHeader(bytes);
  } else {
    testing::RequireReason(entries.error());
  }
  testing::CheckImport(ImportSafetensors(bytes, testing::TinyArchitecture()));
  const auto aligned = std::make_shared<koe::AlignedBuffer<std::byte>>(size);
  if (size != 0) std::memcpy(aligned->data(), data, size);
  const auto& table = testing::TinyArchitecture().tensors;
  const auto weights = Weights::Open(koe::MappedFile::OfMemory(aligned->span(), aligned), table);
  if (!weights) {
    testing::RequireReason(weights.error());
    return 0;
  }
  const std::vector<StoredTensor> stored((*weights)->tensors().begin(), (*weights)->tensors().end());
  testing::RequireFinite(stored);
  std::vector<DType> types;
  for (const TensorSpec& spec : table) {
    const StoredTensor* tensor = (*weights)->Find(spec.name);
    testing::Require(tensor != nullptr && tensor->shape == spec.shape);
    types.push_back(tensor->dtype);
  }
  testing::Require((*weights)->Find("no tensor") == nullptr);
  const std::string_view precision = TensorPrecision(types);
  testing::Require(precision == "int8" || precision == "fp16" || precision == "fp32");
  return 0;
}
