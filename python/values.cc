// SPDX-License-Identifier: Apache-2.0
// Values that cross: options in, words, chunks and audio out.
#include "binding.h"

namespace koe::python {
namespace {

template <typename Enum>
Enum Choice(const char* what, const std::string& given, const std::vector<std::pair<const char*, Enum>>& choices) {
  std::string allowed;
  for (const auto& [name, value] : choices) {
    if (given == name) return value;
    allowed += (allowed.empty() ? "" : ", ") + std::string(name);
  }
  throw Failure{Error(ErrorCode::kInvalidArgument, std::string(what) + ": '" + given + "': must be one of " + allowed)};
}

double Seconds(size_t samples) { return static_cast<double>(samples) / kSampleRateHz; }

}  // namespace

SynthesisOptions ReadOptions(const py::dict& arguments) {
  SynthesisOptions options;
  for (const auto& [name_object, value] : arguments) {
    const auto name = py::cast<std::string>(name_object);
    if (name == "voice") {
      options.voice = py::cast<std::string>(value);
    } else if (name == "speed") {
      options.speed = py::cast<float>(value);
    } else if (name == "language") {
      if (!value.is_none()) options.language = py::cast<std::string>(value);
    } else if (name == "phonemes") {
      options.input_is_phonemes = py::cast<bool>(value);
    } else if (name == "chunking") {
      options.chunking = Choice<Chunking>("chunking", py::cast<std::string>(value),
                                          {{"sentences", Chunking::kSentences},
                                           {"kokoro", Chunking::kKokoro},
                                           {"packed", Chunking::kPacked},
                                           {"paragraph", Chunking::kParagraph}});
    } else if (name == "lexicon") {
      if (!value.is_none()) options.lexicon = py::cast<UserLexicon>(value);
    } else if (name == "seed") {
      options.seed = py::cast<uint64_t>(value);
    } else if (name == "gain") {
      options.gain = py::cast<float>(value);
    } else if (name == "first_audio") {
      options.first_audio = Choice<FirstAudio>("first_audio", py::cast<std::string>(value),
                                               {{"natural", FirstAudio::kNatural}, {"fast", FirstAudio::kFast}});
    } else if (name == "blend") {
      options.voice_blend =
          Choice<VoiceBlend>("blend", py::cast<std::string>(value),
                             {{"linear", VoiceBlend::kLinear}, {"spherical", VoiceBlend::kSpherical}});
    } else if (name == "pauses") {
      if (!value.is_none()) {  // word, clause, sentence, paragraph; None: what the model speaks
        const auto seconds = py::cast<std::vector<std::optional<float>>>(value);
        if (seconds.size() != 4) throw py::value_error("pauses: needs four values");
        options.pauses = {seconds[0], seconds[1], seconds[2], seconds[3]};
      }
    } else if (name == "markup") {
      options.markup = py::cast<bool>(value);
    } else if (name == "strict_markup") {
      options.strict_markup = py::cast<bool>(value);
    } else if (name == "max_chunk_seconds") {
      options.max_chunk_seconds = py::cast<double>(value);
    } else if (name == "max_chunk_characters") {
      options.max_chunk_characters = py::cast<size_t>(value);
    } else {
      throw py::type_error("unexpected keyword argument '" + name + "'");
    }
  }
  return options;
}

py::array_t<float> ArrayOf(std::vector<float> samples) {
  auto owner = std::make_unique<std::vector<float>>(std::move(samples));
  const auto size = static_cast<py::ssize_t>(owner->size());
  const float* data = owner->data();
  const py::capsule guard(owner.get(), [](void* vector) { delete static_cast<std::vector<float>*>(vector); });
  owner.release();
  // With the stride: before 2.12, pybind11 takes a wrong one from the dtypes of numpy 2.
  return py::array_t<float>({size}, {static_cast<py::ssize_t>(sizeof(float))}, data, guard);
}

void DefineValues(py::module_& module) {
  py::class_<CancelToken, Token>(module, "Cancel")
      .def(py::init<>())
      .def("cancel", &CancelToken::Cancel)
      .def_property_readonly("cancelled", &CancelToken::IsCancelled);

  py::class_<UserLexicon>(module, "Lexicon")
      .def_static(
          "parse",
          [](const std::string& text, const std::string& name) { return ValueOf(UserLexicon::Parse(text, name)); },
          py::arg("text"), py::arg("name") = "lexicon")
      .def_static("load",
                  [](const std::string& path) {
                    const py::gil_scoped_release release;
                    return ValueOf(UserLexicon::Load(path));
                  })
      .def("__len__", &UserLexicon::size);

  py::class_<WordTime>(module, "Word")
      .def_readonly("text", &WordTime::text)
      .def_property_readonly("start", [](const WordTime& word) { return Seconds(word.first_sample); })
      .def_property_readonly("end", [](const WordTime& word) { return Seconds(word.first_sample + word.num_samples); })
      .def_property_readonly("offset", [](const WordTime& word) { return word.span.code_point_offset; })
      .def_property_readonly("length", [](const WordTime& word) { return word.span.code_point_length; })
      .def_property_readonly("byte_offset", [](const WordTime& word) { return word.span.offset; })
      .def_property_readonly("byte_length", [](const WordTime& word) { return word.span.length; })
      .def_readonly("first_sample", &WordTime::first_sample)
      .def_readonly("num_samples", &WordTime::num_samples)
      .def_readonly("chunk", &WordTime::chunk)
      .def_readonly("sentence", &WordTime::sentence)
      .def("__repr__", [](const WordTime& word) {
        return py::str("Word({!r}, {:.3f} to {:.3f} s)")
            .format(word.text, Seconds(word.first_sample), Seconds(word.first_sample + word.num_samples));
      });

  py::class_<SentenceTime>(module, "Sentence")
      .def_property_readonly("start", [](const SentenceTime& sentence) { return Seconds(sentence.first_sample); })
      .def_property_readonly("end", [](const SentenceTime& s) { return Seconds(s.first_sample + s.num_samples); })
      .def_property_readonly("offset", [](const SentenceTime& sentence) { return sentence.span.code_point_offset; })
      .def_property_readonly("length", [](const SentenceTime& sentence) { return sentence.span.code_point_length; })
      .def_readonly("first_sample", &SentenceTime::first_sample)
      .def_readonly("num_samples", &SentenceTime::num_samples)
      .def_readonly("first_word", &SentenceTime::first_word)
      .def_readonly("num_words", &SentenceTime::num_words)
      .def("__repr__", [](const SentenceTime& sentence) {
        return py::str("Sentence({} words, {:.3f} to {:.3f} s)")
            .format(sentence.num_words, Seconds(sentence.first_sample),
                    Seconds(sentence.first_sample + sentence.num_samples));
      });

  py::class_<TokenInfo>(module, "Token")
      .def_readonly("id", &TokenInfo::id)
      .def_readonly("num_frames", &TokenInfo::num_frames)
      .def_readonly("first_sample", &TokenInfo::first_sample);

  py::class_<ChunkInfo>(module, "ChunkInfo")
      .def_readonly("phonemes", &ChunkInfo::phonemes)
      .def_readonly("voice", &ChunkInfo::voice)
      .def_readonly("speed", &ChunkInfo::speed)
      .def_readonly("tokens", &ChunkInfo::tokens)
      .def_readonly("dropped_symbols", &ChunkInfo::dropped_symbols)
      .def_readonly("first_sample", &ChunkInfo::first_sample)
      .def_readonly("num_samples", &ChunkInfo::num_samples)
      .def_property_readonly("offset", [](const ChunkInfo& chunk) { return chunk.span.code_point_offset; })
      .def_property_readonly("length", [](const ChunkInfo& chunk) { return chunk.span.code_point_length; })
      .def("__repr__", [](const ChunkInfo& chunk) {
        return py::str("ChunkInfo({!r}, {:.3f} to {:.3f} s)")
            .format(chunk.phonemes, Seconds(chunk.first_sample), Seconds(chunk.first_sample + chunk.num_samples));
      });

  py::class_<WordInfo>(module, "WordInfo")
      .def_readonly("text", &WordInfo::text)
      .def_readonly("phonemes", &WordInfo::phonemes)
      .def_readonly("tag", &WordInfo::tag)
      .def_readonly("source", &WordInfo::source)
      .def_readonly("confidence", &WordInfo::confidence)
      .def_readonly("whitespace", &WordInfo::whitespace)
      .def_readonly("byte_offset", &WordInfo::offset)
      .def_readonly("byte_length", &WordInfo::length)
      .def("__repr__", [](const WordInfo& word) {
        return py::str("WordInfo({!r}, {!r}, {})").format(word.text, word.phonemes, word.source);
      });

  py::class_<Phonemization>(module, "Phonemes")
      .def_readonly("phonemes", &Phonemization::phonemes)
      .def_readonly("words", &Phonemization::words)
      .def_readonly("unknown_words", &Phonemization::unknown_words)
      .def("__str__", [](const Phonemization& phonemization) { return phonemization.phonemes; });

  py::class_<PreparedChunk>(module, "PreparedChunk")
      .def_readonly("text", &PreparedChunk::text)
      .def_readonly("phonemes", &PreparedChunk::phonemes)
      .def_readonly("token_ids", &PreparedChunk::token_ids)
      .def_property_readonly("voice_row", [](const PreparedChunk& chunk) { return ArrayOf(chunk.voice_row); })
      .def_readonly("voice", &PreparedChunk::voice)
      .def_readonly("speed", &PreparedChunk::speed)
      .def_readonly("gain", &PreparedChunk::gain)
      .def_readonly("seed", &PreparedChunk::seed)
      .def_readonly("estimated_seconds", &PreparedChunk::estimated_seconds)
      .def_property_readonly("offset", [](const PreparedChunk& chunk) { return chunk.span.code_point_offset; })
      .def_property_readonly("length", [](const PreparedChunk& chunk) { return chunk.span.code_point_length; })
      .def("__repr__", [](const PreparedChunk& chunk) {
        return py::str("PreparedChunk({!r}, about {:.1f} s)").format(chunk.text, chunk.estimated_seconds);
      });

  py::class_<VoiceInfo>(module, "Voice")
      .def_readonly("id", &VoiceInfo::id)
      .def_readonly("language", &VoiceInfo::language)
      .def_readonly("gender", &VoiceInfo::gender)
      .def("__repr__", [](const VoiceInfo& voice) {
        return "Voice('" + voice.id + "', '" + voice.language + "', '" + voice.gender + "')";
      });
}

}  // namespace koe::python
