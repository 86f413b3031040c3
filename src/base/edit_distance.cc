// SPDX-License-Identifier: Apache-2.0
#include "base/edit_distance.h"

#include <algorithm>

namespace koe {

size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({substituted, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

const std::string* NearestName(std::string_view name, const std::vector<std::string>& names) {
  const std::string* nearest = nullptr;
  size_t smallest = 0;
  for (const std::string& candidate : names) {
    const size_t distance = EditDistance(name, candidate);
    if (nearest != nullptr && distance >= smallest) continue;
    nearest = &candidate;
    smallest = distance;
  }
  return nearest;
}

}  // namespace koe
