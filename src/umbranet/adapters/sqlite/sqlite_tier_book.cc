#include "umbranet/adapters/sqlite/sqlite_tier_book.h"

#include <string>

#include "umbranet/adapters/sqlite/sqlite_accounts.h"
#include "umbranet/adapters/sqlite/sqlite_lease_fence.h"

namespace umbranet {
namespace {

constexpr std::string_view kInsertMarker =
    "INSERT INTO tier_applied(user_key, tier, job_id) VALUES(?, ?, ?) ON CONFLICT DO NOTHING";
constexpr std::string_view kDeleteMarkers =
    "DELETE FROM tier_applied WHERE user_key = ? AND tier = ?";
constexpr std::string_view kHasGenerations =
    "SELECT 1 FROM memory_generation WHERE user_key = " UMBRANET_OWNER_OF("?1") " LIMIT 1";
constexpr std::string_view kSelectErased =
    "SELECT 1 FROM erased_memory WHERE user_key = " UMBRANET_OWNER_OF(
        "?1") " AND tier = ?2 AND id = ?3";
constexpr std::string_view kInsertErased =
    "INSERT INTO erased_memory(user_key, tier, id, interaction_id)"
    " VALUES(" UMBRANET_OWNER_OF("?1") ", ?2, ?3, ?4)"
    " ON CONFLICT DO NOTHING";
constexpr std::string_view kDeleteErased =
    "DELETE FROM erased_memory WHERE user_key = ?1 AND tier = ?2 AND interaction_id NOT IN"
    " (SELECT interaction_id FROM turn WHERE user_key = ?1)";
constexpr std::string_view kLeaveTombstone =
    "INSERT INTO forgotten_user(user_key, through_sequence) VALUES(?, ?)"
    " ON CONFLICT(user_key) DO UPDATE"
    " SET through_sequence = max(through_sequence, excluded.through_sequence)";
constexpr std::string_view kSelectTombstone =
    "SELECT through_sequence FROM forgotten_user WHERE user_key = ?";
constexpr std::string_view kGrowCorpus =
    "INSERT INTO corpus(user_key, kind, documents, terms) VALUES(?, ?, ?, ?)"
    " ON CONFLICT(user_key, kind) DO UPDATE"
    " SET documents = documents + excluded.documents, terms = terms + excluded.terms";
constexpr std::string_view kReviseCorpus =
    "UPDATE corpus SET revision = revision + 1 WHERE user_key = ? AND kind = ?";
constexpr std::string_view kSelectRevision =
    "SELECT revision FROM corpus WHERE user_key = ? AND kind = ?";
constexpr std::string_view kSelectCorpus =
    "SELECT documents, terms FROM corpus WHERE user_key = ? AND kind = ?";

Result<std::int64_t> MemoryToApplyTo(SqliteConnection& connection, const UserKey& user,
                                     GenerationState which) {
  if (which == GenerationState::kInForce) {
    return InternMemory(connection, user);
  }
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> memory,
                            FindMemory(connection, user, which));
  if (!memory.has_value()) {
    return Aborted("sqlite: the user's memory is not being worked out anew any more");
  }
  return *memory;
}

}  // namespace

Result<TierApplication> BeginApplication(SqliteConnection& connection, Tier tier,
                                         std::span<const ReflectionPlan> plans,
                                         const std::optional<Lease>& fence, GenerationState which) {
  TierApplication application;
  if (plans.empty()) {
    return application;
  }
  std::vector<std::string> job_ids;
  job_ids.reserve(plans.size());
  for (const ReflectionPlan& plan : plans) {
    if (plan.user != plans.front().user) {
      return InvalidArgument("sqlite: the plans of one application must be of one user");
    }
    job_ids.push_back(plan.job_id);
  }
  if (fence.has_value()) {
    UMBRANET_RETURN_IF_ERROR(CheckLease(connection, *fence, job_ids));
  }
  UMBRANET_ASSIGN_OR_RETURN(application.user_key,
                            MemoryToApplyTo(connection, plans.front().user, which));
  {
    SqliteStatement others = connection.Prepare(kHasGenerations);
    others.BindAll(application.user_key);
    application.may_inherit = others.Step();
    UMBRANET_RETURN_IF_ERROR(others.status());
  }
  SqliteStatement marker = connection.Prepare(kInsertMarker);
  for (const ReflectionPlan& plan : plans) {
    marker.Reset();
    marker.BindAll(application.user_key, tier, plan.job_id);
    UMBRANET_RETURN_IF_ERROR(marker.Run());
    if (connection.Changes() > 0) {
      application.plans.push_back(&plan);
    }
  }
  return application;
}

