#include "umbranet/adapters/sqlite/sqlite_short_term_memory.h"

#include <algorithm>
#include <optional>

#include "umbranet/adapters/sqlite/sqlite_accounts.h"
#include "umbranet/base/token_estimate.h"

namespace umbranet {
namespace {

constexpr std::string_view kSelectSummary =
    "SELECT through_sequence, summary FROM session_summary WHERE user_key = ? AND session_id = ?";
constexpr std::string_view kSelectTurns =
    "SELECT seq, interaction_id, speaker, occurred_at, accepted_at, priority, origin, metadata,"
    " user_message, assistant_response FROM turn WHERE user_key = ? AND session_id = ?"
    " ORDER BY seq DESC LIMIT ?";
constexpr std::string_view kSaveSummary =
    "INSERT INTO session_summary(user_key, session_id, through_sequence, summary)"
    " SELECT ?1, ?2, ?3, ?4"
    " WHERE EXISTS(SELECT 1 FROM turn WHERE user_key = ?1 AND session_id = ?2 AND seq <= ?3)"
    " ON CONFLICT(user_key, session_id) DO UPDATE"
    " SET through_sequence = excluded.through_sequence, summary = excluded.summary"
    " WHERE excluded.through_sequence >= through_sequence";
constexpr std::string_view kDeleteSummaries = "DELETE FROM session_summary WHERE user_key = ?";

Interaction ReadTurn(const SqliteStatement& row, const UserKey& user, std::string_view session_id) {
  Interaction turn;
  turn.user = user;
  turn.session_id = std::string(session_id);
  turn.sequence = row.Int(0);
  turn.interaction_id = row.String(1);
  turn.speaker = row.String(2);
  turn.occurred_at = row.Time(3);
  turn.accepted_at = row.Time(4);
  turn.priority = static_cast<Priority>(row.Int(5));
  turn.origin = static_cast<Origin>(row.Int(6));
  turn.metadata = row.String(7);
  turn.user_message = row.String(8);
  turn.assistant_response = row.String(9);
  return turn;
}

}  // namespace

Status SqliteShortTermMemory::Append(const Interaction& /*turn*/, Deadline /*deadline*/) {
  return {};
}

Result<Conversation> SqliteShortTermMemory::Read(const UserKey& user, std::string_view session_id,
                                                 const ConversationWindow& window,
                                                 Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(SqliteReader reader, database_.Read(deadline));
  UMBRANET_RETURN_IF_ERROR(reader.BeginSnapshot());
  Conversation conversation;
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> user_key, FindAccount(*reader, user));
  if (!user_key.has_value()) {
    return conversation;
  }
  SqliteStatement summary = reader->Prepare(kSelectSummary);
  summary.BindAll(*user_key, session_id);
  if (summary.Step()) {
    conversation.summarized_through = summary.Int(0);
    conversation.summary = summary.String(1);
  }
  UMBRANET_RETURN_IF_ERROR(summary.status());

  SqliteStatement turns = reader->Prepare(kSelectTurns);
  turns.BindAll(*user_key, session_id, std::max<std::size_t>(window.turns, 1));
  std::size_t used = 0;
  while (turns.Step()) {
    used += EstimateTokens(turns.Text(8)) + EstimateTokens(turns.Text(9));
    if (used > window.tokens && !conversation.turns.empty()) {
      break;
    }
    conversation.turns.push_back(ReadTurn(turns, user, session_id));
  }
  UMBRANET_RETURN_IF_ERROR(turns.status());
  std::reverse(conversation.turns.begin(), conversation.turns.end());
  return conversation;
}

Status SqliteShortTermMemory::SaveSummary(const UserKey& user, std::string_view session_id,
                                          std::int64_t through_sequence, std::string_view summary,
                                          Deadline deadline) {
  return database_.Write(
      SqliteDatabase::Lane::kBackground,
      [&](SqliteConnection& connection) -> Status {
        UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> user_key,
                                  FindAccount(connection, user));
        if (!user_key.has_value()) {
          return {};
        }
        return connection.Run(kSaveSummary, *user_key, session_id, through_sequence, summary);
      },
      deadline);
}

Result<std::uint64_t> SqliteShortTermMemory::EraseUser(const UserKey& user, Deadline deadline) {
  std::uint64_t removed = 0;
  const Status written = database_.Write(
      SqliteDatabase::Lane::kForeground,
      [&](SqliteConnection& connection) -> Status {
        removed = 0;
        UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> user_key,
                                  FindAccount(connection, user));
        if (!user_key.has_value()) {
          return {};
        }
        UMBRANET_RETURN_IF_ERROR(connection.Run(kDeleteSummaries, *user_key));
        removed = static_cast<std::uint64_t>(connection.Changes());
        return {};
      },
      deadline);
  UMBRANET_RETURN_IF_ERROR(written);
  return removed;
}

}  // namespace umbranet
