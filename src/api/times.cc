// SPDX-License-Identifier: Apache-2.0
#include "koe/times.h"

#include <algorithm>
#include <cstdio>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "koe/common.h"
#include "koe/engine.h"

namespace koe {
namespace {

constexpr size_t kMaxCueCodePoints = 84;  // two lines of 42, the width that broadcasters keep to
constexpr size_t kLineCodePoints = 42;

struct Cue {
  size_t first_sample = 0, end_sample = 0;
  std::string text;
};

// Whether white space stands between two words, where markup is none: "](/phonemes/)" behind a word, "[" before one.
bool HasSpaceBetween(std::string_view text, const TextSpan& a, const TextSpan& b) {
  const size_t begin = std::min(a.offset + a.length, text.size()), end = std::min(b.offset, text.size());
  std::string_view gap = text.substr(begin, end - std::min(begin, end));
  const size_t close = gap.starts_with("](") ? gap.find(')') : std::string_view::npos;
  if (close != std::string_view::npos) gap.remove_prefix(close + 1);
  return gap.find_first_of(" \n\r\t") != std::string_view::npos;
}

// Two lines where one is too long, as like in length as can be.
std::string WithLineBreak(std::string plain) {
  if (CountCodePoints(plain) <= kLineCodePoints) return plain;
  const size_t middle = plain.size() / 2;
  const auto distance = [&](size_t place) { return place > middle ? place - middle : middle - place; };
  size_t best = std::string::npos;
  for (size_t at = plain.find(' '); at != std::string::npos; at = plain.find(' ', at + 1)) {
    if (best == std::string::npos || distance(at) < distance(best)) best = at;
  }
  if (best != std::string::npos) plain[best] = '\n';
  return plain;
}

std::vector<Cue> CuesOf(std::string_view text, std::span<const WordTime> words,
                        std::span<const SentenceTime> sentences) {
  std::vector<Cue> cues;
  for (const SentenceTime& sentence : sentences) {
    const size_t last = std::min(sentence.first_word + sentence.num_words, words.size());
    for (size_t first = sentence.first_word; first < last;) {
      size_t end = first + 1;
      const auto length = [&](size_t stop) {
        const TextSpan &from = words[first].span, &to = words[stop - 1].span;
        return to.code_point_offset + to.code_point_length - from.code_point_offset;
      };
      // A mark stays with its word.
      size_t best = end;
      while (end < last) {
        const bool touches = words[end].span.offset == words[end - 1].span.offset + words[end - 1].span.length;
        if (!touches) best = end;
        if (length(end + 1) > kMaxCueCodePoints && best > first) break;
        ++end;
      }
      if (end == last && length(last) <= kMaxCueCodePoints) best = last;
      if (best <= first) best = first + 1;
      end = end == last && length(last) <= kMaxCueCodePoints ? last : best;
      Cue cue;
      bool is_heard = false;
      for (size_t w = first; w < end; ++w) {
        if (words[w].num_samples == 0) continue;
        if (!is_heard) cue.first_sample = words[w].first_sample;
        is_heard = true;
        cue.end_sample = words[w].first_sample + words[w].num_samples;
      }
      std::string plain;
      for (size_t w = first; w < end; ++w) {
        if (w > first && HasSpaceBetween(text, words[w - 1].span, words[w].span)) plain += ' ';
        plain += words[w].text;
      }
      cue.text = WithLineBreak(std::move(plain));
      if (is_heard && !cue.text.empty()) cues.push_back(std::move(cue));
      first = end;
    }
  }
  for (size_t i = 0; i + 1 < cues.size(); ++i)
    cues[i].end_sample = std::min(cues[i].end_sample, cues[i + 1].first_sample);
  return cues;
}

std::string Clock(size_t sample, char decimal) {
  const unsigned long long ms = (static_cast<unsigned long long>(sample) * 1000 + kSampleRateHz / 2) / kSampleRateHz;
  char buffer[48];
  std::snprintf(buffer, sizeof(buffer), "%02llu:%02llu:%02llu%c%03llu", ms / 3600000, ms / 60000 % 60, ms / 1000 % 60,
                decimal, ms % 1000);
  return buffer;
}

void AppendEscaped(std::string_view text, std::string* out) {
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      *out += '\\';
      *out += c;
    } else if (u < 0x20 || u == 0x7F) {
      char buffer[8];
      std::snprintf(buffer, sizeof(buffer), "\\u%04x", static_cast<unsigned>(u));
      *out += buffer;
    } else {
      *out += c;
    }
  }
}

