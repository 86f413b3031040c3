// SPDX-License-Identifier: Apache-2.0
#ifndef KOE_DOWNLOAD_URL_H_
#define KOE_DOWNLOAD_URL_H_

#include <string>
#include <string_view>

#include "koe/result.h"

namespace koe::download {

enum class Scheme { kHttps, kHttp, kFile };

// The scheme of a URL that may be fetched: https://, file:/// and, where `allow_http`, http://. kInvalidArgument for
// any other, for a name and password in it, for control characters and spaces, and above 2,048 bytes.
Result<Scheme> CheckUrl(std::string_view url, bool allow_http);

// The address of `path` beside what `url` names: "https://h/a/m.json?x" and "v/b.bin" give "https://h/a/v/b.bin".
// `path` is one that bundle::IsSafePath accepts: nothing in it needs escaping.
std::string Sibling(std::string_view url, std::string_view path);

// The same below a folder: "https://h/a" and "https://h/a/" and "b" give "https://h/a/b".
std::string Below(std::string_view url, std::string_view path);

// The path of a file:// URL with %XX decoded. kInvalidArgument: another host than this one, a NUL, a bad escape.
Result<std::string> PathOfFileUrl(std::string_view url);

// For messages: without what stands behind '?' or '#' (a query may hold a token), at most 200 bytes.
std::string Shown(std::string_view url);

}  // namespace koe::download

#endif  // KOE_DOWNLOAD_URL_H_
