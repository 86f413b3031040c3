// SPDX-License-Identifier: Apache-2.0
// How a command ends: its exit code and, unless all went well, one line for standard error.
#ifndef KOE_APPS_CLI_OUTCOME_H_
#define KOE_APPS_CLI_OUTCOME_H_

#include <string>

#include "koe/result.h"

namespace koe::cli {

// A stable interface: scripts depend on these numbers.
enum class ExitCode {
  kOk = 0,
  kUsage = 2,      // an option or argument
  kBadInput = 3,   // text, voice, language, speed
  kBadBundle = 4,  // a bundle or an input file is missing or corrupt
  kIo = 5,         // writing or other I/O
  kCancelled = 6,
  kInternal = 70,
};

struct [[nodiscard]] Outcome {
  ExitCode exit_code = ExitCode::kOk;
  std::string message;  // "what: which: why"
};

// For options: whatever is wrong with them is a question of usage.
Outcome UsageFailure(const Error& error);
// For text and voices.
Outcome InputFailure(const Error& error);
// For opening an engine (see OpenEngine): an argument it refuses is an option, as is what this machine lacks.
Outcome OpenFailure(const Error& error);
// For writing audio: that ours cannot be sound is a bug, a format this build lacks a question of usage.
Outcome WriteFailure(const Error& error);
// For building and checking bundles: an argument is a question of usage, a file in a form we cannot read the file's
// fault.
Outcome BundleFailure(const Error& error);

}  // namespace koe::cli

// CLI_TRY(auto x, F(), InputFailure): declares x with F's value, or returns InputFailure(error) from a function that
// returns Outcome.
#define CLI_TRY(declaration, expression, failure) \
  CLI_TRY_INNER_(KOE_RESULT_CONCAT_(cli_try_, __LINE__), declaration, expression, failure)
#define CLI_TRY_INNER_(result, declaration, expression, failure) \
  auto result = (expression);                                    \
  if (!result.has_value()) return failure(result.error());       \
  declaration = std::move(*result)

// The same for Result<void>.
#define CLI_CHECK_OK(expression, failure)                                                \
  do {                                                                                   \
    if (auto result = (expression); !result.has_value()) return failure(result.error()); \
  } while (false)

#endif  // KOE_APPS_CLI_OUTCOME_H_
