// SPDX-License-Identifier: Apache-2.0
// Any bytes as one of misaki's dictionaries: a reason, or a compiled dictionary that opens.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include "g2p/lexicon.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const auto& compiled : {koe::g2p::CompileLexicon(text, "{}"), koe::g2p::CompileLexicon("{}", text)}) {
    if (!compiled) {
      if (compiled.error().code() != koe::ErrorCode::kInvalidArgument || compiled.error().message().empty())
        std::abort();
      continue;
    }
    if (!koe::g2p::Lexicon::Open(std::as_bytes(std::span(*compiled)))) std::abort();
  }
  return 0;
}
