// The statements of a claim, apart so that a test can take their guards away one by one.
#pragma once

#include <string_view>

namespace umbranet {

// $1 and $2: of ledger_now; $3: the lease, $4: its cap, both in milliseconds; $5: the worker; $6:
// its process's number; $7: how many jobs at most, or the id of the one job. Columns: token,
// tenant, user id, job id, interaction id, priority, mode, generation, traceparent,
// attempts, tiers done, plan, the ledger's time. A row without a job id: the user was taken, but no
// job of his.
//
// u locks the user, so that two claims never have him both. l gives him a token. h and p read jobs
// in a snapshot that may be older than the lock, so c looks at the state again when it updates.
// They read no more of them than they take, however many a user has waiting: the oldest ready ones,
// and none behind one that must run alone.
#define UMBRANET_CLAIM_BEGIN "WITH n AS MATERIALIZED (SELECT ledger_now($1, $2) AS now), u AS ("
#define UMBRANET_CLAIM_BEST_USER                        \
  "SELECT user_key FROM account"                        \
  " WHERE head_due IS NOT NULL AND lease_token IS NULL" \
  " ORDER BY head_due, head_seq LIMIT 1 FOR UPDATE"
// The same, but for users who wait for company (see CompanyWait). $8: how long the newest job must
// have been there, $9: or the oldest, in milliseconds; some users wait up to two fifths less, so
// that those who began together do not all come due in one moment. Looks at no more of a user's
// jobs than a batch takes.
#define UMBRANET_CLAIM_BEST_GATHERED                                                         \
  "SELECT a.user_key FROM account a CROSS JOIN n"                                            \
  " WHERE a.head_due IS NOT NULL AND a.lease_token IS NULL AND"                              \
  " (SELECT count(*) >= $7 OR max(r.enqueued_at) <= n.now - $8::bigint"                      \
  " OR min(r.enqueued_at) <= n.now - $9::bigint + a.user_key % 8 * ($9::bigint * 2 / 5) / 8" \
  " OR bool_or(r.solo OR r.priority = 0 OR r.mode = 0)"                                      \
  " FROM (SELECT j.enqueued_at, j.solo, j.priority, j.mode FROM job j"                       \
  " WHERE j.user_key = a.user_key AND j.state = 0 ORDER BY j.due_at, j.seq LIMIT $7) r)"     \
  " ORDER BY a.head_due, a.head_seq LIMIT 1 FOR UPDATE OF a"
#define UMBRANET_CLAIM_LEASE                                                                \
  "), l AS (UPDATE account a SET lease_token = nextval('ledger_fence'), leased_at = n.now," \
  " lease_ms = $3, cap_ms = $4, lease_until = n.now + LEAST($3::bigint, $4::bigint),"       \
  " worker = $5, worker_number = $6 FROM u, n WHERE a.user_key = u.user_key"                \
  " RETURNING a.user_key, a.tenant, a.user_id, a.lease_token, n.now)"
#define UMBRANET_CLAIM_BATCH                                                                   \
  ", h AS (SELECT r.seq, row_number() OVER w AS place, bool_or(r.solo) OVER w AS alone FROM l" \
  " CROSS JOIN LATERAL (SELECT j.seq, j.solo FROM job j WHERE j.user_key = l.user_key"         \
  " AND j.state = 0 ORDER BY j.seq LIMIT $7) r WINDOW w AS (ORDER BY r.seq)),"                 \
  " p AS (SELECT h.seq FROM h WHERE h.place = 1 OR NOT h.alone)"
#define UMBRANET_CLAIM_ONE ", p AS (SELECT j.seq FROM job j, l WHERE j.job_id = $7 AND j.state = 0)"
#define UMBRANET_CLAIM_UPDATE                                                 \
  ", c AS (UPDATE job j SET state = 1, lease_token = l.lease_token FROM l, p" \
  " WHERE j.seq = p.seq"
#define UMBRANET_CLAIM_STATE_GUARD " AND j.state = 0"
#define UMBRANET_CLAIM_END                                                           \
  " RETURNING j.*) SELECT l.lease_token, l.tenant, l.user_id, c.job_id,"             \
  " COALESCE(c.interaction_id, t.interaction_id), c.priority, c.mode, c.generation," \
  " c.traceparent, c.attempts, c.tiers_done, q.plan, l.now"                          \
  " FROM l LEFT JOIN c ON true LEFT JOIN turn t ON t.seq = c.seq"                    \
  " LEFT JOIN plan q ON q.seq = c.seq ORDER BY c.seq"

inline constexpr std::string_view kClaim = UMBRANET_CLAIM_BEGIN UMBRANET_CLAIM_BEST_USER
    " SKIP LOCKED" UMBRANET_CLAIM_LEASE UMBRANET_CLAIM_BATCH UMBRANET_CLAIM_UPDATE
        UMBRANET_CLAIM_STATE_GUARD UMBRANET_CLAIM_END;

// The same, waiting for a user whose account somebody has locked.
inline constexpr std::string_view kClaimWaiting =
    UMBRANET_CLAIM_BEGIN UMBRANET_CLAIM_BEST_USER UMBRANET_CLAIM_LEASE UMBRANET_CLAIM_BATCH
        UMBRANET_CLAIM_UPDATE UMBRANET_CLAIM_STATE_GUARD UMBRANET_CLAIM_END;

inline constexpr std::string_view kClaimGathered = UMBRANET_CLAIM_BEGIN UMBRANET_CLAIM_BEST_GATHERED
    " SKIP LOCKED" UMBRANET_CLAIM_LEASE UMBRANET_CLAIM_BATCH UMBRANET_CLAIM_UPDATE
        UMBRANET_CLAIM_STATE_GUARD UMBRANET_CLAIM_END;

inline constexpr std::string_view kClaimGatheredWaiting =
    UMBRANET_CLAIM_BEGIN UMBRANET_CLAIM_BEST_GATHERED UMBRANET_CLAIM_LEASE UMBRANET_CLAIM_BATCH
        UMBRANET_CLAIM_UPDATE UMBRANET_CLAIM_STATE_GUARD UMBRANET_CLAIM_END;

inline constexpr std::string_view kClaimJob = UMBRANET_CLAIM_BEGIN
    "SELECT a.user_key FROM account a JOIN job j ON j.user_key = a.user_key"
    " WHERE j.job_id = $7 AND j.state = 0 AND a.lease_token IS NULL"
    " AND a.head_due IS NOT NULL FOR UPDATE OF a" UMBRANET_CLAIM_LEASE UMBRANET_CLAIM_ONE
        UMBRANET_CLAIM_UPDATE UMBRANET_CLAIM_STATE_GUARD UMBRANET_CLAIM_END;

}  // namespace umbranet
