#include "umbranet/adapters/rabbitmq/stall_guard.h"

#include <sys/socket.h>

namespace umbranet {
namespace {

SteadyTime RealNow() {
  return SystemClock{}.SteadyNow();
}

}  // namespace

StallGuard::StallGuard() : thread_([this](const std::stop_token& stop) { Run(stop); }) {}

StallGuard::~StallGuard() = default;

void StallGuard::Watch(int socket) {
  MutexLock lock(mutex_);
  socket_ = socket;
  busy_ = false;
  if (aborted_) {
    ShutDown();
  }
}

void StallGuard::Forget() {
  MutexLock lock(mutex_);
  socket_ = -1;
  busy_ = false;
}

void StallGuard::Begin(Millis budget) {
  MutexLock lock(mutex_);
  busy_ = true;
  end_by_ = RealNow() + budget;
  // A sleeper who wakes before that time looks again by himself.
  if (end_by_ < asleep_until_) {
    changed_.NotifyAll();
  }
}

void StallGuard::End() {
  MutexLock lock(mutex_);
  busy_ = false;
}

void StallGuard::Abort() {
  MutexLock lock(mutex_);
  aborted_ = true;
  ShutDown();
}

void StallGuard::Run(const std::stop_token& stop) {
  MutexLock lock(mutex_);
  while (!stop.stop_requested()) {
    const SteadyTime now = RealNow();
    if (busy_ && now >= end_by_) {
      busy_ = false;
      ShutDown();
    }
    asleep_until_ = busy_ ? end_by_ : now + std::chrono::hours(1);
    changed_.WaitUntil(mutex_, stop, asleep_until_);
  }
}

void StallGuard::ShutDown() {
  if (socket_ >= 0) {
    ::shutdown(socket_, SHUT_RDWR);
  }
}

}  // namespace umbranet
