// SPDX-License-Identifier: Apache-2.0
// Opcodes: CPython's pickletools.py. torch.save writes protocol 2.
#include "bundle/pickle.h"

#include <optional>

#include "base/utf8.h"
#include "bundle/limits.h"
#include "bundle/quoted.h"

namespace koe::bundle {
namespace {

enum class Kind { kNone, kBool, kInt, kString, kTuple, kDict, kGlobal, kStorage, kTensor };

using Id = uint32_t;  // index into Walker::values_

struct Value {
  Kind kind = Kind::kNone;
  int64_t integer = 0;    // kBool, kInt
  std::string_view text;  // kString; kGlobal: "module name" with a line end between
  std::vector<Id> items;  // kTuple; kDict: key, value, ...; kStorage, kTensor: the arguments
};

constexpr std::string_view kRebuildTensor = "torch._utils\n_rebuild_tensor_v2";
constexpr std::string_view kRebuildParameter = "torch._utils\n_rebuild_parameter";
constexpr std::string_view kOrderedDict = "collections\nOrderedDict";
constexpr std::string_view kStorages[] = {"torch\nFloatStorage",  "torch\nHalfStorage", "torch\nBFloat16Storage",
                                          "torch\nDoubleStorage", "torch\nLongStorage", "torch\nIntStorage",
                                          "torch\nShortStorage",  "torch\nCharStorage", "torch\nByteStorage",
                                          "torch\nBoolStorage"};

bool IsStorage(std::string_view global) {
  for (const std::string_view storage : kStorages) {
    if (global == storage) return true;
  }
  return false;
}

class Walker {
 public:
  explicit Walker(Bytes pickle) : reader_(pickle) {}

  Result<std::vector<PickledTensor>> Run() {
    for (;;) {
      opcode_at_ = reader_.offset();
      uint8_t opcode;
      if (!reader_.Read(&opcode)) return Corrupt("no STOP");
      if (opcode == '.') break;
      if (opcode_at_ == 0 ? opcode != 0x80 : opcode == 0x80) return Corrupt("PROTO is not the first opcode");
      KOE_CHECK_OK(Step(opcode));
    }
    if (!reader_.done()) return Corrupt("bytes after STOP");
    if (stack_.size() != 1 || !marks_.empty()) return Corrupt("STOP with " + std::to_string(stack_.size()) + " values");
    KOE_CHECK_OK(Collect(stack_[0], "", 0));
    return std::move(tensors_);
  }

 private:
  Error Corrupt(const std::string& why) const {
    return Error(ErrorCode::kCorruptBundle, "pickle: byte " + std::to_string(opcode_at_) + ": " + why);
  }
  Error Truncated() const { return Corrupt("truncated"); }

  Result<void> Push(Value value) {
    if (values_.size() == kMaxPickleValues) return Corrupt("too many values");
    values_.push_back(std::move(value));
    return PushId(static_cast<Id>(values_.size() - 1));
  }
  Result<void> PushId(Id id) {
    if (stack_.size() == kMaxPickleStack) return Corrupt("stack too deep");
    stack_.push_back(id);
    return {};
  }
  Result<void> PushInt(int64_t integer) {
    Value value;
    value.kind = Kind::kInt;
    value.integer = integer;
    return Push(std::move(value));
  }
  Result<void> PushBool(bool boolean) {
    Value value;
    value.kind = Kind::kBool;
    value.integer = boolean ? 1 : 0;
    return Push(std::move(value));
  }
  Result<void> PushContainer(Kind kind, std::vector<Id> items) {
    Value value;
    value.kind = kind;
    value.items = std::move(items);
    return Push(std::move(value));
  }
  Result<void> PushString(size_t size) {
    if (size > kMaxPickleStringBytes) return Corrupt("a string of " + std::to_string(size) + " bytes");
    Bytes bytes;
    if (!reader_.Take(size, &bytes)) return Truncated();
    Value value;
    value.kind = Kind::kString;
    value.text = AsText(bytes);
    if (FindInvalidUtf8(value.text)) return Corrupt("a string that is not UTF-8");
    return Push(std::move(value));
  }

  // Values may not be taken from below the innermost mark.
  bool Has(size_t count) const {
    const size_t floor = marks_.empty() ? 0 : marks_.back();
    return stack_.size() - floor >= count;
  }
  Result<std::vector<Id>> PopToMark() {
    if (marks_.empty()) return Corrupt("no mark");
    std::vector<Id> items(stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back()), stack_.end());
    stack_.resize(marks_.back());
    marks_.pop_back();
    return items;
  }
  Result<std::vector<Id>> Pop(size_t count) {
    if (!Has(count)) return Corrupt("stack underflow");
    std::vector<Id> items(stack_.end() - static_cast<std::ptrdiff_t>(count), stack_.end());
    stack_.resize(stack_.size() - count);
    return items;
  }

