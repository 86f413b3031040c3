// SPDX-License-Identifier: Apache-2.0
// The only file that includes nlohmann-json.
#include "json.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "batch.h"
#include "koe/bench.h"

namespace koe::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string Print(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"; }

Json WordsJson(const std::vector<WordInfo>& words) {
  Json list = Json::array();
  for (const WordInfo& word : words) {
    list.push_back({{"text", word.text},
                    {"offset", word.offset},
                    {"length", word.length},
                    {"phonemes", word.phonemes},
                    {"tag", word.tag},
                    {"source", word.source},
                    {"confidence", std::round(1000 * static_cast<double>(word.confidence)) / 1000},
                    {"whitespace", word.whitespace}});
  }
  return list;
}

Json ChunksJson(const std::vector<ChunkInfo>& chunks) {
  Json list = Json::array();
  for (const ChunkInfo& chunk : chunks) {
    Json tokens = Json::array();
    for (const TokenInfo& token : chunk.tokens) tokens.push_back({{"id", token.id}, {"num_frames", token.num_frames}});
    list.push_back({{"text_offset", chunk.text_offset},
                    {"text_length", chunk.text_length},
                    {"phonemes", chunk.phonemes},
                    {"dropped_symbols", chunk.dropped_symbols},
                    {"first_sample", chunk.first_sample},
                    {"num_samples", chunk.num_samples},
                    {"tokens", std::move(tokens)}});
  }
  return list;
}

}  // namespace

std::string SpeechJson(const SpeechReport& report, const Audio& audio) {
  Json stages = Json::object();
  for (const StageTime& time : audio.stages) stages[time.stage] = time.seconds;
  return Print({{"output", report.output},
                {"format", report.format},
                {"voice", report.voice.id},
                {"language", report.language},
                {"speed", report.speed},
                {"seed", report.seed},
                {"sample_rate_hz", audio.sample_rate_hz},
                {"samples", audio.samples.size()},
                {"seconds", audio.seconds()},
                {"wall_seconds", report.wall_seconds},
                {"realtime_factor", report.realtime_factor},
                {"speed_vs_realtime", report.speed_vs_realtime},
                {"load_seconds", report.load_seconds},
                {"run_seconds", report.run_seconds},
                {"stages", std::move(stages)},
                {"chunks", ChunksJson(audio.chunks)},
                {"words", WordsJson(audio.words)},
                {"unknown_words", audio.unknown_words}});
}

std::string PhonemizationJson(size_t line_number, size_t text_offset, const std::string& text,
                              const Phonemization& phonemization) {
  return Print({{"line", line_number},
                {"text_offset", text_offset},
                {"text", text},
                {"phonemes", phonemization.phonemes},
                {"words", WordsJson(phonemization.words)},
                {"unknown_words", phonemization.unknown_words},
                {"dropped_symbols", phonemization.dropped_symbols}});
}

std::string ChunkJson(size_t index, const std::string& text, const ChunkPreview& chunk,
                      const std::vector<WordInfo>& words) {
  return Print({{"chunk", index},
                {"text_offset", chunk.text_offset},
                {"text", text},
                {"phonemes", chunk.phonemes},
                {"words", WordsJson(words)}});
}

std::string VoicesJson(const std::vector<VoiceInfo>& voices, const std::string& default_voice) {
  Json list = Json::array();
  for (const VoiceInfo& voice : voices) {
    list.push_back({{"id", voice.id},
                    {"language", voice.language},
                    {"gender", voice.gender},
                    {"default", voice.id == default_voice}});
  }
  return Print({{"voices", std::move(list)}});
}

