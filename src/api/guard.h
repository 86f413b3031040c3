// SPDX-License-Identifier: Apache-2.0
// The one place where exceptions of the standard library become errors (another is the thread pool, which forwards them
// to the caller's thread and so to here).
#ifndef KOE_API_GUARD_H_
#define KOE_API_GUARD_H_

#include <exception>
#include <new>
#include <string>
#include <system_error>

#include "koe/result.h"

namespace koe::api {

// What there is always memory for: the message is stored within the string.
inline Error OutOfMemory() noexcept { return Error(ErrorCode::kOutOfMemory, "out of memory"); }

// The same error; where there is no memory for its message, the same code.
inline Error Copy(const Error& error) noexcept {
  try {
    return error;
  } catch (...) {
    return Error(error.code(), "out of memory");
  }
}

// function() returns a Result.
template <typename Function>
auto Guard(Function&& function) noexcept -> decltype(function()) {
  try {
    try {
      return function();
    } catch (const std::bad_alloc&) {
      return Error(ErrorCode::kOutOfMemory, "memory: allocation failed: not enough memory for this input");
    } catch (const std::system_error& exception) {
      return Error(ErrorCode::kOutOfMemory, std::string("threads: cannot be started: ") + exception.what());
    } catch (const std::exception& exception) {
      return Error(ErrorCode::kInternal, std::string("internal: exception: ") + exception.what());
    }
  } catch (...) {  // the message wanted memory
    return OutOfMemory();
  }
}

}  // namespace koe::api

#endif  // KOE_API_GUARD_H_
