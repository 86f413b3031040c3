// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <new>

#include "c_api/call.h"
#include "c_api/handles.h"
#include "koe/common.h"

namespace koe::c_api {
namespace {

#define KOE_SAME_CODE(c, cxx) static_assert(c == static_cast<koe_status>(ErrorCode::cxx), #c)
KOE_SAME_CODE(KOE_ERR_INVALID_ARGUMENT, kInvalidArgument);
KOE_SAME_CODE(KOE_ERR_NOT_FOUND, kNotFound);
KOE_SAME_CODE(KOE_ERR_CORRUPT_BUNDLE, kCorruptBundle);
KOE_SAME_CODE(KOE_ERR_UNSUPPORTED, kUnsupported);
KOE_SAME_CODE(KOE_ERR_TOO_LONG, kTooLong);
KOE_SAME_CODE(KOE_ERR_IO, kIo);
KOE_SAME_CODE(KOE_ERR_OUT_OF_MEMORY, kOutOfMemory);
KOE_SAME_CODE(KOE_ERR_CANCELLED, kCancelled);
KOE_SAME_CODE(KOE_ERR_INTERNAL, kInternal);
static_assert(KOE_SAMPLE_RATE_HZ == kSampleRateHz, "the header promises the rate");

}  // namespace

void SetError(koe_error* error, koe_status status, std::string_view message) noexcept {
  constexpr size_t kMessageOffset = offsetof(koe_error, message);
  if (error == nullptr || error->struct_size <= kMessageOffset) return;
  error->code = status;
  const size_t room = std::min(error->struct_size, sizeof(koe_error)) - kMessageOffset - 1;
  size_t size = std::min(message.size(), room);
  if (size < message.size()) {
    while (size > 0 && (static_cast<unsigned char>(message[size]) & 0xC0) == 0x80) --size;  // not within a character
  }
  message.copy(error->message, size);
  error->message[size] = '\0';
}

Result<void> CheckIndex(const char* what, size_t index, size_t count) {
  if (index < count) return {};
  return Error(ErrorCode::kInvalidArgument,
               std::string(what) + ": index " + std::to_string(index) + ": there are " + std::to_string(count));
}

Result<std::string_view> ReadText(const char* text, size_t length) {
  if (text == nullptr) {
    if (length != 0) return NullArgument("text");
    return std::string_view();
  }
  return std::string_view(text, length == KOE_NUL_TERMINATED ? std::strlen(text) : length);
}

}  // namespace koe::c_api

extern "C" {

void koe_struct_init(void* sized_struct, size_t size) {
  if (sized_struct == nullptr || size < sizeof(size_t)) return;
  std::memset(sized_struct, 0, size);
  std::memcpy(sized_struct, &size, sizeof size);
}

const char* koe_status_name(koe_status status) {
  if (status == KOE_OK) return "ok";
  if (status < KOE_OK || status > KOE_ERR_INTERNAL) return "unknown";
  return koe::ErrorCodeName(static_cast<koe::ErrorCode>(status));
}

// As apps/cli/outcome.cc has it for what text and voices can be wrong about.
int32_t koe_status_exit_code(koe_status status) {
  switch (status) {
    case KOE_OK:
      return 0;
    case KOE_ERR_INVALID_ARGUMENT:
    case KOE_ERR_UNSUPPORTED:
    case KOE_ERR_TOO_LONG:
      return 3;
    case KOE_ERR_NOT_FOUND:
    case KOE_ERR_CORRUPT_BUNDLE:
      return 4;
    case KOE_ERR_IO:
      return 5;
    case KOE_ERR_CANCELLED:
      return 6;
    default:
      return 70;
  }
}

const char* koe_version(void) { return koe::Version(); }
int32_t koe_c_api_version(void) { return KOE_C_API_VERSION; }

koe_cancel* koe_cancel_create(void) { return new (std::nothrow) koe_cancel; }
void koe_cancel_request(koe_cancel* cancel) {
  if (cancel != nullptr) cancel->token.Cancel();
}
void koe_cancel_free(koe_cancel* cancel) { delete cancel; }

const char* koe_buffer_data(const koe_buffer* buffer) { return buffer == nullptr ? nullptr : buffer->bytes.c_str(); }
size_t koe_buffer_size(const koe_buffer* buffer) { return buffer == nullptr ? 0 : buffer->bytes.size(); }
void koe_buffer_free(koe_buffer* buffer) { delete buffer; }

}  // extern "C"
