// A mutex and condition variable that clang's thread-safety analysis understands; on other
// compilers the annotations vanish. GUARDED_BY(mutex_) on a member makes an unlocked access a
// compile error in the clang build.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <utility>

#include "umbranet/base/clock.h"

#if defined(__clang__)
#define UMBRANET_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define UMBRANET_THREAD_ANNOTATION(x)
#endif
#define CAPABILITY(x) UMBRANET_THREAD_ANNOTATION(capability(x))
#define SCOPED_CAPABILITY UMBRANET_THREAD_ANNOTATION(scoped_lockable)
#define GUARDED_BY(x) UMBRANET_THREAD_ANNOTATION(guarded_by(x))
#define PT_GUARDED_BY(x) UMBRANET_THREAD_ANNOTATION(pt_guarded_by(x))
#define REQUIRES(...) UMBRANET_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define ACQUIRE(...) UMBRANET_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define RELEASE(...) UMBRANET_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#define EXCLUDES(...) UMBRANET_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
#define NO_THREAD_SAFETY_ANALYSIS UMBRANET_THREAD_ANNOTATION(no_thread_safety_analysis)

namespace umbranet {

class CAPABILITY("mutex") Mutex {
 public:
  void lock() ACQUIRE() { mutex_.lock(); }

  void unlock() RELEASE() { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

class SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }

  ~MutexLock() RELEASE() { mutex_.unlock(); }

  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Waits are written as loops over the guarded state at the call, so that the analysis sees what is
// read.
class ConditionVariable {
 public:
  void NotifyOne() noexcept { condition_.notify_one(); }

  void NotifyAll() noexcept { condition_.notify_all(); }

  void Wait(Mutex& mutex) REQUIRES(mutex) NO_THREAD_SAFETY_ANALYSIS { condition_.wait(mutex); }

  // Returns at a notification, at `until`, or spuriously.
  void WaitUntil(Mutex& mutex, SteadyTime until) REQUIRES(mutex) NO_THREAD_SAFETY_ANALYSIS {
    condition_.wait_until(mutex, until);
  }

  // As WaitUntil, for a length of real time: for waits on a deadline of a clock that a test may
  // turn by hand, which has to be looked at now and then.
  void WaitFor(Mutex& mutex, std::chrono::nanoseconds duration)
      REQUIRES(mutex) NO_THREAD_SAFETY_ANALYSIS {
    condition_.wait_for(mutex, duration);
  }

  // Returns at a notification, at `until`, spuriously, or at once when `stop` was requested: a
  // request wakes it.
  void WaitUntil(Mutex& mutex, std::stop_token stop, SteadyTime until)
      REQUIRES(mutex) NO_THREAD_SAFETY_ANALYSIS {
    bool woken = false;
    condition_.wait_until(mutex, stop, until, [&woken] { return std::exchange(woken, true); });
  }

  void WaitFor(Mutex& mutex, std::stop_token stop, std::chrono::nanoseconds duration)
      REQUIRES(mutex) NO_THREAD_SAFETY_ANALYSIS {
    const auto until = std::chrono::steady_clock::now() + duration;
    WaitUntil(mutex, std::move(stop), std::chrono::time_point_cast<SteadyTime::duration>(until));
  }

 private:
  std::condition_variable_any condition_;
};

}  // namespace umbranet
