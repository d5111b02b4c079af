#include "umbranet/domain/retry_policy.h"

#include <algorithm>

namespace umbranet {

namespace {

// FNV-1a, 64 bit, with a last mix since its low bits alone are even enough.
std::uint64_t Mix(std::string_view text, std::uint32_t attempt) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  const auto add = [&hash](std::uint64_t byte) {
    hash ^= byte;
    hash *= 0x100000001b3ULL;
  };
  for (const char c : text) {
    add(static_cast<unsigned char>(c));
  }
  add(attempt);
  hash ^= hash >> 33U;
  hash *= 0xff51afd7ed558ccdULL;
  hash ^= hash >> 33U;
  return hash;
}

// Beyond this the doubling would only postpone a job for days.
constexpr std::uint32_t kDoublingsMax = 10;

}  // namespace

Millis RetryPolicy::Delay(std::string_view job_id, std::uint32_t attempt,
                          std::optional<Millis> retry_after) const {
  const std::uint32_t doublings = std::min(attempt > 0 ? attempt - 1 : 0, kDoublingsMax);
  const std::int64_t full = first_delay.count() << doublings;
  // Thousandths between 800 and 1200, both included.
  const auto thousandths = static_cast<std::int64_t>(800 + Mix(job_id, attempt) % 401);
  const Millis delay{full * thousandths / 1000};
  return std::max(delay, retry_after.value_or(Millis{0}));
}

RetryPolicy::Verdict RetryPolicy::AfterFailure(FailureKind kind, std::uint32_t attempts, bool solo,
                                               bool alone_in_batch) const {
  switch (kind) {
    case FailureKind::kSystemic:
      return {JobState::kRetryWait, attempts, solo};
    case FailureKind::kPermanent:
      return {JobState::kDead, attempts + 1, solo};
    case FailureKind::kTransient:
      break;
  }
  if (!alone_in_batch) {
    return {JobState::kRetryWait, attempts, true};
  }
  const std::uint32_t counted = attempts + 1;
  return {counted >= attempts_max ? JobState::kDead : JobState::kRetryWait, counted, solo};
}

RetryPolicy::CrashVerdict RetryPolicy::AfterCrash(std::uint32_t crashes, bool solo) const {
  const std::uint32_t counted = crashes + 1;
  if (counted >= crashes_max && solo) {
    return {.state = JobState::kDead, .crashes = counted, .solo = solo, .delay = Millis{0}};
  }
  if (counted < 2) {
    return {.state = JobState::kReady, .crashes = counted, .solo = solo, .delay = Millis{0}};
  }
  const std::uint32_t doublings = std::min(counted - 1, kDoublingsMax);
  return {.state = JobState::kRetryWait,
          .crashes = counted,
          .solo = true,
          .delay = Millis{1'000 << doublings}};
}

Millis DueDelay(Priority priority) {
  switch (priority) {
    case Priority::kHigh:
      return Millis{0};
    case Priority::kNormal:
      return Millis{10'000};
    case Priority::kLow:
      return Millis{60'000};
  }
  return Millis{10'000};
}

}  // namespace umbranet
