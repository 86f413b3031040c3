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

// function() returns a Result.
template <typename Function>
auto Guard(Function&& function) -> decltype(function()) {
  try {
    return function();
  } catch (const std::bad_alloc&) {
    return Error(ErrorCode::kOutOfMemory, "memory: allocation failed: not enough memory for this input");
  } catch (const std::system_error& exception) {
    return Error(ErrorCode::kOutOfMemory, std::string("threads: cannot be started: ") + exception.what());
  } catch (const std::exception& exception) {
    return Error(ErrorCode::kInternal, std::string("internal: exception: ") + exception.what());
  }
}

}  // namespace koe::api

#endif  // KOE_API_GUARD_H_
