// SPDX-License-Identifier: Apache-2.0
#include "bundle/signature.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <cstring>
#include <memory>

#include "base/hex.h"
#include "bundle/files.h"
#include "bundle/limits.h"

namespace koe::bundle {
namespace {

struct Free {
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(EVP_MD_CTX* p) const { EVP_MD_CTX_free(p); }
  void operator()(BIO* p) const { BIO_free_all(p); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

const unsigned char* Raw(const void* bytes) { return static_cast<const unsigned char*>(bytes); }

// Without this the library would ask a password from the terminal.
int NoPassword(char*, int, int, void*) { return 0; }

Owned<BIO> ReaderOf(std::string_view text) {
  return Owned<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string TextOf(BIO* bio) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  return size > 0 ? std::string(text, static_cast<size_t>(size)) : std::string();
}

Error Failed() { return Error(ErrorCode::kInternal, "Ed25519: the library failed"); }

bool IsHexKey(std::string_view text) {
  if (text.size() != 64) return false;
  for (const char c : text) {
    if (HexValue(c) < 0) return false;
  }
  return true;
}

}  // namespace

std::string PublicKey::Hex() const {
  std::string hex;
  for (const std::byte b : bytes) {
    hex.push_back("0123456789abcdef"[static_cast<unsigned>(b) >> 4]);
    hex.push_back("0123456789abcdef"[static_cast<unsigned>(b) & 15]);
  }
  return hex;
}

std::string PublicKey::ToPem() const {
  const Owned<EVP_PKEY> key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, Raw(bytes.data()), bytes.size()));
  const Owned<BIO> bio(BIO_new(BIO_s_mem()));
  if (key == nullptr || bio == nullptr || PEM_write_bio_PUBKEY(bio.get(), key.get()) != 1) return "";
  return TextOf(bio.get());
}

Result<PublicKey> PublicKey::Parse(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.remove_suffix(1);
  PublicKey result;
  if (IsHexKey(text)) {
    for (size_t i = 0; i < 32; ++i) {
      result.bytes[i] = static_cast<std::byte>(HexValue(text[2 * i]) * 16 + HexValue(text[2 * i + 1]));
    }
    return result;
  }
  const Error refused(ErrorCode::kInvalidArgument,
                      "public key: neither 64 hexadecimal digits nor a PEM file with an Ed25519 public key");
  if (text.size() > kMaxKeyFileBytes) return refused;
  const Owned<BIO> bio = ReaderOf(text);
  const Owned<EVP_PKEY> key(bio == nullptr ? nullptr : PEM_read_bio_PUBKEY(bio.get(), nullptr, NoPassword, nullptr));
  size_t size = result.bytes.size();
  if (key == nullptr || EVP_PKEY_id(key.get()) != EVP_PKEY_ED25519 ||
      EVP_PKEY_get_raw_public_key(key.get(), reinterpret_cast<unsigned char*>(result.bytes.data()), &size) != 1 ||
      size != result.bytes.size()) {
    return refused;
  }
  return result;
}

void Erase(std::string* secret) { OPENSSL_cleanse(secret->data(), secret->size()); }

SecretKey::~SecretKey() { OPENSSL_cleanse(seed_.data(), seed_.size()); }

Result<SecretKey> SecretKey::Generate() {
  const Owned<EVP_PKEY> key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  SecretKey result;
  size_t size = result.seed_.size();
  if (key == nullptr || EVP_PKEY_get_raw_private_key(key.get(), result.seed_.data(), &size) != 1 ||
      size != result.seed_.size()) {
    return Failed();
  }
  return result;
}

Result<SecretKey> SecretKey::Parse(std::string_view pem_text) {
  const Error refused(ErrorCode::kInvalidArgument,
                      "secret key: not a PEM file with an Ed25519 private key without a password");
  if (pem_text.size() > kMaxKeyFileBytes) return refused;
  const Owned<BIO> bio = ReaderOf(pem_text);
  const Owned<EVP_PKEY> key(bio == nullptr ? nullptr
                                           : PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassword, nullptr));
  SecretKey result;
  size_t size = result.seed_.size();
  if (key == nullptr || EVP_PKEY_id(key.get()) != EVP_PKEY_ED25519 ||
      EVP_PKEY_get_raw_private_key(key.get(), result.seed_.data(), &size) != 1 || size != result.seed_.size()) {
    return refused;
  }
  return result;
}

Result<PublicKey> SecretKey::Public() const {
  const Owned<EVP_PKEY> key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed_.data(), seed_.size()));
  PublicKey result;
  size_t size = result.bytes.size();
  if (key == nullptr ||
      EVP_PKEY_get_raw_public_key(key.get(), reinterpret_cast<unsigned char*>(result.bytes.data()), &size) != 1) {
    return Failed();
  }
  return result;
}

Result<std::string> SecretKey::ToPem() const {
  const Owned<EVP_PKEY> key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed_.data(), seed_.size()));
  const Owned<BIO> bio(BIO_new(BIO_s_mem()));
  if (key == nullptr || bio == nullptr ||
      PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, NoPassword, nullptr) != 1) {
    return Failed();
  }
  return TextOf(bio.get());
}

Result<PublicKey> PublicKeyOfArgument(const std::string& hex_or_path) {
  if (IsHexKey(hex_or_path)) return PublicKey::Parse(hex_or_path);
  KOE_TRY(const std::string text, ReadInputFile(hex_or_path, kMaxKeyFileBytes));
  auto key = PublicKey::Parse(text);
  if (!key) return key.error().WithContext(hex_or_path);
  return key;
}

Result<SecretKey> LoadSecretKey(const std::string& path) {
  KOE_TRY(std::string text, ReadInputFile(path, kMaxKeyFileBytes));
  auto key = SecretKey::Parse(text);
  Erase(&text);
  if (!key) return key.error().WithContext(path);
  return key;
}

Result<std::string> Sign(Bytes message, const SecretKey& key) {
  const Owned<EVP_PKEY> pkey(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, key.seed_.data(), key.seed_.size()));
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  unsigned char signature[kMaxSignatureBytes];
  size_t size = sizeof(signature);
  if (pkey == nullptr || context == nullptr ||
      EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, pkey.get()) != 1 ||
      EVP_DigestSign(context.get(), signature, &size, Raw(message.data()), message.size()) != 1 ||
      size != sizeof(signature)) {
    return Failed();
  }
  return std::string(reinterpret_cast<const char*>(signature), size);
}

Result<void> VerifySignature(Bytes message, Bytes signature, const PublicKey& key, const std::string& what) {
  const auto refuse = [&](const std::string& why) {
    return Error(ErrorCode::kCorruptBundle, "signature: " + what + ": " + why);
  };
  if (signature.size() != kMaxSignatureBytes) {
    return refuse(std::to_string(signature.size()) + " bytes, an Ed25519 signature has 64");
  }
  const Owned<EVP_PKEY> pkey(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, Raw(key.bytes.data()), key.bytes.size()));
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  if (pkey == nullptr || context == nullptr ||
      EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, pkey.get()) != 1) {
    return refuse("the key cannot be used");
  }
  // Anything but 1 is a refusal: the library returns 0 and negative numbers for different kinds of "no".
  if (EVP_DigestVerify(context.get(), Raw(signature.data()), signature.size(), Raw(message.data()), message.size()) !=
      1) {
    return refuse("not made by the key " + key.Hex());
  }
  return {};
}

}  // namespace koe::bundle
