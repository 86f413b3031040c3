// SPDX-License-Identifier: Apache-2.0
// The command line's grammar: commands with options. Values arrive as text; commands check them (values.h).
#ifndef KOE_APPS_CLI_ARGUMENTS_H_
#define KOE_APPS_CLI_ARGUMENTS_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "outcome.h"
#include "terminal.h"

namespace koe::cli {

// What a command declares. names: "-o,--output". The targets must live until the command has run.
class Arguments {
 public:
  virtual ~Arguments() = default;
  virtual void Flag(const std::string& names, bool* target, const std::string& help) = 0;
  // Given twice, the last counts.
  virtual void Value(const std::string& names, const std::string& value_name, std::optional<std::string>* target,
                     const std::string& help) = 0;
  // May be given many times, or with commas.
  virtual void List(const std::string& names, const std::string& value_name, std::vector<std::string>* target,
                    const std::string& help) = 0;
  // May be given many times; a comma is a character like others.
  virtual void Files(const std::string& names, std::vector<std::string>* target, const std::string& help) = 0;
  virtual void Positional(const std::string& name, std::optional<std::string>* target, const std::string& help) = 0;
};

class Command {
 public:
  virtual ~Command() = default;
  virtual std::string Name() const = 0;     // "say", "bundle build"
  virtual std::string Summary() const = 0;  // one line
  virtual std::string Details() const = 0;  // the end of --help: definitions and examples
  virtual void Declare(Arguments* arguments) = 0;
  virtual Outcome Run(Terminal* terminal) = 0;
};

using Commands = std::vector<std::unique_ptr<Command>>;

struct ParsedLine {
  Command* command = nullptr;  // to run; null where text is to be printed or the line is wrong
  bool quiet = false;
  std::string text;  // help or version, for standard output
  Outcome outcome;   // kUsage with a message where the line is wrong
};

// `arguments` without the program's name. Every command gets -q/--quiet and -h/--help.
ParsedLine ParseLine(const std::vector<std::string>& arguments, const Commands& commands);

// Environment and exit codes, for the manual page: the end of koe --help.
std::string ProgramNotes();

}  // namespace koe::cli

#endif  // KOE_APPS_CLI_ARGUMENTS_H_
