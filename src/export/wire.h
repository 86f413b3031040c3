// SPDX-License-Identifier: Apache-2.0
// Protocol-buffer messages, written field by field. Fields come out in the order of the calls: equal calls, equal
// bytes.
#ifndef KOE_EXPORT_WIRE_H_
#define KOE_EXPORT_WIRE_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace koe::exporter {

class Message {
 public:
  // int32, int64, uint64, enum and bool.
  void Varint(uint32_t field, int64_t value) {
    Tag(field, 0);
    Raw(static_cast<uint64_t>(value));
  }
  void Float(uint32_t field, float value) {
    Tag(field, 5);
    Fixed(value);
  }
  void Text(uint32_t field, std::string_view text) {
    Tag(field, 2);
    Raw(text.size());
    bytes_ += text;
  }
  void Sub(uint32_t field, const Message& message) { Text(field, message.bytes_); }
  // An entry of a map from text to a message or to text.
  void Entry(uint32_t field, std::string_view key, const Message& value) { Entry(field, key, value.bytes_); }
  void Entry(uint32_t field, std::string_view key, std::string_view value) {
    Message entry;
    entry.Text(1, key);
    entry.Text(2, value);
    Sub(field, entry);
  }
  template <typename T>
  void PackedVarints(uint32_t field, std::span<const T> values) {
    Message packed;
    for (const T v : values) packed.Raw(static_cast<uint64_t>(static_cast<int64_t>(v)));
    Sub(field, packed);
  }
  void PackedFloats(uint32_t field, std::span<const float> values) {
    Message packed;
    for (const float v : values) packed.Fixed(v);
    Sub(field, packed);
  }

  const std::string& bytes() const { return bytes_; }

 private:
  void Tag(uint32_t field, uint32_t wire_type) { Raw(uint64_t{field} << 3 | wire_type); }
  void Raw(uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
    bytes_ += static_cast<char>(value);
  }
  void Fixed(float value) {
    const auto bits = std::bit_cast<uint32_t>(value);
    for (int shift = 0; shift < 32; shift += 8) bytes_ += static_cast<char>(bits >> shift & 0xFF);
  }

  std::string bytes_;
};

}  // namespace koe::exporter

#endif  // KOE_EXPORT_WIRE_H_
