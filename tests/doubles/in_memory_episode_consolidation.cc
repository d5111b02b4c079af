#include "tests/doubles/in_memory_episode_consolidation.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <tuple>

#include "umbranet/base/text_analysis.h"
#include "umbranet/domain/memory_place.h"

namespace umbranet {
namespace {

bool ComesBefore(const ConsolidatedEpisode& a, const ConsolidatedEpisode& b) {
  return std::tie(a.from, a.memory_id) < std::tie(b.from, b.memory_id);
}

}  // namespace

void InMemoryEpisodeConsolidation::Refresh() {
  std::map<std::string, std::string> texts;
  for (const Episode& episode : episodic_.Episodes()) {
    texts[episode.memory_id] = episode.text;
  }
  std::erase_if(stored_, [&texts](const Stored& stored) {
    for (std::size_t i = 0; i < stored.source_texts.size(); ++i) {
      const auto found = texts.find(stored.episode.sources[i].memory_id);
      if (found == texts.end() || found->second != stored.source_texts[i]) {
        return true;
      }
    }
    return false;
  });
}

const InMemoryEpisodeConsolidation::Stored* InMemoryEpisodeConsolidation::StoredIn(
    const std::string& memory_id) const {
  for (const Stored& stored : stored_) {
    for (const ConsolidationSource& source : stored.episode.sources) {
      if (source.memory_id == memory_id) {
        return &stored;
      }
    }
  }
  return nullptr;
}

std::vector<OldEpisode> InMemoryEpisodeConsolidation::Old(const UserKey& user, Timestamp before) {
  std::vector<OldEpisode> old;
  for (Episode& episode : episodic_.Episodes()) {
    const auto left = left_alone_.find({user, episode.memory_id});
    const bool is_left_alone = left != left_alone_.end() && left->second > clock_.Now();
    if (episode.user == user && episode.occurred_at <= before && !is_left_alone &&
        StoredIn(episode.memory_id) == nullptr) {
      old.push_back({std::move(episode.memory_id), std::move(episode.interaction_id), episode.role,
                     std::move(episode.session_id), std::move(episode.speaker),
                     std::move(episode.text), episode.occurred_at});
    }
  }
  return old;
}

bool InMemoryEpisodeConsolidation::Holds(const ConsolidationClaim& claim) const {
  const auto held = claims_.find(claim.user);
  return held != claims_.end() && held->second.token == claim.token;
}

Result<std::optional<ConsolidationClaim>> InMemoryEpisodeConsolidation::Claim(
    const ConsolidationPolicy& policy, Deadline /*deadline*/) {
  const MutexLock lock(mutex_);
  Refresh();
  const Timestamp now = clock_.Now();
  std::set<UserKey> users;
  for (const Episode& episode : episodic_.Episodes()) {
    users.insert(episode.user);
  }
  for (const UserKey& user : users) {
    Held& held = claims_[user];
    if (held.until > now) {
      continue;
    }
    std::vector<OldEpisode> old = Old(user, now - policy.age);
    if (old.size() < std::max(policy.episodes_min, policy.group.episodes_min)) {
      held = {++last_token_, now + policy.look_again};
      continue;
    }
    held = {++last_token_, now + policy.claim};
    return std::optional(
        ConsolidationClaim{.token = held.token,
                           .user = user,
                           .episodes = TakeConsolidationGroup(std::move(old), policy.group)});
  }
  return std::optional<ConsolidationClaim>();
}

Result<ConsolidatedEpisode> InMemoryEpisodeConsolidation::Save(const ConsolidationClaim& claim,
                                                               std::string_view text,
                                                               std::string_view model,
                                                               Deadline /*deadline*/) {
  const MutexLock lock(mutex_);
  Refresh();
  if (claim.episodes.empty()) {
    return InvalidArgument("in memory: a consolidated episode has sources");
  }
  if (!Holds(claim)) {
    return Aborted("in memory: the claim is void");
  }
  std::map<std::string, std::string> texts;
  for (const Episode& episode : episodic_.Episodes()) {
    texts[episode.memory_id] = episode.text;
  }
  Stored stored{.episode = DraftConsolidation(claim.user, claim.episodes), .source_texts = {}};
  stored.episode.text = text;
  stored.episode.model = model;
  stored.episode.made_at = clock_.Now();
  for (const OldEpisode& episode : claim.episodes) {
    const auto found = texts.find(episode.memory_id);
    if (found == texts.end() || found->second != episode.text ||
        StoredIn(episode.memory_id) != nullptr) {
      return Aborted("in memory: an episode was erased or changed");
    }
    stored.source_texts.push_back(episode.text);
  }
  claims_[claim.user] = {++last_token_, clock_.Now()};
  stored_.push_back(stored);
  return stored.episode;
}

Status InMemoryEpisodeConsolidation::PutOff(const ConsolidationClaim& claim,
                                            const ConsolidationRest& rest, Deadline /*deadline*/) {
  const MutexLock lock(mutex_);
  if (!Holds(claim)) {
    return {};
  }
  const Timestamp now = clock_.Now();
  claims_[claim.user] = {++last_token_, now + rest.user};
  for (const OldEpisode& episode : claim.episodes) {
    Timestamp& until = left_alone_[{claim.user, episode.memory_id}];
    until = std::max(until, now + rest.episodes);
  }
  return {};
}

Result<std::vector<ConsolidatedEpisode>> InMemoryEpisodeConsolidation::Find(
    const ConsolidatedQuery& query, Deadline /*deadline*/) {
  const MutexLock lock(mutex_);
  Refresh();
  std::vector<std::pair<std::size_t, ConsolidatedEpisode>> found;
  for (const Stored& stored : stored_) {
    const std::vector<std::string> terms = AnalyzeTerms(stored.episode.text);
    const std::set<std::string> held(terms.begin(), terms.end());
    const auto matches = static_cast<std::size_t>(
        std::count_if(query.terms.begin(), query.terms.end(),
                      [&held](const std::string& term) { return held.contains(term); }));
    if (stored.episode.user == query.user && matches > 0 &&
        (!query.as_of || stored.episode.until <= *query.as_of)) {
      found.emplace_back(matches, stored.episode);
    }
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second.until > b.second.until;
  });
  found.resize(std::min(found.size(), query.limit));
  std::vector<ConsolidatedEpisode> best;
  for (auto& [matches, episode] : found) {
    best.push_back(std::move(episode));
  }
  return best;
}

