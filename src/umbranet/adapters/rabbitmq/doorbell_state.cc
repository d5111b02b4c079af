#include "umbranet/adapters/rabbitmq/doorbell_state.h"

#include <algorithm>

namespace umbranet {

void DoorbellState::SetError(const std::string& message) {
  MutexLock lock(mutex_);
  last_error_ = message;
}

bool DoorbellState::WaitUntilHealthy(Deadline deadline) {
  MutexLock lock(mutex_);
  while (!Healthy() && !deadline.Expired()) {
    changed_.WaitFor(
        mutex_, std::min<std::chrono::nanoseconds>(deadline.Remaining(), std::chrono::seconds(1)));
  }
  return Healthy();
}

RabbitMqStatus DoorbellState::Snapshot() {
  RabbitMqStatus status;
  status.publishing = publishing_;
  status.consuming = consuming_;
  status.published = counters.published;
  status.confirmed = counters.confirmed;
  status.unknown = counters.unknown;
  status.returned = counters.returned;
  status.dropped = counters.dropped;
  status.waiting = counters.waiting;
  status.consumed = counters.consumed;
  status.accepted = counters.accepted;
  status.malformed = counters.malformed;
  status.reconnects = counters.reconnects;
  status.breaker_opened = counters.breaker_opened;
  status.breaker_open = counters.breaker_open;
  MutexLock lock(mutex_);
  status.last_error = last_error_;
  return status;
}

void DoorbellState::Set(std::atomic<bool>& side, bool well) {
  if (side.exchange(well) == well) {
    return;
  }
  MutexLock lock(mutex_);
  if (Healthy()) {
    last_error_.clear();
  }
  changed_.NotifyAll();
}

}  // namespace umbranet
