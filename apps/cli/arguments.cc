// SPDX-License-Identifier: Apache-2.0
// The only file that includes CLI11.
#include "arguments.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>

#include "koe/koe.h"
#include "text.h"

namespace koe::cli {
namespace {

constexpr size_t kHelpColumn = 30;
constexpr size_t kHelpWidth = 70;  // of the text right of that column

// CLI11 drops empty items and then takes the next argument for a value.
std::vector<std::string> SplitAtCommas(const std::vector<std::string>& values) {
  std::vector<std::string> items;
  for (const std::string& value : values) {
    for (size_t start = 0; start <= value.size();) {
      const size_t end = std::min(value.find(',', start), value.size());
      items.push_back(value.substr(start, end - start));
      start = end + 1;
    }
  }
  return items;
}

constexpr char kAbout[] = "Koe: text to speech with Kokoro-82M.";
constexpr char kFooter[] = R"(Each command explains itself: koe help say, or koe say --help.

Examples:
  koe say "Hello world."                        writes koe.wav
  koe say -f story.txt -o story.mp3 -v bf_emma
  echo "Hello." | koe say -o - | aplay
  koe phonemize --explain "Read this."

Environment:
  KOE_BUNDLE   folder of the model bundle, where --bundle does not name one
  KOE_TARGET   SIMD instructions to use: scalar, avx2, avx512 or neon
  KOE_ESPEAK_LIBRARY, KOE_ESPEAK_DATA   libespeak-ng and its data, for --oov espeak
  KOE_PLAYER   command that --play sends 16-bit samples to (24,000 Hz, mono)
  KOE_ALSA_DEVICE, KOE_ALSA_LIBRARY   where --play speaks otherwise (default, libasound.so.2)
  NO_COLOR     no colours on a terminal

Exit codes:
  0 done   2 usage   3 bad text, voice, language or speed   4 a bundle or file is missing or corrupt
  5 writing or other I/O failed   6 interrupted   70 a bug in Koe)";

// Breaks lines between words; CLI11 indents what follows a line end.
std::string Wrap(const std::string& text) {
  std::string wrapped;
  size_t line_start = 0;
  for (size_t at = 0; at < text.size();) {
    size_t end = std::min(text.find(' ', at), text.size());
    if (!wrapped.empty() && wrapped.size() - line_start + 1 + (end - at) > kHelpWidth) {
      wrapped += '\n';
      line_start = wrapped.size();
    } else if (!wrapped.empty()) {
      wrapped += ' ';
    }
    wrapped += text.substr(at, end - at);
    at = end + 1;
  }
  return wrapped;
}

class Cli11Arguments : public Arguments {
 public:
  explicit Cli11Arguments(CLI::App* app) : app_(app) {}

  void Flag(const std::string& names, bool* target, const std::string& help) override {
    app_->add_flag_callback(
        names, [target] { *target = true; }, Wrap(help));
  }
  void Value(const std::string& names, const std::string& value_name, std::optional<std::string>* target,
             const std::string& help) override {
    app_->add_option_function<std::string>(
            names, [target](const std::string& value) { *target = value; }, Wrap(help))
        ->type_name(value_name)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  }
  void List(const std::string& names, const std::string& value_name, std::vector<std::string>* target,
            const std::string& help) override {
    app_->add_option_function<std::vector<std::string>>(
            names, [target](const std::vector<std::string>& values) { *target = SplitAtCommas(values); }, Wrap(help))
        ->type_name(value_name)
        ->expected(1)
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }
  void Files(const std::string& names, std::vector<std::string>* target, const std::string& help) override {
    app_->add_option_function<std::vector<std::string>>(
            names, [target](const std::vector<std::string>& values) { *target = values; }, Wrap(help))
        ->type_name("FILE")
        ->expected(1)
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }
  void Positional(const std::string& name, std::optional<std::string>* target, const std::string& help) override {
    app_->add_option_function<std::string>(
            name, [target](const std::string& value) { *target = value; }, Wrap(help))
        ->type_name("");
  }

