// SPDX-License-Identifier: Apache-2.0
// koe._koe: the engine. Speech is a class of koe/__init__.py over what `synthesize` returns here.
#include "binding.h"

namespace koe::python {
namespace {

std::unique_ptr<Engine> OpenEngine(const std::string& bundle, int num_threads, const std::string& simd,
                                   const std::string& unknown_words, bool verify_digests, const std::string& precision,
                                   size_t max_memory_bytes, double unload_after_seconds) {
  EngineOptions options;
  options.num_threads = num_threads;
  options.simd_target = simd;
  options.verify_digests = verify_digests;
  if (unknown_words == "neural") {
    options.unknown_words = UnknownWords::kNeural;
  } else if (unknown_words == "espeak") {
    options.unknown_words = UnknownWords::kEspeak;
  } else if (unknown_words == "spell") {
    options.unknown_words = UnknownWords::kSpell;
  } else if (unknown_words != "default") {
    throw Failure{Error(ErrorCode::kInvalidArgument,
                        "unknown_words: '" + unknown_words + "': must be one of default, neural, espeak, spell")};
  }
  if (precision == "fast") {
    options.precision = Precision::kFast;
  } else if (precision == "low-memory") {
    options.precision = Precision::kLowMemory;
  } else if (precision != "exact") {
    throw Failure{
        Error(ErrorCode::kInvalidArgument, "precision: '" + precision + "': must be one of exact, fast, low-memory")};
  }
  options.max_memory_bytes = max_memory_bytes;
  options.unload_after_seconds = unload_after_seconds;
  const py::gil_scoped_release release;
  return std::make_unique<Engine>(ValueOf(Engine::Open(ValueOf(FindBundle(bundle)), options)));
}

// Python's own progress function, called from the thread that computes. What it raises ends the call.
class ProgressRelay {
 public:
  ProgressRelay(py::object function, CancelToken* token) : function_(std::move(function)), token_(token) {}
  void operator()(const Progress& progress) {
    const py::gil_scoped_acquire acquire;
    if (raised_) return;
    try {
      function_(progress.fraction, progress.stage, progress.chunk, progress.num_chunks);
    } catch (py::error_already_set& raised) {
      raised_.emplace(std::move(raised));
      token_->Cancel();
    }
  }
  void Rethrow() {
    if (raised_) throw std::move(*raised_);
  }

