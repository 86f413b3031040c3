// SPDX-License-Identifier: Apache-2.0
// HTTP(S) over libcurl. Nothing of the process's environment or of a user's curl configuration has a say.
#include <curl/curl.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <mutex>

#include "download/transport.h"
#include "download/url.h"

namespace koe::download {
namespace {

constexpr long kMaxRedirects = 5;
constexpr long kBufferBytes = 256 << 10;  // of one read from the socket
constexpr size_t kMaxHeaderBytes = 64 << 10;

bool GlobalInit() {
  static std::once_flag once;
  static bool ok = false;
  std::call_once(once, [] { ok = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK; });
  return ok;
}

// What the callbacks of one transfer share.
struct Call {
  Receiver* receiver;
  const std::atomic<bool>* cancel;
  HeadParser parser;
  size_t header_bytes = 0;
  bool head_told = false;
  std::optional<Error> error;  // the receiver's

  bool IsCancelled() const { return cancel != nullptr && cancel->load(std::memory_order_relaxed); }
  void Run(const Result<void>& result) {
    if (!result && !error) error = result.error();
  }
  // A redirect that is followed has no body for us, so the first body byte belongs to the last answer.
  void TellHead() {
    if (head_told || error) return;
    head_told = true;
    Run(receiver->OnHead(parser.head()));
  }
};

// libcurl is C: an exception (no memory) must not pass through it.
template <typename Function>
void Caught(Call* call, Function&& function) {
  try {
    function();
  } catch (const std::exception&) {
    if (!call->error) call->error = Error(ErrorCode::kOutOfMemory, "download: not enough memory");
  }
}

size_t OnHeader(char* data, size_t size, size_t count, void* user) {
  Call* call = static_cast<Call*>(user);
  const size_t bytes = size * count;
  call->header_bytes += bytes;
  if (call->header_bytes > kMaxHeaderBytes) {
    Caught(call, [&] { call->error = Error(ErrorCode::kTooLong, "headers: more than 64 KiB"); });
    return 0;
  }
  Caught(call, [&] { call->parser.Line(std::string_view(data, bytes)); });
  return call->error ? 0 : bytes;
}

size_t OnData(char* data, size_t size, size_t count, void* user) {
  Call* call = static_cast<Call*>(user);
  const size_t bytes = size * count;
  Caught(call, [&] {
    call->TellHead();
    if (!call->error) call->Run(call->receiver->OnBody({reinterpret_cast<const std::byte*>(data), bytes}));
  });
  return call->error || call->IsCancelled() ? 0 : bytes;
}

int OnProgress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Call*>(user)->IsCancelled() ? 1 : 0;
}

// Of CURLcode: what another try may mend.
bool IsTransient(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_BAD_CONTENT_ENCODING:
      return true;
    default:
      return false;
  }
}

class CurlTransport : public Transport {
 public:
  explicit CurlTransport(const TransportOptions& options)
      : options_(options), curl_(GlobalInit() ? curl_easy_init() : nullptr) {}
  ~CurlTransport() override {
    if (curl_ != nullptr) curl_easy_cleanup(curl_);
  }
  CurlTransport(const CurlTransport&) = delete;
  CurlTransport& operator=(const CurlTransport&) = delete;

  Transfer Get(const Request& request, Receiver* receiver) override {
    if (curl_ == nullptr) return {Error(ErrorCode::kOutOfMemory, "download: libcurl cannot start")};
    Call call{receiver, options_.cancel, {}, 0, false, std::nullopt};
    curl_easy_reset(curl_);  // keeps connections
    char why[CURL_ERROR_SIZE] = "";
    curl_slist* headers = nullptr;
    // A body in another encoding than the file's own could not be compared with the manifest, nor resumed.
    headers = curl_slist_append(headers, "Accept-Encoding: identity");
    if (request.offset > 0) {
      headers = curl_slist_append(headers, ("Range: bytes=" + std::to_string(request.offset) + "-").c_str());
      if (!request.if_range.empty()) headers = curl_slist_append(headers, ("If-Range: " + request.if_range).c_str());
    }
    Set(CURLOPT_URL, request.url.c_str());
    Set(CURLOPT_HTTPHEADER, headers);
    Set(CURLOPT_ERRORBUFFER, static_cast<char*>(why));
    Set(CURLOPT_USERAGENT, "koe/" KOE_VERSION);
    Set(CURLOPT_PROTOCOLS_STR, request.url.rfind("https:", 0) == 0 ? "https" : "http");
    Set(CURLOPT_REDIR_PROTOCOLS_STR, "https");
    Set(CURLOPT_FOLLOWLOCATION, 1L);
    Set(CURLOPT_MAXREDIRS, kMaxRedirects);
    Set(CURLOPT_PROXY, options_.proxy.c_str());  // "" switches the environment's off
    Set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    Set(CURLOPT_NOSIGNAL, 1L);
    Set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!options_.ca_file.empty()) {
      Set(CURLOPT_CAINFO, options_.ca_file.c_str());
      Set(CURLOPT_CAPATH, static_cast<char*>(nullptr));
    }
    Set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(1000 * options_.connect_timeout_s));
    Set(CURLOPT_LOW_SPEED_LIMIT, static_cast<long>(options_.min_bytes_per_s));
    Set(CURLOPT_LOW_SPEED_TIME, std::max(1L, std::lround(options_.stall_timeout_s)));
    Set(CURLOPT_BUFFERSIZE, kBufferBytes);
    Set(CURLOPT_HEADERFUNCTION, &OnHeader);
    Set(CURLOPT_HEADERDATA, &call);
    Set(CURLOPT_WRITEFUNCTION, &OnData);
    Set(CURLOPT_WRITEDATA, &call);
    Set(CURLOPT_NOPROGRESS, 0L);
    Set(CURLOPT_XFERINFOFUNCTION, &OnProgress);
    Set(CURLOPT_XFERINFODATA, &call);
    const CURLcode code = curl_easy_perform(curl_);
    curl_slist_free_all(headers);
    if (code == CURLE_OK) Caught(&call, [&] { call.TellHead(); });  // an answer without a body
    if (call.IsCancelled()) return {Error(ErrorCode::kCancelled, "download: cancelled")};
    if (call.error) return {std::move(call.error), false, true};
    if (code == CURLE_OK) return {};
    const std::string reason = *why != 0 ? why : curl_easy_strerror(code);
    // libcurl has one code for an address whose protocol is not allowed and for an answer it cannot read.
    const int status = call.parser.head().status;
    const bool is_redirect = code == CURLE_UNSUPPORTED_PROTOCOL && status >= 300 && status <= 399;
    const std::string prefix = is_redirect ? "redirect to another protocol than https refused: " : "";
    return {Error(ErrorCode::kIo, "url: " + Shown(request.url) + ": " + prefix + reason),
            IsTransient(code) && !is_redirect, false};
  }

 private:
  template <typename T>
  void Set(CURLoption option, T value) {
    (void)curl_easy_setopt(curl_, option, value);
  }

  const TransportOptions options_;
  CURL* const curl_;
};

}  // namespace

std::unique_ptr<Transport> MakeCurlTransport(const TransportOptions& options) {
  return std::make_unique<CurlTransport>(options);
}

}  // namespace koe::download
