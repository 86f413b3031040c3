// SPDX-License-Identifier: Apache-2.0
// Times the ways to compute a convolution on this machine: what the table of kernels/conv_plan.h is made from.
#ifndef KOE_NN_CONV_MEASURE_H_
#define KOE_NN_CONV_MEASURE_H_

#include <span>
#include <vector>

#include "nn/conv1d.h"

namespace koe::nn {

// Processor time of the calling thread, and wall time.
double ThreadSeconds();
double WallSeconds();

// One of the model's convolutions, with the rows that it has in five seconds of speech.
struct ConvCase {
  const char* name;
  ConvShape shape;
  size_t rows;
};
// Every shape that the table distinguishes, in its order: by taps, then by channels.
std::span<const ConvCase> ModelConvolutions();

struct ConvMeasurement {
  kernels::ConvPlan plan;
  double seconds;       // best of `repeats`: wall; of one thread its processor time, which other load leaves alone
  size_t weight_bytes;  // held by the convolution
};

// Runs every candidate `repeats` times in turn, so that other load meets all of them, with the activation, residual and
// statistics of a residual block around it. Uses exec's pool and arena.
std::vector<ConvMeasurement> MeasureConvPlans(const Exec& exec, const ConvCase& conv,
                                              std::span<const kernels::ConvPlan> candidates, int repeats);

// Of those within `tolerance` of the fastest (0.03: 3 % slower) the one that holds the least memory; of equals the one
// of fewest samples, which is the most accurate of its kind; of equals the fastest.
const ConvMeasurement& BestOf(std::span<const ConvMeasurement> measured, double tolerance);

}  // namespace koe::nn

#endif  // KOE_NN_CONV_MEASURE_H_
