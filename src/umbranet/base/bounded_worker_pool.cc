#include "umbranet/base/bounded_worker_pool.h"

#include <algorithm>
#include <system_error>
#include <thread>
#include <utility>

#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace umbranet {

BoundedWorkerPool::BoundedWorkerPool(Options options) : options_(std::move(options)) {}

BoundedWorkerPool::~BoundedWorkerPool() {
  Stop();
}

bool BoundedWorkerPool::TrySubmit(Task task) {
  MutexLock lock(mutex_);
  if (stopping_ || queue_.size() >= options_.queue_max) {
    return false;
  }
  // A thread that is idle but not yet awake is still counted as idle, so compare with the queue
  // rather than with zero.
  if (queue_.size() >= idle_ && threads_ < options_.threads_max) {
    try {
      std::thread([this] { Run(); }).detach();
      ++threads_;
    } catch (const std::system_error&) {
      // The process may not start another thread. Those that run will take the task; with none
      // there is nobody to.
      if (threads_ == 0) {
        return false;
      }
    }
  }
  queue_.push_back(std::move(task));
  work_.NotifyOne();
  return true;
}

void BoundedWorkerPool::Run() {
  pthread_setname_np(pthread_self(), options_.name.substr(0, 15).c_str());
  if (options_.nice != 0) {
    setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), options_.nice);
  }
  mutex_.lock();
  for (;;) {
    const SteadyTime leave_at = std::chrono::steady_clock::now() + options_.idle_after;
    ++idle_;
    while (queue_.empty() && !stopping_) {
      if (std::chrono::steady_clock::now() >= leave_at && threads_ > options_.threads_min) {
        break;
      }
      work_.WaitUntil(mutex_, std::max(leave_at, std::chrono::steady_clock::now() + Millis{100}));
    }
    --idle_;
    if (queue_.empty()) {
      break;
    }
    Task task = std::move(queue_.front());
    queue_.pop_front();
    mutex_.unlock();
    task();
    task = nullptr;
    mutex_.lock();
  }
  --threads_;
  // Notified under the lock: the destructor may run as soon as it is released.
  gone_.NotifyAll();
  mutex_.unlock();
}

void BoundedWorkerPool::Stop() {
  MutexLock lock(mutex_);
  stopping_ = true;
  work_.NotifyAll();
  while (threads_ != 0) {
    gone_.Wait(mutex_);
  }
}

std::size_t BoundedWorkerPool::ThreadCount() const {
  MutexLock lock(mutex_);
  return threads_;
}

std::size_t BoundedWorkerPool::QueueSize() const {
  MutexLock lock(mutex_);
  return queue_.size();
}

}  // namespace umbranet
