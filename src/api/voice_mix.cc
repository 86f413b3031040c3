// SPDX-License-Identifier: Apache-2.0
#include "api/voice_mix.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "pipeline/synthesizer.h"

namespace koe::api {
namespace {

constexpr size_t kMaxVoices = 16;
constexpr double kMaxWeight = 1e6;
// Below this sine of the angle the straight line and the arc differ by less than float32 shows.
constexpr double kMinSine = 1e-4;

Error VoiceError(std::string_view text, const std::string& why) {
  return Error(ErrorCode::kInvalidArgument, "voice: '" + std::string(text) + "': " + why);
}

Result<double> ParseWeight(std::string_view text, std::string_view weight) {
  double value = 0;
  const auto [end, error] = std::from_chars(weight.data(), weight.data() + weight.size(), value);
  if (error != std::errc() || end != weight.data() + weight.size() || !std::isfinite(value) || value < 0 ||
      value > kMaxWeight) {
    return VoiceError(text, "weight '" + std::string(weight) + "': must be a number of 0 to 1000000");
  }
  return value;
}

double Norm(std::span<const double> x) {
  double sum = 0;
  for (const double v : x) sum += v * v;
  return std::sqrt(sum);
}

}  // namespace

void AppendSpherical(std::span<const double> a, std::span<const double> b, double t, std::vector<double>* out) {
  const double norm_a = Norm(a), norm_b = Norm(b);
  double weight_a = 1 - t, weight_b = t;
  if (norm_a > 0 && norm_b > 0) {
    double dot = 0;
    for (size_t i = 0; i < a.size(); ++i) dot += a[i] * b[i];
    const double cosine = std::clamp(dot / (norm_a * norm_b), -1.0, 1.0), angle = std::acos(cosine);
    const double sine = std::sin(angle);
    if (sine > kMinSine) {
      const double length = (1 - t) * norm_a + t * norm_b;
      weight_a = std::sin((1 - t) * angle) / sine * length / norm_a;
      weight_b = std::sin(t * angle) / sine * length / norm_b;
    }
  }
  for (size_t i = 0; i < a.size(); ++i) out->push_back(weight_a * a[i] + weight_b * b[i]);
}

Result<VoiceMix> VoiceMix::Open(const bundle::Bundle& bundle, std::string_view text, VoiceBlend blend) {
  VoiceMix mix;
  mix.blend_ = blend;
  double sum = 0;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find_first_of("+,", begin), text.size());
    const std::string_view part = text.substr(begin, end - begin);
    begin = end + 1;
    if (mix.parts_.size() == kMaxVoices) return VoiceError(text, "more than 16 voices");
    const size_t colon = std::min(part.find(':'), part.size());
    double weight = 1;
    if (colon < part.size()) {
      KOE_TRY(weight, ParseWeight(text, part.substr(colon + 1)));
    }
    std::string id(part.substr(0, colon));
    KOE_TRY(const std::span<const float> table, bundle.LoadVoice(id));
    mix.parts_.push_back({std::move(id), weight, table});
    sum += weight;
  }
  if (!(sum > 0)) return VoiceError(text, "the weights sum to 0");
  for (Part& part : mix.parts_) part.weight /= sum;
  return mix;
}

std::vector<float> VoiceMix::Row(size_t num_symbols) const {
  const auto row_of = [&](const Part& part) { return pipeline::VoiceTableRow(part.table, num_symbols); };
  if (parts_.size() == 1) {
    const auto row = row_of(parts_.front());
    return {row.begin(), row.end()};
  }
  std::vector<double> mixed(pipeline::kVoiceRowSize, 0.0);
  if (blend_ == VoiceBlend::kLinear) {
    for (const Part& part : parts_) {
      const auto row = row_of(part);
      for (size_t i = 0; i < mixed.size(); ++i) mixed[i] += part.weight * static_cast<double>(row[i]);
    }
  } else {
    double weight = 0;
    for (const Part& part : parts_) {
      const auto row = row_of(part);
      const std::vector<double> next(row.begin(), row.end());
      weight += part.weight;
      if (weight <= 0) continue;
      std::vector<double> out;
      const size_t half = mixed.size() / 2;
      for (const size_t first : {size_t{0}, half}) {
        AppendSpherical(std::span(mixed).subspan(first, half), std::span(next).subspan(first, half),
                        part.weight / weight, &out);
      }
      mixed = std::move(out);
    }
  }
  std::vector<float> row;
  row.reserve(mixed.size());
  for (const double value : mixed) row.push_back(static_cast<float>(value));
  return row;
}

}  // namespace koe::api
