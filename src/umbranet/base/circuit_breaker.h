// Keeps callers from waiting, each in turn, for a server that is away: after a few failures in a
// row they are told at once, and one of them now and then tries again.
//
// All methods may be called from any thread.
#pragma once

#include <cstdint>

#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"

namespace umbranet {

class CircuitBreaker {
 public:
  struct Options {
    std::uint32_t failures_to_open = 2;  // In a row.
    Millis pause_first{500};             // Doubles with each trial that fails.
    Millis pause_max{10'000};
  };

  CircuitBreaker(const Clock& clock, Options options) : clock_(clock), options_(options) {}

  // True: try, and tell how it went. While the breaker is open that is one caller a pause; one that
  // never tells holds nobody up for longer than that.
  bool Allow();
  // True when this changed the state: the server has come back, or is now taken to be away.
  bool Succeeded();
  bool Failed();

  [[nodiscard]] bool IsOpen() const;
  // How often it has opened.
  [[nodiscard]] std::uint64_t TimesOpened() const;

 private:
  const Clock& clock_;
  const Options options_;
  mutable Mutex mutex_;
  std::uint32_t failures_ GUARDED_BY(mutex_) = 0;  // In a row.
  bool open_ GUARDED_BY(mutex_) = false;
  std::uint64_t times_opened_ GUARDED_BY(mutex_) = 0;
  bool trying_ GUARDED_BY(mutex_) = false;  // Somebody was let through since it opened.
  Millis pause_ GUARDED_BY(mutex_){0};
  SteadyTime next_trial_ GUARDED_BY(mutex_){};
};

}  // namespace umbranet
