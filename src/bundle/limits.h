// SPDX-License-Identifier: Apache-2.0
// What an untrusted file may ask for. A file beyond a limit is refused before anything is allocated for it.
#ifndef KOE_BUNDLE_LIMITS_H_
#define KOE_BUNDLE_LIMITS_H_

#include <cstddef>
#include <cstdint>

namespace koe::bundle {

inline constexpr uint64_t kMaxModelFileBytes = uint64_t{512} << 20;  // the fp32 checkpoint is 327 MB
inline constexpr uint64_t kMaxFileBytes = uint64_t{1} << 30;         // of one file that a manifest names
inline constexpr uint64_t kMaxBundleBytes = uint64_t{5} << 30;       // of all of them
inline constexpr size_t kMaxBundleFiles = 512;
inline constexpr size_t kMaxManifestBytes = 2 << 20;
inline constexpr size_t kMaxRepoIdBytes = 200;
inline constexpr size_t kMaxAllowPatterns = 64;
inline constexpr size_t kMaxProfiles = 16;        // of a release
inline constexpr size_t kMaxSignatureBytes = 64;  // Ed25519
inline constexpr size_t kMaxKeyFileBytes = 4096;
inline constexpr size_t kMaxVocabBytes = 64 << 10;
inline constexpr size_t kMaxPathBytes = 128;  // of a file, relative to the bundle
inline constexpr size_t kMaxVoiceIdBytes = 64;
inline constexpr size_t kMaxVoiceFileBytes = 4 << 20;    // a .pt file with its 510 rows is 523 kB
inline constexpr size_t kMaxDictionaryBytes = 64 << 20;  // JSON; misaki's largest has 3 MB
inline constexpr size_t kMaxExtraFileBytes = 64 << 20;
inline constexpr float kMaxVoiceMagnitude = 32.0f;  // the official voices stay below 3.21

inline constexpr size_t kMaxJsonDepth = 16;

inline constexpr size_t kMaxTensors = 4096;
inline constexpr size_t kMaxTensorNameBytes = 512;
inline constexpr size_t kMaxRank = 8;
inline constexpr size_t kMaxSafetensorsHeaderBytes = 1 << 20;
inline constexpr size_t kMaxSafetensorsJsonValues = 65536;

inline constexpr size_t kMaxOnnxNodes = 32768;
inline constexpr size_t kMaxOnnxNodeInputs = 64;

inline constexpr size_t kMaxZipEntries = 2048;
inline constexpr size_t kMaxPickleBytes = 4 << 20;
inline constexpr size_t kMaxPickleValues = 262144;
inline constexpr size_t kMaxPickleStack = 4096;
inline constexpr size_t kMaxPickleMarks = 64;
inline constexpr size_t kMaxPickleMemo = 65536;
inline constexpr size_t kMaxPickleDepth = 8;
inline constexpr size_t kMaxPickleStringBytes = 512;

}  // namespace koe::bundle

#endif  // KOE_BUNDLE_LIMITS_H_
