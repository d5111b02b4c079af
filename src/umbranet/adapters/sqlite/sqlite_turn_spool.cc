#include "umbranet/adapters/sqlite/sqlite_turn_spool.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "umbranet/adapters/sqlite/ledger_rows.h"

namespace umbranet {
namespace {

constexpr std::string_view kSelectOldest =
    "SELECT " UMBRANET_TURN_COLUMNS
    ", a.tenant, a.user_id, j.mode, j.traceparent"
    " FROM job j NOT INDEXED JOIN turn t ON t.seq = j.seq"
    " JOIN account a ON a.user_key = j.user_key WHERE j.state = 0 ORDER BY j.seq LIMIT ?";
constexpr std::string_view kMarkForwarded =
    "UPDATE job SET state = 2, finished_at = ?2 WHERE seq = ?1 AND state = 0 RETURNING user_key";
constexpr std::string_view kMarkRefused =
    "UPDATE job SET state = 3, finished_at = ?2, last_error = ?3 WHERE seq = ?1 AND state = 0"
    " RETURNING user_key";
constexpr std::string_view kRetryRefused =
    "UPDATE job SET state = 0, finished_at = NULL WHERE state = 3";
constexpr std::string_view kNobodyIsDead = "UPDATE account SET dead = 0 WHERE dead > 0";
constexpr std::string_view kSelectForwarded =
    "SELECT seq, user_key FROM job WHERE state = 2 AND finished_at <= ? ORDER BY finished_at, seq"
    " LIMIT 500";
constexpr std::string_view kDeleteJob = "DELETE FROM job WHERE seq = ?";
constexpr std::string_view kDeleteTurn = "DELETE FROM turn WHERE seq = ?";
constexpr std::string_view kDeleteAnswers =
    "DELETE FROM answer WHERE (tenant, idempotency_key) IN (SELECT tenant, idempotency_key"
    " FROM answer WHERE stored_at <= ? ORDER BY stored_at LIMIT 500)";
constexpr std::string_view kCountJobs =
    "SELECT count(*) FILTER (WHERE state = 0), count(*) FILTER (WHERE state = 3) FROM job";
constexpr std::string_view kSelectFirst =
    "SELECT t.accepted_at FROM job j NOT INDEXED JOIN turn t ON t.seq = j.seq WHERE j.state = 0"
    " ORDER BY j.seq LIMIT 1";
constexpr std::string_view kSelectBytes =
    "SELECT (p.page_count - f.freelist_count) * s.page_size FROM pragma_page_count p,"
    " pragma_freelist_count f, pragma_page_size s";
constexpr std::string_view kCountByUser =
    "SELECT a.tenant, a.user_id, count(*) FROM job j JOIN account a ON a.user_key = j.user_key"
    " WHERE j.state = 0 GROUP BY j.user_key ORDER BY j.user_key";
constexpr std::string_view kSelectJob =
    "SELECT " UMBRANET_JOB_COLUMNS
    ", t.interaction_id, a.user_id FROM job j"
    " JOIN turn t ON t.seq = j.seq JOIN account a ON a.user_key = j.user_key"
    " WHERE j.job_id = ? AND a.tenant = ? AND j.state IN (0, 3)";

constexpr std::size_t kPageBytes = 4096;
constexpr int kFilesMax = 64;

std::string FileOf(const std::string& folder, int number) {
  const std::string name = number == 1 ? "spool.db" : "spool-" + std::to_string(number) + ".db";
  return (std::filesystem::path(folder) / name).string();
}

// The user of the one row that an UPDATE with RETURNING gave; nothing when it changed none.
Result<std::optional<std::int64_t>> ChangedUser(SqliteStatement& update) {
  std::optional<std::int64_t> user_key;
  while (update.Step()) {
    user_key = update.Int(0);
  }
  UMBRANET_RETURN_IF_ERROR(update.status());
  return user_key;
}

struct ForwardedRow {
  std::int64_t seq = 0;
  std::int64_t user_key = 0;
};

Result<std::vector<ForwardedRow>> ReadForwarded(SqliteConnection& connection, std::int64_t until) {
  std::vector<ForwardedRow> rows;
  SqliteStatement row = connection.Prepare(kSelectForwarded);
  row.BindAll(until);
  while (row.Step()) {
    rows.push_back({row.Int(0), row.Int(1)});
  }
  UMBRANET_RETURN_IF_ERROR(row.status());
  return rows;
}

}  // namespace

Result<std::unique_ptr<SqliteTurnSpool>> SqliteTurnSpool::Open(const Clock& clock, std::string path,
                                                               Options options) {
  SqliteDatabase::Options file;
  file.path = path;
  file.readers_max = 4;
  file.reader_cache_kib = 512;
  file.writer_cache_kib = 2048;
  file.pages_max = static_cast<std::size_t>(options.bytes_max / kPageBytes);
  file.reserve_bytes = options.reserve_bytes;
  file.read_only = options.read_only;
  UMBRANET_ASSIGN_OR_RETURN(auto database, SqliteDatabase::Open(clock, std::move(file)));
  UMBRANET_ASSIGN_OR_RETURN(auto store, SqliteLedgerStore::Open(*database, {}));
  return std::unique_ptr<SqliteTurnSpool>(
      new SqliteTurnSpool(std::move(path), std::move(database), std::move(store)));
}

Result<std::unique_ptr<SqliteTurnSpool>> SqliteTurnSpool::OpenFirstFree(const Clock& clock,
                                                                        const std::string& folder,
                                                                        Options options) {
  for (int number = 1; number <= kFilesMax; ++number) {
    const std::string path = FileOf(folder, number);
    if (DataFolderLock::FindHolder(SqliteDatabase::LockPath(path))) {
      continue;
    }
    auto opened = Open(clock, path, options);
    // Another process may have been quicker.
    if (opened.ok() || !DataFolderLock::FindHolder(SqliteDatabase::LockPath(path))) {
      return opened;
    }
  }
  return FailedPrecondition("sqlite: every spool of " + folder + " is held by another process");
}

std::vector<std::string> SqliteTurnSpool::ListFiles(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code failed;
  for (int number = 1; number <= kFilesMax; ++number) {
    if (std::string path = FileOf(folder, number); std::filesystem::exists(path, failed)) {
      files.push_back(std::move(path));
    }
  }
  return files;
}

Status SqliteTurnSpool::Probe(Deadline deadline) {
  UMBRANET_RETURN_IF_ERROR(database_->CheckReserve());
  return database_->Write(
      SqliteDatabase::Lane::kForeground, [](SqliteConnection&) { return Status(); }, deadline);
}

Result<std::vector<SpooledTurn>> SqliteTurnSpool::ReadOldest(std::size_t limit, Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const SqliteReader reader, database_->Read(deadline));
  std::vector<SpooledTurn> turns;
  SqliteStatement row = reader->Prepare(kSelectOldest);
  row.BindAll(limit);
  while (row.Step()) {
    const UserKey user{row.String(kTurnColumns), row.String(kTurnColumns + 1)};
    turns.push_back({.turn = ReadTurn(row, 0, user),
                     .mode = static_cast<RunMode>(row.Int(kTurnColumns + 2)),
                     .traceparent = row.String(kTurnColumns + 3)});
  }
  UMBRANET_RETURN_IF_ERROR(row.status());
  return turns;
}

