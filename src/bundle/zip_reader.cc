// SPDX-License-Identifier: Apache-2.0
// Field layouts: PKWARE APPNOTE 6.3.10, sections 4.3.7 to 4.3.16 and 4.5.3.
#include "bundle/zip_reader.h"

#include <algorithm>
#include <array>
#include <set>

#include "bundle/limits.h"
#include "bundle/quoted.h"

namespace koe::bundle {
namespace {

constexpr uint32_t kLocalSignature = 0x04034B50, kDirectorySignature = 0x02014B50, kDescriptorSignature = 0x08074B50;
constexpr uint32_t kEndSignature = 0x06054B50, kEnd64Signature = 0x06064B50, kLocator64Signature = 0x07064B50;
constexpr size_t kEndSize = 22, kLocator64Size = 20, kEnd64Size = 56;
constexpr uint16_t kHasDescriptor = 1 << 3, kUtf8Names = 1 << 11;
constexpr uint32_t kFull32 = 0xFFFFFFFF;
constexpr uint16_t kFull16 = 0xFFFF;

Error Corrupt(const std::string& why) { return Error(ErrorCode::kCorruptBundle, "zip: " + why); }

struct Directory {
  uint64_t num_entries, size, offset, end;  // end: where it must stop
};

struct Header {  // of the central directory
  std::string_view name;
  uint16_t flags, method;
  uint32_t crc;
  uint64_t compressed, size, local_offset;
};

Result<Directory> FindDirectory(Bytes file) {
  if (file.size() < kEndSize) return Corrupt("too short");
  ByteReader end(file.subspan(file.size() - kEndSize));
  uint32_t signature, size, offset;
  uint16_t disk, directory_disk, here, total, comment;
  const bool read = end.Read(&signature) && end.Read(&disk) && end.Read(&directory_disk) && end.Read(&here) &&
                    end.Read(&total) && end.Read(&size) && end.Read(&offset) && end.Read(&comment);
  if (!read || signature != kEndSignature || comment != 0) return Corrupt("no end record at the end of the file");
  Directory directory{total, size, offset, file.size() - kEndSize};
  const size_t locator_at = file.size() - kEndSize - std::min(kLocator64Size, file.size() - kEndSize);
  ByteReader locator(file.subspan(locator_at));
  uint32_t locator_disk, disks;
  uint64_t end64_at;
  if (locator.remaining() == kEndSize + kLocator64Size && locator.Read(&signature) &&
      signature == kLocator64Signature && locator.Read(&locator_disk) && locator.Read(&end64_at) &&
      locator.Read(&disks)) {
    if (locator_at < kEnd64Size || end64_at != locator_at - kEnd64Size) return Corrupt("zip64 end record out of place");
    ByteReader end64(file.subspan(end64_at, kEnd64Size));
    uint64_t record_size, here64, total64, size64, offset64;
    uint32_t versions, disk64, directory_disk64;
    const bool read64 = end64.Read(&signature) && end64.Read(&record_size) && end64.Read(&versions) &&
                        end64.Read(&disk64) && end64.Read(&directory_disk64) && end64.Read(&here64) &&
                        end64.Read(&total64) && end64.Read(&size64) && end64.Read(&offset64);
    if (!read64 || signature != kEnd64Signature || record_size != kEnd64Size - 12 || here64 != total64 || disk64 != 0 ||
        directory_disk64 != 0 || locator_disk != 0 || disks > 1) {
      return Corrupt("bad zip64 end record");
    }
    if ((total != kFull16 && total != total64) || (size != kFull32 && size != size64) ||
        (offset != kFull32 && offset != offset64)) {
      return Corrupt("the two end records disagree");
    }
    directory = {total64, size64, offset64, end64_at};
  } else if (disk != 0 || directory_disk != 0 || here != total) {
    return Corrupt("in several parts");
  }
  const auto stop = CheckedAdd(directory.offset, directory.size);
  if (!stop || *stop != directory.end) return Corrupt("directory is not where the end record says");
  return directory;
}

// Finds the zip64 values for those of the given fields that are full, in the standard's order.
bool ReadZip64(Bytes extra, std::initializer_list<uint64_t*> fields) {
  bool needed = false;
  for (const uint64_t* field : fields) needed = needed || *field == kFull32;
  if (!needed) return true;
  ByteReader reader(extra);
  while (!reader.done()) {
    uint16_t id, size;
    Bytes body;
    if (!reader.Read(&id) || !reader.Read(&size) || !reader.Take(size, &body)) return false;
    if (id != 1) continue;
    ByteReader values(body);
    for (uint64_t* field : fields) {
      if (*field == kFull32 && !values.Read(field)) return false;
    }
    return true;
  }
  return false;
}

Result<Header> ReadHeader(ByteReader* reader) {
  Header header;
  uint32_t signature, versions, time, compressed, size, external, local_offset;
  uint16_t name_size, extra_size, comment_size, disk, internal;
  Bytes name, extra, comment;
  const bool read =
      reader->Read(&signature) && reader->Read(&versions) && reader->Read(&header.flags) &&
      reader->Read(&header.method) && reader->Read(&time) && reader->Read(&header.crc) && reader->Read(&compressed) &&
      reader->Read(&size) && reader->Read(&name_size) && reader->Read(&extra_size) && reader->Read(&comment_size) &&
      reader->Read(&disk) && reader->Read(&internal) && reader->Read(&external) && reader->Read(&local_offset) &&
      reader->Take(name_size, &name) && reader->Take(extra_size, &extra) && reader->Take(comment_size, &comment);
  if (!read || signature != kDirectorySignature || disk != 0) return Corrupt("bad directory entry");
  header.name = AsText(name);
  header.compressed = compressed;
  header.size = size;
  header.local_offset = local_offset;
  if (!ReadZip64(extra, {&header.size, &header.compressed, &header.local_offset})) return Corrupt("bad zip64 field");
  return header;
}

bool IsSafeName(std::string_view name) {
  if (name.empty() || name.size() > kMaxTensorNameBytes) return false;
  size_t begin = 0;
  for (size_t i = 0; i <= name.size(); ++i) {
    if (i < name.size() && name[i] != '/') {
      if (static_cast<unsigned char>(name[i]) < 0x20 || name[i] == '\\' || name[i] == ':') return false;
      continue;
    }
    const std::string_view part = name.substr(begin, i - begin);
    if (part.empty() || part == "." || part == "..") return false;
    begin = i + 1;
  }
  return true;
}

// The entry's data; *end is where its record stops.
Result<Bytes> ReadLocal(Bytes file, const Header& header, uint64_t limit, uint64_t* end) {
  const std::string shown = Quoted(header.name) + ": ";
  if (header.local_offset > limit) return Corrupt(shown + "out of place");
  ByteReader reader(file.first(limit).subspan(header.local_offset));
  uint32_t signature, time, crc, compressed32, size32;
  uint16_t version, flags, method, name_size, extra_size;
  Bytes name, extra, data;
  const bool read = reader.Read(&signature) && reader.Read(&version) && reader.Read(&flags) && reader.Read(&method) &&
                    reader.Read(&time) && reader.Read(&crc) && reader.Read(&compressed32) && reader.Read(&size32) &&
                    reader.Read(&name_size) && reader.Read(&extra_size) && reader.Take(name_size, &name) &&
                    reader.Take(extra_size, &extra);
  if (!read || signature != kLocalSignature) return Corrupt(shown + "bad local header");
  uint64_t compressed = compressed32, size = size32;
  if (!ReadZip64(extra, {&size, &compressed})) return Corrupt(shown + "bad zip64 field");
  const bool described = (flags & kHasDescriptor) != 0;
  // A writer that does not know them yet leaves zeros and says so in bit 3.
  const auto agrees = [&](uint64_t local, uint64_t directory) {
    return local == directory || (described && local == 0);
  };
  if (flags != header.flags || method != header.method || AsText(name) != header.name || !agrees(crc, header.crc) ||
      !agrees(compressed, header.compressed) || !agrees(size, header.size)) {
    return Corrupt(shown + "local header and directory disagree");
  }
  if (!reader.Take(header.size, &data)) return Corrupt(shown + "data reach into the directory");
  if (described) {
    uint32_t descriptor_crc;
    Bytes sizes;
    if (!reader.Read(&signature) || signature != kDescriptorSignature || !reader.Read(&descriptor_crc) ||
        descriptor_crc != header.crc || !reader.Take(8, &sizes)) {
      return Corrupt(shown + "bad data descriptor");
    }
    const bool narrow =
        LoadLe<uint32_t>(sizes.data()) == header.compressed && LoadLe<uint32_t>(sizes.data() + 4) == header.size;
    if (!narrow) {
      uint64_t size64;
      if (LoadLe<uint64_t>(sizes.data()) != header.compressed || !reader.Read(&size64) || size64 != header.size) {
        return Corrupt(shown + "data descriptor and directory disagree");
      }
    }
  }
  *end = header.local_offset + reader.offset();
  return data;
}

constexpr std::array<std::array<uint32_t, 256>, 8> MakeCrcTables() {
  std::array<std::array<uint32_t, 256>, 8> tables{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320u : 0);
    tables[0][i] = crc;
  }
  for (uint32_t i = 0; i < 256; ++i) {
    for (size_t k = 1; k < 8; ++k) {
      tables[k][i] = (tables[k - 1][i] >> 8) ^ tables[0][tables[k - 1][i] & 0xFF];
    }
  }
  return tables;
}
constexpr auto kCrcTables = MakeCrcTables();

}  // namespace

