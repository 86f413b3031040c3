// SPDX-License-Identifier: Apache-2.0
#include "g2p/en/tokenizer.h"

#include <gtest/gtest.h>

#include <string>

#include "g2p/en/retokenize.h"
#include "g2p/en/url.h"

namespace koe::g2p::en {
namespace {

std::string Cut(std::string_view text, bool keep_whitespace = true) {
  std::string out;
  for (const Token& token : Tokenize(text, {keep_whitespace})) {
    EXPECT_EQ(text.substr(token.offset, token.text.size()), token.text);
    if (!out.empty()) out += '|';
    out += std::string(token.text) + (token.space_after ? "_" : "");
  }
  return out;
}

// Expected values are spaCy 3.8.18's.
TEST(Tokenize, EqualsSpacy) {
  EXPECT_EQ(Cut("I don't know, can't you?"), "I_|do|n't_|know|,_|ca|n't_|you|?");
  EXPECT_EQ(Cut("well-known 10-15 5kg 7am $5.00 50%"), "well|-|known_|10|-|15_|5|kg_|7|am_|$|5.00_|50|%");
  EXPECT_EQ(Cut("U.S. and/or his/her a.m. e.g. this..."), "U.S._|and/or_|his|/|her_|a.m._|e.g._|this|...");
  EXPECT_EQ(Cut("(see http://example.com/x?y=1.)"), "(|see_|http://example.com/x?y=1|.|)");
  EXPECT_EQ(Cut("John's \"gonna\" go :)"), "John|'s_|\"|gon|na|\"_|go_|:)");
  EXPECT_EQ(Cut("a  b\tc \n d"), "a_| |b|\t|c_|\n |d");
  EXPECT_EQ(Cut("a  b\tc \n d", false), "a_|b_|c_|d");
  EXPECT_EQ(Cut("end. Next--word C++ 3:45"), "end|._|Next|--|word_|C++_|3:45");
  EXPECT_EQ(Cut(""), "");
}

TEST(SplitToken, EqualsMisaki) {
  const auto cut = [](std::string_view token) {
    std::string out;
    std::vector<std::string_view> parts;
    SplitToken(token, &parts);
    for (const std::string_view part : parts) out += (out.empty() ? "" : "|") + std::string(part);
    return out;
  };
  EXPECT_EQ(cut("GPT4All"), "GPT|4|All");
  EXPECT_EQ(cut("iPhone"), "i|Phone");
  EXPECT_EQ(cut("HTMLParser"), "HTMLParser");
  EXPECT_EQ(cut("-5,000.25"), "-5,000.25");
  EXPECT_EQ(cut("5'a"), "5|a");
  EXPECT_EQ(cut("rock'n'roll"), "rock'n'r|oll");
  EXPECT_EQ(cut("a--b_c"), "a|--|b|_|c");
  EXPECT_EQ(cut("''x''"), "''|x|''");
}

TEST(IsUrl, KnowsHostsAddressesAndWhatIsNone) {
  for (const char* url :
       {"example.com", "http://a.bc/d?e", "user@example.org", "8.8.8.8:80/x", "x-y.co.uk", "www.a1.net:8080"}) {
    EXPECT_TRUE(IsUrl(url)) << url;
  }
  for (const char* other :
       {"", ".", "a.b", "192.168.1.1", "10.0.0.1", "word", "3.14", "a..bc", "-a.com", "a.com:1", "U.S.A.", "@.com"}) {
    EXPECT_FALSE(IsUrl(other)) << other;
  }
}

}  // namespace
}  // namespace koe::g2p::en
