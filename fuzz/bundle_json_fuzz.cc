// SPDX-License-Identifier: Apache-2.0
// JSON under limits: a tree within them that survives being written, with and without indents, or a reason.
#include "bundle/json.h"

#include "bundle/testing/fuzz_oracle.h"

namespace {

using namespace koe::bundle;

constexpr JsonLimits kLimits = {6, 200};

size_t Count(const Json& json, size_t depth) {
  testing::Require(depth <= kLimits.max_depth);
  size_t count = 1;
  for (const Json& item : json.items) count += Count(item, depth + 1);
  for (const auto& [key, value] : json.members) {
    testing::Require(json.Find(key) == &value);  // keys are unique
    count += 1 + Count(value, depth + 1);
  }
  return count;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto json = ParseJson(AsText(testing::FuzzBytes(data, size)), kLimits, "text");
  if (!json) {
    testing::RequireReason(json.error());
    return 0;
  }
  testing::Require(Count(*json, 0) <= kLimits.max_values);
  for (const int indent : {0, 2}) {
    const std::string written = WriteJson(*json, indent);
    const auto again = ParseJson(written, kLimits, "text");
    testing::Require(again.has_value() && *again == *json && WriteJson(*again, indent) == written);
  }
  return 0;
}
