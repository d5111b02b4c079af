#include "umbranet/reflection/model_limits.h"

#include <algorithm>
#include <chrono>

namespace umbranet {
namespace {

constexpr std::chrono::minutes kWindow{1};
// How long somebody waits for a call to end before he looks again by himself.
constexpr Millis kLookAgain{1'000};

Millis Until(SteadyTime at, SteadyTime now) {
  return std::max(Millis{1}, std::chrono::ceil<Millis>(at - now));
}

}  // namespace

ModelLimits::Verdict ModelLimits::TryBegin(std::uint64_t tokens) {
  const SteadyTime now = clock_.SteadyNow();
  MutexLock lock(mutex_);
  while (!sent_.empty() && now - sent_.front().at >= kWindow) {
    tokens_ -= sent_.front().tokens;
    sent_.pop_front();
  }
  if (held_until_ && now < *held_until_) {
    return {.wait = Until(*held_until_, now)};
  }
  held_until_.reset();
  if (options_.calls_at_once != 0 && running_ >= options_.calls_at_once) {
    return {.wait = kLookAgain};
  }
  const bool requests_left =
      options_.requests_per_minute == 0 || sent_.size() < options_.requests_per_minute;
  const bool tokens_left = options_.tokens_per_minute == 0 || sent_.empty() ||
                           tokens_ + tokens <= options_.tokens_per_minute;
  if (!requests_left || !tokens_left) {
    return {.wait = Until(sent_.front().at + kWindow, now)};
  }
  ++running_;
  ++tickets_;
  // Without a bound there is nothing to count.
  if (options_.requests_per_minute != 0 || options_.tokens_per_minute != 0) {
    sent_.push_back({tickets_, now, tokens});
    tokens_ += tokens;
  }
  return {.begun = true, .ticket = tickets_};
}

void ModelLimits::End(std::uint64_t ticket, std::uint64_t tokens) {
  MutexLock lock(mutex_);
  --running_;
  const auto sent = std::find_if(sent_.begin(), sent_.end(),
                                 [ticket](const Sent& each) { return each.ticket == ticket; });
  if (sent != sent_.end() && tokens != 0) {
    tokens_ = tokens_ - sent->tokens + tokens;
    sent->tokens = tokens;
  }
}

void ModelLimits::HoldOff(Millis duration) {
  const SteadyTime until = clock_.SteadyNow() + duration;
  MutexLock lock(mutex_);
  held_until_ = std::max(held_until_.value_or(until), until);
}

}  // namespace umbranet
