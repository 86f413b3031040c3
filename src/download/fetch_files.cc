// SPDX-License-Identifier: Apache-2.0
#include "download/fetch_files.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <system_error>
#include <thread>

#include "bundle/byte_reader.h"
#include "download/url.h"

namespace koe::download {
namespace {

constexpr auto kPoll = std::chrono::milliseconds(50);

enum class State { kWaiting, kActive, kDone };

struct Job {
  const FileJob* job;
  FileCounters counters;
  std::atomic<State> state{State::kWaiting};
};

bool IsSet(const std::atomic<bool>* flag) { return flag != nullptr && flag->load(std::memory_order_relaxed); }

// Threads that run to their end while this one polls. What they throw becomes an error.
class Crew {
 public:
  // *stop is set when one of them fails; it must outlive this object.
  explicit Crew(std::atomic<bool>* stop) : stop_(*stop) {}
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;
  ~Crew() {
    for (std::thread& thread : threads_) thread.join();
  }
  void Start(const std::function<Result<void>()>& work) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      ++running_;
    }
    try {
      threads_.emplace_back([this, work] {
        Result<void> result;
        try {
          result = work();
        } catch (const std::exception&) {
          result = Error(ErrorCode::kOutOfMemory, "download: not enough memory");
        }
        std::lock_guard<std::mutex> lock(mutex_);
        if (!result && (!error_ || error_->code() == ErrorCode::kCancelled)) error_ = result.error();
        if (!result) stop_.store(true);
        --running_;
        changed_.notify_all();
      });
    } catch (const std::system_error&) {  // no thread to be had: those that run do the work
      std::lock_guard<std::mutex> lock(mutex_);
      if (--running_ == 0) error_ = Error(ErrorCode::kOutOfMemory, "threads: cannot be started");
    }
  }
  // Until all have ended. Passes the caller's cancellation on; the first real error counts more than those of the
  // others, which it has cancelled.
  Result<void> Wait(const std::atomic<bool>* cancel, const std::function<void()>& poll) {
    std::unique_lock<std::mutex> lock(mutex_);
    while (running_ > 0) {
      changed_.wait_for(lock, kPoll);
      lock.unlock();
      if (IsSet(cancel)) stop_.store(true);
      poll();
      lock.lock();
    }
    if (IsSet(cancel) && error_) return Error(ErrorCode::kCancelled, "download: cancelled");
    return error_ ? Result<void>(*error_) : Result<void>();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t running_ = 0;
  std::optional<Error> error_;
  std::atomic<bool>& stop_;
  std::vector<std::thread> threads_;
};

Result<void> FetchOne(Job* job, Transport* transport, const Settings& settings, const std::atomic<bool>& stop) {
  PartialFile part(job->job->path, job->job->expected, &job->counters);
  KOE_CHECK_OK(part.Resume());
  return WithRetries(settings.retry, stop, [&]() -> Try {
    Transfer transfer;
    if (!part.IsComplete()) transfer = transport->Get(part.MakeRequest(job->job->url), &part);
    // All bytes count, however the connection ended: the digest decides.
    if (part.IsComplete() || transfer.ok()) {
      Result<void> finished = part.Finish();
      return {std::move(finished), part.last_refusal_is_transient(), part.retry_after_s(), 0};
    }
    const bool is_transient = transfer.from_receiver ? part.last_refusal_is_transient() : transfer.is_transient;
    return {*transfer.error, is_transient, part.retry_after_s(), transfer.from_receiver ? 0 : part.offset()};
  });
}

// The largest first: a long one that starts last would run alone.
std::vector<size_t> LargestFirst(const std::vector<FileJob>& jobs) {
  std::vector<size_t> order(jobs.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return jobs[a].expected.bytes > jobs[b].expected.bytes; });
  return order;
}

