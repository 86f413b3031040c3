// SPDX-License-Identifier: Apache-2.0
// koe bundle build | validate | info. bundle_keys.cc and bundle_publish.cc have the others.
#include "commands.h"
#include "interrupt.h"
#include "json.h"
#include "koe/bench.h"
#include "koe/export.h"
#include "koe/publish.h"
#include "text.h"
#include "values.h"

namespace koe::cli {
namespace {

constexpr char kBuildDetails[] =
    R"(Weights: the ONNX releases (int8, fp16 or fp32), the original .pth checkpoint, or .safetensors with its names.
Voices: <name>.bin or <name>.pt files. Lexicons: us_gold.json, us_silver.json, gb_gold.json, gb_silver.json;
without them English text cannot be spoken, phonemes can. The folder is made beside DIR and renamed into place:
whatever goes wrong, DIR is as it was. An existing bundle at DIR is replaced, any other folder is not.
Equal inputs give equal bytes; $SOURCE_DATE_EPOCH sets the time that the manifest tells (else 1970).
--precision stores matrices as int8 (a scale for each row), fp16 or fp32; without it as the weights have them.
--download-manifest FILE: weights and voices must be those that FILE names, byte for byte.
--kind coreml makes another bundle from one: Core ML packages in the layout that kokoro-coreml's SDK loads. Its
profiles: starter (af_heart, 15 s; default), custom (--voice, --buckets), full (English voices, published sizes).
The SDK wants verified inputs: a source bundle that was built with --download-manifest.

Examples:
  koe bundle build --weights kokoro.onnx --voices voices --lexicons lexicons --g2p data/g2p -o models/kokoro-82m
  koe bundle build --weights kokoro.onnx --voices voices --profile custom --voice af_heart,bf_emma -o small
  koe bundle build --weights kokoro.pth --voices voices --precision fp16 --download-manifest downloads.json -o half
  koe bundle build --kind coreml --bundle models/kokoro-82m --profile custom -v af_heart --buckets 3,15 -o sdk)";

constexpr char kValidateDetails[] =
    R"(Hashes every file, compares them with the manifests, and checks every tensor's name, type, shape and values.
--deep loads the model as well and speaks one word with the first and the last voice.
Bundles of --kind coreml are known by KokoroRuntimeManifest.json; nothing here can run those.
Exit code 0: valid; 4: not, with the reason.

Examples:
  koe bundle validate
  koe bundle validate --deep
  koe bundle validate models/kokoro-82m)";

constexpr char kInfoDetails[] =
    R"(Where a bundle is looked for, in this order: --bundle DIR (here: DIR), $KOE_BUNDLE, ./models/kokoro-82m,
$XDG_DATA_HOME/koe/kokoro-82m (~/.local/share where that is not set), /usr/share/koe/kokoro-82m.
A DIR that is given is not searched past.

Examples:
  koe bundle info
  koe bundle info --json models/kokoro-82m)";

std::string Megabytes(uint64_t bytes) { return Format("%.1f MB", static_cast<double>(bytes) / 1e6); }
std::string Voices(size_t count) { return Format(count == 1 ? "%zu voice" : "%zu voices", count); }
std::string Packages(size_t count) { return Format(count == 1 ? "%zu package" : "%zu packages", count); }

class Build : public Command {
 public:
  std::string Name() const override { return "bundle build"; }
  std::string Summary() const override { return "Make a bundle from weights, voices and lexicons"; }
  std::string Details() const override { return kBuildDetails; }

