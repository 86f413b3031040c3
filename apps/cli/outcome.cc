// SPDX-License-Identifier: Apache-2.0
#include "outcome.h"

namespace koe::cli {
namespace {

ExitCode ExitCodeOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kUnsupported:
    case ErrorCode::kTooLong:
      return ExitCode::kBadInput;
    case ErrorCode::kNotFound:
    case ErrorCode::kCorruptBundle:
      return ExitCode::kBadBundle;
    case ErrorCode::kIo:
      return ExitCode::kIo;
    case ErrorCode::kCancelled:
      return ExitCode::kCancelled;
    case ErrorCode::kOutOfMemory:
    case ErrorCode::kInternal:
      break;
  }
  return ExitCode::kInternal;
}

Outcome Failure(const Error& error, ExitCode for_bad_input) {
  const ExitCode code = ExitCodeOf(error.code());
  return {code == ExitCode::kBadInput ? for_bad_input : code, error.message()};
}

}  // namespace

Outcome UsageFailure(const Error& error) { return Failure(error, ExitCode::kUsage); }
Outcome InputFailure(const Error& error) { return Failure(error, ExitCode::kBadInput); }
Outcome OpenFailure(const Error& error) { return Failure(error, ExitCode::kUsage); }
Outcome WriteFailure(const Error& error) {
  return Failure(error, error.code() == ErrorCode::kInvalidArgument ? ExitCode::kInternal : ExitCode::kUsage);
}
Outcome BundleFailure(const Error& error) {
  const bool is_argument = error.code() == ErrorCode::kInvalidArgument;
  return Failure(error, is_argument ? ExitCode::kUsage : ExitCode::kBadBundle);
}

}  // namespace koe::cli
