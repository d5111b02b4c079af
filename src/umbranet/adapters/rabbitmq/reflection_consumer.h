// The half of the doorbell that hears: a thread and a connection of its own that take messages from
// the queue. A message is acknowledged as soon as the ledger has its job, before any work is done
// on it: who does the work, and when, is the ledger's to say.
//
// All methods may be called from any thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "umbranet/adapters/rabbitmq/amqp_connection.h"
#include "umbranet/adapters/rabbitmq/broker_topology.h"
#include "umbranet/adapters/rabbitmq/doorbell_state.h"
#include "umbranet/adapters/rabbitmq/publish_breaker.h"
#include "umbranet/adapters/rabbitmq/reflection_message.h"
#include "umbranet/adapters/rabbitmq/stall_guard.h"
#include "umbranet/adapters/rabbitmq/wake_descriptor.h"
#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/telemetry/structured_log.h"

namespace umbranet {

// Makes sure that the ledger has the job. Success: it has, or need not (its user was forgotten).
// kUnavailable, kDeadlineExceeded, kStorageFull, kResourceExhausted, kFailedPrecondition and
// kCancelled: not now; the same job is handed over again until it is taken or refused. Any other
// error: never; the message goes to the dead letters. Called on the consumer's thread, one job at a
// time.
using AcceptJob = std::function<Status(const IncomingJob& job, Deadline deadline)>;

// Which of the jobs the ledger has already, parallel to `job_ids`: these are acknowledged without
// being accepted. Called on the consumer's thread for the messages that came together, which mostly
// tell of what the ledger had before them.
using FindKnown = std::function<Result<std::vector<bool>>(std::span<const std::string> job_ids,
                                                          Deadline deadline)>;

class ReflectionConsumer {
 public:
  struct Options {
    AmqpConnection::Options connection;
    BrokerNames names;
    std::string instance;
    std::uint16_t prefetch = 64;
    Millis accept_budget{5'000};
    Millis farewell{500};
    FindKnown known;  // May be empty: then each job is accepted.
    ReconnectBackoff::Options backoff;
  };

  // Starts. Without `accept` every message is a ring alone. `wake` is called when there may be
  // something to claim. Clock, log and state must outlive the consumer; the clock must run by
  // itself.
  ReflectionConsumer(const Clock& clock, StructuredLog& log, DoorbellState& state, Options options,
                     AcceptJob accept, std::function<void()> wake);
  // Stops.
  ~ReflectionConsumer();
  ReflectionConsumer(const ReflectionConsumer&) = delete;
  ReflectionConsumer& operator=(const ReflectionConsumer&) = delete;

  // Ends the thread; messages that were delivered and not settled go back to the queue. `accept`
  // and `wake` are not called any more. May be repeated.
  void Stop();

 private:
  struct Arrived {
    AmqpDelivery delivery;
    IncomingJob job;
  };

  void Run(const std::stop_token& stop);
  bool Connect();
  void ReadEvents(const std::stop_token& stop);
  Status Handle(AmqpDelivery delivery);
  // Those that came since the last call: all are settled, or given back.
  Status TakeJobs();
  Status AcceptJobs(std::vector<Arrived> arrived);
  std::vector<bool> Known(const std::vector<Arrived>& arrived);
  Status RejectDelivery(const AmqpDelivery& delivery, const Error& why);
  void HoldUntilLedgerIsBack(IncomingJob job, const Error& why);
  void OfferHeldAgain();
  void Lose(const Error& error);

  const Clock& clock_;
  StructuredLog& log_;
  DoorbellState& state_;
  const Options options_;
  const AcceptJob accept_;
  const std::function<void()> wake_waiter_;
  StallGuard guard_;
  WakeDescriptor wake_;

  Mutex mutex_;
  ConditionVariable ended_;
  bool has_ended_ GUARDED_BY(mutex_) = false;

  // From here on the thread's own.
  std::unique_ptr<AmqpConnection> connection_;
  std::vector<AmqpDelivery> waiting_;  // Messages with a job that came and are not taken yet.
  bool connected_before_ = false;
  ReconnectBackoff backoff_;
  SteadyTime next_try_{};
  // A job that the ledger could not take. While it is held nothing is consumed: each message that
  // comes and goes back counts as a delivery, and too many of them would make it a dead letter.
  std::optional<IncomingJob> held_;

  std::jthread thread_;  // Last, so that it ends before what it uses.
};

}  // namespace umbranet
