// SPDX-License-Identifier: Apache-2.0
// What must hold for any bytes: an error has a reason and one of three codes; weights that are accepted can be written,
// read back and dequantised to finite values.
#ifndef KOE_BUNDLE_TESTING_FUZZ_ORACLE_H_
#define KOE_BUNDLE_TESTING_FUZZ_ORACLE_H_

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "base/array.h"
#include "bundle/import.h"
#include "bundle/testing/synthetic.h"
#include "bundle/weights_file.h"

namespace koe::bundle::testing {

// Not assert: it must also end a Release build.
inline void Require(bool condition) {
  if (!condition) std::abort();
}

inline void RequireReason(const Error& error) {
  Require(error.code() == ErrorCode::kCorruptBundle || error.code() == ErrorCode::kUnsupported);
  Require(!error.message().empty() && error.message().size() < 2000);
  Require(error.message().find('\n') == std::string::npos);
}

inline void RequireFinite(const std::vector<StoredTensor>& tensors) {
  std::vector<float> values;
  for (const StoredTensor& tensor : tensors) {
    values.assign(tensor.num_elements(), 0);
    Require(Dequantise(tensor, values).has_value());
    for (const float v : values) Require(std::isfinite(v));
  }
}

inline void CheckImport(const Result<std::vector<ImportedTensor>>& imported) {
  if (!imported) return RequireReason(imported.error());
  std::string file;
  const auto written = WriteWeightsFile(TinyArchitecture().tensors, *imported, [&](Bytes part) -> Result<void> {
    file.append(AsText(part));
    return {};
  });
  Require(written.has_value());
  AlignedBuffer<std::byte> aligned(file.size());
  std::memcpy(aligned.data(), file.data(), file.size());
  const auto stored = ReadWeightsFile(aligned.span(), TinyArchitecture().tensors);
  Require(stored.has_value());
  RequireFinite(*stored);
}

inline Bytes FuzzBytes(const uint8_t* data, size_t size) { return {reinterpret_cast<const std::byte*>(data), size}; }

}  // namespace koe::bundle::testing

#endif  // KOE_BUNDLE_TESTING_FUZZ_ORACLE_H_
