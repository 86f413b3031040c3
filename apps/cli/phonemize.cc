// SPDX-License-Identifier: Apache-2.0
// koe phonemize: text -> phonemes, line by line or chunk by chunk.
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
--chunks reads the whole text and prints one line for each chunk that koe say would make of it.
--explain prints a table for each line or chunk instead: every word with its byte offset (in the line; with
--chunks in the text), its part of speech (a Penn tag), where its phonemes come from, how likely they are right,
and the phonemes. Sources: markup; lexicon (--lexicon); gold, silver (misaki's dictionaries); stem (a word that
they have, with another ending); letters (an abbreviation); number; neural, espeak, spelled (in no dictionary, see
--oov); punctuation; unknown (has characters that cannot be spoken). --json prints the same as objects.

Examples:
  koe phonemize "Hello world."
  koe phonemize -l en-gb -f lines.txt
  koe phonemize --explain --lexicon names.tsv "The quick Nguyen"
  koe phonemize --chunks -f chapter.txt)";

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
    arguments->Flag("--json", &json_, "Print one JSON object for each line or chunk");
    arguments->Flag("--chunks", &chunks_, "Print the chunks that koe say would make of the text");
    arguments->Value("-s,--speed", "X", &speed_, "Speed of speech for --chunks, 0.25 to 4 (default 1)");
    text_arguments_.Declare(arguments);
    arguments->Value("-b,--bundle", "DIR", &bundle_, "Model bundle (default: see koe bundle info --help)");
  }

  Outcome Run(Terminal* terminal) override {
    if (json_ && explain_) return {ExitCode::kUsage, "option: '--explain': --json has it all; give one of them"};
    if (!chunks_ && text_arguments_.chunking) return {ExitCode::kUsage, "option: '--chunking': needs --chunks"};
    if (!chunks_ && speed_) return {ExitCode::kUsage, "option: '--speed': needs --chunks"};
    EngineOptions engine_options;
    CLI_CHECK_OK(text_arguments_.Apply(&engine_options), UsageFailure);
    if (chunks_) {
      CLI_TRY(options_.chunking, text_arguments_.ChosenChunking(), UsageFailure);
    }
    CLI_TRY(options_.speed, ParseSpeed(speed_.value_or("1")), InputFailure);
    CLI_TRY(options_.language, ParseLanguage(language_.value_or("en-us")), InputFailure);
    CLI_TRY(options_.lexicon, text_arguments_.Load(), InputFailure);
    options_.cancel = &CancelOnInterrupt();
    CLI_TRY(TextInput input, TextInput::Open(text_, file_, *options_.cancel), UsageFailure);
    CLI_TRY(const Engine engine, OpenEngine(bundle_, engine_options), OpenFailure);
    Outcome outcome = chunks_ ? PrintChunks(engine, &input, terminal) : PrintLines(engine, &input, terminal);
    if (outcome.exit_code == ExitCode::kOk && num_dropped_ > 0 && !json_) {
      terminal->Note(Format("symbols: %zu: neither spoken nor punctuation; left out", num_dropped_));
    }
    return outcome;
  }

 private:
  Outcome PrintLines(const Engine& engine, TextInput* input, Terminal* terminal) {
    size_t num_lines = 0;
    while (true) {
      CLI_TRY(const std::optional<TextLine> line, input->ReadLine(), InputFailure);
      if (!line) break;
      ++num_lines;
      if (options_.cancel->IsCancelled()) {
        return {ExitCode::kCancelled, Format("interrupted: after line %zu", num_lines - 1)};
      }
      // An empty line has no phonemes.
      Phonemization spoken;
      if (!IsBlank(line->text)) {
        CLI_TRY(spoken, engine.Phonemize(line->text, options_), InputFailure);
      }
      std::string output = spoken.phonemes + "\n";
      if (json_) output = PhonemizationJson(num_lines, line->offset, line->text, spoken);
      if (explain_) output = (num_lines > 1 ? "\n" : "") + WordTable(spoken.words);
      CLI_CHECK_OK(WriteStandardOutput(output), InputFailure);
      Note(spoken, terminal);
    }
    return num_lines > 0 ? Outcome{} : Outcome{ExitCode::kBadInput, "text: '': empty"};
  }

  Outcome PrintChunks(const Engine& engine, TextInput* input, Terminal* terminal) {
    CLI_TRY(const std::string text, input->ReadAll(), InputFailure);
    if (IsBlank(text)) return {ExitCode::kBadInput, "text: " + Quote(text) + ": empty"};
    CLI_TRY(const Phonemization spoken, engine.Phonemize(text, options_), InputFailure);
    const std::vector<WordInfo>& all = spoken.words;
    size_t first = 0;
    for (size_t i = 0; i < spoken.chunks.size(); ++i) {
      const ChunkPreview& chunk = spoken.chunks[i];
      // A word that is longer than a chunk belongs to all of its chunks.
      while (first > 0 && all[first - 1].offset >= chunk.text_offset) --first;
      while (first < all.size() && all[first].offset < chunk.text_offset) ++first;
      size_t last = first;
      while (last < all.size() && all[last].offset < chunk.text_offset + chunk.text_length) ++last;
      const std::vector<WordInfo> words(all.begin() + static_cast<ptrdiff_t>(first),
                                        all.begin() + static_cast<ptrdiff_t>(last));
      first = last;
      std::string output = chunk.phonemes + "\n";
      if (json_) output = ChunkJson(i, text.substr(chunk.text_offset, chunk.text_length), chunk, words);
      if (explain_) output = (i > 0 ? "\n" : "") + WordTable(words);
      CLI_CHECK_OK(WriteStandardOutput(output), InputFailure);
    }
    Note(spoken, terminal);
    return {};
  }

  static std::string WordTable(const std::vector<WordInfo>& words) {
    std::vector<std::vector<std::string>> rows = {{"word", "offset", "tag", "source", "confidence", "phonemes"}};
    for (const WordInfo& word : words) {
      rows.push_back({OneLine(word.text), std::to_string(word.offset), word.tag, word.source,
                      Format("%.2f", static_cast<double>(word.confidence)), word.phonemes});
    }
    return Table(rows);
  }

  void Note(const Phonemization& result, Terminal* terminal) {
    num_dropped_ += result.dropped_symbols;
    if (!json_ && !explain_) NoteUnknownWords(result.words, terminal);
  }

  std::optional<std::string> text_, file_, language_, speed_, bundle_;
  TextArguments text_arguments_;
  bool explain_ = false, json_ = false, chunks_ = false;
  PhonemizeOptions options_;
  size_t num_dropped_ = 0;
};

}  // namespace

std::unique_ptr<Command> MakePhonemize() { return std::make_unique<Phonemize>(); }

}  // namespace koe::cli
