#include "umbranet/memory/pending_turns.h"

#include <algorithm>
#include <utility>

#include "umbranet/base/text_analysis.h"
#include "umbranet/domain/episode_document.h"
#include "umbranet/domain/memory_item.h"

namespace umbranet {
namespace {

// Analysis runs at some 40 MB/s, and a recall that finds a long backlog must not wait for that of
// every answer: beyond these bytes, the newest first, only what the user said is looked at.
constexpr std::size_t kAnswerBytesMax = 1U << 20U;
constexpr std::size_t kTurnBytes = 1024;  // Of a turn beside its texts and terms.

bool SaysSomething(const Interaction& turn, Role role) {
  if (role == Role::kUser) {
    return !turn.user_message.empty();
  }
  return !turn.assistant_response.empty() && turn.origin != Origin::kOfflineChat;
}

std::optional<PendingHalf> AnalyzeHalf(const Interaction& turn, Role role) {
  if (!SaysSomething(turn, role)) {
    return std::nullopt;
  }
  const bool user = role == Role::kUser;
  Episode episode;
  episode.memory_id = std::string(kTurnPrefix) + turn.interaction_id + (user ? "" : "/assistant");
  episode.user = turn.user;
  episode.interaction_id = turn.interaction_id;
  episode.role = role;
  episode.session_id = turn.session_id;
  episode.speaker = user ? turn.speaker : std::string(kAssistantSpeaker);
  episode.text = user ? turn.user_message : turn.assistant_response;
  episode.occurred_at = turn.occurred_at;
  episode.sequence = turn.sequence;
  std::string terms = JoinTerms(EpisodeTerms(episode.text, episode.speaker, episode.occurred_at));
  return PendingHalf{std::make_shared<const Episode>(std::move(episode)), std::move(terms)};
}

std::size_t BytesOf(const PendingTurn& turn) {
  std::size_t bytes = kTurnBytes;
  for (const auto& half : {&turn.user, &turn.assistant}) {
    bytes += half->has_value() ? (*half)->episode->text.size() + (*half)->terms.size() : 0;
  }
  return bytes;
}

}  // namespace

PendingTurn AnalyzePending(const Interaction& turn, bool with_answer) {
  return {AnalyzeHalf(turn, Role::kUser),
          with_answer ? AnalyzeHalf(turn, Role::kAssistant) : std::nullopt};
}

Result<std::vector<PendingTurnRef>> PendingTurns::Read(const UserKey& user, std::size_t limit,
                                                       Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<std::int64_t> sequences,
                            journal_.Unreflected(user, limit, deadline));
  const std::shared_ptr<const KnownTurns> known = KnownOf(user);
  std::vector<std::int64_t> unknown;
  KnownTurns turns = Pick(*known, sequences, unknown);
  const bool changed = !unknown.empty() || turns.size() != known->size();
  if (!unknown.empty()) {
    UMBRANET_ASSIGN_OR_RETURN(const std::vector<Interaction> read,
                              journal_.ReadAt(user, unknown, deadline));
    std::size_t answer_bytes = 0;
    for (const Interaction& turn : read) {
      answer_bytes += turn.assistant_response.size();
      turns.push_back({turn.sequence, std::make_shared<const PendingTurn>(
                                          AnalyzePending(turn, answer_bytes <= kAnswerBytesMax))});
    }
    std::sort(turns.begin(), turns.end(),
              [](const Known& a, const Known& b) { return a.sequence > b.sequence; });
  }
  std::vector<PendingTurnRef> pending;
  pending.reserve(turns.size());
  for (const Known& turn : turns) {
    pending.push_back(turn.turn);
  }
  if (changed) {
    Keep(user, std::move(turns));
  }
  return pending;
}

std::shared_ptr<const PendingTurns::KnownTurns> PendingTurns::KnownOf(const UserKey& user) const {
  const MutexLock lock(mutex_);
  const auto turns = users_.find(user);
  return turns == users_.end() ? std::make_shared<const KnownTurns>() : turns->second;
}

PendingTurns::KnownTurns PendingTurns::Pick(const KnownTurns& known,
                                            const std::vector<std::int64_t>& sequences,
                                            std::vector<std::int64_t>& unknown) {
  KnownTurns picked;
  picked.reserve(sequences.size());
  auto next = known.begin();
  for (const std::int64_t sequence : sequences) {  // Both have the newest first.
    while (next != known.end() && next->sequence > sequence) {
      ++next;
    }
    if (next != known.end() && next->sequence == sequence) {
      picked.push_back(*next);
    } else {
      unknown.push_back(sequence);
    }
  }
  return picked;
}

void PendingTurns::Keep(const UserKey& user, KnownTurns turns) {
  const auto bytes_of = [](const KnownTurns& some) {
    std::size_t bytes = 0;
    for (const Known& known : some) {
      bytes += BytesOf(*known.turn);
    }
    return bytes;
  };
  const std::size_t bytes = bytes_of(turns);
  const MutexLock lock(mutex_);
  if (const auto former = users_.find(user); former != users_.end()) {
    bytes_ -= bytes_of(*former->second);
    users_.erase(former);
  }
  if (bytes_ + bytes > bytes_max_) {
    users_.clear();
    bytes_ = 0;
  }
  if (bytes > 0 && bytes <= bytes_max_) {
    bytes_ += bytes;
    users_.emplace(user, std::make_shared<const KnownTurns>(std::move(turns)));
  }
}

void PendingTurns::Forget(const UserKey& user) {
  Keep(user, {});
}

}  // namespace umbranet
