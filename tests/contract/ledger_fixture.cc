#include "tests/contract/ledger_engines.h"
#include "tests/doubles/in_memory_forgetting_record.h"
#include "tests/doubles/in_memory_job_ledger.h"
#include "tests/doubles/in_memory_journal.h"
#include "tests/doubles/in_memory_model_usage_book.h"
#include "tests/doubles/in_memory_shadow_records.h"

namespace umbranet {
namespace {

class InMemoryHarness final : public LedgerHarness {
 public:
  Journal& journal() override { return journal_; }

  JobLedger& ledger() override { return ledger_; }

  ShadowRecords* shadow() override { return &shadow_; }

  ForgettingRecord* forgettings() override { return &forgettings_; }

  ModelUsageBook* usage_book() override { return &usage_book_; }

 private:
  InMemoryLedgerStore store_{clock, {}};
  InMemoryJournal journal_{store_};
  InMemoryJobLedger ledger_{store_};
  InMemoryShadowRecords shadow_{store_};
  InMemoryForgettingRecord forgettings_{store_};
  InMemoryModelUsageBook usage_book_;
};

}  // namespace

LedgerEngine InMemoryLedgerEngine() {
  return {"InMemory", [] { return std::make_unique<InMemoryHarness>(); }};
}

void PrintTo(const LedgerEngine& engine, std::ostream* out) {
  *out << engine.name;
}

void LedgerFixture::SetUp() {
  if (const std::string missing = GetParam().missing(); !missing.empty()) {
    GTEST_SKIP() << missing;
  }
  harness_ = GetParam().make();
}

UserKey LedgerFixture::User(std::string_view user_id, std::string_view tenant) {
  return {std::string(tenant), std::string(user_id)};
}

ReflectionJob LedgerFixture::Job(std::string_view job_id, std::string_view user_id,
                                 Priority priority) {
  ReflectionJob job;
  job.job_id = job_id;
  job.user = User(user_id);
  job.interaction_id = "turn of " + std::string(job_id);
  job.priority = priority;
  return job;
}

Interaction LedgerFixture::Turn(std::string_view interaction_id, std::string_view user_id) {
  Interaction turn;
  turn.interaction_id = interaction_id;
  turn.user = User(user_id);
  turn.user_message = "I planted tomatoes, says turn " + std::string(interaction_id);
  turn.assistant_response = "How nice.";
  turn.occurred_at = ManualClock::kStart;
  return turn;
}

ClaimOptions LedgerFixture::Options(std::size_t jobs_max) {
  ClaimOptions options;
  options.jobs_max = jobs_max;
  options.worker = "worker 1";
  return options;
}

void LedgerFixture::Enqueue(const std::vector<ReflectionJob>& jobs) {
  const Status enqueued = ledger().Enqueue(jobs, Deadline::Never());
  ASSERT_TRUE(enqueued.ok()) << enqueued.error().message;
}

std::vector<AcceptedTurn> LedgerFixture::Accept(const std::vector<Interaction>& turns) {
  return journal().Accept(turns, RunMode::kBackground, "", Deadline::Never()).value();
}

AcceptedTurn LedgerFixture::AcceptOne(const Interaction& turn) {
  return Accept({turn}).at(0);
}

ClaimedBatch LedgerFixture::Claim(std::size_t jobs_max) {
  return ledger().Claim(Options(jobs_max), Deadline::Never()).value().value_or(ClaimedBatch{});
}

void LedgerFixture::ReflectNext() {
  const ClaimedBatch batch = Claim();
  ASSERT_FALSE(batch.jobs.empty());
  MarkAll(batch);
  EXPECT_EQ(Settle(batch).done, batch.jobs.size());
}

void LedgerFixture::MarkAll(const ClaimedBatch& batch, TierMask tiers) {
  std::vector<TierProgress> progress;
  for (const ClaimedJob& job : batch.jobs) {
    progress.push_back({job.job.job_id, tiers});
  }
  const Status marked = ledger().MarkTiersDone(batch.lease, progress, Deadline::Never());
  ASSERT_TRUE(marked.ok()) << marked.error().message;
}

SettleReport LedgerFixture::Settle(const ClaimedBatch& batch,
                                   const std::vector<JobFailure>& failures) {
  return ledger().Settle(batch.lease, failures, Deadline::Never()).value();
}

void LedgerFixture::FailNext(FailureKind kind, std::string_view error, std::string_view tier) {
  const ClaimedBatch batch = Claim(1);
  ASSERT_EQ(batch.jobs.size(), 1U);
  Settle(batch, {Failure(batch.jobs[0].job.job_id, kind, error, tier)});
}

SweepReport LedgerFixture::Sweep() {
  return ledger().Sweep(Deadline::Never()).value();
}

JobStatus LedgerFixture::Find(std::string_view job_id, std::string_view tenant) {
  const auto found = ledger().Find(tenant, job_id, Deadline::Never()).value();
  EXPECT_TRUE(found.has_value()) << "no job " << job_id;
  return found.value_or(JobStatus{});
}

JobState LedgerFixture::StateOf(std::string_view job_id) {
  return Find(job_id).state;
}

Freshness LedgerFixture::FreshnessOf(std::string_view user_id) {
  return journal().ReadFreshness(User(user_id), Deadline::Never()).value();
}

JobFailure LedgerFixture::Failure(std::string_view job_id, FailureKind kind, std::string_view error,
                                  std::string_view tier) {
  return {.job_id = std::string(job_id),
          .kind = kind,
          .tier = std::string(tier),
          .error = std::string(error),
          .retry_after = std::nullopt};
}

std::vector<std::string> LedgerFixture::Ids(const ClaimedBatch& batch) {
  std::vector<std::string> ids;
  for (const ClaimedJob& job : batch.jobs) {
    ids.push_back(job.job.job_id);
  }
  return ids;
}

std::vector<std::string> LedgerFixture::Ids(const std::vector<Interaction>& turns) {
  std::vector<std::string> ids;
  for (const Interaction& turn : turns) {
    ids.push_back(turn.interaction_id);
  }
  return ids;
}

}  // namespace umbranet
