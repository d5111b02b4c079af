#include "umbranet/memory/pending_turns.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "umbranet/base/text_analysis.h"
#include "umbranet/domain/episode_document.h"
#include "umbranet/domain/memory_item.h"

namespace umbranet {
namespace {

// Analysis runs at some 40 MB/s, and a recall that finds a long backlog must not wait for that of
// every answer: beyond these bytes, the newest first, only what the user said is looked at.
constexpr std::size_t kAnswerBytesMax = 1U << 20U;
// An index of which so much and more than the rest was removed is made anew.
constexpr std::size_t kRemovedMax = 256;
// Of the turns that are noted, whose users may never ask: the oldest go first. One that is long is
// not noted at all.
constexpr std::size_t kNotedBytesMax = std::size_t{4} << 20U;

std::int64_t KeyOf(std::int64_t sequence, Role role) {
  return 2 * sequence + (role == Role::kUser ? 0 : 1);
}

std::size_t BytesOf(const Interaction& turn) {
  return sizeof(Interaction) + turn.user_message.size() + turn.assistant_response.size() +
         turn.metadata.size();
}

bool SaysSomething(const Interaction& turn, Role role) {
  if (role == Role::kUser) {
    return !turn.user_message.empty();
  }
  return !turn.assistant_response.empty() && turn.origin != Origin::kOfflineChat;
}

}  // namespace

void PendingIndex::AddHalf(const Interaction& turn, Role role) {
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
  const std::vector<std::string> terms =
      EpisodeTerms(episode.text, episode.speaker, episode.occurred_at);
  const std::string joined = JoinTerms(terms);
  episodes_.Add({.episode_key = KeyOf(turn.sequence, role),
                 .episode = std::make_shared<const Episode>(std::move(episode)),
                 .length = static_cast<std::uint32_t>(terms.size()),
                 .terms = joined});
}

void PendingIndex::Add(const Interaction& turn, bool with_answer) {
  for (const Role role : {Role::kUser, Role::kAssistant}) {
    if ((role == Role::kUser || with_answer) && SaysSomething(turn, role)) {
      AddHalf(turn, role);
    }
  }
}

void PendingIndex::Remove(std::int64_t sequence) {
  episodes_.Remove(KeyOf(sequence, Role::kUser));
  episodes_.Remove(KeyOf(sequence, Role::kAssistant));
}

EpisodesFound PendingIndex::Search(const std::vector<std::string>& terms,
                                   std::optional<Timestamp> as_of) const {
  EpisodeQuery query;
  query.terms = terms;
  query.candidates_max = kPendingCandidatesMax;
  query.as_of = as_of;
  return episodes_.Search(query, std::nullopt, UserEpisodes::Beginnings::kBrought,
                          kPendingAccompanied);
}

Result<EpisodesFound> PendingTurns::Find(const UserKey& user, const std::vector<std::string>& terms,
                                         std::optional<Timestamp> as_of, std::size_t limit,
                                         Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(std::vector<std::int64_t> waiting,
                            journal_.Unreflected(user, limit, deadline));
  return FindAmong(user, std::move(waiting), terms, as_of, deadline);
}

Result<EpisodesFound> PendingTurns::FindAmong(const UserKey& user,
                                              std::vector<std::int64_t> waiting,
                                              const std::vector<std::string>& terms,
                                              std::optional<Timestamp> as_of, Deadline deadline) {
  std::reverse(waiting.begin(), waiting.end());
  const std::shared_ptr<Shelf> shelf = ShelfOf(user);
  EpisodesFound found;
  std::size_t bytes = 0;
  {
    const MutexLock lock(shelf->mutex);
    UMBRANET_RETURN_IF_ERROR(CatchUp(user, waiting, *shelf, deadline));
    found = shelf->index.Search(terms, as_of);
    bytes = shelf->index.bytes();
  }
  Account(user, shelf, bytes);
  return found;
}

Status PendingTurns::CatchUp(const UserKey& user, const std::vector<std::int64_t>& waiting,
                             Shelf& shelf, Deadline deadline) {
  std::vector<std::int64_t> gone;
  std::set_difference(shelf.known.begin(), shelf.known.end(), waiting.begin(), waiting.end(),
                      std::back_inserter(gone));
  std::vector<std::int64_t> fresh;
  std::set_difference(waiting.begin(), waiting.end(), shelf.known.begin(), shelf.known.end(),
                      std::back_inserter(fresh));
  const std::size_t removed = shelf.removed + gone.size();
  const bool out_of_order = !fresh.empty() && fresh.front() <= shelf.last;
  if (out_of_order || (removed > kRemovedMax && removed > waiting.size())) {
    shelf.known.clear();
    shelf.last = 0;
    shelf.removed = 0;
    shelf.index = PendingIndex();
    gone.clear();
    fresh = waiting;
  }
  for (const std::int64_t sequence : gone) {
    shelf.index.Remove(sequence);
    shelf.known.erase(std::lower_bound(shelf.known.begin(), shelf.known.end(), sequence));
    ++shelf.removed;
  }
  if (fresh.empty()) {
    return {};
  }
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<Interaction> turns, TurnsAt(user, fresh, deadline));
  std::size_t answer_bytes = 0;
  auto with_answer = turns.end();  // From here on.
  while (with_answer != turns.begin()) {
    answer_bytes += std::prev(with_answer)->assistant_response.size();
    if (answer_bytes > kAnswerBytesMax) {
      break;
    }
    --with_answer;
  }
  for (auto turn = turns.begin(); turn != turns.end(); ++turn) {
    shelf.index.Add(*turn, turn >= with_answer);
    shelf.known.push_back(turn->sequence);
    shelf.last = turn->sequence;
  }
  return {};
}

