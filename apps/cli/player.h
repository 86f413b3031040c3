// SPDX-License-Identifier: Apache-2.0
// Speakers, through whatever player this machine has: nothing is linked, and none may be there.
#ifndef KOE_APPS_CLI_PLAYER_H_
#define KOE_APPS_CLI_PLAYER_H_

#include <sys/types.h>

#include <string_view>

#include "koe/koe.h"

namespace koe::cli {

// A child process that reads 16-bit little-endian mono samples, 24,000 a second, from its standard input.
class Player {
 public:
  // $KOE_PLAYER (a shell command), else the first of aplay, paplay, pw-play, ffplay that is in PATH. kUnsupported:
  // none.
  static Result<Player> Open();
  Player(Player&& other) noexcept;
  Player& operator=(Player&& other) = delete;
  ~Player();  // kills a player that has not finished

  // Waits while the player's buffer is full. kIo: it has gone; kCancelled.
  Result<void> Write(std::string_view samples, const CancelToken& cancel);
  // Returns when all has been heard. kIo: it failed.
  Result<void> Finish(const CancelToken& cancel);

 private:
  Player(pid_t process, int pipe) : process_(process), pipe_(pipe) {}
  pid_t process_;
  int pipe_;
};

}  // namespace koe::cli

#endif  // KOE_APPS_CLI_PLAYER_H_
