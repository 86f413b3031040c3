// SPDX-License-Identifier: Apache-2.0
// Both manifests and the vocabulary: what is read, written and read again is the same.
#include "bundle/manifests/hosted.h"
#include "bundle/manifests/runtime.h"
#include "bundle/testing/fuzz_oracle.h"
#include "bundle/vocab.h"

namespace {

using namespace koe::bundle;

template <typename T, typename ParseText>
void CheckRoundTrip(std::string_view text, ParseText parse) {
  const koe::Result<T> first = parse(text);
  if (!first) return testing::RequireReason(first.error());
  const std::string written = first->ToJson();
  const koe::Result<T> second = parse(written);
  testing::Require(second.has_value() && second->ToJson() == written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = AsText(testing::FuzzBytes(data, size));
  CheckRoundTrip<RuntimeManifest>(text, RuntimeManifest::Parse);
  CheckRoundTrip<HostedManifest>(text, [](std::string_view t) { return HostedManifest::Parse(t); });
  CheckRoundTrip<Vocab>(text, [](std::string_view t) { return Vocab::Parse(t, 178); });
  return 0;
}
