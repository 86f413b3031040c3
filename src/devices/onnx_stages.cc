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
constexpr int32_t kVocabulary = 178;

// What every stage allocates for a run: padded inputs and outputs, in the caller's arena. One that only counts has no
// memory to touch.
class Tensors {
 public:
  explicit Tensors(const StageContext& context) : arena_(*context.exec.arena) {}

  // x [rows][cols] as [1][cols][size], zeros behind.
  std::span<const float> Transposed(ConstMatrix x, size_t size) {
    const std::span<float> y = Zeros(x.cols * size);
    for (size_t t = 0; t < x.rows && !arena_.counts_only(); ++t) {
      for (size_t c = 0; c < x.cols; ++c) y[c * size + t] = x.Row(t)[c];
    }
    return y;
  }
  std::span<const float> Padded(std::span<const float> x, size_t size) {
    const std::span<float> y = Zeros(size);
    if (!arena_.counts_only()) std::copy(x.begin(), x.end(), y.begin());
    return y;
  }
  std::span<const float> Mask(size_t count, size_t size) {
    const std::span<float> y = Zeros(size);
    if (!arena_.counts_only()) std::fill_n(y.begin(), count, 1.0f);
    return y;
  }
  // The style as half of a row [256]; no stage reads the other half.
  std::span<const float> Row(std::span<const float> style, bool is_prosody) {
    const std::span<float> y = Zeros(2 * stages::kStyleSize);
    const size_t first = is_prosody ? stages::kStyleSize : 0;
    if (!arena_.counts_only()) std::copy(style.begin(), style.end(), y.subspan(first).begin());
    return y;
  }
  std::span<float> Zeros(size_t size) { return Cleared<float>(size); }
  std::span<int32_t> Integers(size_t size) { return Cleared<int32_t>(size); }
  Arena& arena() { return arena_; }

