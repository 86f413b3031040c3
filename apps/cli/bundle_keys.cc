// SPDX-License-Identifier: Apache-2.0
// koe bundle keygen | sign | verify.
#include "commands.h"
#include "koe/publish.h"
#include "text.h"

namespace koe::cli {
namespace {

constexpr char kKeygenDetails[] =
    R"(Makes NAME.key, which only its owner may read, and NAME.pub, and prints the public key's 64 digits. Both are
PEM files, as openssl has them. Keys that are there are never replaced.

Examples:
  koe bundle keygen -o publisher)";

constexpr char kSignDetails[] =
    R"(Writes PATH.sig, 64 bytes; for a bundle HostedManifest.json.sig in it, whose digests cover every other file.
A publisher's key is NAME.key of koe bundle keygen, or any Ed25519 key that openssl has made.

Examples:
  koe bundle sign models/kokoro-82m --key publisher.key
  koe bundle sign DownloadManifest.json --key publisher.key)";

constexpr char kVerifyDetails[] =
    R"(Checks that PATH.sig is the key's; of a bundle, every file's digest as well.
Exit code 0: it is; 4: not, with the reason.

Examples:
  koe bundle verify models/kokoro-82m --key publisher.pub
  koe bundle verify SDKReleaseManifest.json --key 3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c)";

class Keygen : public Command {
 public:
  std::string Name() const override { return "bundle keygen"; }
  std::string Summary() const override { return "Make a key for signing bundles"; }
  std::string Details() const override { return kKeygenDetails; }
  void Declare(Arguments* arguments) override {
    arguments->Value("-o,--output", "NAME", &output_, "NAME.key and NAME.pub are made (required)");
  }
  Outcome Run(Terminal* terminal) override {
    if (!output_ || output_->empty()) return {ExitCode::kUsage, "output: none: give --output NAME"};
    CLI_TRY(const std::string digits, GenerateSigningKey(*output_ + ".key", *output_ + ".pub"), BundleFailure);
    terminal->Summary(*output_ + ".key, " + *output_ + ".pub: made; keep the first one secret");
    CLI_CHECK_OK(WriteStandardOutput(digits + "\n"), InputFailure);
    return {};
  }

 private:
  std::optional<std::string> output_;
};

// sign and verify: a path and a key.
class WithKey : public Command {
 public:
  void Declare(Arguments* arguments) override {
    arguments->Positional("PATH", &path_, "A bundle, or a manifest's file");
    arguments->Value("-k,--key", KeyName(), &key_, KeyHelp());
  }

 protected:
  virtual std::string KeyName() const = 0;
  virtual std::string KeyHelp() const = 0;
  Outcome Check() const {
    if (!path_ || path_->empty()) return {ExitCode::kUsage, "path: none: give a bundle or a file"};
    if (!key_ || key_->empty()) return {ExitCode::kUsage, "key: none: give --key " + KeyName()};
    return {};
  }
  const std::string& path() const { return *path_; }
  const std::string& key() const { return *key_; }

 private:
  std::optional<std::string> path_, key_;
};

class SignCommand : public WithKey {
 public:
  std::string Name() const override { return "bundle sign"; }
  std::string Summary() const override { return "Sign a bundle or a manifest"; }
  std::string Details() const override { return kSignDetails; }
  Outcome Run(Terminal* terminal) override {
    if (Outcome outcome = Check(); outcome.exit_code != ExitCode::kOk) return outcome;
    CLI_TRY(const std::string signature, SignBundle(path(), key()), BundleFailure);
    terminal->Summary(signature + ": written");
    return {};
  }

 protected:
  std::string KeyName() const override { return "FILE"; }
  std::string KeyHelp() const override { return "The secret key (required)"; }
};

class Verify : public WithKey {
 public:
  std::string Name() const override { return "bundle verify"; }
  std::string Summary() const override { return "Check whose signature a bundle has"; }
  std::string Details() const override { return kVerifyDetails; }
  Outcome Run(Terminal* terminal) override {
    if (Outcome outcome = Check(); outcome.exit_code != ExitCode::kOk) return outcome;
    CLI_CHECK_OK(VerifyBundle(path(), key()), BundleFailure);
    terminal->Summary(path() + ": signed by this key");
    return {};
  }

 protected:
  std::string KeyName() const override { return "PUBKEY"; }
  std::string KeyHelp() const override { return "The public key's file, or its 64 hexadecimal digits (required)"; }
};

}  // namespace

std::unique_ptr<Command> MakeBundleKeygen() { return std::make_unique<Keygen>(); }
std::unique_ptr<Command> MakeBundleSign() { return std::make_unique<SignCommand>(); }
std::unique_ptr<Command> MakeBundleVerify() { return std::make_unique<Verify>(); }

}  // namespace koe::cli
