// SPDX-License-Identifier: Apache-2.0
// Tokens, their part-of-speech tags, and the interface of whatever gives them.
#ifndef KOE_G2P_TAGGER_H_
#define KOE_G2P_TAGGER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace koe::g2p {

// Penn Treebank tags as spaCy's English models use them. kNone: not tagged.
enum class Tag : uint8_t {
  kNone,
  kCC,
  kCD,
  kDT,
  kEX,
  kFW,
  kIN,
  kJJ,
  kJJR,
  kJJS,
  kLS,
  kMD,
  kNN,
  kNNP,
  kNNPS,
  kNNS,
  kPDT,
  kPOS,
  kPRP,
  kPRPS,
  kRB,
  kRBR,
  kRBS,
  kRP,
  kSYM,
  kTO,
  kUH,
  kVB,
  kVBD,
  kVBG,
  kVBN,
  kVBP,
  kVBZ,
  kWDT,
  kWP,
  kWPS,
  kWRB,
  kPeriod,
  kComma,
  kLeftBracket,
  kRightBracket,
  kOpenQuote,
  kCloseQuote,
  kStraightQuote,
  kColon,
  kDollar,
  kHash,
  kNFP,
  kHYPH,
  kADD,
  kAFX,
  kXX,
  kSP,
  kGW
};

const char* TagName(Tag tag);  // "PRP$", "-LRB-", ...; "" for kNone
std::optional<Tag> ParseTag(std::string_view name);

constexpr bool IsVerb(Tag tag) { return tag >= Tag::kVB && tag <= Tag::kVBZ; }
constexpr bool IsNoun(Tag tag) { return tag >= Tag::kNN && tag <= Tag::kNNS; }
constexpr bool IsAdverb(Tag tag) { return tag >= Tag::kRB && tag <= Tag::kRBS; }
constexpr bool IsAdjective(Tag tag) { return tag >= Tag::kJJ && tag <= Tag::kJJS; }

// A piece of text as the tokeniser cuts it; text views the text that was cut.
struct Token {
  std::string_view text;
  size_t offset = 0;  // bytes into the text that was cut
  bool space_after = false;
  Tag tag = Tag::kNone;
};

// Thread-safe. Gives every token of one line of text a tag.
class Tagger {
 public:
  virtual ~Tagger() = default;
  virtual void TagTokens(std::span<Token> tokens) const = 0;
};

}  // namespace koe::g2p

#endif  // KOE_G2P_TAGGER_H_
