#include "umbranet/app/stop_signal.h"

#include <csignal>
#include <ctime>

#include <pthread.h>

namespace umbranet {
namespace {

sigset_t Signals(bool reloads) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  if (reloads) {
    sigaddset(&signals, SIGHUP);
  }
  return signals;
}

}  // namespace

StopSignal::StopSignal(bool reloads) : reloads_(reloads) {
  const sigset_t signals = Signals(reloads_);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  // A client that hangs up is an error of one write, not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
}

bool StopSignal::Wait(Millis budget) {
  return Listen(budget) == Heard::kStop;
}

StopSignal::Heard StopSignal::Listen(Millis budget) {
  const sigset_t signals = Signals(reloads_);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(budget);
  timespec wait{};
  wait.tv_sec = seconds.count();
  wait.tv_nsec = std::chrono::nanoseconds(budget - seconds).count();
  const int signal = sigtimedwait(&signals, nullptr, &wait);
  if (signal <= 0) {
    return Heard::kNothing;
  }
  return signal == SIGHUP ? Heard::kReload : Heard::kStop;
}

}  // namespace umbranet
