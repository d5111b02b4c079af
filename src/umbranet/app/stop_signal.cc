#include "umbranet/app/stop_signal.h"

#include <cerrno>
#include <csignal>
#include <ctime>

#include <pthread.h>

namespace umbranet {
namespace {

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

}  // namespace

StopSignal::StopSignal() {
  const sigset_t signals = StopSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  // A client that hangs up is an error of one write, not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
}

bool StopSignal::Wait(Millis budget) {
  const sigset_t signals = StopSignals();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(budget);
  timespec wait{};
  wait.tv_sec = seconds.count();
  wait.tv_nsec = std::chrono::nanoseconds(budget - seconds).count();
  return sigtimedwait(&signals, nullptr, &wait) > 0;
}

void StopSignal::Wait() {
  const sigset_t signals = StopSignals();
  while (sigwaitinfo(&signals, nullptr) < 0 && errno == EINTR) {
  }
}

}  // namespace umbranet
