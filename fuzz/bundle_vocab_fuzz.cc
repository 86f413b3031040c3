// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"
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
  for (const auto& [text, id] : table->Find("vocab")->members) {
    size_t at = 0;
    const char32_t symbol = koe::DecodeUtf8(text, &at).value();
    testing::Require(id.integer >= 1 && id.integer < 178 && vocab->Find(symbol) == id.integer);
    testing::Require(Vocab::Kokoro().Find(symbol).value_or(1) < 178);
  }
  const auto again = Vocab::Parse(written, 178);
  testing::Require(again.has_value() && again->ToJson() == written && again->size() == vocab->size());
  return 0;
}
