// SPDX-License-Identifier: Apache-2.0
#ifndef KOE_G2P_TESTING_SMALL_LEXICON_H_
#define KOE_G2P_TESTING_SMALL_LEXICON_H_

#include <string>

#include "g2p/lexicon.h"
#include "koe/result.h"

namespace koe::g2p {

// A compiled lexicon of a few words, the letters and the units: enough for every kind of rule.
inline Result<std::string> SmallLexicon() {
  std::string gold = R"({"the": "ðə", "to": "tˈu", "am": "æm", "and": "ænd", "hello": "həlˈO", "world": "wˈɜɹld",
    "cat": "kˈæt", "is": "ɪz", "apple": "ˈæpᵊl", "one": "wˈʌn", "two": "tˈu", "five": "fˈIv", "seven": "sˈɛvən",
    "twenty": "twˈɛnti", "point": "pˈYnt", "minus": "mˈInəs", "dollar": "dˈɑləɹ", "cent": "sˈɛnt", "walk": "wˈɔk",
    "million": "mˈɪljən", "percent": "pəɹsˈɛnt", "record": {"DEFAULT": "ɹˈɛkəɹd", "VERB": "ɹəkˈɔɹd"},
    "used": {"DEFAULT": "jˈuzd", "VBD": "jˈust"})";
  const char* letters[] = {"ˈA",  "bˈi", "sˈi", "dˈi", "ˈi",       "ˈɛf",  "ʤˈi", "ˈAʧ",  "ˈI",
                           "ʤˈA", "kˈA", "ˈɛl", "ˈɛm", "ˈɛn",      "ˈO",   "pˈi", "kjˈu", "ˈɑɹ",
                           "ˈɛs", "tˈi", "jˈu", "vˈi", "dˈʌbᵊlju", "ˈɛks", "wˈI", "zˈi"};
  for (int i = 0; i < 26; ++i) {
    gold += ", \"" + std::string(1, static_cast<char>('A' + i)) + "\": \"" + letters[i] + "\"";
  }
  return CompileLexicon(gold + "}", R"({"silver": "sˈɪlvəɹ"})");
}

}  // namespace koe::g2p

#endif  // KOE_G2P_TESTING_SMALL_LEXICON_H_
