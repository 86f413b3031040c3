// SPDX-License-Identifier: Apache-2.0
// Stage 4: aligned features + prosody style -> pitch and energy curves. Source: Kokoro modules.py
// ProsodyPredictor.F0Ntrain. The seed calls energy "noise" (N); StyleTTS 2 trains it on the log-norm of the mel
// spectrogram.
#ifndef KOE_STAGES_PROSODY_PROSODY_H_
#define KOE_STAGES_PROSODY_PROSODY_H_

#include <memory>
#include <span>

#include "bundle/weights.h"
#include "stages/stage.h"

namespace koe::stages {

class Prosody {
 public:
  struct Input {
    ConstMatrix aligned_duration_features;  // [F][640]
    std::span<const float> prosody_style;   // [128]
  };
  struct Output {
    std::span<const float> f0_hz;   // [2F] at 80/s; unvoiced frames are near or below 0
    std::span<const float> energy;  // [2F]
  };

  virtual ~Prosody() = default;
  // kInvalidArgument: shapes. kCancelled. Observes F0_pred and N_pred [2F][1].
  virtual Result<Output> Run(const Input& input, const StageContext& context) const = 0;
};

Result<std::unique_ptr<Prosody>> MakeProsodyCpu(const bundle::Weights& weights, const kernels::KernelSet& kernels,
                                                const LoadOptions& options = {});

}  // namespace koe::stages

#endif  // KOE_STAGES_PROSODY_PROSODY_H_
