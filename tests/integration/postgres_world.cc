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

constexpr std::string_view kAccount =
    "INSERT INTO account(tenant, user_id) VALUES($1, $2) ON CONFLICT (tenant, user_id)"
    " DO UPDATE SET tenant = excluded.tenant RETURNING user_key";
constexpr std::string_view kTurn =
    "INSERT INTO turn(seq, user_key, interaction_id, session_id, speaker, occurred_at, accepted_at,"
    " priority, origin, metadata, user_message, assistant_response)"
    " VALUES(nextval('ledger_seq'), $1, $2, $3, '', $4, $4, 1, 0, '', 'x', '') RETURNING seq";
constexpr std::string_view kJob =
    "INSERT INTO job(seq, user_key, job_id, generation, priority, mode, state, enqueued_at, due_at,"
    " traceparent) VALUES($1, $2, $3, 0, 1, 0, 0, 0, 0, '')";
constexpr std::string_view kToken = "SELECT nextval('ledger_fence')";
constexpr std::string_view kClaim =
    "UPDATE job SET job_id = $1, state = 1, lease_token = $2 WHERE seq = (SELECT t.seq FROM turn t"
    " JOIN account a ON a.user_key = t.user_key"
    " WHERE a.tenant = $3 AND a.user_id = $4 AND t.interaction_id = $5)";
constexpr std::string_view kRelease =
    "UPDATE job SET state = 0, lease_token = NULL WHERE lease_token = $1";
constexpr std::string_view kForget =
    "WITH gone AS (DELETE FROM turn WHERE user_key = (SELECT user_key FROM account"
    " WHERE tenant = $1 AND user_id = $2) RETURNING seq)"
    " DELETE FROM job WHERE seq IN (SELECT seq FROM gone)";

TierWorldKind Kind(std::string name, PostgresEpisodicMemory::Options episodic = {}) {
  return {std::move(name), [episodic] { return std::make_unique<PostgresWorld>(episodic); },
          MissingPostgres};
}

}  // namespace

PostgresWorld::PostgresWorld(PostgresEpisodicMemory::Options episodic)
    : pool_(schema_.OpenPool()), episodic_(*pool_, episodic), procedural_(*pool_, clock_) {}

Interaction PostgresWorld::Accept(Interaction turn) {
  turn.sequence = Must(pool_->Run(kNever, [&](PostgresConnection& c) -> Result<std::int64_t> {
    UMBRANET_ASSIGN_OR_RETURN(const PostgresRows account,
                              c.Query(kAccount, turn.user.tenant, turn.user.user_id));
    const std::int64_t user_key = account[0].Int(0);
    UMBRANET_ASSIGN_OR_RETURN(const PostgresRows row, c.Query(kTurn, user_key, turn.interaction_id,
                                                              turn.session_id, turn.occurred_at));
    UMBRANET_ASSIGN_OR_RETURN(
        const std::int64_t made,
        c.Run(kJob, row[0].Int(0), user_key, MakeJobId(turn.user, turn.interaction_id)));
    EXPECT_EQ(made, 1);
    return row[0].Int(0);
  }));
  return turn;
}

Lease PostgresWorld::Claim(std::span<const ReflectionPlan> plans) {
  return Must(pool_->Run(kNever, [&](PostgresConnection& c) -> Result<Lease> {
    UMBRANET_ASSIGN_OR_RETURN(const PostgresRows token, c.Query(kToken));
    const Lease lease{static_cast<std::uint64_t>(token[0].Int(0))};
    for (const ReflectionPlan& plan : plans) {
      UMBRANET_ASSIGN_OR_RETURN(const std::int64_t claimed,
                                c.Run(kClaim, plan.job_id, lease.token, plan.user.tenant,
                                      plan.user.user_id, plan.interaction_id));
      EXPECT_EQ(claimed, 1);
    }
    return lease;
  }));
}

void PostgresWorld::Release(const Lease& lease) {
  Must(pool_->Run(kNever, [&](PostgresConnection& c) { return c.Run(kRelease, lease.token); }));
}

void PostgresWorld::ForgetTurns(const UserKey& user) {
  Must(pool_->Run(
      kNever, [&](PostgresConnection& c) { return c.Run(kForget, user.tenant, user.user_id); }));
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