std::string InfoJson(const EngineInfo& info, size_t num_voices) {
  Json plan = Json::array();
  for (const StagePlan& stage : info.plan) {
    plan.push_back({{"stage", stage.stage},
                    {"device", stage.device},
                    {"precision", stage.precision},
                    {"num_threads", stage.num_threads}});
  }
  return Print({{"version", Version()},
                {"bundle", info.bundle_path},
                {"profile", info.bundle_profile},
                {"weights_source", info.weights_source},
                {"weights_sha256", info.weights_sha256},
                {"tensor_precision", info.tensor_precision},
                {"languages", info.languages},
                {"num_voices", num_voices},
                {"cpu", info.cpu},
                {"simd_target", info.simd_target},
                {"supported_targets", info.supported_targets},
                {"num_threads", info.num_threads},
                {"plan", std::move(plan)}});
}

std::string BundleJson(const BundleReport& report) {
  return Print({{"path", report.path},
                {"profile", report.profile},
                {"generated_by", report.generated_by},
                {"weights_source", report.weights_source},
                {"weights_sha256", report.weights_sha256},
                {"tensor_precision", report.tensor_precision},
                {"languages", report.languages},
                {"voices", report.voices},
                {"num_files", report.num_files},
                {"num_bytes", report.num_bytes},
                {"num_tensors", report.num_tensors},
                {"generated_at", report.generated_at},
                {"sdk_commit", report.sdk_commit},
                {"repo_id", report.repo_id},
                {"revision", report.revision},
                {"provenance_verified", report.provenance_verified},
                {"hosted_version", report.hosted_version},
                {"serial", report.serial},
                {"is_signed", report.is_signed}});
}

std::string ChangesJson(const std::vector<BundleChange>& changes) {
  constexpr const char* kKinds[] = {"field", "added", "removed", "changed"};
  Json list = Json::array();
  for (const BundleChange& change : changes) {
    list.push_back({{"kind", kKinds[static_cast<size_t>(change.kind)]},
                    {"name", change.name},
                    {"before", change.before},
                    {"after", change.after}});
  }
  return Print({{"changes", list}});
}

std::string PublishJson(const PublishReport& report) {
  return Print({{"serial", report.serial},
                {"revision", report.revision},
                {"release_sha256", report.release_sha256},
                {"hosted_path", report.hosted_path},
                {"hosted_sha256", report.hosted_sha256},
                {"profiles", report.profiles},
                {"num_bytes", report.num_bytes}});
}

std::string FetchJson(const FetchReport& report) {
  return Print({{"path", report.bundle_dir},
                {"version", report.version},
                {"serial", report.serial},
                {"manifest_sha256", report.manifest_sha256},
                {"num_files", report.num_files},
                {"num_bytes", report.num_bytes},
                {"bytes_transferred", report.bytes_transferred},
                {"was_current", report.was_current}});
}

std::string OfficialFetchJson(const std::string& output, const OfficialFetchReport& report) {
  return Print({{"path", output},
                {"num_files", report.num_files},
                {"num_bytes", report.num_bytes},
                {"bytes_transferred", report.bytes_transferred}});
}

std::string GarbageJson(const StoreGarbage& garbage) {
  return Print({{"removed", garbage.removed}, {"bytes", garbage.bytes}, {"in_use", garbage.in_use}});
}

std::string ExportJson(const ExportReport& report) {
  const auto file_json = [](const ExportedFile& file) {
    return Json{{"path", file.path}, {"bytes", file.bytes}, {"sha256", file.sha256}};
  };
  Json packages = Json::array(), runtime = Json::array();
  for (const ExportedPackage& package : report.packages) {
    Json files = Json::array();
    for (const ExportedFile& file : package.files) files.push_back(file_json(file));
    packages.push_back({{"path", package.path},
                        {"stage", ExportStageName(package.stage)},
                        {"sizes", package.sizes},
                        {"tree_sha256", package.tree_sha256},
                        {"bytes", package.bytes},
                        {"files", std::move(files)}});
  }
  for (const ExportedFile& file : report.runtime_files) runtime.push_back(file_json(file));
  return Print({{"output", report.output_dir},
                {"bytes", report.bytes},
                {"packages", std::move(packages)},
                {"runtime_files", std::move(runtime)}});
}

