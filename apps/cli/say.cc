// SPDX-License-Identifier: Apache-2.0
// koe say: text -> an audio file or stream.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <set>

#include "commands.h"
#include "input.h"
#include "interrupt.h"
#include "json.h"
#include "player.h"
#include "text.h"
#include "values.h"

namespace koe::cli {
namespace {

constexpr uint64_t kMaxRepeats = 10000;
constexpr size_t kMaxNotes = 10;

constexpr char kDetails[] =
    R"(TEXT may come from --file or a pipe instead. Long text is cut into chunks at sentence ends and joined.
The format follows the ending of FILE: .wav .flac .mp3 .ogg .opus .raw (16-bit mono, 24,000 Hz; clipped where
needed, never normalised; raw is signed little-endian without a header). The same input, voice, speed and seed
give the same bytes, whatever the number of threads.

"3.7x real time" (speed_vs_realtime with --json) is seconds of speech for each second from text to joined samples;
realtime_factor is its inverse, seconds of work for each second of speech (0.27; lower is faster). Opening the
bundle and writing the file are not counted, but a first run loads the weights. With --repeat N the first run is
left out and the median of the others counts.

Examples:
  koe say "Hello world."
  koe say -v bf_emma -s 0.9 -o tea.flac "Would you like some tea?"
  koe say -f book.txt -o book.mp3
  koe say --phonemes "həlˈO wˈɜɹld."
  echo "Hello." | koe say -o - --format raw | aplay -r 24000 -f S16_LE -c 1
  koe say --play "Spoken to the speakers."
  koe say -f book.txt --stream -o - | aplay
  koe say --lexicon names.tsv "Nguyen wrote it."
  koe say -f book.txt -o book.mp3 --srt book.srt
  koe say "One moment. [pause:1s] [voice:bf_emma]Now?[/voice]"
  koe say --json --repeat 5 -o /tmp/a.wav "How fast?")";

const char* NameOf(AudioFormat format) {
  switch (format) {
    case AudioFormat::kWav:
      return "wav";
    case AudioFormat::kFlac:
      return "flac";
    case AudioFormat::kMp3:
      return "mp3";
    case AudioFormat::kOgg:
      return "ogg";
    case AudioFormat::kOpus:
      return "opus";
    case AudioFormat::kRaw:
      break;
  }
  return "raw";
}

// Of a WAV file whose length is not known yet, as programs that read pipes expect it: both sizes at their largest.
std::string EndlessWavHeader() {
  const auto number = [](uint32_t value, int bytes) {
    std::string text;
    for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 0xFF);
    return text;
  };
  return "RIFF" + number(0xFFFFFFFF, 4) + "WAVEfmt " + number(16, 4) + number(1, 2) + number(1, 2) +
         number(kSampleRateHz, 4) + number(2 * kSampleRateHz, 4) + number(2, 2) + number(16, 2) + "data" +
         number(0xFFFFFFFF, 4);
}

class Say : public Command {
 public:
  std::string Name() const override { return "say"; }
  std::string Summary() const override { return "Speak text into an audio file or stream"; }
  std::string Details() const override { return kDetails; }
  void Declare(Arguments* arguments) override;
  Outcome Run(Terminal* terminal) override;

 private:
  Outcome CheckArguments();
  Outcome Speak(const Engine& engine, const std::string& text, Terminal* terminal);
  Outcome SpeakAtOnce(const Engine& engine, const std::string& text, Terminal* terminal);
  Result<Audio> SpeakOften(const Engine& engine, const std::string& text, const SynthesisOptions& options);
  Result<void> Write(const Audio& audio) const;
  Result<void> WriteTimes(const std::string& text, const Audio& audio) const;

  std::optional<std::string> text_, file_, output_, voice_, speed_, language_, seed_, repeat_, format_name_, blend_,
      gain_;
  std::optional<std::string> srt_, vtt_, times_;
  TextArguments text_arguments_;
  ModelArguments model_;
  bool is_phonemes_ = false, json_ = false, strict_ = false, stream_ = false, play_ = false;

  EngineOptions engine_options_;
  SynthesisOptions options_;
  AudioFormat format_ = AudioFormat::kWav;
  uint64_t num_repeats_ = 1;
  SpeechReport report_;
};