void PendingTurns::Note(Interaction turn) {
  const std::size_t bytes = BytesOf(turn);
  if (bytes > kNotedBytesMax / 16) {
    return;
  }
  const MutexLock lock(noted_mutex_);
  const auto [place, fresh] = noted_.try_emplace(turn.sequence);
  if (!fresh) {
    return;
  }
  place->second = std::move(turn);
  noted_bytes_ += bytes;
  while (noted_bytes_ > kNotedBytesMax) {
    noted_bytes_ -= BytesOf(noted_.begin()->second);
    noted_.erase(noted_.begin());
  }
}

std::vector<Interaction> PendingTurns::TakeNoted(const UserKey& user,
                                                 std::span<const std::int64_t> sequences) {
  std::vector<Interaction> turns;
  const MutexLock lock(noted_mutex_);
  for (const std::int64_t sequence : sequences) {
    const auto place = noted_.find(sequence);
    if (place != noted_.end() && place->second.user == user) {
      noted_bytes_ -= BytesOf(place->second);
      turns.push_back(std::move(place->second));
      noted_.erase(place);
    }
  }
  return turns;
}

Result<std::vector<Interaction>> PendingTurns::TurnsAt(const UserKey& user,
                                                       std::span<const std::int64_t> sequences,
                                                       Deadline deadline) {
  std::vector<Interaction> turns = TakeNoted(user, sequences);
  if (turns.size() == sequences.size()) {
    return turns;
  }
  std::vector<std::int64_t> missing;
  auto noted = turns.begin();
  for (const std::int64_t sequence : sequences) {
    if (noted != turns.end() && noted->sequence == sequence) {
      ++noted;
    } else {
      missing.push_back(sequence);
    }
  }
  UMBRANET_ASSIGN_OR_RETURN(std::vector<Interaction> read,
                            journal_.ReadAt(user, missing, deadline));
  std::vector<Interaction> all;
  all.reserve(turns.size() + read.size());
  std::merge(std::make_move_iterator(turns.begin()), std::make_move_iterator(turns.end()),
             std::make_move_iterator(read.begin()), std::make_move_iterator(read.end()),
             std::back_inserter(all), [](const Interaction& one, const Interaction& other) {
               return one.sequence < other.sequence;
             });
  return all;
}

std::shared_ptr<PendingTurns::Shelf> PendingTurns::ShelfOf(const UserKey& user) {
  const MutexLock lock(mutex_);
  std::shared_ptr<Shelf>& shelf = users_[user];
  if (shelf == nullptr) {
    shelf = std::make_shared<Shelf>();
  }
  return shelf;
}

void PendingTurns::Account(const UserKey& user, const std::shared_ptr<Shelf>& shelf,
                           std::size_t bytes) {
  const MutexLock lock(mutex_);
  const auto place = users_.find(user);
  if (place == users_.end() || place->second != shelf) {
    return;  // It was let go meanwhile.
  }
  bytes_ += bytes - shelf->accounted;
  shelf->accounted = bytes;
  if (bytes == 0) {
    users_.erase(place);
  } else if (bytes_ > bytes_max_) {
    users_.clear();
    bytes_ = 0;
  }
}

std::size_t PendingTurns::Forget(const UserKey& user) {
  std::size_t noted = 0;
  {
    const MutexLock lock(noted_mutex_);
    for (auto turn = noted_.begin(); turn != noted_.end();) {
      if (turn->second.user != user) {
        ++turn;
        continue;
      }
      noted_bytes_ -= BytesOf(turn->second);
      turn = noted_.erase(turn);
      ++noted;
    }
  }
  std::shared_ptr<Shelf> shelf;
  {
    const MutexLock lock(mutex_);
    const auto place = users_.find(user);
    if (place == users_.end()) {
      return noted;
    }
    bytes_ -= place->second->accounted;
    shelf = place->second;
    users_.erase(place);
  }
  const MutexLock lock(shelf->mutex);
  return noted + shelf->known.size();
}

void PendingTurns::ForgetAll() {
  {
    const MutexLock lock(noted_mutex_);
    noted_.clear();
    noted_bytes_ = 0;
  }
  const MutexLock lock(mutex_);
  users_.clear();
  bytes_ = 0;
}

}  // namespace umbranet
