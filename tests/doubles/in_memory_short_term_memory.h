// The twin of tier 1: turns in a map. All methods may be called from any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "umbranet/base/mutex.h"
#include "umbranet/ports/short_term_memory.h"

namespace umbranet {

class InMemoryShortTermMemory final : public ShortTermMemory {
 public:
  Status Append(const Interaction& turn, Deadline deadline) override;
  Result<Conversation> Read(const UserKey& user, std::string_view session_id,
                            const ConversationWindow& window, Deadline deadline) override;
  Status SaveSummary(const UserKey& user, std::string_view session_id,
                     std::int64_t through_sequence, std::string_view summary,
                     Deadline deadline) override;
  Result<std::uint64_t> EraseUser(const UserKey& user, Deadline deadline) override;

 private:
  struct Session {
    std::map<std::int64_t, Interaction> turns;  // By sequence.
    std::int64_t summarized_through = 0;
    std::string summary;
  };

  Mutex mutex_;
  std::map<std::pair<UserKey, std::string>, Session> sessions_ GUARDED_BY(mutex_);
};

}  // namespace umbranet
