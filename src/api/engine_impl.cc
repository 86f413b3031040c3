// SPDX-License-Identifier: Apache-2.0
#include "api/engine_impl.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "api/clock.h"
#include "api/guard.h"
#include "api/load_model.h"

namespace koe {
namespace {

// How often a caller that waits looks whether it is cancelled.
constexpr std::chrono::milliseconds kPoll{10};

// Of a limit that a chunk's estimated length is kept to: voices and texts differ from the estimate.
constexpr double kMargin = 0.7;

// The longest chunk, as the chunker estimates it, whose synthesis stays within max_bytes.
Result<double> SecondsThatFit(const pipeline::Synthesizer& synthesizer, size_t max_bytes) {
  constexpr size_t kFramesPerSecond = 40, kSmallest = kFramesPerSecond, kLargest = 60 * kFramesPerSecond;
  constexpr double kTokensPerSecond = 18;
  const auto bytes = [&](size_t frames) {
    const double tokens = static_cast<double>(frames) * kTokensPerSecond / kFramesPerSecond;
    return synthesizer.PeakBytes(std::min<size_t>(2 + static_cast<size_t>(tokens), 512), frames);
  };
  if (bytes(kSmallest) > max_bytes) {
    return Error(ErrorCode::kTooLong,
                 "memory: " + std::to_string(bytes(kSmallest)) +
                     " bytes for the model and one second of speech: " + std::to_string(max_bytes) + " are allowed");
  }
  size_t fits = kSmallest, too_many = kLargest + 1;
  while (fits + 1 < too_many) {
    const size_t middle = (fits + too_many) / 2;
    (bytes(middle) <= max_bytes ? fits : too_many) = middle;
  }
  return kMargin * static_cast<double>(fits) / kFramesPerSecond;
}

}  // namespace

Engine::Impl::~Impl() {
  {
    const std::lock_guard<std::mutex> lock(load_mutex_);
    is_closing_ = true;  // ends loading, too
  }
  if (loader_.joinable()) loader_.join();
  idle_changed_.notify_all();
  if (idle_watch_.joinable()) idle_watch_.join();
}

Result<std::shared_ptr<const LoadedModel>> Engine::Impl::Load() {
  const auto start = api::Clock::now();
  if (!pool_) pool_.emplace(static_cast<size_t>(num_threads));
  KOE_TRY(auto model, api::LoadModel(*bundle, options.verify_digests, plan, kernels, *pool_, &is_closing_));
  auto loaded = std::make_shared<const LoadedModel>(std::move(model), kernels, *pool_);
  const std::lock_guard<std::mutex> lock(diagnostics_mutex_);
  diagnostics_.model_load_seconds = api::SecondsSince(start);
  return std::shared_ptr<const LoadedModel>(std::move(loaded));
}

Result<std::shared_ptr<const pipeline::Synthesizer>> Engine::Impl::LoadedSynthesizer(
    const std::atomic<bool>* cancelled) {
  std::unique_lock<std::mutex> lock(load_mutex_);
  const uint64_t attempts_before = load_attempts_;
  while (loaded_model_ == nullptr) {
    if (cancelled != nullptr && cancelled->load(std::memory_order_relaxed)) return stages::CancelledError();
    if (load_attempts_ > attempts_before && load_error_) return *load_error_;
    if (!is_loading_) {
      if (loader_.joinable()) loader_.join();  // it has ended
      is_loading_ = true;
      try {
        loader_ = std::thread([this] {
          Result<std::shared_ptr<const LoadedModel>> result = api::Guard([this] { return Load(); });
          const std::lock_guard<std::mutex> inner_lock(load_mutex_);
          load_error_.reset();
          if (result) {
            loaded_model_ = std::move(*result);
          } else {
            load_error_.emplace(api::Copy(result.error()));
          }
          last_use_ = std::chrono::steady_clock::now();
          is_loading_ = false;
          ++load_attempts_;
          loaded_.notify_all();
        });
      } catch (...) {
        is_loading_ = false;
        throw;
      }
    }
    loaded_.wait_for(lock, kPoll);
  }
  last_use_ = std::chrono::steady_clock::now();
  if (options.unload_after_seconds > 0 && !idle_watch_.joinable()) {
    idle_watch_ = std::thread([this] { WatchIdle(); });
  }
  return std::shared_ptr<const pipeline::Synthesizer>(loaded_model_, &loaded_model_->synthesizer);
}

bool Engine::Impl::Unload(std::chrono::steady_clock::duration idle) {
  std::shared_ptr<const LoadedModel> model;  // freed outside the locks: it takes a while
  std::vector<std::unique_ptr<pipeline::Workspace>> spare;
  {
    const std::lock_guard<std::mutex> lock(load_mutex_);
    // Copies are made under this lock only, so a count of one stays one.
    if (loaded_model_ == nullptr || loaded_model_.use_count() != 1) return false;
    if (std::chrono::steady_clock::now() - last_use_ < idle) return false;
    model = std::move(loaded_model_);
    loaded_model_ = nullptr;
  }
  const std::lock_guard<std::mutex> lock(workspace_mutex_);
  num_workspaces_ -= workspaces_.size();
  spare = std::move(workspaces_);
  workspaces_.clear();
  workspaces_.reserve(num_workspaces_);  // what is leased comes back without allocating
  return true;
}

void Engine::Impl::WatchIdle() {
  const auto idle = std::chrono::duration_cast<std::chrono::steady_clock::duration>(
      std::chrono::duration<double>(options.unload_after_seconds));
  std::unique_lock<std::mutex> lock(load_mutex_);
  while (!is_closing_) {
    // A call that runs counts as use until it ends.
    if (loaded_model_ != nullptr && loaded_model_.use_count() > 1) last_use_ = std::chrono::steady_clock::now();
    idle_changed_.wait_for(lock, std::max<std::chrono::steady_clock::duration>(idle / 8, kPoll));
    if (is_closing_) return;
    lock.unlock();
    Unload(idle);
    lock.lock();
  }
}

Result<const g2p::EnglishG2P*> Engine::Impl::FrontEnd(Language language) {
  const std::lock_guard<std::mutex> lock(front_end_mutex_);
  const bool british = language == Language::kBritishEnglish;
  auto& front_end = front_ends_[british ? 1 : 0];
  if (front_end == nullptr) {
    api::FrontEndOptions front_end_options(options);
    front_end_options.kernels = &kernels;
    const auto& other = front_ends_[british ? 0 : 1];
    if (other != nullptr) front_end_options.letter_to_sound = other->letter_to_sound();
    KOE_TRY(front_end, api::FrontEnd::Open(*bundle, language, front_end_options));
  }
  return &front_end->g2p();
}

Result<std::unique_ptr<api::Preparer>> Engine::Impl::MakePreparer(const SynthesisOptions& speech,
                                                                  const std::atomic<bool>* cancelled,
                                                                  bool by_sentences) {
  SynthesisOptions limited = speech;
  if (options.max_memory_bytes > 0) {
    KOE_TRY(const auto synthesizer, LoadedSynthesizer(cancelled));
    KOE_TRY(const double seconds, SecondsThatFit(*synthesizer, options.max_memory_bytes));
    limited.max_chunk_seconds = std::min(limited.max_chunk_seconds, seconds);
  }
  if (placed.largest_seconds > 0) {
    limited.max_chunk_seconds = std::min(limited.max_chunk_seconds, kMargin * placed.largest_seconds);
  }
  return api::Preparer::Make(
      *bundle, [this](Language language) { return FrontEnd(language); }, limited, cancelled, by_sentences);
}

Engine::Impl::Lease::Lease(Impl& impl) : impl_(impl) {
  const std::lock_guard<std::mutex> lock(impl.workspace_mutex_);
  if (impl.workspaces_.empty()) {
    impl.workspaces_.reserve(impl.num_workspaces_ + 1);
    workspace_ = std::make_unique<pipeline::Workspace>();
    ++impl.num_workspaces_;
  } else {
    workspace_ = std::move(impl.workspaces_.back());
    impl.workspaces_.pop_back();
  }
}

Engine::Impl::Lease::~Lease() {
  const std::lock_guard<std::mutex> lock(impl_.workspace_mutex_);
  // Room was made when it was made, so this does not throw.
  impl_.workspaces_.push_back(std::move(workspace_));
}

void Engine::Impl::Count(const api::SpeechRun& run, size_t num_samples, double front_end_seconds) {
  const std::lock_guard<std::mutex> lock(diagnostics_mutex_);
  ++diagnostics_.syntheses;
  diagnostics_.chunks += run.num_chunks();
  diagnostics_.samples += num_samples;
  diagnostics_.front_end_seconds += front_end_seconds;
  for (size_t i = 0; i < stage_seconds_.size(); ++i) stage_seconds_[i] += run.seconds()[i];
}

Error Engine::Impl::CountError(const Error& error) noexcept {
  const std::lock_guard<std::mutex> lock(diagnostics_mutex_);
  ++(error.code() == ErrorCode::kCancelled ? diagnostics_.cancelled : diagnostics_.errors);
  try {
    // What follows the first colon may quote the text.
    diagnostics_.last_error =
        std::string(ErrorCodeName(error.code())) + ": " + error.message().substr(0, error.message().find(':'));
  } catch (...) {  // no memory even for that: the one before it stays
  }
  return api::Copy(error);
}

Diagnostics Engine::Impl::GetDiagnostics() {
  Diagnostics diagnostics;
  {
    const std::lock_guard<std::mutex> lock(diagnostics_mutex_);
    diagnostics = diagnostics_;
    for (size_t i = 0; i < stage_seconds_.size(); ++i) {
      diagnostics.stages.push_back({pipeline::StageName(pipeline::kStages[i]), stage_seconds_[i]});
    }
  }
  diagnostics.weights_sha256 = bundle->manifest().weights_source.sha256;
  const std::lock_guard<std::mutex> lock(workspace_mutex_);
  for (const auto& workspace : workspaces_) diagnostics.workspace_bytes += workspace->HeldBytes();
  return diagnostics;
}

}  // namespace koe
