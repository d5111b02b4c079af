#include "umbranet/adapters/sqlite/ledger_schema.h"

namespace umbranet {

namespace {

// States of a job are those of JobState: 0 ready, 1 leased, 2 done, 3 dead, 4 retry_wait,
// 5 cancelled. Times are Unix milliseconds.
constexpr std::string_view kVersion1 = R"sql(
-- A user, with what claims and freshness need to know in one row. Rows stay for good: a user who
-- was forgotten leaves the time of it behind.
CREATE TABLE account(
  user_key INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant TEXT NOT NULL,
  user_id TEXT NOT NULL,
  accepted INTEGER NOT NULL DEFAULT 0,   -- turns whose jobs were not discarded
  reflected INTEGER NOT NULL DEFAULT 0,  -- of these
  dead INTEGER NOT NULL DEFAULT 0,       -- of these
  head_due INTEGER,                      -- due_at and seq of the most urgent ready job; exact
  head_seq INTEGER,                      --   whenever the user is not leased
  lease_token INTEGER,
  erased_at INTEGER,
  UNIQUE(tenant, user_id)
) STRICT;
CREATE INDEX account_by_head ON account(head_due, head_seq)
  WHERE head_due IS NOT NULL AND lease_token IS NULL;

-- The journal. A row never changes while its user is remembered, but for past_*: what is left of
-- its job when retention removed that, unless it was simply done at generation 0.
CREATE TABLE turn(
  seq INTEGER PRIMARY KEY,
  user_key INTEGER NOT NULL,
  interaction_id TEXT NOT NULL,
  session_id TEXT NOT NULL,
  speaker TEXT NOT NULL,
  occurred_at INTEGER NOT NULL,
  accepted_at INTEGER NOT NULL,
  priority INTEGER NOT NULL,
  origin INTEGER NOT NULL,
  past_generation INTEGER,
  past_state INTEGER,
  metadata TEXT NOT NULL,
  user_message TEXT NOT NULL,
  assistant_response TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX turn_by_id ON turn(user_key, interaction_id);
CREATE INDEX turn_by_user ON turn(user_key, seq);
CREATE INDEX turn_by_session ON turn(user_key, session_id, seq);

-- The ledger. A job has the seq of its turn and finds the rest there; interaction_id is filled only
-- in a job that came without its turn.
CREATE TABLE job(
  seq INTEGER PRIMARY KEY,
  user_key INTEGER NOT NULL,
  job_id TEXT NOT NULL,
  generation INTEGER NOT NULL,
  priority INTEGER NOT NULL,
  mode INTEGER NOT NULL,
  state INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  crashes INTEGER NOT NULL DEFAULT 0,
  solo INTEGER NOT NULL DEFAULT 0,
  tiers_done INTEGER NOT NULL DEFAULT 0,
  enqueued_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  available_at INTEGER,  -- in retry_wait
  finished_at INTEGER,
  interaction_id TEXT,
  traceparent TEXT NOT NULL,
  last_error TEXT NOT NULL DEFAULT '',
  last_error_tier TEXT NOT NULL DEFAULT '',
  CHECK((state = 4) = (available_at IS NOT NULL)),
  CHECK((state IN (2, 3, 5)) = (finished_at IS NOT NULL))
) STRICT;
-- SQLite uses a partial index only where the query repeats its condition.
CREATE UNIQUE INDEX job_by_id ON job(job_id);
CREATE INDEX job_open ON job(user_key, state, solo, seq, priority, enqueued_at)
  WHERE state IN (0, 1, 3, 4);
CREATE INDEX job_by_due ON job(user_key, due_at, seq) WHERE state = 0;
CREATE INDEX job_waiting ON job(available_at, seq) WHERE state = 4;
CREATE INDEX job_dead ON job(finished_at, seq) WHERE state = 3;
CREATE INDEX job_without_turn ON job(user_key, seq) WHERE interaction_id IS NOT NULL;
CREATE INDEX job_finished ON job(finished_at, seq) WHERE state IN (2, 5);

-- Jobs whose turn has a job of a later generation.
CREATE TABLE former_job(
  job_id TEXT PRIMARY KEY,
  user_key INTEGER NOT NULL,
  interaction_id TEXT NOT NULL,
  generation INTEGER NOT NULL,
  priority INTEGER NOT NULL,
  mode INTEGER NOT NULL,
  state INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  crashes INTEGER NOT NULL,
  tiers_done INTEGER NOT NULL,
  enqueued_at INTEGER NOT NULL,
  finished_at INTEGER NOT NULL,
  traceparent TEXT NOT NULL,
  last_error TEXT NOT NULL,
  last_error_tier TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX former_job_by_time ON former_job(finished_at);
CREATE INDEX former_job_by_user ON former_job(user_key);

-- Live leases, at most one for a user; the jobs under it are the user's leased ones.
CREATE TABLE lease(
  token INTEGER PRIMARY KEY,
  user_key INTEGER NOT NULL UNIQUE,
  leased_at INTEGER NOT NULL,
  lease_ms INTEGER NOT NULL,
  cap_ms INTEGER NOT NULL,
  lease_until INTEGER NOT NULL,
  worker TEXT NOT NULL
) STRICT;

CREATE TABLE plan(seq INTEGER PRIMARY KEY, plan BLOB NOT NULL) STRICT;

CREATE TABLE attempt(
  seq INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  at INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  tier TEXT NOT NULL,
  error TEXT NOT NULL,
  PRIMARY KEY(seq, ordinal)
) STRICT, WITHOUT ROWID;

-- What operators did.
CREATE TABLE audit(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  job_id TEXT NOT NULL,
  user_key INTEGER NOT NULL,
  reason TEXT NOT NULL
) STRICT;
CREATE INDEX audit_by_time ON audit(at);
CREATE INDEX audit_by_user ON audit(user_key);

-- First answers to requests with an Idempotency-Key.
CREATE TABLE answer(
  tenant TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  user_key INTEGER NOT NULL,
  fingerprint TEXT NOT NULL,
  http_status INTEGER NOT NULL,
  body TEXT NOT NULL,
  stored_at INTEGER NOT NULL,
  PRIMARY KEY(tenant, idempotency_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX answer_by_time ON answer(stored_at);
CREATE INDEX answer_by_user ON answer(user_key);

CREATE TABLE ledger_value(name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO ledger_value(name, value) VALUES('fence', 0), ('last_now', 0), ('last_seq', 0);
)sql";

// A job that waits because its worker died: until it is ready again its user has no head, so that
// no later turn of his is claimed before it.
constexpr std::string_view kVersion2 = R"sql(
ALTER TABLE job ADD COLUMN holds_user INTEGER NOT NULL DEFAULT 0
  CHECK(holds_user = 0 OR state = 4);
CREATE INDEX job_holding ON job(user_key) WHERE holds_user = 1;
)sql";

// Why simpler means than those that were set up made the plan; '' when none did.
constexpr std::string_view kVersion3 = R"sql(
ALTER TABLE job ADD COLUMN fallback TEXT NOT NULL DEFAULT '';
ALTER TABLE former_job ADD COLUMN fallback TEXT NOT NULL DEFAULT '';
)sql";

// What a recall asks of the jobs that wait is answered from the index alone: a row read for each of
// them was most of what a recall in the middle of a long backlog cost.
constexpr std::string_view kVersion4 = R"sql(
DROP INDEX job_open;
CREATE INDEX job_open
  ON job(user_key, state, solo, seq, priority, enqueued_at, tiers_done, interaction_id)
  WHERE state IN (0, 1, 3, 4);
)sql";

// Whether a user's jobs have waited long enough is answered from the index alone, and those that
// need not wait are found without a look at the others.
constexpr std::string_view kVersion5 = R"sql(
DROP INDEX job_by_due;
CREATE INDEX job_by_due
  ON job(user_key, due_at, seq, enqueued_at, solo, priority, mode) WHERE state = 0;
CREATE INDEX job_urgent ON job(due_at, seq, user_key)
  WHERE state = 0 AND (solo = 1 OR priority = 0 OR mode = 0);
)sql";

// Forgettings in the order in which they became durable, for those who ask who is new.
constexpr std::string_view kVersion6 = R"sql(
INSERT INTO ledger_value(name, value)
  SELECT 'last_forgotten', COALESCE(max(erased_at), 0) FROM account;
CREATE INDEX account_by_erased ON account(erased_at) WHERE erased_at IS NOT NULL;
)sql";

}  // namespace

std::vector<SqliteMigration> LedgerMigrations() {
  return {{.component = "ledger", .version = 1, .script = kVersion1},
          {.component = "ledger", .version = 2, .script = kVersion2},
          {.component = "ledger", .version = 3, .script = kVersion3},
          {.component = "ledger", .version = 4, .script = kVersion4},
          {.component = "ledger", .version = 5, .script = kVersion5},
          {.component = "ledger", .version = 6, .script = kVersion6}};
}

}  // namespace umbranet
