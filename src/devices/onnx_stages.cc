// SPDX-License-Identifier: Apache-2.0
#include "devices/onnx_stages.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>
#include <utility>

namespace koe::devices {
namespace {

using stages::StageContext;

constexpr size_t kFramesPerSecond = 40;

// What every stage allocates for a run: padded inputs and outputs, in the caller's arena.
class Tensors {
 public:
  explicit Tensors(const StageContext& context) : arena_(*context.exec.arena) {}

  // x [rows][cols] as [1][cols][size], zeros behind.
  std::span<const float> Transposed(ConstMatrix x, size_t size) {
    const std::span<float> y = Zeros(x.cols * size);
    for (size_t t = 0; t < x.rows; ++t) {
      for (size_t c = 0; c < x.cols; ++c) y[c * size + t] = x.Row(t)[c];
    }
    return y;
  }
  std::span<const float> Padded(std::span<const float> x, size_t size) {
    const std::span<float> y = Zeros(size);
    std::copy(x.begin(), x.end(), y.begin());
    return y;
  }
  std::span<const float> Mask(size_t count, size_t size) {
    const std::span<float> y = Zeros(size);
    std::fill_n(y.begin(), count, 1.0f);
    return y;
  }
  // The style as half of a row [256]; no stage reads the other half.
  std::span<const float> Row(std::span<const float> style, bool is_prosody) {
    const std::span<float> y = Zeros(2 * stages::kStyleSize);
    std::copy(style.begin(), style.end(), y.begin() + (is_prosody ? stages::kStyleSize : 0));
    return y;
  }
  std::span<float> Zeros(size_t size) {
    const std::span<float> y = arena_.Allocate<float>(size);
    std::fill(y.begin(), y.end(), 0.0f);
    return y;
  }
  std::span<int32_t> Integers(size_t size) {
    const std::span<int32_t> y = arena_.Allocate<int32_t>(size);
    std::fill(y.begin(), y.end(), 0);
    return y;
  }
  Arena& arena() { return arena_; }

 private:
  Arena& arena_;
};

// The first rows of [1][cols][size], transposed back into [rows][cols].
void TransposeBack(std::span<const float> x, size_t size, Matrix y) {
  for (size_t t = 0; t < y.rows; ++t) {
    for (size_t c = 0; c < y.cols; ++c) y.Row(t)[c] = x[c * size + t];
  }
}

int64_t Signed(size_t size) { return static_cast<int64_t>(size); }

Error BadInput(const char* stage) {
  return Error(ErrorCode::kInvalidArgument, std::string(stage) + ": input: shapes do not go together");
}

class OnnxDuration final : public stages::Duration {
 public:
  explicit OnnxDuration(std::shared_ptr<const OnnxFolder> folder) : folder_(std::move(folder)) {}
  Result<Output> Run(const Input& input, const StageContext& context) const override {
    const size_t count = input.token_ids.size();
    if (count == 0 || count > kMaxTokens || input.prosody_style.size() != stages::kStyleSize ||
        !std::isfinite(input.speed) || input.speed < kMinStageSpeed) {
      return BadInput("duration");
    }
    for (const int32_t id : input.token_ids) {
      if (id < 0 || id >= 178) return BadInput("duration");
    }
    KOE_TRY(const int bucket, folder_->TokenSize(count));
    KOE_TRY(const auto* session, folder_->Session("kokoro_duration_t" + std::to_string(bucket)));
    const auto size = static_cast<size_t>(bucket);
    Tensors tensors(context);
    const std::span<int32_t> durations = tensors.Integers(size);
    const Matrix features = tensors.arena().AllocateMatrix(size, kFeatureSize);
    const Matrix text = tensors.arena().AllocateMatrix(count, kHiddenSize);
    const Arena::Scope scope(tensors.arena());
    const std::span<int32_t> ids = tensors.Integers(size), mask = tensors.Integers(size);
    std::copy(input.token_ids.begin(), input.token_ids.end(), ids.begin());
    std::fill_n(mask.begin(), count, 1);
    const std::span<float> text_columns = tensors.Zeros(kHiddenSize * size);
    KOE_CHECK_OK(session->Run({{"input_ids", {1, bucket}, {}, ids},
                               {"ref_s", {1, 256}, tensors.Row(input.prosody_style, true)},
                               {"speed", {1}, {&input.speed, 1}},
                               {"attention_mask", {1, bucket}, {}, mask}},
                              {{"pred_dur", {1, bucket}, {}, durations},
                               {"d", {1, bucket, Signed(kFeatureSize)}, {features.data, size * kFeatureSize}},
                               {"t_en", {1, Signed(kHiddenSize), bucket}, text_columns}}));
    TransposeBack(text_columns, size, text);
    if (context.exec.IsCancelled()) return stages::CancelledError();
    for (const int32_t frames : durations.first(count)) {
      if (frames < 1) return Error(ErrorCode::kInternal, "duration: fewer than one frame");
    }
    context.Observe("d", features.Rows(0, count));
    context.Observe("t_en", text);
    return Output{durations.first(count), features.Rows(0, count), text};
  }

