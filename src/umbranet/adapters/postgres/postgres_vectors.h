// The vectors of episodes in PostgreSQL.
//
// All of them are kept quantised (quantized_vector.h), which is what searches in memory load. Those
// of users who are searched in the database are kept a second time in a column of pgvector's type,
// where the server has the extension; it is filled behind the writes, in slices, and what is not in
// it yet is compared by this program. So what is found does not depend on how far that has come, or
// on whether there is an extension at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/adapters/postgres/postgres_connection.h"
#include "umbranet/adapters/postgres/postgres_pool.h"
#include "umbranet/base/result.h"
#include "umbranet/ports/episodic_memory.h"

namespace umbranet {

// What the database can do with vectors.
struct PostgresVectorSupport {
  bool has_column = false;   // There is the extension, and the schema makes use of it.
  bool can_iterate = false;  // pgvector 0.8: an index that goes on until enough rows are found.
  std::string why_not;       // A sentence for the operator; empty when there is a column.
};

Result<PostgresVectorSupport> ReadVectorSupport(PostgresConnection& connection);

// In one transaction. Whose vectors they were, of those who are searched in the database.
Result<std::vector<std::int64_t>> SaveEpisodeVectors(PostgresPool& pool, std::string_view space,
                                                     std::span<const EpisodeVector> vectors,
                                                     Deadline deadline);

// Copies up to `limit` vectors of the user into the column, and makes the index over it when there
// is none. How many it copied. Only where there is a column.
Result<std::size_t> FillVectorColumn(PostgresPool& pool, std::int64_t user_key, std::size_t limit,
                                     Deadline deadline);

Result<UnembeddedPage> ReadUnembedded(PostgresConnection& connection, std::string_view space,
                                      std::int64_t after_key, std::size_t limit);

// A user's vectors to be searched among.
struct VectorSearch {
  std::int64_t user_key = 0;
  std::int64_t space_key = 0;
  const Embedding& question;
  Timestamp horizon{};     // Only episodes that had occurred by then.
  bool use_index = false;  // HNSW, where the user has so many that comparing all takes long.
};

struct NearEpisode {
  std::int64_t episode_key = 0;
  float similarity = 0;
};

// The nearest of one role that are similar at all, at most `limit`, nearest first. In a
// transaction.
Result<std::vector<NearEpisode>> FindNearest(PostgresConnection& connection,
                                             const PostgresVectorSupport& support,
                                             const VectorSearch& search, Role role,
                                             std::size_t limit);

}  // namespace umbranet
