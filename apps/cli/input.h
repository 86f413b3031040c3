// SPDX-License-Identifier: Apache-2.0
// Where the text comes from: the argument TEXT, a file, or standard input.
#ifndef KOE_APPS_CLI_INPUT_H_
#define KOE_APPS_CLI_INPUT_H_

#include <memory>
#include <optional>
#include <string>

#include "koe/koe.h"
#include "outcome.h"

namespace koe::cli {

struct TextLine {
  std::string text;
  size_t offset;  // of its first byte in the whole text
};

// The bytes of one text, read once, whole or line by line.
class TextInput {
 public:
  // TEXT "-", FILE "-", and neither where standard input is no terminal, mean standard input. kInvalidArgument: both
  // are given, or neither and nobody pipes; kNotFound and kIo: FILE. `cancel` ends a read that waits.
  static Result<TextInput> Open(const std::optional<std::string>& text, const std::optional<std::string>& file,
                                const CancelToken& cancel);
  TextInput(TextInput&&) noexcept;
  TextInput& operator=(TextInput&&) noexcept;
  ~TextInput();

  // The whole text, well-formed UTF-8. kInvalidArgument names the offset of the first bad byte; kTooLong; kIo;
  // kCancelled.
  Result<std::string> ReadAll();
  // The next line without its end (LF or CR LF), checked in the same way; nullopt after the last. An end of line at the
  // end of the text does not start another line.
  Result<std::optional<TextLine>> ReadLine();

 private:
  struct State;
  explicit TextInput(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace koe::cli

#endif  // KOE_APPS_CLI_INPUT_H_
