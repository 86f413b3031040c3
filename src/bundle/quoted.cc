// SPDX-License-Identifier: Apache-2.0
#include "bundle/quoted.h"

#include "base/utf8.h"

namespace koe::bundle {

std::string Quoted(std::string_view text) {
  constexpr size_t kMaxBytes = 120;
  std::string out = "'";
  size_t position = 0;
  while (position < text.size()) {
    if (out.size() > kMaxBytes) {
      out += "...";
      break;
    }
    const auto code_point = DecodeUtf8(text, &position);
    if (!code_point) {
      out += '?';
      ++position;
    } else if (*code_point < 0x20 || (*code_point >= 0x7F && *code_point < 0xA0)) {
      out += '?';
    } else {
      AppendUtf8(*code_point, &out);
    }
  }
  return out + "'";
}

}  // namespace koe::bundle
