// SPDX-License-Identifier: Apache-2.0
#include "g2p/lexicon.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/utf8.h"
#include "g2p/lexicon_format.h"
#include "text/unicode.h"

namespace koe::g2p {
namespace {

namespace format = lexicon_format;

uint32_t ReadU32(std::span<const uint8_t> bytes, size_t offset) {
  return static_cast<uint32_t>(bytes[offset]) | static_cast<uint32_t>(bytes[offset + 1]) << 8 |
         static_cast<uint32_t>(bytes[offset + 2]) << 16 | static_cast<uint32_t>(bytes[offset + 3]) << 24;
}

Error Corrupt(const std::string& why) { return Error(ErrorCode::kCorruptBundle, "lexicon: " + why); }

uint64_t ReadBigEndian64(const uint8_t* bytes) {
  uint64_t value;
  std::memcpy(&value, bytes, sizeof(value));
  return std::endian::native == std::endian::little ? __builtin_bswap64(value) : value;
}

std::string_view AsText(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Reads forward through one block; every step is checked against its end.
class Cursor {
 public:
  explicit Cursor(std::span<const uint8_t> bytes) : next_(bytes.data()), end_(bytes.data() + bytes.size()) {}
  bool Byte(unsigned* value) {
    if (next_ == end_) return false;
    *value = *next_++;
    return true;
  }
  bool Take(size_t size, std::span<const uint8_t>* bytes) {
    if (size > static_cast<size_t>(end_ - next_)) return false;
    *bytes = {next_, size};
    next_ += size;
    return true;
  }
  std::span<const uint8_t> rest() const { return {next_, end_}; }

 private:
  const uint8_t* next_;
  const uint8_t* end_;
};

// An entry is a key and a value.
struct RawKey {
  unsigned shared;
  std::string_view suffix;
};

inline bool ReadKey(Cursor* cursor, RawKey* key) {
  unsigned lengths = 0;
  if (!cursor->Byte(&lengths)) return false;
  key->shared = lengths >> 4;
  unsigned suffix_size = lengths & 15;
  if (suffix_size == format::kLongKey && !cursor->Byte(&suffix_size)) return false;
  std::span<const uint8_t> suffix;
  if (!cursor->Take(suffix_size, &suffix)) return false;
  key->suffix = AsText(suffix);
  return true;
}

bool SkipVariants(Cursor* cursor, std::span<const uint8_t>* variants) {
  const std::span<const uint8_t> after = cursor->rest();
  unsigned count = 0;
  if (!cursor->Byte(&count)) return false;
  size_t size = 1;
  for (unsigned i = 0; i < count; ++i) {
    unsigned tag = 0, length = 0;
    std::span<const uint8_t> codes;
    if (!cursor->Byte(&tag) || !cursor->Byte(&length)) return false;
    if (length == format::kNullLength) length = 0;
    if (!cursor->Take(length, &codes)) return false;
    size += 2 + length;
  }
  *variants = after.first(size);
  return true;
}

inline bool ReadCodes(Cursor* cursor, unsigned* flags, std::span<const uint8_t>* codes) {
  if (!cursor->Byte(flags)) return false;
  unsigned num_codes = *flags & format::kLengthMask;
  if (num_codes == format::kLongValue && !cursor->Byte(&num_codes)) return false;
  return cursor->Take(num_codes, codes);
}

inline bool SkipValue(Cursor* cursor) {
  unsigned flags = 0;
  std::span<const uint8_t> ignored;
  if (!ReadCodes(cursor, &flags, &ignored)) return false;
  return (flags & format::kVariantsFlag) == 0 || SkipVariants(cursor, &ignored);
}

std::optional<Lexicon::Entry> ReadValue(Cursor* cursor) {
  unsigned flags = 0;
  Lexicon::Entry entry{};
  if (!ReadCodes(cursor, &flags, &entry.codes)) return std::nullopt;
  entry.tier = (flags & format::kSilverFlag) != 0 ? Lexicon::Tier::kSilver : Lexicon::Tier::kGold;
  entry.has_variants = (flags & format::kVariantsFlag) != 0;
  if (entry.has_variants && !SkipVariants(cursor, &entry.variants)) return std::nullopt;
  return entry;
}

size_t CommonPrefix(std::string_view a, std::string_view b) {
  size_t common = 0;
  while (common < std::min(a.size(), b.size()) && a[common] == b[common]) ++common;
  return common;
}

}  // namespace

Result<Lexicon> Lexicon::Open(std::span<const std::byte> file) {
  const std::span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(file.data()), file.size());
  if (bytes.size() < format::kHeaderBytes) return Corrupt("shorter than its header");
  if (std::memcmp(bytes.data(), format::kMagic, sizeof(format::kMagic)) != 0) return Corrupt("not a lexicon file");
  const auto word = [&](size_t index) { return ReadU32(bytes, sizeof(format::kMagic) + 4 * index); };
  if (word(format::kVersionWord) != format::kVersion) {
    return Corrupt("version " + std::to_string(word(format::kVersionWord)) + ", expected " +
                   std::to_string(format::kVersion));
  }
  if (word(format::kFileBytes) != bytes.size()) return Corrupt("truncated or padded");
  bool fits = true;
  const auto part = [&](size_t offset, uint64_t size) -> std::span<const uint8_t> {
    if (offset < format::kHeaderBytes || offset > bytes.size() || size > bytes.size() - offset) {
      fits = false;
      return {};
    }
    return bytes.subspan(offset, size);
  };
  const uint64_t num_symbols = word(format::kNumSymbols), num_pairs = word(format::kNumPairs);
  if (num_symbols + num_pairs > format::kMaxCodes || word(format::kNumTags) > format::kMaxTags) {
    return Corrupt("too many symbols or tags");
  }
  Lexicon lexicon;
  lexicon.num_keys_ = word(format::kNumKeys);
  lexicon.num_blocks_ = word(format::kNumBlocks);
  lexicon.max_key_bytes_ = std::min<size_t>(word(format::kMaxKeyWord), format::kMaxKeyBytes);
  const auto symbols = part(word(format::kSymbolsOffset), 4 * num_symbols);
  const auto pairs = part(word(format::kPairsOffset), 2 * num_pairs);
  lexicon.tags_ = part(word(format::kTagsOffset), uint64_t{format::kTagBytes} * word(format::kNumTags));
  lexicon.prefixes_ = part(word(format::kPrefixesOffset), uint64_t{format::kPrefixBytes} * word(format::kNumBlocks));
  lexicon.block_offsets_ = part(word(format::kBlocksOffset), 4 * (uint64_t{word(format::kNumBlocks)} + 1));
  lexicon.keys_ =
      part(word(format::kKeysOffset), bytes.size() - std::min<size_t>(word(format::kKeysOffset), bytes.size()));
  if (!fits) return Corrupt("a table lies outside the file");
  if (lexicon.num_blocks_ != (lexicon.num_keys_ + format::kKeysPerBlock - 1) / format::kKeysPerBlock) {
    return Corrupt("number of blocks");
  }
  uint32_t previous = 0;
  for (size_t b = 0; b <= lexicon.num_blocks_; ++b) {
    const uint32_t offset = ReadU32(lexicon.block_offsets_, 4 * b);
    if (offset > lexicon.keys_.size() || (b == 0 ? offset != 0 : offset <= previous)) return Corrupt("block index");
    previous = offset;
  }
  if (previous != lexicon.keys_.size()) return Corrupt("block index");

