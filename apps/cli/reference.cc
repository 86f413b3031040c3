// SPDX-License-Identifier: Apache-2.0
#include "reference.h"

#include <algorithm>
#include <map>

#include "koe/koe.h"
#include "text.h"

namespace koe::cli {
namespace {

struct Option {
  std::vector<std::string> names;
  std::string value_name;  // "": a flag
  std::string help;
};

// One command as it is written down.
struct Entry : Arguments {
  std::string name, summary, details, positional, positional_help;
  std::vector<Option> options;

  void Add(const std::string& names, const std::string& value_name, const std::string& help) {
    Option option{{}, value_name, help};
    for (size_t start = 0; start <= names.size();) {
      const size_t end = std::min(names.find(',', start), names.size());
      option.names.push_back(names.substr(start, end - start));
      start = end + 1;
    }
    options.push_back(std::move(option));
  }
  void Flag(const std::string& names, bool*, const std::string& help) override { Add(names, "", help); }
  void Value(const std::string& names, const std::string& value_name, std::optional<std::string>*,
             const std::string& help) override {
    Add(names, value_name, help);
  }
  void List(const std::string& names, const std::string& value_name, std::vector<std::string>*,
            const std::string& help) override {
    Add(names, value_name, help);
  }
  void Files(const std::string& names, std::vector<std::string>*, const std::string& help) override {
    Add(names, "FILE", help);
  }
  void Positional(const std::string& given, std::optional<std::string>*, const std::string& help) override {
    positional = given;
    positional_help = help;
  }
};

std::vector<Entry> EntriesOf(const Commands& commands) {
  std::vector<Entry> entries;
  for (const auto& command : commands) {
    Entry& entry = entries.emplace_back();
    entry.name = command->Name();
    entry.summary = command->Summary();
    entry.details = command->Details();
    command->Declare(&entry);
    entry.Add("-q,--quiet", "", "No notes, summary or progress; errors only");
    entry.Add("-h,--help", "", "Print this text");
  }
  return entries;
}

std::string FirstWord(const std::string& name) { return name.substr(0, name.find(' ')); }
std::string SecondWord(const std::string& name) {
  return name.find(' ') == std::string::npos ? "" : name.substr(name.find(' ') + 1);
}

// First words in order, each once, with a summary; then the second words of those that have some.
struct Words {
  std::vector<std::pair<std::string, std::string>> first;
  std::map<std::string, std::vector<std::pair<std::string, std::string>>> second;
};
Words WordsOf(const std::vector<Entry>& entries) {
  Words words;
  for (const Entry& entry : entries) {
    const std::string first = FirstWord(entry.name), second = SecondWord(entry.name);
    const bool is_new = std::none_of(words.first.begin(), words.first.end(), [&](auto& w) { return w.first == first; });
    if (is_new) words.first.emplace_back(first, second.empty() ? entry.summary : "Commands about " + first + "s");
    if (!second.empty()) words.second[first].emplace_back(second, entry.summary);
  }
  words.first.emplace_back("help", "Explain a command");
  return words;
}

std::string Listed(const std::vector<std::pair<std::string, std::string>>& words) {
  std::string list;
  for (const auto& [word, summary] : words) list += (list.empty() ? "" : " ") + word;
  return list;
}

// 'text' for a shell: a quote within becomes '\''.
std::string ShellQuote(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

// What a shell completes the value with.
enum class Kind { kNone, kFile, kFolder, kVoice };
Kind KindOf(const Option& option) {
  if (std::find(option.names.begin(), option.names.end(), "--voice") != option.names.end()) return Kind::kVoice;
  if (option.value_name == "FILE") return Kind::kFile;
  return option.value_name == "DIR" ? Kind::kFolder : Kind::kNone;
}

constexpr char kVoices[] = "koe voices 2>/dev/null | cut -d ' ' -f 1";

std::string Roff(const std::string& text) {
  std::string escaped;
  bool at_start = true;
  for (const char c : text) {
    if (at_start && (c == '.' || c == '\'')) escaped += "\\&";
    if (c == '\\') {
      escaped += "\\e";
    } else if (c == '-') {
      escaped += "\\-";
    } else {
      escaped += c;
    }
    at_start = c == '\n';
  }
  return escaped;
}

}  // namespace

std::string BashCompletion(const Commands& commands) {
  const std::vector<Entry> entries = EntriesOf(commands);
  const Words words = WordsOf(entries);
  std::string script =
      "# bash completion for koe; made by `koe completions bash`\n_koe() {\n"
      "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}\n"
      "  COMPREPLY=()\n  if ((COMP_CWORD == 1)); then\n    mapfile -t COMPREPLY < <(compgen -W '" +
      Listed(words.first) + " --help --version' -- \"$cur\")\n    return\n  fi\n  case $command in\n";
  for (const auto& [first, second] : words.second) {
    script += "    " + first + ")\n      if ((COMP_CWORD == 2)); then\n        mapfile -t COMPREPLY < <(compgen -W '" +
              Listed(second) +
              "' -- \"$cur\")\n        return\n      fi\n      command+=\" ${COMP_WORDS[2]}\"\n      ;;\n";
  }
  script += "    help)\n      mapfile -t COMPREPLY < <(compgen -W '" + Listed(words.first) +
            "' -- \"$cur\")\n      return\n      ;;\n  esac\n  case $command in\n";
  for (const Entry& entry : entries) {
    std::map<Kind, std::string> patterns;
    std::string names;
    for (const Option& option : entry.options) {
      for (const std::string& name : option.names) {
        names += (names.empty() ? "" : " ") + name;
        if (option.value_name.empty()) continue;
        std::string& pattern = patterns[KindOf(option)];
        pattern += (pattern.empty() ? "" : "|") + name;
      }
    }
    script += "    '" + entry.name + "')\n      case $prev in\n";
    for (const auto& [kind, pattern] : patterns) {
      const std::string complete = kind == Kind::kFile     ? "compgen -f -- \"$cur\""
                                   : kind == Kind::kFolder ? "compgen -d -- \"$cur\""
                                   : kind == Kind::kVoice ? std::string("compgen -W \"$(") + kVoices + ")\" -- \"$cur\""
                                                          : "";
      script += "        " + pattern + ")\n" +
                (complete.empty() ? "" : "          mapfile -t COMPREPLY < <(" + complete + ")\n") +
                "          return\n          ;;\n";
    }
    script +=
        "      esac\n      if [[ $cur == -* ]]; then\n        mapfile -t COMPREPLY < <(compgen -W '" + names +
        "' -- \"$cur\")\n      else\n        mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n      fi\n      ;;\n";
  }
  return script + "  esac\n}\ncomplete -o filenames -F _koe koe\n";
}

std::string ZshCompletion(const Commands& commands) {
  const std::vector<Entry> entries = EntriesOf(commands);
  const Words words = WordsOf(entries);
  const auto clean = [](const std::string& text) {  // [ ] and : have meanings in what _arguments reads
    std::string escaped;
    for (const char c : text)
      escaped += c == '[' || c == ']' || c == ':' || c == '\\' ? std::string("\\") + c : std::string(1, c);
    return escaped;
  };
  const auto describe = [&](const std::vector<std::pair<std::string, std::string>>& list) {
    std::string described;
    for (const auto& [word, summary] : list) described += " " + ShellQuote(word + ":" + clean(summary));
    return described;
  };
  std::string script =
      "#compdef koe\n# made by `koe completions zsh`\n_koe() {\n  local -a names\n  if ((CURRENT == 2)); then\n"
      "    names=(" +
      describe(words.first) +
      ")\n    _describe command names\n    return\n  fi\n"
      "  local command=$words[2]\n  case $command in\n";
  for (const auto& [first, second] : words.second) {
    script += "    " + first + ")\n      if ((CURRENT == 3)); then\n        names=(" + describe(second) +
              ")\n        _describe command names\n        return\n      fi\n      command+=\" $words[3]\"\n      ;;\n";
  }
  script += "    help)\n      names=(" + describe(words.first) +
            ")\n      _describe command names\n      return\n      ;;\n  esac\n"
            "  case $command in\n";
  for (const Entry& entry : entries) {
    script += "    '" + entry.name + "')\n      _arguments";
    for (const Option& option : entry.options) {
      const Kind kind = KindOf(option);
      const std::string action = kind == Kind::kFile     ? "_files"
                                 : kind == Kind::kFolder ? "_files -/"
                                 : kind == Kind::kVoice  ? std::string("($(") + kVoices + "))"
                                                         : " ";
      for (const std::string& name : option.names) {
        script +=
            " \\\n        " + ShellQuote(name + "[" + clean(option.help) + "]" +
                                         (option.value_name.empty() ? "" : ":" + option.value_name + ":" + action));
      }
    }
    script += " \\\n        '*:file:_files'\n      ;;\n";
  }
  return script + "  esac\n}\nif [[ $funcstack[1] == _koe ]]; then _koe \"$@\"; else compdef _koe koe; fi\n";
}

std::string FishCompletion(const Commands& commands) {
  const std::vector<Entry> entries = EntriesOf(commands);
  const Words words = WordsOf(entries);
  const auto quote = [](const std::string& text) {
    std::string quoted = "'";
    for (const char c : text) quoted += c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c);
    return quoted + "'";
  };
  std::string script = "# fish completion for koe; made by `koe completions fish`\n";
  for (const auto& [word, summary] : words.first) {
    script += "complete -c koe -f -n __fish_use_subcommand -a " + word + " -d " + quote(summary) + "\n";
  }
  for (const auto& [first, second] : words.second) {
    for (const auto& [word, summary] : second) {
      script += "complete -c koe -f -n '__fish_seen_subcommand_from " + first +
                "; and not __fish_seen_subcommand_from " + Listed(second) + "' -a " + word + " -d " + quote(summary) +
                "\n";
    }
  }
  for (const Entry& entry : entries) {
    const std::string second = SecondWord(entry.name);
    const std::string condition = "__fish_seen_subcommand_from " + FirstWord(entry.name) +
                                  (second.empty() ? "" : "; and __fish_seen_subcommand_from " + second);
    for (const Option& option : entry.options) {
      script += "complete -c koe -n '" + condition + "'";
      for (const std::string& name : option.names) {
        script += name.rfind("--", 0) == 0 ? " -l " + name.substr(2) : " -s " + name.substr(1);
      }
      if (!option.value_name.empty()) {
        const Kind kind = KindOf(option);
        script += kind == Kind::kFile     ? " -r -F"
                  : kind == Kind::kFolder ? " -x -a '(__fish_complete_directories)'"
                  : kind == Kind::kVoice  ? std::string(" -x -a '(koe voices 2>/dev/null | string split -f 1 \" \")'")
                                          : " -x";
      }
      script += " -d " + quote(option.help) + "\n";
    }
  }
  return script;
}

std::string ManualPage(const Commands& commands) {
  std::string page = std::string(".TH KOE 1 \"\" \"koe ") + Version() +
                     "\" \"User Commands\"\n.SH NAME\nkoe \\- text to speech with " +
                     "Kokoro\\-82M\n.SH SYNOPSIS\n.B koe\n.I COMMAND\n[\\fIOPTION\\fR]...\n.SH COMMANDS\n";
  for (const Entry& entry : EntriesOf(commands)) {
    page += ".SS \"koe " + entry.name + (entry.positional.empty() ? "" : " [" + entry.positional + "]") + "\"\n" +
            Roff(entry.summary) + ".\n";
    if (!entry.positional.empty())
      page += ".TP\n\\fI" + entry.positional + "\\fR\n" + Roff(entry.positional_help) + "\n";
    for (const Option& option : entry.options) {
      std::string names;
      for (const std::string& name : option.names)
        names += (names.empty() ? "" : ", ") + ("\\fB" + Roff(name) + "\\fR");
      page += ".TP\n" + names + (option.value_name.empty() ? "" : " \\fI" + option.value_name + "\\fR") + "\n" +
              Roff(option.help) + "\n";
    }
    if (!entry.details.empty()) page += ".PP\n.nf\n" + Roff(entry.details) + "\n.fi\n";
  }
  return page + ".SH \"ENVIRONMENT AND EXIT STATUS\"\n.nf\n" + Roff(ProgramNotes()) + "\n.fi\n";
}

}  // namespace koe::cli
