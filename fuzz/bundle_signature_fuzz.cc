// SPDX-License-Identifier: Apache-2.0
// Any bytes as a signature and as the two kinds of key: one signature only is believed, a key that is read is written
// and read again.
#include "bundle/signature.h"

#include "bundle/testing/fuzz_oracle.h"

namespace {

using namespace koe::bundle;

constexpr std::string_view kMessage = "manifest";
// Made for this target: its signature of kMessage is in the corpus.
constexpr std::string_view kKey =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n"
    "-----END PRIVATE KEY-----\n";

void RequireRefused(const koe::Error& error) {
  testing::Require(error.code() == koe::ErrorCode::kInvalidArgument && !error.message().empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const SecretKey secret = SecretKey::Parse(kKey).value();
  static const PublicKey key = secret.Public().value();
  static const std::string right = Sign(AsBytes(kMessage), secret).value();
  const std::string_view text = AsText(testing::FuzzBytes(data, size));
  const auto verified = VerifySignature(AsBytes(kMessage), AsBytes(text), key, "manifest");
  testing::Require(verified.has_value() == (text == right));
  if (!verified) testing::RequireReason(verified.error());
  if (const auto read = PublicKey::Parse(text)) {
    const auto hex = PublicKey::Parse(read->Hex()), pem = PublicKey::Parse(read->ToPem());
    testing::Require(hex.has_value() && *hex == *read && pem.has_value() && *pem == *read);
    testing::Require(!VerifySignature(AsBytes(kMessage), AsBytes(right), *read, "manifest") || *read == key);
  } else {
    RequireRefused(read.error());
  }
  if (const auto read = SecretKey::Parse(text)) {
    const auto of_read = read->Public(), again = SecretKey::Parse(read->ToPem().value())->Public();
    testing::Require(of_read.has_value() && again.has_value() && *of_read == *again);
  } else {
    RequireRefused(read.error());
  }
  return 0;
}
