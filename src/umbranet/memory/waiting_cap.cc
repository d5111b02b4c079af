#include "umbranet/memory/waiting_cap.h"

#include <algorithm>
#include <string>
#include <utility>

namespace umbranet {

WaitingCap::WaitingCap(Journal& journal, Options options)
    : journal_(journal),
      options_(std::move(options)),
      lowest_(options_.far_behind ? std::min(options_.waiting_max, options_.waiting_max_behind)
                                  : options_.waiting_max) {}

// Before the turns that came since could carry the user from what was seen to the bound, or, as
// long as that is far away, a quarter of it.
bool WaitingCap::MustAsk(const Known& known) const {
  const std::uint64_t room = known.seen < lowest_ ? lowest_ - known.seen : 0;
  return known.since >= std::min(room, std::max<std::uint64_t>(1, lowest_ / 4));
}

Status WaitingCap::Admit(const UserKey& user, std::uint64_t turns, Deadline deadline) {
  if (options_.waiting_max == 0) {
    return {};
  }
  {
    const MutexLock lock(mutex_);
    if (users_.size() >= options_.users_max && !users_.contains(user)) {
      users_.clear();
    }
    Known& known = users_[user];
    if (!MustAsk(known)) {
      known.since += turns;
      return {};
    }
  }
  const auto freshness = journal_.ReadFreshness(user, deadline);
  if (!freshness.ok()) {
    return {};
  }
  const std::uint64_t waiting = freshness->pending;
  const bool over = waiting >= options_.waiting_max ||
                    (waiting >= lowest_ && options_.far_behind && options_.far_behind());
  const MutexLock lock(mutex_);
  users_[user] = {.seen = waiting, .since = over ? 0 : turns};
  if (!over) {
    return {};
  }
  return Error{ErrorCode::kResourceExhausted,
               "memory: " + std::to_string(waiting) +
                   " turns of this user wait for reflection, as many as may",
               options_.retry_after};
}

}  // namespace umbranet
