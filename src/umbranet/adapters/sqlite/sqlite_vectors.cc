#include "umbranet/adapters/sqlite/sqlite_vectors.h"

#include <algorithm>
#include <string>
#include <utility>

#include "umbranet/adapters/sqlite/sqlite_memory_keys.h"
#include "umbranet/base/quantized_vector.h"
#include "umbranet/domain/episode_document.h"

namespace umbranet {
namespace {

constexpr std::string_view kSelectSpace = "SELECT space_key FROM embedding_space WHERE space = ?";
constexpr std::string_view kInsertSpace = "INSERT INTO embedding_space(space) VALUES(?)";
constexpr std::string_view kSelectEpisode =
    "SELECT e.episode_key, e.user_key, e.role FROM episode e"
    " LEFT JOIN memory_generation g ON g.memory_key = e.user_key"
    " WHERE e.memory_id = ? AND " UMBRANET_STATE_OF_MEMORY " = 1";
constexpr std::string_view kDeleteVector = "DELETE FROM episode_vector WHERE episode_key = ?";
constexpr std::string_view kInsertVector =
    "INSERT INTO episode_vector(user_key, episode_key, role, space_key, vector)"
    " VALUES(?, ?, ?, ?, ?)";
constexpr std::string_view kSelectVectors =
    "SELECT vector_key, episode_key, space_key, role, vector FROM episode_vector"
    " WHERE user_key = ? AND vector_key > ? ORDER BY vector_key";
// Of memory in force alone: an id means one episode there. The inner query bounds what one call
// looks at when nearly everything has its vector.
constexpr std::string_view kSelectUnembedded =
    "SELECT e.episode_key, e.memory_id, e.speaker, e.text,"
    " v.vector_key IS NULL AND " UMBRANET_STATE_OF_MEMORY
    " = 1"
    " FROM (SELECT episode_key, user_key, memory_id, speaker, text FROM episode"
    " WHERE episode_key > ?"
    " ORDER BY episode_key LIMIT ?) e"
    " LEFT JOIN episode_vector v ON v.episode_key = e.episode_key AND v.space_key = ?"
    " LEFT JOIN memory_generation g ON g.memory_key = e.user_key"
    " ORDER BY e.episode_key";
constexpr std::size_t kLookedAtMax = 2000;
constexpr std::int64_t kNoSpace = -1;

}  // namespace

Result<std::optional<std::int64_t>> FindEmbeddingSpace(SqliteConnection& connection,
                                                       std::string_view space) {
  SqliteStatement known = connection.Prepare(kSelectSpace);
  known.BindAll(space);
  std::optional<std::int64_t> key;
  if (known.Step()) {
    key = known.Int(0);
  }
  UMBRANET_RETURN_IF_ERROR(known.status());
  return key;
}

Status SaveEpisodeVectors(SqliteConnection& connection, std::string_view space,
                          std::span<const EpisodeVector> vectors) {
  UMBRANET_ASSIGN_OR_RETURN(std::optional<std::int64_t> space_key,
                            FindEmbeddingSpace(connection, space));
  if (!space_key.has_value()) {
    UMBRANET_RETURN_IF_ERROR(connection.Run(kInsertSpace, space));
    space_key = connection.LastInsertRowid();
  }
  SqliteStatement episode = connection.Prepare(kSelectEpisode);
  SqliteStatement insert = connection.Prepare(kInsertVector);
  for (const EpisodeVector& vector : vectors) {
    episode.Reset();
    episode.BindAll(vector.memory_id);
    const bool is_there = episode.Step();
    UMBRANET_RETURN_IF_ERROR(episode.status());
    if (!is_there) {
      continue;
    }
    const std::int64_t episode_key = episode.Int(0);
    UMBRANET_RETURN_IF_ERROR(RemoveEpisodeVector(connection, episode_key));
    insert.Reset();
    insert.BindAll(episode.Int(1), episode_key, episode.Int(2), *space_key);
    const std::string packed = PackVector(Quantize(vector.embedding));
    insert.BindBlob(5, packed);
    UMBRANET_RETURN_IF_ERROR(insert.Run());
  }
  return {};
}

Status RemoveEpisodeVector(SqliteConnection& connection, std::int64_t episode_key) {
  return connection.Run(kDeleteVector, episode_key);
}

Result<UnembeddedPage> ReadUnembedded(SqliteConnection& connection, std::string_view space,
                                      std::int64_t after_key, std::size_t limit) {
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> space_key,
                            FindEmbeddingSpace(connection, space));
  UnembeddedPage page;
  SqliteStatement rows = connection.Prepare(kSelectUnembedded);
  rows.BindAll(after_key, kLookedAtMax, space_key.value_or(kNoSpace));
  std::size_t looked_at = 0;
  std::int64_t last_key = after_key;
  while (page.episodes.size() < limit && rows.Step()) {
    ++looked_at;
    last_key = rows.Int(0);
    if (rows.Int(4) != 0) {
      page.episodes.push_back({rows.String(1), EmbeddedText(rows.Text(3), rows.Text(2))});
    }
  }
  UMBRANET_RETURN_IF_ERROR(rows.status());
  if (looked_at == kLookedAtMax || page.episodes.size() == limit) {
    page.next_cursor = std::to_string(last_key);
  }
  return page;
}

Status ReadVectors(SqliteConnection& connection, std::int64_t user_key, std::int64_t after_key,
                   const std::function<void(StoredVector&&)>& take) {
  SqliteStatement rows = connection.Prepare(kSelectVectors);
  rows.BindAll(user_key, after_key);
  while (rows.Step()) {
    std::optional<QuantizedVector> vector = UnpackVector(rows.Blob(4));
    if (vector.has_value()) {
      take({rows.Int(0),
            static_cast<Role>(rows.Int(3)),
            {rows.Int(1), rows.Int(2), std::move(*vector)}});
    }
  }
  return rows.status();
}

}  // namespace umbranet