 private:
  std::shared_ptr<const OnnxFolder> folder_;
};

class OnnxProsody final : public stages::Prosody {
 public:
  explicit OnnxProsody(std::shared_ptr<const OnnxFolder> folder) : folder_(std::move(folder)) {}
  Result<Output> Run(const Input& input, const StageContext& context) const override {
    const ConstMatrix x = input.aligned_duration_features;
    if (x.rows == 0 || x.cols != 640 || input.prosody_style.size() != stages::kStyleSize) return BadInput("prosody");
    KOE_TRY(const int seconds, folder_->Seconds(x.rows));
    const size_t size = static_cast<size_t>(seconds) * kFramesPerSecond;
    KOE_TRY(const auto* session, folder_->Session("kokoro_f0ntrain_t" + std::to_string(size)));
    Tensors tensors(context);
    const std::span<float> f0 = tensors.Zeros(2 * size), energy = tensors.Zeros(2 * size);
    const Arena::Scope scope(tensors.arena());
    const int64_t frames = Signed(size);
    KOE_CHECK_OK(session->Run({{"en", {1, 640, frames}, tensors.Transposed(x, size)},
                               {"s", {1, 128}, input.prosody_style},
                               {"mask", {1, 1, frames}, tensors.Mask(x.rows, size)}},
                              {{"F0_pred", {1, 2 * frames}, f0}, {"N_pred", {1, 2 * frames}, energy}}));
    if (context.exec.IsCancelled()) return stages::CancelledError();
    context.Observe("F0_pred", Matrix(f0.data(), 2 * x.rows, 1));
    context.Observe("N_pred", Matrix(energy.data(), 2 * x.rows, 1));
    return Output{f0.first(2 * x.rows), energy.first(2 * x.rows)};
  }

 private:
  std::shared_ptr<const OnnxFolder> folder_;
};

class OnnxDecoder final : public stages::Decoder {
 public:
  explicit OnnxDecoder(std::shared_ptr<const OnnxFolder> folder) : folder_(std::move(folder)) {}
  Result<Output> Run(const Input& input, const StageContext& context) const override {
    const ConstMatrix x = input.aligned_text_features;
    if (x.rows == 0 || x.cols != 512 || input.f0_hz.size() != 2 * x.rows || input.energy.size() != 2 * x.rows ||
        input.acoustic_style.size() != stages::kStyleSize) {
      return BadInput("decoder");
    }
    KOE_TRY(const int seconds, folder_->Seconds(x.rows));
    KOE_TRY(const auto* session, folder_->Session("kokoro_decoder_pre_" + std::to_string(seconds) + "s"));
    const size_t size = static_cast<size_t>(seconds) * kFramesPerSecond;
    Tensors tensors(context);
    const Matrix features = tensors.arena().AllocateMatrix(2 * x.rows, 512);
    const Arena::Scope scope(tensors.arena());
    const std::span<float> columns = tensors.Zeros(512 * 2 * size);
    const int64_t frames = Signed(size);
    KOE_CHECK_OK(session->Run({{"asr", {1, 512, frames}, tensors.Transposed(x, size)},
                               {"f0", {1, 1, 2 * frames}, tensors.Padded(input.f0_hz, 2 * size)},
                               {"n_input", {1, 1, 2 * frames}, tensors.Padded(input.energy, 2 * size)},
                               {"ref_s", {1, 256}, tensors.Row(input.acoustic_style, false)},
                               {"mask", {1, 1, frames}, tensors.Mask(x.rows, size)}},
                              {{"x_pre", {1, 512, 2 * frames}, columns}}));
    TransposeBack(columns, 2 * size, features);
    if (context.exec.IsCancelled()) return stages::CancelledError();
    context.Observe("x_pre", features);
    return Output{features};
  }

