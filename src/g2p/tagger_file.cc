// SPDX-License-Identifier: Apache-2.0
#include "g2p/tagger_file.h"

#include <algorithm>
#include <cstring>
#include <set>

namespace koe::g2p {
namespace {

using tagger_file::kAlignment;
using tagger_file::kEntryBytes;
using tagger_file::kHeaderBytes;
using tagger_file::kNameBytes;

template <typename T>
T Read(std::span<const std::byte> bytes, size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

template <typename T>
void Write(std::string* bytes, size_t offset, T value) {
  std::memcpy(bytes->data() + offset, &value, sizeof(T));
}

constexpr size_t Align(size_t size) { return (size + kAlignment - 1) / kAlignment * kAlignment; }

Error Corrupt(const std::string& why) { return Error(ErrorCode::kCorruptBundle, "tagger: " + why); }

// Printable ASCII and zero padding; empty where it is anything else.
std::string_view ReadName(std::span<const std::byte> field) {
  const std::string_view text(reinterpret_cast<const char*>(field.data()), kNameBytes);
  const std::string_view name = text.substr(0, std::min(text.find('\0'), kNameBytes));
  const bool is_padded = text.find_first_not_of('\0', name.size()) == std::string_view::npos;
  const bool is_printable = std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < '\x7F'; });
  return is_padded && is_printable && name.size() < kNameBytes ? name : std::string_view();
}

}  // namespace

uint64_t tagger_file::Checksum(std::span<const std::byte> bytes) {
  constexpr uint64_t kPrime = 0x9E3779B97F4A7C15;  // odd, so that every step is a bijection of the state
  uint64_t hash = kPrime ^ bytes.size();
  size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) hash = std::rotl((hash ^ Read<uint64_t>(bytes, i)) * kPrime, 29);
  for (; i < bytes.size(); ++i) hash = std::rotl((hash ^ std::to_integer<uint64_t>(bytes[i])) * kPrime, 29);
  return hash ^ (hash >> 32);
}

Result<TaggerFile> TaggerFile::Open(std::span<const std::byte> bytes) {
  using namespace tagger_file;  // NOLINT(google-build-using-namespace): the layout's names
  if (bytes.size() < kHeaderBytes) return Corrupt("shorter than its header");
  if (reinterpret_cast<uintptr_t>(bytes.data()) % 8 != 0) return Corrupt("not on an 8-byte boundary");
  if (std::memcmp(bytes.data(), kMagic, sizeof(kMagic)) != 0) return Corrupt("not a tagger's weights");
  if (const auto version = Read<uint32_t>(bytes, kVersionAt); version != kVersion) {
    return Error(ErrorCode::kUnsupported,
                 "tagger: version " + std::to_string(version) + ", expected " + std::to_string(kVersion));
  }
  if (Read<uint64_t>(bytes, kFileBytesAt) != bytes.size()) return Corrupt("truncated or padded");
  if (Read<uint64_t>(bytes, kChecksumAt) != Checksum(bytes.subspan(kHeaderBytes))) return Corrupt("checksum");
  const size_t num_sections = Read<uint32_t>(bytes, kNumSectionsAt);
  if (num_sections > kMaxSections || num_sections * kEntryBytes > bytes.size() - kHeaderBytes) {
    return Corrupt("number of sections: " + std::to_string(num_sections));
  }
  TaggerFile file;
  file.kind_ = TaggerKind{Read<uint32_t>(bytes, kKindAt)};
  size_t end = kHeaderBytes + num_sections * kEntryBytes;
  for (size_t i = 0; i < num_sections; ++i) {
    const size_t at = kHeaderBytes + i * kEntryBytes;
    const auto offset = Read<uint64_t>(bytes, at + kNameBytes), size = Read<uint64_t>(bytes, at + kNameBytes + 8);
    if (offset % kAlignment != 0 || offset < end || offset > bytes.size() || size > bytes.size() - offset) {
      return Corrupt("section " + std::to_string(i) + " lies outside the file or in another");
    }
    const std::string_view name = ReadName(bytes.subspan(at, kNameBytes));
    if (name.empty() || file.HasSection(name)) return Corrupt("name of section " + std::to_string(i));
    file.entries_.push_back({name, bytes.subspan(offset, size)});
    end = offset + size;
  }
  return file;
}

Result<std::span<const std::byte>> TaggerFile::Section(std::string_view name) const {
  for (const Entry& entry : entries_) {
    if (entry.name == name) return entry.bytes;
  }
  return Corrupt("no section " + std::string(name));
}

bool TaggerFile::HasSection(std::string_view name) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.name == name; });
}

Error TaggerFile::WrongSize(std::string_view name, size_t size) {
  return Corrupt("section " + std::string(name) + " has " + std::to_string(size) + " bytes");
}

Result<std::string> WriteTaggerFile(TaggerKind kind, std::span<const TaggerSection> sections) {
  using namespace tagger_file;  // NOLINT(google-build-using-namespace): the layout's names
  if (sections.size() > kMaxSections) return Error(ErrorCode::kInvalidArgument, "tagger: too many sections");
  std::set<std::string_view> names;
  std::string bytes(kHeaderBytes + sections.size() * kEntryBytes, '\0');
  std::memcpy(bytes.data(), kMagic, sizeof(kMagic));
  for (size_t i = 0; i < sections.size(); ++i) {
    const std::string& name = sections[i].name;
    std::string field = name;
    field.resize(kNameBytes);
    if (name.empty() || ReadName(std::as_bytes(std::span(field))) != name || !names.insert(name).second) {
      return Error(ErrorCode::kInvalidArgument, "tagger: name of section " + std::to_string(i));
    }
    const size_t at = kHeaderBytes + i * kEntryBytes, offset = Align(bytes.size());
    std::memcpy(bytes.data() + at, field.data(), kNameBytes);
    Write<uint64_t>(&bytes, at + kNameBytes, offset);
    Write<uint64_t>(&bytes, at + kNameBytes + 8, sections[i].bytes.size());
    bytes.resize(offset);
    bytes += sections[i].bytes;
  }
  bytes.resize(Align(bytes.size()));
  Write<uint32_t>(&bytes, kVersionAt, kVersion);
  Write<uint32_t>(&bytes, kKindAt, static_cast<uint32_t>(kind));
  Write<uint32_t>(&bytes, kNumSectionsAt, static_cast<uint32_t>(sections.size()));
  Write<uint64_t>(&bytes, kFileBytesAt, bytes.size());
  Write<uint64_t>(&bytes, kChecksumAt, Checksum(std::as_bytes(std::span(bytes)).subspan(kHeaderBytes)));
  return bytes;
}

}  // namespace koe::g2p
