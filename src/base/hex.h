// SPDX-License-Identifier: Apache-2.0
#ifndef KOE_BASE_HEX_H_
#define KOE_BASE_HEX_H_

namespace koe {

// 0 to 15 for a hexadecimal digit of either case, -1 for anything else.
constexpr int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

}  // namespace koe

#endif  // KOE_BASE_HEX_H_
