// Tier 2 in PostgreSQL.
//
// A user is searched in memory (search/episode_cache.h) until there are more than
// Options::cached_documents_max episodes: one small query before each search tells what this
// process lacks, whoever wrote it. From then on the user is searched in the database, in every
// process: the episodes' terms are taken into a table by slices behind the writes, and where the
// server has pgvector their vectors into a column of its type. Both ways find the same, but that
// the nearest of a user with more than compared_documents_max episodes come from an HNSW index,
// which may miss one.
//
// All methods may be called from any thread. The pool must outlive this.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "umbranet/adapters/postgres/postgres_episode_rows.h"
#include "umbranet/adapters/postgres/postgres_pool.h"
#include "umbranet/adapters/postgres/postgres_vectors.h"
#include "umbranet/base/mutex.h"
#include "umbranet/ports/episodic_memory.h"
#include "umbranet/search/episode_cache.h"

namespace umbranet {

class PostgresEpisodicMemory final : public EpisodicMemory {
 public:
  struct Options {
    std::size_t cache_bytes_max = std::size_t{128} << 20U;  // Of all users' episodes in memory.
    std::uint64_t cached_documents_max = 20'000;
    // Comparing this many in the database takes some 50 ms.
    std::uint64_t compared_documents_max = 50'000;
    // Of whose generation everything is asked.
    GenerationState which = GenerationState::kInForce;
  };

  explicit PostgresEpisodicMemory(PostgresPool& pool);  // With the default options.
  PostgresEpisodicMemory(PostgresPool& pool, Options options);

  // A sentence for the log at the start where the server does not compare vectors (pgvector is not
  // there, or not set up); empty where it does. Everything works either way.
  Result<std::string> WhyVectorsAreComparedHere(Deadline deadline);

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
  // Works in slices; what is remembered of the user meanwhile stays. When it fails half way, call
  // it again. Other processes let go of what they hold in memory with their next search of the
  // user, or when they are told to (LetGo).
  Result<std::uint64_t> EraseUser(const UserKey& user, Deadline deadline) override;
  Result<EpisodesFound> Find(const EpisodeQuery& asked, Deadline deadline) override;
  Result<UnembeddedPage> Unembedded(std::string_view space, std::string_view cursor,
                                    std::size_t limit, Deadline deadline) override;
  Status SaveVectors(std::string_view space, std::span<const EpisodeVector> vectors,
                     Deadline deadline) override;
  Result<std::uint64_t> CountVectors(const UserKey& user, Deadline deadline) override;

  // Removes what one generation of a user's memory has here, in slices. How many episodes it had.
  Result<std::uint64_t> EraseMemory(std::int64_t memory_key, Deadline deadline);
  // Of what is held in memory; what is in the database stays.
  Status LetGo(const UserKey& user, Deadline deadline);

  void LetGoOfAll() { cache_.DropAll(); }

  [[nodiscard]] std::size_t HeldBytes() const { return cache_.bytes(); }

 private:
  [[nodiscard]] bool IsInForce() const { return options_.which == GenerationState::kInForce; }

  // Of the database, asked once in the life of a process and again while it has no column.
  Result<PostgresVectorSupport> Support(Deadline deadline);
  void MoveIntoDatabase(std::int64_t memory_key, Deadline deadline);

  PostgresPool& pool_;
  const Options options_;
  EpisodeCache cache_;
  Mutex mutex_;
  std::optional<PostgresVectorSupport> support_ GUARDED_BY(mutex_);
};

}  // namespace umbranet
