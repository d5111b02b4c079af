#include "tests/doubles/in_memory_episodic_memory.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "umbranet/domain/episode_document.h"

namespace umbranet {
namespace {

constexpr std::int64_t kRoleStride = 1000;

MemoryItem ToItem(const Episode& episode) {
  MemoryItem item;
  item.memory_id = episode.memory_id;
  item.user = episode.user;
  item.tier = Tier::kEpisodic;
  item.text = episode.text;
  item.occurred_at = episode.occurred_at;
  item.sources = {{episode.interaction_id, episode.role}};
  return item;
}

// The plain formula (k1 1.2, b 0.75) with the user's own statistics.
double Bm25(const EpisodeCandidate& candidate, const CorpusStatistics& statistics) {
  double score = 0;
  for (std::size_t term = 0; term < candidate.term_counts.size(); ++term) {
    const double count = candidate.term_counts[term];
    const double holding = static_cast<double>(statistics.document_frequency[term]);
    const double idf =
        std::log(1 + (static_cast<double>(statistics.documents) - holding + 0.5) / (holding + 0.5));
    const double length = candidate.length / std::max(statistics.length_mean, 1.0);
    score += idf * count * 2.2 / (count + 1.2 * (0.25 + 0.75 * length));
  }
  return score;
}

}  // namespace

Status InMemoryEpisodicMemory::Apply(std::span<const ReflectionPlan> plans, const Lease& /*fence*/,
                                     Deadline /*deadline*/) {
  const MutexLock lock(mutex_);
  for (const ReflectionPlan& plan : plans) {
    if (!applied_.emplace(plan.user, plan.job_id).second) {
      continue;
    }
    std::array<std::uint32_t, 2> ordinals{};
    for (const PlannedEpisode& planned : plan.episodes) {
      const std::uint32_t ordinal = ordinals.at(static_cast<std::size_t>(planned.role))++;
      Episode episode;
      episode.memory_id = MakeEpisodeId(plan.user, plan.interaction_id, planned.role, ordinal);
      episode.user = plan.user;
      episode.interaction_id = plan.interaction_id;
      episode.role = planned.role;
      episode.session_id = plan.session_id;
      episode.speaker = planned.speaker;
      episode.text = planned.text;
      episode.occurred_at = plan.occurred_at;
      episode.sequence = plan.sequence;
      episode.importance = planned.importance;
      episode.event_times = planned.event_times;
      if (!erased_.contains(episode.memory_id)) {
        MemoryPlace place{plan.occurred_at, plan.sequence,
                          static_cast<std::int64_t>(planned.role) * kRoleStride + ordinal,
                          episode.memory_id};
        episodes_.emplace(Key{plan.user, std::move(place)}, std::move(episode));
      }
    }
  }
  return {};
}

Result<MemoryPage> InMemoryEpisodicMemory::List(const UserKey& user, std::string_view cursor,
                                                std::size_t limit, Deadline /*deadline*/) {
  const std::optional<MemoryPlace> after = ParseCursor(cursor);
  if (!after.has_value()) {
    return InvalidArgument("memory: unknown cursor");
  }
  const MutexLock lock(mutex_);
  MemoryPage page;
  for (auto it = episodes_.upper_bound(Key{user, *after});
       it != episodes_.end() && it->first.first == user; ++it) {
    if (page.items.size() == limit) {
      page.next_cursor = FormatCursor(std::prev(it)->first.second);
      break;
    }
    page.items.push_back(ToItem(it->second));
  }
  return page;
}

std::map<InMemoryEpisodicMemory::Key, Episode>::iterator InMemoryEpisodicMemory::Locate(
    std::string_view tenant, std::string_view memory_id) {
  return std::find_if(episodes_.begin(), episodes_.end(), [&](const auto& entry) {
    return entry.second.user.tenant == tenant && entry.second.memory_id == memory_id;
  });
}

Result<std::optional<MemoryItem>> InMemoryEpisodicMemory::Get(std::string_view tenant,
                                                              std::string_view memory_id,
                                                              Deadline /*deadline*/) {
  const MutexLock lock(mutex_);
  const auto found = Locate(tenant, memory_id);
  if (found == episodes_.end()) {
    return std::optional<MemoryItem>();
  }
  return std::optional(ToItem(found->second));
}

Result<std::optional<MemoryItem>> InMemoryEpisodicMemory::Update(std::string_view tenant,
                                                                 std::string_view memory_id,
                                                                 const MemoryPatch& patch,
                                                                 Deadline /*deadline*/) {
  if (patch.valid_to.has_value()) {
    return InvalidArgument("memory: an episode has no valid_to");
  }
  if (patch.text.has_value() && patch.text->empty()) {
    return InvalidArgument("memory: the text is empty");
  }
  const MutexLock lock(mutex_);
  const auto found = Locate(tenant, memory_id);
  if (found == episodes_.end()) {
    return std::optional<MemoryItem>();
  }
  if (patch.text.has_value()) {
    found->second.text = *patch.text;
    vectors_.erase(found->second.memory_id);
  }
  return std::optional(ToItem(found->second));
}

Result<bool> InMemoryEpisodicMemory::Erase(std::string_view tenant, std::string_view memory_id,
                                           Deadline /*deadline*/) {
  const MutexLock lock(mutex_);
  const auto found = Locate(tenant, memory_id);
  if (found == episodes_.end()) {
    return false;
  }
  erased_.insert(found->second.memory_id);
  vectors_.erase(found->second.memory_id);
  episodes_.erase(found);
  return true;
}

Result<std::uint64_t> InMemoryEpisodicMemory::EraseUser(const UserKey& user,
                                                        Deadline /*deadline*/) {
  const MutexLock lock(mutex_);
  std::erase_if(applied_, [&](const auto& applied) { return applied.first == user; });
  std::uint64_t erased = 0;
  for (auto it = episodes_.begin(); it != episodes_.end();) {
    if (it->first.first != user) {
      ++it;
      continue;
    }
    vectors_.erase(it->second.memory_id);
    it = episodes_.erase(it);
    ++erased;
  }
  return erased;
}

Result<std::uint64_t> InMemoryEpisodicMemory::CountVectors(const UserKey& user,
                                                           Deadline /*deadline*/) {
  const MutexLock lock(mutex_);
  std::uint64_t count = 0;
  for (const auto& [place, episode] : episodes_) {
    count += place.first == user && vectors_.contains(episode.memory_id) ? 1U : 0U;
  }
  return count;
}

std::vector<InMemoryEpisodicMemory::Match> InMemoryEpisodicMemory::CountTerms(
    const EpisodeQuery& query, EpisodesFound& found) {
  std::vector<Match> all;
  for (const auto& [key, episode] : episodes_) {
    if (key.first != query.user) {
      continue;
    }
    Match match{.key = key, .candidate = {}, .score = 0};
    match.candidate.episode = std::make_shared<const Episode>(episode);
    match.candidate.term_counts.resize(query.terms.size());
    for (const std::string& term :
         EpisodeTerms(episode.text, episode.speaker, episode.occurred_at)) {
      ++match.candidate.length;
      const auto at = std::find(query.terms.begin(), query.terms.end(), term);
      if (at != query.terms.end()) {
        ++match.candidate.term_counts[static_cast<std::size_t>(at - query.terms.begin())];
        match.candidate.matched = true;
      }
    }
    CorpusStatistics& statistics =
        episode.role == Role::kUser ? found.statistics : found.assistant_statistics;
    ++statistics.documents;
    statistics.length_mean += match.candidate.length;
    for (std::size_t i = 0; i < query.terms.size(); ++i) {
      statistics.document_frequency[i] += match.candidate.term_counts[i] > 0 ? 1U : 0U;
    }
    all.push_back(std::move(match));
  }
  for (CorpusStatistics* statistics : {&found.statistics, &found.assistant_statistics}) {
    statistics->length_mean /= std::max(1.0, static_cast<double>(statistics->documents));
  }
  return all;
}

// Of each role the best are kept as matches, within its share; `all` is sorted by score.
std::size_t InMemoryEpisodicMemory::KeepBest(std::vector<Match>& all, const EpisodeQuery& query,
                                             Role role, std::size_t share) {
  std::size_t kept = 0;
  for (Match& match : all) {
    EpisodeCandidate& candidate = match.candidate;
    if (candidate.episode->role == role && candidate.matched) {
      const bool later = query.as_of.has_value() && candidate.episode->occurred_at > *query.as_of;
      candidate.matched = kept < share && !later;
      kept += candidate.matched ? 1U : 0U;
    }
  }
  return kept;
}

// Every vector of the query's space is looked at; the most similar become matches too.
void InMemoryEpisodicMemory::Compare(std::vector<Match>& all, const EpisodeQuery& query) {
  if (!query.embedding.has_value()) {
    return;
  }
  for (Match& match : all) {
    const auto vector = vectors_.find(match.candidate.episode->memory_id);
    if (vector != vectors_.end() && vector->second.space == query.embedding_space &&
        vector->second.embedding.size() == query.embedding->size()) {
      match.candidate.similarity = std::inner_product(
          query.embedding->begin(), query.embedding->end(), vector->second.embedding.begin(), 0.0F);
    }
  }
  std::stable_sort(all.begin(), all.end(), [](const Match& a, const Match& b) {
    return a.candidate.similarity.value_or(-1) > b.candidate.similarity.value_or(-1);
  });
  std::size_t taken = 0;
  for (const Role role : {Role::kAssistant, Role::kUser}) {
    std::size_t room = role == Role::kAssistant ? query.similar_max / 3 : query.similar_max - taken;
    for (Match& match : all) {
      EpisodeCandidate& candidate = match.candidate;
      if (room > 0 && candidate.episode->role == role && candidate.similarity.value_or(0) > 0 &&
          candidate.episode->occurred_at <= query.as_of.value_or(Timestamp::max())) {
        candidate.matched = true;
        --room;
        ++taken;
      }
    }
  }
}

// The turns with matches, the one before and the two after each in its session, by sequence.
std::set<std::int64_t> InMemoryEpisodicMemory::WantedTurns(const std::vector<Match>& all) {
  std::map<std::string, std::map<std::int64_t, bool>> sessions;
  for (const Match& match : all) {
    const Episode& episode = *match.candidate.episode;
    sessions[episode.session_id][episode.sequence] |= match.candidate.matched;
  }
  std::set<std::int64_t> wanted;
  for (const auto& [session, turns] : sessions) {
    std::vector<std::int64_t> order;
    for (const auto& [sequence, matched] : turns) {
      order.push_back(sequence);
    }
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (turns.at(order[i])) {
        const std::size_t first = i == 0 ? 0 : i - 1;
        const std::size_t end = std::min(i + 3, order.size());
        wanted.insert(order.begin() + static_cast<std::ptrdiff_t>(first),
                      order.begin() + static_cast<std::ptrdiff_t>(end));
      }
    }
  }
  return wanted;
}