std::string SdkBundleJson(const SdkBundleReport& report) {
  return Print({{"path", report.path},
                {"kind", "coreml"},
                {"profile", report.profile},
                {"generated_at", report.generated_at},
                {"hosted_version", report.hosted_version},
                {"sdk_commit", report.sdk_commit},
                {"repo_id", report.repo_id},
                {"revision", report.revision},
                {"provenance_verified", report.provenance_verified},
                {"buckets", report.buckets},
                {"duration_token_sizes", report.tokens},
                {"packages", report.packages},
                {"voices", report.voices},
                {"num_files", report.num_files},
                {"num_bytes", report.num_bytes}});
}

std::string DumpJson(const std::string& output) { return Print({{"output", output}}); }

std::string G2pBenchJson(const G2pBenchReport& report) {
  Json hostile = Json::array();
  for (const G2pBenchReport::Hostile& text : report.hostile) {
    hostile.push_back({{"text", text.name},
                       {"bytes", text.bytes},
                       {"seconds", text.seconds},
                       {"cpu_seconds", text.cpu_seconds},
                       {"peak_bytes", text.peak_bytes < 0 ? Json() : Json(text.peak_bytes)}});
  }
  return Print({{"mode", "g2p"},
                {"language", report.language},
                {"num_threads", 1},
                {"open_seconds", report.open_seconds},
                {"first_sentence_seconds", report.first_sentence_seconds},
                {"prose_bytes", report.prose_bytes},
                {"prose_words", report.prose_words},
                {"prose_unknown_words", report.prose_unknown_words},
                {"prose_seconds", report.prose_seconds},
                {"megabytes_per_second", report.megabytes_per_second},
                {"slowest_megabytes_per_second", report.slowest_megabytes_per_second},
                {"fastest_megabytes_per_second", report.fastest_megabytes_per_second},
                {"megabytes_per_cpu_second", report.megabytes_per_cpu_second},
                {"ns_per_word",
                 {{"clean", report.clean_ns},
                  {"tokenise", report.tokenise_ns},
                  {"tag", report.tag_ns},
                  {"pronounce", report.pronounce_ns},
                  {"all", report.total_ns}}},
                {"hostile", std::move(hostile)}});
}

std::string KernelBenchJson(const KernelBenchReport& report) {
  const BuildFacts build = Build();
  Json kernels = Json::array();
  for (const KernelRate& k : report.kernels) {
    kernels.push_back({{"name", k.name},
                       {"plan", k.plan},
                       {"seconds", k.seconds},
                       {"seconds_threads", k.seconds_threads},
                       {"product_flops", k.product_flops},
                       {"product_seconds", k.product_seconds},
                       {"transform_seconds", k.transform_seconds}});
  }
  return Print({{"mode", "kernels"},
                {"version", build.version},
                {"commit", build.commit},
                {"compiler", build.compiler},
                {"simd_target", report.simd_target},
                {"num_threads", report.num_threads},
                {"peak_flops", report.peak_flops},
                {"peak_flops_threads", report.peak_flops_threads},
                {"kernels", std::move(kernels)}});
}

