#include "umbranet/adapters/sqlite/tier_schema.h"

namespace umbranet {

namespace {

// Tiers are numbered as in Tier. Times are Unix milliseconds. Names and values ending in _name are
// normalised (NormalizeName); terms are stems joined by spaces.
constexpr std::string_view kVersion1 = R"sql(
-- Which job has been applied to which tier.
CREATE TABLE tier_applied(
  user_key INTEGER NOT NULL,
  tier INTEGER NOT NULL,
  job_id TEXT NOT NULL,
  PRIMARY KEY(user_key, tier, job_id)
) STRICT, WITHOUT ROWID;

-- What an owner erased by hand: it stays away when its turn is reflected again.
CREATE TABLE erased_memory(
  user_key INTEGER NOT NULL,
  tier INTEGER NOT NULL,
  id TEXT NOT NULL,              -- of the episode or the statement, without prefix
  interaction_id TEXT NOT NULL,  -- the turn that it came from
  PRIMARY KEY(user_key, tier, id)
) STRICT, WITHOUT ROWID;

-- Size of what is searched. Kinds: 0 users' halves, 1 assistants' halves, 2 facts.
CREATE TABLE corpus(
  user_key INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  documents INTEGER NOT NULL,
  terms INTEGER NOT NULL,
  PRIMARY KEY(user_key, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE session_summary(
  user_key INTEGER NOT NULL,
  session_id TEXT NOT NULL,
  through_sequence INTEGER NOT NULL,
  summary TEXT NOT NULL,
  PRIMARY KEY(user_key, session_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE episode_session(
  session_key INTEGER PRIMARY KEY AUTOINCREMENT,
  user_key INTEGER NOT NULL,
  session_id TEXT NOT NULL,
  UNIQUE(user_key, session_id)
) STRICT;

CREATE TABLE episode(
  episode_key INTEGER PRIMARY KEY AUTOINCREMENT,
  user_key INTEGER NOT NULL,
  session_key INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,      -- 1000 * role + place among the turn's episodes of that role
  occurred_at INTEGER NOT NULL,
  role INTEGER NOT NULL,
  length INTEGER NOT NULL,       -- terms
  importance REAL NOT NULL,
  memory_id TEXT NOT NULL,
  interaction_id TEXT NOT NULL,
  speaker TEXT NOT NULL,
  event_times TEXT NOT NULL,     -- "start end start end"
  text TEXT NOT NULL,
  terms TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX episode_by_id ON episode(memory_id);
CREATE INDEX episode_by_time ON episode(user_key, occurred_at, sequence, ordinal);
CREATE INDEX episode_by_turn ON episode(session_key, sequence);
CREATE VIRTUAL TABLE episode_index
  USING fts5(terms, content='', tokenize="ascii tokenchars '_'");
CREATE VIRTUAL TABLE episode_index_terms USING fts5vocab(episode_index, row);

-- Every name of a user's entities. Names with the same root are one entity; a relation name
-- ("sister") that was said to stand for names of persons is an entity no more, see entity_claim.
CREATE TABLE entity_name(
  user_key INTEGER NOT NULL,
  name TEXT NOT NULL,
  root TEXT NOT NULL,
  display TEXT NOT NULL,           -- as it was first written
  as_alias INTEGER NOT NULL,       -- never seen but as an alias
  first_at INTEGER NOT NULL,
  first_sequence INTEGER NOT NULL,
  first_ordinal INTEGER NOT NULL,
  type TEXT NOT NULL,              -- EntityTypeName of the first that was not kOther
  type_at INTEGER NOT NULL,
  type_sequence INTEGER NOT NULL,
  type_ordinal INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  last_sequence INTEGER NOT NULL,
  claimed INTEGER NOT NULL,        -- a relation name that stands for others
  PRIMARY KEY(user_key, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX entity_name_by_root ON entity_name(user_key, root);
CREATE INDEX entity_name_by_time
  ON entity_name(user_key, last_at DESC, last_sequence DESC, root) WHERE claimed = 0;

CREATE TABLE entity_claim(
  user_key INTEGER NOT NULL,
  relation_name TEXT NOT NULL,
  name TEXT NOT NULL,
  first_at INTEGER NOT NULL,
  first_sequence INTEGER NOT NULL,
  PRIMARY KEY(user_key, relation_name, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX entity_claim_by_name ON entity_claim(user_key, name);

-- What turns said. Facts are worked out of it (FoldFactStatements) and kept in the last columns: a
-- fact is a statement that is its own head, its witnesses are those with the same head.
CREATE TABLE fact_statement(
  statement_key INTEGER PRIMARY KEY AUTOINCREMENT,
  user_key INTEGER NOT NULL,
  statement_id TEXT NOT NULL,
  interaction_id TEXT NOT NULL,
  occurred_at INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  recorded_at INTEGER NOT NULL,
  subject_name TEXT NOT NULL,
  subject_root TEXT NOT NULL,
  predicate TEXT NOT NULL,         -- PredicateName
  qualifier TEXT NOT NULL,
  qualifier_name TEXT NOT NULL,
  object TEXT NOT NULL,
  object_name TEXT NOT NULL,
  object_root TEXT NOT NULL,       -- object_name where the object is no entity
  object_is_entity INTEGER NOT NULL,
  ends_name TEXT NOT NULL,
  negated INTEGER NOT NULL,
  supersedes INTEGER NOT NULL,
  retracts INTEGER NOT NULL,
  reaches INTEGER NOT NULL,        -- ReachesOtherValues
  text TEXT NOT NULL,
  valid_from INTEGER,
  valid_to INTEGER,
  confidence REAL NOT NULL,
  edited_text TEXT,
  edited_valid_to INTEGER,
  head INTEGER,
  ended_at INTEGER,                -- of a head: the fact's valid_to
  superseded_by INTEGER,           -- of a head: the successor's head
  length INTEGER,                  -- of a head: terms of its text
  terms TEXT                       -- of a head: what it is indexed under
) STRICT;
CREATE UNIQUE INDEX fact_statement_by_id ON fact_statement(statement_id);
CREATE INDEX fact_statement_by_slot
  ON fact_statement(user_key, subject_root, predicate, qualifier_name, object_root);
CREATE INDEX fact_statement_reaching
  ON fact_statement(user_key, subject_root, predicate, qualifier_name) WHERE reaches = 1;
CREATE INDEX fact_statement_by_subject ON fact_statement(user_key, subject_name);
CREATE INDEX fact_statement_by_object ON fact_statement(user_key, object_name)
  WHERE object_is_entity = 1;
CREATE INDEX fact_statement_by_object_root ON fact_statement(user_key, object_root)
  WHERE object_is_entity = 1;
CREATE INDEX fact_statement_by_head ON fact_statement(head);
CREATE INDEX fact_by_time ON fact_statement(user_key, occurred_at, sequence, ordinal)
  WHERE head = statement_key;
CREATE VIRTUAL TABLE fact_index
  USING fts5(terms, content='', tokenize="ascii tokenchars '_'");
CREATE VIRTUAL TABLE fact_index_terms USING fts5vocab(fact_index, row);

-- What turns said about how things are to be done. Rules are worked out of it when they are read.
CREATE TABLE rule_statement(
  statement_key INTEGER PRIMARY KEY AUTOINCREMENT,
  user_key INTEGER NOT NULL,
  statement_id TEXT NOT NULL,
  interaction_id TEXT NOT NULL,
  occurred_at INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  recorded_at INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  negative INTEGER NOT NULL,
  withdraws INTEGER NOT NULL,
  confidence REAL NOT NULL,
  rule_key TEXT NOT NULL,
  scope TEXT NOT NULL,
  text TEXT NOT NULL,
  edited_text TEXT,
  edited_withdrawn_at INTEGER
) STRICT;
CREATE UNIQUE INDEX rule_statement_by_id ON rule_statement(statement_id);
CREATE INDEX rule_statement_by_user
  ON rule_statement(user_key, occurred_at, sequence, interaction_id, ordinal);
)sql";

constexpr std::string_view kVersion2 = R"sql(
-- Rises when a document leaves the corpus or changes; that documents come shows in their keys.
ALTER TABLE corpus ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;

-- A user's episodes behind a key: the key of the table is part of every index.
CREATE INDEX episode_by_user ON episode(user_key);

-- The turns that said a fact, with all that is read of them.
CREATE INDEX fact_statement_by_witness
  ON fact_statement(head, occurred_at, sequence, interaction_id, ordinal, confidence, valid_from,
    edited_text);

CREATE TABLE embedding_space(
  space_key INTEGER PRIMARY KEY,
  space TEXT NOT NULL UNIQUE       -- Embedder::space()
) STRICT;

-- One for each episode, of the model that looked at it last. A vector that replaces another gets a
-- new key, so that what has changed since a key is found behind it.
CREATE TABLE episode_vector(
  vector_key INTEGER PRIMARY KEY AUTOINCREMENT,
  user_key INTEGER NOT NULL,
  episode_key INTEGER NOT NULL UNIQUE,
  role INTEGER NOT NULL,
  space_key INTEGER NOT NULL,
  vector BLOB NOT NULL             -- PackVector
) STRICT;
CREATE INDEX episode_vector_by_user ON episode_vector(user_key, vector_key);
)sql";

// Turns of the user up to this place of the journal are forgotten: a plan of one that comes late
// is refused.
constexpr std::string_view kVersion3 = R"sql(
CREATE TABLE forgotten_user(
  user_key INTEGER PRIMARY KEY,
  through_sequence INTEGER NOT NULL
) STRICT;
)sql";

}  // namespace

std::vector<SqliteMigration> TierMigrations() {
  return {{.component = "tiers", .version = 1, .script = kVersion1},
          {.component = "tiers", .version = 2, .script = kVersion2},
          {.component = "tiers", .version = 3, .script = kVersion3}};
}

}  // namespace umbranet
