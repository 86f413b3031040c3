// SPDX-License-Identifier: Apache-2.0
// koe: the command line over include/koe.
#include <signal.h>

#include <cstdlib>
#include <exception>
#include <new>

#include "commands.h"
#include "terminal.h"

namespace koe::cli {
namespace {

Outcome RunLine(const std::vector<std::string>& arguments, Terminal* terminal) {
  const Commands commands = AllCommands();
  const ParsedLine line = ParseLine(arguments, commands);
  if (line.command == nullptr) {
    if (line.outcome.exit_code == ExitCode::kOk) CLI_CHECK_OK(WriteStandardOutput(line.text), UsageFailure);
    return line.outcome;
  }
  terminal->quiet = line.quiet;
  return line.command->Run(terminal);
}

int Main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);  // a reader that leaves is a write error, exit 5
  Terminal terminal;
  Outcome outcome;
  try {
    outcome = RunLine(std::vector<std::string>(argv + 1, argv + argc), &terminal);
  } catch (const std::bad_alloc&) {
    outcome = {ExitCode::kInternal, "memory: not enough"};
  } catch (const std::exception& error) {
    outcome = {ExitCode::kInternal, std::string("internal: exception: ") + error.what()};
  }
  terminal.EraseProgress();
  if (outcome.exit_code != ExitCode::kOk) terminal.Error(outcome.message);
  return static_cast<int>(outcome.exit_code);
}

}  // namespace
}  // namespace koe::cli

int main(int argc, char** argv) { return argc > 0 ? koe::cli::Main(argc, argv) : EXIT_FAILURE; }
