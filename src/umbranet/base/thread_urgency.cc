#include "umbranet/base/thread_urgency.h"

#include <algorithm>
#include <cstdint>

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace umbranet {
namespace {

// The first version of struct sched_attr of Linux, which the C library of Debian 12 does not name.
struct SchedulingAttributes {
  std::uint32_t size = sizeof(SchedulingAttributes);
  std::uint32_t policy = SCHED_OTHER;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime_ns = 0;  // Of SCHED_OTHER: the length of a slice.
  std::uint64_t deadline_ns = 0;
  std::uint64_t period_ns = 0;
};

// The shortest slice that Linux grants.
constexpr std::uint64_t kSliceNs = 100'000;

// Of the calling thread.
bool TakeShortSlices(int nice) {
  SchedulingAttributes attributes;
  attributes.nice = nice;
  attributes.runtime_ns = kSliceNs;
  return syscall(SYS_sched_setattr, 0, &attributes, 0U) == 0;
}

}  // namespace

void WorkBehindAnswers(int nice) {
  if (nice != 0 && !TakeShortSlices(nice)) {
    (void)setpriority(PRIO_PROCESS, 0, nice);  // Of this thread alone, on Linux.
  }
}

void WorkAhead(int nice, Slices slices) {
  // A process that was started further ahead stays there.
  nice = std::min(nice, getpriority(PRIO_PROCESS, 0));
  const bool allowed = setpriority(PRIO_PROCESS, 0, nice) == 0;
  if (slices == Slices::kShort) {
    (void)TakeShortSlices(allowed ? nice : getpriority(PRIO_PROCESS, 0));
  }
}

}  // namespace umbranet
