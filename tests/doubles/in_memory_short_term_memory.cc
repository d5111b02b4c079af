#include "tests/doubles/in_memory_short_term_memory.h"

#include <algorithm>

#include "umbranet/base/token_estimate.h"

namespace umbranet {

Status InMemoryShortTermMemory::Append(const Interaction& turn, Deadline /*deadline*/) {
  const MutexLock lock(mutex_);
  sessions_[{turn.user, turn.session_id}].turns.emplace(turn.sequence, turn);
  return {};
}

Result<Conversation> InMemoryShortTermMemory::Read(const UserKey& user, std::string_view session_id,
                                                   const ConversationWindow& window,
                                                   Deadline /*deadline*/) {
  const MutexLock lock(mutex_);
  Conversation conversation;
  const auto found = sessions_.find({user, std::string(session_id)});
  if (found == sessions_.end()) {
    return conversation;
  }
  const Session& session = found->second;
  conversation.summary = session.summary;
  conversation.summarized_through = session.summarized_through;
  std::size_t used = 0;
  for (auto turn = session.turns.rbegin(); turn != session.turns.rend(); ++turn) {
    used +=
        EstimateTokens(turn->second.user_message) + EstimateTokens(turn->second.assistant_response);
    if (!conversation.turns.empty() &&
        (used > window.tokens || conversation.turns.size() >= window.turns)) {
      break;
    }
    conversation.turns.push_back(turn->second);
  }
  std::reverse(conversation.turns.begin(), conversation.turns.end());
  return conversation;
}

Status InMemoryShortTermMemory::SaveSummary(const UserKey& user, std::string_view session_id,
                                            std::int64_t through_sequence, std::string_view summary,
                                            Deadline /*deadline*/) {
  const MutexLock lock(mutex_);
  const auto found = sessions_.find({user, std::string(session_id)});
  if (found == sessions_.end() || found->second.turns.begin()->first > through_sequence) {
    return {};
  }
  Session& session = found->second;
  if (through_sequence >= session.summarized_through) {
    session.summarized_through = through_sequence;
    session.summary = std::string(summary);
  }
  return {};
}

Result<std::uint64_t> InMemoryShortTermMemory::EraseUser(const UserKey& user,
                                                         Deadline /*deadline*/) {
  const MutexLock lock(mutex_);
  std::uint64_t removed = 0;
  for (auto session = sessions_.begin(); session != sessions_.end();) {
    if (session->first.first == user) {
      removed += session->second.turns.size();
      session = sessions_.erase(session);
    } else {
      ++session;
    }
  }
  return removed;
}

}  // namespace umbranet