std::string Seconds(size_t sample) {
  char buffer[48];
  std::snprintf(buffer, sizeof(buffer), "%.6f", static_cast<double>(sample) / kSampleRateHz);
  return buffer;
}

void AppendPlace(const TextSpan& span, size_t first_sample, size_t num_samples, std::string* out) {
  *out += "\"start\":" + Seconds(first_sample) + ",\"end\":" + Seconds(first_sample + num_samples);
  *out += ",\"offset\":" + std::to_string(span.offset) + ",\"length\":" + std::to_string(span.length);
  *out += ",\"code_point_offset\":" + std::to_string(span.code_point_offset);
  *out += ",\"code_point_length\":" + std::to_string(span.code_point_length);
  *out += ",\"first_sample\":" + std::to_string(first_sample) + ",\"num_samples\":" + std::to_string(num_samples);
}

}  // namespace

std::string SubRip(std::string_view text, std::span<const WordTime> words, std::span<const SentenceTime> sentences) {
  std::string out;
  size_t number = 0;
  for (const Cue& cue : CuesOf(text, words, sentences)) {
    out += std::to_string(++number) + "\n" + Clock(cue.first_sample, ',') + " --> " + Clock(cue.end_sample, ',') + "\n";
    out += cue.text + "\n\n";
  }
  return out;
}

std::string WebVtt(std::string_view text, std::span<const WordTime> words, std::span<const SentenceTime> sentences) {
  std::string out = "WEBVTT\n\n";
  for (const Cue& cue : CuesOf(text, words, sentences)) {
    out += Clock(cue.first_sample, '.') + " --> " + Clock(cue.end_sample, '.') + "\n";
    for (const char c : cue.text) {
      if (c == '&') {
        out += "&amp;";
      } else if (c == '<') {
        out += "&lt;";
      } else if (c == '>') {
        out += "&gt;";
      } else {
        out += c;
      }
    }
    out += "\n\n";
  }
  return out;
}

std::string TimesJson(std::span<const WordTime> words, std::span<const SentenceTime> sentences) {
  std::string out = "{\"sample_rate_hz\":" + std::to_string(kSampleRateHz) + ",\"words\":[";
  for (size_t i = 0; i < words.size(); ++i) {
    const WordTime& word = words[i];
    out += i > 0 ? ",{\"text\":\"" : "{\"text\":\"";
    AppendEscaped(word.text, &out);
    out += "\",";
    AppendPlace(word.span, word.first_sample, word.num_samples, &out);
    out += ",\"chunk\":" + std::to_string(word.chunk) + ",\"sentence\":" + std::to_string(word.sentence) + "}";
  }
  out += "],\"sentences\":[";
  for (size_t i = 0; i < sentences.size(); ++i) {
    const SentenceTime& sentence = sentences[i];
    out += i > 0 ? ",{" : "{";
    AppendPlace(sentence.span, sentence.first_sample, sentence.num_samples, &out);
    out += ",\"first_word\":" + std::to_string(sentence.first_word);
    out += ",\"num_words\":" + std::to_string(sentence.num_words) + "}";
  }
  return out + "]}";
}

std::string DiagnosticsJson(const Diagnostics& d) {
  std::string out = "{";
  const auto number = [&](const char* name, uint64_t value) {
    out += '"' + std::string(name) + "\":" + std::to_string(value) + ",";
  };
  const auto seconds = [&](const std::string& name, double value) {
    char buffer[64];
    std::snprintf(buffer, sizeof(buffer), "%.6f", value);
    out += '"' + name + "\":" + buffer;
  };
  number("syntheses", d.syntheses);
  number("chunks", d.chunks);
  number("samples", d.samples);
  number("cancelled", d.cancelled);
  number("errors", d.errors);
  number("workspace_bytes", d.workspace_bytes);
  seconds("front_end_seconds", d.front_end_seconds);
  out += ",";
  seconds("model_load_seconds", d.model_load_seconds);
  out += ",\"stage_seconds\":{";
  for (size_t i = 0; i < d.stages.size(); ++i) {
    if (i > 0) out += ",";
    seconds(d.stages[i].stage, d.stages[i].seconds);
  }
  out += "},\"weights_sha256\":\"" + d.weights_sha256 + "\",\"last_error\":\"";
  AppendEscaped(d.last_error, &out);
  return out + "\"}";
}

}  // namespace koe
