// SPDX-License-Identifier: Apache-2.0
// "Did you mean": the known name nearest to a wrong one.
#ifndef KOE_BASE_EDIT_DISTANCE_H_
#define KOE_BASE_EDIT_DISTANCE_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace koe {

// Levenshtein's: fewest insertions, deletions and substitutions of bytes that turn a into b. O(|a| |b|) time.
size_t EditDistance(std::string_view a, std::string_view b);

// The nearest of `names`, the first of equals; nullptr where there are none.
const std::string* NearestName(std::string_view name, const std::vector<std::string>& names);

}  // namespace koe

#endif  // KOE_BASE_EDIT_DISTANCE_H_
