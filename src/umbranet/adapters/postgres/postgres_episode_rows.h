// The table of episodes: what is written and read of it. Functions work in the transaction of their
// connection, on its thread; those that change something, under the lock of the memory's book. Who
// changes more than one generation of a user's memory, or takes over what was changed in another,
// has locked the book of the user's own key before.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/adapters/postgres/postgres_connection.h"
#include "umbranet/adapters/postgres/postgres_memory_keys.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/episode.h"
#include "umbranet/domain/reflection_plan.h"

namespace umbranet {

// A memory's line in the book of episodes.
struct EpisodeExtent {
  std::int64_t user_key = 0;  // The memory key.
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

// The episodes of the plans but for those that are there, and those that were erased by hand; what
// was changed by hand in another generation comes as it was changed, and with the vectors that are
// known of the same words. Opens and locks the book.
Result<EpisodesAdded> AddEpisodes(PostgresConnection& connection, const PostgresMemory& memory,
                                  std::span<const ReflectionPlan* const> plans);

// Takes the next `limit` episodes of the user into the index of the database. True when all of them
// are, so that the user is searched there from now on.
Result<bool> IndexEpisodes(PostgresConnection& connection, std::int64_t user_key,
                           std::size_t limit);

// How many there were.
Result<std::uint64_t> RemoveEpisodes(PostgresConnection& connection, std::int64_t user_key,
                                     std::span<const std::int64_t> episode_keys);

// An episode as one generation of its owner's memory has it.
struct PlacedEpisode {
  std::int64_t memory_key = 0;
  std::int64_t episode_key = 0;
};

// In every generation, with the book of each locked, the owner's own first.
Result<std::vector<PlacedEpisode>> LockEpisodeEverywhere(PostgresConnection& connection,
                                                         std::int64_t owner_key,
                                                         std::string_view memory_id);

// False when the episode is gone.
Result<bool> SetEpisodeText(PostgresConnection& connection, const PlacedEpisode& episode,
                            std::string_view text);

}  // namespace umbranet
