#include "umbranet/search/episode_cache.h"

#include <utility>

namespace umbranet {
namespace {

// A deadline on a test's clock passes without anybody being woken.
constexpr Millis kLookAgain{20};

}  // namespace

// A shelf in the hands of one search.
class EpisodeCache::Loan {
 public:
  explicit Loan(Shelf& shelf) : shelf_(shelf) {}

  ~Loan() {
    if (has_) {
      const MutexLock lock(shelf_.mutex);
      shelf_.lent = false;
      shelf_.returned.NotifyOne();
    }
  }

  Loan(const Loan&) = delete;
  Loan& operator=(const Loan&) = delete;

  Status Take(const Deadline& deadline) {
    const MutexLock lock(shelf_.mutex);
    while (shelf_.lent) {
      if (deadline.Expired()) {
        // The call that ends this wait may have been meant for another that still waits.
        shelf_.returned.NotifyOne();
        return DeadlineExceeded("search: the user's episodes did not come free in time");
      }
      if (deadline.IsNever()) {
        shelf_.returned.Wait(shelf_.mutex);
      } else {
        shelf_.returned.WaitFor(shelf_.mutex, kLookAgain);
      }
    }
    shelf_.lent = true;
    has_ = true;
    return {};
  }

 private:
  Shelf& shelf_;
  bool has_ = false;
};

std::shared_ptr<EpisodeCache::Shelf> EpisodeCache::Find(std::int64_t user_key) {
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

bool EpisodeCache::Holds(std::int64_t user_key, const std::shared_ptr<Shelf>& shelf) const {
  const MutexLock lock(mutex_);
  const auto place = places_.find(user_key);
  return place != places_.end() && place->second.shelf == shelf;
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

void EpisodeCache::DropAll() {
  const MutexLock lock(mutex_);
  places_.clear();
  used_.clear();
  bytes_ = 0;
}

std::size_t EpisodeCache::bytes() const {
  const MutexLock lock(mutex_);
  return bytes_;
}

Status EpisodeCache::Lend(std::int64_t user_key, EpisodeSource& source, Deadline deadline,
                          const std::function<void(const std::shared_ptr<Shelf>&)>& use) {
  const std::shared_ptr<Shelf> shelf = Find(user_key);
  std::size_t bytes = 0;
  {
    Loan loan(*shelf);
    UMBRANET_RETURN_IF_ERROR(loan.Take(deadline));
    if (Status caught_up = source.CatchUp(shelf->episodes, shelf->mark); !caught_up.ok()) {
      shelf->episodes = UserEpisodes();
      shelf->mark = EpisodeMark();
      return caught_up;
    }
    use(shelf);
    bytes = shelf->episodes.bytes();
  }
  Account(user_key, shelf, bytes);
  return {};
}

Result<EpisodesFound> EpisodeCache::Search(std::int64_t user_key, const EpisodeQuery& query,
                                           std::optional<std::int64_t> space_key,
                                           EpisodeSource& source, Deadline deadline) {
  EpisodesFound found;
  UMBRANET_RETURN_IF_ERROR(Lend(user_key, source, deadline, [&](const auto& shelf) {
    found = shelf->episodes.Search(query, space_key);
  }));
  return found;
}

Result<EpisodeCache::Begun> EpisodeCache::Begin(std::int64_t user_key, const EpisodeQuery& query,
                                                EpisodeSource& source, Deadline deadline) {
  std::optional<Begun> begun;
  UMBRANET_RETURN_IF_ERROR(Lend(user_key, source, deadline, [&](const auto& shelf) {
    begun = Begun(user_key, shelf, shelf->episodes.Begin(query));
  }));
  return *std::move(begun);
}

Result<std::optional<EpisodesFound>> EpisodeCache::Finish(Begun begun,
                                                          const std::optional<Embedding>& embedding,
                                                          std::optional<std::int64_t> space_key,
                                                          Deadline deadline) {
  if (!Holds(begun.user_key_, begun.shelf_)) {
    return std::optional<EpisodesFound>();
  }
  Loan loan(*begun.shelf_);
  UMBRANET_RETURN_IF_ERROR(loan.Take(deadline));
  return begun.shelf_->episodes.Finish(std::move(begun.search_), embedding, space_key);
}

}  // namespace umbranet
