// SPDX-License-Identifier: Apache-2.0
#include "audio/join.h"

#include <algorithm>
#include <cmath>

namespace koe {

size_t Joiner::Push(std::span<const float> segment, std::vector<float>* output) {
  const size_t overlap = std::min({kJoinSamples, held_.size(), segment.size()});
  const size_t first_sample = num_emitted_ + held_.size() - overlap;
  float* tail = held_.data() + held_.size() - overlap;
  for (size_t i = 0; i < overlap; ++i) {
    const double angle = static_cast<double>(i + 1) / static_cast<double>(overlap + 1) * (M_PI / 2);
    tail[i] = static_cast<float>(tail[i] * std::cos(angle) + segment[i] * std::sin(angle));
  }
  const auto rest = segment.subspan(overlap);
  const size_t length = held_.size() + rest.size();
  const size_t num_final = length - std::min(length, kJoinSamples);
  const size_t from_held = std::min(num_final, held_.size());
  const size_t from_rest = num_final - from_held;
  output->insert(output->end(), held_.begin(), held_.begin() + static_cast<ptrdiff_t>(from_held));
  output->insert(output->end(), rest.begin(), rest.begin() + static_cast<ptrdiff_t>(from_rest));
  held_.erase(held_.begin(), held_.begin() + static_cast<ptrdiff_t>(from_held));
  held_.insert(held_.end(), rest.begin() + static_cast<ptrdiff_t>(from_rest), rest.end());
  num_emitted_ += num_final;
  return first_sample;
}

void Joiner::Finish(std::vector<float>* output) {
  output->insert(output->end(), held_.begin(), held_.end());
  held_.clear();
  num_emitted_ = 0;
}

}  // namespace koe