void Say::Declare(Arguments* arguments) {
  arguments->Positional("TEXT", &text_, "What to say; - or nothing: standard input");
  arguments->Value("-f,--file", "FILE", &file_, "Read the text from FILE (-: standard input)");
  arguments->Value("-o,--output", "FILE", &output_, "Write to FILE; -: standard output (default koe.wav)");
  arguments->Value("--format", "NAME", &format_name_,
                   "wav, flac, mp3, ogg, opus or raw (default: by FILE's ending; wav for -)");
  arguments->Flag("--stream", &stream_,
                  "Start as soon as the first words are ready: to standard output (-o -, wav or raw), else as --play");
  arguments->Flag("--play", &play_,
                  "Speak to the speakers: through ALSA, else aplay, paplay, pw-play or ffplay; or $KOE_PLAYER");
  arguments->Value("-v,--voice", "NAME", &voice_,
                   "Voice, or a mix as af_heart:0.7+bm_george:0.3 (default af_heart; see koe voices)");
  arguments->Value("--blend", "HOW", &blend_, "How voices are mixed: linear (default) or spherical");
  arguments->Value("-s,--speed", "X", &speed_, "Speed of speech, 0.25 to 4 (default 1)");
  arguments->Value("-l,--lang", "CODE", &language_, "en-us or en-gb (default: the voice's own)");
  arguments->Flag("--phonemes", &is_phonemes_, "The text is a string of phonemes, as koe phonemize prints it");
  text_arguments_.Declare(arguments);
  arguments->Flag("--strict", &strict_, "Malformed markup is an error, not text (docs/markup.md)");
  arguments->Value("--gain", "X", &gain_, "Factor of every sample, 0 to 16 (default 1)");
  arguments->Value("--srt", "FILE", &srt_, "Write subtitles as SubRip");
  arguments->Value("--vtt", "FILE", &vtt_, "Write subtitles as WebVTT");
  arguments->Value("--times", "FILE", &times_, "Write when every word and sentence is heard, as JSON");
  arguments->Value("--seed", "N", &seed_, "Seed of the noise in the voice (default 0)");
  arguments->Value("--repeat", "N", &repeat_, "Synthesise N times, report the median of all but the first");
  model_.Declare(arguments);
  arguments->Flag("--json", &json_, "Print results as JSON on standard output");
}

// Everything that can be wrong before any work is done.
Outcome Say::CheckArguments() {
  CLI_TRY(engine_options_, model_.Options(), UsageFailure);
  CLI_CHECK_OK(text_arguments_.Apply(&engine_options_), UsageFailure);
  CLI_TRY(options_.chunking, text_arguments_.ChosenChunking(), UsageFailure);
  CLI_TRY(options_.seed, ParseInteger("seed", seed_.value_or("0"), 0, UINT64_MAX), UsageFailure);
  CLI_TRY(num_repeats_, ParseInteger("repeat", repeat_.value_or("1"), 1, kMaxRepeats), UsageFailure);
  if (play_ && output_) return {ExitCode::kUsage, "play: --output: choose one of them"};
  if (stream_ && output_.value_or("-") != "-") return {ExitCode::kUsage, "stream: a file is written whole: only -o -"};
  if (stream_ && !output_) play_ = true;
  if ((play_ || stream_) && (json_ || repeat_)) return {ExitCode::kUsage, "stream: not with --json or --repeat"};
  report_.output = play_ ? "speakers" : output_.value_or("koe.wav");
  const bool to_stdout = report_.output == "-";
  if (format_name_) {
    CLI_TRY(format_, ParseAudioFormat(*format_name_), UsageFailure);
  } else if (!to_stdout && !play_) {
    CLI_TRY(format_, AudioFormatOfPath(report_.output), UsageFailure);
  }
  if (stream_ && format_ != AudioFormat::kWav && format_ != AudioFormat::kRaw) {
    return {ExitCode::kUsage, "stream: format: must be wav or raw"};
  }
  if (to_stdout && json_) {
    return {ExitCode::kUsage, "output: '-': --json prints to standard output too; name a file"};
  }
  if (to_stdout && isatty(STDOUT_FILENO) != 0) {
    return {ExitCode::kUsage, "output: '-': standard output is a terminal; redirect it or name a file"};
  }
  CLI_TRY(options_.speed, ParseSpeed(speed_.value_or("1")), InputFailure);
  options_.input_is_phonemes = is_phonemes_;
  options_.strict_markup = strict_;
  CLI_TRY(const std::string blend, ParseChoice("blend", blend_.value_or("linear"), {"linear", "spherical"}),
          UsageFailure);
  options_.voice_blend = blend == "spherical" ? VoiceBlend::kSpherical : VoiceBlend::kLinear;
  CLI_TRY(options_.gain, ParseGain(gain_.value_or("1")), InputFailure);
  for (const auto& path : {srt_, vtt_, times_}) {
    if (path && is_phonemes_) return {ExitCode::kUsage, "times: phonemes have no words"};
    if (path) CLI_CHECK_OK(CheckOutputPath(*path), InputFailure);
  }
  if (language_) {
    CLI_TRY(const Language language, ParseLanguage(*language_), InputFailure);
    options_.language = LanguageCode(language);
  }
  CLI_TRY(options_.lexicon, text_arguments_.Load(), InputFailure);
  if (!to_stdout && !play_) CLI_CHECK_OK(CheckOutputPath(report_.output), InputFailure);
  return {};
}

