#include "umbranet/adapters/postgres/postgres_memory_keys.h"

#include <string_view>

#include "umbranet/adapters/postgres/postgres_accounts.h"

namespace umbranet {
namespace {

#define UMBRANET_HAS_OTHERS \
  "EXISTS (SELECT 1 FROM memory_generation g WHERE g.user_key = m.owner_key)"
constexpr std::string_view kSelectInForce =
    "SELECT m.memory_key, m.owner_key, " UMBRANET_HAS_OTHERS " FROM " UMBRANET_MEMORY_IN_FORCE;
constexpr std::string_view kSelectOther =
    "SELECT g.memory_key, g.user_key, true FROM account a"
    " JOIN memory_generation g ON g.user_key = a.user_key AND g.state = $3"
    " WHERE a.tenant = $1 AND a.user_id = $2";
constexpr std::string_view kHoldShadow =
    "SELECT g.memory_key, g.user_key, true FROM account a"
    " JOIN memory_generation g ON g.user_key = a.user_key AND g.state = 0"
    " WHERE a.tenant = $1 AND a.user_id = $2 FOR SHARE OF g";
constexpr std::string_view kSelectAll =
    "SELECT $1::bigint UNION SELECT memory_key FROM memory_generation WHERE user_key = $1"
    " ORDER BY 1";
constexpr std::string_view kEndOthers =
    "UPDATE memory_generation SET state = 3 WHERE state IN (0, 2) AND user_key ="
    " (SELECT user_key FROM account WHERE tenant = $1 AND user_id = $2)";
// 0: the first one.
constexpr std::string_view kSelectKeyInForce =
    "SELECT coalesce(memory_key, 0) FROM account WHERE tenant = $1 AND user_id = $2";
constexpr std::string_view kSelectKeyOfShadow = "SELECT memory_key FROM " UMBRANET_MEMORY_IN_SHADOW;

constexpr std::string_view kRaiseVersion =
    "UPDATE account SET memory_version = memory_version + 1 WHERE tenant = $1 AND user_id = $2";

std::optional<PostgresMemory> ReadMemory(const PostgresRows& rows) {
  return rows.empty() ? std::nullopt
                      : std::optional(PostgresMemory{.memory_key = rows[0].Int(0),
                                                     .owner_key = rows[0].Int(1),
                                                     .has_others = rows[0].Bool(2)});
}

}  // namespace

Error NotBeingRebuilt() {
  return Aborted("postgres: the user's memory is not being worked out anew any more");
}

Result<std::optional<PostgresMemory>> FindMemory(PostgresConnection& connection,
                                                 const UserKey& user, GenerationState which) {
  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows,
                            which == GenerationState::kInForce
                                ? connection.Query(kSelectInForce, user.tenant, user.user_id)
                                : connection.Query(kSelectOther, user.tenant, user.user_id, which));
  return ReadMemory(rows);
}

Result<PostgresMemory> MemoryToApplyTo(PostgresConnection& connection, const UserKey& user,
                                       GenerationState which) {
  if (which != GenerationState::kInForce) {
    UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows,
                              connection.Query(kHoldShadow, user.tenant, user.user_id));
    const std::optional<PostgresMemory> shadow = ReadMemory(rows);
    return shadow.has_value() ? Result<PostgresMemory>(*shadow) : NotBeingRebuilt();
  }
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<PostgresMemory> known,
                            FindMemory(connection, user, which));
  if (known.has_value()) {
    return *known;
  }
  UMBRANET_ASSIGN_OR_RETURN(const std::int64_t user_key, InternAccount(connection, user));
  return PostgresMemory{.memory_key = user_key, .owner_key = user_key};
}

Result<std::vector<std::int64_t>> MemoriesOf(PostgresConnection& connection,
                                             std::int64_t owner_key) {
  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows, connection.Query(kSelectAll, owner_key));
  std::vector<std::int64_t> keys;
  for (const PostgresRow row : rows) {
    keys.push_back(row.Int(0));
  }
  return keys;
}

Status EndOtherMemories(PostgresConnection& connection, const UserKey& user) {
  const Result<std::int64_t> ended = connection.Run(kEndOthers, user.tenant, user.user_id);
  return ended.ok() ? Status() : ended.error();
}

Result<std::int64_t> PostgresMemoryKeys::InForce(const UserKey& user, Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows,
                            pool_.Ask(deadline, kSelectKeyInForce, user.tenant, user.user_id));
  return rows.empty() ? std::int64_t{0} : rows[0].Int(0);
}

Result<std::optional<std::int64_t>> PostgresMemoryKeys::Shadow(const UserKey& user,
                                                               Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows,
                            pool_.Ask(deadline, kSelectKeyOfShadow, user.tenant, user.user_id));
  return rows.empty() ? std::nullopt : std::optional(rows[0].Int(0));
}

Status PostgresMemoryKeys::NoteChange(const UserKey& user, Deadline deadline) {
  return pool_.Run(deadline, [&](PostgresConnection& connection) -> Status {
    const Result<std::int64_t> raised = connection.Run(kRaiseVersion, user.tenant, user.user_id);
    return raised.ok() ? Status() : raised.error();
  });
}

}  // namespace umbranet
