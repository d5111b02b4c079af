#include "umbranet/adapters/postgres/accept_turns.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "umbranet/adapters/postgres/ledger_rows.h"
#include "umbranet/domain/ledger_records.h"

namespace umbranet {

namespace {

// After the accounts are locked: so a user's places rise in the order in which they commit.
constexpr std::string_view kNextSeqs = "SELECT nextval('ledger_seq') FROM generate_series(1, $1)";
constexpr std::string_view kInsertTurns =
    "INSERT INTO turn(seq, user_key, interaction_id, session_id, speaker, occurred_at,"
    " accepted_at, priority, origin, metadata, user_message, assistant_response)"
    " SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::bytea[],"
    " $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bytea[], $11::bytea[],"
    " $12::bytea[]) ON CONFLICT(user_key, interaction_id) DO NOTHING RETURNING seq";
// What makes a batch out of the ordinary: turns and jobs that are there already.
constexpr std::string_view kCountKnown =
    "SELECT (SELECT count(*) FROM unnest($1::text[], $2::text[], $3::text[])"
    " AS x(tenant, user_id, interaction_id) CROSS JOIN LATERAL (SELECT b.user_key FROM account b"
    " WHERE b.tenant = x.tenant AND b.user_id = x.user_id LIMIT 1) a CROSS JOIN LATERAL"
    " (SELECT 1 FROM turn s WHERE s.user_key = a.user_key"
    " AND s.interaction_id = x.interaction_id LIMIT 1) t)"
    " + (SELECT count(*) FROM job WHERE job_id = ANY($4))";
constexpr std::string_view kSelectDuplicates =
    "SELECT x.i, t.seq, t.past_generation, t.past_state, j.job_id, j.state"
    " FROM unnest($1::bigint[], $2::bigint[], $3::text[]) AS x(i, user_key, interaction_id)"
    " JOIN turn t ON t.user_key = x.user_key AND t.interaction_id = x.interaction_id"
    " LEFT JOIN job j ON j.seq = t.seq ORDER BY x.i";
constexpr std::string_view kSelectForeignJob =
    "SELECT seq, user_key, state FROM job WHERE job_id = $1 FOR UPDATE";
constexpr std::string_view kMoveJob =
    "UPDATE job SET seq = $1, interaction_id = NULL WHERE seq = $2";
constexpr std::string_view kMovePlan = "UPDATE plan SET seq = $1 WHERE seq = $2";
constexpr std::string_view kMoveAttempts = "UPDATE attempt SET seq = $1 WHERE seq = $2";

struct Account {
  std::int64_t user_key = 0;
  std::optional<std::int64_t> erased_at;
};

struct Turn {
  const Interaction* interaction = nullptr;
  std::size_t request = 0;
  std::int64_t user_key = 0;
  std::int64_t seq = 0;
  ReflectionJob job;
  AcceptedTurn accepted;
};

// One transaction's work, from the beginning each time that it is run.
class Acceptance {
 public:
  Acceptance(PostgresLedgerStore& store, std::span<const AcceptRequest* const> requests,
             PostgresConnection& connection)
      : store_(store), requests_(requests), connection_(connection), refusals_(requests.size()) {}

  Result<std::vector<AcceptBatcher::Outcome>> Run() {
    UMBRANET_RETURN_IF_ERROR(Prepare());
    if (!turns_.empty()) {
      UMBRANET_RETURN_IF_ERROR(Insert());
    }
    return Outcomes();
  }

 private:
  // Locks the accounts and gives every turn its place.
  Status Prepare();
  Status Insert();
  Status ReadDuplicates(const std::set<std::int64_t>& inserted);
  // The job came before its turn, from a foreign producer: from now on it has the turn's place.
  Status AdoptJob(Turn& turn);
  std::vector<AcceptBatcher::Outcome> Outcomes();
  [[nodiscard]] PostgresCommand InsertTurnsCommand() const;
  // Under the locks, how many of the turns and jobs are known.
  [[nodiscard]] PostgresCommand CountKnownCommand();
  [[nodiscard]] std::optional<Error> Refusal(const AcceptRequest& request) const;

