// SPDX-License-Identifier: Apache-2.0
// One request, one answer. What an answer means is the receiver's business (partial_file.h); what may be talked to, how
// long and how much is the transport's.
#ifndef KOE_DOWNLOAD_TRANSPORT_H_
#define KOE_DOWNLOAD_TRANSPORT_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "koe/result.h"

namespace koe::download {

struct Request {
  std::string url;       // CheckUrl has accepted it
  uint64_t offset = 0;   // > 0: the bytes from here on ("Range: bytes=<offset>-")
  std::string if_range;  // with offset: only if the file still has this ETag
};

// "Content-Range: bytes first-last/total"
struct ContentRange {
  uint64_t first = 0, last = 0;
  std::optional<uint64_t> total;
};

struct ResponseHead {
  int status = 0;                          // of the last answer, after redirects; a file has 200 or 206
  std::optional<uint64_t> content_length;  // of this answer's body
  std::string etag;                        // with its quotes; "" where there is none or it is no single short line
  std::string content_encoding;            // lower case; "" where there is none
  std::optional<ContentRange> content_range;
  double retry_after_s = 0;  // 0: not said, or said as a date
};

class Receiver {
 public:
  virtual ~Receiver() = default;
  // Before the body. An error ends the transfer.
  virtual Result<void> OnHead(const ResponseHead& head) = 0;
  // In parts, in order.
  virtual Result<void> OnBody(std::span<const std::byte> bytes) = 0;
};

// How a transfer ended.
struct Transfer {
  std::optional<Error> error;  // of the receiver, the network or the server
  bool is_transient = false;   // the network's or the server's trouble: it may be over the next time
  bool from_receiver = false;  // the receiver ended it
  bool ok() const { return !error.has_value(); }
};

struct TransportOptions {
  std::string ca_file;  // PEM; "": the system's certificates
  std::string proxy;    // "": none. The environment's *_proxy variables are never looked at
  double connect_timeout_s = 15;
  double stall_timeout_s = 30;  // fewer than min_bytes_per_s for so long ends a transfer
  uint64_t min_bytes_per_s = 1024;
  const std::atomic<bool>* cancel = nullptr;
};

// Not thread-safe: each thread has one of its own. It keeps its connection between requests.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual Transfer Get(const Request& request, Receiver* receiver) = 0;
};

// https (redirects are followed to https only, at most 5), http without redirects to http, and file.
std::unique_ptr<Transport> MakeTransport(const TransportOptions& options);

// The two behind it.
std::unique_ptr<Transport> MakeCurlTransport(const TransportOptions& options);
std::unique_ptr<Transport> MakeFileTransport(const TransportOptions& options);

// The headers of one answer, line by line; lines that mean nothing here are passed over.
class HeadParser {
 public:
  // One line without its end. A status line starts a new answer (redirects, 1xx).
  void Line(std::string_view line);
  const ResponseHead& head() const { return head_; }

 private:
  ResponseHead head_;
};

}  // namespace koe::download

#endif  // KOE_DOWNLOAD_TRANSPORT_H_
