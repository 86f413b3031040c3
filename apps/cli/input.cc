// SPDX-License-Identifier: Apache-2.0
#include "input.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "text.h"

namespace koe::cli {

struct TextInput::State {
  const CancelToken* cancel;
  int fd = -1;  // -1: everything is in `buffer`
  bool owns_fd = false;
  std::string name;    // for messages
  std::string buffer;  // read and not yet taken
  size_t taken = 0;    // bytes of the text before the buffer
  size_t line = 0;     // lines taken

  ~State() {
    if (owns_fd) close(fd);
  }
  // Reads some more. False at the end.
  Result<bool> Fill();
  Result<void> CheckUtf8(std::string_view text, size_t line_number) const;
};

Result<bool> TextInput::State::Fill() {
  if (fd < 0) return false;
  std::array<char, 65536> block;
  ssize_t n;
  do {
    if (cancel->IsCancelled()) return Error(ErrorCode::kCancelled, "interrupted while reading " + name);
    n = read(fd, block.data(), block.size());
  } while (n < 0 && errno == EINTR);
  if (n < 0) return Error(ErrorCode::kIo, "text: " + name + ": " + std::strerror(errno));
  buffer.append(block.data(), static_cast<size_t>(n));
  return n > 0;
}

Result<void> TextInput::State::CheckUtf8(std::string_view text, size_t line_number) const {
  const auto bad = FindInvalidUtf8(text);
  if (!bad) return {};
  const std::string where = line_number == 0 ? "" : Format("line %zu, ", line_number);
  return Error(ErrorCode::kInvalidArgument, "text: " + where + Format("byte %zu", *bad) + ": not valid UTF-8 (0x" +
                                                Format("%02x)", static_cast<unsigned char>(text[*bad])));
}

TextInput::TextInput(std::unique_ptr<State> state) : state_(std::move(state)) {}
TextInput::TextInput(TextInput&&) noexcept = default;
TextInput& TextInput::operator=(TextInput&&) noexcept = default;
TextInput::~TextInput() = default;

Result<TextInput> TextInput::Open(const std::optional<std::string>& text, const std::optional<std::string>& file,
                                  const CancelToken& cancel) {
  auto state = std::make_unique<State>();
  state->cancel = &cancel;
  if (text && file) {
    return Error(ErrorCode::kInvalidArgument, "text: " + Quote(*text) + ": give TEXT or --file, not both");
  }
  if (text && *text != "-") {
    state->buffer = *text;
    state->name = "TEXT";
    return TextInput(std::move(state));
  }
  if (file && *file != "-") {
    state->name = Quote(*file);
    state->fd = open(file->c_str(), O_RDONLY | O_CLOEXEC);
    state->owns_fd = state->fd >= 0;
    if (state->fd < 0) {
      const bool is_missing = errno == ENOENT || errno == ENOTDIR;
      return Error(is_missing ? ErrorCode::kNotFound : ErrorCode::kIo,
                   "file: " + state->name + ": " + std::strerror(errno));
    }
    return TextInput(std::move(state));
  }
  const bool is_asked_for = text || file;
  if (!is_asked_for && isatty(STDIN_FILENO) != 0) {
    return Error(ErrorCode::kInvalidArgument, "text: none: give TEXT, --file FILE, or pipe it in");
  }
  state->fd = STDIN_FILENO;
  state->name = "standard input";
  return TextInput(std::move(state));
}

Result<std::string> TextInput::ReadAll() {
  for (bool more = true; more;) {
    if (state_->buffer.size() > kMaxInputBytes) {
      return Error(ErrorCode::kTooLong,
                   "text: " + state_->name + Format(": longer than %zu MiB", kMaxInputBytes >> 20));
    }
    KOE_TRY(more, state_->Fill());
  }
  KOE_CHECK_OK(state_->CheckUtf8(state_->buffer, 0));
  return std::exchange(state_->buffer, {});
}

Result<std::optional<TextLine>> TextInput::ReadLine() {
  size_t end, searched = 0;
  while ((end = state_->buffer.find('\n', searched)) == std::string::npos) {
    searched = state_->buffer.size();
    if (searched > kMaxInputBytes) {
      return Error(ErrorCode::kTooLong,
                   Format("text: line %zu: longer than %zu MiB", state_->line + 1, kMaxInputBytes >> 20));
    }
    KOE_TRY(const bool more, state_->Fill());
    if (more) continue;
    if (state_->buffer.empty()) return std::optional<TextLine>();
    end = state_->buffer.size();
    break;
  }
  TextLine line{state_->buffer.substr(0, end), state_->taken};
  state_->taken += std::min(end + 1, state_->buffer.size());
  state_->buffer.erase(0, end + 1);
  if (!line.text.empty() && line.text.back() == '\r') line.text.pop_back();
  ++state_->line;
  KOE_CHECK_OK(state_->CheckUtf8(line.text, state_->line));
  return std::optional<TextLine>(std::move(line));
}

}  // namespace koe::cli