// Eight bytes a step: a checkpoint is 327 MB.
uint32_t Crc32(Bytes bytes) {
  uint32_t crc = 0xFFFFFFFF;
  const std::byte* p = bytes.data();
  size_t n = bytes.size();
  for (; n >= 8; n -= 8, p += 8) {
    const uint64_t word = LoadLe<uint64_t>(p) ^ crc;
    crc = 0;
    for (size_t k = 0; k < 8; ++k) crc ^= kCrcTables[7 - k][(word >> (8 * k)) & 0xFF];
  }
  for (; n > 0; --n, ++p) crc = (crc >> 8) ^ kCrcTables[0][(crc ^ static_cast<uint32_t>(*p)) & 0xFF];
  return ~crc;
}

Result<std::vector<ZipEntry>> ReadStoredZip(Bytes file) {
  KOE_TRY(const Directory directory, FindDirectory(file));
  if (directory.num_entries > kMaxZipEntries) return Corrupt(std::to_string(directory.num_entries) + " entries");
  ByteReader reader(file.subspan(directory.offset, directory.size));
  std::vector<ZipEntry> entries;
  std::set<std::string_view> names;
  std::vector<std::pair<uint64_t, uint64_t>> extents;
  std::string_view folder;
  for (uint64_t i = 0; i < directory.num_entries; ++i) {
    KOE_TRY(const Header header, ReadHeader(&reader));
    if (!IsSafeName(header.name)) return Corrupt("entry " + std::to_string(i) + ": bad name");
    const std::string shown = Quoted(header.name) + ": ";
    if (!names.insert(header.name).second) return Corrupt(shown + "twice");
    if (header.method != 0 || (header.flags & ~(kHasDescriptor | kUtf8Names)) != 0) {
      return Error(ErrorCode::kUnsupported, "zip: " + shown + "compressed or encrypted");
    }
    if (header.compressed != header.size) return Corrupt(shown + "stored with two sizes");
    const size_t slash = header.name.find('/');
    if (slash == std::string_view::npos) return Corrupt(shown + "not in a folder");
    if (i == 0) folder = header.name.substr(0, slash);
    if (header.name.substr(0, slash) != folder) return Corrupt(shown + "not in the folder of the others");
    uint64_t end = 0;
    ZipEntry entry;
    KOE_TRY(entry.data, ReadLocal(file, header, directory.offset, &end));
    entry.name = std::string(header.name.substr(slash + 1));
    entry.crc = header.crc;
    extents.emplace_back(header.local_offset, end);
    entries.push_back(std::move(entry));
  }
  if (!reader.done()) return Corrupt("directory holds more than its entries");
  std::sort(extents.begin(), extents.end());
  for (size_t i = 1; i < extents.size(); ++i) {
    if (extents[i].first < extents[i - 1].second) return Corrupt("entries overlap");
  }
  return entries;
}

}  // namespace koe::bundle
