// What has to be known of a spool at every request: whether the journal behind it is away, and
// whose turns wait. A few bytes for each user who has turns in the spool.
//
// All methods may be called from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>

#include "umbranet/base/mutex.h"
#include "umbranet/domain/interaction.h"

namespace umbranet {

class SpoolBook {
 public:
  // The journal gave no answer in time, or none at all: nobody waits for it until it is found back.
  void JournalIsAway() { away_.store(true); }

  void JournalIsBack() { away_.store(false); }

  [[nodiscard]] bool JournalAway() const { return away_.load(); }

  void Add(const UserKey& user, std::uint64_t turns);
  void Remove(const UserKey& user, std::uint64_t turns);
  [[nodiscard]] bool Holds(const UserKey& user) const;

  // Turns that wait.
  [[nodiscard]] std::uint64_t Waiting() const { return waiting_.load(); }

 private:
  std::atomic<bool> away_{false};
  std::atomic<std::uint64_t> waiting_{0};
  mutable Mutex mutex_;
  std::map<UserKey, std::uint64_t> users_ GUARDED_BY(mutex_);
};

}  // namespace umbranet
