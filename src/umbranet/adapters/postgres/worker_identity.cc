#include "umbranet/adapters/postgres/worker_identity.h"

#include <string_view>
#include <utility>

namespace umbranet {

namespace {

// A lock is of the database; the schema tells installations in one database apart.
constexpr std::string_view kNextNumber = "SELECT nextval('ledger_worker')";
constexpr std::string_view kLock =
    "SELECT pg_try_advisory_lock(hashtext('umbranet worker ' || current_schema()), $1::int)";
constexpr std::string_view kUnlock = "SELECT pg_advisory_unlock_all()";
constexpr std::string_view kPing = "SELECT 1";

constexpr Millis kLook{100};
constexpr int kTriesForNumber = 40;
constexpr Millis kBetweenTries{25};
constexpr Millis kBudget{2'000};
// Half-open connections are found by asking.
constexpr Millis kAskEvery{5'000};

}  // namespace

PostgresWorkerIdentity::PostgresWorkerIdentity(PostgresPool& pool, Deadline deadline)
    : pool_(pool) {
  [[maybe_unused]] const Status taken = TakeNumber(deadline);
  watcher_ = std::jthread([this](const std::stop_token& stop) { Watch(stop); });
}

PostgresWorkerIdentity::~PostgresWorkerIdentity() {
  watcher_.request_stop();
  watcher_.join();
  held_ = 0;
  if (session_ != nullptr && !session_->broken()) {
    session_->set_deadline(Deadline::After(clock_, kBudget));
    [[maybe_unused]] const auto unlocked = session_->Query(kUnlock);
  }
}

std::optional<std::int64_t> PostgresWorkerIdentity::number() const {
  const std::int64_t held = held_;
  return held == 0 ? std::nullopt : std::optional(held);
}

Status PostgresWorkerIdentity::TakeNumber(Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(session_, pool_.OpenSession(deadline));
  session_->set_deadline(deadline);
  for (int tries = 1;; ++tries) {
    if (number_ == 0) {
      UMBRANET_ASSIGN_OR_RETURN(const PostgresRows next, session_->Query(kNextNumber));
      number_ = next[0].Int(0);
    }
    UMBRANET_ASSIGN_OR_RETURN(const PostgresRows locked, session_->Query(kLock, number_));
    if (locked[0].Bool(0)) {
      held_ = number_;
      return {};
    }
    // Somebody has it: our own last session, which is on its way out or which the server still
    // takes for alive. The leases go by the number, so it is worth a moment.
    if (tries >= kTriesForNumber || deadline.Expired()) {
      number_ = 0;
      continue;
    }
    MutexLock lock(mutex_);
    woken_.WaitFor(mutex_, kBetweenTries);
  }
}

bool PostgresWorkerIdentity::StillHeld(SteadyTime& asked_at) {
  if (session_ == nullptr || !session_->IsAlive()) {
    return false;
  }
  const SteadyTime now = clock_.SteadyNow();
  if (now - asked_at < kAskEvery) {
    return true;
  }
  asked_at = now;
  session_->set_deadline(Deadline::After(clock_, kBudget));
  return session_->Query(kPing).ok();
}

void PostgresWorkerIdentity::Watch(const std::stop_token& stop) {
  SteadyTime asked_at = clock_.SteadyNow();
  while (!stop.stop_requested()) {
    if (!StillHeld(asked_at)) {
      held_ = 0;
      session_.reset();
      const Status taken = TakeNumber(Deadline::After(clock_, kBudget));
      if (!taken.ok()) {
        session_.reset();
      }
      asked_at = clock_.SteadyNow();
    }
    MutexLock lock(mutex_);
    woken_.WaitFor(mutex_, stop, kLook);
  }
}

}  // namespace umbranet
