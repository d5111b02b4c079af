#include "umbranet/adapters/postgres/postgres_vectors.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <utility>

#include "umbranet/adapters/postgres/postgres_memory_keys.h"
#include "umbranet/base/quantized_vector.h"
#include "umbranet/domain/episode_document.h"

namespace umbranet {
namespace {

constexpr std::string_view kSelectSupport =
    "SELECT EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass('episode_vector')"
    " AND attname = 'embedding' AND NOT attisdropped AND atttypid = to_regtype('vector')),"
    " coalesce((SELECT string_to_array(extversion, '.')::integer[] >= ARRAY[0, 8]"
    " FROM pg_extension WHERE extname = 'vector'), false),"
    " EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'vector')";

constexpr std::string_view kInsertSpace =
    "INSERT INTO embedding_space(space) VALUES($1) ON CONFLICT (space) DO NOTHING";
constexpr std::string_view kSelectSpace = "SELECT space_key FROM embedding_space WHERE space = $1";
// In the order of their keys, so that two calls do not wait for each other. Of memory in force
// alone: an id means one episode there.
constexpr std::string_view kLockBooks =
    "SELECT user_key FROM episode_book WHERE user_key IN"
    " (SELECT e.user_key FROM episode e" UMBRANET_JOIN_ACCOUNT_OF(
        "e") " WHERE e.memory_id = ANY($1::text[]) AND " UMBRANET_ROW_IS_IN_FORCE("e") ")"
    " ORDER BY user_key FOR UPDATE";
constexpr std::string_view kDeleteVectors =
    "DELETE FROM episode_vector WHERE episode_key IN (SELECT episode_key FROM episode"
    " WHERE memory_id = ANY($1::text[]) AND user_key = ANY($2::bigint[]))";
constexpr std::string_view kInsertVectors =
    "WITH put AS (INSERT INTO episode_vector(episode_key, user_key, space_key, role, occurred_at,"
    " packed) SELECT e.episode_key, e.user_key, $1, e.role, e.occurred_at, n.packed"
    " FROM unnest($2::text[], $3::bytea[]) AS n(memory_id, packed)"
    " JOIN episode e ON e.memory_id = n.memory_id WHERE e.user_key = ANY($4::bigint[])"
    " RETURNING user_key, vector_key),"
    " latest AS (SELECT user_key, max(vector_key) AS vector_key FROM put GROUP BY user_key)"
    " UPDATE episode_book b SET last_vector = l.vector_key FROM latest l"
    " WHERE b.user_key = l.user_key RETURNING b.user_key, b.in_database";

constexpr std::string_view kSelectUnfilled =
    "SELECT episode_key, vector_key, space_key, packed FROM episode_vector"
    " WHERE user_key = $1 AND embedding IS NULL ORDER BY vector_key LIMIT $2";
constexpr std::string_view kFill =
    "UPDATE episode_vector SET embedding = $1::real[]::vector"
    " WHERE episode_key = $2 AND vector_key = $3";

// The inner query bounds what one call looks at when nearly everything has its vector.
constexpr std::string_view kSelectUnembedded =
    "SELECT e.episode_key, v.episode_key IS NULL AND coalesce(g.state, 1) = 1, e.memory_id,"
    " CASE WHEN v.episode_key IS NULL THEN e.speaker END,"
    " CASE WHEN v.episode_key IS NULL THEN e.text END"
    " FROM (SELECT episode_key, user_key, memory_id, speaker, text FROM episode"
    " WHERE episode_key > $1 ORDER BY episode_key LIMIT $2) e"
    " LEFT JOIN memory_generation g ON g.memory_key = e.user_key"
    " LEFT JOIN episode_vector v ON v.episode_key = e.episode_key AND v.space_key ="
    " (SELECT space_key FROM embedding_space WHERE space = $3)"
    " ORDER BY e.episode_key";
constexpr std::size_t kLookedAtMax = 2000;

constexpr std::string_view kSelectTable = "SELECT to_regclass($1) IS NOT NULL";

constexpr std::string_view kCompareAll =
    "SELECT episode_key, -(embedding <#> $4::real[]::vector) FROM episode_vector"
    " WHERE user_key = $1 AND space_key = $2 AND role = $3 AND occurred_at <= $5"
    " AND vector_dims(embedding) = $6"
    " ORDER BY embedding <#> $4::real[]::vector, episode_key LIMIT $7";
constexpr std::string_view kSelectPacked =
    "SELECT vector_key, episode_key, packed FROM episode_vector"
    " WHERE user_key = $1 AND space_key = $2 AND role = $3 AND occurred_at <= $4"
    " AND vector_key > $5 ORDER BY vector_key LIMIT $6";
constexpr std::string_view kSelectPackedUnfilled =
    "SELECT vector_key, episode_key, packed FROM episode_vector"
    " WHERE user_key = $1 AND space_key = $2 AND role = $3 AND occurred_at <= $4"
    " AND vector_key > $5 AND embedding IS NULL ORDER BY vector_key LIMIT $6";
constexpr std::int64_t kPackedPage = 5000;  // Some 2 MB.

// The index's own order is wanted, not a sort of everything; and when the rows of others fill what
// it finds first, it is to go on.
constexpr std::string_view kTuneIndex =
    "SELECT set_config('enable_sort', 'off', true), set_config('hnsw.ef_search', $1, true),"
    " set_config('hnsw.iterative_scan', $2, true)";
constexpr std::string_view kTuneOldIndex =
    "SELECT set_config('enable_sort', 'off', true), set_config('hnsw.ef_search', $1, true)";
constexpr std::size_t kEfSearchMin = 200;
constexpr std::size_t kEfSearchMax = 1000;
// pgvector's own bound for an index over vector.
constexpr std::size_t kIndexedDimensionMax = 2000;

// Numbers of ours alone become part of a statement here: an index over an expression is found by
// its constants.
std::string IndexName(std::int64_t space_key, std::size_t dimension) {
  return "episode_vector_near_" + std::to_string(space_key) + "_" + std::to_string(dimension);
}

std::string CreateIndexSql(std::int64_t space_key, std::size_t dimension) {
  const std::string space = std::to_string(space_key);
  const std::string size = std::to_string(dimension);
  return "CREATE INDEX IF NOT EXISTS " + IndexName(space_key, dimension) +
         " ON episode_vector USING hnsw ((embedding::vector(" + size +
         ")) vector_ip_ops) WHERE space_key = " + space + " AND vector_dims(embedding) = " + size;
}

std::string NearestSql(std::int64_t space_key, std::size_t dimension) {
  const std::string size = std::to_string(dimension);
  const std::string distance =
      "embedding::vector(" + size + ") <#> $3::real[]::vector(" + size + ")";
  return "SELECT episode_key, -(" + distance +
         ") FROM episode_vector WHERE user_key = $1 AND role = $2 AND occurred_at <= $4"
         " AND space_key = " +
         std::to_string(space_key) + " AND vector_dims(embedding) = " + size + " ORDER BY " +
         distance + " LIMIT $5";
}

Embedding Unpacked(const QuantizedVector& vector) {
  Embedding unpacked;
  unpacked.reserve(vector.values.size());
  for (const std::int8_t value : vector.values) {
    unpacked.push_back(vector.scale * static_cast<float>(value));
  }
  return unpacked;
}

void Keep(std::vector<NearEpisode>& nearest, std::size_t limit) {
  std::erase_if(nearest, [](const NearEpisode& near) { return !(near.similarity > 0); });
  std::sort(nearest.begin(), nearest.end(), [](const NearEpisode& a, const NearEpisode& b) {
    return a.similarity != b.similarity ? a.similarity > b.similarity
                                        : a.episode_key < b.episode_key;
  });
  nearest.resize(std::min(nearest.size(), limit));
}

void Take(const PostgresRows& rows, std::vector<NearEpisode>& nearest) {
  for (const PostgresRow row : rows) {
    nearest.push_back({row.Int(0), static_cast<float>(row.Real(1))});
  }
}

// Those that pgvector has, exactly.
Status CompareColumn(PostgresConnection& connection, const VectorSearch& search, Role role,
                     std::size_t limit, std::vector<NearEpisode>& nearest) {
  UMBRANET_ASSIGN_OR_RETURN(
      const PostgresRows rows,
      connection.Query(kCompareAll, search.user_key, search.space_key, role, search.question,
                       search.horizon, search.question.size(), limit));
  Take(rows, nearest);
  return {};
}

// Those that pgvector has, through the index. False: it did not find enough, being filled with
// other users' rows.
Result<bool> SearchIndex(PostgresConnection& connection, const PostgresVectorSupport& support,
                         const VectorSearch& search, Role role, std::size_t limit,
                         std::vector<NearEpisode>& nearest) {
  const std::string ef_search = std::to_string(std::clamp(limit * 2, kEfSearchMin, kEfSearchMax));
  const std::string statement = NearestSql(search.space_key, search.question.size());
  std::vector<PostgresCommand> commands;
  commands.push_back(support.can_iterate
                         ? MakeCommand(kTuneIndex, ef_search, std::string_view("strict_order"))
                         : MakeCommand(kTuneOldIndex, ef_search));
  commands.push_back(
      MakeCommand(statement, search.user_key, role, search.question, search.horizon, limit));
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<PostgresRows> results, connection.RunAll(commands));
  if (static_cast<std::size_t>(results[1].size()) < limit) {
    return false;
  }
  Take(results[1], nearest);
  return true;
}

// Those that pgvector does not have.
Status CompareHere(PostgresConnection& connection, bool has_column, const VectorSearch& search,
                   Role role, std::size_t limit, std::vector<NearEpisode>& nearest) {
  const VectorProbe probe(search.question);
  std::int64_t after = 0;
  for (std::int64_t read = kPackedPage; read == kPackedPage;) {
    UMBRANET_ASSIGN_OR_RETURN(
        const PostgresRows rows,
        connection.Query(has_column ? kSelectPackedUnfilled : kSelectPacked, search.user_key,
                         search.space_key, role, search.horizon, after, kPackedPage));
    for (const PostgresRow row : rows) {
      after = row.Int(0);
      const std::optional<QuantizedVector> vector = UnpackVector(row.Text(2));
      if (vector.has_value() && vector->values.size() == probe.dimension()) {
        nearest.push_back({row.Int(1), probe.Product(vector->values, vector->scale)});
      }
    }
    Keep(nearest, limit);
    read = rows.size();
  }
  return {};
}

// Without the right to make it, or when another process was quicker, there is nothing to be said:
// without the index everything is compared.
Status MakeIndex(PostgresPool& pool, std::int64_t space_key, std::size_t dimension,
                 Deadline deadline) {
  const Status made = pool.Run(deadline, [&](PostgresConnection& connection) -> Status {
    // Asked first, since making it waits for writers also when it is there.
    UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows,
                              connection.Query(kSelectTable, IndexName(space_key, dimension)));
    return rows[0].Bool(0) ? Status() : connection.RunScript(CreateIndexSql(space_key, dimension));
  });
  return made.ok() || made.error().code != ErrorCode::kUnavailable ? Status() : made;
}

}  // namespace

