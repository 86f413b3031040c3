// SPDX-License-Identifier: Apache-2.0
// Zip archives of stored (uncompressed) entries, as torch.save writes them. Not libzip: it reads what it can of a
// damaged or ambiguous archive, and here whatever two readers could understand differently must be refused.
#ifndef KOE_BUNDLE_ZIP_READER_H_
#define KOE_BUNDLE_ZIP_READER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "bundle/byte_reader.h"
#include "koe/result.h"

namespace koe::bundle {

struct ZipEntry {
  std::string name;  // without the folder that all entries share
  Bytes data;
  uint32_t crc = 0;  // of the directory; not compared yet
};

// Sizes come from the central directory; each local header must agree with it; entries must not overlap.
// kCorruptBundle; kUnsupported: compressed or encrypted entries.
Result<std::vector<ZipEntry>> ReadStoredZip(Bytes file);

// CRC-32 of ISO-HDLC, as zip has it.
uint32_t Crc32(Bytes bytes);

}  // namespace koe::bundle

#endif  // KOE_BUNDLE_ZIP_READER_H_
