// SPDX-License-Identifier: Apache-2.0
#include "koe/bench.h"

#include <chrono>
#include <ctime>
#include <utility>

#include "api/clock.h"
#include "api/front_end.h"
#include "api/guard.h"
#include "bundle/bundle.h"
#include "pipeline/peak_flops.h"

namespace koe {
namespace {

using api::Clock;
using api::SecondsSince;

}  // namespace

struct FrontEndBench::Impl {
  std::unique_ptr<const api::FrontEnd> front_end;
  double open_seconds = 0;
};

FrontEndBench::FrontEndBench(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
FrontEndBench::FrontEndBench(FrontEndBench&&) noexcept = default;
FrontEndBench& FrontEndBench::operator=(FrontEndBench&&) noexcept = default;
FrontEndBench::~FrontEndBench() = default;

Result<FrontEndBench> FrontEndBench::Open(const std::string& bundle_dir, Language language) {
  return api::Guard([&]() -> Result<FrontEndBench> {
    KOE_TRY(const auto bundle, bundle::Bundle::Open(bundle_dir, bundle::Digests::kNotChecked));
    auto impl = std::make_unique<Impl>();
    const auto start = Clock::now();
    KOE_TRY(impl->front_end, api::FrontEnd::Open(*bundle, language));
    impl->open_seconds = SecondsSince(start);
    return FrontEndBench(std::move(impl));
  });
}

double FrontEndBench::open_seconds() const { return impl_->open_seconds; }

Result<FrontEndRun> FrontEndBench::Run(std::string_view text, const CancelToken* cancel) const {
  return api::Guard([&]() -> Result<FrontEndRun> {
    FrontEndRun run;
    run.bytes = text.size();
    g2p::PhonemizeSteps steps;
    const auto count = [&run](const g2p::PhonemePart& part) -> Result<void> {
      run.words += part.words.size();
      run.unknown_words += part.unknown_words;
      return {};
    };
    const std::clock_t cpu_start = std::clock();
    const auto start = Clock::now();
    KOE_CHECK_OK(
        impl_->front_end->g2p().PhonemizeEach(text, cancel != nullptr ? &cancel->flag() : nullptr, count, &steps));
    run.seconds = SecondsSince(start);
    run.cpu_seconds = static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC;
    run.clean_seconds = steps.clean;
    run.tokenise_seconds = steps.tokenise;
    run.tag_seconds = steps.tag;
    run.pronounce_seconds = steps.pronounce;
    return run;
  });
}

Result<double> MeasurePeakFlops(const std::string& simd_target, int num_threads) {
  return api::Guard([&]() -> Result<double> {
    if (num_threads < 1 || num_threads > kMaxThreads) {
      return Error(ErrorCode::kInvalidArgument,
                   "threads: " + std::to_string(num_threads) + ": must be 1 to " + std::to_string(kMaxThreads));
    }
    return pipeline::PeakFlops(simd_target, static_cast<size_t>(num_threads));
  });
}

}  // namespace koe
