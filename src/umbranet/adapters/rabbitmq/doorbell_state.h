// What publisher and consumer tell of themselves. All methods may be called from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"

namespace umbranet {

// Counts since the start.
struct RabbitMqStatus {
  bool publishing = false;  // Connected, and the broker confirms.
  bool consuming = false;   // Connected and subscribed.
  std::uint64_t published = 0;
  std::uint64_t confirmed = 0;
  // Publishes whose outcome was not learnt: refused, returned, late, or under way when a
  // connection ended. Their jobs are found by looking at the ledger.
  std::uint64_t unknown = 0;
  std::uint64_t returned = 0;    // Of the unknown: no queue wanted it.
  std::uint64_t dropped = 0;     // Rings that found no room to wait in.
  std::uint64_t waiting = 0;     // Rings to be published.
  std::uint64_t consumed = 0;    // Deliveries, those of this process's own rings included.
  std::uint64_t accepted = 0;    // Of these: jobs that were handed to the ledger.
  std::uint64_t malformed = 0;   // Of these: sent to the dead letters.
  std::uint64_t reconnects = 0;  // Connections that came after the first, of either kind.
  std::uint64_t breaker_opened = 0;
  bool breaker_open = false;  // The broker does not confirm; one is published now and then.
  std::string last_error;     // Empty while all is well.
};

class DoorbellState {
 public:
  struct Counters {
    std::atomic<std::uint64_t> published{0};
    std::atomic<std::uint64_t> confirmed{0};
    std::atomic<std::uint64_t> unknown{0};
    std::atomic<std::uint64_t> returned{0};
    std::atomic<std::uint64_t> dropped{0};
    std::atomic<std::uint64_t> waiting{0};
    std::atomic<std::uint64_t> consumed{0};
    std::atomic<std::uint64_t> accepted{0};
    std::atomic<std::uint64_t> malformed{0};
    std::atomic<std::uint64_t> reconnects{0};
    std::atomic<std::uint64_t> breaker_opened{0};
    std::atomic<bool> breaker_open{false};
  };

  // With `consumes` both sides have to be well for the whole to be healthy.
  explicit DoorbellState(bool consumes) : consumes_(consumes) {}

  Counters counters;

  void SetPublishing(bool publishing) { Set(publishing_, publishing); }

  void SetConsuming(bool consuming) { Set(consuming_, consuming); }

  void SetError(const std::string& message);

  [[nodiscard]] bool IsPublishing() const noexcept { return publishing_; }

  [[nodiscard]] bool IsConsuming() const noexcept { return consuming_; }

  [[nodiscard]] bool Healthy() const noexcept {
    return publishing_.load() && (!consumes_ || consuming_.load());
  }

  // False: it was not by `deadline`.
  bool WaitUntilHealthy(Deadline deadline);

  [[nodiscard]] RabbitMqStatus Snapshot();

 private:
  void Set(std::atomic<bool>& side, bool well);

  const bool consumes_;
  std::atomic<bool> publishing_{false};
  std::atomic<bool> consuming_{false};
  Mutex mutex_;
  ConditionVariable changed_;
  std::string last_error_ GUARDED_BY(mutex_);
};

}  // namespace umbranet
