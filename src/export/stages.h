// SPDX-License-Identifier: Apache-2.0
// The four neural stages as graphs of one fixed length, with the seed's names, shapes and masks (docs/export.md).
#ifndef KOE_EXPORT_STAGES_H_
#define KOE_EXPORT_STAGES_H_

#include <cstdint>

#include "export/graph.h"
#include "export/weight_store.h"
#include "koe/export.h"
#include "koe/result.h"

namespace koe::exporter {

struct StageSpec {
  ExportStage stage = ExportStage::kDuration;
  // kDuration: tokens; else duration frames of 40 a second.
  int64_t length = 0;
  bool half = true;         // compute in float16, else in float32; the interface is float32 either way
  bool card = false;        // the model card's contract: no masks but the tokens', `har` of twice the length
  bool half_output = true;  // of the generator's waveform, where `half`: what the published packages have
  bool float_tail = true;   // the generator's spectrum and inverse transform in float32 even where `half`
};

// kInternal; kUnsupported: a weight that float16 cannot hold.
Result<Graph> BuildStage(const StageSpec& spec, WeightStore* weights);

}  // namespace koe::exporter

#endif  // KOE_EXPORT_STAGES_H_
