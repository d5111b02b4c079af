#include "tests/simulation/fiber.h"

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UMBRANET_FIBERS_ARE_THREADS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define UMBRANET_FIBERS_ARE_THREADS 1
#endif
#endif

#ifdef UMBRANET_FIBERS_ARE_THREADS
#include <thread>

#include "umbranet/base/mutex.h"
#else
#include <ucontext.h>
#endif

namespace umbranet {

#ifdef UMBRANET_FIBERS_ARE_THREADS

// Sanitizers know threads, but not stacks that are switched under them.
class Fiber::Machine {
 public:
  explicit Machine(Fiber& fiber) : fiber_(fiber) {}

  void Resume() {
    {
      const MutexLock lock(mutex_);
      inside_ = true;
      changed_.NotifyAll();
    }
    if (!thread_.joinable()) {
      thread_ = std::jthread([this] {
        fiber_.Run();
        Leave();
      });
    }
    const MutexLock lock(mutex_);
    while (inside_) {
      changed_.Wait(mutex_);
    }
  }

  void Yield() {
    Leave();
    const MutexLock lock(mutex_);
    while (!inside_) {
      changed_.Wait(mutex_);
    }
  }

 private:
  void Leave() {
    const MutexLock lock(mutex_);
    inside_ = false;
    changed_.NotifyAll();
  }

  Fiber& fiber_;
  Mutex mutex_;
  ConditionVariable changed_;
  bool inside_ GUARDED_BY(mutex_) = false;
  std::jthread thread_;
};

#else

namespace {

constexpr std::size_t kStackBytes = std::size_t{256} << 10U;

using Stack = std::unique_ptr<std::byte[]>;  // NOLINT(modernize-avoid-c-arrays): a stack is bytes.

// Stacks of fibers that are gone, for those to come.
std::vector<Stack>& SpareStacks() {
  thread_local std::vector<Stack> stacks;
  return stacks;
}

Stack TakeStack() {
  std::vector<Stack>& spare = SpareStacks();
  if (spare.empty()) {
    return std::make_unique_for_overwrite<std::byte[]>(kStackBytes);  // NOLINT
  }
  Stack stack = std::move(spare.back());
  spare.pop_back();
  return stack;
}

}  // namespace

class Fiber::Machine {
 public:
  explicit Machine(Fiber& fiber) : fiber_(fiber), stack_(TakeStack()) {
    getcontext(&inside_);
    inside_.uc_stack.ss_sp = stack_.get();
    inside_.uc_stack.ss_size = kStackBytes;
    inside_.uc_link = &outside_;
    // A pointer does not fit into an int, which is all that is handed on.
    const auto self = reinterpret_cast<std::uintptr_t>(this);       // NOLINT
    makecontext(&inside_, reinterpret_cast<void (*)()>(&Enter), 2,  // NOLINT
                static_cast<unsigned>(self >> 32U), static_cast<unsigned>(self));
  }

  ~Machine() { SpareStacks().push_back(std::move(stack_)); }

  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  void Resume() { swapcontext(&outside_, &inside_); }

  void Yield() { swapcontext(&inside_, &outside_); }

 private:
  static void Enter(unsigned high, unsigned low) {
    const auto self = (static_cast<std::uintptr_t>(high) << 32U) | low;
    reinterpret_cast<Machine*>(self)->fiber_.Run();  // NOLINT
  }

  Fiber& fiber_;
  Stack stack_;
  ucontext_t inside_{};
  ucontext_t outside_{};
};

#endif

Fiber::Fiber(std::function<void()> body) : body_(std::move(body)) {}

Fiber::~Fiber() = default;

void Fiber::Resume() {
  if (!started_) {
    started_ = true;
    machine_ = std::make_unique<Machine>(*this);
  }
  machine_->Resume();
}

void Fiber::Yield() {
  machine_->Yield();
}

void Fiber::Run() {
  body_();
  body_ = nullptr;
  finished_ = true;
}

}  // namespace umbranet
