// The spool in a SQLite file of its own, with the journal's code and schema. See ports/turn_spool.h
// for its promises. Any thread.
//
// A file belongs to one process at a time. Where several serve from one data folder, each takes the
// first that is free: spool.db, spool-2.db, ... What another left in its file when it died is
// found by ListFiles and forwarded by whoever comes first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "umbranet/adapters/sqlite/ledger_store.h"
#include "umbranet/adapters/sqlite/sqlite_database.h"
#include "umbranet/adapters/sqlite/sqlite_journal.h"
#include "umbranet/ports/turn_spool.h"

namespace umbranet {

class SqliteTurnSpool final : public TurnSpool {
 public:
  struct Options {
    std::uint64_t bytes_max = std::uint64_t{1} << 30U;  // Of the file.
    std::uint64_t reserve_bytes = 0;                    // That stay free on its disk.
    bool read_only = false;
  };

  // kFailedPrecondition: another process holds the file, or it is not ours.
  static Result<std::unique_ptr<SqliteTurnSpool>> Open(const Clock& clock, std::string path,
                                                       Options options);
  // The first file of the folder that nobody holds; made when there is none.
  static Result<std::unique_ptr<SqliteTurnSpool>> OpenFirstFree(const Clock& clock,
                                                                const std::string& folder,
                                                                Options options);
  // The spool files that are there, in their order.
  static std::vector<std::string> ListFiles(const std::string& folder);

  [[nodiscard]] const std::string& path() const { return path_; }

  // Whether a turn could be stored now.
  Status Probe(Deadline deadline);

  Journal& turns() override { return journal_; }

  Result<std::vector<SpooledTurn>> ReadOldest(std::size_t limit, Deadline deadline) override;
  Result<std::vector<std::int64_t>> MarkForwarded(std::span<const std::int64_t> sequences,
                                                  Deadline deadline) override;
  Result<bool> MarkRefused(std::int64_t sequence, std::string_view reason,
                           Deadline deadline) override;
  Result<std::uint64_t> RetryRefused(Deadline deadline) override;
  Result<std::uint64_t> Purge(Millis forwarded_for, Deadline deadline) override;
  Result<SpoolStats> Stats(Deadline deadline) override;
  Result<std::map<UserKey, std::uint64_t>> WaitingByUser(Deadline deadline) override;
  Result<std::optional<JobStatus>> Find(std::string_view tenant, std::string_view job_id,
                                        Deadline deadline) override;

 private:
  SqliteTurnSpool(std::string path, std::unique_ptr<SqliteDatabase> database,
                  std::unique_ptr<SqliteLedgerStore> store)
      : path_(std::move(path)),
        database_(std::move(database)),
        store_(std::move(store)),
        journal_(*store_) {}

  const std::string path_;
  const std::unique_ptr<SqliteDatabase> database_;
  const std::unique_ptr<SqliteLedgerStore> store_;
  SqliteJournal journal_;
};

}  // namespace umbranet