  lexicon.expansions_.assign(256, Expansion{});
  for (size_t i = 0; i < num_symbols; ++i) {
    const char32_t c = ReadU32(symbols, 4 * i);
    if (c == 0 || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) return Corrupt("symbol table");
    std::string utf8;
    AppendUtf8(c, &utf8);
    Expansion& expansion = lexicon.expansions_[i];
    std::copy(utf8.begin(), utf8.end(), expansion.utf8.begin());
    expansion.size = static_cast<uint8_t>(utf8.size());
  }
  for (size_t i = 0; i < num_pairs; ++i) {
    Expansion& expansion = lexicon.expansions_[num_symbols + i];
    for (size_t half = 0; half < 2; ++half) {
      if (pairs[2 * i + half] >= num_symbols) return Corrupt("pair table");
      const Expansion& symbol = lexicon.expansions_[pairs[2 * i + half]];
      std::copy_n(symbol.utf8.begin(), symbol.size, expansion.utf8.begin() + expansion.size);
      expansion.size = static_cast<uint8_t>(expansion.size + symbol.size);
    }
  }
  return lexicon;
}

std::span<const uint8_t> Lexicon::Block(size_t index) const {
  const uint32_t begin = ReadU32(block_offsets_, 4 * index);
  return keys_.subspan(begin, ReadU32(block_offsets_, 4 * (index + 1)) - begin);
}

size_t Lexicon::NumBlocksUpTo(std::string_view key) const {
  uint8_t padded[format::kPrefixBytes] = {};
  std::copy_n(key.begin(), std::min(key.size(), sizeof(padded)), padded);
  const uint64_t key_prefix = ReadBigEndian64(padded);
  const uint8_t* const prefixes = prefixes_.data();
  size_t low = 0, size = num_blocks_;
  while (size > 0) {
    const size_t half = size / 2;
    const uint64_t prefix = ReadBigEndian64(prefixes + (low + half) * format::kPrefixBytes);
    bool is_up_to = prefix < key_prefix;
    if (prefix == key_prefix) {
      Cursor cursor(Block(low + half));
      RawKey first;
      is_up_to = ReadKey(&cursor, &first) && first.suffix <= key;
    }
    low += is_up_to ? half + 1 : 0;
    size = is_up_to ? size - half - 1 : half;
  }
  return low;
}

std::optional<Lexicon::Entry> Lexicon::Find(std::string_view key) const {
  if (key.empty() || key.size() > max_key_bytes_) return std::nullopt;
  const size_t block = NumBlocksUpTo(key);
  if (block == 0) return std::nullopt;
  Cursor cursor(Block(block - 1));
  RawKey raw;
  // `matched` bytes of the key before equal `key`; one that shares more than those with it differs at the same place.
  size_t matched = 0;
  for (size_t i = 0; i < format::kKeysPerBlock && ReadKey(&cursor, &raw); ++i) {
    if (raw.shared <= matched) {
      const size_t common = CommonPrefix(key.substr(raw.shared), raw.suffix);
      matched = raw.shared + common;
      if (common == raw.suffix.size()) {
        if (matched == key.size()) return ReadValue(&cursor);
      } else if (matched == key.size() ||
                 static_cast<unsigned char>(raw.suffix[common]) > static_cast<unsigned char>(key[matched])) {
        return std::nullopt;  // keys ascend: past it
      }
    }
    if (!SkipValue(&cursor)) return std::nullopt;
  }
  return std::nullopt;
}

size_t Lexicon::LongestSharedPrefix(std::string_view text) const {
  const size_t block = NumBlocksUpTo(text);
  size_t longest = 0;
  RawKey raw;
  if (block > 0) {
    Cursor cursor(Block(block - 1));
    size_t matched = 0;
    for (size_t i = 0; i < format::kKeysPerBlock && ReadKey(&cursor, &raw); ++i) {
      if (raw.shared <= matched) {
        matched = raw.shared + CommonPrefix(text.substr(raw.shared), raw.suffix);
        longest = std::max(longest, matched);
      }
      if (!SkipValue(&cursor)) break;
    }
  }
  if (block < num_blocks_) {
    Cursor cursor(Block(block));
    if (ReadKey(&cursor, &raw)) longest = std::max(longest, CommonPrefix(text, raw.suffix));
  }
  return longest;
}

namespace {

// The other form that a grown dictionary has for `key`, written into `form`: "word" for "Word" and the reverse.
bool GrownForm(std::string_view key, char* form) {
  if (key.size() < 2 || key.size() > format::kMaxKeyBytes) return false;
  if (!text::IsAsciiLetter(static_cast<unsigned char>(key[0]))) return false;
  for (size_t i = 1; i < key.size(); ++i) {
    if (text::IsAsciiUpper(static_cast<unsigned char>(key[i]))) return false;
  }
  std::copy(key.begin(), key.end(), form);
  form[0] = static_cast<char>(form[0] ^ 0x20);
  return true;
}

}  // namespace

std::optional<Lexicon::Entry> Lexicon::FindGrown(std::string_view key) const {
  const auto exact = Find(key);
  if (exact && exact->tier == Tier::kGold) return exact;
  char form[format::kMaxKeyBytes];
  if (!GrownForm(key, form)) return exact;
  const auto grown = Find({form, key.size()});
  if (grown && grown->tier == Tier::kGold) return grown;
  return exact ? exact : grown;
}

std::optional<Lexicon::Entry> Lexicon::FindGold(std::string_view key) const {
  auto entry = FindGrown(key);
  if (entry && entry->tier != Tier::kGold) return std::nullopt;
  return entry;
}

std::string Lexicon::Decode(std::span<const uint8_t> codes) const {
  std::string out;
  for (const uint8_t code : codes) {
    const Expansion& expansion = expansions_[code];
    out.append(expansion.utf8.data(), expansion.size);
  }
  return out;
}

std::optional<Lexicon::Variant> Lexicon::FindVariant(const Entry& entry, std::string_view tag) const {
  Cursor cursor(entry.variants);
  unsigned count = 0;
  if (!cursor.Byte(&count)) return std::nullopt;
  for (unsigned i = 0; i < count; ++i) {
    unsigned code = 0, length = 0;
    std::span<const uint8_t> codes;
    if (!cursor.Byte(&code) || !cursor.Byte(&length)) return std::nullopt;
    const bool is_null = length == format::kNullLength;
    if (!cursor.Take(is_null ? 0 : length, &codes)) return std::nullopt;
    if ((code + 1) * format::kTagBytes > tags_.size()) continue;
    std::string_view name = AsText(tags_.subspan(code * format::kTagBytes, format::kTagBytes));
    name = name.substr(0, std::min(name.find('\0'), name.size()));
    if (name == tag) return Variant{is_null, codes};
  }
  return std::nullopt;
}

}  // namespace koe::g2p
