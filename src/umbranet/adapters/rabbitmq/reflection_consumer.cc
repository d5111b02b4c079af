#include "umbranet/adapters/rabbitmq/reflection_consumer.h"

#include <utility>

#include "umbranet/base/crash_point.h"
#include "umbranet/domain/reflection_job.h"

namespace umbranet {
namespace {

constexpr Millis kLookAgain{60'000};

// Whether the same message may be taken another time. One that meets a bug of ours may not: it
// would stand in the way of all others.
bool IsForLater(const Error& error) {
  switch (error.code) {
    case ErrorCode::kUnavailable:
    case ErrorCode::kDeadlineExceeded:
    case ErrorCode::kStorageFull:
    case ErrorCode::kResourceExhausted:
    case ErrorCode::kFailedPrecondition:
    case ErrorCode::kCancelled:
      return true;
    default:
      return false;
  }
}

}  // namespace

ReflectionConsumer::ReflectionConsumer(const Clock& clock, StructuredLog& log, DoorbellState& state,
                                       Options options, AcceptJob accept,
                                       std::function<void()> wake)
    : clock_(clock),
      log_(log),
      state_(state),
      options_(std::move(options)),
      accept_(std::move(accept)),
      wake_waiter_(std::move(wake)),
      backoff_(options_.backoff, RandomFractions()),
      thread_([this](const std::stop_token& stop) { Run(stop); }) {}

ReflectionConsumer::~ReflectionConsumer() {
  Stop();
}

void ReflectionConsumer::Stop() {
  thread_.request_stop();
  wake_.Signal();
  {
    // An accept that is under way has its budget; a connection in the making is not waited for.
    const SteadyTime until = SystemClock{}.SteadyNow() + options_.accept_budget + options_.farewell;
    MutexLock lock(mutex_);
    while (!has_ended_ && state_.IsConsuming() && SystemClock{}.SteadyNow() < until) {
      ended_.WaitUntil(mutex_, until);
    }
  }
  guard_.Abort();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void ReflectionConsumer::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (connection_ == nullptr) {
      wake_.Wait(next_try_);
      wake_.Clear();
      if (stop.stop_requested() || clock_.SteadyNow() < next_try_) {
        continue;
      }
      if (held_.has_value()) {
        OfferHeldAgain();
      } else {
        Connect();
      }
      continue;
    }
    connection_->Wait(wake_.fd(), clock_.SteadyNow() + kLookAgain);
    wake_.Clear();
    ReadEvents(stop);
  }
  if (connection_ != nullptr) {
    connection_->Close(options_.farewell);
    connection_.reset();
  }
  state_.SetConsuming(false);
  MutexLock lock(mutex_);
  has_ended_ = true;
  ended_.NotifyAll();
}

bool ReflectionConsumer::Connect() {
  auto opened = AmqpConnection::Open(options_.connection, guard_);
  Status ready;
  if (!opened.ok()) {
    ready = opened.error();
  } else {
    ready = DeclareTopology(**opened, options_.names, log_);
    if (ready.ok()) {
      ready = (*opened)->Consume(options_.names.queue, options_.prefetch);
    }
  }
  if (!ready.ok()) {
    state_.SetError(ready.error().message);
    log_.Warning("rabbitmq_consumer_away", {{"error", ready.error().message}});
    next_try_ = clock_.SteadyNow() + backoff_.Next();
    return false;
  }
  connection_ = std::move(*opened);
  backoff_.Reset();
  if (std::exchange(connected_before_, true)) {
    ++state_.counters.reconnects;
  }
  log_.Info("rabbitmq_consumer_connected", {{"server", connection_->server()}});
  state_.SetConsuming(true);
  return true;
}

void ReflectionConsumer::ReadEvents(const std::stop_token& stop) {
  while (connection_ != nullptr && !stop.stop_requested()) {
    auto event = connection_->Next();
    if (!event.ok()) {
      Lose(event.error());
      return;
    }
    Status handled;
    if (!event->has_value()) {
      handled = TakeJobs();
      if (handled.ok()) {
        return;
      }
    } else if (auto* delivery = std::get_if<AmqpDelivery>(&**event)) {
      handled = Handle(std::move(*delivery));
    } else if (std::holds_alternative<AmqpConsumerCancelled>(**event)) {
      handled = Unavailable(connection_->server() + ": queue " + options_.names.queue +
                            " was deleted; it is declared again");
    }
    if (!handled.ok()) {
      Lose(handled.error());
      return;
    }
  }
}

// An error is the connection's.
Status ReflectionConsumer::Handle(AmqpDelivery delivery) {
  ++state_.counters.consumed;
  // Who waits here was woken when it was rung, and the ledger had the job before that.
  if (delivery.message.TextHeader(kInstanceHeader) == options_.instance) {
    return connection_->Ack(delivery.tag);
  }
  if (delivery.message.type != kRingMessageType && accept_) {
    waiting_.push_back(std::move(delivery));
    return {};
  }
  UMBRANET_RETURN_IF_ERROR(connection_->Ack(delivery.tag));
  wake_waiter_();
  return {};
}

Status ReflectionConsumer::TakeJobs() {
  std::vector<Arrived> arrived;
  for (AmqpDelivery& delivery : std::exchange(waiting_, {})) {
    auto job = DecodeJob(delivery.message.body);
    if (!job.ok()) {
      UMBRANET_RETURN_IF_ERROR(RejectDelivery(delivery, job.error()));
      continue;
    }
    job->traceparent = delivery.message.TextHeader("traceparent");
    if (job->turn.accepted_at == Timestamp{}) {
      job->turn.accepted_at = delivery.message.timestamp;
    }
    arrived.push_back({std::move(delivery), *std::move(job)});
  }
  return arrived.empty() ? Status() : AcceptJobs(std::move(arrived));
}

// None of them, where it cannot be told: accepting what is known is harmless.
std::vector<bool> ReflectionConsumer::Known(const std::vector<Arrived>& arrived) {
  std::vector<bool> none(arrived.size(), false);
  if (!options_.known) {
    return none;
  }
  std::vector<std::string> job_ids;
  job_ids.reserve(arrived.size());
  for (const Arrived& one : arrived) {
    job_ids.push_back(MakeJobId(one.job.turn.user, one.job.turn.interaction_id));
  }
  return options_.known(job_ids, Deadline::After(clock_, options_.accept_budget))
      .value_or(std::move(none));
}

Status ReflectionConsumer::AcceptJobs(std::vector<Arrived> arrived) {
  UMBRANET_CRASH_POINT_PASSED("consume.before_take");
  const std::vector<bool> known = Known(arrived);
  // The last of a row that the ledger has: they are acknowledged together. What came before the row
  // is settled.
  std::optional<std::uint64_t> taken;
  const auto acknowledge = [&]() -> Status {
    if (!taken.has_value()) {
      return {};
    }
    UMBRANET_CRASH_POINT_PASSED("consume.before_ack");
    UMBRANET_RETURN_IF_ERROR(connection_->AckThrough(*std::exchange(taken, std::nullopt)));
    wake_waiter_();
    return {};
  };
  for (std::size_t i = 0; i < arrived.size(); ++i) {
    Arrived& one = arrived[i];
    const Status accepted =
        known[i] ? Status() : accept_(one.job, Deadline::After(clock_, options_.accept_budget));
    if (accepted.ok()) {
      ++state_.counters.accepted;
      taken = one.delivery.tag;
      continue;
    }
    UMBRANET_RETURN_IF_ERROR(acknowledge());
    if (IsForLater(accepted.error())) {
      HoldUntilLedgerIsBack(std::move(one.job), accepted.error());
      return {};
    }
    UMBRANET_RETURN_IF_ERROR(RejectDelivery(one.delivery, accepted.error()));
  }
  return acknowledge();
}

Status ReflectionConsumer::RejectDelivery(const AmqpDelivery& delivery, const Error& why) {
  ++state_.counters.malformed;
  log_.Warning("rabbitmq_message_refused", {{"bytes", delivery.message.body.size()},
                                            {"dead_letters", options_.names.dead_letter_queue},
                                            {"error", why.message}});
  return connection_->Reject(delivery.tag);
}

void ReflectionConsumer::HoldUntilLedgerIsBack(IncomingJob job, const Error& why) {
  log_.Warning("rabbitmq_ledger_away", {{"error", why.message}});
  state_.SetError(why.message);
  held_ = std::move(job);
  // Everything that was delivered and not settled goes back to the queue, once.
  waiting_.clear();
  connection_->Close(options_.farewell);
  connection_.reset();
  state_.SetConsuming(false);
  next_try_ = clock_.SteadyNow() + backoff_.Next();
}

void ReflectionConsumer::OfferHeldAgain() {
  const Status accepted = accept_(*held_, Deadline::After(clock_, options_.accept_budget));
  if (!accepted.ok() && IsForLater(accepted.error())) {
    state_.SetError(accepted.error().message);
    next_try_ = clock_.SteadyNow() + backoff_.Next();
    return;
  }
  // Its message comes again and is settled then, as known or as refused.
  held_.reset();
  backoff_.Reset();
  wake_waiter_();
}

void ReflectionConsumer::Lose(const Error& error) {
  waiting_.clear();
  connection_.reset();
  state_.SetError(error.message);
  log_.Warning("rabbitmq_consumer_lost", {{"error", error.message}});
  state_.SetConsuming(false);
  next_try_ = clock_.SteadyNow() + backoff_.Next();
}

}  // namespace umbranet
