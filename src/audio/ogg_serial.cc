// SPDX-License-Identifier: Apache-2.0
#include "audio/ogg_serial.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace koe {
namespace {

constexpr size_t kHeaderBytes = 27;  // up to the segment table
constexpr size_t kSerialAt = 14;
constexpr size_t kChecksumAt = 22;
constexpr size_t kNumSegmentsAt = 26;

// CRC-32 with polynomial 0x04c11db7, most significant bit first, nothing inverted.
uint32_t Checksum(const char* data, size_t size, uint32_t crc = 0) {
  static const std::array<uint32_t, 256> table = [] {
    std::array<uint32_t, 256> t{};
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t r = i << 24;
      for (int bit = 0; bit < 8; ++bit) r = (r << 1) ^ ((r & 0x80000000u) != 0 ? 0x04c11db7u : 0u);
      t[i] = r;
    }
    return t;
  }();
  for (size_t i = 0; i < size; ++i) crc = (crc << 8) ^ table[(crc >> 24) ^ static_cast<uint8_t>(data[i])];
  return crc;
}

void StoreLittleEndian32(uint32_t value, char* dst) {
  for (int i = 0; i < 4; ++i) dst[i] = static_cast<char>(value >> (8 * i) & 0xff);
}

struct Page {
  size_t offset, size;
};

// Empty where the text is not a whole sequence of pages.
std::vector<Page> FindPages(const std::string& ogg) {
  std::vector<Page> pages;
  for (size_t offset = 0; offset < ogg.size();) {
    if (ogg.size() - offset < kHeaderBytes || ogg.compare(offset, 4, "OggS") != 0) return {};
    const size_t num_segments = static_cast<uint8_t>(ogg[offset + kNumSegmentsAt]);
    size_t size = kHeaderBytes + num_segments;
    if (ogg.size() - offset < size) return {};
    for (size_t i = 0; i < num_segments; ++i) size += static_cast<uint8_t>(ogg[offset + kHeaderBytes + i]);
    if (ogg.size() - offset < size) return {};
    pages.push_back({offset, size});
    offset += size;
  }
  return pages;
}

}  // namespace

void MakeOggSerialReproducible(std::string* ogg) {
  const std::vector<Page> pages = FindPages(*ogg);
  for (const Page& page : pages) {
    StoreLittleEndian32(0, &(*ogg)[page.offset + kSerialAt]);
    StoreLittleEndian32(0, &(*ogg)[page.offset + kChecksumAt]);
  }
  const uint32_t serial = Checksum(ogg->data(), ogg->size());
  for (const Page& page : pages) {
    char* data = &(*ogg)[page.offset];
    StoreLittleEndian32(serial, data + kSerialAt);
    StoreLittleEndian32(Checksum(data, page.size), data + kChecksumAt);
  }
}

}  // namespace koe
