// SPDX-License-Identifier: Apache-2.0
#include "player.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

namespace koe::cli {
namespace {

constexpr const char* kPlayers[][2] = {
    {"aplay", "exec aplay -q -t raw -f S16_LE -r 24000 -c 1 -"},
    {"paplay", "exec paplay --raw --format=s16le --rate=24000 --channels=1 /dev/stdin"},
    {"pw-play", "exec pw-play --format=s16 --rate=24000 --channels=1 -"},
    {"ffplay", "exec ffplay -nodisp -autoexit -loglevel error -f s16le -ar 24000 -i -"},
};
constexpr int kWaitMs = 50;  // between looks at the token

bool IsInPath(const std::string& program) {
  const char* path = std::getenv("PATH");
  const std::string folders = path == nullptr ? "" : path;
  for (size_t start = 0; start <= folders.size();) {
    const size_t end = std::min(folders.find(':', start), folders.size());
    if (end > start && access((folders.substr(start, end - start) + "/" + program).c_str(), X_OK) == 0) return true;
    start = end + 1;
  }
  return false;
}

Error Failed(const std::string& why) { return Error(ErrorCode::kIo, "player: " + why); }

}  // namespace

Result<Player> Player::Open() {
  std::string command;
  if (const char* given = std::getenv("KOE_PLAYER"); given != nullptr) command = given;
  for (const auto& [program, line] : kPlayers) {
    if (command.empty() && IsInPath(program)) command = line;
  }
  if (command.empty()) {
    return Error(ErrorCode::kUnsupported,
                 "player: none of aplay, paplay, pw-play and ffplay is here (alsa-utils has aplay; or set KOE_PLAYER)");
  }
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Failed(std::strerror(errno));
  const pid_t process = fork();
  if (process < 0) {
    const int error = errno;
    close(ends[0]);
    close(ends[1]);
    return Failed(std::strerror(error));
  }
  if (process == 0) {
    signal(SIGPIPE, SIG_DFL);
    dup2(ends[0], STDIN_FILENO);
    execl("/bin/sh", "sh", "-c", command.c_str(), static_cast<char*>(nullptr));
    _exit(127);
  }
  close(ends[0]);
  fcntl(ends[1], F_SETFL, O_NONBLOCK);
  return Player(process, ends[1]);
}

Player::Player(Player&& other) noexcept
    : process_(std::exchange(other.process_, -1)), pipe_(std::exchange(other.pipe_, -1)) {}

Player::~Player() {
  if (pipe_ >= 0) close(pipe_);
  if (process_ < 0) return;
  kill(process_, SIGTERM);
  waitpid(process_, nullptr, 0);
}

Result<void> Player::Write(std::string_view samples, const CancelToken& cancel) {
  while (!samples.empty()) {
    if (cancel.IsCancelled()) return Error(ErrorCode::kCancelled, "interrupted: the speech was cut short");
    const ssize_t count = write(pipe_, samples.data(), samples.size());
    if (count > 0) {
      samples.remove_prefix(static_cast<size_t>(count));
    } else if (errno == EAGAIN) {
      struct pollfd room = {pipe_, POLLOUT, 0};
      poll(&room, 1, kWaitMs);
    } else if (errno != EINTR) {
      return Failed(errno == EPIPE ? "it ended early" : std::strerror(errno));
    }
  }
  return {};
}

Result<void> Player::Finish(const CancelToken& cancel) {
  close(std::exchange(pipe_, -1));
  int status = 0;
  while (true) {
    if (cancel.IsCancelled()) return Error(ErrorCode::kCancelled, "interrupted: the speech was cut short");
    const pid_t ended = waitpid(process_, &status, WNOHANG);
    if (ended == process_) break;
    if (ended < 0 && errno != EINTR) return Failed(std::strerror(errno));
    poll(nullptr, 0, kWaitMs);
  }
  process_ = -1;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return Failed(WIFEXITED(status) ? "exit status " + std::to_string(WEXITSTATUS(status)) : "killed");
}

}  // namespace koe::cli
