// Makes forgetting reach what this process holds in memory of a user, also when another process was
// asked for it: looks at the ledger's record of forgettings once a second, and lets go of whoever
// is new there.
//
// - What was there when a user was forgotten is gone `every` later at the latest, with the time
//   that a look takes.
// - A call that was under way may put something there afterwards, so the user is let go of once
//   more `again_after` later.
// - While the record cannot be read nobody can know who was forgotten: after `blind_max`, and as
//   often again, everything is let go of.
//
// It also teaches the LedgerClock. All methods may be called from any thread.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <thread>

#include "umbranet/base/clock.h"
#include "umbranet/base/ledger_clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/ports/forgetting_record.h"

namespace umbranet {

class ForgettingWatch {
 public:
  struct Options {
    Millis every{1'000};
    Millis again_after = std::chrono::minutes(3);
    Millis blind_max = std::chrono::minutes(1);
    Millis budget{5'000};            // Of one look.
    std::size_t page = 500;          // Forgettings that are read at a time.
    std::size_t again_max = 10'000;  // Users that are remembered for the second time.
  };

  struct Held {
    // Lets go of what is held of a user, and of what is held of nobody knows whom. Harmless when
    // there is nothing. After a failure it is called again.
    std::function<Status(const UserKey&, Deadline)> let_go;
    std::function<void()> let_go_of_all;
  };

  // Everything must outlive it.
  ForgettingWatch(const Clock& clock, ForgettingRecord& record, LedgerClock& ledger_clock,
                  Held held, Options options);
  ~ForgettingWatch();
  ForgettingWatch(const ForgettingWatch&) = delete;
  ForgettingWatch& operator=(const ForgettingWatch&) = delete;

  // Looks once before it returns, so that what is held later is held on the knowledge of who was
  // forgotten before. Idempotent both.
  void Start();
  void Stop();

  // Looks now.
  Status Look(Deadline deadline);

 private:
  struct Again {
    SteadyTime due{};
    std::optional<UserKey> user;  // Nothing: all of them.
  };

  Status ReadNews(Deadline deadline) REQUIRES(mutex_);
  void Remember(const UserKey& user) REQUIRES(mutex_);
  Status LetGoAgain(Deadline deadline) REQUIRES(mutex_);

  const Clock& clock_;
  ForgettingRecord& record_;
  LedgerClock& ledger_clock_;
  const Held held_;
  const Options options_;

  Mutex mutex_;                                       // Of one look at a time.
  std::optional<Timestamp> seen_ GUARDED_BY(mutex_);  // Nothing: never looked.
  SteadyTime looked_at_ GUARDED_BY(mutex_);           // With success, or when all was let go of.
  std::deque<Again> again_ GUARDED_BY(mutex_);        // By due.

  Mutex thread_mutex_;
  std::jthread thread_ GUARDED_BY(thread_mutex_);
};

}  // namespace umbranet
