// SPDX-License-Identifier: Apache-2.0
// conv_plan_table [--target NAME] [--repeats N]: measures every candidate plan of the model's convolutions on one
// thread and prints the rows of kernels/conv_plan_table.inc for this machine's targets on stdout, and every measurement
// on stderr.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "nn/conv_measure.h"

namespace koe::nn {
namespace {

const char* Enumerator(kernels::Target target) {
  switch (target) {
    case kernels::Target::kAvx512:
      return "kAvx512";
    case kernels::Target::kAvx2:
      return "kAvx2";
    case kernels::Target::kNeon:
      return "kNeon";
    case kernels::Target::kScalar:
      break;
  }
  return "kScalar";
}

constexpr size_t kWideProducts = 256 * 768;  // c_in x c_out

void PrintRows(kernels::Target target, int repeats) {
  constexpr double kTolerance = 0.04;
  const kernels::KernelSet& kernels = kernels::KernelsFor(target);
  ThreadPool pool(1);
  Arena arena;
  const Exec exec{&kernels, &pool, &arena, nullptr};
  for (const ConvCase& conv : ModelConvolutions()) {
    auto candidates = kernels::ConvPlanCandidates(kernels::ConvPreset::kExact, conv.shape.taps);
    // Wide convolutions over few rows hold most of the model's weights. Transformed, they would take 200 MB more; here,
    // where one convolution runs again and again, they would come from L3, which they do not in a synthesis. The others
    // have many rows, whose transform should not have to wait for the last one.
    const bool is_wide = conv.shape.in * conv.shape.out > kWideProducts;
    std::erase_if(candidates, [is_wide](const kernels::ConvPlan& plan) {
      return !plan.is_direct && plan.expand_at_run != is_wide;
    });
    const auto measured = MeasureConvPlans(exec, conv, candidates, repeats);
    for (const ConvMeasurement& m : measured) {
      std::fprintf(stderr, "%s %s %-9s tiles %2zu%s %9.3f ms %7.1f MiB\n", kernels::TargetName(target), conv.name,
                   kernels::ConvPlanName(m.plan).c_str(), m.plan.tiles, m.plan.expand_at_run ? " at run" : "       ",
                   m.seconds * 1e3, static_cast<double>(m.weight_bytes) / (1 << 20));
    }
    const kernels::ConvPlan& plan = BestOf(measured, kTolerance).plan;
    if (plan.is_direct) continue;
    std::printf("{Target::%s, %zu, %zu, TileForm::Kind::%s, %zu, %zu, %zu, %s},\n", Enumerator(target), conv.shape.taps,
                std::max(conv.shape.in, conv.shape.out),
                plan.form.kind == kernels::TileForm::Kind::kFft ? "kFft" : "kToomCook", plan.form.samples,
                plan.form.segments, plan.tiles, plan.expand_at_run ? "true" : "false");
    std::fflush(stdout);
  }
}

int Main(int argc, char** argv) {
  std::string target_name;
  int repeats = 5;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--target") == 0 && i + 1 < argc) {
      target_name = argv[++i];
    } else if (std::strcmp(argv[i], "--repeats") == 0 && i + 1 < argc) {
      repeats = std::atoi(argv[++i]);
    } else {
      std::fprintf(stderr, "usage: conv_plan_table [--target NAME] [--repeats N]\n");
      return 2;
    }
  }
  if (!target_name.empty()) {
    const auto target = kernels::ParseTarget(target_name);
    if (!target) {
      std::fprintf(stderr, "%s\n", std::string(target.error().message()).c_str());
      return 2;
    }
    PrintRows(*target, repeats);
    return 0;
  }
  for (const kernels::Target target : kernels::SupportedTargets()) {
    if (target != kernels::Target::kScalar) PrintRows(target, repeats);
  }
  return 0;
}

}  // namespace
}  // namespace koe::nn

int main(int argc, char** argv) { return koe::nn::Main(argc, argv); }
