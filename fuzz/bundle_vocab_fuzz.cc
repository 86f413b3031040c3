// SPDX-License-Identifier: Apache-2.0
#include "bundle/json.h"
#include "bundle/testing/fuzz_oracle.h"
#include "bundle/vocab.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace koe::bundle;
  const auto vocab = Vocab::Parse(AsText(testing::FuzzBytes(data, size)), 178);
  if (!vocab) {
    testing::RequireReason(vocab.error());
    return 0;
  }
  const std::string written = vocab->ToJson();
  const auto table = ParseJson(written, {3, 100000}, "vocabulary");
  testing::Require(table.has_value());
  for (const auto& [symbol, id] : table->Find("vocab")->members) testing::Require(id.integer >= 1 && id.integer < 178);
  const auto again = Vocab::Parse(written, 178);
  testing::Require(again.has_value() && again->ToJson() == written && again->size() == vocab->size());
  return 0;
}