 private:
  std::shared_ptr<const OnnxFolder> folder_;
};

class OnnxGenerator final : public stages::Generator {
 public:
  explicit OnnxGenerator(std::shared_ptr<const OnnxFolder> folder) : folder_(std::move(folder)) {}
  Result<Output> Run(const Input& input, const StageContext& context) const override {
    const ConstMatrix x = input.decoder_features, har = input.excitation;
    if (x.rows == 0 || x.rows % 2 != 0 || x.cols != 512 || har.rows != 60 * x.rows + 1 || har.cols != 22 ||
        input.acoustic_style.size() != stages::kStyleSize) {
      return BadInput("generator");
    }
    KOE_TRY(const int seconds, folder_->Seconds(x.rows / 2));
    KOE_TRY(const auto* session, folder_->Session("kokoro_decoder_har_post_" + std::to_string(seconds) + "s"));
    const size_t size = static_cast<size_t>(seconds) * 2 * kFramesPerSecond;
    Tensors tensors(context);
    const std::span<float> waveform = tensors.Zeros(stages::kSamplesPerF0Frame * size);
    const Arena::Scope scope(tensors.arena());
    const int64_t frames = Signed(size);
    KOE_CHECK_OK(session->Run({{"x_pre", {1, 512, frames}, tensors.Transposed(x, size)},
                               {"ref_s", {1, 256}, tensors.Row(input.acoustic_style, false)},
                               {"har", {1, 22, 60 * frames + 1}, tensors.Transposed(har, 60 * size + 1)},
                               {"mask", {1, 1, frames}, tensors.Mask(x.rows, size)}},
                              {{"waveform", {1, 1, Signed(waveform.size())}, waveform}}));
    if (context.exec.IsCancelled()) return stages::CancelledError();
    const std::span<float> real = waveform.first(stages::kSamplesPerF0Frame * x.rows);
    context.Observe("waveform", Matrix(real.data(), real.size(), 1));
    return Output{real};
  }

 private:
  std::shared_ptr<const OnnxFolder> folder_;
};

// N of a file named prefix N suffix.
void Collect(const std::string& name, const std::string& prefix, const std::string& suffix, std::set<int>* sizes) {
  if (!name.starts_with(prefix) || !name.ends_with(suffix) || name.size() <= prefix.size() + suffix.size()) return;
  const std::string digits = name.substr(prefix.size(), name.size() - prefix.size() - suffix.size());
  if (digits.size() > 4 || !std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; }))
    return;
  sizes->insert(std::stoi(digits));
}

}  // namespace

Result<std::shared_ptr<const OnnxFolder>> OnnxFolder::Open(std::shared_ptr<const OnnxRuntime> runtime,
                                                           std::string folder, int num_threads) {
  std::set<int> tokens, seconds;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    Collect(name, "kokoro_duration_t", ".onnx", &tokens);
    Collect(name, "kokoro_decoder_pre_", "s.onnx", &seconds);
    Collect(name, "kokoro_decoder_har_post_", "s.onnx", &seconds);
  }
  if (tokens.empty() && seconds.empty()) {
    return Error(ErrorCode::kNotFound, "models: '" + folder + "': none (see 'koe export --format onnx')");
  }
  std::shared_ptr<OnnxFolder> opened(new OnnxFolder(std::move(runtime), std::move(folder), num_threads));
  opened->buckets_ = {{tokens.begin(), tokens.end()}, {seconds.begin(), seconds.end()}};
  return std::shared_ptr<const OnnxFolder>(std::move(opened));
}

Result<int> OnnxFolder::TokenSize(size_t tokens) const {
  for (const int size : buckets_.token_counts) {
    if (tokens <= static_cast<size_t>(size)) return size;
  }
  const int largest = buckets_.token_counts.empty() ? 0 : buckets_.token_counts.back();
  return Error(ErrorCode::kTooLong, "duration: " + std::to_string(tokens) + " tokens: the largest model has " +
                                        std::to_string(largest) + "; say it in shorter parts");
}

Result<int> OnnxFolder::Seconds(size_t frames) const {
  for (const int seconds : buckets_.seconds) {
    if (frames <= static_cast<size_t>(seconds) * kFramesPerSecond) return seconds;
  }
  const int largest = buckets_.seconds.empty() ? 0 : buckets_.seconds.back();
  const size_t tenths = frames * 10 / kFramesPerSecond;
  return Error(ErrorCode::kTooLong, "speech: " + std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) +
                                        " s in one part: the largest model has " + std::to_string(largest) +
                                        " s; say it in shorter parts");
}

Result<const OnnxRuntime::Session*> OnnxFolder::Session(const std::string& name) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::unique_ptr<OnnxRuntime::Session>& session = sessions_[name];
  if (session == nullptr) {
    KOE_TRY(session, runtime_->Open(folder_ + "/" + name + ".onnx", num_threads_));
  }
  return session.get();
}

std::unique_ptr<stages::Duration> MakeOnnxDuration(std::shared_ptr<const OnnxFolder> folder) {
  return std::make_unique<OnnxDuration>(std::move(folder));
}
std::unique_ptr<stages::Prosody> MakeOnnxProsody(std::shared_ptr<const OnnxFolder> folder) {
  return std::make_unique<OnnxProsody>(std::move(folder));
}
std::unique_ptr<stages::Decoder> MakeOnnxDecoder(std::shared_ptr<const OnnxFolder> folder) {
  return std::make_unique<OnnxDecoder>(std::move(folder));
}
std::unique_ptr<stages::Generator> MakeOnnxGenerator(std::shared_ptr<const OnnxFolder> folder) {
  return std::make_unique<OnnxGenerator>(std::move(folder));
}

}  // namespace koe::devices
