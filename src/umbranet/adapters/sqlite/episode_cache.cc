#include "umbranet/adapters/sqlite/episode_cache.h"

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "umbranet/adapters/sqlite/sqlite_episode_row.h"
#include "umbranet/adapters/sqlite/sqlite_vectors.h"

namespace umbranet {
namespace {

constexpr std::string_view kSelectSessions =
    "SELECT session_key, session_id FROM episode_session WHERE user_key = ?";

}  // namespace

std::shared_ptr<EpisodeCache::Shelf> EpisodeCache::Borrow(std::int64_t user_key) {
  const MutexLock lock(mutex_);
  Place& place = places_[user_key];
  if (place.shelf == nullptr) {
    place.shelf = std::make_shared<Shelf>();
    used_.push_front(user_key);
    place.used = used_.begin();
  } else {
    used_.splice(used_.begin(), used_, place.used);
  }
  return place.shelf;
}

void EpisodeCache::Account(std::int64_t user_key, const std::shared_ptr<Shelf>& shelf,
                           std::size_t bytes) {
  const MutexLock lock(mutex_);
  const auto place = places_.find(user_key);
  if (place == places_.end() || place->second.shelf != shelf) {
    return;  // It was dropped meanwhile.
  }
  bytes_ += bytes - place->second.bytes;
  place->second.bytes = bytes;
  while (bytes_ > bytes_max_ && !used_.empty()) {
    const auto oldest = places_.find(used_.back());
    bytes_ -= oldest->second.bytes;
    places_.erase(oldest);
    used_.pop_back();
  }
}

void EpisodeCache::Drop(std::int64_t user_key) {
  const MutexLock lock(mutex_);
  const auto place = places_.find(user_key);
  if (place != places_.end()) {
    bytes_ -= place->second.bytes;
    used_.erase(place->second.used);
    places_.erase(place);
  }
}

std::size_t EpisodeCache::bytes() const {
  const MutexLock lock(mutex_);
  return bytes_;
}

Status EpisodeCache::CatchUp(SqliteConnection& connection, std::int64_t user_key,
                             const Extent& extent, const UserKey& user, Shelf& shelf) {
  if (!shelf.loaded || shelf.revision < extent.revision) {
    shelf.episodes = UserEpisodes();
    shelf.last_episode = 0;
    shelf.last_vector = 0;
    shelf.revision = extent.revision;
  } else if (shelf.revision > extent.revision) {
    return {};  // Another search, with a later snapshot, has been here.
  }
  shelf.loaded = false;  // Until all of it is there.
  if (shelf.episodes.size() < extent.documents) {
    std::unordered_map<std::int64_t, std::string> sessions;
    SqliteStatement names = connection.Prepare(kSelectSessions);
    names.BindAll(user_key);
    while (names.Step()) {
      sessions.emplace(names.Int(0), names.String(1));
    }
    UMBRANET_RETURN_IF_ERROR(names.status());
    SqliteStatement rows = connection.Prepare(kSelectUserEpisodes);
    rows.BindAll(user_key, shelf.last_episode);
    while (rows.Step()) {
      const EpisodeRow row(rows);
      shelf.episodes.Add({.episode_key = row.key(),
                          .session_key = row.session_key(),
                          .episode = row.Read(user, sessions[row.session_key()]),
                          .length = row.length(),
                          .terms = row.terms()});
      shelf.last_episode = row.key();
    }
    UMBRANET_RETURN_IF_ERROR(rows.status());
  }
  UMBRANET_RETURN_IF_ERROR(ReadVectors(connection, user_key, shelf.last_vector,
                                       [&](const StoredVector& vector) NO_THREAD_SAFETY_ANALYSIS {
                                         shelf.episodes.SetVector(vector);
                                         shelf.last_vector = vector.vector_key;
                                       }));
  shelf.loaded = true;
  return {};
}

Result<EpisodesFound> EpisodeCache::Search(SqliteConnection& connection, std::int64_t user_key,
                                           const Extent& extent, const EpisodeQuery& query) {
  std::optional<std::int64_t> space_key;
  if (query.embedding.has_value()) {
    UMBRANET_ASSIGN_OR_RETURN(space_key, FindEmbeddingSpace(connection, query.embedding_space));
  }
  const std::shared_ptr<Shelf> shelf = Borrow(user_key);
  std::size_t bytes = 0;
  EpisodesFound found;
  {
    const MutexLock lock(shelf->mutex);
    UMBRANET_RETURN_IF_ERROR(CatchUp(connection, user_key, extent, query.user, *shelf));
    found = shelf->episodes.Search(query, space_key);
    bytes = shelf->episodes.bytes();
  }
  Account(user_key, shelf, bytes);
  return found;
}

}  // namespace umbranet