Result<EpisodesFound> InMemoryEpisodicMemory::Find(const EpisodeQuery& asked,
                                                   Deadline /*deadline*/) {
  const EpisodeQuery query = WithEmbedding(asked);
  const MutexLock lock(mutex_);
  EpisodesFound found;
  found.statistics.document_frequency.resize(query.terms.size());
  found.assistant_statistics.document_frequency.resize(query.terms.size());
  std::vector<Match> all = CountTerms(query, found);
  for (Match& match : all) {
    match.score = Bm25(match.candidate, match.candidate.episode->role == Role::kUser
                                            ? found.statistics
                                            : found.assistant_statistics);
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Match& a, const Match& b) { return a.score > b.score; });
  const std::size_t assistants = KeepBest(all, query, Role::kAssistant, query.candidates_max / 3);
  KeepBest(all, query, Role::kUser, query.candidates_max - assistants);
  Compare(all, query);
  const std::set<std::int64_t> wanted = WantedTurns(all);
  for (Match& match : all) {
    const Episode& episode = *match.candidate.episode;
    if (wanted.contains(episode.sequence) &&
        episode.occurred_at <= query.as_of.value_or(Timestamp::max())) {
      found.candidates.push_back(std::move(match.candidate));
    }
  }
  return found;
}

Result<UnembeddedPage> InMemoryEpisodicMemory::Unembedded(std::string_view space,
                                                          std::string_view cursor,
                                                          std::size_t limit,
                                                          Deadline /*deadline*/) {
  const MutexLock lock(mutex_);
  std::map<std::string, UnembeddedEpisode> by_id;
  for (const auto& [key, episode] : episodes_) {
    const auto vector = vectors_.find(episode.memory_id);
    if (episode.memory_id > cursor && (vector == vectors_.end() || vector->second.space != space)) {
      by_id[episode.memory_id] = {episode.memory_id, EmbeddedText(episode.text, episode.speaker)};
    }
  }
  UnembeddedPage page;
  for (auto& [id, episode] : by_id) {
    if (page.episodes.size() == limit) {
      page.next_cursor = page.episodes.back().memory_id;
      break;
    }
    page.episodes.push_back(std::move(episode));
  }
  return page;
}

Status InMemoryEpisodicMemory::SaveVectors(std::string_view space,
                                           std::span<const EpisodeVector> vectors,
                                           Deadline /*deadline*/) {
  const MutexLock lock(mutex_);
  for (const EpisodeVector& vector : vectors) {
    const bool is_there = std::any_of(episodes_.begin(), episodes_.end(), [&](const auto& entry) {
      return entry.second.memory_id == vector.memory_id;
    });
    if (is_there) {
      vectors_[vector.memory_id] = {std::string(space), vector.embedding};
    }
  }
  return {};
}

std::vector<Episode> InMemoryEpisodicMemory::Episodes() {
  const MutexLock lock(mutex_);
  std::vector<Episode> all;
  all.reserve(episodes_.size());
  for (const auto& [key, episode] : episodes_) {
    all.push_back(episode);
  }
  return all;
}

}  // namespace umbranet
