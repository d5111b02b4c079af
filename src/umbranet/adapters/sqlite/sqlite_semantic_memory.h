// Tier 3 in the ledger's file: names, statements and the facts that follow from them.
//
// What turns said is kept as it was said (fact_statement), and facts are worked out of it by
// FoldFactStatements whenever something that bears on them arrives; so late turns, repeated turns
// and two names that turn out to mean one person all end in the same graph. A fact's memory id is
// that of its first statement; the ids of its other statements find it too, so an id that a client
// holds stays good when an earlier turn arrives late.
//
// All methods may be called from any thread. The database must outlive this.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/adapters/sqlite/fact_cache.h"
#include "umbranet/adapters/sqlite/sqlite_database.h"
#include "umbranet/adapters/sqlite/sqlite_fact_slots.h"
#include "umbranet/adapters/sqlite/sqlite_memory_keys.h"
#include "umbranet/adapters/sqlite/sqlite_text_index.h"
#include "umbranet/adapters/sqlite/sqlite_tier_book.h"
#include "umbranet/ports/semantic_memory.h"

namespace umbranet {

class SqliteSemanticMemory final : public SemanticMemory {
 public:
  // Facts are kept in memory and searched there as far as there is room for a user's, whole; the
  // rest is searched in the file. 1,000 take about 1 MiB.
  struct Options {
    // False: the ledger is in another database, so no lease can be checked; the markers alone keep
    // a plan from being applied twice.
    bool fenced = true;
    std::size_t cached_facts_max = 50'000;
    std::size_t cached_facts_of_user_max = 20'000;
    // Which memory of a user this is: the one in force, or the shadow, to which plans are applied
    // without a lease.
    GenerationState which = GenerationState::kInForce;
  };

  explicit SqliteSemanticMemory(SqliteDatabase& database) : SqliteSemanticMemory(database, {}) {}

  SqliteSemanticMemory(SqliteDatabase& database, Options options);

  Status Apply(std::span<const ReflectionPlan> plans, const Lease& fence,
               Deadline deadline) override;
  Result<MemoryPage> List(const UserKey& user, std::string_view cursor, std::size_t limit,
                          Deadline deadline) override;
  Result<std::optional<MemoryItem>> Get(std::string_view tenant, std::string_view memory_id,
                                        Deadline deadline) override;
  Result<std::optional<MemoryItem>> Update(std::string_view tenant, std::string_view memory_id,
                                           const MemoryPatch& patch, Deadline deadline) override;
  // A fact that the erased one had superseded holds again.
  Result<bool> Erase(std::string_view tenant, std::string_view memory_id,
                     Deadline deadline) override;
  Result<std::uint64_t> EraseUser(const UserKey& user, Deadline deadline) override;
  Result<std::uint64_t> ForgetUser(const UserKey& user, std::int64_t through_sequence,
                                   Deadline deadline) override;
  Result<FactsFound> Find(const FactQuery& query, Deadline deadline) override;
  Result<std::vector<Entity>> KnownEntities(const UserKey& user, std::size_t limit,
                                            Deadline deadline) override;
  // The newest facts, newest first, and the entities in them.
  Result<KnowledgeGraph> ReadGraph(const UserKey& user, std::size_t facts_max,
                                   Deadline deadline) override;
  Result<std::vector<EntityMerge>> Merges(const UserKey& user, std::size_t limit,
                                          Deadline deadline) override;
  Result<std::size_t> Unmerge(const UserKey& user, std::string_view name, std::string_view from,
                              Deadline deadline) override;

  // The rows of one generation that is nobody's any more.
  Status EraseMemory(std::int64_t memory_key, Deadline deadline);

 private:
  Status ApplyPlans(SqliteConnection& connection, const TierApplication& application);
  Status AddStatements(SqliteConnection& connection, const TierApplication& application,
                       const ReflectionPlan& plan, SqliteFactSlots& slots) const;
  // The statements with these ids in every generation, changed or taken out.
  Status EditEverywhere(SqliteConnection& connection, std::string_view statement_id,
                        const MemoryPatch& patch, const UserKey& user);
  Status EraseEverywhere(SqliteConnection& connection, std::span<const std::string> statement_ids,
                         const UserKey& user);
  Result<std::uint64_t> EraseFacts(SqliteConnection& connection, std::int64_t user_key);
  // How many merges were undone.
  Result<std::size_t> Part(SqliteConnection& connection, std::int64_t memory_key,
                           const UserKey& user, const std::string& name, const std::string& from);
  // `forgotten_through` is left as a tombstone, when there is one.
  Result<std::uint64_t> EraseAll(const UserKey& user, std::optional<std::int64_t> forgotten_through,
                                 Deadline deadline);

  // Null when they are to be searched in the file.
  Result<std::shared_ptr<const UserFacts>> FactsInMemory(SqliteConnection& connection,
                                                         std::int64_t user_key,
                                                         const UserKey& user);
  Result<FactsFound> FindInFile(SqliteConnection& connection, std::int64_t user_key,
                                const FactQuery& query) const;

  SqliteDatabase& database_;
  const Options options_;
  const SqliteTextIndex index_;
  FactCache cache_;
};

}  // namespace umbranet
