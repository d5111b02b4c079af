// Ends calls into the client library that would otherwise wait for ever: a broker that has stopped
// reading keeps a send blocked, and the library gives it no deadline. A thread of the guard's own
// shuts the socket down, upon which the call returns with an error.
//
// All methods may be called from any thread, but one connection at a time uses a guard.
#pragma once

#include <stop_token>
#include <thread>

#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"

namespace umbranet {

class StallGuard {
 public:
  StallGuard();
  ~StallGuard();
  StallGuard(const StallGuard&) = delete;
  StallGuard& operator=(const StallGuard&) = delete;

  // The socket that calls are made on. Call Forget before it is closed.
  void Watch(int socket);
  void Forget();

  // A call begins that must be over within `budget`; it is over. Cheap enough for every message.
  void Begin(Millis budget);
  void End();

  // Shuts the socket down, and every later one as soon as it is watched.
  void Abort();

 private:
  void Run(const std::stop_token& stop);
  void ShutDown() REQUIRES(mutex_);

  Mutex mutex_;
  ConditionVariable changed_;
  int socket_ GUARDED_BY(mutex_) = -1;
  bool aborted_ GUARDED_BY(mutex_) = false;
  bool busy_ GUARDED_BY(mutex_) = false;
  SteadyTime end_by_ GUARDED_BY(mutex_){};
  SteadyTime asleep_until_ GUARDED_BY(mutex_){};
  std::jthread thread_;  // Last, so that it ends before what it uses.
};

}  // namespace umbranet
