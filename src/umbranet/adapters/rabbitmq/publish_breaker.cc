#include "umbranet/adapters/rabbitmq/publish_breaker.h"

#include <algorithm>
#include <random>
#include <utility>

namespace umbranet {
namespace {

// `delay` give or take a fifth.
Millis Jittered(Millis delay, double random) {
  const double factor = 0.8 + 0.4 * random;
  return Millis{static_cast<std::int64_t>(static_cast<double>(delay.count()) * factor)};
}

}  // namespace

std::function<double()> RandomFractions() {
  return [engine = std::minstd_rand(std::random_device{}())]() mutable {
    return std::uniform_real_distribution<double>(0.0, 1.0)(engine);
  };
}

PublishBreaker::PublishBreaker(const Clock& clock, Options options, std::function<double()> random)
    : clock_(clock), options_(options), random_(std::move(random)) {}

bool PublishBreaker::Admits() const {
  return !IsOpen() || (!probing_ && clock_.SteadyNow() >= probe_at_);
}

void PublishBreaker::ProbeNow() {
  probing_ = false;
  probe_at_ = clock_.SteadyNow();
}

void PublishBreaker::OnPublished() {
  probing_ = IsOpen();
}

void PublishBreaker::OnConfirmed() {
  failures_ = 0;
  probing_ = false;
}

void PublishBreaker::OnUnknown() {
  const bool was_open = IsOpen();
  failures_ = std::min(failures_ + 1, options_.failures_max);
  // Those that were under way when it opened do not put the probe off.
  if (IsOpen() && (!was_open || probing_)) {
    SetProbe();
  }
}

void PublishBreaker::SetProbe() {
  probing_ = false;
  probe_at_ = clock_.SteadyNow() + Jittered(options_.probe_every, random_());
}

ReconnectBackoff::ReconnectBackoff(Options options, std::function<double()> random)
    : options_(options), random_(std::move(random)) {}

Millis ReconnectBackoff::Next() {
  constexpr std::uint32_t kDoublingsMax = 16;
  const Millis delay = std::min(
      options_.first * (std::int64_t{1} << std::min(failures_, kDoublingsMax)), options_.last);
  ++failures_;
  return Jittered(delay, random_());
}

}  // namespace umbranet
