// SPDX-License-Identifier: Apache-2.0
// Unknown text in pieces: words in the model's 26 letters, numbers, and what stands between them.
#ifndef KOE_G2P_LETTER_TO_SOUND_RESPELL_H_
#define KOE_G2P_LETTER_TO_SOUND_RESPELL_H_

#include <string>
#include <string_view>
#include <vector>

namespace koe::g2p::letter_to_sound {

struct Piece {
  enum class Kind : uint8_t {
    kWord,    // letters, with apostrophes inside
    kNumber,  // ASCII digits, with , and . between them
    kName,    // a symbol or a foreign letter by its English name: "equals", "omega"
    kMark,    // punctuation that is heard as a pause
    kHyphen,  // joins the words around it
    kGap      // any other character: separates
  };
  Kind kind;
  std::string text;         // without accents, in the original case: what a dictionary may have
  std::string respelled;    // words: how English would write the accented letters ("ninyo"), in the original case
  std::string lower{};      // words: as written, in lower case
  bool ends_in_ay = false;  // words: the last letter is e acute; respelled ends in "ee" for it
};

// text: UTF-8. Linear.
std::vector<Piece> SplitUnknown(std::string_view text);

// "McDougall" -> Mc, Dougall; "TikTok" -> Tik, Tok; "HTMLParser" -> HTML, Parser: views of the parts.
std::vector<std::string_view> SplitCamelCase(std::string_view word);

}  // namespace koe::g2p::letter_to_sound

#endif  // KOE_G2P_LETTER_TO_SOUND_RESPELL_H_
