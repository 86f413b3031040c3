// SPDX-License-Identifier: Apache-2.0
// Header lines of a server, and URLs that a user or a release gives. Whatever comes, what is told is well formed.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "download/transport.h"
#include "download/url.h"

namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

void CheckHead(std::string_view text) {
  koe::download::HeadParser parser;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    parser.Line(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  const koe::download::ResponseHead& head = parser.head();
  Require(head.status >= 0 && head.status <= 999);
  Require(head.etag.size() <= 512 && head.etag.find('\n') == std::string::npos);
  Require(head.content_encoding.size() <= 64);
  Require(head.retry_after_s >= 0);
  if (head.content_range) Require(head.content_range->first <= head.content_range->last);
}

void CheckOneUrl(const std::string& url) {
  const auto scheme = koe::download::CheckUrl(url, true);
  Require(koe::download::Shown(url).size() <= 200);
  if (!scheme) return;
  Require(koe::download::CheckUrl(koe::download::Sibling(url, "a/b.bin"), true).has_value() || url.size() > 2000);
  Require(koe::download::CheckUrl(koe::download::Below(url, "a"), true).has_value() || url.size() > 2000);
  if (*scheme != koe::download::Scheme::kFile) return;
  const auto path = koe::download::PathOfFileUrl(url);
  Require(path.has_value() && path->front() == '/' && path->find('\0') == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  CheckHead(text);
  CheckOneUrl(text);
  CheckOneUrl("https://" + text);
  CheckOneUrl("file:///" + text);
  return 0;
}
