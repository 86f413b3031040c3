// SPDX-License-Identifier: Apache-2.0
#include "player.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
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

const char* Environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : nullptr;
}

Error Failed(const std::string& why) { return Error(ErrorCode::kIo, "player: " + why); }

// A child process that reads the samples from its standard input.
class CommandPlayer final : public Player {
 public:
  CommandPlayer(pid_t process, int pipe) : process_(process), pipe_(pipe) {}
  ~CommandPlayer() override {
    if (pipe_ >= 0) close(pipe_);
    if (process_ < 0) return;
    kill(process_, SIGTERM);
    waitpid(process_, nullptr, 0);
  }
  CommandPlayer(const CommandPlayer&) = delete;
  CommandPlayer& operator=(const CommandPlayer&) = delete;

  Result<void> Write(std::string_view samples, const CancelToken& cancel) override;
  Result<void> Finish(const CancelToken& cancel) override;

 private:
  pid_t process_;
  int pipe_;
};

Result<void> CommandPlayer::Write(std::string_view samples, const CancelToken& cancel) {
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

Result<void> CommandPlayer::Finish(const CancelToken& cancel) {
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

}  // namespace

Result<std::unique_ptr<Player>> OpenCommandPlayer(const char* command) {
  int ends[2];
#if defined(__linux__)
  if (pipe2(ends, O_CLOEXEC) != 0) return Failed(std::strerror(errno));
#else
  if (pipe(ends) != 0) return Failed(std::strerror(errno));
  for (const int end : ends) fcntl(end, F_SETFD, FD_CLOEXEC);
#endif
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
    execl("/bin/sh", "sh", "-c", command, static_cast<char*>(nullptr));
    _exit(127);
  }
  close(ends[0]);
  fcntl(ends[1], F_SETFL, O_NONBLOCK);
  return std::unique_ptr<Player>(std::make_unique<CommandPlayer>(process, ends[1]));
}

Result<std::unique_ptr<Player>> OpenPlayer() {
  if (const char* given = Environment("KOE_PLAYER"); given != nullptr) return OpenCommandPlayer(given);
  const char* library = Environment("KOE_ALSA_LIBRARY");
  const char* device = Environment("KOE_ALSA_DEVICE");
  auto alsa = OpenAlsaPlayer(library != nullptr ? library : "libasound.so.2", device != nullptr ? device : "default");
  if (alsa) return alsa;
  if (library != nullptr || device != nullptr) return alsa.error().WithContext("player");
  for (const auto& [program, line] : kPlayers) {
    if (IsInPath(program)) return OpenCommandPlayer(line);
  }
  return Error(ErrorCode::kUnsupported, "player: none here: " + alsa.error().message() +
                                            "; no aplay, paplay, pw-play or ffplay (Debian: libasound2 or alsa-utils; "
                                            "KOE_PLAYER names any other)");
}

}  // namespace koe::cli
