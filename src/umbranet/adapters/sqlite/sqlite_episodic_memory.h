// Tier 2 in the ledger's file: episodes, and an FTS5 index over their stems.
//
// Each half of a turn is one document of its user's corpus of that role. A search takes the best
// documents by FTS5's own BM25 and leaves the judgement to ranking: term counts are worked out of
// the stored stems, document frequencies come from the index, numbers of documents and their mean
// lengths from counters that change in the same transaction. Documents are bounded, see
// episode_document.h. Vectors are kept quantised (quantized_vector.h) and are all compared.
//
// A user with no more than Options::cached_documents_max episodes is searched in memory, where the
// same is held (episode_cache.h); one with more in the file. Both find the same candidates, but for
// those at the edge of candidates_max, where FTS5's weights differ a little from the plain ones.
//
// All methods may be called from any thread. The database must outlive this.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "umbranet/adapters/sqlite/sqlite_database.h"
#include "umbranet/adapters/sqlite/sqlite_memory_keys.h"
#include "umbranet/adapters/sqlite/sqlite_text_index.h"
#include "umbranet/adapters/sqlite/sqlite_tier_book.h"
#include "umbranet/ports/episodic_memory.h"
#include "umbranet/search/episode_cache.h"

namespace umbranet {

class SqliteEpisodicMemory final : public EpisodicMemory {
 public:
  struct Options {
    std::size_t cache_bytes_max = std::size_t{128} << 20U;  // Of all users' episodes in memory.
    // Reading a user of this many into memory takes some 50 ms, once.
    std::uint64_t cached_documents_max = 20'000;
    // Which memory of a user this is: the one in force, or the shadow, to which plans are applied
    // without a lease.
    GenerationState which = GenerationState::kInForce;
  };

  explicit SqliteEpisodicMemory(SqliteDatabase& database);  // With the default options.
  SqliteEpisodicMemory(SqliteDatabase& database, Options options);

  Status Apply(std::span<const ReflectionPlan> plans, const Lease& fence,
               Deadline deadline) override;
  Result<MemoryPage> List(const UserKey& user, std::string_view cursor, std::size_t limit,
                          Deadline deadline) override;
  Result<std::optional<MemoryItem>> Get(std::string_view tenant, std::string_view memory_id,
                                        Deadline deadline) override;
  Result<std::optional<MemoryItem>> Update(std::string_view tenant, std::string_view memory_id,
                                           const MemoryPatch& patch, Deadline deadline) override;
  Result<bool> Erase(std::string_view tenant, std::string_view memory_id,
                     Deadline deadline) override;
  // Works in slices, so that a user with much to forget does not hold up everybody's turns; what is
  // remembered of the user meanwhile stays. When it fails half way, call it again.
  Result<std::uint64_t> EraseUser(const UserKey& user, Deadline deadline) override;
  Result<EpisodesFound> Find(const EpisodeQuery& query, Deadline deadline) override;
  Result<UnembeddedPage> Unembedded(std::string_view space, std::string_view cursor,
                                    std::size_t limit, Deadline deadline) override;
  Status SaveVectors(std::string_view space, std::span<const EpisodeVector> vectors,
                     Deadline deadline) override;
  Result<std::uint64_t> CountVectors(const UserKey& user, Deadline deadline) override;

  // The rows of one generation that is nobody's any more, in slices. How many episodes.
  Result<std::uint64_t> EraseMemory(std::int64_t memory_key, Deadline deadline);

 private:
  Status ApplyPlan(SqliteConnection& connection, const TierApplication& application,
                   const ReflectionPlan& plan) const;
  Status AddEpisode(SqliteConnection& connection, const TierApplication& application,
                    std::int64_t session_key, const ReflectionPlan& plan,
                    const PlannedEpisode& planned, std::uint32_t ordinal) const;
  // Takes the episode out of the index and out of the corpus.
  Status Unindex(SqliteConnection& connection, std::int64_t episode_key) const;
  Status SetText(SqliteConnection& connection, std::int64_t episode_key,
                 std::string_view text) const;
  Result<std::uint64_t> EraseSlice(SqliteConnection& connection, std::int64_t user_key,
                                   std::int64_t last_key) const;

  SqliteDatabase& database_;
  const Options options_;
  const SqliteTextIndex index_;
  EpisodeCache cache_;
};

}  // namespace umbranet
