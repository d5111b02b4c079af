// Turns that wait for reflection, searched as the episodic tier searches those that it holds. A
// turn is immutable, and under load a user's next question comes long before his last turns are
// reflected: so each is read from the journal and analysed once, not once for every recall.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/ports/episodic_memory.h"
#include "umbranet/ports/journal.h"
#include "umbranet/search/user_episodes.h"

namespace umbranet {

// Matching halves that are candidates at most, and how many of the best bring their neighbours. A
// backlog may be ten times as long, and somebody waits for its every turn to be judged.
inline constexpr std::size_t kPendingCandidatesMax = 50;
inline constexpr std::size_t kPendingAccompanied = 10;

// The waiting turns of one user. Not synchronised.
class PendingIndex {
 public:
  // In the order of their sequences. Nothing is kept of a half where nothing was said, or nothing
  // that is worth remembering: an offline answer quotes memories. Without the answer only what the
  // user said is looked at.
  void Add(const Interaction& turn, bool with_answer = true);
  void Remove(std::int64_t sequence);

  // As EpisodicMemory::Find, by words alone. What stands before a session's first two turns is in
  // the index of the tier and not known here, so these two are candidates in any case.
  [[nodiscard]] EpisodesFound Search(const std::vector<std::string>& terms,
                                     std::optional<Timestamp> as_of) const;

  [[nodiscard]] std::size_t bytes() const { return episodes_.bytes(); }

 private:
  void AddHalf(const Interaction& turn, Role role);

  UserEpisodes episodes_;
};

// All methods may be called from any thread.
class PendingTurns {
 public:
  // Keeps up to `bytes_max` of what was analysed, in estimated bytes; everything goes when that is
  // reached.
  PendingTurns(Journal& journal, std::size_t bytes_max)
      : journal_(journal), bytes_max_(bytes_max) {}

  // What fits the terms of the user's newest `limit` turns that the journal says are not reflected.
  Result<EpisodesFound> Find(const UserKey& user, const std::vector<std::string>& terms,
                             std::optional<Timestamp> as_of, std::size_t limit, Deadline deadline);
  // The same for a caller who has asked the journal: `waiting` as Unreflected gave it.
  Result<EpisodesFound> FindAmong(const UserKey& user, std::vector<std::int64_t> waiting,
                                  const std::vector<std::string>& terms,
                                  std::optional<Timestamp> as_of, Deadline deadline);

  // A turn that the journal has accepted just now, with its sequence there: it is kept for a while,
  // so that it need not be read when it is found to wait.
  void Note(Interaction turn);

  // How many turns were kept.
  std::size_t Forget(const UserKey& user);
  void ForgetAll();

 private:
  struct Shelf {
    Mutex mutex;
    std::vector<std::int64_t> known GUARDED_BY(mutex);  // Sequences of what is in the index.
    std::int64_t last GUARDED_BY(mutex) = 0;            // That was ever added to it.
    std::size_t removed GUARDED_BY(mutex) = 0;
    PendingIndex index GUARDED_BY(mutex);
    std::size_t accounted = 0;  // Of the bytes; under the mutex of PendingTurns.
  };

  std::shared_ptr<Shelf> ShelfOf(const UserKey& user);
  // Makes the shelf hold `waiting`, oldest first.
  Status CatchUp(const UserKey& user, const std::vector<std::int64_t>& waiting, Shelf& shelf,
                 Deadline deadline) REQUIRES(shelf.mutex);
  // The turns with these sequences, noted or from the journal, in the same order.
  Result<std::vector<Interaction>> TurnsAt(const UserKey& user,
                                           std::span<const std::int64_t> sequences,
                                           Deadline deadline);
  // Those of them that are noted, which they are no longer then.
  std::vector<Interaction> TakeNoted(const UserKey& user, std::span<const std::int64_t> sequences);
  void Account(const UserKey& user, const std::shared_ptr<Shelf>& shelf, std::size_t bytes);

  Journal& journal_;
  const std::size_t bytes_max_;
  Mutex mutex_;
  std::map<UserKey, std::shared_ptr<Shelf>> users_ GUARDED_BY(mutex_);
  std::size_t bytes_ GUARDED_BY(mutex_) = 0;
  // By sequence; locked by itself or under a shelf's mutex.
  Mutex noted_mutex_;
  std::map<std::int64_t, Interaction> noted_ GUARDED_BY(noted_mutex_);
  std::size_t noted_bytes_ GUARDED_BY(noted_mutex_) = 0;
};

}  // namespace umbranet