Result<std::vector<std::int64_t>> SqliteTurnSpool::MarkForwarded(
    std::span<const std::int64_t> sequences, Deadline deadline) {
  std::vector<std::int64_t> marked;
  // What a power cut takes of this is forwarded once more, which changes nothing.
  Status written = database_->Write(
      SqliteDatabase::Lane::kBackground,
      [&](SqliteConnection& connection) -> Status {
        marked.clear();
        SqliteStatement update = connection.Prepare(kMarkForwarded);
        for (const std::int64_t sequence : sequences) {
          update.Reset();
          update.BindAll(sequence, store_->Now());
          UMBRANET_ASSIGN_OR_RETURN(const auto user_key, ChangedUser(update));
          if (user_key) {
            marked.push_back(sequence);
            UMBRANET_RETURN_IF_ERROR(CountTurns(connection, *user_key, 0, {.reflected = 1}));
          }
        }
        return {};
      },
      deadline);
  if (!written.ok()) {
    return std::move(written).error();
  }
  return marked;
}

Result<bool> SqliteTurnSpool::MarkRefused(std::int64_t sequence, std::string_view reason,
                                          Deadline deadline) {
  bool marked = false;
  Status written = database_->Write(
      SqliteDatabase::Lane::kBackground,
      [&](SqliteConnection& connection) -> Status {
        SqliteStatement update = connection.Prepare(kMarkRefused);
        update.BindAll(sequence, store_->Now(), reason);
        UMBRANET_ASSIGN_OR_RETURN(const auto user_key, ChangedUser(update));
        marked = user_key.has_value();
        return marked ? CountTurns(connection, *user_key, 0, {.dead = 1}) : Status();
      },
      deadline);
  if (!written.ok()) {
    return std::move(written).error();
  }
  return marked;
}

