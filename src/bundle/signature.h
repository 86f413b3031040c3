// SPDX-License-Identifier: Apache-2.0
// Ed25519 signatures (RFC 8032) of manifests: X.sig holds the 64 bytes over the bytes of X. Keys are PEM files, so that
// openssl's command line makes, reads and checks the same; a public key may also be given as 64 hexadecimal digits.
#ifndef KOE_BUNDLE_SIGNATURE_H_
#define KOE_BUNDLE_SIGNATURE_H_

#include <array>
#include <string>
#include <string_view>

#include "bundle/byte_reader.h"
#include "koe/result.h"

namespace koe::bundle {

struct PublicKey {
  std::array<std::byte, 32> bytes;
  std::string Hex() const;
  std::string ToPem() const;  // "" where the library failed
  // PEM ("BEGIN PUBLIC KEY") or 64 hexadecimal digits. kInvalidArgument.
  static Result<PublicKey> Parse(std::string_view text);
  bool operator==(const PublicKey&) const = default;
};

// Overwrites a secret, also where nobody reads it again.
void Erase(std::string* secret);

// Erases its bytes when it goes. ToPem's result is the caller's to erase.
class SecretKey {
 public:
  static Result<SecretKey> Generate();                        // kInternal
  static Result<SecretKey> Parse(std::string_view pem_text);  // kInvalidArgument; a key under a password too
  SecretKey(const SecretKey&) = default;
  SecretKey& operator=(const SecretKey&) = default;
  ~SecretKey();
  Result<PublicKey> Public() const;
  Result<std::string> ToPem() const;

 private:
  friend Result<std::string> Sign(Bytes, const SecretKey&);
  SecretKey() = default;
  std::array<unsigned char, 32> seed_{};
};

// "64 hexadecimal digits", or the path of a file with a public key. kInvalidArgument, kNotFound, kIo.
Result<PublicKey> PublicKeyOfArgument(const std::string& hex_or_path);
Result<SecretKey> LoadSecretKey(const std::string& path);

// 64 bytes. Equal messages under equal keys have equal signatures.
Result<std::string> Sign(Bytes message, const SecretKey& key);
// kCorruptBundle: not 64 bytes, or not this key's signature of these bytes. `what` names the file in the message.
Result<void> VerifySignature(Bytes message, Bytes signature, const PublicKey& key, const std::string& what);

}  // namespace koe::bundle

#endif  // KOE_BUNDLE_SIGNATURE_H_
