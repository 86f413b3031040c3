// SPDX-License-Identifier: Apache-2.0
// The part of onnxruntime's C interface that Koe uses, declared here because its packages for Python carry the library
// without the header. The table only ever grows at its end, so the places of version 16 hold in every later one.
#ifndef KOE_DEVICES_ONNXRUNTIME_API_H_
#define KOE_DEVICES_ONNXRUNTIME_API_H_

#include <cstddef>
#include <cstdint>

namespace koe::devices::ort {

inline constexpr uint32_t kApiVersion = 16;
inline constexpr const char* kEntryPoint = "OrtGetApiBase";

// Opaque; owned by whoever created them, released through the table.
struct Env;
struct Status;
struct Session;
struct SessionOptions;
struct RunOptions;
struct Value;
struct MemoryInfo;

enum ElementType : int { kFloat = 1, kInt32 = 6 };  // ONNXTensorElementDataType
enum LoggingLevel : int { kError = 3 };
enum AllocatorType : int { kArenaAllocator = 1 };
enum MemoryType : int { kDefaultMemory = 0 };

// Places in the table of functions.
enum Slot : size_t {
  kGetErrorMessage = 2,
  kCreateEnv = 3,
  kCreateSession = 7,
  kRun = 9,
  kCreateSessionOptions = 10,
  kSetIntraOpNumThreads = 24,
  kCreateTensorWithData = 49,
  kGetTensorMutableData = 51,
  kCreateCpuMemoryInfo = 69,
  kReleaseEnv = 92,
  kReleaseStatus = 93,
  kReleaseMemoryInfo = 94,
  kReleaseSession = 95,
  kReleaseValue = 96,
  kReleaseSessionOptions = 100,
  kAddSessionConfigEntry = 130,
};

using Table = void* const*;
struct ApiBase {
  Table (*get_api)(uint32_t version);  // null where the library is older
  const char* (*get_version)();
};

using GetErrorMessage = const char* (*)(const Status*);
using CreateEnv = Status* (*)(LoggingLevel, const char* id, Env**);
using CreateSession = Status* (*)(const Env*, const char* path, const SessionOptions*, Session**);
using Run = Status* (*)(Session*, const RunOptions*, const char* const* input_names, const Value* const* inputs,
                        size_t num_inputs, const char* const* output_names, size_t num_outputs, Value** outputs);
using CreateSessionOptions = Status* (*)(SessionOptions**);
using AddSessionConfigEntry = Status* (*)(SessionOptions*, const char* key, const char* value);
using SetIntraOpNumThreads = Status* (*)(SessionOptions*, int);
using CreateTensorWithData = Status* (*)(const MemoryInfo*, void* data, size_t bytes, const int64_t* shape, size_t rank,
                                         ElementType, Value**);
using GetTensorMutableData = Status* (*)(Value*, void**);
using CreateCpuMemoryInfo = Status* (*)(AllocatorType, MemoryType, MemoryInfo**);
template <typename T>
using Release = void (*)(T*);

}  // namespace koe::devices::ort

#endif  // KOE_DEVICES_ONNXRUNTIME_API_H_
