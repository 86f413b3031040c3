// SPDX-License-Identifier: Apache-2.0
// What every mode of koe bench measures with.
#ifndef KOE_APPS_CLI_BENCH_MEASURE_H_
#define KOE_APPS_CLI_BENCH_MEASURE_H_

#include <chrono>
#include <cstdint>
#include <ctime>
#include <vector>

#include "koe/speech.h"

namespace koe::cli {

double Median(std::vector<double> values);  // of at least one
double Smallest(const std::vector<double>& values);
double Largest(const std::vector<double>& values);

// Each stage's own median over the runs that have it, in the order they first appear: one slow run moves no stage.
std::vector<StageTime> MedianStages(const std::vector<std::vector<StageTime>>& runs);

// Wall and processor time (all threads of the process) since it was made.
class Stopwatch {
 public:
  double Seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }
  double CpuSeconds() const { return static_cast<double>(std::clock() - cpu_start_) / CLOCKS_PER_SEC; }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
  std::clock_t cpu_start_ = std::clock();
};

// The resident set from here on; the process has one high-water mark, so one object at a time. -1: not known on this
// system.
class PeakMemory {
 public:
  PeakMemory();
  int64_t Growth() const;  // over what it was when this was made
  int64_t Peak() const;

 private:
  int64_t before_;
  bool is_known_;
};

}  // namespace koe::cli

#endif  // KOE_APPS_CLI_BENCH_MEASURE_H_
