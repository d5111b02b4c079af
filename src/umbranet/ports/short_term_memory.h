// Tier 1: the running conversation of a session, and a rolling summary of what has left it.
//
// A turn handed to Append has been accepted by the journal before, so an implementation that lives
// beside the journal may keep nothing of its own, and one that lost its entries may rebuild them
// from there. All methods may be called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/domain/newest_turns.h"
#include "umbranet/domain/session_tail.h"

namespace umbranet {

struct Conversation {
  std::string summary;  // Of the turns up to summarized_through; empty when there is none.
  std::int64_t summarized_through = 0;  // Sequence of the last turn in the summary.
  std::vector<Interaction> turns;       // The newest that fit the window, oldest first.
};

class ShortTermMemory {
 public:
  virtual ~ShortTermMemory() = default;

  virtual Status Append(const Interaction& turn, Deadline deadline) = 0;

  // An unknown session is an empty conversation. The newest turn is always in it, even when it
  // alone does not fit.
  virtual Result<Conversation> Read(const UserKey& user, std::string_view session_id,
                                    const ConversationWindow& window, Deadline deadline) = 0;

  // The same for a caller who has just asked the journal which turns the session ends with, so that
  // it need not be asked again. Turns that came later may be missing or not.
  virtual Result<Conversation> ReadAfter(const SessionTail& /*tail*/, const UserKey& user,
                                         std::string_view session_id,
                                         const ConversationWindow& window, Deadline deadline) {
    return Read(user, session_id, window, deadline);
  }

  // Replaces the summary unless one that reaches further is there already. A summary of turns that
  // are gone is passed over, so that one in the making does not outlive a user who is forgotten.
  virtual Status SaveSummary(const UserKey& user, std::string_view session_id,
                             std::int64_t through_sequence, std::string_view summary,
                             Deadline deadline) = 0;

  // How many turns (or summaries, where turns live in the journal) were removed.
  virtual Result<std::uint64_t> EraseUser(const UserKey& user, Deadline deadline) = 0;
};

}  // namespace umbranet
