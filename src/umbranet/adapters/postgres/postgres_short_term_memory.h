// Tier 1 beside the journal in PostgreSQL, where there is no Redis: the turns of a session are read
// from the journal itself, so a turn is there from the moment it was accepted, and Append keeps
// nothing. Only the summary is stored here.
//
// All methods may be called from any thread. The pool must outlive this.
#pragma once

#include <vector>

#include "umbranet/adapters/postgres/postgres_migrations.h"
#include "umbranet/adapters/postgres/postgres_pool.h"
#include "umbranet/ports/short_term_memory.h"

namespace umbranet {

class PostgresShortTermMemory final : public ShortTermMemory {
 public:
  static constexpr std::size_t kTurnsMax = 128;  // Of a session that Read looks at.

  explicit PostgresShortTermMemory(PostgresPool& pool) : pool_(pool) {}

  Status Append(const Interaction& turn, Deadline deadline) override;
  Result<Conversation> Read(const UserKey& user, std::string_view session_id,
                            const ConversationWindow& window, Deadline deadline) override;
  Status SaveSummary(const UserKey& user, std::string_view session_id,
                     std::int64_t through_sequence, std::string_view summary,
                     Deadline deadline) override;
  // Counts summaries: the journal removes the turns.
  Result<std::uint64_t> EraseUser(const UserKey& user, Deadline deadline) override;

 private:
  PostgresPool& pool_;
};

// Component "conversations".
std::vector<PostgresMigration> PostgresConversationMigrations();

}  // namespace umbranet
