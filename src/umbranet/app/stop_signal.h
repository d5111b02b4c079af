// SIGTERM and SIGINT, and for a server SIGHUP, as something that can be waited for.
#pragma once

#include "umbranet/base/clock.h"

namespace umbranet {

class StopSignal {
 public:
  enum class Heard { kNothing, kStop, kReload };

  // Blocks the signals (and ignores SIGPIPE) in this thread and in all threads started afterwards:
  // make it before the first of them. Without `reloads` SIGHUP is left as it is.
  explicit StopSignal(bool reloads = false);

  // Waits for either; true when one came within `budget`.
  bool Wait(Millis budget);
  // Waits for either, or for SIGHUP where that was asked for.
  Heard Listen(Millis budget);

 private:
  const bool reloads_;
};

}  // namespace umbranet
