// Works one claimed batch off: turns and what is known are loaded, each job gets its plan, and the
// plans are carried out on the tiers that a job still lacks, all three beside each other.
//
// In this order, so that a crash between any two steps loses nothing and pays for nothing twice:
//   1. Plans that were saved before are reused; the missing ones are extracted, once.
//   2. Plans are saved (the first writer wins) before any tier is touched, and what is applied is
//      what was saved.
//   3. A tier that is done is marked so in the ledger as soon as it is, whatever the others do.
// An error of kAborted anywhere means that the lease is lost: the batch is dropped without a word
// to the ledger, which has given its jobs to somebody else, or forgotten their user.
//
// Process may be called from many threads at once, each with a batch of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "umbranet/base/bounded_worker_pool.h"
#include "umbranet/base/clock.h"
#include "umbranet/base/task_runner.h"
#include "umbranet/ports/episodic_memory.h"
#include "umbranet/ports/extractor.h"
#include "umbranet/ports/job_ledger.h"
#include "umbranet/ports/journal.h"
#include "umbranet/ports/procedural_memory.h"
#include "umbranet/ports/semantic_memory.h"
#include "umbranet/reflection/episodic_processor.h"
#include "umbranet/reflection/plan_extraction.h"
#include "umbranet/reflection/procedural_processor.h"
#include "umbranet/reflection/semantic_processor.h"
#include "umbranet/telemetry/metrics.h"
#include "umbranet/telemetry/structured_log.h"
#include "umbranet/telemetry/trace_span.h"

namespace umbranet {

class ShadowRunner;

// A job whose tiers are all done now.
struct ReflectedTurn {
  std::string job_id;
  Priority priority = Priority::kNormal;
  std::string session_id;                // Empty when the turn is gone.
  std::optional<Timestamp> accepted_at;  // Nothing when the turn is gone.
};

struct BatchResult {
  enum class Ending : std::uint8_t {
    kSettle,       // Settle with `failures`.
    kLeaseLost,    // Nothing to do and nothing to say.
    kInterrupted,  // A stop came first: release the lease.
  };

  Ending ending = Ending::kSettle;
  std::vector<JobFailure> failures;
  std::vector<ReflectedTurn> reflected;
};

class BatchProcessor {
 public:
  struct Stores {
    Journal& journal;
    JobLedger& ledger;
    EpisodicMemory& episodic;
    SemanticMemory& semantic;
    ProceduralMemory& procedural;
    EpisodeEmbedder* embedder = nullptr;  // May be null: episodes are stored without vectors.
    // Tries another path on turns whose plans are made. May be null: none is tried.
    ShadowRunner* shadow = nullptr;
  };

  struct Options {
    Millis store_budget{5'000};     // One call to journal or ledger.
    Millis extract_budget{60'000};  // Context and extraction of a whole batch.
    Millis tier_budget{20'000};     // One tier's Apply.
    // A call that ignores its deadline is given this much longer, then it is left behind.
    Millis overstay{250};
    // So long the ledger may be without word of a tier that is done, while others are at work.
    Millis progress_grace{100};
    Millis stop_grace{5'000};  // How long a running batch may still take once a stop was requested.
    std::size_t preceding_turns_max = 6;
    std::size_t known_entities_max = 200;
    std::size_t known_rules_max = 100;
    std::size_t known_facts_max = 24;  // For an extractor that makes use of them.
    std::size_t threads_max = 32;  // For calls to stores: three for each batch at once, and spares
                                   // for those that overstay.
    int nice = 5;
    // Runs the calls in place of those threads. May be null; must outlive its tasks, and the
    // processor them.
    TaskRunner* runner = nullptr;
  };

  BatchProcessor(const Clock& clock, Stores stores, Extractor& extractor, Metrics& metrics,
                 StructuredLog& log, Options options);
  // Waits for calls that were left behind.
  ~BatchProcessor();
  BatchProcessor(const BatchProcessor&) = delete;
  BatchProcessor& operator=(const BatchProcessor&) = delete;

  // Never fails: what went wrong is in the result, job by job. Returns by `deadline`, and at the
  // latest stop_grace after a stop, but for the overstay of a call.
  [[nodiscard]] BatchResult Process(const ClaimedBatch& batch, std::stop_token stop,
                                    Deadline deadline);

  // Where the calls run, for those who have something to wait for on the same terms.
  [[nodiscard]] TaskRunner& runner() {
    return options_.runner != nullptr ? *options_.runner : pool_;
  }

 private:
  class Run;

  PlanSources Sources();

  const Clock& clock_;
  const Stores stores_;
  Extractor& extractor_;
  Metrics& metrics_;
  StructuredLog& log_;
  const Options options_;
  EpisodicProcessor episodic_;
  SemanticProcessor semantic_;
  ProceduralProcessor procedural_;
  // Last, so that it is stopped before anything that its calls use is gone.
  BoundedWorkerPool pool_;
};

}  // namespace umbranet
