// SPDX-License-Identifier: Apache-2.0
// The file that holds a trained tagger's weights (docs/tagger.md): a header, a table of named sections, the sections.
// Every implementation of Tagger with weights reads its own from this one container. All integers are little-endian.
#ifndef KOE_G2P_TAGGER_FILE_H_
#define KOE_G2P_TAGGER_FILE_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "g2p/tagger.h"
#include "koe/result.h"

namespace koe::g2p {

static_assert(std::endian::native == std::endian::little, "sections are read in place");

namespace tagger_file {

inline constexpr char kMagic[8] = {'K', 'O', 'E', 'T', 'A', 'G', '1', '\0'};
inline constexpr uint32_t kVersion = 1;
inline constexpr size_t kAlignment = 64;  // of each section's offset
inline constexpr size_t kNameBytes = 16;  // zero-padded; at most 15 characters
inline constexpr size_t kMaxSections = 256;

// Byte offsets in the header. 20 and everything from 40 on are zero.
enum HeaderOffset : size_t {
  kVersionAt = 8,       // uint32
  kKindAt = 12,         // uint32, TaggerKind
  kNumSectionsAt = 16,  // uint32
  kFileBytesAt = 24,    // uint64
  kChecksumAt = 32,     // uint64, Checksum of everything behind the header
  kHeaderBytes = 64
};
// Then the table, kEntryBytes a section in ascending order of offset: name, uint64 offset, uint64 size. Zero bytes fill
// the gaps; the file ends with the last section, padded to kAlignment.
inline constexpr size_t kEntryBytes = kNameBytes + 16;

// Detects damage, not malice. Any size.
uint64_t Checksum(std::span<const std::byte> bytes);

}  // namespace tagger_file

enum class TaggerKind : uint32_t {
  kPerceptron = 1,  // g2p/en/perceptron_tagger.h
  kNetwork = 2      // spaCy's tok2vec and tagger
};

// A checked view of a weight file; the bytes must outlive it. Immutable, thread-safe.
class TaggerFile {
 public:
  // kCorruptBundle: header, checksum or section table is wrong, or the bytes do not lie on an 8-byte boundary.
  // kUnsupported: another version.
  static Result<TaggerFile> Open(std::span<const std::byte> bytes);

  TaggerKind kind() const { return kind_; }  // may be a number that no enumerator has
  // The section's bytes, which may be none. kCorruptBundle: there is none of that name.
  Result<std::span<const std::byte>> Section(std::string_view name) const;
  bool HasSection(std::string_view name) const;

  // The section as an array of T. kCorruptBundle as well where its size is no multiple of T's, or, where count is
  // given, not that number.
  template <typename T>
  Result<std::span<const T>> Array(std::string_view name) const {
    static_assert(std::is_arithmetic_v<T> && sizeof(T) <= 8);
    KOE_TRY(const std::span<const std::byte> bytes, Section(name));
    if (bytes.size() % sizeof(T) != 0) return WrongSize(name, bytes.size());
    return std::span<const T>(reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T));
  }
  template <typename T>
  Result<std::span<const T>> Array(std::string_view name, uint64_t count) const {
    KOE_TRY(const std::span<const T> values, Array<T>(name));
    if (values.size() != count) return WrongSize(name, values.size_bytes());
    return values;
  }

 private:
  struct Entry {
    std::string_view name;
    std::span<const std::byte> bytes;
  };
  static Error WrongSize(std::string_view name, size_t size);

  TaggerKind kind_ = TaggerKind::kPerceptron;
  std::vector<Entry> entries_;
};

struct TaggerSection {
  std::string name;  // 1 to 15 characters, each name once
  std::string bytes;
};
// The whole file; equal input gives equal bytes. kInvalidArgument: a name, or more than kMaxSections.
Result<std::string> WriteTaggerFile(TaggerKind kind, std::span<const TaggerSection> sections);

// The tagger that the weights are for; the bytes must outlive it. TaggerFile's errors, the implementation's own
// kCorruptBundle, and kUnsupported for a kind that this build does not know.
Result<std::unique_ptr<Tagger>> OpenTagger(std::span<const std::byte> bytes);
// The same from a file, which stays mapped as long as the tagger lives. Also kNotFound, kIo; the path is in the
// message.
Result<std::unique_ptr<Tagger>> OpenTagger(const std::string& path);

}  // namespace koe::g2p

#endif  // KOE_G2P_TAGGER_FILE_H_
