// SPDX-License-Identifier: Apache-2.0
// What an engine and its streams share.
#ifndef KOE_API_ENGINE_IMPL_H_
#define KOE_API_ENGINE_IMPL_H_

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "api/front_end.h"
#include "api/preparer.h"
#include "api/speech_run.h"
#include "base/thread_pool.h"
#include "bundle/bundle.h"
#include "devices/onnx_device.h"
#include "koe/engine.h"
#include "pipeline/synthesizer.h"

namespace koe {

inline const std::atomic<bool>* FlagOf(const CancelToken* cancel) {
  return cancel != nullptr ? &cancel->flag() : nullptr;
}

// What is loaded at the first call and freed when it is idle.
struct LoadedModel {
  LoadedModel(pipeline::Model m, const kernels::KernelSet& kernels, ThreadPool& pool)
      : model(std::move(m)), synthesizer(model, kernels, pool) {}
  const pipeline::Model model;
  const pipeline::Synthesizer synthesizer;
};

struct Engine::Impl {
  Impl(std::shared_ptr<const bundle::Bundle> b, const kernels::KernelSet& k, int threads, const pipeline::Plan& p,
       devices::PlacedStages on_devices, const EngineOptions& o)
      : bundle(std::move(b)), kernels(k), num_threads(threads), plan(p), placed(std::move(on_devices)), options(o) {}
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  // The model and its threads, made at the first call: phonemes and facts need neither. The model lives for as long as
  // someone holds it or until Unload. Another thread makes it, so that a caller that is cancelled need not wait.
  Result<std::shared_ptr<const pipeline::Synthesizer>> LoadedSynthesizer(const std::atomic<bool>* cancelled);
  // Frees the model and the spare workspaces where nobody holds it and no call has asked for it for `idle`. Whether it
  // did.
  bool Unload(std::chrono::steady_clock::duration idle);
  Result<const g2p::EnglishG2P*> FrontEnd(Language language);
  // Chunks of a text: Append and Finish are the caller's.
  Result<std::unique_ptr<api::Preparer>> MakePreparer(const SynthesisOptions& speech,
                                                      const std::atomic<bool>* cancelled, bool by_sentences);
  // Adds a run's facts to the diagnostics.
  void Count(const api::SpeechRun& run, size_t num_samples, double front_end_seconds);
  Error CountError(const Error& error) noexcept;
  Diagnostics GetDiagnostics();

  // Takes a workspace out of the pool and puts it back when done.
  class Lease {
   public:
    explicit Lease(Impl& impl);
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    pipeline::Workspace& operator*() { return *workspace_; }

   private:
    Impl& impl_;
    std::unique_ptr<pipeline::Workspace> workspace_;
  };

  std::shared_ptr<const bundle::Bundle> bundle;
  const kernels::KernelSet& kernels;
  const int num_threads;
  const pipeline::Plan plan;
  const devices::PlacedStages placed;  // what the plan's devices are
  const EngineOptions options;

 private:
  Result<std::shared_ptr<const LoadedModel>> Load();
  // Unloads when options.unload_after_seconds have passed without a call.
  void WatchIdle();

  std::mutex load_mutex_, front_end_mutex_, workspace_mutex_, diagnostics_mutex_;
  std::condition_variable loaded_;
  std::thread loader_;
  bool is_loading_ = false;
  std::optional<Error> load_error_;  // of the last attempt
  uint64_t load_attempts_ = 0;       // that have ended
  std::optional<ThreadPool> pool_;
  std::shared_ptr<const LoadedModel> loaded_model_;
  std::chrono::steady_clock::time_point last_use_{};
  std::thread idle_watch_;
  std::condition_variable idle_changed_;
  std::atomic<bool> is_closing_{false};
  std::array<std::unique_ptr<const api::FrontEnd>, 2> front_ends_;  // American, British
  std::vector<std::unique_ptr<pipeline::Workspace>> workspaces_;
  size_t num_workspaces_ = 0;  // those here and those that are leased
  Diagnostics diagnostics_;
  pipeline::StageSeconds stage_seconds_{};
};

}  // namespace koe

#endif  // KOE_API_ENGINE_IMPL_H_