 private:
  py::object function_;
  CancelToken* token_;
  std::optional<py::error_already_set> raised_;
};

// work(token, progress) with a token of this call's own.
template <typename Work>
auto RunCall(const Token& cancel, const py::object& progress, Work&& work) {
  CancelToken token;
  ProgressRelay relay(progress, &token);
  ProgressCallback callback;
  if (!progress.is_none()) callback = [&relay](const Progress& at) { relay(at); };
  auto result = RunInterruptibly(
      cancel, [&]() { return work(token, callback); }, [&]() { token.Cancel(); });
  relay.Rethrow();
  return result;
}

py::dict AudioValues(Audio audio) {
  py::dict values;
  values["samples"] = ArrayOf(std::move(audio.samples));
  values["words"] = std::move(audio.word_times);
  values["sentences"] = std::move(audio.sentence_times);
  values["chunks"] = std::move(audio.chunks);
  values["unknown_words"] = audio.unknown_words;
  values["wall_seconds"] = audio.wall_seconds;
  return values;
}

py::dict Synthesize(const Engine& engine, const std::string& text, const py::dict& arguments, const Token& cancel,
                    const py::object& progress) {
  SynthesisOptions options = ReadOptions(arguments);
  return AudioValues(ValueOf(RunCall(cancel, progress, [&](const CancelToken& token, const ProgressCallback& callback) {
    options.cancel = &token;
    options.progress = callback;
    return engine.Synthesize(text, options);
  })));
}

std::vector<PreparedChunk> Prepare(const Engine& engine, const std::string& text, const py::dict& arguments,
                                   const Token& cancel) {
  SynthesisOptions options = ReadOptions(arguments);
  return ValueOf(RunCall(cancel, py::none(),
                         [&](const CancelToken& token, const ProgressCallback&) {
                           options.cancel = &token;
                           return engine.Prepare(text, options);
                         }))
      .chunks;
}

py::dict SynthesizePrepared(const Engine& engine, const std::vector<PreparedChunk>& chunks, const Token& cancel,
                            const py::object& progress) {
  return AudioValues(ValueOf(RunCall(cancel, progress, [&](const CancelToken& token, const ProgressCallback& callback) {
    RunOptions options;
    options.cancel = &token;
    options.progress = callback;
    return engine.SynthesizePrepared(chunks, options);
  })));
}

Phonemization Phonemize(const Engine& engine, const std::string& text, const std::string& language,
                        const std::optional<UserLexicon>& lexicon, const Token& cancel) {
  PhonemizeOptions options;
  options.language = ValueOf(ParseLanguage(language));
  if (lexicon) options.lexicon = *lexicon;
  return ValueOf(RunCall(cancel, py::none(), [&](const CancelToken& token, const ProgressCallback&) {
    options.cancel = &token;
    return engine.Phonemize(text, options);
  }));
}

void Prewarm(const Engine& engine, const std::string& text, const std::string& voice) {
  PrewarmOptions options;
  options.text = text;
  options.voice = voice;
  Check(RunCall(nullptr, py::none(), [&](const CancelToken& token, const ProgressCallback&) {
    options.cancel = &token;
    return engine.Prewarm(options);
  }));
}

py::dict InfoOf(const Engine& engine) {
  const EngineInfo info = engine.Info();
  py::dict values;
  values["bundle_path"] = info.bundle_path;
  values["bundle_profile"] = info.bundle_profile;
  values["weights_source"] = info.weights_source;
  values["weights_sha256"] = info.weights_sha256;
  values["tensor_precision"] = info.tensor_precision;
  values["languages"] = info.languages;
  values["simd_target"] = info.simd_target;
  values["cpu"] = info.cpu;
  values["num_threads"] = info.num_threads;
  return values;
}

using Samples = py::array_t<float, py::array::c_style | py::array::forcecast>;

std::span<const float> SpanOf(const Samples& samples) {
  if (samples.ndim() != 1) {
    throw Failure{Error(ErrorCode::kInvalidArgument,
                        "samples: " + std::to_string(samples.ndim()) + " dimensions: must be 1 (mono)")};
  }
  return {samples.data(), static_cast<size_t>(samples.size())};
}

void RaiseFailure(const Failure& failure) {
  const py::object make = py::module_::import("koe.errors").attr("from_code");
  const py::object error = make(static_cast<int>(failure.error.code()), failure.error.message());
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(error.ptr())), error.ptr());
}

}  // namespace

PYBIND11_MODULE(_koe, module) {
  module.doc() = "The compiled part of koe.";
  module.attr("__version__") = Version();
  module.attr("SAMPLE_RATE") = kSampleRateHz;
  py::register_exception_translator([](std::exception_ptr exception) {
    try {
      if (exception) std::rethrow_exception(exception);
    } catch (const Failure& failure) {
      try {
        RaiseFailure(failure);
      } catch (py::error_already_set& raised) {
        raised.restore();
      }
    }
  });
  DefineValues(module);
  py::class_<Engine>(module, "Engine")
      .def(py::init(&OpenEngine))
      .def("unload", &Engine::Unload, py::call_guard<py::gil_scoped_release>())
      .def("synthesize", &Synthesize)
      .def("prepare", &Prepare)
      .def("synthesize_prepared", &SynthesizePrepared)
      .def("phonemize", &Phonemize)
      .def("prewarm", &Prewarm)
      .def("voices", &Engine::Voices)
      .def("info", &InfoOf)
      .def("diagnostics", [](const Engine& engine) { return DiagnosticsJson(engine.GetDiagnostics()); });
  DefineStream(module);
  module.def("times", [](const std::string& format, const std::string& text, const std::vector<WordTime>& words,
                         const std::vector<SentenceTime>& sentences) {
    if (format == "srt") return SubRip(text, words, sentences);
    if (format == "vtt") return WebVtt(text, words, sentences);
    return TimesJson(words, sentences);
  });
  module.def("write_audio",
             [](const Samples& samples, const std::string& path, const std::optional<std::string>& name) {
               const std::span<const float> audio = SpanOf(samples);
               const py::gil_scoped_release release;
               const AudioFormat format = ValueOf(name ? ParseAudioFormat(*name) : AudioFormatOfPath(path));
               Check(WriteAudio(audio, path, format));
             });
  module.def("encode_audio", [](const Samples& samples, const std::string& name) {
    const std::span<const float> audio = SpanOf(samples);
    std::string bytes;
    {
      const py::gil_scoped_release release;
      bytes = ValueOf(EncodeAudio(audio, ValueOf(ParseAudioFormat(name))));
    }
    return py::bytes(bytes);
  });
}

}  // namespace koe::python
