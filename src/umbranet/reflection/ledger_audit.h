// Looks every hour whether each accepted turn has left what it should have left, and says so where
// it has not: a metric that must read 0, and an error in the log. Nothing is repaired.
//
// All methods may be called from any thread.
#pragma once

#include <thread>

#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/base/result.h"
#include "umbranet/ports/ledger_records.h"
#include "umbranet/telemetry/metrics.h"
#include "umbranet/telemetry/structured_log.h"

namespace umbranet {

class LedgerAudit {
 public:
  struct Options {
    Millis every = std::chrono::hours(1);
    Millis settled_after = std::chrono::minutes(15);  // Younger turns are not looked at.
    Millis budget = std::chrono::minutes(2);
  };

  // Everything must outlive it.
  LedgerAudit(const Clock& clock, LedgerRecords& records, Metrics& metrics, StructuredLog& log,
              Options options);
  ~LedgerAudit();
  LedgerAudit(const LedgerAudit&) = delete;
  LedgerAudit& operator=(const LedgerAudit&) = delete;

  // The first look is one `every` after the start. Idempotent both.
  void Start();
  void Stop();

  // Looks now, and tells the metric and the log.
  Result<LedgerComparison> Look(Deadline deadline);

 private:
  const Clock& clock_;
  LedgerRecords& records_;
  Metrics& metrics_;
  StructuredLog& log_;
  const Options options_;
  Mutex mutex_;
  std::jthread thread_ GUARDED_BY(mutex_);
};

}  // namespace umbranet
