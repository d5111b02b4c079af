// The table of episodes: what is written and read of it. Functions work in the transaction of their
// connection, on its thread; those that change something, under the lock of the user's book.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/adapters/postgres/postgres_connection.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/episode.h"
#include "umbranet/domain/reflection_plan.h"

namespace umbranet {

// A user's line in the book of episodes.
struct EpisodeExtent {
  std::int64_t user_key = 0;
  std::int64_t epoch = 0;
  std::int64_t last_episode = 0;
  std::int64_t last_vector = 0;
  std::uint64_t documents[2] = {0, 0};  // By role.
  std::uint64_t terms[2] = {0, 0};
  bool in_database = false;  // The user is searched in the database.
};

// To be followed by WHERE; ReadExtent reads a row of it.
#define UMBRANET_SELECT_EXTENT                                                   \
  "SELECT b.user_key, b.epoch, b.last_episode, b.last_vector, b.user_documents," \
  " b.assistant_documents, b.user_terms, b.assistant_terms, b.in_database"

EpisodeExtent ReadExtent(const PostgresRow& row);

// Columns of an episode `e`; EpisodeOf and the numbers below read a row of them.
#define UMBRANET_EPISODE_COLUMNS                                                           \
  "e.episode_key, e.session_id, e.memory_id, e.interaction_id, e.role, e.speaker, e.text," \
  " e.occurred_at, e.sequence, e.importance, e.event_times, e.length, e.terms"

inline constexpr int kEpisodeKeyColumn = 0;
inline constexpr int kEpisodeLengthColumn = 11;
inline constexpr int kEpisodeTermsColumn = 12;
inline constexpr int kEpisodeColumns = 13;

std::shared_ptr<const Episode> EpisodeOf(const PostgresRow& row, const UserKey& user);

// Opens the user's book where there is none, and locks it.
PostgresCommand OpenEpisodeBook(std::int64_t user_key);

struct EpisodesAdded {
  std::uint64_t documents = 0;  // That the user has now.
  bool in_database = false;
};

// The episodes of the plans but for those that are there, and those that were erased by hand. Opens
// and locks the book.
Result<EpisodesAdded> AddEpisodes(PostgresConnection& connection, std::int64_t user_key,
                                  std::span<const ReflectionPlan* const> plans);

// Takes the next `limit` episodes of the user into the index of the database. True when all of them
// are, so that the user is searched there from now on.
Result<bool> IndexEpisodes(PostgresConnection& connection, std::int64_t user_key,
                           std::size_t limit);

// How many there were.
Result<std::uint64_t> RemoveEpisodes(PostgresConnection& connection, std::int64_t user_key,
                                     std::span<const std::int64_t> episode_keys);

// False when the episode is gone.
Result<bool> SetEpisodeText(PostgresConnection& connection, std::int64_t user_key,
                            std::int64_t episode_key, std::string_view text);

}  // namespace umbranet
