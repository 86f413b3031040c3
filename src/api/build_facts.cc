// SPDX-License-Identifier: Apache-2.0
#include "koe/bench.h"

namespace koe {
namespace api {
extern const char kCommit[];  // written at every build by cmake/WriteCommit.cmake
}

BuildFacts Build() {
#if defined(__clang__)
  return {Version(), api::kCommit, "clang " __clang_version__};
#elif defined(__GNUC__)
  return {Version(), api::kCommit, "g++ " __VERSION__};
#else
  return {Version(), api::kCommit, "unknown"};
#endif
}

}  // namespace koe
