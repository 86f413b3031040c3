// SPDX-License-Identifier: Apache-2.0
#include "devices/native_pitch.h"

#include <optional>
#include <utility>

namespace koe::devices {
namespace {

using stages::StageContext;

// Both side by side, the native one in an arena of its own and unobserved.
template <typename Stage>
class Both {
 public:
  Both(std::unique_ptr<Stage> placed, std::unique_ptr<Stage> native)
      : placed_(std::move(placed)), native_(std::move(native)) {}

  Result<std::pair<typename Stage::Output, typename Stage::Output>> Run(const typename Stage::Input& input,
                                                                        const StageContext& context) const {
    StageContext native_context = context;
    native_context.exec = context.exec.Branch(0);
    native_context.observer = nullptr;
    std::optional<Result<typename Stage::Output>> placed, native;
    context.exec.pool->RunAll({[&] { native.emplace(native_->Run(input, native_context)); },
                               [&] { placed.emplace(placed_->Run(input, context)); }});
    KOE_TRY(const auto first, std::move(*placed));
    KOE_TRY(const auto second, std::move(*native));
    return std::pair(first, second);
  }

 private:
  std::unique_ptr<Stage> placed_, native_;
};

class DurationWithNativePitch final : public stages::Duration {
 public:
  DurationWithNativePitch(std::unique_ptr<Duration> placed, std::unique_ptr<Duration> native)
      : both_(std::move(placed), std::move(native)) {}
  Result<Output> Run(const Input& input, const StageContext& context) const override {
    KOE_TRY(const auto outputs, both_.Run(input, context));
    context.Observe("d", outputs.second.duration_features);
    return Output{outputs.first.durations, outputs.second.duration_features, outputs.first.text_features};
  }

 private:
  Both<Duration> both_;
};

class ProsodyWithNativePitch final : public stages::Prosody {
 public:
  ProsodyWithNativePitch(std::unique_ptr<Prosody> placed, std::unique_ptr<Prosody> native)
      : both_(std::move(placed), std::move(native)) {}
  Result<Output> Run(const Input& input, const StageContext& context) const override {
    KOE_TRY(const auto outputs, both_.Run(input, context));
    context.Observe("F0_pred", ConstMatrix(outputs.second.f0_hz.data(), outputs.second.f0_hz.size(), 1));
    return Output{outputs.second.f0_hz, outputs.first.energy};
  }

 private:
  Both<Prosody> both_;
};

}  // namespace

std::unique_ptr<stages::Duration> WithNativePitch(std::unique_ptr<stages::Duration> placed,
                                                  std::unique_ptr<stages::Duration> native) {
  return std::make_unique<DurationWithNativePitch>(std::move(placed), std::move(native));
}

std::unique_ptr<stages::Prosody> WithNativePitch(std::unique_ptr<stages::Prosody> placed,
                                                 std::unique_ptr<stages::Prosody> native) {
  return std::make_unique<ProsodyWithNativePitch>(std::move(placed), std::move(native));
}

}  // namespace koe::devices
