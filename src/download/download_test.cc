// SPDX-License-Identifier: Apache-2.0
// URLs, headers, tries: the parts that need neither a server nor a store.
#include <gtest/gtest.h>

#include "download/retry.h"
#include "download/transport.h"
#include "download/url.h"

namespace koe::download {
namespace {

TEST(UrlTest, HttpsAndFileAreAllowedHttpOnRequest) {
  EXPECT_EQ(*CheckUrl("https://h/a.json", false), Scheme::kHttps);
  EXPECT_EQ(*CheckUrl("https://h:8443/a.json?x=1", false), Scheme::kHttps);
  EXPECT_EQ(*CheckUrl("file:///a.json", false), Scheme::kFile);
  EXPECT_EQ(*CheckUrl("http://h/a", true), Scheme::kHttp);
  for (const char* url : {"http://h/a", "ftp://h/a", "HTTPS://h/a", "https:///a", "https://", "", "/a", "a",
                          "https://me@h/a", "https://me:pw@h/a", "https://h/a b", "https://h/a\n", "https://h\\a",
                          "file://other/a", "file://a", "file:///a%", "file:///a%0", "file:///a%00", "file:///a%zz"}) {
    const auto checked = CheckUrl(url, false);
    ASSERT_FALSE(checked) << url;
    EXPECT_EQ(checked.error().code(), ErrorCode::kInvalidArgument);
  }
  EXPECT_FALSE(CheckUrl("https://h/" + std::string(2048, 'a'), false));
}

TEST(UrlTest, FilesStandBesideTheManifest) {
  EXPECT_EQ(Sibling("https://h/a/m.json", "v/b.bin"), "https://h/a/v/b.bin");
  EXPECT_EQ(Sibling("https://h/a/m.json?token=/x/", "b"), "https://h/a/b");
  EXPECT_EQ(Sibling("https://h", "b"), "https://h/b");
  EXPECT_EQ(Sibling("https://h/", "b"), "https://h/b");
  EXPECT_EQ(Below("https://h/a/", "b"), "https://h/a/b");
  EXPECT_EQ(Below("https://h/a", "b"), "https://h/a/b");
  EXPECT_EQ(Below("file:///", "b"), "file:///b");
}

TEST(UrlTest, FilePathsAreDecoded) {
  EXPECT_EQ(*PathOfFileUrl("file:///a%20b/%41"), "/a b/A");
  EXPECT_EQ(*PathOfFileUrl("file://localhost/a"), "/a");
}

TEST(UrlTest, SecretsAreNotShown) {
  EXPECT_EQ(Shown("https://h/a?token=1#x"), "https://h/a");
  EXPECT_EQ(Shown("https://me:pw@h/a@b"), "https://h/a@b");
  EXPECT_LE(Shown("https://h/" + std::string(3000, 'a')).size(), 200u);
  EXPECT_EQ(Shown(std::string(600, '\n') + "://h"), std::string(200, '?'));
}

ResponseHead Parse(std::initializer_list<const char*> lines) {
  HeadParser parser;
  for (const char* line : lines) parser.Line(line);
  return parser.head();
}

TEST(HeadParserTest, TheLastAnswerCounts) {
  const ResponseHead head = Parse({"HTTP/1.1 302 Found\r\n", "ETag: \"a\"\r\n", "Content-Length: 3\r\n", "\r\n",
                                   "HTTP/2 206\r\n", "eTAG:\"b\" \r\n", "content-range: bytes 5-9/10\r\n", "\r\n"});
  EXPECT_EQ(head.status, 206);
  EXPECT_EQ(head.etag, "\"b\"");
  EXPECT_FALSE(head.content_length);
  ASSERT_TRUE(head.content_range);
  EXPECT_EQ(head.content_range->first, 5u);
  EXPECT_EQ(head.content_range->last, 9u);
  EXPECT_EQ(head.content_range->total, 10u);
}

TEST(HeadParserTest, WhatIsMalformedIsAbsent) {
  for (const char* line :
       {"Content-Length: -1", "Content-Length: 1x", "Content-Length:", "Content-Length: 99999999999999999999"}) {
    EXPECT_FALSE(Parse({"HTTP/1.1 200 OK", line}).content_length) << line;
  }
  for (const char* line : {"Content-Range: bytes 5-4/10", "Content-Range: bytes */10", "Content-Range: 0-1/2",
                           "Content-Range: bytes 0-1", "Content-Range: bytes 0-1/x", "Content-Range: bytes a-1/2"}) {
    EXPECT_FALSE(Parse({"HTTP/1.1 206 X", line}).content_range) << line;
  }
  EXPECT_EQ(Parse({"HTTP/1.1 200 OK", "ETag: \"a\x01\""}).etag, "");
  EXPECT_EQ(Parse({"HTTP/1.1 200 OK", ("ETag: \"" + std::string(600, 'x') + "\"").c_str()}).etag, "");
  EXPECT_EQ(Parse({"HTTP/1.1", "nonsense", ":"}).status, 0);
  EXPECT_EQ(Parse({"HTTP/1.1 200 OK", "Retry-After: Wed, 21 Oct 2026 07:28:00 GMT"}).retry_after_s, 0);
}

class RetryTest : public ::testing::Test {
 protected:
  Result<void> Run(const std::function<Try(int)>& attempt) {
    return WithRetries({3, 0.0001}, cancel_, [&] { return attempt(++attempts_); });
  }
  std::atomic<bool> cancel_{false};
  int attempts_ = 0;
};

TEST_F(RetryTest, ThreeTriesWithoutProgress) {
  const auto result = Run([](int) -> Try { return {Error(ErrorCode::kIo, "x"), true, 0, 100}; });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message(), "x (after 3 tries)");
  EXPECT_EQ(attempts_, 3);
}

TEST_F(RetryTest, ProgressGivesNewTries) {
  const auto result = Run([](int n) -> Try {
    if (n == 20) return {};
    return {Error(ErrorCode::kIo, "x"), true, 0, static_cast<uint64_t>(n) << 20};
  });
  EXPECT_TRUE(result);
  EXPECT_EQ(attempts_, 20);
}

// Bytes that were gained, lost and gained again are no progress: there is an end.
TEST_F(RetryTest, GainsThatAreLostDoNotCount) {
  const auto result = Run([](int n) -> Try {
    return {Error(ErrorCode::kIo, "x"), true, 0, n % 2 == 0 ? uint64_t{0} : uint64_t{5} << 20};
  });
  ASSERT_FALSE(result);
  EXPECT_LE(attempts_, 4);
}

TEST_F(RetryTest, LastingErrorsAndLongWaitsEndAtOnce) {
  EXPECT_FALSE(Run([](int) -> Try { return {Error(ErrorCode::kNotFound, "x"), false, 0, 0}; }));
  EXPECT_EQ(attempts_, 1);
  EXPECT_FALSE(Run([](int) -> Try { return {Error(ErrorCode::kIo, "x"), true, 31, 0}; }));
  EXPECT_EQ(attempts_, 2);
}

TEST_F(RetryTest, CancelEndsTheWait) {
  const auto result = WithRetries({3, 30}, cancel_, [&]() -> Try {
    cancel_ = true;
    return {Error(ErrorCode::kIo, "x"), true, 0, 0};
  });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), ErrorCode::kCancelled);
}

}  // namespace
}  // namespace koe::download