  PostgresLedgerStore& store_;
  const std::span<const AcceptRequest* const> requests_;
  PostgresConnection& connection_;
  std::map<UserKey, Account> accounts_;
  std::vector<std::optional<Error>> refusals_;  // By request.
  std::vector<Turn> turns_;
  std::int64_t now_ = 0;
  // Each turn and job is new and comes once, so that nothing is left to do after the inserts.
  bool all_new_ = false;
};

PostgresCommand Acceptance::CountKnownCommand() {
  std::vector<std::string_view> tenants;
  std::vector<std::string_view> user_ids;
  std::vector<std::string_view> ids;
  std::vector<std::string> job_ids;
  for (const AcceptRequest* request : requests_) {
    for (const Interaction& turn : request->turns) {
      tenants.push_back(turn.user.tenant);
      user_ids.push_back(turn.user.user_id);
      ids.push_back(turn.interaction_id);
      job_ids.push_back(MakeJobId(turn.user, turn.interaction_id));
    }
  }
  const std::set<std::string_view> distinct(job_ids.begin(), job_ids.end());
  all_new_ = distinct.size() == job_ids.size();
  return MakeCommand(kCountKnown, tenants, user_ids, ids, job_ids);
}

Status Acceptance::Prepare() {
  std::set<UserKey> distinct;
  std::size_t size = 0;
  for (const AcceptRequest* request : requests_) {
    for (const Interaction& turn : request->turns) {
      distinct.insert(turn.user);
    }
    size += request->turns.size();
  }
  const std::vector<UserKey> users(distinct.begin(), distinct.end());
  std::vector<PostgresCommand> commands = LockAccountsCommands(users);
  commands.push_back(store_.NowCommand());
  commands.push_back(MakeCommand(kNextSeqs, size));
  commands.push_back(CountKnownCommand());
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<PostgresRows> rows, connection_.RunAll(commands));
  for (const PostgresRow row : rows[1]) {
    accounts_[{row.String(1), row.String(2)}] = {row.Int(0), row.OptionalInt(3)};
  }
  now_ = store_.ReadNow(rows[2]);
  all_new_ = all_new_ && rows[4][0].Int(0) == 0;
  int next = 0;
  for (std::size_t i = 0; i < requests_.size(); ++i) {
    refusals_[i] = Refusal(*requests_[i]);
    for (const Interaction& turn : requests_[i]->turns) {
      const std::int64_t seq = rows[3][next++].Int(0);
      if (!refusals_[i].has_value()) {
        turns_.push_back({.interaction = &turn,
                          .request = i,
                          .user_key = accounts_[turn.user].user_key,
                          .seq = seq,
                          .job = JobOfTurn(turn, requests_[i]->mode, requests_[i]->traceparent),
                          .accepted = {}});
      }
    }
  }
  return {};
}

// A turn that was accepted elsewhere (a spool) or asked before its user was forgotten must not come
// back. Strictly before: what is accepted in the same millisecond is a new beginning.
std::optional<Error> Acceptance::Refusal(const AcceptRequest& request) const {
  for (const Interaction& turn : request.turns) {
    const auto found = accounts_.find(turn.user);
    if (found == accounts_.end()) {
      return Internal(connection_.name() + ": an account is gone");
    }
    const Timestamp since = KnownSince(turn);
    if (since != Timestamp{} && found->second.erased_at.has_value() &&
        ToUnixMillis(since) < *found->second.erased_at) {
      return Aborted("postgres: the user was forgotten after this turn was accepted");
    }
  }
  return std::nullopt;
}

PostgresCommand Acceptance::InsertTurnsCommand() const {
  std::vector<std::int64_t> seqs;
  std::vector<std::int64_t> user_keys;
  std::vector<std::string_view> ids;
  std::vector<std::string_view> sessions;
  std::vector<PostgresBytes> speakers;
  std::vector<Timestamp> occurred;
  std::vector<std::int64_t> accepted;
  std::vector<std::int64_t> priorities;
  std::vector<std::int64_t> origins;
  std::vector<PostgresBytes> metadata;
  std::vector<PostgresBytes> messages;
  std::vector<PostgresBytes> responses;
  for (const Turn& one : turns_) {
    const Interaction& turn = *one.interaction;
    seqs.push_back(one.seq);
    user_keys.push_back(one.user_key);
    ids.push_back(turn.interaction_id);
    sessions.push_back(turn.session_id);
    speakers.push_back({turn.speaker});
    occurred.push_back(turn.occurred_at);
    accepted.push_back(turn.accepted_at == Timestamp{} ? now_ : ToUnixMillis(turn.accepted_at));
    priorities.push_back(static_cast<std::int64_t>(turn.priority));
    origins.push_back(static_cast<std::int64_t>(turn.origin));
    metadata.push_back({turn.metadata});
    messages.push_back({turn.user_message});
    responses.push_back({turn.assistant_response});
  }
  return MakeCommand(kInsertTurns, seqs, user_keys, ids, sessions, speakers, occurred, accepted,
                     priorities, origins, metadata, messages, responses);
}

Status Acceptance::Insert() {
  std::vector<PostgresJobRow> jobs;
  std::vector<std::int64_t> seqs;
  for (const Turn& turn : turns_) {
    jobs.push_back({.seq = turn.seq, .user_key = turn.user_key, .job = &turn.job});
    seqs.push_back(turn.seq);
  }
  std::vector<PostgresCommand> commands;
  commands.push_back(InsertTurnsCommand());
  commands.push_back(InsertJobsCommand(jobs, now_, /*only_with_new_turn=*/true));
  commands.push_back(CountAcceptedCommand(seqs));
  UMBRANET_ASSIGN_OR_RETURN(
      const std::vector<PostgresRows> rows,
      all_new_ ? connection_.RunAllAndCommit(commands) : connection_.RunAll(commands));
  std::set<std::int64_t> inserted;
  std::set<std::int64_t> with_job;
  for (const PostgresRow row : rows[0]) {
    inserted.insert(row.Int(0));
  }
  for (const PostgresRow row : rows[1]) {
    with_job.insert(row.Int(0));
  }
  for (Turn& turn : turns_) {
    turn.accepted = {.interaction_id = turn.interaction->interaction_id,
                     .job_id = turn.job.job_id,
                     .duplicate = false,
                     .state = JobState::kReady,
                     .sequence = turn.seq};
    if (inserted.count(turn.seq) > 0 && with_job.count(turn.seq) == 0) {
      UMBRANET_RETURN_IF_ERROR(AdoptJob(turn));
    }
  }
  if (inserted.size() < turns_.size()) {
    return ReadDuplicates(inserted);
  }
  return {};
}

Status Acceptance::ReadDuplicates(const std::set<std::int64_t>& inserted) {
  std::vector<std::int64_t> places;
  std::vector<std::int64_t> user_keys;
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < turns_.size(); ++i) {
    if (inserted.count(turns_[i].seq) == 0) {
      places.push_back(static_cast<std::int64_t>(i));
      user_keys.push_back(turns_[i].user_key);
      ids.push_back(turns_[i].interaction->interaction_id);
    }
  }
  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows,
                            connection_.Query(kSelectDuplicates, places, user_keys, ids));
  for (const PostgresRow row : rows) {
    Turn& turn = turns_[static_cast<std::size_t>(row.Int(0))];
    turn.accepted.duplicate = true;
    turn.accepted.sequence = row.Int(1);
    if (row.IsNull(4)) {
      const auto generation = static_cast<std::uint32_t>(row.Int(2));
      turn.accepted.job_id =
          MakeJobId(turn.interaction->user, turn.interaction->interaction_id, generation);
      turn.accepted.state = row.IsNull(3) ? JobState::kDone : static_cast<JobState>(row.Int(3));
    } else {
      turn.accepted.job_id = row.Text(4);
      turn.accepted.state = static_cast<JobState>(row.Int(5));
    }
  }
  return {};
}

