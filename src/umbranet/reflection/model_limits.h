// How much a language model may be asked at a time and in a minute.
//
// Requests and tokens are counted over the last sixty seconds as they slide, so no minute, wherever
// it begins, holds more than is allowed. What a call will cost is estimated when it begins and put
// right when it ends. A call that is larger than a whole minute's tokens is let through once
// nothing else was sent within the minute.
//
// Decides and waits for nobody. All methods may be called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"

namespace umbranet {

class ModelLimits {
 public:
  struct Options {
    std::size_t calls_at_once = 0;  // 0: as many as come. So for each.
    std::uint64_t requests_per_minute = 0;
    std::uint64_t tokens_per_minute = 0;
  };

  struct Verdict {
    bool begun = false;
    std::uint64_t ticket = 0;  // For End, of a call that has begun.
    // Otherwise: how long until it is worth asking again, unless a call ends before.
    Millis wait{0};
  };

  ModelLimits(const Clock& clock, Options options) : clock_(clock), options_(options) {}

  // Begins a call of about so many tokens, if that may be now.
  [[nodiscard]] Verdict TryBegin(std::uint64_t tokens);
  // It has ended, and was of so many tokens; 0: as was estimated.
  void End(std::uint64_t ticket, std::uint64_t tokens);
  // The server asks for patience: nobody begins before that.
  void HoldOff(Millis duration);

 private:
  struct Sent {
    std::uint64_t ticket = 0;
    SteadyTime at;
    std::uint64_t tokens = 0;
  };

  const Clock& clock_;
  const Options options_;
  Mutex mutex_;
  std::deque<Sent> sent_ GUARDED_BY(mutex_);  // Of the last minute, oldest first.
  std::uint64_t tokens_ GUARDED_BY(mutex_) = 0;
  std::uint64_t tickets_ GUARDED_BY(mutex_) = 0;
  std::size_t running_ GUARDED_BY(mutex_) = 0;
  std::optional<SteadyTime> held_until_ GUARDED_BY(mutex_);
};

}  // namespace umbranet
