// The users' episodes that were asked for lately, in memory (user_episodes.h).
//
// A search reads from its snapshot of the file how many episodes the user has and how often any was
// changed or removed, and so knows what it lacks: new rows are added, a change makes it read the
// user anew. So nothing has to be told of writes, and a search sees at least what its snapshot
// holds. The least recently asked users leave when the bound is reached.
//
// All methods may be called from any thread; searches of one user take turns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <unordered_map>

#include "umbranet/adapters/sqlite/sqlite_connection.h"
#include "umbranet/adapters/sqlite/user_episodes.h"
#include "umbranet/base/mutex.h"
#include "umbranet/base/result.h"

namespace umbranet {

class EpisodeCache {
 public:
  explicit EpisodeCache(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  // How much the user has, as the caller's snapshot says.
  struct Extent {
    std::uint64_t documents = 0;
    std::int64_t revision = 0;
  };

  // `connection` is in a snapshot, of which `extent` was read.
  Result<EpisodesFound> Search(SqliteConnection& connection, std::int64_t user_key,
                               const Extent& extent, const EpisodeQuery& query);

  // Lets go of what it holds of a user. (Memory, not correctness, is at stake.)
  void Drop(std::int64_t user_key);

  [[nodiscard]] std::size_t bytes() const;

 private:
  struct Shelf {
    Mutex mutex;
    bool loaded GUARDED_BY(mutex) = false;
    std::int64_t revision GUARDED_BY(mutex) = 0;
    std::int64_t last_episode GUARDED_BY(mutex) = 0;
    std::int64_t last_vector GUARDED_BY(mutex) = 0;
    UserEpisodes episodes GUARDED_BY(mutex);
  };

  struct Place {
    std::shared_ptr<Shelf> shelf;
    std::size_t bytes = 0;
    std::list<std::int64_t>::iterator used;
  };

  std::shared_ptr<Shelf> Borrow(std::int64_t user_key);
  void Account(std::int64_t user_key, const std::shared_ptr<Shelf>& shelf, std::size_t bytes);
  static Status CatchUp(SqliteConnection& connection, std::int64_t user_key, const Extent& extent,
                        const UserKey& user, Shelf& shelf) REQUIRES(shelf.mutex);

  const std::size_t bytes_max_;
  mutable Mutex mutex_;
  std::unordered_map<std::int64_t, Place> places_ GUARDED_BY(mutex_);
  std::list<std::int64_t> used_ GUARDED_BY(mutex_);  // User keys, the latest first.
  std::size_t bytes_ GUARDED_BY(mutex_) = 0;
};

}  // namespace umbranet
