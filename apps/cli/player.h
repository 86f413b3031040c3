// SPDX-License-Identifier: Apache-2.0
// Speakers, through whatever this machine has: nothing is linked, and none may be there.
#ifndef KOE_APPS_CLI_PLAYER_H_
#define KOE_APPS_CLI_PLAYER_H_

#include <memory>
#include <string_view>

#include "koe/koe.h"

namespace koe::cli {

// Takes 16-bit little-endian mono samples, 24,000 a second. Destroyed before Finish, it falls silent at once.
class Player {
 public:
  virtual ~Player() = default;
  // Whole samples. Waits while the player's buffer is full. kIo: it has gone; kCancelled.
  virtual Result<void> Write(std::string_view samples, const CancelToken& cancel) = 0;
  // Returns when all has been heard. kIo: it failed; kCancelled.
  virtual Result<void> Finish(const CancelToken& cancel) = 0;
};

// $KOE_PLAYER (a shell command that reads the samples from its standard input) where it is set. Else ALSA: libasound,
// loaded now ($KOE_ALSA_LIBRARY), and its device $KOE_ALSA_DEVICE or "default". Where the library is absent or has no
// such device, and none was asked for: the first of aplay, paplay, pw-play and ffplay that is in PATH. kUnsupported
// with what was tried: none.
Result<std::unique_ptr<Player>> OpenPlayer();

// The two kinds, for OpenPlayer.
Result<std::unique_ptr<Player>> OpenAlsaPlayer(const char* library, const char* device);
Result<std::unique_ptr<Player>> OpenCommandPlayer(const char* command);

}  // namespace koe::cli

#endif  // KOE_APPS_CLI_PLAYER_H_
