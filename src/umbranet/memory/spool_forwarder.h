// Brings spooled turns home: hands them to the journal in the order in which they were accepted, a
// user's one after the other, and marks them only then. A crash in between hands a turn over
// again, which the journal takes for the duplicate that it is.
//
// It is also who finds out that the journal is back: while it is away, nobody else asks it.
//
// All methods may be called from any thread; Step by one at a time.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "umbranet/base/bounded_worker_pool.h"
#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/base/task_runner.h"
#include "umbranet/memory/spool_book.h"
#include "umbranet/ports/doorbell.h"
#include "umbranet/ports/journal.h"
#include "umbranet/ports/turn_spool.h"
#include "umbranet/telemetry/metrics.h"
#include "umbranet/telemetry/structured_log.h"

namespace umbranet {

class SpoolForwarder {
 public:
  struct Options {
    std::size_t batch = 256;   // Turns of one step.
    std::size_t lanes = 8;     // Users at a time.
    Millis retry_every{500};   // While the journal is away, or something waits.
    Millis look_every{1'000};  // Otherwise.
    Millis step_budget{10'000};
    Millis kept_after{10'000};  // A forwarded turn can still be read from the spool for so long.
    // Hands the lanes over in place of threads of the forwarder's own. May be null.
    TaskRunner* runner = nullptr;
  };

  struct Report {
    std::uint64_t forwarded = 0;      // Duplicates among them: an earlier outcome was unknown.
    std::uint64_t forgotten = 0;      // The user was, after they were accepted.
    std::uint64_t refused = 0;        // The journal will never take them as they are.
    std::optional<Error> stopped_by;  // Why some still wait.
  };

  // `journal` is the one behind, without a spool. `doorbell` may be null. Everything must outlive
  // the forwarder.
  SpoolForwarder(const Clock& clock, Journal& journal, TurnSpool& spool, SpoolBook& book,
                 Doorbell* doorbell, Metrics& metrics, StructuredLog& log, Options options);
  ~SpoolForwarder();
  SpoolForwarder(const SpoolForwarder&) = delete;
  SpoolForwarder& operator=(const SpoolForwarder&) = delete;

  void Start();
  // Lets the step in progress end. Idempotent.
  void Stop();

  // One batch of the oldest turns; or a question to the journal when nothing waits but it was away.
  // The journal is back when it took or answered anything.
  Result<Report> Step(Deadline deadline);

  // True once nothing of what was in the spool at the start waits any more.
  [[nodiscard]] bool DrainedSinceStart() const { return drained_.load(); }

 private:
  struct Outcome {
    std::vector<SpooledTurn> taken;
    std::vector<SpooledTurn> forgotten;
    std::vector<std::pair<SpooledTurn, std::string>> refused;
    bool answered = false;
    std::optional<Error> stopped_by;
  };

  using Lane = std::vector<SpooledTurn>;

  Outcome ForwardLane(Lane lane, Deadline deadline);
  Outcome ForwardAll(std::vector<SpooledTurn> turns, Deadline deadline);
  Status Settle(const Outcome& outcome, Report& report, Deadline deadline);
  void Run(const std::stop_token& stop);

  [[nodiscard]] TaskRunner& runner() {
    return options_.runner != nullptr ? *options_.runner : pool_;
  }

  const Clock& clock_;
  Journal& journal_;
  TurnSpool& spool_;
  SpoolBook& book_;
  Doorbell* const doorbell_;
  Metrics& metrics_;
  StructuredLog& log_;
  const Options options_;
  BoundedWorkerPool pool_;
  std::atomic<bool> drained_{false};
  Mutex mutex_;
  ConditionVariable wake_;
  std::jthread thread_ GUARDED_BY(mutex_);
};

}  // namespace umbranet
