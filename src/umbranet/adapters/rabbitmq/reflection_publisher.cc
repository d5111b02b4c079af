#include "umbranet/adapters/rabbitmq/reflection_publisher.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "umbranet/adapters/rabbitmq/reflection_message.h"

namespace umbranet {
namespace {

// Whatever waits looks again by then.
constexpr Millis kLookAgain{60'000};

// Right on brokers that know two classes, ten or thirty-two of them.
std::uint8_t AmqpPriority(Priority priority) {
  switch (priority) {
    case Priority::kHigh:
      return 7;
    case Priority::kNormal:
      return 4;
    case Priority::kLow:
      return 1;
  }
  return 4;
}

std::size_t SizeOf(const ReflectionJob& job, const Interaction* turn) {
  constexpr std::size_t kOverhead = 512;
  std::size_t bytes = kOverhead + job.user.user_id.size() + job.interaction_id.size();
  if (turn != nullptr) {
    bytes += turn->user_message.size() + turn->assistant_response.size() + turn->metadata.size();
  }
  return bytes;
}

}  // namespace

ReflectionPublisher::ReflectionPublisher(const Clock& clock, StructuredLog& log,
                                         DoorbellState& state, Options options)
    : clock_(clock),
      log_(log),
      state_(state),
      options_(std::move(options)),
      breaker_(clock, options_.breaker, RandomFractions()),
      backoff_(options_.backoff, RandomFractions()),
      thread_([this](const std::stop_token& stop) { Run(stop); }) {}

ReflectionPublisher::~ReflectionPublisher() {
  Stop();
}

void ReflectionPublisher::Put(const ReflectionJob& job, const Interaction* turn) noexcept {
  bool first = false;
  try {
    const bool whole =
        turn != nullptr &&
        turn->user_message.size() + turn->assistant_response.size() + turn->metadata.size() <=
            kInlineBytesMax;
    Ring ring{job, whole ? std::optional(*turn) : std::nullopt,
              SizeOf(job, whole ? turn : nullptr)};
    MutexLock lock(mutex_);
    if (has_ended_ || waiting_.size() >= options_.waiting_max ||
        waiting_bytes_ + ring.bytes > options_.waiting_bytes_max) {
      ++state_.counters.dropped;
      return;
    }
    first = waiting_.empty();
    waiting_bytes_ += ring.bytes;
    waiting_.push_back(std::move(ring));
    state_.counters.waiting = waiting_.size();
  } catch (const std::exception&) {
    ++state_.counters.dropped;  // No memory; the job is in the ledger.
    return;
  }
  if (first) {
    wake_.Signal();
  }
}

void ReflectionPublisher::Stop() {
  thread_.request_stop();
  wake_.Signal();
  {
    // A connection in the making is not worth waiting for, one that is well has its farewell.
    const SteadyTime until = SystemClock{}.SteadyNow() + options_.farewell * 2;
    MutexLock lock(mutex_);
    while (!has_ended_ && state_.IsPublishing() && SystemClock{}.SteadyNow() < until) {
      ended_.WaitUntil(mutex_, until);
    }
  }
  guard_.Abort();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void ReflectionPublisher::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (connection_ == nullptr && !Connect()) {
      wake_.Wait(connect_at_);
      wake_.Clear();
      continue;
    }
    Step();
  }
  const SteadyTime until = clock_.SteadyNow() + options_.farewell;
  while (connection_ != nullptr && HasWork() && !blocked_ && !breaker_.IsOpen() &&
         clock_.SteadyNow() < until) {
    Step();
  }
  if (connection_ != nullptr) {
    connection_->Close(options_.farewell);
    connection_.reset();
  }
  state_.SetPublishing(false);
  MutexLock lock(mutex_);
  has_ended_ = true;
  ended_.NotifyAll();
}

// One round: publish what may be, wait for something to happen, hear what it was.
void ReflectionPublisher::Step() {
  Fill();
  if (connection_ == nullptr) {
    return;
  }
  connection_->Wait(wake_.fd(), NextMoment());
  wake_.Clear();
  ReadEvents();
  if (connection_ != nullptr) {
    CheckTimeouts();
  }
  if (std::exchange(start_afresh_, false) && connection_ != nullptr && !blocked_) {
    // Whatever stands in the way, a queue that was deleted say, is declared again on the way back.
    Lose(Unavailable(connection_->server() + ": does not confirm what exchange " +
                     options_.names.exchange + " is given"));
  }
  UpdateHealth();
}

bool ReflectionPublisher::Connect() {
  if (clock_.SteadyNow() < connect_at_) {
    return false;
  }
  auto opened = AmqpConnection::Open(options_.connection, guard_);
  Status ready;
  if (!opened.ok()) {
    ready = opened.error();
  } else {
    ready = DeclareTopology(**opened, options_.names, log_);
    if (ready.ok()) {
      ready = (*opened)->SelectConfirms();
    }
  }
  if (!ready.ok()) {
    state_.SetError(ready.error().message);
    log_.Warning("rabbitmq_publisher_away", {{"error", ready.error().message}});
    connect_at_ = clock_.SteadyNow() + backoff_.Next();
    return false;
  }
  connection_ = std::move(*opened);
  breaker_.ProbeNow();
  blocked_ = false;
  last_tag_ = 0;
  if (std::exchange(connected_before_, true)) {
    ++state_.counters.reconnects;
  }
  log_.Info("rabbitmq_publisher_connected", {{"server", connection_->server()}});
  UpdateHealth();
  return true;
}

void ReflectionPublisher::Fill() {
  const SteadyTime now = clock_.SteadyNow();
  if (now < fill_at_) {
    return;
  }
  bool gathering = false;
  while (connection_ != nullptr && outstanding_.size() < options_.window && !blocked_ &&
         breaker_.Admits()) {
    const std::optional<Ring> ring = TakeNext();
    if (!ring.has_value()) {
      break;
    }
    if (!std::exchange(gathering, true)) {
      fill_at_ = now + options_.gather_for;
      connection_->GatherWrites(true);
    }
    if (!PublishOne(*ring)) {
      return;
    }
  }
  if (gathering) {
    connection_->GatherWrites(false);
  }
}

void ReflectionPublisher::LetGoIf(const std::function<bool(const Ring&)>& goes) {
  const MutexLock lock(mutex_);
  std::size_t freed = 0;
  std::erase_if(waiting_, [&](const Ring& ring) {
    const bool gone = goes(ring);
    freed += gone ? ring.bytes : 0;
    return gone;
  });
  waiting_bytes_ -= freed;
  state_.counters.waiting = waiting_.size();
}

void ReflectionPublisher::LetGo(const UserKey& user) {
  LetGoIf([&user](const Ring& ring) { return ring.job.user == user; });
}

void ReflectionPublisher::LetGoOfAll() {
  // The ledger has the jobs.
  LetGoIf([](const Ring& ring) { return ring.turn.has_value(); });
}

std::optional<ReflectionPublisher::Ring> ReflectionPublisher::TakeNext() {
  MutexLock lock(mutex_);
  if (!waiting_.empty()) {
    Ring ring = std::move(waiting_.front());
    waiting_.pop_front();
    waiting_bytes_ -= ring.bytes;
    state_.counters.waiting = waiting_.size();
    return ring;
  }
  if (breaker_.IsOpen() && probe_.has_value()) {
    return Ring{*probe_, std::nullopt, 0};
  }
  return std::nullopt;
}

bool ReflectionPublisher::PublishOne(const Ring& ring) {
  const Status sent = connection_->Publish(options_.names.exchange,
                                           RoutingKey(ring.job.user.user_id), MessageFor(ring));
  ++state_.counters.published;
  breaker_.OnPublished();
  if (!sent.ok()) {
    CountUnknown(ring.job);
    Lose(sent.error());
    return false;
  }
  outstanding_.push_back(
      {.tag = ++last_tag_, .job = ring.job, .sent_at = clock_.SteadyNow(), .returned = false});
  return true;
}

AmqpMessage ReflectionPublisher::MessageFor(const Ring& ring) const {
  AmqpMessage message;
  std::optional<std::string> whole =
      ring.turn.has_value() ? EncodeJob(ring.job, *ring.turn) : std::nullopt;
  message.type = whole.has_value() ? kJobMessageType : kRingMessageType;
  message.body = whole.has_value() ? *std::move(whole) : EncodeRing(ring.job);
  message.message_id = ring.job.job_id;
  message.correlation_id = ring.job.interaction_id;
  message.content_type = "application/json";
  message.app_id = "umbranet";
  message.priority = AmqpPriority(ring.job.priority);
  message.timestamp = clock_.Now();
  message.headers = {{"x-umbra-schema", std::int64_t{kMessageSchema}},
                     {"x-umbra-attempt", std::int64_t{0}},
                     {std::string(kInstanceHeader), options_.instance}};
  if (!ring.job.traceparent.empty()) {
    message.headers.emplace_back("traceparent", ring.job.traceparent);
  }
  return message;
}

void ReflectionPublisher::ReadEvents() {
  while (connection_ != nullptr) {
    const auto event = connection_->Next();
    if (!event.ok()) {
      Lose(event.error());
      return;
    }
    if (!event->has_value()) {
      return;
    }
    Handle(**event);
  }
}

void ReflectionPublisher::Handle(const AmqpEvent& event) {
  if (const auto* confirm = std::get_if<AmqpConfirm>(&event)) {
    OnConfirm(*confirm);
  } else if (const auto* returned = std::get_if<AmqpReturn>(&event)) {
    OnReturn(*returned);
  } else if (const auto* blocked = std::get_if<AmqpBlocked>(&event)) {
    blocked_ = blocked->blocked;
    if (blocked_) {
      const std::string message = connection_->server() +
                                  ": takes no messages: " + blocked->reason +
                                  "; free memory or disk on its machine";
      state_.SetError(message);
      log_.Warning("rabbitmq_blocked", {{"error", message}});
    } else {
      log_.Info("rabbitmq_unblocked", {{"server", connection_->server()}});
    }
  }
}

void ReflectionPublisher::OnConfirm(const AmqpConfirm& confirm) {
  if (confirm.multiple) {
    while (!outstanding_.empty() && outstanding_.front().tag <= confirm.tag) {
      SettleOne(outstanding_.front(), confirm.accepted);
      outstanding_.pop_front();
    }
    return;
  }
  const auto found =
      std::lower_bound(outstanding_.begin(), outstanding_.end(), confirm.tag,
                       [](const Outstanding& entry, std::uint64_t tag) { return entry.tag < tag; });
  if (found != outstanding_.end() && found->tag == confirm.tag) {
    SettleOne(*found, confirm.accepted);
    outstanding_.erase(found);
  }
}

void ReflectionPublisher::SettleOne(const Outstanding& entry, bool accepted) {
  if (accepted && !entry.returned) {
    ++state_.counters.confirmed;
    breaker_.OnConfirmed();
    // Not before: a broker that lets in and throws out again would be asked without a pause.
    backoff_.Reset();
    probe_.reset();
    return;
  }
  if (!accepted) {
    state_.SetError(connection_->server() + ": queue " + options_.names.queue +
                    " refuses messages; look at its members");
  }
  CountUnknown(entry.job);
}

void ReflectionPublisher::OnReturn(const AmqpReturn& returned) {
  const auto found =
      std::find_if(outstanding_.begin(), outstanding_.end(), [&](const Outstanding& entry) {
        return !entry.returned && entry.job.job_id == returned.message_id;
      });
  if (found == outstanding_.end()) {
    return;
  }
  found->returned = true;
  ++state_.counters.returned;
  const std::string message = connection_->server() + ": no queue takes what exchange " +
                              options_.names.exchange + " is given: " + returned.reason +
                              "; bind " + options_.names.queue + " to it with reflection.#";
  state_.SetError(message);
  log_.Warning("rabbitmq_returned", {{"error", message}});
}

void ReflectionPublisher::CheckTimeouts() {
  if (outstanding_.empty() ||
      clock_.SteadyNow() - outstanding_.front().sent_at < options_.confirm_timeout) {
    return;
  }
  if (blocked_) {
    // It has said that it would not listen, and will say when it does again.
    GiveUpOutstanding();
    return;
  }
  Lose(Unavailable(connection_->server() + ": no confirm within " +
                   std::to_string(options_.confirm_timeout.count()) + " ms"));
}

void ReflectionPublisher::GiveUpOutstanding() {
  for (const Outstanding& entry : outstanding_) {
    CountUnknown(entry.job);
  }
  outstanding_.clear();
}

void ReflectionPublisher::CountUnknown(const ReflectionJob& job) {
  const bool was_open = breaker_.IsOpen();
  ++state_.counters.unknown;
  breaker_.OnUnknown();
  probe_ = job;
  if (!was_open && breaker_.IsOpen()) {
    start_afresh_ = true;
    ++state_.counters.breaker_opened;
    log_.Warning("rabbitmq_breaker_opened", {{"unknown", state_.counters.unknown.load()}});
  }
}

void ReflectionPublisher::Lose(const Error& error) {
  GiveUpOutstanding();
  connection_.reset();
  blocked_ = false;
  start_afresh_ = false;
  connect_at_ = clock_.SteadyNow() + backoff_.Next();
  // Whoever sees that it is not well finds the reason.
  state_.SetError(error.message);
  log_.Warning("rabbitmq_publisher_lost", {{"error", error.message}});
  UpdateHealth();
}

void ReflectionPublisher::UpdateHealth() {
  state_.counters.breaker_open = breaker_.IsOpen();
  state_.SetPublishing(connection_ != nullptr && !blocked_ && !breaker_.IsOpen());
}

SteadyTime ReflectionPublisher::NextMoment() {
  SteadyTime next = clock_.SteadyNow() + kLookAgain;
  if (clock_.SteadyNow() < fill_at_ && HasWaiting()) {
    next = fill_at_;
  }
  if (!outstanding_.empty()) {
    next = std::min(next, outstanding_.front().sent_at + options_.confirm_timeout);
  } else if (breaker_.IsOpen() && !blocked_) {
    next = std::min(next, breaker_.ProbeAt());
  }
  return next;
}

bool ReflectionPublisher::HasWaiting() {
  MutexLock lock(mutex_);
  return !waiting_.empty();
}

bool ReflectionPublisher::HasWork() {
  return HasWaiting() || !outstanding_.empty();
}

}  // namespace umbranet
