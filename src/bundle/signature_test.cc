// SPDX-License-Identifier: Apache-2.0
#include "bundle/signature.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bundle/testing/temp_dir.h"

namespace koe::bundle {
namespace {

using ::testing::HasSubstr;

std::string FromHex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

// RFC 8032, section 7.1, tests 2 and 3. The PEM form of a seed is a fixed prefix (RFC 8410) and the seed.
struct Vector {
  const char *secret_pem, *public_hex, *message_hex, *signature_hex;
};
const Vector kVectors[] = {
    {"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIEzNCJso/5banbbDRuwRTg9bijGfNaumJNqM9u1PuKb7\n"
     "-----END PRIVATE KEY-----\n",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
     "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIMWqjfQ/n4N77bdELzHct7Fm04U1B28JS4XOOi4LRFj3\n"
     "-----END PRIVATE KEY-----\n",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
     "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
};

TEST(SignatureTest, AgreesWithTheStandardsVectors) {
  for (const Vector& v : kVectors) {
    const auto secret = SecretKey::Parse(v.secret_pem);
    ASSERT_TRUE(secret) << secret.error().message();
    const auto public_key = secret->Public();
    ASSERT_TRUE(public_key);
    EXPECT_EQ(public_key->Hex(), v.public_hex);
    const std::string message = FromHex(v.message_hex);
    const auto signature = Sign(AsBytes(message), *secret);
    ASSERT_TRUE(signature);
    EXPECT_EQ(*signature, FromHex(v.signature_hex));
    EXPECT_TRUE(VerifySignature(AsBytes(message), AsBytes(*signature), *public_key, "x"));
  }
}

TEST(SignatureTest, OneFlippedBitAnywhereIsRefused) {
  const auto secret = SecretKey::Generate();
  ASSERT_TRUE(secret);
  const PublicKey key = *secret->Public();
  const std::string message = "{\"version\": \"full-0123456789ab\"}";
  const std::string signature = *Sign(AsBytes(message), *secret);
  ASSERT_TRUE(VerifySignature(AsBytes(message), AsBytes(signature), key, "x"));
  for (size_t bit = 0; bit < 8 * message.size(); ++bit) {
    std::string changed = message;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(VerifySignature(AsBytes(changed), AsBytes(signature), key, "x")) << bit;
  }
  for (size_t bit = 0; bit < 8 * signature.size(); ++bit) {
    std::string changed = signature;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    const auto verified = VerifySignature(AsBytes(message), AsBytes(changed), key, "x");
    ASSERT_FALSE(verified) << bit;
    EXPECT_EQ(verified.error().code(), ErrorCode::kCorruptBundle);
  }
  for (const size_t size : {size_t{0}, size_t{1}, size_t{63}, size_t{65}, size_t{128}}) {
    std::string other = signature + signature;
    other.resize(size);
    EXPECT_FALSE(VerifySignature(AsBytes(message), AsBytes(other), key, "x")) << size;
  }
  EXPECT_FALSE(VerifySignature(AsBytes(message), AsBytes(signature), *SecretKey::Generate()->Public(), "x"));
  PublicKey zero{};
  EXPECT_FALSE(VerifySignature(AsBytes(message), AsBytes(signature), zero, "x"));
}

TEST(SignatureTest, KeysGoThroughFiles) {
  const testing::TempDir temp;
  const auto secret = SecretKey::Generate();
  ASSERT_TRUE(secret);
  testing::WriteFile(temp / "k.key", *secret->ToPem());
  testing::WriteFile(temp / "k.pub", secret->Public()->ToPem());
  const auto loaded = LoadSecretKey(temp / "k.key");
  ASSERT_TRUE(loaded) << loaded.error().message();
  EXPECT_EQ(*loaded->Public(), *secret->Public());
  EXPECT_EQ(*PublicKeyOfArgument(temp / "k.pub"), *secret->Public());
  EXPECT_EQ(*PublicKeyOfArgument(secret->Public()->Hex()), *secret->Public());
  EXPECT_EQ(*PublicKey::Parse(secret->Public()->Hex() + "\n"), *secret->Public());
  EXPECT_NE(*SecretKey::Generate()->Public(), *secret->Public());

  EXPECT_THAT(PublicKeyOfArgument(temp / "none").error().message(), HasSubstr("missing"));
  EXPECT_EQ(PublicKeyOfArgument(temp / "k.key").error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(LoadSecretKey(temp / "k.pub").error().code(), ErrorCode::kInvalidArgument);
}

TEST(SignatureTest, RefusesOtherKeys) {
  // P-256, made for this test; and an Ed25519 key under a password, which must not be asked for.
  for (const char* pem : {"", "x", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
                          "-----BEGIN PRIVATE KEY-----\n"
                          "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgnQ5IVUVCjSVufrQQ\n"
                          "3IedOgtDpEC1XTWdSf0OzyNlgXyhRANCAASANNzGVqiaxC7zoRiOCCdcgz9D5zKQ\n"
                          "RWzQ6/j34cJosDgsbWs1UXC1aEFgQiK922SzWQzqFMmCrZF4GQIexl+v\n"
                          "-----END PRIVATE KEY-----\n",
                          "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
                          "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAi7Pkqw7hzO/QICCAAw\n"
                          "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEBDSxJGVXsxS0i3pPoq5qw0EQI6G\n"
                          "Bsq3PAMMXYVOcLO+fVEQFDsoQRxscqzm9aKIhmwYaFKLVNiX/g9TZcki59UAS351\n"
                          "ia2oH0OO4Bm7M36+5Tg=\n"
                          "-----END ENCRYPTED PRIVATE KEY-----\n"}) {
    EXPECT_FALSE(SecretKey::Parse(pem)) << pem;
    EXPECT_FALSE(PublicKey::Parse(pem)) << pem;
  }
  EXPECT_FALSE(PublicKey::Parse(std::string(63, 'a')));
  EXPECT_FALSE(PublicKey::Parse(std::string(63, 'a') + "g"));
  EXPECT_FALSE(SecretKey::Parse(std::string(5000, 'a')));
}

}  // namespace
}  // namespace koe::bundle
