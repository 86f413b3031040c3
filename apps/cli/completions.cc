// SPDX-License-Identifier: Apache-2.0
// koe completions, koe man: the program describes itself to shells and to man.
#include "commands.h"
#include "reference.h"
#include "values.h"

namespace koe::cli {
namespace {

class Completions : public Command {
 public:
  std::string Name() const override { return "completions"; }
  std::string Summary() const override { return "Print a shell's completion script"; }
  std::string Details() const override {
    return R"(Examples:
  source <(koe completions bash)
  koe completions zsh > ~/.zfunc/_koe
  koe completions fish > ~/.config/fish/completions/koe.fish)";
  }
  void Declare(Arguments* arguments) override { arguments->Positional("SHELL", &shell_, "bash, zsh or fish"); }
  Outcome Run(Terminal*) override {
    CLI_TRY(const std::string shell, ParseChoice("shell", shell_.value_or(""), {"bash", "zsh", "fish"}), UsageFailure);
    const Commands commands = AllCommands();
    const std::string script = shell == "bash"  ? BashCompletion(commands)
                               : shell == "zsh" ? ZshCompletion(commands)
                                                : FishCompletion(commands);
    CLI_CHECK_OK(WriteStandardOutput(script), InputFailure);
    return {};
  }

 private:
  std::optional<std::string> shell_;
};

class Man : public Command {
 public:
  std::string Name() const override { return "man"; }
  std::string Summary() const override { return "Print the manual page"; }
  std::string Details() const override { return "Examples:\n  koe man | man -l -"; }
  void Declare(Arguments*) override {}
  Outcome Run(Terminal*) override {
    CLI_CHECK_OK(WriteStandardOutput(ManualPage(AllCommands())), InputFailure);
    return {};
  }
};

}  // namespace

std::unique_ptr<Command> MakeCompletions() { return std::make_unique<Completions>(); }
std::unique_ptr<Command> MakeMan() { return std::make_unique<Man>(); }

// In the order of the help text.
Commands AllCommands() {
  Commands commands;
  commands.push_back(MakeSay());
  commands.push_back(MakeBatch());
  commands.push_back(MakePhonemize());
  commands.push_back(MakeVoices());
  commands.push_back(MakeInfo());
  commands.push_back(MakeBench());
  commands.push_back(MakeBundleBuild());
  commands.push_back(MakeBundleValidate());
  commands.push_back(MakeBundleInfo());
  commands.push_back(MakeBundleFetch());
  commands.push_back(MakeBundleGc());
  commands.push_back(MakeBundleDiff());
  commands.push_back(MakeBundlePublish());
  commands.push_back(MakeBundleKeygen());
  commands.push_back(MakeBundleSign());
  commands.push_back(MakeBundleVerify());
  commands.push_back(MakeExport());
  commands.push_back(MakeDump());
  commands.push_back(MakeCompletions());
  commands.push_back(MakeMan());
  return commands;
}

}  // namespace koe::cli
