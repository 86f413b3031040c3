// SPDX-License-Identifier: Apache-2.0
// One builder a stage; BuildStage calls them.
#ifndef KOE_EXPORT_STAGE_BUILDERS_H_
#define KOE_EXPORT_STAGE_BUILDERS_H_

#include "export/blocks.h"
#include "export/stages.h"

namespace koe::exporter {

void BuildDuration(const StageSpec& spec, Graph* graph, WeightStore* weights);
void BuildF0Ntrain(const StageSpec& spec, Graph* graph, WeightStore* weights);
void BuildDecoderPre(const StageSpec& spec, Graph* graph, WeightStore* weights);
void BuildGenerator(const StageSpec& spec, Graph* graph, WeightStore* weights);

}  // namespace koe::exporter

#endif  // KOE_EXPORT_STAGE_BUILDERS_H_
