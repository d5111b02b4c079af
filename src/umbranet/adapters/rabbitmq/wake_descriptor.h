// Ends a poll() from another thread. All methods may be called from any thread.
#pragma once

#include <algorithm>
#include <cstdint>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "umbranet/base/clock.h"

namespace umbranet {

class WakeDescriptor {
 public:
  // Without a descriptor (the process has too many) waits end at their time alone.
  WakeDescriptor() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

  ~WakeDescriptor() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }

  WakeDescriptor(const WakeDescriptor&) = delete;
  WakeDescriptor& operator=(const WakeDescriptor&) = delete;

  [[nodiscard]] int fd() const noexcept { return fd_; }

  void Signal() noexcept {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(fd_, &one, sizeof(one));
  }

  void Clear() noexcept {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto read = ::read(fd_, &count, sizeof(count));
  }

  // Returns at a signal or at `until`, a second at the latest.
  void Wait(SteadyTime until) const noexcept {
    const auto left = std::chrono::ceil<Millis>(until - SystemClock{}.SteadyNow());
    pollfd waited{fd_, POLLIN, 0};
    ::poll(&waited, 1,
           static_cast<int>(std::clamp<Millis>(left, Millis{0}, Millis{1'000}).count()));
  }

 private:
  const int fd_;
};

}  // namespace umbranet
