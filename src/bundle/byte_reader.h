// SPDX-License-Identifier: Apache-2.0
// The one way the importers read bytes and multiply sizes that come from a file.
#ifndef KOE_BUNDLE_BYTE_READER_H_
#define KOE_BUNDLE_BYTE_READER_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

namespace koe::bundle {

using Bytes = std::span<const std::byte>;

static_assert(sizeof(size_t) == 8, "offsets of files beyond 4 GiB are kept in size_t");

inline std::string_view AsText(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
inline Bytes AsBytes(std::string_view text) { return {reinterpret_cast<const std::byte*>(text.data()), text.size()}; }

inline std::optional<size_t> CheckedAdd(size_t a, size_t b) {
  size_t sum;
  return __builtin_add_overflow(a, b, &sum) ? std::nullopt : std::optional<size_t>(sum);
}
inline std::optional<size_t> CheckedMul(size_t a, size_t b) {
  size_t product;
  return __builtin_mul_overflow(a, b, &product) ? std::nullopt : std::optional<size_t>(product);
}
// Product of the dimensions; 1 for a scalar.
inline std::optional<size_t> CheckedElements(std::span<const size_t> shape) {
  size_t n = 1;
  for (const size_t d : shape) {
    const auto next = CheckedMul(n, d);
    if (!next) return std::nullopt;
    n = *next;
  }
  return n;
}

// Little-endian value at an address of any alignment.
template <typename T>
T LoadLe(const std::byte* p) {
  static_assert(std::is_trivially_copyable_v<T> && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
  T value;
  std::memcpy(&value, p, sizeof(T));
  return value;
}

// A cursor over bytes in memory. Every read says whether it fitted; a read that does not fit moves nothing.
class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) : bytes_(bytes) {}
  size_t offset() const { return offset_; }
  size_t remaining() const { return bytes_.size() - offset_; }
  bool done() const { return offset_ == bytes_.size(); }

  [[nodiscard]] bool Take(size_t count, Bytes* out) {
    if (count > remaining()) return false;
    *out = bytes_.subspan(offset_, count);
    offset_ += count;
    return true;
  }
  [[nodiscard]] bool Skip(size_t count) {
    Bytes unused;
    return Take(count, &unused);
  }
  template <typename T>
  [[nodiscard]] bool Read(T* out) {
    Bytes raw;
    if (!Take(sizeof(T), &raw)) return false;
    *out = LoadLe<T>(raw.data());
    return true;
  }
  // Base 128, at most ten bytes, no bits beyond the 64th.
  [[nodiscard]] bool ReadVarint(uint64_t* out) {
    uint64_t value = 0;
    for (size_t i = 0; i < 10 && i < remaining(); ++i) {
      const auto byte = static_cast<uint64_t>(bytes_[offset_ + i]);
      if (i == 9 && byte > 1) return false;
      value |= (byte & 0x7F) << (7 * i);
      if (byte < 0x80) {
        offset_ += i + 1;
        *out = value;
        return true;
      }
    }
    return false;
  }

 private:
  Bytes bytes_;
  size_t offset_ = 0;
};

}  // namespace koe::bundle

#endif  // KOE_BUNDLE_BYTE_READER_H_
