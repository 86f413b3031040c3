// SPDX-License-Identifier: Apache-2.0
// JSON as the bundle uses it: a small tree that keeps the order of keys, read under limits.
#ifndef KOE_BUNDLE_JSON_H_
#define KOE_BUNDLE_JSON_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "koe/result.h"

namespace koe::bundle {

struct Json {
  enum class Type { kNull, kBool, kInt, kDouble, kString, kArray, kObject };
  Type type = Type::kNull;
  bool boolean = false;
  int64_t integer = 0;
  double number = 0;  // kDouble, and integers beyond 64 bits
  std::string text;
  std::vector<Json> items;                            // kArray
  std::vector<std::pair<std::string, Json>> members;  // kObject, in the order of the file, keys unique

  Json() = default;
  static Json Bool(bool value);
  static Json Int(int64_t value);
  static Json Text(std::string value);
  static Json Array();
  static Json Object();

  bool is(Type t) const { return type == t; }
  const Json* Find(std::string_view key) const;  // nullptr: not an object, or no such key
  void Set(std::string key, Json value) { members.emplace_back(std::move(key), std::move(value)); }
  // Equal values; the order of an object's keys does not matter.
  bool operator==(const Json& other) const;
};

struct JsonLimits {
  size_t max_depth;
  size_t max_values;  // scalars, containers and keys together
};

// The whole text must be one value. kCorruptBundle: syntax (with the byte), invalid UTF-8, a key twice in one object,
// a limit. `what` names the source in messages.
Result<Json> ParseJson(std::string_view text, const JsonLimits& limits, const std::string& what);

// indent 0: one line without spaces; else that many spaces a level. Non-ASCII text is written as UTF-8.
std::string WriteJson(const Json& value, int indent);

}  // namespace koe::bundle

#endif  // KOE_BUNDLE_JSON_H_
