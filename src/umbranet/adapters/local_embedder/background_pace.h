// How urgently threads that work behind the answers are run: not at all while others want the
// processors, as long as that leaves them enough; a little, on a machine that never rests, since
// work that is put off for ever is work that is lost.
//
// All methods may be called from any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "umbranet/base/clock.h"

namespace umbranet {

// The processor time of the calling thread so far.
std::chrono::nanoseconds ThreadTime();

class BackgroundPace {
 public:
  // Makes the calling thread, which is to end after its work, give way to others. Where it may not,
  // it stays as it is.
  void GiveWay() const;

  // Does a piece of such work, and notes how it went.
  template <typename Work>
  auto Run(const Work& work) {
    const SteadyTime begun = clock_.SteadyNow();
    const std::chrono::nanoseconds worked_before = ThreadTime();
    auto outcome = work();
    Note(ThreadTime() - worked_before, clock_.SteadyNow() - begun);
    return outcome;
  }

  // A piece of work of such a thread took `cpu` of the processor and `wall` of the time. Pieces
  // that waited for much longer than they worked make threads less yielding for a minute.
  void Note(std::chrono::nanoseconds cpu, std::chrono::nanoseconds wall);

  [[nodiscard]] bool Starving() const;

 private:
  const SystemClock clock_;
  std::atomic<std::int64_t> starving_until_ns_{0};  // Of the steady clock.
};

}  // namespace umbranet
