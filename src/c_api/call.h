// SPDX-License-Identifier: Apache-2.0
// How every function of the C API starts and ends: sized structs in and out, text, errors.
#ifndef KOE_C_API_CALL_H_
#define KOE_C_API_CALL_H_

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <string>
#include <string_view>

#include "api/guard.h"
#include "koe/koe_c.h"
#include "koe/result.h"

namespace koe::c_api {

// Fills in *error, as far as its caller's struct goes.
void SetError(koe_error* error, koe_status status, std::string_view message) noexcept;

inline Error NullArgument(const char* what) {
  return Error(ErrorCode::kInvalidArgument, std::string(what) + ": null: must not be");
}

// function() returns Result<void>; its error, or an exception, becomes a status and *error.
template <typename Function>
koe_status Call(koe_error* error, Function&& function) noexcept {
  const Result<void> result = api::Guard(function);
  if (result) {
    SetError(error, KOE_OK, "");
    return KOE_OK;
  }
  const auto status = static_cast<koe_status>(result.error().code());
  SetError(error, status, result.error().message());
  return status;
}

// The same for a function that gives something: *out is null unless it returns KOE_OK.
template <typename Handle, typename Function>
koe_status CallFor(Handle** out, koe_error* error, Function&& function) noexcept {
  if (out == nullptr) return Call(error, []() -> Result<void> { return NullArgument("out"); });
  *out = nullptr;
  return Call(error, function);
}

struct PointerArgument {
  const char* name;
  const void* pointer;
};
// kInvalidArgument with the name of the first that is null.
inline Result<void> CheckNotNull(std::initializer_list<PointerArgument> arguments) {
  for (const PointerArgument& argument : arguments) {
    if (argument.pointer == nullptr) return NullArgument(argument.name);
  }
  return {};
}

// The function's own copy of the caller's options; null: all 0.
template <typename Options>
Result<Options> ReadOptions(const char* what, const Options* given) {
  Options options = {};
  options.struct_size = sizeof(Options);
  if (given == nullptr) return options;
  const size_t size = given->struct_size;
  if (size < sizeof(size_t)) {
    return Error(ErrorCode::kInvalidArgument,
                 std::string(what) + ": struct_size " + std::to_string(size) + ": not set");
  }
  const char* bytes = reinterpret_cast<const char*>(given);
  constexpr size_t kLargest = size_t{1} << 16;  // what is not set may be anything
  if (size > kLargest ||
      std::any_of(bytes + std::min(sizeof(Options), size), bytes + size, [](char c) { return c != 0; })) {
    return Error(ErrorCode::kUnsupported, std::string(what) + ": struct_size " + std::to_string(size) +
                                              ": holds options that this version does not know");
  }
  std::memcpy(&options, given, std::min(size, sizeof(Options)));
  return options;
}

// The part of `value` that the caller's struct has room for.
template <typename Struct>
Result<void> WriteStruct(const char* what, Struct value, Struct* out) {
  if (out == nullptr) return NullArgument(what);
  const size_t size = out->struct_size;
  if (size < sizeof(size_t)) {
    return Error(ErrorCode::kInvalidArgument,
                 std::string(what) + ": struct_size " + std::to_string(size) + ": not set");
  }
  value.struct_size = size;
  std::memcpy(out, &value, std::min(size, sizeof(Struct)));
  return {};
}

// kInvalidArgument where there is no such item.
Result<void> CheckIndex(const char* what, size_t index, size_t count);

Result<std::string_view> ReadText(const char* text, size_t length);
inline std::string OrEmpty(const char* text) { return text == nullptr ? std::string() : std::string(text); }

}  // namespace koe::c_api

#endif  // KOE_C_API_CALL_H_