 private:
  CLI::App* app_;
};

struct Line {
  CLI::App app{kAbout, "koe"};
  std::map<std::string, CLI::App*> apps;  // by the commands' names, groups ("bundle") included
  bool quiet = false;
};

void Configure(CLI::App* app) {
  app->get_formatter()->column_width(kHelpColumn);
  app->get_formatter()->label("SUBCOMMAND", "COMMAND");
  app->get_formatter()->label("Positionals", "Arguments");
  app->set_help_flag("-h,--help", "Print this text");
}

// Declares every command, "bundle build" as build within bundle.
void Declare(const Commands& commands, Line* line) {
  Configure(&line->app);
  line->app.footer(kFooter);
  line->app.set_version_flag("--version", std::string("koe ") + Version(), "Print the version");
  for (const auto& command : commands) {
    const std::string name = command->Name();
    CLI::App* parent = &line->app;
    const size_t space = name.find(' ');
    if (space != std::string::npos) {
      CLI::App*& group = line->apps[name.substr(0, space)];
      if (group == nullptr) {
        group = line->app.add_subcommand(name.substr(0, space), "Make, check and describe model bundles");
        Configure(group);
        group->group("Commands")->footer("");
      }
      parent = group;
    }
    CLI::App* app = parent->add_subcommand(name.substr(space == std::string::npos ? 0 : space + 1), command->Summary());
    Configure(app);
    app->allow_extras();  // told from each other below
    app->group("Commands")->footer(command->Details());
    Cli11Arguments arguments(app);
    command->Declare(&arguments);
    arguments.Flag("-q,--quiet", &line->quiet, "No notes, summary or progress; errors only");
    line->apps[name] = app;
  }
}

std::vector<std::string> NamesWithin(const Line& line, const std::string& prefix) {
  std::vector<std::string> names;
  for (const auto& [name, app] : line.apps) {
    if (name.rfind(prefix, 0) == 0 && name.find(' ', prefix.size()) == std::string::npos) {
      names.push_back(name.substr(prefix.size()));
    }
  }
  return names;
}

std::vector<std::string> OptionNames(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

ParsedLine Wrong(const std::string& message) {
  ParsedLine parsed;
  parsed.outcome = {ExitCode::kUsage, message};
  return parsed;
}

ParsedLine Text(const std::string& text) {
  ParsedLine parsed;
  parsed.text = text.substr(0, text.find_last_not_of('\n') + 1) + "\n";
  return parsed;
}

// The command ("say", "bundle build") or group ("bundle") that the first arguments name; "" where they start with an
// option. Sets *wrong where the name is unknown.
std::string MatchCommand(const Line& line, const std::vector<std::string>& arguments, ParsedLine* wrong) {
  std::string name, prefix;
  for (const std::string& argument : arguments) {
    const std::vector<std::string> names = NamesWithin(line, prefix);
    if (names.empty() || (!argument.empty() && argument[0] == '-')) break;  // the command's own arguments
    if (std::find(names.begin(), names.end(), argument) == names.end()) {
      const std::string hint = NearestHint(argument, names);
      *wrong = Wrong("command: " + Quote(prefix + argument) + ": unknown" +
                     (hint.empty() ? " (commands: " + Join(names) + ")" : hint));
      break;
    }
    name = prefix + argument;
    prefix = name + " ";
  }
  return name;
}

// What is left over: an option nobody declared, or a second TEXT.
ParsedLine WrongExtra(const CLI::App& app, const std::vector<std::string>& extras) {
  for (const std::string& extra : extras) {
    if (extra.size() < 2 || extra[0] != '-' || extra == "--") continue;
    const std::string name = extra.substr(0, extra.find('='));
    std::string hint = NearestHint(name, OptionNames(app));
    const std::string command = app.get_parent() == nullptr ? "koe" : "koe " + app.get_name();
    if (hint.empty()) hint = " (see " + command + " --help; put -- before a text that starts with '-')";
    return Wrong("option: " + Quote(name) + ": unknown" + hint);
  }
  return Wrong("argument: " + Quote(extras.front()) + ": one too many (put quotes around a text with spaces)");
}

}  // namespace

std::string ProgramNotes() {
  const std::string footer = kFooter;
  return footer.substr(footer.find("Environment:"));
}

ParsedLine ParseLine(const std::vector<std::string>& arguments, const Commands& commands) {
  Line line;
  Declare(commands, &line);
  std::vector<std::string> words = arguments;
  const bool asks_for_help = !words.empty() && words[0] == "help";
  if (asks_for_help) words.erase(words.begin());

  ParsedLine wrong;
  const std::string name = MatchCommand(line, words, &wrong);
  if (wrong.outcome.exit_code != ExitCode::kOk) return wrong;
  CLI::App* app = name.empty() ? &line.app : line.apps[name];
  if (asks_for_help) {
    const size_t space = name.find(' ');
    const std::string parents = space == std::string::npos ? "koe" : "koe " + name.substr(0, space);
    return Text(app->help(name.empty() ? "" : parents));
  }
  try {
    line.app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::CallForHelp&) {
    return Text(line.app.help());
  } catch (const CLI::CallForVersion& version) {
    return Text(version.what());
  } catch (const CLI::ArgumentMismatch& error) {
    const std::string what = error.what();  // "--voice: 1 required VOICE missing"
    return Wrong("option: " + Quote(what.substr(0, what.find(':'))) + ": needs a value");
  } catch (const CLI::ExtrasError&) {
    return WrongExtra(*app, line.app.remaining(true));
  } catch (const CLI::ParseError& error) {
    return Wrong(std::string("arguments: ") + error.what());
  }
  const auto found = std::find_if(commands.begin(), commands.end(), [&](const auto& c) { return c->Name() == name; });
  if (found == commands.end()) {
    return Wrong("command: " + (name.empty() ? "none" : Quote(name)) + ": needs one of " +
                 Join(NamesWithin(line, name.empty() ? "" : name + " ")) + " (see koe help)");
  }
  std::vector<std::string> extras = app->remaining();
  extras.erase(std::remove(extras.begin(), extras.end(), "--"), extras.end());  // CLI11 keeps the mark itself
  if (!extras.empty()) return WrongExtra(*app, extras);
  ParsedLine parsed;
  parsed.command = found->get();
  parsed.quiet = line.quiet;
  return parsed;
}

}  // namespace koe::cli
