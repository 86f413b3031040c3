// SPDX-License-Identifier: Apache-2.0
#include "g2p/tagger.h"

#include <algorithm>
#include <iterator>

namespace koe::g2p {
namespace {

// In the order of Tag.
constexpr const char* kTagNames[] = {"",    "CC", "CD",  "DT",   "EX",   "FW",  "IN",    "JJ",    "JJR",  "JJS", "LS",
                                     "MD",  "NN", "NNP", "NNPS", "NNS",  "PDT", "POS",   "PRP",   "PRP$", "RB",  "RBR",
                                     "RBS", "RP", "SYM", "TO",   "UH",   "VB",  "VBD",   "VBG",   "VBN",  "VBP", "VBZ",
                                     "WDT", "WP", "WP$", "WRB",  ".",    ",",   "-LRB-", "-RRB-", "``",   "''",  "\"\"",
                                     ":",   "$",  "#",   "NFP",  "HYPH", "ADD", "AFX",   "XX",    "_SP",  "GW"};
static_assert(std::size(kTagNames) == static_cast<size_t>(Tag::kGW) + 1);

}  // namespace

const char* TagName(Tag tag) { return kTagNames[static_cast<size_t>(tag)]; }

std::optional<Tag> ParseTag(std::string_view name) {
  const auto* found = std::find(std::begin(kTagNames), std::end(kTagNames), name);
  if (found == std::end(kTagNames)) return std::nullopt;
  return static_cast<Tag>(found - kTagNames);
}

}  // namespace koe::g2p
