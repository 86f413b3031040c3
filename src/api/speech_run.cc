// SPDX-License-Identifier: Apache-2.0
#include "api/speech_run.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>

#include "text/unicode.h"

namespace koe::api {
namespace {

constexpr size_t kFrame = kSamplesPerDurationFrame;
constexpr size_t kHalfFrame = kFrame / 2;
// join_timestamps of kokoro 0.9.4: sound starts this many frames before the end of the first boundary token.
constexpr int32_t kLeadFrames = 3;
// What is not silence for sure: frames at the end of the first boundary token, and from the start of the last phoneme's
// token on, which is long and mostly silent, as are the marks behind it. Of 15 chunks of af_heart, sound over 2 % of
// the level began 1 to 4 frames before the one (once 6, softly) and ended 2 to 5 frames behind the other.
constexpr int32_t kSoundBefore = 5, kSoundAfter = 5;

size_t ToSamples(double seconds) { return static_cast<size_t>(std::llround(seconds * kSampleRateHz)); }

Error BadChunk(size_t index, const std::string& why) {
  return Error(ErrorCode::kInvalidArgument, "chunk: " + std::to_string(index) + ": " + why);
}

// What the stages themselves do not check.
Result<void> CheckChunk(const PreparedChunk& chunk, size_t index) {
  if (chunk.token_ids.size() < 3) return BadChunk(index, "fewer than 3 tokens");
  if (chunk.voice_row.size() != pipeline::kVoiceRowSize) return BadChunk(index, "voice row: must be 256 values");
  if (!std::all_of(chunk.voice_row.begin(), chunk.voice_row.end(), [](float v) { return std::fabs(v) <= 1024; })) {
    return BadChunk(index, "voice row: must be finite and within +-1024");
  }
  if (!(chunk.speed >= kMinSpeed && chunk.speed <= kMaxSpeed)) return BadChunk(index, "speed: must be 0.25 to 4");
  if (!(std::fabs(chunk.gain) <= 16)) return BadChunk(index, "gain: must be 0 to 16");
  for (const double pause : {chunk.pause_before, chunk.pause_after, static_cast<double>(chunk.pause.value_or(0))}) {
    if (!(pause >= 0 && pause <= 3600)) return BadChunk(index, "pause: must be 0 to 3600 seconds");
  }
  for (const PreparedWord& word : chunk.words) {
    const size_t room = chunk.token_ids.size() - 1;  // the last boundary token belongs to no word
    if (word.num_tokens == 0 && !word.space_token) continue;
    const size_t tokens = word.num_tokens + (word.space_token ? 1 : 0);
    if (word.first_token < 1 || word.first_token > room || tokens > room - word.first_token) {
      return BadChunk(index, "a word's tokens are not among the chunk's");
    }
  }
  return {};
}

// Tokens of punctuation at the end. Where symbols were dropped, which tokens are whose is not known.
size_t TrailingMarks(const PreparedChunk& chunk) {
  constexpr std::u32string_view kMarks = U" ;:,.!?\u2014\u2026\"\u201C\u201D()";
  size_t marks = 0;
  for (const char32_t c : text::CodePoints(chunk.phonemes)) {
    marks = kMarks.find(c) != std::u32string_view::npos ? marks + 1 : 0;
  }
  return chunk.dropped_symbols == 0 ? marks : 0;
}

}  // namespace

size_t JoinPlan::SilenceSamples(double seconds) {
  // Its two joins take 120 samples each, one of which the chunks would have had without it.
  const size_t samples = ToSamples(seconds);
  return samples == 0 ? 0 : samples + kJoinSamples;
}

JoinPlan::Piece JoinPlan::Add(const PreparedChunk& chunk, std::span<const int32_t> durations) {
  Piece piece;
  const size_t all = kFrame * static_cast<size_t>(std::accumulate(durations.begin(), durations.end(), int64_t{0}));
  const size_t lead = kFrame * static_cast<size_t>(std::max(durations.front() - kSoundBefore, 0));
  int32_t behind = -kSoundAfter;
  const size_t silent =
      std::min(TrailingMarks(chunk) + 2, durations.size() - 1);  // boundary token, marks, last phoneme
  for (const int32_t frames : durations.last(silent)) behind += frames;
  const size_t tail = kFrame * static_cast<size_t>(std::max(behind, 0));
  double silence = chunk.pause_before;
  if (!is_first_ && wanted_ >= 0) {
    const size_t wanted = ToSamples(wanted_);
    piece.cut_front = lead - std::min(lead, wanted);
    silence += static_cast<double>(wanted - std::min(lead, wanted)) / kSampleRateHz;
  }
  wanted_ = -1;
  if (chunk.pause) {
    const size_t wanted = ToSamples(static_cast<double>(*chunk.pause));
    piece.cut_back = tail - std::min(tail, wanted);
    wanted_ = static_cast<double>(wanted - std::min(tail, wanted)) / kSampleRateHz;
  }
  const auto join = [&](size_t samples) {
    const size_t overlap = std::min({kJoinSamples, end_, samples});
    const size_t first = end_ - overlap;
    end_ = first + samples;
    return first;
  };
  piece.silence = SilenceSamples(silence);
  join(piece.silence);
  piece.num_samples = all - piece.cut_front - piece.cut_back;
  piece.first_sample = join(piece.num_samples);
  is_first_ = false;
  return piece;
}

std::vector<HalfFrames> TimesInChunk(std::span<const int32_t> durations, std::span<const PreparedWord> words) {
  std::vector<HalfFrames> times;
  times.reserve(words.size());
  int64_t left = 2 * std::max(durations.front() - kLeadFrames, 0), right = left;
  for (const PreparedWord& word : words) {
    size_t token = word.first_token;
    int64_t own = 0;
    for (size_t i = 0; i < word.num_tokens; ++i) own += durations[token++];
    const int64_t space = word.space_token ? durations[token] : 0;
    const int64_t end = right + 2 * own + space;
    times.push_back({left, word.num_tokens > 0 ? end : left});
    if (word.num_tokens == 0 && !word.space_token) continue;
    left = end;
    right = left + space;
  }
  return times;
}

void SpeechRun::TimeWords(const Front& front, ChunkPlan* plan) {
  const JoinPlan::Piece& piece = front.piece;
  const auto sample_of = [&](int64_t half_frames) {
    const auto sample = static_cast<size_t>(half_frames) * kHalfFrame;
    return piece.first_sample + std::min(sample - std::min(sample, piece.cut_front), piece.num_samples);
  };
  const std::vector<HalfFrames> times = TimesInChunk(front.result.durations, front.chunk.words);
  plan->first_word = num_words_;
  for (size_t i = 0; i < times.size(); ++i) {
    const PreparedWord& word = front.chunk.words[i];
    WordTime time;
    time.text = word.info.text;
    time.span = word.span;
    time.chunk = plan->index;
    time.sentence = word.sentence;
    time.first_token = word.first_token;
    time.num_tokens = word.num_tokens;
    time.first_sample = sample_of(times[i].begin);
    time.num_samples = sample_of(times[i].end) - time.first_sample;
    if (word.continues && last_word_) {
      // Once more, with all of its time.
      last_word_->num_samples = time.first_sample + time.num_samples - last_word_->first_sample;
      plan->words.push_back(*last_word_);
      plan->first_word = num_words_ - 1;
      continue;
    }
    ++num_words_;
    plan->words.push_back(time);
    last_word_ = std::move(time);
  }
}

Result<void> SpeechRun::RunFront(const SpeechPorts& ports, Front* front, size_t arena, size_t index, bool reports,
                                 pipeline::StageSeconds* seconds) {
  const PreparedChunk& chunk = front->chunk;
  KOE_CHECK_OK(CheckChunk(chunk, index));
  const auto report = [&](pipeline::StageId stage, double fraction) {
    if (reports && ports.progress) ports.progress(stage, fraction, index);
  };
  if (reports) report(pipeline::StageId::kTokens, 0);
  KOE_TRY(front->result, synthesizer_.RunFront({chunk.token_ids, chunk.voice_row, chunk.speed, chunk.seed, max_bytes_},
                                               workspace_, arena, cancelled_, report, seconds));
  return {};
}

Result<void> SpeechRun::Announce(const SpeechPorts& ports, Front* front) {
  const PreparedChunk& chunk = front->chunk;
  front->piece = join_plan_.Add(chunk, front->result.durations);
  ChunkPlan& plan = front->plan = {};
  plan.index = num_chunks_++;
  ChunkInfo& info = plan.info;
  info.text_offset = chunk.span.offset;
  info.text_length = chunk.span.length;
  info.span = chunk.span;
  info.phonemes = chunk.phonemes;
  info.dropped_symbols = chunk.dropped_symbols;
  info.voice = chunk.voice;
  info.speed = chunk.speed;
  info.first_sample = front->piece.first_sample;
  info.num_samples = front->piece.num_samples;
  size_t sample = 0;
  for (size_t t = 0; t < chunk.token_ids.size(); ++t) {
    const size_t inside = std::min(sample - std::min(sample, front->piece.cut_front), info.num_samples);
    info.tokens.push_back({chunk.token_ids[t], front->result.durations[t], info.first_sample + inside});
    sample += kFrame * static_cast<size_t>(front->result.durations[t]);
  }
  TimeWords(*front, &plan);
  return ports.planned ? ports.planned(plan) : Result<void>();
}

Result<void> SpeechRun::Generate(const SpeechPorts& ports, const Front& front, std::vector<float>* samples) {
  const auto report = [&](pipeline::StageId stage, double fraction) {
    if (ports.progress) ports.progress(stage, fraction, front.plan.index);
  };
  KOE_TRY(const auto waveform, synthesizer_.RunGenerator(front.result, workspace_, cancelled_, report, &seconds_));
  const JoinPlan::Piece& piece = front.piece;
  if (piece.silence > 0) joiner_.Push(std::vector<float>(piece.silence, 0.0f), samples);
  std::span<const float> kept = waveform.subspan(piece.cut_front, piece.num_samples);
  std::vector<float> scaled;
  if (front.chunk.gain != 1) {
    scaled.assign(kept.begin(), kept.end());
    for (float& sample : scaled) sample *= front.chunk.gain;
    kept = scaled;
  }
  if (joiner_.Push(kept, samples) != piece.first_sample) {
    return Error(ErrorCode::kInternal, "join: a chunk does not lie where it was planned");
  }
  if (front.chunk.pause_after > 0) {
    joiner_.Push(std::vector<float>(JoinPlan::SilenceSamples(front.chunk.pause_after), 0.0f), samples);
  }
  return {};
}

Result<void> SpeechRun::Run(const SpeechPorts& ports) {
  std::array<Front, 2> fronts;
  size_t current = 0, fronts_made = 0;
  bool has_current = false, is_end = false;
  while (!is_end) {
    if (!has_current) {
      KOE_TRY(const NextChunk next, ports.next(&fronts[current].chunk, /*may_wait=*/true));
      if (next == NextChunk::kEnd) break;
      KOE_CHECK_OK(RunFront(ports, &fronts[current], current, fronts_made++, true, &seconds_));
      KOE_CHECK_OK(Announce(ports, &fronts[current]));
    }
    Front& front = fronts[current];
    Front& following = fronts[1 - current];
    // The next chunk's text, where it is there already; its stages beside this one's generator.
    const bool alone = (quick_start_ && front.plan.index == 0) || synthesizer_.model().saves_memory;
    NextChunk next = NextChunk::kNotYet;
    if (!alone) {
      KOE_TRY(next, ports.next(&following.chunk, /*may_wait=*/false));
    }
    AudioChunk audio;
    audio.first_sample = num_samples_;
    Result<void> generated, fronted;
    if (next == NextChunk::kChunk) {
      pipeline::StageSeconds beside{};
      const auto run_front = [&] { fronted = RunFront(ports, &following, 1 - current, fronts_made, false, &beside); };
      synthesizer_.RunSideBySide([&] { generated = Generate(ports, front, &audio.samples); }, run_front);
      ++fronts_made;
      for (size_t i = 0; i < beside.size(); ++i) seconds_[i] += beside[i];
    } else {
      generated = Generate(ports, front, &audio.samples);
    }
    if (!generated) return generated.error();
    is_end = next == NextChunk::kEnd;
    if (is_end) {
      audio.is_last = true;
      const double pause = ports.pause_at_end ? ports.pause_at_end() : 0;
      if (pause > 0) joiner_.Push(std::vector<float>(JoinPlan::SilenceSamples(pause), 0.0f), &audio.samples);
      joiner_.Finish(&audio.samples);
    }
    num_samples_ += audio.samples.size();
    audio.plan = std::move(front.plan);
    KOE_CHECK_OK(ports.made(std::move(audio)));
    if (!fronted) return fronted.error();
    has_current = next == NextChunk::kChunk;
    if (has_current) {
      current = 1 - current;
      KOE_CHECK_OK(Announce(ports, &fronts[current]));
    }
  }
  if (is_end || num_chunks_ == 0) return {};
  // The end was not known when the last chunk was made.
  AudioChunk rest;
  rest.plan.index = num_chunks_;
  rest.plan.first_word = num_words_;
  rest.first_sample = num_samples_;
  rest.is_last = true;
  const double pause = ports.pause_at_end ? ports.pause_at_end() : 0;
  if (pause > 0) joiner_.Push(std::vector<float>(JoinPlan::SilenceSamples(pause), 0.0f), &rest.samples);
  joiner_.Finish(&rest.samples);
  num_samples_ += rest.samples.size();
  return ports.made(std::move(rest));
}

void Collect(AudioChunk chunk, Audio* audio) {
  audio->samples.insert(audio->samples.end(), chunk.samples.begin(), chunk.samples.end());
  if (chunk.plan.info.tokens.empty()) return;  // the rest of the chunk before
  audio->word_times.resize(std::min(audio->word_times.size(), chunk.plan.first_word));
  for (WordTime& word : chunk.plan.words) audio->word_times.push_back(std::move(word));
  audio->chunks.push_back(std::move(chunk.plan.info));
}

std::vector<SentenceTime> SentencesOf(std::span<const WordTime> words) {
  std::vector<SentenceTime> sentences;
  size_t first = 0;
  for (size_t i = 0; i < words.size(); ++i) {
    const WordTime& word = words[i];
    if (i == 0 || word.sentence != words[i - 1].sentence) {
      first = i;
      sentences.push_back({word.span, word.first_sample, 0, i, 0});
    }
    SentenceTime& sentence = sentences.back();
    sentence.num_words = i + 1 - first;
    if (word.num_tokens == 0 && word.num_samples == 0) {
      if (sentence.num_samples == 0) sentence.first_sample = word.first_sample;
    }
    sentence.num_samples = std::max(sentence.num_samples, word.first_sample + word.num_samples - sentence.first_sample);
    sentence.span.length = word.span.offset + word.span.length - sentence.span.offset;
    sentence.span.code_point_length =
        word.span.code_point_offset + word.span.code_point_length - sentence.span.code_point_offset;
  }
  return sentences;
}

}  // namespace koe::api
