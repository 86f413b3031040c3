// SPDX-License-Identifier: Apache-2.0
#include "bundle/json.h"

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>

#include "base/utf8.h"
#include "bundle/quoted.h"

namespace koe::bundle {
namespace {

// Builds the tree from the parser's events, so that depth, count and doubled keys are refused as they appear and the
// library's own tree is never made.
class TreeBuilder : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit TreeBuilder(const JsonLimits& limits) : limits_(limits) {}
  Json& root() { return root_; }
  const std::string& reason() const { return reason_; }

  bool null() override { return Add(Json()) != nullptr; }
  bool boolean(bool value) override { return Add(Json::Bool(value)) != nullptr; }
  bool number_integer(number_integer_t value) override { return Add(Json::Int(value)) != nullptr; }
  bool number_unsigned(number_unsigned_t value) override {
    if (value <= static_cast<number_unsigned_t>(INT64_MAX)) return Add(Json::Int(static_cast<int64_t>(value)));
    return AddDouble(static_cast<double>(value));
  }
  bool number_float(number_float_t value, const string_t&) override { return AddDouble(value); }
  bool string(string_t& value) override { return Add(Json::Text(std::move(value))) != nullptr; }
  bool binary(binary_t&) override { return Fail("binary value"); }
  bool start_object(std::size_t) override { return Push(Json::Object()); }
  bool end_object() override { return Pop(); }
  bool start_array(std::size_t) override { return Push(Json::Array()); }
  bool end_array() override { return Pop(); }
  bool key(string_t& value) override {
    if (!Count()) return false;
    if (!keys_.back().insert(value).second) return Fail("key " + Quoted(value) + " twice in one object");
    open_.back()->members.emplace_back(std::move(value), Json());
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    return Fail("not valid JSON at byte " + std::to_string(position));
  }

 private:
  bool Fail(std::string reason) {
    if (reason_.empty()) reason_ = std::move(reason);
    return false;
  }
  bool Count() {
    if (++num_values_ > limits_.max_values) {
      return Fail("more than " + std::to_string(limits_.max_values) + " JSON values");
    }
    return true;
  }
  Json* Add(Json value) {
    if (!Count()) return nullptr;
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Json& parent = *open_.back();
    if (parent.is(Json::Type::kObject)) {
      parent.members.back().second = std::move(value);
      return &parent.members.back().second;
    }
    parent.items.push_back(std::move(value));
    return &parent.items.back();
  }
  bool AddDouble(double value) {
    Json json;
    json.type = Json::Type::kDouble;
    json.number = value;
    return Add(std::move(json)) != nullptr;
  }
  // A pointer into the parent stays valid while it is open: the parent only grows after its last child has closed.
  bool Push(Json value) {
    if (open_.size() >= limits_.max_depth) {
      return Fail("nested deeper than " + std::to_string(limits_.max_depth) + " levels");
    }
    Json* added = Add(std::move(value));
    if (added == nullptr) return false;
    open_.push_back(added);
    keys_.emplace_back();
    return true;
  }
  bool Pop() {
    open_.pop_back();
    keys_.pop_back();
    return true;
  }

  JsonLimits limits_;
  Json root_;
  std::vector<Json*> open_;
  std::vector<std::set<std::string>> keys_;  // of each open container
  size_t num_values_ = 0;
  std::string reason_;
};

void AppendString(const std::string& text, std::string* out) {
  out->push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out->push_back('\\');
      out->push_back(c);
    } else if (c == '\n') {
      out->append("\\n");
    } else if (byte < 0x20 || byte == 0x7F) {
      char escaped[8];
      std::snprintf(escaped, sizeof(escaped), "\\u%04x", byte);
      out->append(escaped);
    } else {
      out->push_back(c);
    }
  }
  out->push_back('"');
}

void NewLine(int indent, size_t depth, std::string* out) {
  if (indent == 0) return;
  out->push_back('\n');
  out->append(static_cast<size_t>(indent) * depth, ' ');
}

void Append(const Json& value, int indent, size_t depth, std::string* out) {
  switch (value.type) {
    case Json::Type::kNull:
      out->append("null");
      return;
    case Json::Type::kBool:
      out->append(value.boolean ? "true" : "false");
      return;
    case Json::Type::kInt:
      out->append(std::to_string(value.integer));
      return;
    case Json::Type::kDouble: {
      // Through the library's writer: shortest form, independent of the locale.
      out->append(std::isfinite(value.number) ? nlohmann::json(value.number).dump() : "null");
      return;
    }
    case Json::Type::kString:
      AppendString(value.text, out);
      return;
    case Json::Type::kArray: {
      // Lists of scalars stay on one line.
      bool flat = true;
      for (const Json& item : value.items) flat = flat && item.items.empty() && item.members.empty();
      out->push_back('[');
      for (size_t i = 0; i < value.items.size(); ++i) {
        if (i != 0) out->append(indent != 0 && flat ? ", " : ",");
        if (!flat) NewLine(indent, depth + 1, out);
        Append(value.items[i], indent, depth + 1, out);
      }
      if (!flat) NewLine(indent, depth, out);
      out->push_back(']');
      return;
    }
    case Json::Type::kObject:
      out->push_back('{');
      for (size_t i = 0; i < value.members.size(); ++i) {
        if (i != 0) out->push_back(',');
        NewLine(indent, depth + 1, out);
        AppendString(value.members[i].first, out);
        out->append(indent != 0 ? ": " : ":");
        Append(value.members[i].second, indent, depth + 1, out);
      }
      if (!value.members.empty()) NewLine(indent, depth, out);
      out->push_back('}');
      return;
  }
}

}  // namespace

Json Json::Bool(bool value) {
  Json json;
  json.type = Type::kBool;
  json.boolean = value;
  return json;
}
Json Json::Int(int64_t value) {
  Json json;
  json.type = Type::kInt;
  json.integer = value;
  return json;
}
Json Json::Text(std::string value) {
  Json json;
  json.type = Type::kString;
  json.text = std::move(value);
  return json;
}
Json Json::Array() {
  Json json;
  json.type = Type::kArray;
  return json;
}
Json Json::Object() {
  Json json;
  json.type = Type::kObject;
  return json;
}

const Json* Json::Find(std::string_view key) const {
  for (const auto& [name, value] : members) {
    if (name == key) return &value;
  }
  return nullptr;
}

bool Json::operator==(const Json& other) const {
  if (type != other.type || boolean != other.boolean || integer != other.integer || number != other.number ||
      text != other.text || items != other.items || members.size() != other.members.size()) {
    return false;
  }
  for (const auto& [name, value] : members) {
    const Json* found = other.Find(name);
    if (found == nullptr || !(*found == value)) return false;
  }
  return true;
}

Result<Json> ParseJson(std::string_view text, const JsonLimits& limits, const std::string& what) {
  if (const auto bad = FindInvalidUtf8(text)) {
    return Error(ErrorCode::kCorruptBundle, what + ": invalid UTF-8 at byte " + std::to_string(*bad));
  }
  TreeBuilder builder(limits);
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &builder, nlohmann::json::input_format_t::json)) {
    return Error(ErrorCode::kCorruptBundle, what + ": " + builder.reason());
  }
  return std::move(builder.root());
}

std::string WriteJson(const Json& value, int indent) {
  std::string out;
  Append(value, indent, 0, &out);
  if (indent != 0) out.push_back('\n');
  return out;
}

}  // namespace koe::bundle
