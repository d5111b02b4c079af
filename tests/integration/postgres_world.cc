#include "tests/integration/postgres_world.h"

#include <cstdlib>
#include <utility>

namespace umbranet {
namespace {

const Deadline kNever = Deadline::Never();

// A broken world ends the test there and then.
template <typename T>
T Must(Result<T> result) {
  if (!result.ok()) {
    ADD_FAILURE() << result.error().message;
    std::abort();
  }
  return std::move(result).value();
}

std::unique_ptr<PostgresLedgerStore> OpenStore(PostgresPool& pool, const Clock& clock) {
  PostgresLedgerStore::Options options;
  options.clock = &clock;
  return Must(PostgresLedgerStore::Open(pool, options));
}

TierWorldKind Kind(std::string name, PostgresEpisodicMemory::Options episodic = {}) {
  return {std::move(name), [episodic] { return std::make_unique<PostgresWorld>(episodic); },
          MissingPostgres};
}

}  // namespace

PostgresWorld::PostgresWorld(PostgresEpisodicMemory::Options episodic)
    : pool_(schema_->OpenPool()),
      store_(OpenStore(*pool_, clock_)),
      journal_(*store_),
      ledger_(*store_),
      short_term_(*pool_),
      episodic_(*pool_, episodic),
      consolidation_(*store_),
      procedural_(*pool_, clock_) {}

Interaction PostgresWorld::Accept(Interaction turn) {
  const std::vector<Interaction> turns{turn};
  turn.sequence = Must(journal_.Accept(turns, RunMode::kBackground, "", kNever)).front().sequence;
  return turn;
}

Lease ClaimJobsOf(JobLedger& ledger, std::span<const ReflectionPlan> plans,
                  std::map<UserKey, Lease>& others) {
  const UserKey& user = plans.front().user;
  while (!Must(ledger.Find(user.tenant, plans.front().job_id, kNever))) {
    Must(ledger.ReflectAgain(user, kNever));
  }
  if (const auto held = others.extract(user); !held.empty()) {
    // It is lost when he was forgotten meanwhile.
    const Status released = ledger.Release(held.mapped(), kNever);
    EXPECT_TRUE(released.ok() || released.error().code == ErrorCode::kAborted);
  }
  for (;;) {
    const auto batch = Must(ledger.Claim({.jobs_max = 10'000, .worker = "test"}, kNever));
    if (!batch.has_value()) {
      ADD_FAILURE() << "the jobs are not ready";
      return {};
    }
    if (batch->user == user) {
      return batch->lease;
    }
    others.emplace(batch->user, batch->lease);
  }
}

Lease PostgresWorld::Claim(std::span<const ReflectionPlan> plans) {
  return ClaimJobsOf(ledger_, plans, others_);
}

void PostgresWorld::Release(const Lease& lease) {
  const Status released = ledger_.Release(lease, kNever);
  EXPECT_TRUE(released.ok()) << released.error().message;
}

void PostgresWorld::ForgetTurns(const UserKey& user) {
  Must(journal_.EraseUser(user, kNever));
}

std::vector<TierWorldKind> PostgresWorlds() {
  return {Kind("Postgres")};
}

std::vector<TierWorldKind> PostgresModelledWorlds() {
  return {Kind("Postgres"), Kind("PostgresInTheDatabase", {.cached_documents_max = 0})};
}

std::vector<TierWorldKind> PostgresEpisodicWorlds() {
  return {Kind("Postgres"), Kind("PostgresInTheDatabase", {.cached_documents_max = 0}),
          // Through the index over vectors as well.
          Kind("PostgresByIndex", {.cached_documents_max = 0, .compared_documents_max = 0}),
          // Room for one user at a time.
          Kind("PostgresCacheTooSmall", {.cache_bytes_max = 1})};
}

}  // namespace umbranet