  void Declare(Arguments* arguments) override {
    arguments->Value("--kind", "NAME", &kind_, "koe (default) or coreml: Core ML packages from a bundle");
    arguments->Value("-b,--bundle", "DIR", &bundle_, "coreml: source (default: see koe bundle info --help)");
    arguments->List("--buckets", "SECONDS", &buckets_, "coreml, custom: lengths of speech");
    arguments->Value("--weights", "FILE", &weights_, "Model weights (koe: required)");
    arguments->Value("--vocab", "FILE", &vocab_, "Vocabulary (default: Kokoro v1.0's)");
    arguments->Value("--voices", "DIR", &voices_dir_, "Folder of voice files");
    arguments->Value("--lexicons", "DIR", &lexicons_dir_, "Folder of misaki's dictionaries");
    arguments->Value("--g2p", "DIR", &g2p_dir_,
                     "Folder of the tagger (en.tagger) and the letter-to-sound model (en.l2s)");
    arguments->Value("--profile", "NAME", &profile_,
                     "starter (af_heart), full (every voice found; default) or custom (--voice)");
    arguments->List("-v,--voice", "NAME", &voices_, "A voice of a custom profile; may be given many times");
    arguments->Value("--precision", "TYPE", &precision_, "int8, fp16 or fp32 (default: as the weights have it)");
    arguments->Value("--download-manifest", "FILE", &download_manifest_,
                     "DownloadManifest.json that the inputs are compared with");
    arguments->Value("--serial", "N", &serial_, "Number of this version, against roll-back (default: 0, not numbered)");
    arguments->Value("--sdk-commit", "HEX", &sdk_commit_, "Commit of this koe, for the manifest");
    arguments->Value("-o,--output", "DIR", &output_, "Where to make it (required)");
    arguments->Flag("--json", &json_, "Print JSON");
  }

  Outcome Run(Terminal* terminal) override {
    CLI_TRY(const std::string kind, ParseChoice("kind", kind_.value_or("koe"), {"koe", "coreml"}), UsageFailure);
    if (kind == "coreml") return BuildCoreMl(terminal);
    if (bundle_ || !buckets_.empty()) {
      return {ExitCode::kUsage, "kind: 'koe': takes neither --bundle nor --buckets; only coreml does"};
    }
    BundleBuildOptions options;
    if (!weights_) return {ExitCode::kUsage, "weights: none: give --weights FILE"};
    if (!output_ || output_->empty()) return {ExitCode::kUsage, "output: none: give --output DIR"};
    CLI_TRY(options.profile, ParseChoice("profile", ProfileName(), {"starter", "full", "custom"}), UsageFailure);
    if ((options.profile == "custom") == voices_.empty()) {
      return {ExitCode::kUsage, "profile: " + Quote(options.profile) + ": " +
                                    (voices_.empty() ? "needs --voice NAME" : "takes no --voice; only custom does")};
    }
    if (precision_) {
      CLI_TRY(options.precision, ParseChoice("precision", *precision_, {"int8", "fp16", "fp32"}), UsageFailure);
    }
    if (serial_) {
      CLI_TRY(options.serial, ParseInteger("serial", *serial_, 0, INT64_MAX), UsageFailure);
    }
    options.download_manifest_path = download_manifest_.value_or("");
    options.sdk_commit = sdk_commit_.value_or("");
    options.weights_path = *weights_;
    options.vocab_path = vocab_.value_or("");
    options.voices_dir = voices_dir_.value_or("");
    options.lexicons_dir = lexicons_dir_.value_or("");
    options.g2p_dir = g2p_dir_.value_or("");
    options.output_dir = *output_;
    options.voices = voices_;
    options.cancel = &CancelOnInterrupt();
    options.progress = [terminal](double fraction, const std::string& what) { terminal->Progress(fraction, what); };
    CLI_CHECK_OK(BuildBundle(options), BundleFailure);
    CLI_TRY(const BundleReport report, ReadBundle(options.output_dir), BundleFailure);
    if (json_) CLI_CHECK_OK(WriteStandardOutput(BundleJson(report)), InputFailure);
    if (!json_) {
      terminal->Summary(*output_ + Format(": %zu files, ", report.num_files) + Megabytes(report.num_bytes) + ", " +
                        Voices(report.voices.size()) + ", languages " + Join(report.languages));
    }
    return {};
  }

 private:
  std::string ProfileName() const { return profile_.value_or(voices_.empty() ? "full" : "custom"); }

