// SPDX-License-Identifier: Apache-2.0
// Writes the sound files from which the searches over the bundle's formats start: write_bundle_seeds fuzz/corpus
#include <filesystem>
#include <fstream>
#include <string>

#include "bundle/bundle.h"
#include "bundle/manifests/download.h"
#include "bundle/publish.h"
#include "bundle/testing/synthetic.h"
#include "bundle/testing/temp_dir.h"
#include "bundle/zip_reader.h"
#include "g2p/lexicon.h"

int main(int argc, char** argv) {
  using namespace koe::bundle;
  using namespace koe::bundle::testing;
  if (argc != 2) return 2;
  const auto put_in = [&](const std::string& target, const std::string& name, const std::string& bytes) {
    WriteFile(std::string(argv[1]) + "/" + target + "_fuzz/" + name, bytes);
  };
  const auto put = [&](const std::string& target, const std::string& name, const std::string& bytes) {
    put_in("bundle_" + target, name, bytes);
  };
  put("onnx", "int8", TinyOnnx(OnnxForm::kInt8));
  put("onnx", "fp32", TinyOnnx(OnnxForm::kFp32));
  put("onnx", "fp16", TinyOnnx(OnnxForm::kFp16));
  for (const auto& [form, name] : {std::pair{NormForm::kFolded, "folded"}, std::pair{NormForm::kWeightG, "weight_g"},
                                   std::pair{NormForm::kParametrised, "parametrised"}}) {
    const std::string torch = TinyTorch(form);
    put("torch", name, torch);
    put("safetensors", name, TinySafetensors(form));
    const auto entries = ReadStoredZip(AsBytes(torch));
    for (const ZipEntry& entry : *entries) {
      if (entry.name == "data.pkl") put("pickle", name, std::string(AsText(entry.data)));
    }
  }
  put("zip", "voice", TinyVoiceTorch());
  put("voice", "bin", TinyVoiceBin());
  put("voice", "torch", TinyVoiceTorch());

  TempDir temp;
  WriteFile(temp / "in/model.onnx", TinyOnnx(OnnxForm::kInt8));
  WriteFile(temp / "in/voices/af_heart.bin", TinyVoiceBin());
  koe::BundleBuildOptions options;
  options.weights_path = temp / "in/model.onnx";
  options.voices_dir = temp / "in/voices";
  options.output_dir = temp / "out";
  setenv("SOURCE_DATE_EPOCH", "1700000000", 1);
  if (!BuildBundle(options, {{"lexicon/us.lex", "lexicon"}}, TinyArchitecture())) return 1;
  put("safetensors", "bundle", ReadFile(temp / "out/weights.safetensors"));
  put_in("manifest_runtime", "sound", ReadFile(temp / "out/RuntimeManifest.json"));
  put_in("manifest_hosted", "sound", ReadFile(temp / "out/HostedManifest.json"));
  put("vocab", "vocab", R"({"vocab": {"a": 43, "ə": 83}})");
  put("json", "kinds", R"([null, true, false, 0, -9223372036854775808, 18446744073709551615, 1.5e3, "ə\n\u0001", {}])");

  const std::string digest(64, 'a'), commit(40, 'b');
  DownloadManifest download{"hexgrad/Kokoro-82M",
                            commit,
                            "2023-11-14T22:13:20Z",
                            {"*.pth", "voices/*.pt"},
                            {{"kokoro-v1_0.pth", 327212226, digest}, {"voices/af_heart.pt", 523425, digest}}};
  WriteFile(temp / "DownloadManifest.json", download.ToJson());
  put_in("manifest_download", "sound", download.ToJson());
  koe::PublishOptions publish;
  publish.site_dir = temp / "site";
  WriteFile(temp / "card.md", "card");
  publish.model_card_path = temp / "card.md";
  publish.sdk_commit = "abcdef1-dirty";
  for (const char* profile : {"full", "starter"}) {
    options.profile = profile;
    options.output_dir = temp / profile;
    publish.bundle_dir = options.output_dir;
    if (!BuildBundle(options, {}, TinyArchitecture()) || !PublishBundle(publish, TinyArchitecture())) return 1;
  }
  put_in("manifest_release", "sound", ReadFile(temp / "site/sdk/SDKReleaseManifest.json"));

  const std::string gold = R"({"read": {"DEFAULT": "ɹˈid", "VBD": "ɹˈɛd", "None": null}, "cat": "kˈæt", "the": "ðə"})";
  put_in("dictionary_json", "gold", gold);
  const auto lexicon = koe::g2p::CompileLexicon(gold, R"({"zebra": "zˈibɹə", "Oslo": "ˈɑzlO"})");
  if (!lexicon) return 1;
  put_in("lexicon", "small", *lexicon);
  put_in("user_lexicon", "all_forms",
         "# comment\nOslo\tˈɑzlO\nread\tVBD\tɹˈɛd\nNew York\tnjˌuˈɔɹk\n\nC++\tsˈi\ncat\tNOUN\tkˈæt\r\n");
  return 0;
}
