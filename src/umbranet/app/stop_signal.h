// SIGTERM and SIGINT as something that can be waited for.
#pragma once

#include "umbranet/base/clock.h"

namespace umbranet {

class StopSignal {
 public:
  // Blocks both signals (and ignores SIGPIPE) in this thread and in all threads started afterwards:
  // make it before the first of them.
  StopSignal();

  // Waits for either; true when one came within `budget`.
  bool Wait(Millis budget);
  // Waits for as long as it takes.
  void Wait();
};

}  // namespace umbranet