  Outcome BuildCoreMl(Terminal* terminal) {
    for (const auto* given :
         {&weights_, &vocab_, &voices_dir_, &lexicons_dir_, &g2p_dir_, &precision_, &download_manifest_, &serial_}) {
      if (*given)
        return {ExitCode::kUsage, "kind: 'coreml': is made from --bundle DIR; what makes a koe bundle is not taken"};
    }
    SdkBundleOptions options;
    if (!output_ || output_->empty()) return {ExitCode::kUsage, "output: none: give --output DIR"};
    CLI_TRY(options.profile,
            ParseChoice("profile", profile_.value_or(voices_.empty() && buckets_.empty() ? "starter" : "custom"),
                        {"starter", "full", "custom"}),
            UsageFailure);
    const bool is_custom = options.profile == "custom";
    if (is_custom == voices_.empty() || is_custom == buckets_.empty()) {
      return {ExitCode::kUsage, "profile: " + Quote(options.profile) +
                                    (is_custom ? ": needs --voice NAME and --buckets SECONDS"
                                               : ": takes neither --voice nor --buckets; only custom does")};
    }
    for (const std::string& text : buckets_) {
      CLI_TRY(const uint64_t size, ParseInteger("buckets", text, 1, kMaxExportSeconds), UsageFailure);
      options.buckets.push_back(static_cast<int>(size));
    }
    CLI_TRY(options.bundle_dir, FindBundle(bundle_.value_or("")), BundleFailure);
    // The commit of this koe stands for the SDK's; where that is unknown, the source bundle's.
    options.sdk_commit = sdk_commit_.value_or(CommitOfThisBuild());
    options.output_dir = *output_;
    options.voices = voices_;
    options.cancel = &CancelOnInterrupt();
    options.progress = [terminal](double fraction, const std::string& what) { terminal->Progress(fraction, what); };
    CLI_TRY(const SdkBundleReport report, BuildSdkBundle(options), BundleFailure);
    if (json_) CLI_CHECK_OK(WriteStandardOutput(SdkBundleJson(report)), InputFailure);
    if (!json_) {
      terminal->Summary(*output_ + ": " + Packages(report.packages.size()) + Format(", %zu files, ", report.num_files) +
                        Megabytes(report.num_bytes) + ", " + Voices(report.voices.size()) +
                        (report.provenance_verified ? "" : "; inputs not verified, which the seed's SDK refuses"));
    }
    return {};
  }
  static std::string CommitOfThisBuild() {
    constexpr std::string_view kChanged = " with changes";
    std::string commit = koe::Build().commit;  // "unknown" outside a work tree
    const bool is_dirty = commit.ends_with(kChanged);
    if (is_dirty) commit.resize(commit.size() - kChanged.size());
    if (commit.size() < 7 || commit.find_first_not_of("0123456789abcdef") != std::string::npos) return "";
    return commit + (is_dirty ? "-dirty" : "");
  }

  std::optional<std::string> kind_, bundle_;
  std::vector<std::string> buckets_;
  std::optional<std::string> weights_, vocab_, voices_dir_, lexicons_dir_, g2p_dir_, profile_, output_;
  std::optional<std::string> precision_, download_manifest_, serial_, sdk_commit_;
  std::vector<std::string> voices_;
  bool json_ = false;
};

// validate and info: a bundle's folder as argument, a report as result.
class Report : public Command {
 public:
  void Declare(Arguments* arguments) override {
    arguments->Positional("DIR", &directory_, "The bundle (default: see koe bundle info --help)");
    arguments->Value("-b,--bundle", "DIR", &bundle_, "The same");
    arguments->Flag("--json", &json_, "Print JSON");
  }

 protected:
  const std::optional<std::string>& given() const { return directory_ ? directory_ : bundle_; }
  Result<std::string> Find() const {
    if (given() && given()->empty()) return Error(ErrorCode::kNotFound, "bundle: '': the folder's name is empty");
    return FindBundle(given().value_or(""));
  }
  bool json() const { return json_; }