  Result<void> Put(uint32_t key) {
    if (!Has(1)) return Corrupt("stack underflow");
    if (key >= kMaxPickleMemo) return Corrupt("memo key " + std::to_string(key));
    if (key >= memo_.size()) memo_.resize(key + 1);
    memo_[key] = stack_.back();
    return {};
  }
  Result<void> Get(uint32_t key) {
    if (key >= memo_.size() || !memo_[key]) return Corrupt("memo key " + std::to_string(key) + " is not set");
    return PushId(*memo_[key]);
  }

  Result<void> Global() {
    std::string_view rest = AsText(Remaining());
    const size_t first = rest.find('\n');
    const size_t second = first == std::string_view::npos ? first : rest.find('\n', first + 1);
    if (second == std::string_view::npos || second > kMaxPickleStringBytes) return Corrupt("bad GLOBAL");
    Value value;
    value.kind = Kind::kGlobal;
    value.text = rest.substr(0, second);
    if (!reader_.Skip(second + 1)) return Truncated();
    if (value.text != kRebuildTensor && value.text != kRebuildParameter && value.text != kOrderedDict &&
        !IsStorage(value.text)) {
      std::string shown(value.text);
      shown[first] = '.';
      return Corrupt("refers to " + Quoted(shown) + ", which is not part of a checkpoint");
    }
    return Push(std::move(value));
  }
  Bytes Remaining() const {
    ByteReader copy = reader_;
    Bytes rest;
    (void)copy.Take(copy.remaining(), &rest);
    return rest;
  }

  // ('storage', torch.XStorage, key, location, number of elements)
  Result<void> PersistentId() {
    KOE_TRY(const std::vector<Id> popped, Pop(1));
    const Value& id = values_[popped[0]];
    if (id.kind != Kind::kTuple || id.items.size() != 5) return Corrupt("a persistent id that is no storage");
    const auto item = [&](size_t i) -> const Value& { return values_[id.items[i]]; };
    if (item(0).kind != Kind::kString || item(0).text != "storage" || item(1).kind != Kind::kGlobal ||
        !IsStorage(item(1).text) || item(2).kind != Kind::kString || item(3).kind != Kind::kString ||
        item(4).kind != Kind::kInt || item(4).integer < 0) {
      return Corrupt("a persistent id that is no storage");
    }
    return PushContainer(Kind::kStorage, id.items);
  }

  Result<void> Reduce() {
    KOE_TRY(const std::vector<Id> popped, Pop(2));
    const Value& callable = values_[popped[0]];
    const Value& arguments = values_[popped[1]];
    if (callable.kind != Kind::kGlobal || arguments.kind != Kind::kTuple) return Corrupt("bad REDUCE");
    const std::vector<Id> items = arguments.items;
    if (callable.text == kOrderedDict) {
      if (!items.empty()) return Corrupt("OrderedDict with arguments");
      return PushContainer(Kind::kDict, {});
    }
    const auto is = [&](size_t i, Kind kind) { return values_[items[i]].kind == kind; };
    if (callable.text == kRebuildTensor) {
      // storage, offset, shape, strides, requires_grad, hooks (, metadata)
      if (items.size() < 6 || items.size() > 7 || !is(0, Kind::kStorage) || !is(1, Kind::kInt) ||
          !is(2, Kind::kTuple) || !is(3, Kind::kTuple) || !is(4, Kind::kBool) || !is(5, Kind::kDict)) {
        return Corrupt("bad arguments of _rebuild_tensor_v2");
      }
      return PushContainer(Kind::kTensor, items);
    }
    if (callable.text == kRebuildParameter) {
      if (items.size() != 3 || !is(0, Kind::kTensor) || !is(1, Kind::kBool) || !is(2, Kind::kDict)) {
        return Corrupt("bad arguments of _rebuild_parameter");
      }
      return PushId(items[0]);
    }
    return Corrupt("a storage is called");
  }

  Result<void> SetItems(const std::vector<Id>& items) {
    if (!Has(1)) return Corrupt("stack underflow");
    Value& target = values_[stack_.back()];
    if (target.kind != Kind::kDict || items.size() % 2 != 0) return Corrupt("items set on what is no dictionary");
    for (size_t i = 0; i < items.size(); i += 2) {
      if (values_[items[i]].kind != Kind::kString) return Corrupt("a key that is no string");
    }
    target.items.insert(target.items.end(), items.begin(), items.end());
    return {};
  }