Result<std::uint64_t> SqliteTurnSpool::RetryRefused(Deadline deadline) {
  std::uint64_t count = 0;
  Status written = database_->Write(
      SqliteDatabase::Lane::kForeground,
      [&](SqliteConnection& connection) -> Status {
        UMBRANET_RETURN_IF_ERROR(connection.Run(kRetryRefused));
        count = static_cast<std::uint64_t>(connection.Changes());
        return connection.Run(kNobodyIsDead);
      },
      deadline);
  if (!written.ok()) {
    return std::move(written).error();
  }
  return count;
}

Result<std::uint64_t> SqliteTurnSpool::Purge(Millis forwarded_for, Deadline deadline) {
  std::uint64_t count = 0;
  Status written = database_->Write(
      SqliteDatabase::Lane::kBackground,
      [&](SqliteConnection& connection) -> Status {
        const std::int64_t now = store_->Now();
        UMBRANET_ASSIGN_OR_RETURN(const std::vector<ForwardedRow> rows,
                                  ReadForwarded(connection, now - forwarded_for.count()));
        for (const ForwardedRow& row : rows) {
          UMBRANET_RETURN_IF_ERROR(connection.Run(kDeleteJob, row.seq));
          UMBRANET_RETURN_IF_ERROR(connection.Run(kDeleteTurn, row.seq));
          UMBRANET_RETURN_IF_ERROR(CountTurns(connection, row.user_key, -1, {.reflected = -1}));
        }
        count = rows.size();
        UMBRANET_RETURN_IF_ERROR(
            connection.Run(kDeleteAnswers, now - store_->options().answer_retention.count()));
        return store_->KeepSequence(connection);
      },
      deadline);
  if (!written.ok()) {
    return std::move(written).error();
  }
  return count;
}

Result<SpoolStats> SqliteTurnSpool::Stats(Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const SqliteReader reader, database_->Read(deadline));
  SpoolStats stats;
  SqliteStatement counts = reader->Prepare(kCountJobs);
  if (counts.Step()) {
    stats.waiting = static_cast<std::uint64_t>(counts.Int(0));
    stats.refused = static_cast<std::uint64_t>(counts.Int(1));
  }
  UMBRANET_RETURN_IF_ERROR(counts.status());
  SqliteStatement first = reader->Prepare(kSelectFirst);
  if (first.Step()) {
    stats.oldest_at = first.Time(0);
  }
  UMBRANET_RETURN_IF_ERROR(first.status());
  SqliteStatement bytes = reader->Prepare(kSelectBytes);
  if (bytes.Step()) {
    stats.bytes = static_cast<std::uint64_t>(bytes.Int(0));
  }
  UMBRANET_RETURN_IF_ERROR(bytes.status());
  return stats;
}

Result<std::map<UserKey, std::uint64_t>> SqliteTurnSpool::WaitingByUser(Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const SqliteReader reader, database_->Read(deadline));
  std::map<UserKey, std::uint64_t> users;
  SqliteStatement row = reader->Prepare(kCountByUser);
  while (row.Step()) {
    users.emplace(UserKey{row.String(0), row.String(1)}, static_cast<std::uint64_t>(row.Int(2)));
  }
  UMBRANET_RETURN_IF_ERROR(row.status());
  return users;
}

Result<std::optional<JobStatus>> SqliteTurnSpool::Find(std::string_view tenant,
                                                       std::string_view job_id, Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const SqliteReader reader, database_->Read(deadline));
  std::optional<JobStatus> status;
  SqliteStatement row = reader->Prepare(kSelectJob);
  row.BindAll(job_id, tenant);
  if (row.Step()) {
    const UserKey user{std::string(tenant), row.String(kJobColumns + 1)};
    status = ReadJob(row, 0, user, row.String(kJobColumns), store_->options().retry.attempts_max);
    status->state = JobState::kSpooled;
    status->finished_at.reset();
  }
  UMBRANET_RETURN_IF_ERROR(row.status());
  return status;
}

}  // namespace umbranet
