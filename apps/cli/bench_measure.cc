// SPDX-License-Identifier: Apache-2.0
#include "bench_measure.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>

namespace koe::cli {
namespace {

// As Linux tells it; -1 elsewhere.
int64_t StatusBytes(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(field)) return 1024 * std::strtoll(line.c_str() + field.size(), nullptr, 10);
  }
  return -1;
}

}  // namespace

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

double Smallest(const std::vector<double>& values) { return *std::min_element(values.begin(), values.end()); }
double Largest(const std::vector<double>& values) { return *std::max_element(values.begin(), values.end()); }

std::vector<StageTime> MedianStages(const std::vector<std::vector<StageTime>>& runs) {
  std::vector<std::pair<std::string, std::vector<double>>> stages;
  for (const auto& run : runs) {
    for (const StageTime& time : run) {
      auto at =
          std::find_if(stages.begin(), stages.end(), [&](const auto& stage) { return stage.first == time.stage; });
      if (at == stages.end()) at = stages.insert(at, {time.stage, {}});
      at->second.push_back(time.seconds);
    }
  }
  std::vector<StageTime> medians;
  for (auto& [stage, seconds] : stages) medians.push_back({std::move(stage), Median(std::move(seconds))});
  return medians;
}

PeakMemory::PeakMemory() : before_(StatusBytes("VmRSS:")) {
  std::ofstream reset("/proc/self/clear_refs");
  reset << "5";  // the high-water mark starts again
  reset.flush();
  is_known_ = reset.good() && before_ >= 0;
}

int64_t PeakMemory::Peak() const { return is_known_ ? StatusBytes("VmHWM:") : -1; }

int64_t PeakMemory::Growth() const {
  const int64_t peak = Peak();
  return peak < 0 ? -1 : std::max<int64_t>(0, peak - before_);
}

}  // namespace koe::cli
