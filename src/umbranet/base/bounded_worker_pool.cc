#include "umbranet/base/bounded_worker_pool.h"

#include <algorithm>
#include <system_error>
#include <thread>
#include <utility>

#include <pthread.h>

#include "umbranet/base/thread_urgency.h"

namespace umbranet {

BoundedWorkerPool::BoundedWorkerPool(Options options) : options_(std::move(options)) {}

BoundedWorkerPool::~BoundedWorkerPool() {
  Stop();
}

bool BoundedWorkerPool::TrySubmit(Task task) {
  Threads departed;  // Joined after the lock is released, when they have nothing left to do.
  MutexLock lock(mutex_);
  departed.swap(departed_);
  if (stopping_ || running_ + queue_.size() >= options_.threads_max + options_.queue_max) {
    return false;
  }
  // A thread that is idle but not yet awake is still counted as idle, so compare with the queue
  // rather than with zero.
  if (queue_.size() >= idle_ && threads_.size() < options_.threads_max) {
    const auto self = threads_.emplace(threads_.end());
    try {
      // The thread waits for the lock before it looks at its own handle.
      *self = std::jthread([this, self] { Run(self); });
    } catch (const std::system_error&) {
      threads_.erase(self);
      // The process may not start another thread. Those that run will take the task; with none
      // there is nobody to.
      if (threads_.empty()) {
        return false;
      }
    }
  }
  queue_.push_back(std::move(task));
  work_.NotifyOne();
  return true;
}

void BoundedWorkerPool::Run(Threads::iterator self) {
  pthread_setname_np(pthread_self(), options_.name.substr(0, 15).c_str());
  if (options_.nice < 0) {
    WorkAhead(options_.nice);
  } else {
    WorkBehindAnswers(options_.nice);
  }
  mutex_.lock();
  for (;;) {
    const SteadyTime leave_at = std::chrono::steady_clock::now() + options_.idle_after;
    ++idle_;
    while (queue_.empty() && !stopping_) {
      if (threads_.size() <= options_.threads_min) {
        work_.Wait(mutex_);
      } else if (std::chrono::steady_clock::now() >= leave_at) {
        break;
      } else {
        work_.WaitUntil(mutex_, leave_at);
      }
    }
    --idle_;
    if (queue_.empty()) {
      break;
    }
    Task task = std::move(queue_.front());
    queue_.pop_front();
    ++running_;
    mutex_.unlock();
    task();
    task = nullptr;
    mutex_.lock();
    --running_;
  }
  departed_.splice(departed_.end(), threads_, self);
  // Notified under the lock: Stop then joins this thread, so the pool outlives it.
  gone_.NotifyAll();
  mutex_.unlock();
}

void BoundedWorkerPool::Stop() {
  Threads departed;
  MutexLock lock(mutex_);
  stopping_ = true;
  work_.NotifyAll();
  while (!threads_.empty()) {
    gone_.Wait(mutex_);
  }
  departed.swap(departed_);
}

std::size_t BoundedWorkerPool::ThreadCount() const {
  MutexLock lock(mutex_);
  return threads_.size();
}

std::size_t BoundedWorkerPool::QueueSize() const {
  MutexLock lock(mutex_);
  return queue_.size();
}

}  // namespace umbranet
