// Tier 1 beside the journal: the turns of a session are read from the journal itself, so a turn is
// there from the moment it was accepted, and Append keeps nothing. Only the summary is stored here.
//
// All methods may be called from any thread. The database must outlive this.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "umbranet/adapters/sqlite/sqlite_database.h"
#include "umbranet/ports/short_term_memory.h"

namespace umbranet {

class SqliteShortTermMemory final : public ShortTermMemory {
 public:
  explicit SqliteShortTermMemory(SqliteDatabase& database) : database_(database) {}

  Status Append(const Interaction& turn, Deadline deadline) override;
  Result<Conversation> Read(const UserKey& user, std::string_view session_id,
                            const ConversationWindow& window, Deadline deadline) override;
  Status SaveSummary(const UserKey& user, std::string_view session_id,
                     std::int64_t through_sequence, std::string_view summary,
                     Deadline deadline) override;
  // Counts summaries: the journal removes the turns.
  Result<std::uint64_t> EraseUser(const UserKey& user, Deadline deadline) override;

 private:
  SqliteDatabase& database_;
};

}  // namespace umbranet
