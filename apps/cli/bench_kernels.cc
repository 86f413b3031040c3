// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>

#include "bench.h"
#include "bench_measure.h"
#include "koe/bench.h"
#include "text.h"

namespace koe::cli {
namespace {

// Where the time goes that is not the products'.
std::string Limit(const KernelRate& kernel, double peak) {
  const double products = kernel.product_seconds / kernel.seconds,
               transforms = kernel.transform_seconds / kernel.seconds;
  const double rest = std::max(0.0, 1 - products - transforms);
  if (kernel.plan == "gemv") return "weights come from L2 at every step, one after the other";
  if (kernel.product_flops < 0.85 * peak) return "the products' own loop";
  if (products > 0.9) return "the multiply-add units";
  return transforms > rest ? "transforms of the tiles" : "activation, statistics, memory";
}

}  // namespace

std::string KernelBenchText(const KernelBenchReport& report) {
  const BuildFacts build = Build();
  std::string text = Format("Kernels, %s; multiply-adds: %.0f GFLOP/s on one thread, %.0f on %d\nkoe %s (%s), %s\n\n",
                            report.simd_target.c_str(), report.peak_flops / 1e9, report.peak_flops_threads / 1e9,
                            report.num_threads, build.version.c_str(), build.commit.c_str(), build.compiler.c_str());
  std::vector<std::vector<std::string>> rows = {{"shape", "as", "ms", "products GFLOP/s", "of peak", "products",
                                                 "transforms", "rest", Format("%d threads", report.num_threads),
                                                 "limited by"}};
  for (const KernelRate& kernel : report.kernels) {
    const double products = kernel.product_seconds / kernel.seconds;
    const double transforms = kernel.transform_seconds / kernel.seconds;
    rows.push_back({kernel.name, kernel.plan, Format("%.2f", kernel.seconds * 1e3),
                    Format("%.1f", kernel.product_flops / 1e9),
                    report.peak_flops > 0 ? Format("%.0f %%", 100 * kernel.product_flops / report.peak_flops) : "?",
                    Format("%.0f %%", 100 * products), Format("%.0f %%", 100 * transforms),
                    Format("%.0f %%", 100 * std::max(0.0, 1 - products - transforms)),
                    Format("%.2fx", kernel.seconds / kernel.seconds_threads), Limit(kernel, report.peak_flops)});
  }
  return text + Table(rows);
}

Result<void> RefillConvPlanTable(const std::string& path, const KernelBenchOptions& options) {
  KOE_TRY(const std::vector<std::string> rows, MeasureConvPlans(options));
  if (rows.empty()) return Error(ErrorCode::kUnsupported, "table: '" + path + "': nothing to choose on this target");
  // "{Target::kAvx512," of the measured rows; rows of other targets stay.
  const std::string target = rows.front().substr(0, rows.front().find(',') + 1);
  std::vector<std::string> lines;
  bool is_written = false;
  const auto write_rows = [&] {
    if (!is_written) lines.insert(lines.end(), rows.begin(), rows.end());
    is_written = true;
  };
  std::ifstream before(path);
  for (std::string line; std::getline(before, line);) {
    if (line.starts_with(target)) {
      write_rows();
    } else {
      lines.push_back(line);
    }
  }
  write_rows();
  before.close();
  std::ofstream after(path, std::ios::trunc);
  for (const std::string& line : lines) after << line << '\n';
  after.close();
  if (!after) return Error(ErrorCode::kIo, "table: " + Quote(path) + ": " + std::strerror(errno));
  return {};
}

}  // namespace koe::cli