 private:
  std::optional<std::string> directory_, bundle_;
  bool json_ = false;
};

class Validate : public Report {
 public:
  std::string Name() const override { return "bundle validate"; }
  std::string Summary() const override { return "Check every byte of a bundle"; }
  std::string Details() const override { return kValidateDetails; }
  void Declare(Arguments* arguments) override {
    Report::Declare(arguments);
    arguments->Flag("--deep", &deep_, "Load the model and speak one word, too");
  }
  Outcome Run(Terminal* terminal) override {
    if (given() && IsSdkBundle(*given())) return ValidateSdk(*given(), terminal);
    CLI_TRY(const std::string directory, Find(), BundleFailure);
    CLI_TRY(const BundleReport report, deep_ ? ValidateBundleDeep(directory) : ValidateBundle(directory),
            BundleFailure);
    if (json()) CLI_CHECK_OK(WriteStandardOutput(BundleJson(report)), InputFailure);
    if (!json()) {
      terminal->Summary(report.path + ": valid, " + Format("%zu files, ", report.num_files) +
                        Megabytes(report.num_bytes) + Format(", %zu tensors", report.num_tensors) +
                        (deep_ ? ", speaks" : ""));
    }
    return {};
  }

 private:
  Outcome ValidateSdk(const std::string& directory, Terminal* terminal) const {
    if (deep_)
      return {ExitCode::kUsage, "deep: " + Quote(directory) + ": Core ML packages run on Apple's machines only"};
    CLI_TRY(const SdkBundleReport report, ValidateSdkBundle(directory), BundleFailure);
    if (json()) CLI_CHECK_OK(WriteStandardOutput(SdkBundleJson(report)), InputFailure);
    if (!json()) {
      terminal->Summary(report.path + ": valid, " + Format("%zu files, ", report.num_files) +
                        Megabytes(report.num_bytes) + ", " + Packages(report.packages.size()));
    }
    return {};
  }
  bool deep_ = false;
};

class BundleInfo : public Report {
 private:
  static std::string Version(const BundleReport& report) {
    return (report.serial != 0 ? Format(", serial %llu", static_cast<unsigned long long>(report.serial)) : "") +
           (report.is_signed ? ", signed" : ", not signed");
  }
  static std::string Inputs(const BundleReport& report) {
    if (!report.provenance_verified) return "not compared with a download manifest";
    return "those of " + report.repo_id + " at " + report.revision;
  }

 public:
  std::string Name() const override { return "bundle info"; }
  std::string Summary() const override { return "Print what a bundle's manifest says"; }
  std::string Details() const override { return kInfoDetails; }
  Outcome Run(Terminal*) override {
    CLI_TRY(const std::string directory, Find(), BundleFailure);
    CLI_TRY(const BundleReport report, ReadBundle(directory), BundleFailure);
    const std::string text = Table({{"bundle", report.path},
                                    {"profile", report.profile},
                                    {"made by", report.generated_by},
                                    {"weights", report.weights_source + ", stored as " + report.tensor_precision},
                                    {"sha256", report.weights_sha256},
                                    {"languages", Join(report.languages)},
                                    {"voices", std::to_string(report.voices.size()) + ": " + Join(report.voices)},
                                    {"size", Format("%zu files, ", report.num_files) + Megabytes(report.num_bytes)},
                                    {"tensors", std::to_string(report.num_tensors)},
                                    {"version", report.hosted_version + Version(report)},
                                    {"inputs", Inputs(report)}});
    CLI_CHECK_OK(WriteStandardOutput(json() ? BundleJson(report) : text), InputFailure);
    return {};
  }
};

}  // namespace

std::unique_ptr<Command> MakeBundleBuild() { return std::make_unique<Build>(); }
std::unique_ptr<Command> MakeBundleValidate() { return std::make_unique<Validate>(); }
std::unique_ptr<Command> MakeBundleInfo() { return std::make_unique<BundleInfo>(); }

}  // namespace koe::cli
