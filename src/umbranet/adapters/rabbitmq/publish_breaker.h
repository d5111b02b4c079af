// When to leave a broker alone: after publishes that it did not confirm, and between attempts to
// connect. Neither class is for use from several threads at once.
#pragma once

#include <cstdint>
#include <functional>

#include "umbranet/base/clock.h"

namespace umbranet {

// Numbers in [0, 1), different in every process: what jitter is made of.
std::function<double()> RandomFractions();

// After three publishes in a row whose outcome is unknown it is open, and then lets one through
// every five seconds, give or take a fifth, until one is confirmed.
class PublishBreaker {
 public:
  struct Options {
    std::uint32_t failures_max = 3;
    Millis probe_every{5'000};
  };

  // `random` gives numbers in [0, 1): the jitter. The clock must outlive the breaker.
  PublishBreaker(const Clock& clock, Options options, std::function<double()> random);

  [[nodiscard]] bool IsOpen() const { return failures_ >= options_.failures_max; }

  // True when one may be published now. While the breaker is open, that is one probe, and the next
  // only after its failure and another wait.
  [[nodiscard]] bool Admits() const;

  // When Admits turns true by itself; nothing to wait for while it is closed.
  [[nodiscard]] SteadyTime ProbeAt() const { return probe_at_; }

  // A new connection is a reason not to wait for the next probe's time.
  void ProbeNow();

  // What was published; what became of it.
  void OnPublished();
  void OnConfirmed();
  void OnUnknown();

 private:
  void SetProbe();

  const Clock& clock_;
  const Options options_;
  const std::function<double()> random_;
  std::uint32_t failures_ = 0;  // In a row.
  bool probing_ = false;
  SteadyTime probe_at_{};
};

// How long to wait before connecting again: doubles with every failure from `first` to `last`, give
// or take a fifth, so that a hundred processes do not come back in the same moment.
class ReconnectBackoff {
 public:
  struct Options {
    Millis first{200};
    Millis last{5'000};
  };

  ReconnectBackoff(Options options, std::function<double()> random);

  Millis Next();

  void Reset() { failures_ = 0; }

 private:
  const Options options_;
  const std::function<double()> random_;
  std::uint32_t failures_ = 0;
};

}  // namespace umbranet
