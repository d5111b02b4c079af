// The search of tier 2 in the database, for users too large to be searched in memory: the same
// documents by the same BM25, out of the table episode_term, and the nearest by their vectors.
#pragma once

#include <cstdint>
#include <optional>

#include "umbranet/adapters/postgres/postgres_connection.h"
#include "umbranet/adapters/postgres/postgres_episode_rows.h"
#include "umbranet/adapters/postgres/postgres_vectors.h"
#include "umbranet/base/result.h"
#include "umbranet/ports/episodic_memory.h"

namespace umbranet {

struct EpisodeSearch {
  EpisodeExtent extent;                   // As the snapshot has it.
  std::optional<std::int64_t> space_key;  // Of the question's embedding, where there is one.
  PostgresVectorSupport support;
  // Users with more episodes have their nearest found by an index, which may miss one.
  std::uint64_t compared_documents_max = 0;
};

// In a snapshot, on its connection's thread.
Result<EpisodesFound> SearchEpisodes(PostgresConnection& connection, const EpisodeSearch& search,
                                     const EpisodeQuery& query);

}  // namespace umbranet
