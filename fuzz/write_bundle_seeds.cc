// SPDX-License-Identifier: Apache-2.0
// Writes the sound files from which the searches over the bundle's formats start: write_bundle_seeds fuzz/corpus
#include <filesystem>
#include <fstream>
#include <string>

#include "bundle/bundle.h"
#include "bundle/testing/synthetic.h"
#include "bundle/testing/temp_dir.h"
#include "bundle/zip_reader.h"

int main(int argc, char** argv) {
  using namespace koe::bundle;
  using namespace koe::bundle::testing;
  if (argc != 2) return 2;
  const auto put = [&](const std::string& target, const std::string& name, const std::string& bytes) {
    WriteFile(std::string(argv[1]) + "/bundle_" + target + "_fuzz/" + name, bytes);
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
  put("manifest", "runtime", ReadFile(temp / "out/RuntimeManifest.json"));
  put("manifest", "hosted", ReadFile(temp / "out/HostedManifest.json"));
  put("manifest", "vocab", R"({"vocab": {"a": 43, "ə": 83}})");
  return 0;
}