Outcome Say::Run(Terminal* terminal) {
  if (Outcome outcome = CheckArguments(); outcome.exit_code != ExitCode::kOk) return outcome;
  options_.cancel = &CancelOnInterrupt();
  CLI_TRY(TextInput input, TextInput::Open(text_, file_, *options_.cancel), UsageFailure);
  CLI_TRY(std::string text, input.ReadAll(), InputFailure);
  if (is_phonemes_)
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  if (is_phonemes_) text.erase(text.find_last_not_of(' ') + 1);
  if (IsBlank(text)) return {ExitCode::kBadInput, "text: " + Quote(text) + ": nothing to say"};

  const auto start = std::chrono::steady_clock::now();
  CLI_TRY(const Engine engine, OpenEngine(model_.bundle, engine_options_), OpenFailure);
  report_.load_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return play_ || stream_ ? SpeakAtOnce(engine, text, terminal) : Speak(engine, text, terminal);
}

// Chunk by chunk to the speakers or to standard output; the engine runs ahead.
Outcome Say::SpeakAtOnce(const Engine& engine, const std::string& text, Terminal* terminal) {
  if (voice_) options_.voice = *voice_;
  options_.first_audio = FirstAudio::kFast;
  std::unique_ptr<Player> player;
  if (play_) {
    CLI_TRY(player, OpenPlayer(), UsageFailure);
  }
  CLI_TRY(Stream stream, engine.OpenStream(text, options_), InputFailure);
  if (!play_ && format_ == AudioFormat::kWav) {
    CLI_CHECK_OK(WriteStandardOutput(EndlessWavHeader()), InputFailure);
  }
  size_t num_samples = 0;
  Audio heard;  // its times
  while (true) {
    CLI_TRY(const std::optional<AudioChunk> chunk, stream.Next(), InputFailure);
    if (!chunk) break;
    const ChunkPlan& plan = chunk->plan;
    heard.word_times.resize(std::min(heard.word_times.size(), plan.first_word));
    heard.word_times.insert(heard.word_times.end(), plan.words.begin(), plan.words.end());
    if (chunk->samples.empty()) continue;
    num_samples += chunk->samples.size();
    CLI_TRY(const std::string bytes, EncodeAudio(chunk->samples, AudioFormat::kRaw), WriteFailure);
    CLI_CHECK_OK(player ? player->Write(bytes, *options_.cancel) : WriteStandardOutput(bytes), InputFailure);
  }
  if (player) CLI_CHECK_OK(player->Finish(*options_.cancel), InputFailure);
  heard.sentence_times = stream.Sentences();
  CLI_CHECK_OK(WriteTimes(text, heard), InputFailure);
  terminal->Summary((play_ ? "speakers" : "standard output") + Format(": %.3f s of speech, the first after %.2f s",
                                                                      static_cast<double>(num_samples) / kSampleRateHz,
                                                                      stream.Statistics().first_audio_seconds));
  return {};
}

