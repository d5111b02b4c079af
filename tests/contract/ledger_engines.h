// The engines that the suites of journal and ledger run over, and what both suites need. A further
// engine is one more entry of LedgerEngines().
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "umbranet/ports/forgetting_record.h"
#include "umbranet/ports/job_ledger.h"
#include "umbranet/ports/journal.h"
#include "umbranet/ports/model_usage_book.h"
#include "umbranet/ports/shadow_records.h"

#include "tests/doubles/manual_clock.h"

namespace umbranet {

// A fresh journal and ledger that share their data, on a clock that the test turns.
class LedgerHarness {
 public:
  virtual ~LedgerHarness() = default;
  virtual Journal& journal() = 0;
  virtual JobLedger& ledger() = 0;

  // Null: this engine has none of its own.
  virtual ShadowRecords* shadow() { return nullptr; }

  // Null: this engine has none of its own.
  virtual ForgettingRecord* forgettings() { return nullptr; }

  // Null: this engine has none of its own.
  virtual ModelUsageBook* usage_book() { return nullptr; }

  // Closes the engine and opens its data again, as after the death of the process. False: the
  // engine keeps nothing.
  virtual bool Restart() { return false; }

  ManualClock clock;
};

struct LedgerEngine {
  std::string name;
  std::function<std::unique_ptr<LedgerHarness>()> make;
  // Why it cannot be had on this machine, in which case its tests are skipped; empty: it can.
  std::function<std::string()> missing = [] { return std::string(); };
};

// For the name of a test instance.
void PrintTo(const LedgerEngine& engine, std::ostream* out);

// Those of the program that the suites are linked into: the embedded ones, or those on servers.
std::vector<LedgerEngine> LedgerEngines();
// The twin, which the others are held against.
LedgerEngine InMemoryLedgerEngine();

class LedgerFixture : public testing::TestWithParam<LedgerEngine> {
 protected:
  void SetUp() override;

  Journal& journal() { return harness_->journal(); }

  JobLedger& ledger() { return harness_->ledger(); }

  ManualClock& clock() { return harness_->clock; }

  static UserKey User(std::string_view user_id, std::string_view tenant = kDefaultTenant);
  static ReflectionJob Job(std::string_view job_id, std::string_view user_id = "ana",
                           Priority priority = Priority::kNormal);
  static Interaction Turn(std::string_view interaction_id, std::string_view user_id = "ana");
  static ClaimOptions Options(std::size_t jobs_max = 10);

  void Enqueue(const std::vector<ReflectionJob>& jobs);
  std::vector<AcceptedTurn> Accept(const std::vector<Interaction>& turns);
  AcceptedTurn AcceptOne(const Interaction& turn);

  // What a claim gave; a batch without jobs when there was nothing.
  ClaimedBatch Claim(std::size_t jobs_max = 10);
  // Claims, marks all tiers done and settles.
  void ReflectNext();
  void MarkAll(const ClaimedBatch& batch, TierMask tiers = kAllReflectedTiers);
  SettleReport Settle(const ClaimedBatch& batch, const std::vector<JobFailure>& failures = {});
  // Claims one job and fails it.
  void FailNext(FailureKind kind, std::string_view error = "broken", std::string_view tier = "");
  SweepReport Sweep();
  JobStatus Find(std::string_view job_id, std::string_view tenant = kDefaultTenant);
  JobState StateOf(std::string_view job_id);
  Freshness FreshnessOf(std::string_view user_id);

  static JobFailure Failure(std::string_view job_id, FailureKind kind = FailureKind::kTransient,
                            std::string_view error = "broken", std::string_view tier = "");
  static std::vector<std::string> Ids(const ClaimedBatch& batch);
  static std::vector<std::string> Ids(const std::vector<Interaction>& turns);

  std::unique_ptr<LedgerHarness> harness_;
};

}  // namespace umbranet
