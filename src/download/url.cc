// SPDX-License-Identifier: Apache-2.0
#include "download/url.h"

#include <algorithm>

#include "base/hex.h"

namespace koe::download {
namespace {

constexpr size_t kMaxUrlBytes = 2048;
constexpr size_t kMaxShownBytes = 200;

bool HasPrefix(std::string_view text, std::string_view prefix) { return text.substr(0, prefix.size()) == prefix; }

std::string_view WithoutQuery(std::string_view url) { return url.substr(0, url.find_first_of("?#")); }

}  // namespace

Result<Scheme> CheckUrl(std::string_view url, bool allow_http) {
  const auto refuse = [&](const std::string& why) {
    return Error(ErrorCode::kInvalidArgument, "url: '" + Shown(url) + "': " + why);
  };
  if (url.size() > kMaxUrlBytes) return refuse("longer than 2048 bytes");
  for (const char c : url) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7F || c == '\\') return refuse("a character that no URL has");
  }
  if (HasPrefix(url, "file://")) {
    const auto path = PathOfFileUrl(url);
    if (!path) return path.error();
    return Scheme::kFile;
  }
  const bool is_https = HasPrefix(url, "https://"), is_http = HasPrefix(url, "http://");
  if (!is_https && !is_http) return refuse("neither https:// nor file://");
  if (is_http && !allow_http) return refuse("http is not secure: use https (or allow http for a server of your own)");
  const std::string_view rest = url.substr(is_https ? 8 : 7);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  if (authority.empty()) return refuse("no host");
  if (authority.find('@') != std::string_view::npos) return refuse("a name or password in a URL is not sent");
  return is_https ? Scheme::kHttps : Scheme::kHttp;
}

std::string Sibling(std::string_view url, std::string_view path) {
  const std::string_view whole = WithoutQuery(url);
  const size_t authority = whole.find("://") + 3;
  const size_t slash = whole.rfind('/');
  const bool has_path = slash != std::string_view::npos && slash >= authority;
  return std::string(has_path ? whole.substr(0, slash) : whole) + "/" + std::string(path);
}

std::string Below(std::string_view url, std::string_view path) {
  std::string_view folder = WithoutQuery(url);
  const size_t authority = folder.find("://") + 3;  // its slashes stay
  while (folder.size() > authority && folder.back() == '/') folder.remove_suffix(1);
  return std::string(folder) + "/" + std::string(path);
}

Result<std::string> PathOfFileUrl(std::string_view url) {
  const auto refuse = [&](const std::string& why) {
    return Error(ErrorCode::kInvalidArgument, "url: '" + Shown(url) + "': " + why);
  };
  std::string_view rest = url.substr(std::string_view("file://").size());
  if (HasPrefix(rest, "localhost/")) rest.remove_prefix(std::string_view("localhost").size());
  if (rest.empty() || rest.front() != '/') return refuse("not file:/// with a path from the root");
  std::string path;
  for (size_t i = 0; i < rest.size(); ++i) {
    if (rest[i] != '%') {
      path.push_back(rest[i]);
      continue;
    }
    const int high = i + 2 <= rest.size() - 1 ? HexValue(rest[i + 1]) : -1;
    const int low = i + 2 <= rest.size() - 1 ? HexValue(rest[i + 2]) : -1;
    if (high < 0 || low < 0 || high * 16 + low == 0) return refuse("a bad %-escape");
    path.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return path;
}

std::string Shown(std::string_view url) {
  const std::string_view text = WithoutQuery(url);
  std::string whole(text);
  const size_t authority = text.find("://");
  if (authority != std::string_view::npos) {  // nor a password
    const size_t start = authority + 3, end = std::min(text.find('/', start), text.size());
    const size_t at = text.substr(0, end).rfind('@');
    if (at != std::string_view::npos && at >= start) whole.erase(start, at + 1 - start);
  }
  if (whole.size() > kMaxShownBytes) whole.resize(kMaxShownBytes);
  for (char& c : whole) c = static_cast<unsigned char>(c) < 0x20 ? '?' : c;
  return whole;
}

}  // namespace koe::download
