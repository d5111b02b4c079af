// Keeps the books of what models cost for the whole installation: hands in what this process
// recorded, in batches, and reads what all processes did, every few seconds.
//
// - A call costs no transaction; it is handed in with the next batch, `every` later at the latest.
// - A budget is overstepped at most by what the processes have under way, and what they spend, in
//   two intervals: one until it is handed in, one until the others have read it.
// - While the database is away a process goes by what it knows, and hands in later. What a process
//   had not handed in when it was killed is lost to the books; Stop hands in what is left.
//
// All methods may be called from any thread.
#pragma once

#include <string>
#include <thread>

#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/base/result.h"
#include "umbranet/ports/model_usage_book.h"
#include "umbranet/telemetry/model_usage.h"
#include "umbranet/telemetry/structured_log.h"

namespace umbranet {

class UsageBookkeeper {
 public:
  struct Options {
    Millis every{2'000};
    Millis budget{2'000};  // Of one round, the one at the start and the last one too.
  };

  // Everything must outlive it.
  UsageBookkeeper(const Clock& clock, ModelUsage& usage, ModelUsageBook& book, StructuredLog& log,
                  Options options);
  ~UsageBookkeeper();
  UsageBookkeeper(const UsageBookkeeper&) = delete;
  UsageBookkeeper& operator=(const UsageBookkeeper&) = delete;

  // Reads the books before it returns, so that nothing is asked of a model on the belief that the
  // day is new. Idempotent both.
  void Start();
  void Stop();

  // Hands in and reads, now.
  Status Agree(Deadline deadline);

 private:
  void AgreeOrTell();

  const Clock& clock_;
  ModelUsage& usage_;
  ModelUsageBook& book_;
  StructuredLog& log_;
  const Options options_;
  const std::string writer_;

  Mutex mutex_;  // Of one round at a time.
  bool away_ GUARDED_BY(mutex_) = false;

  Mutex thread_mutex_;
  std::jthread thread_ GUARDED_BY(thread_mutex_);
};

}  // namespace umbranet
