#include "umbranet/reflection/ledger_audit.h"

#include <string>
#include <utility>

#include "umbranet/base/repeated_call.h"

namespace umbranet {

LedgerAudit::LedgerAudit(const Clock& clock, LedgerRecords& records, Metrics& metrics,
                         StructuredLog& log, Options options)
    : clock_(clock), records_(records), metrics_(metrics), log_(log), options_(options) {}

LedgerAudit::~LedgerAudit() {
  Stop();
}

void LedgerAudit::Start() {
  const MutexLock lock(mutex_);
  if (!thread_.joinable()) {
    thread_ = std::jthread([this](const std::stop_token& stop) {
      RepeatUntilStopped(stop, options_.every, [this] {
        [[maybe_unused]] const auto told = Look(Deadline::After(clock_, options_.budget));
      });
    });
  }
}

void LedgerAudit::Stop() {
  std::jthread leaving;
  const MutexLock lock(mutex_);
  leaving = std::move(thread_);
}

Result<LedgerComparison> LedgerAudit::Look(Deadline deadline) {
  auto comparison = records_.Compare(clock_.Now() - options_.settled_after, deadline);
  if (!comparison.ok()) {
    log_.Warning("audit_not_made", {{"error", comparison.error().message}});
    return comparison;
  }
  metrics_.reflection_audit_missing_jobs.Set(static_cast<double>(comparison->Missing()));
  std::string examples;
  for (const std::string& id : comparison->examples) {
    examples += (examples.empty() ? "" : " ") + id;
  }
  if (comparison->Missing() > 0) {
    log_.Error("audit_found_losses", {{"turns", comparison->turns},
                                      {"without_job", comparison->without_job},
                                      {"without_marker", comparison->without_marker},
                                      {"examples", examples}});
  } else {
    log_.Info("audit", {{"turns", comparison->turns}, {"unfinished", comparison->unfinished}});
  }
  return comparison;
}

}  // namespace umbranet
