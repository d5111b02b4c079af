// MemoryManager, looking after memories: listing, changing, forgetting, exporting, starting over.
#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "umbranet/domain/consolidated_episode.h"
#include "umbranet/domain/fact_contradictions.h"
#include "umbranet/domain/origin_name.h"
#include "umbranet/memory/memory_manager.h"
#include "umbranet/ports/episode_consolidation.h"

namespace umbranet {
namespace {

namespace json = boost::json;

constexpr std::size_t kExportPage = 200;
// Enough to bring every entity along; facts are exported from their tier's own list.
constexpr std::size_t kGraphFacts = 1;
// Of a user, when one of them is asked about.
constexpr std::size_t kFactsCompared = 10'000;

// A cursor over several tiers names the tier that the inner cursor belongs to.
struct TierCursor {
  Tier tier = Tier::kEpisodic;
  std::string inner;
};

constexpr char kCursorSeparator = ':';

Result<TierCursor> ParseCursor(std::string_view cursor) {
  if (cursor.empty()) {
    return TierCursor{};
  }
  const std::size_t separator = cursor.find(kCursorSeparator);
  const std::optional<Tier> tier = ParseTier(cursor.substr(0, separator));
  if (separator == std::string_view::npos || !tier || *tier == Tier::kShortTerm) {
    return InvalidArgument("memories: this cursor is not one that a page before gave");
  }
  return TierCursor{*tier, std::string(cursor.substr(separator + 1))};
}

std::string MakeCursor(Tier tier, std::string_view inner) {
  return std::string(TierName(tier)) + kCursorSeparator + std::string(inner);
}

MemoryTier& StoreOf(const MemoryManager::Stores& stores, Tier tier) {
  if (tier == Tier::kSemantic) {
    return stores.semantic;
  }
  if (tier == Tier::kProcedural) {
    return stores.procedural;
  }
  return stores.episodic;
}

MemoryItem ItemOfTurn(const Interaction& turn) {
  MemoryItem item;
  item.memory_id = std::string(kTurnPrefix) + turn.interaction_id;
  item.user = turn.user;
  item.tier = Tier::kShortTerm;
  item.text = turn.user_message;
  item.occurred_at = turn.occurred_at;
  item.sources = {{turn.interaction_id, Role::kUser}};
  return item;
}

json::array JsonOfSources(const std::vector<SourceRef>& sources) {
  json::array array;
  for (const SourceRef& source : sources) {
    array.push_back(
        {{"interaction_id", source.interaction_id}, {"role", std::string(RoleName(source.role))}});
  }
  return array;
}

std::string LineOfItem(const MemoryItem& item) {
  json::object line{{"type", std::string(TierName(item.tier))},
                    {"memory_id", item.memory_id},
                    {"text", item.text},
                    {"occurred_at", FormatTimestamp(item.occurred_at)}};
  if (item.valid_from) {
    line["valid_from"] = FormatTimestamp(*item.valid_from);
  }
  if (item.valid_to) {
    line["valid_to"] = FormatTimestamp(*item.valid_to);
  }
  if (item.superseded_by) {
    line["superseded_by"] = *item.superseded_by;
  }
  line["sources"] = JsonOfSources(item.sources);
  return json::serialize(line);
}

std::string LineOfEntry(const JournalEntry& entry) {
  const Interaction& turn = entry.interaction;
  return json::serialize(
      json::object{{"type", "interaction"},
                   {"user_id", turn.user.user_id},
                   {"interaction_id", turn.interaction_id},
                   {"session_id", turn.session_id},
                   {"speaker", turn.speaker},
                   {"timestamp", FormatTimestamp(turn.occurred_at)},
                   {"accepted_at", FormatTimestamp(turn.accepted_at)},
                   {"user_message", turn.user_message},
                   {"assistant_response", turn.assistant_response},
                   {"priority", std::string(PriorityName(turn.priority))},
                   // Text, as the caller gave it: it is never interpreted here.
                   {"metadata", turn.metadata},
                   {"origin", std::string(OriginName(turn.origin))},
                   {"reflection", std::string(JobStateName(entry.reflection.state))}});
}

std::string LineOfEntity(const Entity& entity) {
  json::array aliases;
  for (const std::string& alias : entity.aliases) {
    aliases.emplace_back(alias);
  }
  return json::serialize(json::object{{"type", "entity"},
                                      {"entity_id", entity.entity_id},
                                      {"name", entity.name},
                                      {"kind", std::string(EntityTypeName(entity.type))},
                                      {"aliases", std::move(aliases)}});
}

// With what the journal knows.
ForgettingCertificate BeginCertificate(const UserKey& user, const JournalErasure& erased) {
  return {.user = user,
          .forgotten_at = erased.forgotten_at,
          .through_sequence = erased.last_sequence,
          .removed = {{"turns", erased.turns},
                      {"turns_in_spool", erased.spooled},
                      {"jobs_waiting", erased.jobs_cancelled},
                      {"jobs_finished", erased.jobs_finished},
                      {"dead_letters", erased.dead_letters},
                      {"plans", erased.plans},
                      {"failure_records", erased.attempts},
                      {"stored_answers", erased.answers},
                      {"operator_acts", erased.acts},
                      {"shadow_plans", erased.shadow_plans}}};
}

constexpr std::string_view kConsolidatedCursor = "consolidated/";
constexpr std::string_view kEpisodesCursor = "episodes/";  // The first page of the originals.

// The consolidated ones first, then the originals. `consolidation` may be null.
Result<MemoryPage> ListEpisodes(EpisodicMemory& episodic, EpisodeConsolidation* consolidation,
                                const UserKey& user, std::string_view cursor, std::size_t limit,
                                Deadline deadline) {
  MemoryPage page;
  if (cursor == kEpisodesCursor) {
    cursor = {};
  } else if (consolidation != nullptr &&
             (cursor.empty() || cursor.starts_with(kConsolidatedCursor))) {
    cursor.remove_prefix(std::min(cursor.size(), kConsolidatedCursor.size()));
    UMBRANET_ASSIGN_OR_RETURN(const ConsolidatedPage consolidated,
                              consolidation->List(user, cursor, limit, deadline));
    for (const ConsolidatedEpisode& episode : consolidated.episodes) {
      page.items.push_back(ItemOfConsolidated(episode));
    }
    cursor = {};
    if (!consolidated.next_cursor.empty()) {
      page.next_cursor = std::string(kConsolidatedCursor) + consolidated.next_cursor;
      return page;
    }
    if (page.items.size() == limit) {
      page.next_cursor = kEpisodesCursor;
      return page;
    }
  }
  UMBRANET_ASSIGN_OR_RETURN(MemoryPage originals,
                            episodic.List(user, cursor, limit - page.items.size(), deadline));
  std::move(originals.items.begin(), originals.items.end(), std::back_inserter(page.items));
  page.next_cursor = std::move(originals.next_cursor);
  return page;
}

Result<MemoryPage> ListTier(const MemoryManager::Stores& stores, const UserKey& user, Tier tier,
                            std::string_view cursor, std::size_t limit, Deadline deadline) {
  return tier == Tier::kEpisodic
             ? ListEpisodes(stores.episodic, stores.consolidation, user, cursor, limit, deadline)
             : StoreOf(stores, tier).List(user, cursor, limit, deadline);
}

// As the tiers have them.
Result<MemoryPage> ListStored(const MemoryManager::Stores& stores, const UserKey& user,
                              std::optional<Tier> tier, std::string_view cursor, std::size_t limit,
                              Deadline deadline) {
  if (tier == Tier::kShortTerm) {
    // What waits for reflection is little and soon gone: one page holds it.
    UMBRANET_ASSIGN_OR_RETURN(const std::vector<std::int64_t> sequences,
                              stores.journal.Unreflected(user, limit, deadline));
    UMBRANET_ASSIGN_OR_RETURN(const std::vector<Interaction> turns,
                              stores.journal.ReadAt(user, sequences, deadline));
    MemoryPage page;
    for (auto turn = turns.rbegin(); turn != turns.rend(); ++turn) {
      page.items.push_back(ItemOfTurn(*turn));
    }
    return page;
  }
  if (tier) {
    return ListTier(stores, user, *tier, cursor, limit, deadline);
  }
  UMBRANET_ASSIGN_OR_RETURN(TierCursor at, ParseCursor(cursor));
  MemoryPage page;
  for (const Tier next : kReflectedTiers) {
    if (next < at.tier) {
      continue;
    }
    if (page.items.size() == limit) {
      page.next_cursor = MakeCursor(next, "");
      return page;
    }
    UMBRANET_ASSIGN_OR_RETURN(MemoryPage part,
                              ListTier(stores, user, next, next == at.tier ? at.inner : "",
                                       limit - page.items.size(), deadline));
    std::move(part.items.begin(), part.items.end(), std::back_inserter(page.items));
    if (!part.next_cursor.empty()) {
      page.next_cursor = MakeCursor(next, part.next_cursor);
      return page;
    }
  }
  return page;
}

// Says of each fact which others it cannot hold beside.
Status MarkContradictions(SemanticMemory& semantic, const UserKey& user,
                          std::span<MemoryItem> items, Deadline deadline) {
  const auto may = [](const MemoryItem& item) {
    return item.tier == Tier::kSemantic && !item.superseded_by && !item.valid_to;
  };
  if (std::none_of(items.begin(), items.end(), may)) {
    return {};
  }
  UMBRANET_ASSIGN_OR_RETURN(const KnowledgeGraph graph,
                            semantic.ReadGraph(user, kFactsCompared, deadline));
  const Contradictions contradictions = FindContradictions(graph.facts);
  for (MemoryItem& item : items) {
    if (const auto found = contradictions.find(item.memory_id); found != contradictions.end()) {
      item.contradicts = found->second;
    }
  }
  return {};
}

}  // namespace

Result<MemoryPage> MemoryManager::List(const UserKey& user, std::optional<Tier> tier,
                                       std::string_view cursor, std::size_t limit,
                                       Deadline deadline) {
  Stores stores = stores_;
  if (!options_.with_consolidated) {
    stores.consolidation = nullptr;
  }
  UMBRANET_ASSIGN_OR_RETURN(MemoryPage page,
                            ListStored(stores, user, tier, cursor, limit, deadline));
  UMBRANET_RETURN_IF_ERROR(MarkContradictions(stores_.semantic, user, page.items, deadline));
  return page;
}

Result<std::optional<MemoryItem>> MemoryManager::Get(std::string_view tenant,
                                                     std::string_view memory_id,
                                                     Deadline deadline) {
  const std::optional<Tier> tier = TierOfMemoryId(memory_id);
  if (!tier) {
    return std::optional<MemoryItem>();
  }
  if (IsConsolidatedId(memory_id) && stores_.consolidation != nullptr) {
    UMBRANET_ASSIGN_OR_RETURN(const std::optional<ConsolidatedEpisode> episode,
                              stores_.consolidation->Get(tenant, memory_id, deadline));
    return episode ? std::optional(ItemOfConsolidated(*episode)) : std::nullopt;
  }
  UMBRANET_ASSIGN_OR_RETURN(std::optional<MemoryItem> item,
                            StoreOf(stores_, *tier).Get(tenant, memory_id, deadline));
  if (item) {
    UMBRANET_RETURN_IF_ERROR(
        MarkContradictions(stores_.semantic, item->user, std::span(&*item, 1), deadline));
  }
  return item;
}

Result<std::optional<MemoryItem>> MemoryManager::Update(std::string_view tenant,
                                                        std::string_view memory_id,
                                                        const MemoryPatch& patch,
                                                        Deadline deadline) {
  const std::optional<Tier> tier = TierOfMemoryId(memory_id);
  if (!tier) {
    return std::optional<MemoryItem>();
  }
  if (IsConsolidatedId(memory_id)) {
    return InvalidArgument(
        "memories: a consolidated episode cannot be changed, but undone or what it is made of");
  }
  return StoreOf(stores_, *tier).Update(tenant, memory_id, patch, deadline);
}

Result<bool> MemoryManager::Erase(std::string_view tenant, std::string_view memory_id,
                                  Deadline deadline) {
  const std::optional<Tier> tier = TierOfMemoryId(memory_id);
  if (!tier) {
    return false;
  }
  if (IsConsolidatedId(memory_id) && stores_.consolidation != nullptr) {
    return stores_.consolidation->Undo(tenant, memory_id, deadline);
  }
  return StoreOf(stores_, *tier).Erase(tenant, memory_id, deadline);
}

Result<std::map<std::string, std::string>> MemoryManager::ConsolidatedIn(
    std::span<const MemoryItem> items, Deadline deadline) {
  std::vector<std::string> episodes;
  for (const MemoryItem& item : items) {
    if (item.tier == Tier::kEpisodic && !IsConsolidatedId(item.memory_id)) {
      episodes.push_back(item.memory_id);
    }
  }
  if (episodes.empty() || !options_.with_consolidated || stores_.consolidation == nullptr) {
    return std::map<std::string, std::string>();
  }
  return stores_.consolidation->ConsolidatedIn(items.front().user, episodes, deadline);
}

Result<ForgetReport> MemoryManager::ForgetUser(const UserKey& user, Deadline deadline) {
  ForgetReport report;
  UMBRANET_ASSIGN_OR_RETURN(const JournalErasure erased, stores_.journal.EraseUser(user, deadline));
  report.deleted[Tier::kShortTerm] = erased.turns;
  report.queued_jobs_cancelled = erased.jobs_cancelled;
  report.certificate = BeginCertificate(user, erased);
  auto& removed = report.certificate.removed;
  removed["cached_turns"] =
      pending_turns_.Forget(user) + (spooled_turns_ ? spooled_turns_->Forget(user) : 0);

  // Every tier is tried even when one fails: the less is left, the better.
  std::optional<Error> first_error;
  const auto take = [&first_error, &removed](std::string_view kind,
                                             Result<std::uint64_t> count) -> std::uint64_t {
    if (!count.ok()) {
      if (!first_error) {
        first_error = count.error();
      }
      return 0;
    }
    removed[std::string(kind)] = *count;
    return *count;
  };
  take("summaries", stores_.short_term.EraseUser(user, deadline));
  take("embeddings", stores_.episodic.CountVectors(user, deadline));
  // Before their originals, with which they go; and again, for whoever began on these meanwhile.
  const auto erase_consolidated = [&] {
    return stores_.consolidation == nullptr ? Result<std::uint64_t>(std::uint64_t{0})
                                            : stores_.consolidation->EraseUser(user, deadline);
  };
  const std::uint64_t consolidated = take("consolidated_episodes", erase_consolidated());
  report.deleted[Tier::kEpisodic] = take("episodes", stores_.episodic.EraseUser(user, deadline));
  removed["consolidated_episodes"] =
      consolidated + take("consolidated_episodes", erase_consolidated());
  report.deleted[Tier::kSemantic] =
      take("facts", stores_.semantic.ForgetUser(user, erased.last_sequence, deadline));
  report.deleted[Tier::kProcedural] = take("rules", stores_.procedural.EraseUser(user, deadline));
  // Last: until now a worker may have put something there.
  const CachesDropped dropped = options_.drop_caches ? options_.drop_caches() : CachesDropped();
  removed["cached_questions"] = dropped.questions;
  removed["cached_model_answers"] = dropped.model_answers;
  if (first_error) {
    return *std::move(first_error);
  }
  return report;
}

void MemoryManager::LetGo(const UserKey& user) {
  pending_turns_.Forget(user);
  if (spooled_turns_) {
    spooled_turns_->Forget(user);
  }
}

void MemoryManager::LetGoOfAll() {
  pending_turns_.ForgetAll();
  if (spooled_turns_) {
    spooled_turns_->ForgetAll();
  }
}

Status MemoryManager::Export(const UserKey& user, const std::function<bool(std::string_view)>& line,
                             Deadline deadline) {
  std::string cursor;
  do {
    UMBRANET_ASSIGN_OR_RETURN(const JournalPage page,
                              stores_.journal.List(user, cursor, kExportPage, deadline));
    for (const JournalEntry& entry : page.entries) {
      if (!line(LineOfEntry(entry))) {
        return {};
      }
    }
    cursor = page.next_cursor;
  } while (!cursor.empty());

  UMBRANET_ASSIGN_OR_RETURN(const KnowledgeGraph graph,
                            stores_.semantic.ReadGraph(user, kGraphFacts, deadline));
  for (const Entity& entity : graph.entities) {
    if (!line(LineOfEntity(entity))) {
      return {};
    }
  }
  do {
    UMBRANET_ASSIGN_OR_RETURN(const MemoryPage page, ListStored(stores_, user, std::nullopt, cursor,
                                                                kExportPage, deadline));
    for (const MemoryItem& item : page.items) {
      if (!line(LineOfItem(item))) {
        return {};
      }
    }
    cursor = page.next_cursor;
  } while (!cursor.empty());
  return {};
}

Result<std::uint64_t> MemoryManager::ReflectAgain(const UserKey& user, Deadline deadline) {
  for (const Tier tier : kReflectedTiers) {
    UMBRANET_ASSIGN_OR_RETURN([[maybe_unused]] const std::uint64_t erased,
                              StoreOf(stores_, tier).EraseUser(user, deadline));
  }
  return stores_.ledger.ReflectAgain(user, deadline);
}

}  // namespace umbranet