 private:
  template <typename T>
  std::span<T> Cleared(size_t size) {
    const std::span<T> y = arena_.Allocate<T>(size);
    if (!arena_.counts_only()) std::fill(y.begin(), y.end(), T{0});
    return y;
  }
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
      if (id < 0 || id >= kVocabulary) return BadInput("duration");
    }
    KOE_TRY(const int bucket, folder_->SizeFor(OnnxStage::kDuration, count));
    const auto size = static_cast<size_t>(bucket);
    Tensors tensors(context);
    const std::span<int32_t> durations = tensors.Integers(size);
    const Matrix features = tensors.arena().AllocateMatrix(size, kFeatureSize);
    const Matrix text = tensors.arena().AllocateMatrix(count, kHiddenSize);
    const Arena::Scope scope(tensors.arena());
    const std::span<int32_t> ids = tensors.Integers(size), mask = tensors.Integers(size);
    const std::span<float> text_columns = tensors.Zeros(kHiddenSize * size);
    const std::span<const float> row = tensors.Row(input.prosody_style, true);
    const Output output{durations.first(count), features.Rows(0, count), text};
    if (context.exec.CountsOnly()) return output;
    std::copy(input.token_ids.begin(), input.token_ids.end(), ids.begin());
    std::fill_n(mask.begin(), count, 1);
    KOE_TRY(const auto* session, folder_->Session(OnnxStage::kDuration, bucket));
    KOE_CHECK_OK(session->Run({{"input_ids", {1, bucket}, {}, ids},
                               {"ref_s", {1, 256}, row},
                               {"speed", {1}, {&input.speed, 1}},
                               {"attention_mask", {1, bucket}, {}, mask}},
                              {{"pred_dur", {1, bucket}, {}, durations},
                               {"d", {1, bucket, Signed(kFeatureSize)}, {features.data, size * kFeatureSize}},
                               {"t_en", {1, Signed(kHiddenSize), bucket}, text_columns}}));
    TransposeBack(text_columns, size, text);
    if (context.exec.IsCancelled()) return stages::CancelledError();
    for (const int32_t frames : output.durations) {
      if (frames < 1) return Error(ErrorCode::kInternal, "duration: fewer than one frame");
    }
    context.Observe("d", output.duration_features);
    context.Observe("t_en", text);
    return output;
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
    KOE_TRY(const int seconds, folder_->SizeFor(OnnxStage::kProsody, x.rows));
    const size_t size = static_cast<size_t>(seconds) * kFramesPerSecond;
    Tensors tensors(context);
    const std::span<float> f0 = tensors.Zeros(2 * size), energy = tensors.Zeros(2 * size);
    const Arena::Scope scope(tensors.arena());
    const int64_t frames = Signed(size);
    const std::span<const float> columns = tensors.Transposed(x, size), mask = tensors.Mask(x.rows, size);
    const Output output{f0.first(2 * x.rows), energy.first(2 * x.rows)};
    if (context.exec.CountsOnly()) return output;
    KOE_TRY(const auto* session, folder_->Session(OnnxStage::kProsody, seconds));
    KOE_CHECK_OK(session->Run(
        {{"en", {1, 640, frames}, columns}, {"s", {1, 128}, input.prosody_style}, {"mask", {1, 1, frames}, mask}},
        {{"F0_pred", {1, 2 * frames}, f0}, {"N_pred", {1, 2 * frames}, energy}}));
    if (context.exec.IsCancelled()) return stages::CancelledError();
    context.Observe("F0_pred", Matrix(f0.data(), 2 * x.rows, 1));
    context.Observe("N_pred", Matrix(energy.data(), 2 * x.rows, 1));
    return output;
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
    KOE_TRY(const int seconds, folder_->SizeFor(OnnxStage::kDecoder, x.rows));
    const size_t size = static_cast<size_t>(seconds) * kFramesPerSecond;
    Tensors tensors(context);
    const Matrix features = tensors.arena().AllocateMatrix(2 * x.rows, 512);
    const Arena::Scope scope(tensors.arena());
    const std::span<float> columns = tensors.Zeros(512 * 2 * size);
    const int64_t frames = Signed(size);
    const std::vector<InputTensor> inputs = {
        {"asr", {1, 512, frames}, tensors.Transposed(x, size)},
        {"f0", {1, 1, 2 * frames}, tensors.Padded(input.f0_hz, 2 * size)},
        {"n_input", {1, 1, 2 * frames}, tensors.Padded(input.energy, 2 * size)},
        {"ref_s", {1, 256}, tensors.Row(input.acoustic_style, false)},
        {"mask", {1, 1, frames}, tensors.Mask(x.rows, size)},
    };
    if (context.exec.CountsOnly()) return Output{features};
    KOE_TRY(const auto* session, folder_->Session(OnnxStage::kDecoder, seconds));
    KOE_CHECK_OK(session->Run(inputs, {{"x_pre", {1, 512, 2 * frames}, columns}}));
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
    KOE_TRY(const int seconds, folder_->SizeFor(OnnxStage::kGenerator, x.rows / 2));
    const size_t size = static_cast<size_t>(seconds) * 2 * kFramesPerSecond;
    Tensors tensors(context);
    const std::span<float> waveform = tensors.Zeros(stages::kSamplesPerF0Frame * size);
    const Arena::Scope scope(tensors.arena());
    const int64_t frames = Signed(size);
    const std::vector<InputTensor> inputs = {
        {"x_pre", {1, 512, frames}, tensors.Transposed(x, size)},
        {"ref_s", {1, 256}, tensors.Row(input.acoustic_style, false)},
        {"har", {1, 22, 60 * frames + 1}, tensors.Transposed(har, 60 * size + 1)},
        {"mask", {1, 1, frames}, tensors.Mask(x.rows, size)},
    };
    const std::span<float> real = waveform.first(stages::kSamplesPerF0Frame * x.rows);
    if (context.exec.CountsOnly()) return Output{real};
    KOE_TRY(const auto* session, folder_->Session(OnnxStage::kGenerator, seconds));
    KOE_CHECK_OK(session->Run(inputs, {{"waveform", {1, 1, Signed(waveform.size())}, waveform}}));
    if (context.exec.IsCancelled()) return stages::CancelledError();
    context.Observe("waveform", Matrix(real.data(), real.size(), 1));
    return Output{real};
  }

 private:
  std::shared_ptr<const OnnxFolder> folder_;
};

struct FileName {
  const char* prefix;
  const char* suffix;
  int unit;  // of the number between them that is one of the stage's sizes
};
constexpr std::array<FileName, 4> kFileNames = {{{"kokoro_duration_t", "", 1},
                                                 {"kokoro_f0ntrain_t", "", kFramesPerSecond},
                                                 {"kokoro_decoder_pre_", "s", 1},
                                                 {"kokoro_decoder_har_post_", "s", 1}}};