Status LeaveTombstone(SqliteConnection& connection, std::int64_t user_key,
                      std::int64_t through_sequence) {
  return connection.Run(kLeaveTombstone, user_key, through_sequence);
}

Status CheckNotForgotten(SqliteConnection& connection, const TierApplication& application) {
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> account,
                            FindAccount(connection, application.plans.front()->user));
  if (!account.has_value()) {
    return {};
  }
  SqliteStatement tombstone = connection.Prepare(kSelectTombstone);
  tombstone.BindAll(*account);
  const std::int64_t through = tombstone.Step() ? tombstone.Int(0) : 0;
  UMBRANET_RETURN_IF_ERROR(tombstone.status());
  for (const ReflectionPlan* plan : application.plans) {
    if (plan->sequence <= through) {
      return Aborted("sqlite: the user was forgotten after this turn was accepted");
    }
  }
  return {};
}

Result<bool> IsErased(SqliteConnection& connection, std::int64_t user_key, Tier tier,
                      std::string_view id) {
  SqliteStatement erased = connection.Prepare(kSelectErased);
  erased.BindAll(user_key, tier, id);
  const bool is_erased = erased.Step();
  UMBRANET_RETURN_IF_ERROR(erased.status());
  return is_erased;
}

Status RememberErasure(SqliteConnection& connection, std::int64_t user_key, Tier tier,
                       std::string_view id, std::string_view interaction_id) {
  return connection.Run(kInsertErased, user_key, tier, id, interaction_id);
}

Status CloseBook(SqliteConnection& connection, std::int64_t user_key, Tier tier,
                 bool journal_is_here) {
  UMBRANET_RETURN_IF_ERROR(connection.Run(kDeleteMarkers, user_key, tier));
  return journal_is_here ? connection.Run(kDeleteErased, user_key, tier) : Status();
}

Status GrowCorpus(SqliteConnection& connection, std::int64_t user_key, CorpusKind kind,
                  std::int64_t documents, std::int64_t terms) {
  if (documents == 0 && terms == 0) {
    return {};
  }
  return connection.Run(kGrowCorpus, user_key, kind, documents, terms);
}

Status MarkCorpusRevised(SqliteConnection& connection, std::int64_t user_key, CorpusKind kind) {
  return connection.Run(kReviseCorpus, user_key, kind);
}

Result<std::int64_t> ReadCorpusRevision(SqliteConnection& connection, std::int64_t user_key,
                                        CorpusKind kind) {
  SqliteStatement corpus = connection.Prepare(kSelectRevision);
  corpus.BindAll(user_key, kind);
  const std::int64_t revision = corpus.Step() ? corpus.Int(0) : 0;
  UMBRANET_RETURN_IF_ERROR(corpus.status());
  return revision;
}

Result<CorpusStatistics> ReadCorpus(SqliteConnection& connection, std::int64_t user_key,
                                    CorpusKind kind) {
  SqliteStatement corpus = connection.Prepare(kSelectCorpus);
  corpus.BindAll(user_key, kind);
  CorpusStatistics statistics;
  if (corpus.Step() && corpus.Int(0) > 0) {
    statistics.documents = static_cast<std::uint64_t>(corpus.Int(0));
    statistics.length_mean = static_cast<double>(corpus.Int(1)) / corpus.Real(0);
  }
  UMBRANET_RETURN_IF_ERROR(corpus.status());
  return statistics;
}

}  // namespace umbranet
