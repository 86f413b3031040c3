// SPDX-License-Identifier: Apache-2.0
// A shared library with libespeak-ng's five functions, for tests of the loading. It answers with what it was given, so
// that strings can be followed: [voice|text], a comma for each call of a clause. KOE_FAKE_ESPEAK makes it fail:
// "data" at the start, "voice" for every voice, "stuck" never moves on, "null" gives no phonemes.
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

std::string voice, answer;  // NOLINT: espeak-ng keeps its state in globals, too

bool Fails(const char* how) {
  const char* asked = std::getenv("KOE_FAKE_ESPEAK");
  return asked != nullptr && std::strcmp(asked, how) == 0;
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) int espeak_Initialize(int, int, const char* path, int options) {
  if (Fails("data") || (path != nullptr && std::strcmp(path, "no-such-data") == 0)) return -1;
  return options == 0x8000 ? 22050 : -1;  // else the real one would end the process
}
__attribute__((visibility("default"))) const char* espeak_Info(const char**) { return "9.99 fake"; }
__attribute__((visibility("default"))) int espeak_SetVoiceByName(const char* name) {
  if (Fails("voice")) return 1;
  voice = name;
  return 0;
}
// A clause ends at '|'.
__attribute__((visibility("default"))) const char* espeak_TextToPhonemes(const void** text, int text_mode,
                                                                         int phoneme_mode) {
  if (Fails("null")) {
    *text = nullptr;
    return nullptr;
  }
  const char* begin = static_cast<const char*>(*text);
  const char* end = std::strchr(begin, '|');
  answer = "<" + voice + ":" + (end == nullptr ? std::string(begin) : std::string(begin, end)) + ">";
  if (text_mode != 1 || phoneme_mode != (0x02 | 0x80 | '^' << 8)) answer = "modes";
  if (!Fails("stuck")) *text = end == nullptr ? nullptr : end + 1;
  return answer.c_str();
}
__attribute__((visibility("default"))) int espeak_Terminate() { return 0; }

}  // extern "C"
