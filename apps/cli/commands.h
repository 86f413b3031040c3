// SPDX-License-Identifier: Apache-2.0
// One function a command; each lives in the file of its name.
#ifndef KOE_APPS_CLI_COMMANDS_H_
#define KOE_APPS_CLI_COMMANDS_H_

#include <memory>

#include "arguments.h"
#include "koe/koe.h"

namespace koe::cli {

std::unique_ptr<Command> MakeSay();
std::unique_ptr<Command> MakeBatch();
std::unique_ptr<Command> MakePhonemize();
std::unique_ptr<Command> MakeDump();
std::unique_ptr<Command> MakeExport();
std::unique_ptr<Command> MakeBench();
std::unique_ptr<Command> MakeVoices();
std::unique_ptr<Command> MakeInfo();
std::unique_ptr<Command> MakeBundleBuild();
std::unique_ptr<Command> MakeBundleValidate();
std::unique_ptr<Command> MakeBundleInfo();
std::unique_ptr<Command> MakeBundleFetch();
std::unique_ptr<Command> MakeBundleGc();
std::unique_ptr<Command> MakeBundleDiff();
std::unique_ptr<Command> MakeBundlePublish();
std::unique_ptr<Command> MakeBundleKeygen();
std::unique_ptr<Command> MakeBundleSign();
std::unique_ptr<Command> MakeBundleVerify();
std::unique_ptr<Command> MakeCompletions();
std::unique_ptr<Command> MakeMan();

// New ones of all, in the order of the help text.
Commands AllCommands();

// Notes about words that no dictionary has and about what cannot be spoken, each once, at most ten.
void NoteUnknownWords(const std::vector<WordInfo>& words, Terminal* terminal);

}  // namespace koe::cli

#endif  // KOE_APPS_CLI_COMMANDS_H_