Result<PostgresVectorSupport> ReadVectorSupport(PostgresConnection& connection) {
  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows, connection.Query(kSelectSupport));
  PostgresVectorSupport support;
  support.has_column = rows[0].Bool(0);
  support.can_iterate = support.has_column && rows[0].Bool(1);
  if (!support.has_column) {
    support.why_not =
        connection.name() +
        (rows[0].Bool(2)
             ? " has the extension vector (pgvector), but the schema does not use it yet; run "
               "umbranet"
               " migrate; until then this program compares vectors itself"
             : " is without the extension vector (pgvector); this program compares vectors itself,"
               " which takes longer for users with very many memories");
  }
  return support;
}

Result<std::vector<std::int64_t>> SaveEpisodeVectors(PostgresPool& pool, std::string_view space,
                                                     std::span<const EpisodeVector> vectors,
                                                     Deadline deadline) {
  // The last one of an episode counts.
  std::set<std::string_view> seen;
  std::vector<std::string> ids;
  std::vector<std::string> packed;
  for (auto vector = vectors.rbegin(); vector != vectors.rend(); ++vector) {
    if (seen.insert(vector->memory_id).second) {
      ids.push_back(vector->memory_id);
      packed.push_back(PackVector(Quantize(vector->embedding)));
    }
  }
  const std::vector<PostgresBytes> bytes(packed.begin(), packed.end());
  UMBRANET_ASSIGN_OR_RETURN(
      const std::int64_t space_key,
      pool.Run(deadline, [&](PostgresConnection& connection) -> Result<std::int64_t> {
        UMBRANET_ASSIGN_OR_RETURN(const std::vector<PostgresRows> rows,
                                  connection.RunAll(std::array{MakeCommand(kInsertSpace, space),
                                                               MakeCommand(kSelectSpace, space)}));
        return rows[1][0].Int(0);
      }));
  return pool.Transact(
      deadline, PostgresIsolation::kReadCommitted,
      [&](PostgresConnection& connection) -> Result<std::vector<std::int64_t>> {
        std::vector<std::int64_t> users;
        UMBRANET_ASSIGN_OR_RETURN(const PostgresRows locked, connection.Query(kLockBooks, ids));
        for (const PostgresRow row : locked) {
          users.push_back(row.Int(0));
        }
        UMBRANET_ASSIGN_OR_RETURN(const std::vector<PostgresRows> put,
                                  connection.RunAll(std::array{
                                      MakeCommand(kDeleteVectors, ids, users),
                                      MakeCommand(kInsertVectors, space_key, ids, bytes, users)}));
        std::vector<std::int64_t> in_database;
        for (const PostgresRow row : put[1]) {
          if (row.Bool(1)) {
            in_database.push_back(row.Int(0));
          }
        }
        return in_database;
      },
      PostgresDurability::kSoon);
}

