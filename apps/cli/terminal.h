// SPDX-License-Identifier: Apache-2.0
// Standard output carries results only; everything said to a person goes to standard error through this class.
#ifndef KOE_APPS_CLI_TERMINAL_H_
#define KOE_APPS_CLI_TERMINAL_H_

#include <chrono>
#include <string>
#include <string_view>

#include "koe/result.h"

namespace koe::cli {

class Terminal {
 public:
  Terminal();  // looks at standard error, TERM and NO_COLOR

  bool quiet = false;  // notes, summaries and progress are left out

  void Error(std::string_view message);    // "koe: error: ..."
  void Note(std::string_view message);     // "koe: note: ..."
  void Summary(std::string_view message);  // as it is

  // One line that is overwritten, on a terminal only, and only once 0.7 s have passed: short work shows none.
  // fraction in [0, 1]. It is erased by whatever is written next.
  void Progress(double fraction, std::string_view what);
  void EraseProgress();

 private:
  void WriteLine(std::string_view line);

  using Clock = std::chrono::steady_clock;
  bool shows_progress_ = false;
  bool colours_ = false;
  bool has_progress_ = false;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_progress_{};
};

// All of it or an error: kIo, "output: standard output: why".
Result<void> WriteStandardOutput(std::string_view bytes);

}  // namespace koe::cli

#endif  // KOE_APPS_CLI_TERMINAL_H_
