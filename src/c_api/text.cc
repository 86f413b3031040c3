// SPDX-License-Identifier: Apache-2.0
// Lexicons, phonemes, prepared text.
#include "c_api/call.h"
#include "c_api/handles.h"

namespace koe::c_api {
namespace {

// As Engine::Synthesize chooses it.
Result<Language> LanguageOf(const koe_engine& engine, const SynthesisOptions& options) {
  if (!options.language.empty()) return ParseLanguage(options.language);
  const std::string first_voice = options.voice.substr(0, options.voice.find_first_of(":+,"));
  for (const VoiceInfo& voice : engine.voices) {
    if (voice.id == first_voice) return ParseLanguage(voice.language);
  }
  if (first_voice == SynthesisOptions().voice) return Language::kAmericanEnglish;  // nobody asked for it
  return Error(ErrorCode::kInvalidArgument, "voice: '" + first_voice + "': not in this bundle");
}

}  // namespace
}  // namespace koe::c_api

using namespace koe::c_api;  // NOLINT(google-build-using-namespace): the functions below are its outside

extern "C" {

koe_status koe_lexicon_load(const char* path, koe_lexicon** out, koe_error* error) {
  return CallFor(out, error, [&]() -> koe::Result<void> {
    KOE_CHECK_OK(CheckNotNull({{"path", path}}));
    KOE_TRY(koe::UserLexicon lexicon, koe::UserLexicon::Load(path));
    *out = new koe_lexicon{std::move(lexicon)};
    return {};
  });
}

koe_status koe_lexicon_parse(const char* text, size_t length, const char* name, koe_lexicon** out, koe_error* error) {
  return CallFor(out, error, [&]() -> koe::Result<void> {
    KOE_TRY(const std::string_view lines, ReadText(text, length));
    KOE_TRY(koe::UserLexicon lexicon, koe::UserLexicon::Parse(lines, name == nullptr ? "lexicon" : name));
    *out = new koe_lexicon{std::move(lexicon)};
    return {};
  });
}

size_t koe_lexicon_size(const koe_lexicon* lexicon) { return lexicon == nullptr ? 0 : lexicon->lexicon.size(); }
void koe_lexicon_free(koe_lexicon* lexicon) { delete lexicon; }

koe_status koe_phonemize(const koe_engine* engine, const char* text, size_t length,
                         const koe_synthesis_options* options, koe_phonemes** out, koe_error* error) {
  return CallFor(out, error, [&]() -> koe::Result<void> {
    KOE_CHECK_OK(CheckNotNull({{"engine", engine}}));
    KOE_TRY(const std::string_view input, ReadText(text, length));
    KOE_TRY(const koe::SynthesisOptions wanted, ReadSynthesisOptions(options));
    koe::PhonemizeOptions phonemize;
    KOE_TRY(phonemize.language, LanguageOf(*engine, wanted));
    phonemize.lexicon = wanted.lexicon;
    phonemize.cancel = wanted.cancel;
    KOE_TRY(koe::Phonemization result, engine->engine.Phonemize(input, phonemize));
    *out = new koe_phonemes{std::move(result)};
    return {};
  });
}

const char* koe_phonemes_text(const koe_phonemes* phonemes) {
  return phonemes == nullptr ? nullptr : phonemes->phonemization.phonemes.c_str();
}
size_t koe_phonemes_num_unknown_words(const koe_phonemes* phonemes) {
  return phonemes == nullptr ? 0 : phonemes->phonemization.unknown_words;
}
size_t koe_phonemes_num_words(const koe_phonemes* phonemes) {
  return phonemes == nullptr ? 0 : phonemes->phonemization.words.size();
}
void koe_phonemes_free(koe_phonemes* phonemes) { delete phonemes; }

koe_status koe_phonemes_word(const koe_phonemes* phonemes, size_t index, koe_word_info* out, koe_error* error) {
  return Call(error, [&]() -> koe::Result<void> {
    KOE_CHECK_OK(CheckNotNull({{"phonemes", phonemes}}));
    KOE_CHECK_OK(CheckIndex("word", index, phonemes->phonemization.words.size()));
    const koe::WordInfo& word = phonemes->phonemization.words[index];
    koe_word_info c = {};
    c.text = word.text.c_str();
    c.phonemes = word.phonemes.c_str();
    c.tag = word.tag.c_str();
    c.source = word.source.c_str();
    c.whitespace = word.whitespace.c_str();
    c.offset = word.offset;
    c.length = word.length;
    c.confidence = word.confidence;
    return WriteStruct("out", c, out);
  });
}

koe_status koe_prepare(const koe_engine* engine, const char* text, size_t length, const koe_synthesis_options* options,
                       koe_prepared** out, koe_error* error) {
  return CallFor(out, error, [&]() -> koe::Result<void> {
    KOE_CHECK_OK(CheckNotNull({{"engine", engine}}));
    KOE_TRY(const std::string_view input, ReadText(text, length));
    KOE_TRY(const koe::SynthesisOptions wanted, ReadSynthesisOptions(options));
    KOE_TRY(koe::Prepared prepared, engine->engine.Prepare(input, wanted));
    *out = new koe_prepared{std::move(prepared), std::string(input)};
    return {};
  });
}

void koe_prepared_free(koe_prepared* prepared) { delete prepared; }
size_t koe_prepared_num_chunks(const koe_prepared* prepared) {
  return prepared == nullptr ? 0 : prepared->prepared.chunks.size();
}

koe_status koe_prepared_get_chunk(const koe_prepared* prepared, size_t index, koe_prepared_chunk* out,
                                  koe_error* error) {
  return Call(error, [&]() -> koe::Result<void> {
    KOE_CHECK_OK(CheckNotNull({{"prepared", prepared}}));
    KOE_CHECK_OK(CheckIndex("chunk", index, prepared->prepared.chunks.size()));
    const koe::PreparedChunk& chunk = prepared->prepared.chunks[index];
    koe_prepared_chunk c = {};
    c.text = chunk.text.c_str();
    c.phonemes = chunk.phonemes.c_str();
    c.voice = chunk.voice.c_str();
    c.token_ids = chunk.token_ids.data();
    c.num_tokens = chunk.token_ids.size();
    c.voice_row = chunk.voice_row.data();
    c.voice_row_size = chunk.voice_row.size();
    c.offset = chunk.span.offset;
    c.length = chunk.span.length;
    c.code_point_offset = chunk.span.code_point_offset;
    c.code_point_length = chunk.span.code_point_length;
    c.estimated_seconds = chunk.estimated_seconds;
    c.seed = chunk.seed;
    c.speed = chunk.speed;
    c.gain = chunk.gain;
    return WriteStruct("out", c, out);
  });
}

}  // extern "C"
