// SPDX-License-Identifier: Apache-2.0
// Phoneme symbols and their rows in the model's token embedding.
#ifndef KOE_BUNDLE_VOCAB_H_
#define KOE_BUNDLE_VOCAB_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "koe/result.h"

namespace koe::bundle {

// Immutable; ids are unique and in [1, num_rows): 0 is the boundary token.
class Vocab {
 public:
  // Kokoro v1.0's 114 symbols.
  static const Vocab& Kokoro();
  // {"vocab": {"<one character>": id, ...}}. kCorruptBundle names the entry.
  static Result<Vocab> Parse(std::string_view json, size_t num_rows);

  std::optional<int32_t> Find(char32_t symbol) const;
  size_t size() const { return entries_.size(); }
  size_t num_rows() const { return num_rows_; }
  // Sorted by symbol.
  const std::vector<std::pair<char32_t, int32_t>>& entries() const { return entries_; }
  // What Parse reads, ordered by id; the same symbols give the same bytes.
  std::string ToJson() const;

 private:
  std::vector<std::pair<char32_t, int32_t>> entries_;
  size_t num_rows_ = 0;
};

}  // namespace koe::bundle

#endif  // KOE_BUNDLE_VOCAB_H_
