// The half of the doorbell that rings: a thread and a connection of its own that publish what was
// put into a bounded queue in memory, and learn by confirms what became of it.
//
// All methods may be called from any thread. What is refused, returned, late or under way when the
// connection ends is "unknown" and not published again, since the ledger has the job anyway.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "umbranet/adapters/rabbitmq/amqp_connection.h"
#include "umbranet/adapters/rabbitmq/broker_topology.h"
#include "umbranet/adapters/rabbitmq/doorbell_state.h"
#include "umbranet/adapters/rabbitmq/publish_breaker.h"
#include "umbranet/adapters/rabbitmq/stall_guard.h"
#include "umbranet/adapters/rabbitmq/wake_descriptor.h"
#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/domain/reflection_job.h"
#include "umbranet/telemetry/structured_log.h"

namespace umbranet {

class ReflectionPublisher {
 public:
  struct Options {
    AmqpConnection::Options connection;
    BrokerNames names;
    std::string instance;      // Tells this process's own messages from those of others.
    std::size_t window = 256;  // Publishes that may be unconfirmed at a time.
    // Rings that come sooner after one was published go out together: the broker writes each
    // arrival to its disk, and nobody who chats waits for that. The first never waits.
    Millis gather_for{10};
    Millis confirm_timeout{3'000};
    std::size_t waiting_max = 10'000;
    std::size_t waiting_bytes_max = std::size_t{64} << 20U;
    Millis farewell{500};  // At the end: for what still waits, and for its confirms.
    PublishBreaker::Options breaker;
    ReconnectBackoff::Options backoff;
  };

  // Starts. Clock, log and state must outlive the publisher; the clock must run by itself.
  ReflectionPublisher(const Clock& clock, StructuredLog& log, DoorbellState& state,
                      Options options);
  // Stops.
  ~ReflectionPublisher();
  ReflectionPublisher(const ReflectionPublisher&) = delete;
  ReflectionPublisher& operator=(const ReflectionPublisher&) = delete;

  // Never blocks and never fails: without room the ring is dropped and counted. `turn` may be null.
  void Put(const ReflectionJob& job, const Interaction* turn) noexcept;

  // Takes the user's rings, which may hold what he said, out of those that wait.
  void LetGo(const UserKey& user);
  void LetGoOfAll();

  // Ends the thread: what waits is published while the connection is well, but for no longer than
  // Options::farewell. May be repeated.
  void Stop();

 private:
  struct Ring {
    ReflectionJob job;
    std::optional<Interaction> turn;
    std::size_t bytes = 0;
  };

  struct Outstanding {
    std::uint64_t tag = 0;
    ReflectionJob job;
    SteadyTime sent_at{};
    bool returned = false;
  };

  void Run(const std::stop_token& stop);
  void Step();
  bool Connect();
  void Fill();
  std::optional<Ring> TakeNext();
  void LetGoIf(const std::function<bool(const Ring&)>& goes);
  bool PublishOne(const Ring& ring);
  [[nodiscard]] AmqpMessage MessageFor(const Ring& ring) const;
  void ReadEvents();
  void Handle(const AmqpEvent& event);
  void OnConfirm(const AmqpConfirm& confirm);
  void SettleOne(const Outstanding& entry, bool accepted);
  void OnReturn(const AmqpReturn& returned);
  void CheckTimeouts();
  void GiveUpOutstanding();
  void CountUnknown(const ReflectionJob& job);
  void Lose(const Error& error);
  void UpdateHealth();
  [[nodiscard]] SteadyTime NextMoment();
  [[nodiscard]] bool HasWaiting();
  [[nodiscard]] bool HasWork();

  const Clock& clock_;
  StructuredLog& log_;
  DoorbellState& state_;
  const Options options_;
  StallGuard guard_;
  WakeDescriptor wake_;

  Mutex mutex_;
  ConditionVariable ended_;
  bool has_ended_ GUARDED_BY(mutex_) = false;
  std::deque<Ring> waiting_ GUARDED_BY(mutex_);
  std::size_t waiting_bytes_ GUARDED_BY(mutex_) = 0;

  // From here on the thread's own.
  std::unique_ptr<AmqpConnection> connection_;
  bool connected_before_ = false;
  bool blocked_ = false;
  bool start_afresh_ = false;  // The breaker has opened: connect and declare again.
  std::uint64_t last_tag_ = 0;
  std::deque<Outstanding> outstanding_;
  SteadyTime fill_at_{};  // Not before.
  PublishBreaker breaker_;
  ReconnectBackoff backoff_;
  SteadyTime connect_at_{};
  // What is published as a probe when nothing waits: the last ring whose outcome is unknown.
  std::optional<ReflectionJob> probe_;

  std::jthread thread_;  // Last, so that it ends before what it uses.
};

}  // namespace umbranet
