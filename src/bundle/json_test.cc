// SPDX-License-Identifier: Apache-2.0
#include "bundle/json.h"

#include <gtest/gtest.h>

namespace koe::bundle {
namespace {

constexpr JsonLimits kLimits{4, 20};

std::string Reason(const std::string& text, const JsonLimits& limits = kLimits) {
  const auto json = ParseJson(text, limits, "t");
  if (json) return "accepted";
  EXPECT_EQ(json.error().code(), ErrorCode::kCorruptBundle);
  return json.error().message();
}

TEST(Json, ReadsEveryType) {
  const auto json = ParseJson(R"({"a":null,"b":[true,-3,2.5,"x\u00e9"],"c":{"d":9223372036854775807}})", kLimits, "t");
  ASSERT_TRUE(json);
  EXPECT_TRUE(json->Find("a")->is(Json::Type::kNull));
  const std::vector<Json>& items = json->Find("b")->items;
  ASSERT_EQ(items.size(), 4u);
  EXPECT_TRUE(items[0].boolean);
  EXPECT_EQ(items[1].integer, -3);
  EXPECT_EQ(items[2].number, 2.5);
  EXPECT_EQ(items[3].text, "x\xC3\xA9");
  EXPECT_EQ(json->Find("c")->Find("d")->integer, INT64_MAX);
  EXPECT_EQ(json->Find("e"), nullptr);
}

TEST(Json, AnIntegerBeyondInt64IsNoInteger) {
  const auto json = ParseJson("[18446744073709551615, 9223372036854775808, 1e3, 1.0]", kLimits, "t");
  ASSERT_TRUE(json);
  for (const Json& item : json->items) EXPECT_TRUE(item.is(Json::Type::kDouble));
}

TEST(Json, RefusesWhatIsNotOneValue) {
  for (const char* text :
       {"", "{", "[1,]", "{\"a\":1,}", "[1] 2", "nul", "\"\\x\"", "01", "{\"a\" 1}", "// c\n1", "[NaN]"}) {
    EXPECT_NE(Reason(text), "accepted") << text;
  }
  EXPECT_NE(Reason("\"\xC3(\"").find("invalid UTF-8 at byte 1"), std::string::npos);
}

TEST(Json, RefusesADoubledKey) {
  EXPECT_NE(Reason(R"({"a":1,"b":2,"a":3})").find("'a' twice"), std::string::npos);
  EXPECT_EQ(Reason(R"({"a":{"a":1}})"), "accepted");
}

TEST(Json, HoldsTheLimits) {
  EXPECT_EQ(Reason("[[[[1]]]]"), "accepted");
  EXPECT_NE(Reason("[[[[[1]]]]]").find("deeper than 4"), std::string::npos);
  EXPECT_NE(Reason(std::string(100000, '['), {16, 1000000}).find("deeper than 16"), std::string::npos);
  EXPECT_EQ(Reason("[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]"), "accepted");  // 20 with the array
  EXPECT_NE(Reason("[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]").find("more than 20"), std::string::npos);
  EXPECT_NE(Reason(R"({"1":1,"2":1,"3":1,"4":1,"5":1,"6":1,"7":1,"8":1,"9":1,"10":1})").find("more than"),
            std::string::npos);  // keys count
}

TEST(Json, WritesWhatItReads) {
  const std::string text = R"({"b":[1,-2,true,null],"a":{"x":"q\"\\\n\u0001é"},"d":0.5})";
  const auto json = ParseJson(text, kLimits, "t");
  ASSERT_TRUE(json);
  EXPECT_EQ(WriteJson(*json, 0), text);
  const auto again = ParseJson(WriteJson(*json, 2), kLimits, "t");
  ASSERT_TRUE(again);
  EXPECT_TRUE(*again == *json);
}

TEST(Json, EqualityIgnoresTheOrderOfKeysOnly) {
  const auto parse = [](const char* text) { return std::move(*ParseJson(text, kLimits, "t")); };
  EXPECT_TRUE(parse(R"({"a":1,"b":[1,2]})") == parse(R"({"b":[1,2],"a":1})"));
  EXPECT_FALSE(parse(R"({"a":1,"b":[1,2]})") == parse(R"({"b":[2,1],"a":1})"));
  EXPECT_FALSE(parse(R"({"a":1})") == parse(R"({"a":1,"b":1})"));
  EXPECT_FALSE(parse("1") == parse("1.0"));
}

}  // namespace
}  // namespace koe::bundle