class MemoryReceiver : public Receiver {
 public:
  MemoryReceiver(std::string name, std::string url, size_t max_bytes)
      : name_(std::move(name)), url_(std::move(url)), max_bytes_(max_bytes) {}
  void Reset() {
    bytes_.clear();
    is_transient_ = false;
  }
  Result<void> OnHead(const ResponseHead& head) override {
    retry_after_s_ = head.retry_after_s;
    if (const auto refusal = CheckStatus(head, name_ + " at " + Shown(url_))) {
      is_transient_ = refusal->is_transient;
      return refusal->error;
    }
    if (head.status == 206) return Error(ErrorCode::kCorruptBundle, "file: " + name_ + ": a part of it came unasked");
    if (!head.content_encoding.empty() && head.content_encoding != "identity") {
      is_transient_ = true;
      return Error(ErrorCode::kCorruptBundle, "file: " + name_ + ": the server encoded it, which was not asked for");
    }
    if (head.content_length.value_or(0) > max_bytes_) return TooLong();
    return {};
  }
  Result<void> OnBody(std::span<const std::byte> bytes) override {
    if (bytes.size() > max_bytes_ - bytes_.size()) return TooLong();
    bytes_.append(bundle::AsText(bytes));
    return {};
  }
  std::string Take() { return std::move(bytes_); }
  bool is_transient() const { return is_transient_; }
  double retry_after_s() const { return retry_after_s_; }

 private:
  Error TooLong() const {
    return Error(ErrorCode::kTooLong, "file: " + name_ + ": more than " + std::to_string(max_bytes_) + " bytes");
  }
  const std::string name_, url_;
  const size_t max_bytes_;
  std::string bytes_;
  bool is_transient_ = false;
  double retry_after_s_ = 0;
};

}  // namespace

Result<uint64_t> FetchFiles(const std::vector<FileJob>& jobs, const Settings& settings,
                            const std::function<void(const FilesProgress&)>& report) {
  std::vector<std::unique_ptr<Job>> states;
  for (const FileJob& job : jobs) {
    states.push_back(std::make_unique<Job>());
    states.back()->job = &job;
  }
  const std::vector<size_t> order = LargestFirst(jobs);
  std::atomic<size_t> next{0};
  const auto progress = [&] {
    FilesProgress now;
    for (const auto& state : states) {
      const uint64_t present = state->counters.present.load(std::memory_order_relaxed);
      now.bytes_present += present;
      now.bytes_transferred += state->counters.transferred.load(std::memory_order_relaxed);
      if (state->state == State::kDone) ++now.files_done;
      if (state->state == State::kActive) now.active.push_back({state->job, present});
    }
    return now;
  };
  std::atomic<bool> stop{false};
  TransportOptions transport_options = settings.transport;
  transport_options.cancel = &stop;
  Result<void> done;
  {
    const auto work = [&]() -> Result<void> {
      const std::unique_ptr<Transport> transport = MakeTransport(transport_options);
      for (size_t i = next.fetch_add(1); i < order.size(); i = next.fetch_add(1)) {
        Job* job = states[order[i]].get();
        job->state = State::kActive;
        KOE_CHECK_OK(FetchOne(job, transport.get(), settings, stop));
        job->state = State::kDone;
      }
      return {};
    };
    Crew crew(&stop);
    const size_t count = std::min({settings.parallel, jobs.size(), kMaxParallel});
    for (size_t i = 0; i < count; ++i) crew.Start(work);
    done = crew.Wait(settings.transport.cancel, [&] { report(progress()); });
  }
  const FilesProgress last = progress();
  report(last);
  if (!done) return done.error();
  return last.bytes_transferred;
}

Result<std::string> FetchBytes(const std::string& url, const std::string& name, size_t max_bytes,
                               const Settings& settings, const std::function<void()>& poll) {
  MemoryReceiver receiver(name, url, max_bytes);
  std::atomic<bool> stop{false};
  TransportOptions transport_options = settings.transport;
  transport_options.cancel = &stop;
  Crew crew(&stop);
  crew.Start([&]() -> Result<void> {
    const std::unique_ptr<Transport> transport = MakeTransport(transport_options);
    return WithRetries(settings.retry, stop, [&]() -> Try {
      receiver.Reset();
      Transfer transfer = transport->Get({url, 0, ""}, &receiver);
      if (transfer.ok()) return {};
      const bool is_transient = transfer.from_receiver ? receiver.is_transient() : transfer.is_transient;
      return {*transfer.error, is_transient, receiver.retry_after_s(), 0};
    });
  });
  KOE_CHECK_OK(crew.Wait(settings.transport.cancel, poll));
  return receiver.Take();
}

}  // namespace koe::download
