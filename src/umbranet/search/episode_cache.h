// The users' episodes that were asked for lately, in memory (user_episodes.h).
//
// Before each search the store's adapter brings a user's episodes up to date (EpisodeSource), so
// nothing has to be told of writes, and a search sees at least what the store held when it began.
// The least recently asked users leave when the bound is reached.
//
// All methods may be called from any thread; searches of one user take turns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>

#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/base/result.h"
#include "umbranet/ports/episodic_memory.h"
#include "umbranet/search/user_episodes.h"

namespace umbranet {

// How much of a store is in memory. The store decides what its numbers count; all of them rise.
struct EpisodeMark {
  std::int64_t epoch = -1;    // Changes when an episode is changed or removed. -1: nothing is here.
  std::int64_t episodes = 0;  // Episodes behind it are not here yet.
  std::int64_t vectors = 0;
};

// One user's episodes in a store, on behalf of one search.
class EpisodeSource {
 public:
  virtual ~EpisodeSource() = default;

  // Brings `episodes`, which hold the store up to `mark`, to what the store holds, and `mark` with
  // them: what is new is added, and when the epoch has changed all of it is read anew. When another
  // search has brought them further, they stay. After a failure both are thrown away.
  virtual Status CatchUp(UserEpisodes& episodes, EpisodeMark& mark) = 0;
};

class EpisodeCache {
  struct Shelf {
    Mutex mutex;
    ConditionVariable returned;
    bool lent GUARDED_BY(mutex) = false;
    // Belong to the search that has the shelf on loan.
    EpisodeMark mark;
    UserEpisodes episodes;
  };

  class Loan;

 public:
  explicit EpisodeCache(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  // `space_key` as in UserEpisodes::Search. The deadline bounds the wait for the user's turn.
  Result<EpisodesFound> Search(std::int64_t user_key, const EpisodeQuery& query,
                               std::optional<std::int64_t> space_key, EpisodeSource& source,
                               Deadline deadline);

  // A search in two steps; between them the user's episodes are free for others.
  class Begun {
   private:
    friend class EpisodeCache;

    Begun(std::int64_t user_key, std::shared_ptr<Shelf> shelf, UserEpisodes::Begun search)
        : user_key_(user_key), shelf_(std::move(shelf)), search_(std::move(search)) {}

    std::int64_t user_key_;
    std::shared_ptr<Shelf> shelf_;
    UserEpisodes::Begun search_;
  };

  // By words. The query must outlive what was begun.
  Result<Begun> Begin(std::int64_t user_key, const EpisodeQuery& query, EpisodeSource& source,
                      Deadline deadline);
  // Nothing when it has to be begun anew: the user was let go of, or see UserEpisodes::Finish.
  Result<std::optional<EpisodesFound>> Finish(Begun begun,
                                              const std::optional<Embedding>& embedding,
                                              std::optional<std::int64_t> space_key,
                                              Deadline deadline);

  // Lets go of what it holds of a user. (Memory, not correctness, is at stake.)
  void Drop(std::int64_t user_key);
  void DropAll();

  [[nodiscard]] std::size_t bytes() const;

 private:
  struct Place {
    std::shared_ptr<Shelf> shelf;
    std::size_t bytes = 0;
    std::list<std::int64_t>::iterator used;
  };

  std::shared_ptr<Shelf> Find(std::int64_t user_key);
  [[nodiscard]] bool Holds(std::int64_t user_key, const std::shared_ptr<Shelf>& shelf) const;
  // Lends the user's shelf, brought up to date, to `use`.
  Status Lend(std::int64_t user_key, EpisodeSource& source, Deadline deadline,
              const std::function<void(const std::shared_ptr<Shelf>&)>& use);
  void Account(std::int64_t user_key, const std::shared_ptr<Shelf>& shelf, std::size_t bytes);

  const std::size_t bytes_max_;
  mutable Mutex mutex_;
  std::unordered_map<std::int64_t, Place> places_ GUARDED_BY(mutex_);
  std::list<std::int64_t> used_ GUARDED_BY(mutex_);  // User keys, the latest first.
  std::size_t bytes_ GUARDED_BY(mutex_) = 0;
};

}  // namespace umbranet
