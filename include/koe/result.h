// SPDX-License-Identifier: Apache-2.0
// Errors as values. Nothing in Koe throws across its API, prints, exits or aborts.
#ifndef KOE_RESULT_H_
#define KOE_RESULT_H_

#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

namespace koe {

// Append only: the numbers are shared with the C API and, through ExitCode, with the command line.
enum class ErrorCode {
  kInvalidArgument = 1,  // a value the caller gave is outside what is allowed (text, voice, speed, option)
  kNotFound = 2,         // a file, bundle or named item does not exist
  kCorruptBundle = 3,    // a file exists and is not what it must be (format, digest, shape)
  kUnsupported = 4,      // well formed, but this build or machine cannot do it
  kTooLong = 5,          // the input exceeds a limit; the message names the limit
  kIo = 6,               // reading or writing failed
  kOutOfMemory = 7,
  kCancelled = 8,
  kInternal = 9,  // a bug in Koe: an invariant did not hold
};

// For messages and JSON: "invalid_argument", "not_found", ...
const char* ErrorCodeName(ErrorCode code);

// A code and one line of text in the form "what: which: why", lower case, with the offending value.
class Error {
 public:
  Error(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) {}
  ErrorCode code() const { return code_; }
  const std::string& message() const { return message_; }
  // Puts "context: " in front of the message, once per module on the way up.
  Error WithContext(const std::string& context) const { return Error(code_, context + ": " + message_); }

 private:
  ErrorCode code_;
  std::string message_;
};

// A value or an error. The member names follow std::expected. value() and error() require the matching state.
template <typename T>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }
  T& value() & { return *std::get_if<0>(&state_); }
  const T& value() const& { return *std::get_if<0>(&state_); }
  T&& value() && { return std::move(*std::get_if<0>(&state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return std::get_if<0>(&state_); }
  const T* operator->() const { return std::get_if<0>(&state_); }
  const Error& error() const { return *std::get_if<1>(&state_); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)
  bool has_value() const { return !error_.has_value(); }
  explicit operator bool() const { return has_value(); }
  const Error& error() const { return *error_; }

 private:
  std::optional<Error> error_;
};

}  // namespace koe

#define KOE_RESULT_CONCAT_INNER_(a, b) a##b
#define KOE_RESULT_CONCAT_(a, b) KOE_RESULT_CONCAT_INNER_(a, b)

// KOE_TRY(auto x, F()): declares x with F's value or returns F's error from the enclosing function.
#define KOE_TRY(declaration, expression) KOE_TRY_INNER_(KOE_RESULT_CONCAT_(koe_try_, __LINE__), declaration, expression)
#define KOE_TRY_INNER_(result, declaration, expression) \
  auto result = (expression);                           \
  if (!result.has_value()) return result.error();       \
  declaration = std::move(*result)

// KOE_CHECK_OK(F()): the same for Result<void>, or where the value is not needed.
#define KOE_CHECK_OK(expression) KOE_CHECK_OK_INNER_(KOE_RESULT_CONCAT_(koe_ok_, __LINE__), expression)
#define KOE_CHECK_OK_INNER_(result, expression)                                   \
  do {                                                                            \
    if (auto&& result = (expression); !result.has_value()) return result.error(); \
  } while (false)

#endif  // KOE_RESULT_H_