Result<ConsolidatedPage> InMemoryEpisodeConsolidation::List(const UserKey& user,
                                                            std::string_view cursor,
                                                            std::size_t limit,
                                                            Deadline /*deadline*/) {
  const MutexLock lock(mutex_);
  Refresh();
  const std::optional<MemoryPlace> after = ParseCursor(cursor);
  if (!after) {
    return InvalidArgument("in memory: unknown cursor");
  }
  std::vector<ConsolidatedEpisode> all;
  for (const Stored& stored : stored_) {
    const ConsolidatedEpisode& episode = stored.episode;
    if (episode.user == user && std::tie(episode.from, episode.memory_id) >
                                    std::tie(after->occurred_at, after->memory_id)) {
      all.push_back(episode);
    }
  }
  std::sort(all.begin(), all.end(), ComesBefore);
  ConsolidatedPage page;
  if (all.size() > limit) {
    all.resize(limit);
    page.next_cursor = FormatCursor({all.back().from, 0, 0, all.back().memory_id});
  }
  page.episodes = std::move(all);
  return page;
}

Result<std::optional<ConsolidatedEpisode>> InMemoryEpisodeConsolidation::Get(
    std::string_view tenant, std::string_view memory_id, Deadline /*deadline*/) {
  const MutexLock lock(mutex_);
  Refresh();
  for (const Stored& stored : stored_) {
    if (stored.episode.user.tenant == tenant && stored.episode.memory_id == memory_id) {
      return std::optional(stored.episode);
    }
  }
  return std::optional<ConsolidatedEpisode>();
}

Result<std::map<std::string, std::string>> InMemoryEpisodeConsolidation::ConsolidatedIn(
    const UserKey& user, std::span<const std::string> memory_ids, Deadline /*deadline*/) {
  const MutexLock lock(mutex_);
  Refresh();
  std::map<std::string, std::string> consolidated;
  for (const std::string& memory_id : memory_ids) {
    const Stored* stored = StoredIn(memory_id);
    if (stored != nullptr && stored->episode.user == user) {
      consolidated.emplace(memory_id, stored->episode.memory_id);
    }
  }
  return consolidated;
}

void InMemoryEpisodeConsolidation::Undo(const Stored& stored) {
  for (const ConsolidationSource& source : stored.episode.sources) {
    left_alone_[{stored.episode.user, source.memory_id}] = Timestamp::max();
  }
}

Result<bool> InMemoryEpisodeConsolidation::Undo(std::string_view tenant, std::string_view memory_id,
                                                Deadline /*deadline*/) {
  const MutexLock lock(mutex_);
  Refresh();
  for (auto at = stored_.begin(); at != stored_.end(); ++at) {
    if (at->episode.user.tenant == tenant && at->episode.memory_id == memory_id) {
      Undo(*at);
      stored_.erase(at);
      return true;
    }
  }
  return false;
}

Result<std::uint64_t> InMemoryEpisodeConsolidation::UndoAll(const UserKey& user,
                                                            Deadline /*deadline*/) {
  const MutexLock lock(mutex_);
  Refresh();
  for (const Stored& stored : stored_) {
    if (stored.episode.user == user) {
      Undo(stored);
    }
  }
  return std::uint64_t{std::erase_if(
      stored_, [&user](const Stored& stored) { return stored.episode.user == user; })};
}

Result<std::uint64_t> InMemoryEpisodeConsolidation::EraseUser(const UserKey& user,
                                                              Deadline /*deadline*/) {
  const MutexLock lock(mutex_);
  Refresh();
  claims_.erase(user);
  std::erase_if(left_alone_, [&user](const auto& each) { return each.first.first == user; });
  return std::uint64_t{std::erase_if(
      stored_, [&user](const Stored& stored) { return stored.episode.user == user; })};
}

}  // namespace umbranet