  Result<void> Step(uint8_t opcode) {
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    int32_t i32;
    switch (opcode) {
      case 0x80:  // PROTO
        if (!reader_.Read(&u8)) return Truncated();
        if (u8 != 2) return Corrupt("protocol " + std::to_string(u8));
        return {};
      case '(':  // MARK
        if (marks_.size() == kMaxPickleMarks) return Corrupt("too many marks");
        marks_.push_back(stack_.size());
        return {};
      case 'N':
        return Push({});
      case 0x88:
        return PushBool(true);
      case 0x89:
        return PushBool(false);
      case 'K':
        return reader_.Read(&u8) ? PushInt(u8) : Truncated();
      case 'M':
        return reader_.Read(&u16) ? PushInt(u16) : Truncated();
      case 'J':
        return reader_.Read(&i32) ? PushInt(i32) : Truncated();
      case 'X':  // BINUNICODE
        return reader_.Read(&u32) ? PushString(u32) : Truncated();
      case ')':
        return PushContainer(Kind::kTuple, {});
      case '}':
        return PushContainer(Kind::kDict, {});
      case 0x85:
      case 0x86:
      case 0x87: {  // TUPLE1..3
        KOE_TRY(std::vector<Id> items, Pop(static_cast<size_t>(opcode - 0x84)));
        return PushContainer(Kind::kTuple, std::move(items));
      }
      case 't': {
        KOE_TRY(std::vector<Id> items, PopToMark());
        return PushContainer(Kind::kTuple, std::move(items));
      }
      case 'c':
        return Global();
      case 'q':
        return reader_.Read(&u8) ? Put(u8) : Truncated();
      case 'r':
        return reader_.Read(&u32) ? Put(u32) : Truncated();
      case 'h':
        return reader_.Read(&u8) ? Get(u8) : Truncated();
      case 'j':
        return reader_.Read(&u32) ? Get(u32) : Truncated();
      case 'Q':
        return PersistentId();
      case 'R':
        return Reduce();
      case 's': {
        KOE_TRY(const std::vector<Id> items, Pop(2));
        return SetItems(items);
      }
      case 'u': {
        KOE_TRY(const std::vector<Id> items, PopToMark());
        return SetItems(items);
      }
      case 'b': {  // BUILD: an OrderedDict's attributes (_metadata), which say nothing about tensors
        KOE_TRY(const std::vector<Id> state, Pop(1));
        if (!Has(1) || values_[stack_.back()].kind != Kind::kDict) return Corrupt("BUILD on what is no dictionary");
        return {};
      }
      default:
        return Corrupt("opcode " + std::to_string(opcode));
    }
  }

  Result<std::vector<size_t>> Sizes(Id id) {
    std::vector<size_t> sizes;
    if (values_[id].items.size() > kMaxRank) return Corrupt("rank above " + std::to_string(kMaxRank));
    for (const Id item : values_[id].items) {
      if (values_[item].kind != Kind::kInt || values_[item].integer < 0) return Corrupt("a bad shape or stride");
      sizes.push_back(static_cast<size_t>(values_[item].integer));
    }
    return sizes;
  }

  // Dictionaries can share and contain each other, so both depth and the number of visits are bounded.
  Result<void> Collect(Id id, const std::string& name, size_t depth) {
    if (++visits_ > kMaxPickleMemo) return Corrupt("too many values in dictionaries");
    const Value& value = values_[id];
    if (value.kind == Kind::kTensor) {
      if (tensors_.size() == kMaxTensors) return Corrupt("too many tensors");
      const Value& storage = values_[value.items[0]];
      PickledTensor tensor;
      tensor.name = name;
      tensor.storage_type = values_[storage.items[1]].text.substr(std::string_view("torch\n").size());
      tensor.storage_key = values_[storage.items[2]].text;
      tensor.storage_elements = static_cast<uint64_t>(values_[storage.items[4]].integer);
      const int64_t offset = values_[value.items[1]].integer;
      if (offset < 0) return Corrupt("a negative storage offset");
      tensor.offset = static_cast<uint64_t>(offset);
      KOE_TRY(tensor.shape, Sizes(value.items[2]));
      KOE_TRY(tensor.strides, Sizes(value.items[3]));
      if (tensor.shape.size() != tensor.strides.size()) return Corrupt("shape and strides differ in rank");
      tensors_.push_back(std::move(tensor));
      return {};
    }
    if (value.kind != Kind::kDict) return {};
    if (depth == kMaxPickleDepth) return Corrupt("dictionaries nested too deep");
    for (size_t i = 0; i < value.items.size(); i += 2) {
      const std::string_view key = values_[value.items[i]].text;
      if (name.size() + key.size() > kMaxTensorNameBytes) return Corrupt("a name that is too long");
      const std::string child = name.empty() ? std::string(key) : name + "." + std::string(key);
      if (child.empty()) continue;
      KOE_CHECK_OK(Collect(value.items[i + 1], child, depth + 1));
    }
    return {};
  }

  ByteReader reader_;
  size_t opcode_at_ = 0;
  std::vector<Value> values_;
  std::vector<Id> stack_;
  std::vector<size_t> marks_;
  std::vector<std::optional<Id>> memo_;
  std::vector<PickledTensor> tensors_;
  size_t visits_ = 0;
};

}  // namespace

Result<std::vector<PickledTensor>> WalkPickle(Bytes pickle) {
  if (pickle.size() > kMaxPickleBytes) {
    return Error(ErrorCode::kCorruptBundle, "pickle: " + std::to_string(pickle.size()) + " bytes");
  }
  return Walker(pickle).Run();
}

}  // namespace koe::bundle