Status Acceptance::AdoptJob(Turn& turn) {
  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows found,
                            connection_.Query(kSelectForeignJob, turn.job.job_id));
  if (found.empty() || found[0].Int(1) != turn.user_key) {
    return Error{ErrorCode::kAlreadyExists,
                 "postgres: job " + turn.job.job_id + " belongs to another user"};
  }
  const std::int64_t job_seq = found[0].Int(0);
  const auto state = static_cast<JobState>(found[0].Int(2));
  std::vector<PostgresCommand> commands;
  for (const std::string_view move : {kMoveJob, kMovePlan, kMoveAttempts}) {
    commands.push_back(MakeCommand(move, turn.seq, job_seq));
  }
  commands.push_back(RefreshHeadsCommand(std::span<const std::int64_t>(&turn.user_key, 1)));
  commands.push_back(CountTurnsCommand(
      turn.user_key, state == JobState::kCancelled ? 0 : 1,
      {.reflected = state == JobState::kDone ? 1 : 0, .dead = state == JobState::kDead ? 1 : 0}));
  UMBRANET_RETURN_IF_ERROR(connection_.RunAll(commands));
  turn.accepted.state = state;
  return {};
}

std::vector<AcceptBatcher::Outcome> Acceptance::Outcomes() {
  std::vector<AcceptBatcher::Outcome> outcomes;
  for (std::optional<Error>& refusal : refusals_) {
    if (refusal.has_value()) {
      outcomes.emplace_back(*std::move(refusal));
    } else {
      outcomes.emplace_back(std::vector<AcceptedTurn>());
    }
  }
  for (Turn& turn : turns_) {
    outcomes[turn.request]->push_back(std::move(turn.accepted));
  }
  return outcomes;
}

// Failures that come from what is stored, and so may be those of one request alone.
bool IsOfContents(ErrorCode code) {
  return code == ErrorCode::kInvalidArgument || code == ErrorCode::kAlreadyExists ||
         code == ErrorCode::kInternal;
}

}  // namespace

std::vector<AcceptBatcher::Outcome> AcceptTurns(PostgresLedgerStore& store,
                                                std::span<const AcceptRequest* const> requests,
                                                Deadline deadline) {
  auto stored = store.pool().Transact(deadline, PostgresIsolation::kReadCommitted,
                                      [&](PostgresConnection& connection) {
                                        return Acceptance(store, requests, connection).Run();
                                      });
  if (stored.ok()) {
    return std::move(stored).value();
  }
  std::vector<AcceptBatcher::Outcome> outcomes;
  if (requests.size() > 1 && IsOfContents(stored.error().code)) {
    for (std::size_t i = 0; i < requests.size(); ++i) {
      outcomes.push_back(std::move(AcceptTurns(store, requests.subspan(i, 1), deadline).front()));
    }
    return outcomes;
  }
  for (std::size_t i = 0; i < requests.size(); ++i) {
    outcomes.emplace_back(stored.error());
  }
  return outcomes;
}

}  // namespace umbranet
