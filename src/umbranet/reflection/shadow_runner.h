// Shadow mode: for turns whose plan has been made, another path (the candidate) makes its own from
// the same input, and the two are compared. It goes as far as the plan and no further: it is given
// an extractor and no store, so it cannot write to any tier. Its errors are written down and are
// nobody else's.
//
// It works behind everything else, on one thread; turns that come faster than it works are passed
// over, and counted. A model is not asked a second time: the extractor that it is given is to
// answer from what was recorded (replayed_language_model.h), and a question that has no answer
// there is told by `unanswered`.
//
// Offer may be called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/domain/reflection_plan.h"
#include "umbranet/ports/extractor.h"
#include "umbranet/ports/shadow_records.h"
#include "umbranet/telemetry/metrics.h"
#include "umbranet/telemetry/structured_log.h"

namespace umbranet {

// One turn of a batch, and the plan that is in force for it.
struct ShadowTurn {
  // Of the whole batch, as the extractor of the path in force was given it.
  std::shared_ptr<const ExtractionInput> input;
  std::size_t index = 0;  // Of the turn in it.
  ReflectionPlan in_force;
  std::uint32_t control_ms = 0;
};

// What the synchronous path would be given for this turn: the turn alone, behind what was said in
// its session before it.
ExtractionInput InputOfTurnAlone(const ShadowTurn& turn, std::size_t preceding_max);

class ShadowRunner {
 public:
  struct Options {
    std::string candidate = {};     // As ShadowRun::candidate.
    std::uint32_t percent = 100;    // Of the jobs, chosen by their ids.
    std::size_t waiting_max = 256;  // Turns that wait for it.
    std::size_t preceding_max = 6;
    Millis extract_budget{10'000};
    Millis store_budget{5'000};
    int nice = 19;
    // Questions that were not answered from the record so far. Empty: none is ever asked.
    std::function<std::uint64_t()> unanswered = {};
  };

  // Everything must outlive it.
  ShadowRunner(const Clock& clock, Extractor& candidate, ShadowRecords& records, Metrics& metrics,
               StructuredLog& log, Options options);
  // Lets go of what waits.
  ~ShadowRunner();
  ShadowRunner(const ShadowRunner&) = delete;
  ShadowRunner& operator=(const ShadowRunner&) = delete;

  // Never waits and never fails.
  void Offer(ShadowTurn turn);

  // Returns once nothing waits and nothing is at work, or `deadline` has come: false.
  bool AwaitIdle(Deadline deadline);

 private:
  void Run(const std::stop_token& stop);
  void Try(const ShadowTurn& turn);
  [[nodiscard]] bool IsChosen(const std::string& job_id) const;

  const Clock& clock_;
  Extractor& candidate_;
  ShadowRecords& records_;
  Metrics& metrics_;
  StructuredLog& log_;
  const Options options_;
  Mutex mutex_;
  ConditionVariable changed_;
  std::deque<ShadowTurn> waiting_ GUARDED_BY(mutex_);
  bool at_work_ GUARDED_BY(mutex_) = false;
  std::jthread thread_;
};

}  // namespace umbranet