// The size of a model of that name; 0 where it is none.
int SizeOf(const std::string& name, const FileName& form, const std::string& ending) {
  const std::string prefix = form.prefix, suffix = form.suffix + ending;
  if (!name.starts_with(prefix) || !name.ends_with(suffix) || name.size() <= prefix.size() + suffix.size()) return 0;
  const std::string digits = name.substr(prefix.size(), name.size() - prefix.size() - suffix.size());
  const bool is_number = std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!is_number || digits.size() > 4 || digits[0] == '0') return 0;
  const int number = std::stoi(digits);
  return number % form.unit == 0 ? number / form.unit : 0;
}

}  // namespace

Result<std::shared_ptr<const OnnxFolder>> OnnxFolder::Open(std::shared_ptr<const OnnxRuntime> runtime,
                                                           std::string folder, int num_threads, std::string ending) {
  std::shared_ptr<OnnxFolder> opened(
      new OnnxFolder(std::move(runtime), std::move(folder), num_threads, std::move(ending)));
  std::array<std::set<int>, 4> sizes;
  std::error_code error;
  for (std::filesystem::directory_iterator it(opened->folder_, error), end; !error && it != end; it.increment(error)) {
    for (size_t stage = 0; stage < sizes.size(); ++stage) {
      const int size = SizeOf(it->path().filename().string(), kFileNames[stage], opened->ending_);
      if (size > 0) sizes[stage].insert(size);
    }
  }
  bool is_empty = true;
  for (size_t stage = 0; stage < sizes.size(); ++stage) {
    opened->sizes_[stage] = {sizes[stage].begin(), sizes[stage].end()};
    is_empty &= sizes[stage].empty();
  }
  if (is_empty) {
    const char* maker = opened->ending_ == ".onnx" ? "koe export --format onnx" : "koe bundle build --kind coreml";
    return Error(ErrorCode::kNotFound, "models: '" + opened->folder_ + "': none (see '" + maker + "')");
  }
  return std::shared_ptr<const OnnxFolder>(std::move(opened));
}

pipeline::StaticBuckets OnnxFolder::buckets() const {
  std::set<int> seconds;
  for (const OnnxStage stage : {OnnxStage::kProsody, OnnxStage::kDecoder, OnnxStage::kGenerator}) {
    seconds.insert(sizes(stage).begin(), sizes(stage).end());
  }
  return {sizes(OnnxStage::kDuration), {seconds.begin(), seconds.end()}};
}

Result<int> OnnxFolder::SizeFor(OnnxStage stage, size_t count) const {
  const bool is_tokens = stage == OnnxStage::kDuration;
  for (const int size : sizes(stage)) {
    if (count <= static_cast<size_t>(size) * (is_tokens ? 1 : kFramesPerSecond)) return size;
  }
  const std::string largest = std::to_string(sizes(stage).empty() ? 0 : sizes(stage).back());
  if (is_tokens) {
    return Error(ErrorCode::kTooLong, "text: " + std::to_string(count) + " tokens in one part: the largest model has " +
                                          largest + "; say it in shorter parts, or export more --tokens");
  }
  std::string thousandths = std::to_string(count * 1000 / kFramesPerSecond % 1000);
  thousandths.insert(0, 3 - thousandths.size(), '0');
  return Error(ErrorCode::kTooLong, "speech: " + std::to_string(count / kFramesPerSecond) + "." + thousandths +
                                        " s in one part: the largest model has " + largest +
                                        " s; say it in shorter parts or faster, or export more --buckets");
}

Result<const OnnxRuntime::Session*> OnnxFolder::Session(OnnxStage stage, int size) const {
  const FileName& form = kFileNames[static_cast<size_t>(stage)];
  const std::string name = form.prefix + std::to_string(size * form.unit) + form.suffix + ending_;
  const std::lock_guard<std::mutex> lock(mutex_);
  std::unique_ptr<OnnxRuntime::Session>& session = sessions_[name];
  if (session == nullptr) {
    KOE_TRY(session, runtime_->Open(folder_ + "/" + name, num_threads_));
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
