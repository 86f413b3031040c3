// SPDX-License-Identifier: Apache-2.0
// Every stage's tensors for one chunk, in the reference implementation's names and layout, for comparison with it.
#ifndef KOE_PIPELINE_DUMP_H_
#define KOE_PIPELINE_DUMP_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "pipeline/synthesizer.h"

namespace koe::pipeline {

// Row-major; floats or, where `integers` is not empty, int32.
struct NamedTensor {
  std::vector<size_t> shape;
  std::vector<float> floats;
  std::vector<int32_t> integers;
};
using TensorMap = std::map<std::string, NamedTensor, std::less<>>;

struct DumpRequest {
  std::vector<int32_t> token_ids;
  std::vector<float> voice_row;  // [256]
  float speed = 1;
  uint64_t seed = 0;
  const std::atomic<bool>* cancelled = nullptr;
  // The golden's tensors under their own names, channels first as the reference stores them; may be empty.
  TensorMap golden;
  bool use_golden_har = false;  // the generator gets golden "har"
  bool feed_stages = false;     // every stage gets the golden's inputs instead of the previous stage's output
};

// token_ids, ref_s, speed, bert_dur [T,768], d_en [512,T], d [T,640], duration [T] (frames before they are rounded),
// pred_dur, t_en [512,T], en [640,F], asr [512,F], F0_pred, N_pred [2F], x_pre [512,2F], sine_clean, har_source [600F],
// har [22,120F+1], ups0, x_source0, mrf0 [256,20F], ups1 [128,120F], x_source1, mrf1 [128,120F+1], conv_post
// [22,120F+1], waveform [600F]. kCorruptBundle: a golden tensor that is needed is missing or has another shape than
// its neighbours ask for.
Result<TensorMap> Dump(const Synthesizer& synthesizer, const DumpRequest& request, Workspace& workspace);

}  // namespace koe::pipeline

#endif  // KOE_PIPELINE_DUMP_H_
