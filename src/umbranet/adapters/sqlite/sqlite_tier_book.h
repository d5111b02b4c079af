// The books that all reflected tiers keep: which jobs were applied, what owners erased, how large
// each corpus is. Functions work in the transaction of their connection, on that connection's
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "umbranet/adapters/sqlite/sqlite_connection.h"
#include "umbranet/adapters/sqlite/sqlite_memory_keys.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/memory_item.h"
#include "umbranet/domain/reflection_plan.h"
#include "umbranet/ports/job_ledger.h"
#include "umbranet/ports/memory_tier.h"

namespace umbranet {

// What is searched together, each with its own statistics.
enum class CorpusKind : std::uint8_t { kUserHalves = 0, kAssistantHalves = 1, kFacts = 2 };

struct TierApplication {
  std::int64_t user_key = 0;  // The memory key.
  // Whether what an owner changed may be written down in another generation of his memory.
  bool may_inherit = false;
  std::vector<const ReflectionPlan*> plans;  // Those that were not applied before.
};

// A shadow is nobody's to lease.
inline std::optional<Lease> FenceOf(const Lease& fence, GenerationState which) {
  return which == GenerationState::kInForce ? std::optional(fence) : std::nullopt;
}

// Checks the fence, if there is one, and writes the markers of the plans in the memory that is in
// force, or in another. kAborted when a job is not leased under `fence` any more, or the user has
// no such memory; kInvalidArgument when the plans are not of one user.
Result<TierApplication> BeginApplication(SqliteConnection& connection, Tier tier,
                                         std::span<const ReflectionPlan> plans,
                                         const std::optional<Lease>& fence, GenerationState which);

// What lets a tier refuse plans of turns up to `through_sequence` whose worker held no lease that
// could be checked; `user_key` is the account's. CheckNotForgotten is kAborted for them.
Status LeaveTombstone(SqliteConnection& connection, std::int64_t user_key,
                      std::int64_t through_sequence);
Status CheckNotForgotten(SqliteConnection& connection, const TierApplication& application);

// `id` is of an episode or a statement. What is erased is so in all generations of the user.
Result<bool> IsErased(SqliteConnection& connection, std::int64_t user_key, Tier tier,
                      std::string_view id);
Status RememberErasure(SqliteConnection& connection, std::int64_t user_key, Tier tier,
                       std::string_view id, std::string_view interaction_id);

// Removes the user's markers, and his erasures but for those whose turn the journal still holds:
// when his memory is worked out anew, what he erased must stay away. Where the journal is in
// another database, all of them stay.
Status CloseBook(SqliteConnection& connection, std::int64_t user_key, Tier tier,
                 bool journal_is_here = true);

// Counts `documents` and their `terms` in, or out when negative.
Status GrowCorpus(SqliteConnection& connection, std::int64_t user_key, CorpusKind kind,
                  std::int64_t documents, std::int64_t terms);
// Says that a document of the corpus was changed or removed, so that what was kept of it in memory
// is of no use any more.
Status MarkCorpusRevised(SqliteConnection& connection, std::int64_t user_key, CorpusKind kind);
// How often that has been said so far.
Result<std::int64_t> ReadCorpusRevision(SqliteConnection& connection, std::int64_t user_key,
                                        CorpusKind kind);
// Without document_frequency.
Result<CorpusStatistics> ReadCorpus(SqliteConnection& connection, std::int64_t user_key,
                                    CorpusKind kind);

}  // namespace umbranet
