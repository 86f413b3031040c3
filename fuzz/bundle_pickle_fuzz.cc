// SPDX-License-Identifier: Apache-2.0
// The pickle walker, and the comparison of what it finds with the records of an archive that is sound.
#include "base/utf8.h"
#include "bundle/limits.h"
#include "bundle/pickle.h"
#include "bundle/testing/file_builders.h"
#include "bundle/testing/fuzz_oracle.h"
#include "bundle/torch_file.h"
#include "bundle/zip_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace koe::bundle;
  const Bytes pickle = testing::FuzzBytes(data, size);
  const auto tensors = WalkPickle(pickle);
  if (!tensors) {
    testing::RequireReason(tensors.error());
    return 0;
  }
  for (const PickledTensor& tensor : *tensors) {
    testing::Require(tensor.shape.size() <= kMaxRank && tensor.strides.size() == tensor.shape.size());
    testing::Require(tensor.name.size() <= kMaxTensorNameBytes + 1 && !koe::FindInvalidUtf8(tensor.name));
  }
  // The storages of the tiny model, whatever the pickle says about them.
  static const auto* records = [] {
    auto* entries = new std::vector<std::pair<std::string, std::string>>;
    const std::string file = testing::TinyTorch(testing::NormForm::kFolded);
    const auto read = ReadStoredZip(AsBytes(file));
    for (const ZipEntry& entry : *read) entries->emplace_back("t/" + entry.name, std::string(AsText(entry.data)));
    return entries;
  }();
  auto entries = *records;
  for (auto& [name, bytes] : entries) {
    if (name == "t/data.pkl") bytes = std::string(AsText(pickle));
  }
  const std::string file = testing::ZipBytes(entries);
  testing::CheckImport(ImportTorch(AsBytes(file), testing::TinyArchitecture()));
  return 0;
}
