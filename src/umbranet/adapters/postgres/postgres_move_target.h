// Takes in the rows of a grown installation; the tables data_move and data_move_step say how far it
// has come.
//
// The rows keep their keys, so the schema must be empty when the move begins. An advisory lock,
// held by a session of its own, keeps a second mover out and is gone with its process. The pool
// must outlive this; one thread.
#pragma once

#include <memory>
#include <vector>

#include "umbranet/adapters/postgres/postgres_migrations.h"
#include "umbranet/adapters/postgres/postgres_pool.h"
#include "umbranet/ports/data_move.h"

namespace umbranet {

std::vector<PostgresMigration> PostgresMoveMigrations();

// kFailedPrecondition while a move into these tables has begun and not ended: not all of memory is
// there.
Status CheckNothingHalfMoved(PostgresPool& pool, Deadline deadline);

class PostgresMoveTarget final : public MoveTarget {
 public:
  PostgresMoveTarget(PostgresPool& pool, const Clock& clock) : pool_(pool), clock_(clock) {}

  Result<Progress> Begin(const MovedBounds& source, Deadline deadline) override;
  Result<std::set<std::string, std::less<>>> StepsDone(std::int64_t user_key,
                                                       Deadline deadline) override;
  Status Write(const MovedTable& table, std::span<const MovedRow> rows, std::int64_t user_key,
               std::string_view step_done, Deadline deadline) override;
  Status NoteStep(std::int64_t user_key, std::string_view step, Deadline deadline) override;
  Status FinishUser(std::int64_t user_key, std::string_view step, Deadline deadline) override;
  Status Finish(Deadline deadline) override;
  Result<std::uint64_t> Count(const MovedTable& table, std::int64_t user_key,
                              Deadline deadline) override;

 private:
  Status Lock(Deadline deadline);

  PostgresPool& pool_;
  const Clock& clock_;
  std::unique_ptr<PostgresConnection> lock_;
};

}  // namespace umbranet
