// How many of one user's turns may wait for reflection: beyond that his next ones are refused, with
// a time to come back, so that whoever sends without a pause fills neither disk nor queue. Nobody
// else is touched by it.
//
// The journal knows how many wait. It is asked once in a while and not for each turn, so a user may
// be over by a quarter of the lower bound, for each process that serves him, and by the size of the
// request that came last. What was accepted stays so.
//
// All methods may be called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/ports/journal.h"

namespace umbranet {

class WaitingCap {
 public:
  struct Options {
    std::uint64_t waiting_max = 10'000;  // 0: as many as come.
    // While the queue as a whole is far behind (`far_behind`), unless waiting_max is lower.
    std::uint64_t waiting_max_behind = 500;
    std::function<bool()> far_behind = {};  // Empty: it never is.
    Millis retry_after{5'000};
    std::size_t users_max = 10'000;  // That are kept in mind.
  };

  // `journal` must outlive it.
  WaitingCap(Journal& journal, Options options);

  // May `turns` more of the user come in? kResourceExhausted: as many as may wait do so already. A
  // journal that cannot be asked is no reason to refuse: turns may go to a spool meanwhile, which
  // has a bound of its own.
  Status Admit(const UserKey& user, std::uint64_t turns, Deadline deadline);

 private:
  struct Known {
    std::uint64_t seen = 0;  // Waiting, when the journal was asked last.
    std::uint64_t since = 0;
  };

  [[nodiscard]] bool MustAsk(const Known& known) const;

  Journal& journal_;
  const Options options_;
  const std::uint64_t lowest_;  // Below it there is nothing to look after.
  Mutex mutex_;
  std::map<UserKey, Known> users_ GUARDED_BY(mutex_);
};

}  // namespace umbranet
