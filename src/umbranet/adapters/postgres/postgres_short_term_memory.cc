#include "umbranet/adapters/postgres/postgres_short_term_memory.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "umbranet/adapters/postgres/ledger_rows.h"
#include "umbranet/adapters/postgres/postgres_value.h"
#include "umbranet/domain/newest_turns.h"

namespace umbranet {
namespace {

constexpr std::string_view kVersion1 = R"sql(
CREATE TABLE session_summary(
  user_key bigint NOT NULL,
  session_id text COLLATE "C" NOT NULL,
  through_sequence bigint NOT NULL,
  summary bytea NOT NULL,
  PRIMARY KEY(user_key, session_id)
);
)sql";

#define UMBRANET_USER_KEY \
  "(SELECT a.user_key FROM account a WHERE a.tenant = $1 AND a.user_id = $2)"
constexpr std::string_view kSelectSummary =
    "SELECT through_sequence, summary FROM session_summary WHERE user_key = " UMBRANET_USER_KEY
    " AND session_id = $3";
constexpr std::string_view kSelectTurns =
    "SELECT " UMBRANET_TURN_COLUMNS " FROM turn t WHERE t.user_key = " UMBRANET_USER_KEY
    " AND t.session_id = $3 ORDER BY t.seq DESC LIMIT $4";
// The account is locked as whoever forgets it does, so that a summary in the making cannot outlive
// the turns.
constexpr std::string_view kLockAccount =
    "SELECT user_key FROM account WHERE tenant = $1 AND user_id = $2 FOR UPDATE";
constexpr std::string_view kSaveSummary =
    "INSERT INTO session_summary AS s(user_key, session_id, through_sequence, summary)"
    " SELECT $1, $2, $3, $4"
    " WHERE EXISTS(SELECT 1 FROM turn WHERE user_key = $1 AND session_id = $2 AND seq <= $3)"
    " ON CONFLICT(user_key, session_id) DO UPDATE"
    " SET through_sequence = excluded.through_sequence, summary = excluded.summary"
    " WHERE excluded.through_sequence >= s.through_sequence";
constexpr std::string_view kDeleteSummaries =
    "DELETE FROM session_summary WHERE user_key = " UMBRANET_USER_KEY;
#undef UMBRANET_USER_KEY

}  // namespace

std::vector<PostgresMigration> PostgresConversationMigrations() {
  return {{.component = "conversations", .version = 1, .script = kVersion1}};
}

Status PostgresShortTermMemory::Append(const Interaction& /*turn*/, Deadline /*deadline*/) {
  return {};
}

Result<Conversation> PostgresShortTermMemory::Read(const UserKey& user, std::string_view session_id,
                                                   const ConversationWindow& window,
                                                   Deadline deadline) {
  return pool_.Snapshot(deadline, [&](PostgresConnection& connection) -> Result<Conversation> {
    Conversation conversation;
    const PostgresCommand commands[] = {
        MakeCommand(kSelectSummary, user.tenant, user.user_id, session_id),
        MakeCommand(
            kSelectTurns, user.tenant, user.user_id, session_id,
            static_cast<std::int64_t>(std::clamp<std::size_t>(window.turns, 1, kTurnsMax)))};
    UMBRANET_ASSIGN_OR_RETURN(const std::vector<PostgresRows> results, connection.RunAll(commands));
    if (!results[0].empty()) {
      conversation.summarized_through = results[0][0].Int(0);
      conversation.summary = results[0][0].String(1);
    }
    for (const PostgresRow row : results[1]) {
      conversation.turns.push_back(ReadTurn(row, 0, user));
    }
    std::reverse(conversation.turns.begin(), conversation.turns.end());
    conversation.turns = NewestWithin(std::move(conversation.turns), window);
    return conversation;
  });
}

Status PostgresShortTermMemory::SaveSummary(const UserKey& user, std::string_view session_id,
                                            std::int64_t through_sequence, std::string_view summary,
                                            Deadline deadline) {
  return pool_.Transact(
      deadline, PostgresIsolation::kReadCommitted, [&](PostgresConnection& connection) -> Status {
        UMBRANET_ASSIGN_OR_RETURN(const PostgresRows account,
                                  connection.Query(kLockAccount, user.tenant, user.user_id));
        if (account.empty()) {
          return {};
        }
        UMBRANET_ASSIGN_OR_RETURN([[maybe_unused]] const std::int64_t saved,
                                  connection.Run(kSaveSummary, account[0].Int(0), session_id,
                                                 through_sequence, PostgresBytes{summary}));
        return {};
      });
}

Result<std::uint64_t> PostgresShortTermMemory::EraseUser(const UserKey& user, Deadline deadline) {
  return pool_.Transact(deadline, PostgresIsolation::kReadCommitted,
                        [&](PostgresConnection& connection) -> Result<std::uint64_t> {
                          UMBRANET_ASSIGN_OR_RETURN(
                              const std::int64_t removed,
                              connection.Run(kDeleteSummaries, user.tenant, user.user_id));
                          return static_cast<std::uint64_t>(removed);
                        });
}

}  // namespace umbranet
