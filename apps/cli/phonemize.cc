// SPDX-License-Identifier: Apache-2.0
// koe phonemize: text -> phonemes, line by line.
#include "commands.h"
#include "input.h"
#include "interrupt.h"
#include "json.h"
#include "text.h"
#include "values.h"

namespace koe::cli {
namespace {

constexpr char kDetails[] =
    R"(Prints one line for each line of the text, as soon as that line is read; koe say --phonemes takes it back.
--explain prints a table for each line instead: every word with its byte offset in the line, its part of speech
(a Penn tag), where its phonemes come from (gold, silver: misaki's dictionaries; stem: a word that they have with
another ending; number; letters: an abbreviation; spelled: in no dictionary; punctuation; markup; unknown: has
characters that cannot be spoken) and the phonemes. --json prints the same as one object for each line.

Examples:
  koe phonemize "Hello world."
  koe phonemize -l en-gb -f lines.txt
  koe phonemize --explain "The quick brown fox")";

class Phonemize : public Command {
 public:
  std::string Name() const override { return "phonemize"; }
  std::string Summary() const override { return "Print the phonemes of text, one line for each line"; }
  std::string Details() const override { return kDetails; }

  void Declare(Arguments* arguments) override {
    arguments->Positional("TEXT", &text_, "The text; - or nothing: standard input");
    arguments->Value("-f,--file", "FILE", &file_, "Read the text from FILE (-: standard input)");
    arguments->Value("-l,--lang", "CODE", &language_, "en-us (default) or en-gb");
    arguments->Flag("--explain", &explain_, "Print a table of words, their source and phonemes");
    arguments->Flag("--json", &json_, "Print one JSON object for each line");
    arguments->Value("-b,--bundle", "DIR", &bundle_, "Model bundle (default: see koe bundle info --help)");
  }

  Outcome Run(Terminal* terminal) override {
    if (json_ && explain_) return {ExitCode::kUsage, "option: '--explain': --json has it all; give one of them"};
    CLI_TRY(const Language language, ParseLanguage(language_.value_or("en-us")), InputFailure);
    const CancelToken& cancel = CancelOnInterrupt();
    CLI_TRY(TextInput input, TextInput::Open(text_, file_, cancel), UsageFailure);
    CLI_TRY(const Engine engine, OpenEngine(bundle_, {}), OpenFailure);
    size_t num_lines = 0;
    while (true) {
      CLI_TRY(const std::optional<TextLine> line, input.ReadLine(), InputFailure);
      if (!line) break;
      ++num_lines;
      if (cancel.IsCancelled()) return {ExitCode::kCancelled, Format("interrupted: after line %zu", num_lines - 1)};
      CLI_TRY(const Phonemization phonemization, PhonemizeLine(engine, line->text, language), InputFailure);
      CLI_CHECK_OK(WriteStandardOutput(Print(num_lines, line->offset, line->text, phonemization)), InputFailure);
      if (!json_ && !explain_) NoteUnknownWords(phonemization.words, terminal);
    }
    return num_lines > 0 ? Outcome{} : Outcome{ExitCode::kBadInput, "text: '': empty"};
  }

 private:
  // An empty line has no phonemes; the engine would call it an error.
  static Result<Phonemization> PhonemizeLine(const Engine& engine, const std::string& line, Language language) {
    if (IsBlank(line)) return Phonemization{};
    return engine.Phonemize(line, language);
  }

  std::string Print(size_t line_number, size_t offset, const std::string& line, const Phonemization& result) const {
    if (json_) return PhonemizationJson(line_number, offset, line, result);
    if (!explain_) return result.phonemes + "\n";
    std::vector<std::vector<std::string>> rows = {{"word", "offset", "tag", "source", "phonemes"}};
    for (const WordInfo& word : result.words) {
      rows.push_back({OneLine(word.text), std::to_string(word.offset), word.tag, word.source, word.phonemes});
    }
    return (line_number > 1 ? "\n" : "") + Table(rows);
  }

  std::optional<std::string> text_, file_, language_, bundle_;
  bool explain_ = false, json_ = false;
};

}  // namespace

std::unique_ptr<Command> MakePhonemize() { return std::make_unique<Phonemize>(); }

}  // namespace koe::cli