Result<std::size_t> FillVectorColumn(PostgresPool& pool, std::int64_t user_key, std::size_t limit,
                                     Deadline deadline) {
  std::vector<PostgresCommand> fills;
  std::set<std::pair<std::int64_t, std::size_t>> indexes;
  UMBRANET_RETURN_IF_ERROR(pool.Read(deadline, [&](PostgresConnection& connection) -> Status {
    fills.clear();
    indexes.clear();
    UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows,
                              connection.Query(kSelectUnfilled, user_key, limit));
    for (const PostgresRow row : rows) {
      const std::optional<QuantizedVector> vector = UnpackVector(row.Text(3));
      if (vector.has_value()) {
        fills.push_back(MakeCommand(kFill, Unpacked(*vector), row.Int(0), row.Int(1)));
        indexes.emplace(row.Int(2), vector->values.size());
      }
    }
    return {};
  }));
  if (fills.empty()) {
    return std::size_t{0};
  }
  // Before the first row is in the column: an index over nothing is made at once.
  for (const auto& [space_key, dimension] : indexes) {
    if (dimension <= kIndexedDimensionMax) {
      UMBRANET_RETURN_IF_ERROR(MakeIndex(pool, space_key, dimension, deadline));
    }
  }
  UMBRANET_RETURN_IF_ERROR(pool.Transact(
      deadline, PostgresIsolation::kReadCommitted,
      [&](PostgresConnection& connection) -> Status {
        const Result<std::vector<PostgresRows>> filled = connection.RunAll(fills);
        return filled.ok() ? Status() : filled.error();
      },
      PostgresDurability::kSoon));
  return fills.size();
}

