// The vectors of episodes, in the file. Functions work in the transaction of their connection, on
// that connection's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include "umbranet/adapters/sqlite/sqlite_connection.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/ports/episodic_memory.h"
#include "umbranet/search/user_episodes.h"

namespace umbranet {

// Nothing when no vector of that space was ever saved.
Result<std::optional<std::int64_t>> FindEmbeddingSpace(SqliteConnection& connection,
                                                       std::string_view space);
Status SaveEpisodeVectors(SqliteConnection& connection, std::string_view space,
                          std::span<const EpisodeVector> vectors);
Status RemoveEpisodeVector(SqliteConnection& connection, std::int64_t episode_key);
Result<UnembeddedPage> ReadUnembedded(SqliteConnection& connection, std::string_view space,
                                      std::int64_t after_key, std::size_t limit);

struct StoredVector {
  std::int64_t vector_key = 0;
  Role role = Role::kUser;
  UserEpisodes::Vector vector;
};

// Hands over the user's vectors behind `after_key`, of whatever space, in the order of their keys.
Status ReadVectors(SqliteConnection& connection, std::int64_t user_key, std::int64_t after_key,
                   const std::function<void(StoredVector&&)>& take);

}  // namespace umbranet
