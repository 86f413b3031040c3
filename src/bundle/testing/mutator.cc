// SPDX-License-Identifier: Apache-2.0
#include "bundle/testing/mutator.h"

#include <algorithm>
#include <cctype>

namespace koe::bundle::testing {

uint64_t Mutator::Next() {  // SplitMix64
  uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

size_t Mutator::Below(size_t bound) { return bound == 0 ? 0 : Next() % bound; }

uint64_t Mutator::BorderValue(size_t file_size) {
  const uint64_t values[] = {0,
                             1,
                             2,
                             127,
                             128,
                             255,
                             uint64_t{1} << 16,
                             (uint64_t{1} << 31) - 1,
                             uint64_t{1} << 31,
                             (uint64_t{1} << 32) - 1,
                             uint64_t{1} << 32,
                             uint64_t{1} << 40,
                             (uint64_t{1} << 63) - 1,
                             uint64_t{1} << 63,
                             ~uint64_t{0},
                             file_size - 1,
                             file_size,
                             file_size + 1,
                             Next()};
  return values[Below(std::size(values))];
}

void Mutator::MutateOnce(std::string* bytes, std::string* what) {
  const auto note = [&](const std::string& name, size_t at) { *what += name + "@" + std::to_string(at) + " "; };
  const size_t at = Below(bytes->size());
  // Headers stand at the front: half of the damage goes there.
  const size_t place = Below(2) == 0 ? Below(std::min<size_t>(bytes->size(), 512)) : at;
  switch (Below(12)) {
    case 0:
      note("truncate", at);
      bytes->resize(at);
      return;
    case 1: {
      const size_t count = 1 + Below(64);
      note("append", count);
      for (size_t i = 0; i < count; ++i) bytes->push_back(static_cast<char>(Next()));
      return;
    }
    case 2:
    case 3: {
      const size_t count = 1 + Below(4);
      for (size_t i = 0; i < count && !bytes->empty(); ++i) {
        const size_t bit = Below(bytes->size() * 8);
        note("flip", bit / 8);
        (*bytes)[bit / 8] = static_cast<char>((*bytes)[bit / 8] ^ (1 << (bit % 8)));
      }
      return;
    }
    case 4:
      if (!bytes->empty()) {
        note("byte", place);
        (*bytes)[place] = static_cast<char>(Next());
      }
      return;
    case 5:
    case 6: {  // a length field
      const size_t width = size_t{1} << Below(4);
      if (bytes->size() < width) return;
      const size_t where = std::min(place, bytes->size() - width);
      const uint64_t value = BorderValue(bytes->size());
      note("field" + std::to_string(8 * width) + "=" + std::to_string(value), where);
      for (size_t i = 0; i < width; ++i) (*bytes)[where + i] = static_cast<char>(value >> (8 * i));
      return;
    }
    case 7: {
      const size_t count = std::min(1 + Below(64), bytes->size() - at);
      note("delete" + std::to_string(count), at);
      bytes->erase(at, count);
      return;
    }
    case 8: {  // insert a copy of another part
      const size_t from = Below(bytes->size()), count = std::min(1 + Below(200), bytes->size() - from);
      note("copy" + std::to_string(count), at);
      bytes->insert(at, bytes->substr(from, count));
      return;
    }
    case 9: {
      const size_t count = std::min(1 + Below(32), bytes->size() - at);
      note("fill" + std::to_string(count), at);
      std::fill_n(bytes->begin() + static_cast<std::ptrdiff_t>(at), count, Below(2) == 0 ? '\0' : '\xFF');
      return;
    }
    default: {  // a number in text: a shape, an offset, a size
      size_t digit = at;
      while (digit < bytes->size() && std::isdigit(static_cast<unsigned char>((*bytes)[digit])) == 0) ++digit;
      size_t end = digit;
      while (end < bytes->size() && std::isdigit(static_cast<unsigned char>((*bytes)[end])) != 0) ++end;
      if (digit == end) return;
      const std::string value = Below(4) == 0 ? "-1" : std::to_string(BorderValue(bytes->size()));
      note("number=" + value, digit);
      bytes->replace(digit, end - digit, value);
      return;
    }
  }
}

std::string Mutator::Mutate(std::string bytes, std::string* what) {
  const size_t count = 1 + Below(3);
  for (size_t i = 0; i < count; ++i) MutateOnce(&bytes, what);
  return bytes;
}

}  // namespace koe::bundle::testing
