// Turns that wait for reflection, as the ranking reads them. A turn is immutable, and under load a
// user's next question comes long before his last turns are reflected: so each is read from the
// journal and analysed once, not once for every recall.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/episode.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/ports/journal.h"

namespace umbranet {

// What one side of a turn said.
struct PendingHalf {
  std::shared_ptr<const Episode> episode;  // Never null.
  std::string terms;                       // EpisodeTerms, joined by single spaces.
};

struct PendingTurn {
  // Nothing where nothing was said, or nothing that is worth remembering: an offline answer quotes
  // memories.
  std::optional<PendingHalf> user;
  std::optional<PendingHalf> assistant;
};

using PendingTurnRef = std::shared_ptr<const PendingTurn>;

// Pure. Without the answer only what the user said is looked at.
PendingTurn AnalyzePending(const Interaction& turn, bool with_answer = true);

// All methods may be called from any thread.
class PendingTurns {
 public:
  // Keeps up to `bytes_max` of what was analysed, in estimated bytes; everything goes when that is
  // reached.
  PendingTurns(Journal& journal, std::size_t bytes_max)
      : journal_(journal), bytes_max_(bytes_max) {}

  // The user's turns that the journal says are not reflected, newest first, at most `limit`.
  Result<std::vector<PendingTurnRef>> Read(const UserKey& user, std::size_t limit,
                                           Deadline deadline);

  void Forget(const UserKey& user);

 private:
  struct Known {
    std::int64_t sequence = 0;
    PendingTurnRef turn;
  };

  using KnownTurns = std::vector<Known>;  // Newest first.

  std::shared_ptr<const KnownTurns> KnownOf(const UserKey& user) const;
  // Those of `sequences` that are known, in order, and the sequences of the others.
  static KnownTurns Pick(const KnownTurns& known, const std::vector<std::int64_t>& sequences,
                         std::vector<std::int64_t>& unknown);
  // `turns` are all that is worth keeping of the user.
  void Keep(const UserKey& user, KnownTurns turns);

  Journal& journal_;
  const std::size_t bytes_max_;
  mutable Mutex mutex_;
  std::map<UserKey, std::shared_ptr<const KnownTurns>> users_ GUARDED_BY(mutex_);
  std::size_t bytes_ GUARDED_BY(mutex_) = 0;
};

}  // namespace umbranet
