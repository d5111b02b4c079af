// What is stored in the file, as rows to be moved to another store.
//
// The database must outlive this; it may be one that is only read, and nobody may write to it
// meanwhile. A job under a lease leaves as one whose worker is gone: ready, alone in its next
// batch, and with a crash counted.
#pragma once

#include "umbranet/adapters/sqlite/sqlite_database.h"
#include "umbranet/ports/data_move.h"

namespace umbranet {

class SqliteMoveSource final : public MoveSource {
 public:
  explicit SqliteMoveSource(SqliteDatabase& database) : database_(database) {}

  Result<MovedBounds> Bounds(Deadline deadline) override;
  Result<std::vector<MovedUser>> Users(Deadline deadline) override;
  Status Read(const MovedTable& table, std::optional<std::int64_t> user_key, std::size_t page,
              const MovedRowsSink& sink, Deadline deadline) override;
  Result<std::uint64_t> Count(const MovedTable& table, std::int64_t user_key,
                              Deadline deadline) override;
  Result<std::vector<MovedSummary>> Summaries(std::int64_t user_key, Deadline deadline) override;
  Result<KnowledgeRows> Knowledge(std::int64_t user_key, Deadline deadline) override;

 private:
  SqliteDatabase& database_;
};

}  // namespace umbranet