std::string SpeechBenchJson(const SpeechBenchReport& report) {
  const auto known = [](auto value) { return value < 0 ? Json() : Json(value); };
  const BuildFacts build = Build();
  Json speech = Json::array();
  for (const SpeechBenchReport::Speech& s : report.speech) {
    Json stages = Json::object();
    for (const StageTime& stage : s.stages) stages[stage.stage] = stage.seconds;
    speech.push_back({{"input", s.input},
                      {"wanted_seconds", s.wanted_seconds},
                      {"audio_seconds", s.audio_seconds},
                      {"num_chunks", s.num_chunks},
                      {"wall_seconds", s.wall_seconds},
                      {"median_seconds", s.median_seconds},
                      {"cpu_seconds", s.cpu_seconds},
                      {"realtime_factor", s.realtime_factor},
                      {"core_seconds_per_second", s.core_seconds_per_second},
                      {"flops", s.flops},
                      {"stage_seconds", std::move(stages)},
                      {"peak_bytes", known(s.peak_bytes)}});
  }
  Json first_audio = Json::object();
  for (const SpeechBenchReport::FirstAudio& first : report.first_audio) {
    first_audio[first.mode] = {{"audio_seconds", first.audio_seconds},
                               {"wall_seconds", first.wall_seconds},
                               {"median_seconds", first.median_seconds}};
  }
  return Print({{"mode", "speech"},
                {"version", build.version},
                {"commit", build.commit},
                {"compiler", build.compiler},
                {"cpu", report.engine.cpu},
                {"simd_target", report.engine.simd_target},
                {"num_threads", report.engine.num_threads},
                {"peak_flops", report.peak_flops},
                {"voice", report.voice},
                {"open_seconds", report.open_seconds},
                {"ready_seconds", report.ready_seconds},
                {"cold_open_seconds", known(report.cold_open_seconds)},
                {"cold_ready_seconds", known(report.cold_ready_seconds)},
                {"ready_bytes", known(report.ready_bytes)},
                {"first_audio", std::move(first_audio)},
                {"speech", std::move(speech)}});
}

namespace {

Error BadLine(const std::string& why) { return Error(ErrorCode::kInvalidArgument, "line: " + why); }

// A plain name: no folders, nothing hidden.
bool IsFileName(const std::string& id) {
  if (id.empty() || id.size() > 200 || id[0] == '.') return false;
  return std::none_of(id.begin(), id.end(), [](char c) { return c == '/' || static_cast<unsigned char>(c) < 0x20; });
}

}  // namespace

Result<BatchLine> ParseBatchLine(std::string_view text, const SynthesisOptions& defaults) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return BadLine("not a JSON object");
  BatchLine line;
  line.options = defaults;
  for (const auto& [name, value] : json.items()) {
    const bool is_text = name == "text" || name == "id" || name == "voice" || name == "language";
    const bool is_number = name == "speed" || name == "gain";
    if (is_text          ? !value.is_string()
        : is_number      ? !value.is_number()
        : name == "seed" ? !value.is_number_unsigned()
                         : name == "phonemes" && !value.is_boolean()) {
      return BadLine("'" + name + "': of the wrong type");
    }
    if (name == "text") {
      line.text = value.get<std::string>();
    } else if (name == "id") {
      line.id = value.get<std::string>();
      if (!IsFileName(line.id)) return BadLine("'id': not a plain file name");
    } else if (name == "voice") {
      line.options.voice = value.get<std::string>();
    } else if (name == "language") {
      line.options.language = value.get<std::string>();
    } else if (name == "speed") {
      line.options.speed = value.get<float>();
    } else if (name == "gain") {
      line.options.gain = value.get<float>();
    } else if (name == "seed") {
      line.options.seed = value.get<uint64_t>();
    } else if (name == "phonemes") {
      line.options.input_is_phonemes = value.get<bool>();
    } else {
      return BadLine("'" + name + "': unknown (text, id, voice, speed, seed, language, gain, phonemes)");
    }
  }
  if (!json.contains("text")) return BadLine("no 'text'");
  return line;
}

std::string BatchResultJson(const BatchResult& result) {
  Json json = {{"line", result.line}, {"id", result.id}, {"status", result.status}};
  if (!result.output.empty()) json["output"] = result.output;
  if (result.status == "ok") json["seconds"] = result.seconds;
  if (!result.key.empty()) json["key"] = result.key;
  if (result.error) {
    json["code"] = ErrorCodeName(result.error->code());
    json["message"] = result.error->message();
  }
  return Print(json);
}

std::optional<BatchResult> ParseBatchResult(std::string_view line) {
  const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || json.value("status", Json()) != "ok") return std::nullopt;
  const Json id = json.value("id", Json()), key = json.value("key", Json());
  if (!id.is_string() || !key.is_string()) return std::nullopt;
  BatchResult result;
  result.id = id.get<std::string>();
  result.key = key.get<std::string>();
  result.status = "ok";
  return result;
}

}  // namespace koe::cli
