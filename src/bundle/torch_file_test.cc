// SPDX-License-Identifier: Apache-2.0
#include "bundle/torch_file.h"

#include <gtest/gtest.h>

#include "bundle/limits.h"
#include "bundle/pickle.h"
#include "bundle/testing/file_builders.h"
#include "bundle/zip_reader.h"

namespace koe::bundle {
namespace {

using testing::Pickle;
using testing::ZipBytes;

std::string PickleReason(const std::string& pickle) {
  const auto tensors = WalkPickle(AsBytes(pickle));
  if (tensors) return "accepted";
  EXPECT_EQ(tensors.error().code(), ErrorCode::kCorruptBundle);
  return tensors.error().message();
}

std::string ZipReason(const std::string& zip, ErrorCode expected = ErrorCode::kCorruptBundle) {
  const auto entries = ReadStoredZip(AsBytes(zip));
  if (entries) return "accepted";
  EXPECT_EQ(entries.error().code(), expected) << entries.error().message();
  return entries.error().message();
}

std::string TorchReason(const std::string& file, ErrorCode expected = ErrorCode::kCorruptBundle) {
  const auto torch = ReadTorchFile(AsBytes(file));
  if (torch) return "accepted";
  EXPECT_EQ(torch.error().code(), expected) << torch.error().message();
  return torch.error().message();
}

std::string OneTensor(size_t elements, size_t offset, const std::vector<size_t>& shape, size_t record_floats) {
  const std::string pickle = Pickle().Tensor("FloatStorage", "0", elements, offset, shape).Stop();
  return ZipBytes(
      {{"a/data.pkl", pickle}, {"a/byteorder", "little"}, {"a/data/0", std::string(4 * record_floats, 'x')}});
}

TEST(Crc32, EqualsTheStandardsCheckValue) {
  EXPECT_EQ(Crc32(AsBytes("123456789")), 0xCBF43926u);
  EXPECT_EQ(Crc32({}), 0u);
  const std::string long_text(1000, 'q');  // both loops, against bytes one by one
  uint32_t slow = 0xFFFFFFFF;
  for (const char c : long_text) {
    slow ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) slow = (slow >> 1) ^ ((slow & 1) != 0 ? 0xEDB88320u : 0);
  }
  EXPECT_EQ(Crc32(AsBytes(long_text)), ~slow);
}

TEST(Zip, ReadsBothFormsOfHeaders) {
  for (const bool descriptors : {true, false}) {
    for (const bool zip64 : {true, false}) {
      const std::string zip = ZipBytes({{"f/x", "hello"}, {"f/data/1", ""}}, {descriptors, zip64, 0});
      const auto entries = ReadStoredZip(AsBytes(zip));
      ASSERT_TRUE(entries) << entries.error().message();
      ASSERT_EQ(entries->size(), 2u);
      EXPECT_EQ((*entries)[0].name, "x");
      EXPECT_EQ(AsText((*entries)[0].data), "hello");
      EXPECT_EQ((*entries)[0].crc, Crc32(AsBytes("hello")));
      EXPECT_EQ((*entries)[1].name, "data/1");
    }
  }
}

TEST(Zip, RefusesEveryTruncation) {
  const std::string zip = ZipBytes({{"f/x", "hello"}, {"f/y", "you"}});
  for (size_t size = 0; size < zip.size(); ++size) EXPECT_NE(ZipReason(zip.substr(0, size)), "accepted") << size;
  EXPECT_NE(ZipReason(zip + "x"), "accepted");
}

TEST(Zip, RefusesBadNames) {
  for (const char* name : {"/f/x", "f/../x", "f/./x", "f//x", "f\\x", "f/x/", "x", "f/C:x", "f/\n"}) {
    EXPECT_NE(ZipReason(ZipBytes({{name, "1"}})), "accepted") << name;
  }
  EXPECT_NE(ZipReason(ZipBytes({{"f/x", "1"}, {"f/x", "2"}})).find("twice"), std::string::npos);
  EXPECT_NE(ZipReason(ZipBytes({{"f/x", "1"}, {"g/y", "2"}})).find("folder"), std::string::npos);
}

TEST(Zip, RefusesCompression) {
  EXPECT_NE(ZipReason(ZipBytes({{"f/x", "1"}}, {true, true, 8}), ErrorCode::kUnsupported), "accepted");
}

// Headers that disagree are how two readers see two files in one archive. Each field of the local header in turn.
TEST(Zip, RefusesDisagreement) {
  const std::string good = ZipBytes({{"f/x", "hello"}}, {false, false, 0});
  ASSERT_EQ(ZipReason(good), "accepted");
  for (const size_t field : {6, 8, 14, 18, 22, 26, 30}) {  // flags, method, CRC, two sizes, name length, name
    std::string bad = good;
    bad[field] = static_cast<char>(bad[field] ^ 0x01);
    EXPECT_NE(ZipReason(bad), "accepted") << field;
  }
  // The data descriptor: CRC and sizes.
  const std::string described = ZipBytes({{"f/x", "hello"}}, {true, false, 0});
  const size_t at = described.find("PK\x07\x08");
  for (size_t i = 0; i < 16; ++i) {
    std::string bad = described;
    bad[at + i] = static_cast<char>(bad[at + i] ^ 0x01);
    EXPECT_NE(ZipReason(bad), "accepted") << i;
  }
}

TEST(Zip, RefusesOverlap) {
  // The second entry's place is moved into the data of the first, where a copy of its record lies.
  const testing::ZipOptions plain{false, false, 0};
  const std::string alone = ZipBytes({{"f/y", "you"}}, plain);
  const std::string record = alone.substr(0, alone.find("PK\x01\x02"));
  std::string zip = ZipBytes({{"f/x", record}, {"f/y", "you"}}, plain);
  ASSERT_EQ(ZipReason(zip), "accepted");
  std::string inner;
  testing::AppendLe(static_cast<uint32_t>(zip.find(record)), &inner);
  zip.replace(zip.rfind("PK\x01\x02") + 42, 4, inner);
  EXPECT_NE(ZipReason(zip).find("overlap"), std::string::npos);
}

TEST(Pickle, ReadsNestedDictionaries) {
  Pickle p;
  p.Op('}').Op('(').Str("bert").Global("collections", "OrderedDict").Op(')').Op('R').Op('(');
  p.Str("module.w").Tensor("FloatStorage", "7", 100, 4, {2, 3}).Str("n").Int(3).Op('u');
  p.Op('}').Str("_metadata").Op('}').Op('s').Op('b').Op('u');
  const std::string pickle = p.Stop();
  const auto tensors = WalkPickle(AsBytes(pickle));
  ASSERT_TRUE(tensors) << tensors.error().message();
  ASSERT_EQ(tensors->size(), 1u);
  EXPECT_EQ((*tensors)[0].name, "bert.module.w");
  EXPECT_EQ((*tensors)[0].storage_key, "7");
  EXPECT_EQ((*tensors)[0].storage_elements, 100u);
  EXPECT_EQ((*tensors)[0].offset, 4u);
  EXPECT_EQ((*tensors)[0].shape, (std::vector<size_t>{2, 3}));
  EXPECT_EQ((*tensors)[0].strides, (std::vector<size_t>{3, 1}));
}

TEST(Pickle, ReadsTheMemoAndParameters) {
  Pickle p;  // the tensor is put into the memo, and used a second time inside a parameter
  p.Op('}').Op('(').Str("a").Tensor("HalfStorage", "0", 4, 0, {4}).Op('q').Op('\x05');
  p.Str("b").Global("torch._utils", "_rebuild_parameter").Op('(').Op('h').Op('\x05').Op('\x88');
  p.Global("collections", "OrderedDict").Op(')').Op('R').Op('t').Op('R').Op('u');
  const std::string pickle = p.Stop();
  const auto tensors = WalkPickle(AsBytes(pickle));
  ASSERT_TRUE(tensors) << tensors.error().message();
  ASSERT_EQ(tensors->size(), 2u);
  EXPECT_EQ((*tensors)[1].name, "b");
  EXPECT_EQ((*tensors)[1].storage_type, "HalfStorage");
}

TEST(Pickle, RefusesCode) {
  const auto call = [](const char* module, const char* name) {
    return Pickle().Global(module, name).Op('(').Str("echo").Op('t').Op('R').Stop();
  };
  EXPECT_NE(PickleReason(call("os", "system")).find("'os.system'"), std::string::npos);
  EXPECT_NE(PickleReason(call("builtins", "eval")).find("not part of a checkpoint"), std::string::npos);
  EXPECT_NE(PickleReason(call("torch", "load")), "accepted");
  EXPECT_NE(PickleReason(call("torch._utils", "_rebuild_tensor_v3")), "accepted");
  EXPECT_NE(PickleReason(call("collections", "OrderedDict")).find("with arguments"), std::string::npos);
  EXPECT_NE(PickleReason(call("torch", "FloatStorage")).find("a storage is called"), std::string::npos);
}

TEST(Pickle, RefusesOpcodesOfOtherProtocols) {
  // INST, OBJ, NEWOBJ, EXT1, STACK_GLOBAL, FRAME, LONG1, BINGLOBAL..., lists, sets, bytes, POP, DUP
  for (const int opcode : std::vector<int>{'i', 'o', 0x81, 0x82, 0x93, 0x95, 0x8a, ']', 'l', 'a', 'e', 0x8f,
                                           'C', 'U', 'G',  '0',  '2',  'P',  'I',  'S', 'd', 'p', 'g'}) {
    EXPECT_NE(PickleReason(Pickle().Op('}').Op(static_cast<char>(opcode)).Stop()).find("opcode"), std::string::npos)
        << opcode;
  }
  EXPECT_NE(PickleReason("\x80\x04}.").find("protocol 4"), std::string::npos);
  EXPECT_NE(PickleReason("}.").find("PROTO"), std::string::npos);
}

TEST(Pickle, RefusesAMisusedStack) {
  for (const std::string body : {"u", "s", "b", "R", "Q", "t", "\x85", "q\x01", "h\x01", "(u", "}(NNu", "}NNs", "N(t(",
                                 "NN", "", "})s", "}KQ"}) {
    EXPECT_NE(PickleReason("\x80\x02" + body + "."), "accepted") << body;
  }
  EXPECT_NE(PickleReason(Pickle().Op('}').bytes()).find("no STOP"), std::string::npos);
  EXPECT_NE(PickleReason(Pickle().Op('}').Stop() + ".").find("after STOP"), std::string::npos);
  EXPECT_NE(PickleReason(Pickle().Op('N').Str("k").Op('N').Op('s').Stop()).find("no dictionary"), std::string::npos);
  // A mark protects what lies below it.
  EXPECT_NE(PickleReason(Pickle().Op('}').Op('(').Op('\x85').Stop()).find("underflow"), std::string::npos);
}

TEST(Pickle, EndsOnDictionariesThatContainThemselves) {
  Pickle self;
  self.Op('}').Op('q').Op('\x01').Str("k").Op('h').Op('\x01').Op('s');
  EXPECT_NE(PickleReason(self.Stop()).find("nested too deep"), std::string::npos);
  // Each level holds 64 references to the one before: 2^36 paths within the depth that is allowed.
  Pickle bomb;
  bomb.Op('}').Op('(').Str("first").Op('}').Op('q').Op('\0');
  for (char level = 0; level < 6; ++level) {
    bomb.Str("level").Op('}').Op('q').Op(static_cast<char>(level + 1)).Op('(');
    for (int i = 0; i < 64; ++i) bomb.Str(std::to_string(i)).Op('h').Op(level);
    bomb.Op('u');
  }
  bomb.Op('u');
  EXPECT_NE(PickleReason(bomb.Stop()).find("too many values in dictionaries"), std::string::npos);
}

TEST(Pickle, HoldsTheLimits) {
  EXPECT_NE(PickleReason(Pickle().Str(std::string(kMaxPickleStringBytes + 1, 'x')).Stop()).find("a string of"),
            std::string::npos);
  EXPECT_NE(PickleReason(Pickle().Str("\xFF").Stop()).find("UTF-8"), std::string::npos);
  Pickle deep, marks, memo;
  for (size_t i = 0; i <= kMaxPickleStack; ++i) deep.Op('N');
  EXPECT_NE(PickleReason(deep.Stop()).find("stack too deep"), std::string::npos);
  for (size_t i = 0; i <= kMaxPickleMarks; ++i) marks.Op('(');
  EXPECT_NE(PickleReason(marks.Stop()).find("too many marks"), std::string::npos);
  memo.Op('N').Op('r');
  testing::AppendLe<uint32_t>(0xFFFFFFFF, &memo.bytes());
  EXPECT_NE(PickleReason(memo.Stop()).find("memo key"), std::string::npos);
  Pickle string;
  string.Op('X');
  testing::AppendLe<uint32_t>(400, &string.bytes());
  EXPECT_NE(PickleReason(string.Stop()).find("truncated"), std::string::npos);
  Pickle values;
  for (size_t i = 0; i <= kMaxPickleValues / 2; ++i) values.Op('N').Op('\x85').Op('\x85').Op('(').Op('t');
  EXPECT_NE(PickleReason(values.Stop()), "accepted");
}

TEST(TorchFile, FindsTheRecords) {
  const std::string file = OneTensor(8, 2, {2, 3}, 8);
  const auto torch = ReadTorchFile(AsBytes(file));
  ASSERT_TRUE(torch) << torch.error().message();
  ASSERT_EQ(torch->tensors.size(), 1u);
  EXPECT_EQ(torch->tensors[0].data.size(), 24u);
  EXPECT_EQ(torch->tensors[0].type, "F32");
}

TEST(TorchFile, ComparesViewsWithRecords) {
  EXPECT_NE(TorchReason(OneTensor(8, 0, {2, 3}, 7)).find("in a record of"), std::string::npos);
  EXPECT_NE(TorchReason(OneTensor(8, 0, {2, 3}, 9)).find("in a record of"), std::string::npos);
  EXPECT_NE(TorchReason(OneTensor(8, 3, {2, 3}, 8)).find("past its storage"), std::string::npos);
  EXPECT_NE(TorchReason(OneTensor(8, 0, {3, 3}, 8)).find("past its storage"), std::string::npos);
  EXPECT_NE(TorchReason(OneTensor(8, 0, {0x7FFFFFFF, 0x7FFFFFFF, 0x7FFFFFFF}, 8)), "accepted");
}

TEST(TorchFile, RefusesOtherKeysAndStrides) {
  const auto with_key = [](const std::string& key) {
    return ZipBytes({{"a/data.pkl", Pickle().Tensor("FloatStorage", key, 1, 0, {1}).Stop()}, {"a/data/0", "xxxx"}});
  };
  EXPECT_EQ(TorchReason(with_key("0")), "accepted");
  for (const char* key : {"", "1", "../data/0", "0x", "-0", "00000000000"})
    EXPECT_NE(TorchReason(with_key(key)), "accepted") << key;
  // [2, 3] with the strides of its transpose.
  std::string pickle = Pickle().Tensor("FloatStorage", "0", 6, 0, {2, 3}).Stop();
  const std::string strides = Pickle().IntTuple({3, 1}).bytes().substr(2),
                    turned = Pickle().IntTuple({1, 2}).bytes().substr(2);
  pickle.replace(pickle.find(strides), strides.size(), turned);
  EXPECT_NE(TorchReason(ZipBytes({{"a/data.pkl", pickle}, {"a/data/0", std::string(24, 'x')}}), ErrorCode::kUnsupported)
                .find("not contiguous"),
            std::string::npos);
}

TEST(TorchFile, ChecksCrcAndByteOrder) {
  std::string file = OneTensor(8, 0, {8}, 8);
  const size_t data = file.find("xxxxxxxx");
  file[data + 3] = 'y';
  EXPECT_NE(TorchReason(file).find("wrong CRC"), std::string::npos);
  const std::string pickle = Pickle().Tensor("FloatStorage", "0", 1, 0, {1}).Stop();
  EXPECT_NE(TorchReason(ZipBytes({{"a/data.pkl", pickle}, {"a/byteorder", "big"}, {"a/data/0", "xxxx"}}),
                        ErrorCode::kUnsupported)
                .find("little-endian"),
            std::string::npos);
  EXPECT_NE(TorchReason(ZipBytes({{"a/x", "y"}})).find("data.pkl"), std::string::npos);
  EXPECT_NE(TorchReason("\x80\x02}.", ErrorCode::kUnsupported).find("no zip archive"), std::string::npos);
}

}  // namespace
}  // namespace koe::bundle