Outcome Say::Speak(const Engine& engine, const std::string& text, Terminal* terminal) {
  if (voice_) options_.voice = *voice_;
  CLI_TRY(report_.voice, FindVoice(engine, options_.voice.substr(0, options_.voice.find_first_of(":+,"))),
          InputFailure);
  options_.progress = [terminal](const Progress& progress) {
    std::string what = progress.stage;
    if (progress.num_chunks > 1) what += Format(", part %zu of %zu", progress.chunk + 1, progress.num_chunks);
    terminal->Progress(progress.fraction, what);
  };
  CLI_TRY(const Audio audio, SpeakOften(engine, text, options_), InputFailure);
  terminal->EraseProgress();
  if (audio.samples.empty()) return {ExitCode::kInternal, "audio: no samples: the engine returned none"};
  if (options_.cancel->IsCancelled()) return {ExitCode::kCancelled, "interrupted: nothing was written"};
  CLI_CHECK_OK(Write(audio), WriteFailure);
  CLI_CHECK_OK(WriteTimes(text, audio), InputFailure);

  report_.format = NameOf(format_);
  report_.language = options_.language.empty() ? report_.voice.language : options_.language;
  report_.speed = options_.speed;
  report_.seed = options_.seed;
  report_.realtime_factor = report_.wall_seconds / audio.seconds();
  report_.speed_vs_realtime = audio.seconds() / std::max(report_.wall_seconds, 1e-9);
  NoteUnknownWords(audio.words, terminal);
  size_t dropped = 0;
  for (const ChunkInfo& chunk : audio.chunks) dropped += chunk.dropped_symbols;
  if (dropped > 0) terminal->Note(Format("phonemes: %zu: not in the model's vocabulary and left out", dropped));
  if (json_) CLI_CHECK_OK(WriteStandardOutput(SpeechJson(report_, audio)), InputFailure);
  const std::string median =
      num_repeats_ > 1 ? Format(", median of %zu runs after the first", static_cast<size_t>(num_repeats_ - 1)) : "";
  if (!json_) {
    terminal->Summary((report_.output == "-" ? "standard output" : report_.output) +
                      Format(": %.3f s of speech in %.2f s (%.1fx real time%s), voice ", audio.seconds(),
                             report_.wall_seconds, report_.speed_vs_realtime, median.c_str()) +
                      report_.voice.id);
  }
  return {};
}

// Runs num_repeats_ times and fills in the report's times. All runs must give the same samples.
Result<Audio> Say::SpeakOften(const Engine& engine, const std::string& text, const SynthesisOptions& options) {
  KOE_TRY(Audio audio, engine.Synthesize(text, options));
  report_.run_seconds = {audio.wall_seconds};
  while (report_.run_seconds.size() < num_repeats_) {
    KOE_TRY(Audio again, engine.Synthesize(text, options));
    if (again.samples.size() != audio.samples.size() ||
        std::memcmp(again.samples.data(), audio.samples.data(), audio.samples.size() * sizeof(float)) != 0) {
      return Error(ErrorCode::kInternal,
                   Format("repeat: run %zu: other samples than the first run's", report_.run_seconds.size() + 1));
    }
    report_.run_seconds.push_back(again.wall_seconds);
    audio = std::move(again);
  }
  std::vector<double> warm = report_.run_seconds;
  if (warm.size() > 1) warm.erase(warm.begin());
  std::sort(warm.begin(), warm.end());
  report_.wall_seconds = (warm[(warm.size() - 1) / 2] + warm[warm.size() / 2]) / 2;
  return audio;
}

Result<void> Say::Write(const Audio& audio) const {
  if (report_.output != "-") return WriteAudio(audio.samples, report_.output, format_);
  KOE_TRY(const std::string bytes, EncodeAudio(audio.samples, format_));
  return WriteStandardOutput(bytes);
}

Result<void> Say::WriteTimes(const std::string& text, const Audio& audio) const {
  if (srt_) KOE_CHECK_OK(WriteTextFile(*srt_, SubRip(text, audio.word_times, audio.sentence_times)));
  if (vtt_) KOE_CHECK_OK(WriteTextFile(*vtt_, WebVtt(text, audio.word_times, audio.sentence_times)));
  if (times_) KOE_CHECK_OK(WriteTextFile(*times_, TimesJson(audio.word_times, audio.sentence_times) + "\n"));
  return {};
}

}  // namespace

std::unique_ptr<Command> MakeSay() { return std::make_unique<Say>(); }

void NoteUnknownWords(const std::vector<WordInfo>& words, Terminal* terminal) {
  std::set<std::string> seen;
  for (const WordInfo& word : words) {
    const bool is_guess = word.source == "neural" || word.source == "espeak" || word.source == "spelled";
    if (!is_guess && word.source != "unknown") continue;
    if (!seen.insert(word.text).second || seen.size() > kMaxNotes) continue;
    std::string how = "has characters that cannot be spoken";
    if (is_guess && !word.phonemes.empty()) {
      how = "in no dictionary as it is written; ";
      if (word.source == "spelled") {  // known parts, numbers, letters
        how += "read as " + word.phonemes;
      } else {
        how += "guessed as " + word.phonemes + (word.source == "espeak" ? " by espeak-ng" : "") +
               Format(" (confidence %.2f)", static_cast<double>(word.confidence));
      }
    }
    terminal->Note("word: " + Quote(word.text) + ": " + how);
  }
  if (seen.size() > kMaxNotes) terminal->Note(Format("words: %zu more", seen.size() - kMaxNotes));
}

}  // namespace koe::cli