Result<UnembeddedPage> ReadUnembedded(PostgresConnection& connection, std::string_view space,
                                      std::int64_t after_key, std::size_t limit) {
  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows,
                            connection.Query(kSelectUnembedded, after_key, kLookedAtMax, space));
  UnembeddedPage page;
  std::size_t looked_at = 0;
  std::int64_t last_key = after_key;
  for (const PostgresRow row : rows) {
    if (page.episodes.size() == limit) {
      break;
    }
    ++looked_at;
    last_key = row.Int(0);
    if (row.Bool(1)) {
      page.episodes.push_back({row.String(2), EmbeddedText(row.Text(4), row.Text(3))});
    }
  }
  if (looked_at == kLookedAtMax || page.episodes.size() == limit) {
    page.next_cursor = std::to_string(last_key);
  }
  return page;
}

Result<std::vector<NearEpisode>> FindNearest(PostgresConnection& connection,
                                             const PostgresVectorSupport& support,
                                             const VectorSearch& search, Role role,
                                             std::size_t limit) {
  std::vector<NearEpisode> nearest;
  if (limit == 0) {
    return nearest;
  }
  if (support.has_column) {
    bool found = false;
    if (search.use_index && search.question.size() <= kIndexedDimensionMax) {
      UMBRANET_ASSIGN_OR_RETURN(found,
                                SearchIndex(connection, support, search, role, limit, nearest));
    }
    if (!found) {
      UMBRANET_RETURN_IF_ERROR(CompareColumn(connection, search, role, limit, nearest));
    }
  }
  UMBRANET_RETURN_IF_ERROR(
      CompareHere(connection, support.has_column, search, role, limit, nearest));
  return nearest;
}

}  // namespace umbranet
