// SPDX-License-Identifier: Apache-2.0
#include "kernels/conv1d/panels_of.h"

namespace koe::kernels::scalar {
namespace {

void Conv1d(const Conv1dArgs& args) { MultiplyPanels(PanelsOf(args)); }

}  // namespace

const Conv1dOps kConv1dOps{Conv1d};

}  // namespace koe::kernels::scalar
