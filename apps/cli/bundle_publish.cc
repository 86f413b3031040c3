// SPDX-License-Identifier: Apache-2.0
// koe bundle diff | publish.
#include "commands.h"
#include "interrupt.h"
#include "json.h"
#include "koe/publish.h"
#include "text.h"
#include "values.h"

namespace koe::cli {
namespace {

constexpr char kDiffDetails[] =
    R"(Compares manifests, not files: koe bundle validate says whether the files are what their manifest says.
Prints nothing for equal bundles. Exit code 0 either way.

Examples:
  koe bundle diff models/kokoro-82m half
  koe bundle diff --json old new)";

constexpr char kPublishDetails[] =
    R"(Makes SITE a tree of files that any web server can offer: the starter profile at its top, others below
sdk/<profile>/, and sdk/SDKReleaseManifest.json, which tells what there is. A SITE of an earlier publish keeps its
other profiles; every file is compared with its digest. The tree is made beside SITE and renamed into place.
Readers fetch with --sha256 (the digest printed here), --key (the signer's) or --release.

Examples:
  koe bundle publish models/kokoro-82m -o site
  koe bundle publish starter-bundle -o site --sign-key publisher.key --model-card README.md)";

class Diff : public Command {
 public:
  std::string Name() const override { return "bundle diff"; }
  std::string Summary() const override { return "Show in what two bundles differ"; }
  std::string Details() const override { return kDiffDetails; }
  void Declare(Arguments* arguments) override {
    arguments->Positional("A", &before_, "A bundle");
    arguments->Positional("B", &after_, "Another one");
    arguments->Flag("--json", &json_, "Print JSON");
  }
  Outcome Run(Terminal*) override {
    if (!before_ || !after_) return {ExitCode::kUsage, "bundles: two are compared: give A and B"};
    CLI_TRY(const std::vector<BundleChange> changes, DiffBundles(*before_, *after_), BundleFailure);
    std::vector<std::vector<std::string>> rows;
    for (const BundleChange& change : changes) {
      const char* verb = change.kind == BundleChange::Kind::kAdded     ? "added"
                         : change.kind == BundleChange::Kind::kRemoved ? "removed"
                                                                       : "changed";
      const bool both = !change.before.empty() && !change.after.empty();
      rows.push_back({verb, change.name, change.before + (both ? " -> " : "") + change.after});
    }
    CLI_CHECK_OK(WriteStandardOutput(json_ ? ChangesJson(changes) : Table(rows)), InputFailure);
    return {};
  }

 private:
  std::optional<std::string> before_, after_;
  bool json_ = false;
};

class Publish : public Command {
 public:
  std::string Name() const override { return "bundle publish"; }
  std::string Summary() const override { return "Put a bundle into a tree for a web server"; }
  std::string Details() const override { return kPublishDetails; }
  void Declare(Arguments* arguments) override {
    arguments->Positional("DIR", &bundle_, "The bundle");
    arguments->Value("-o,--output", "SITE", &site_, "The tree (required)");
    arguments->Value("--sign-key", "FILE", &sign_key_, "Sign the manifests; a signed site needs it each time");
    arguments->Value("--model-card", "FILE", &model_card_, "Becomes SITE/README.md");
    arguments->Value("--repo-id", "NAME", &repo_id_, "Of the site, where it is a repository");
    arguments->Value("--serial", "N", &serial_, "Number of this release (default: the last one's plus one)");
    arguments->Value("--revision", "NAME", &revision_, "What fetch --revision asks for (default: r and the serial)");
    arguments->Value("--sdk-commit", "HEX", &sdk_commit_, "Commit of this koe, for the manifest");
    arguments->Flag("--json", &json_, "Print JSON");
  }
  Outcome Run(Terminal* terminal) override {
    PublishOptions options;
    if (!bundle_ || bundle_->empty()) return {ExitCode::kUsage, "bundle: none: give DIR"};
    if (!site_ || site_->empty()) return {ExitCode::kUsage, "output: none: give --output SITE"};
    if (serial_) {
      CLI_TRY(options.serial, ParseInteger("serial", *serial_, 1, INT64_MAX), UsageFailure);
    }
    options.bundle_dir = *bundle_;
    options.site_dir = *site_;
    options.sign_key_path = sign_key_.value_or("");
    options.model_card_path = model_card_.value_or("");
    options.repo_id = repo_id_.value_or("");
    options.revision = revision_.value_or("");
    options.sdk_commit = sdk_commit_.value_or("");
    options.cancel = &CancelOnInterrupt();
    options.progress = [terminal](double fraction, const std::string& what) { terminal->Progress(fraction, what); };
    CLI_TRY(const PublishReport report, PublishBundle(options), BundleFailure);
    if (json_) CLI_CHECK_OK(WriteStandardOutput(PublishJson(report)), InputFailure);
    if (!json_) {
      terminal->Summary(*site_ + Format(": serial %llu, revision ", static_cast<unsigned long long>(report.serial)) +
                        report.revision + ", profiles " + Join(report.profiles));
      terminal->Summary(report.hosted_path + ": sha256 " + report.hosted_sha256);
    }
    return {};
  }

 private:
  std::optional<std::string> bundle_, site_, sign_key_, model_card_, repo_id_, serial_, revision_, sdk_commit_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeBundleDiff() { return std::make_unique<Diff>(); }
std::unique_ptr<Command> MakeBundlePublish() { return std::make_unique<Publish>(); }

}  // namespace koe::cli
