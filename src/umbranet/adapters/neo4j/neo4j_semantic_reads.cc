#include <algorithm>
#include <set>
#include <utility>

#include "umbranet/adapters/neo4j/neo4j_semantic_memory.h"
#include "umbranet/domain/fact_search.h"
#include "umbranet/domain/memory_place.h"

namespace umbranet {
namespace {

KnownFacts FactsOf(const UserKnowledge& knowledge) {
  KnownFacts facts;
  facts.reserve(knowledge.heads().size());
  for (const std::size_t head : knowledge.heads()) {
    facts.push_back(knowledge.at(head).fact);
  }
  return facts;
}

// Most recently mentioned first.
std::vector<const NamedEntity*> RecentEntities(const NameGraph& names) {
  std::vector<const NamedEntity*> recent;
  for (const auto& [root, known] : names.entities()) {
    recent.push_back(&known);
  }
  std::stable_sort(recent.begin(), recent.end(), [](const NamedEntity* a, const NamedEntity* b) {
    return std::pair(a->last_at, a->last_sequence) > std::pair(b->last_at, b->last_sequence);
  });
  return recent;
}

}  // namespace

Result<MemoryPage> Neo4jSemanticMemory::List(const UserKey& user, std::string_view cursor,
                                             std::size_t limit, Deadline deadline) {
  const std::optional<MemoryPlace> after = ParseCursor(cursor);
  if (!after.has_value()) {
    return InvalidArgument("neo4j: unknown cursor");
  }
  UMBRANET_ASSIGN_OR_RETURN(const KnowledgeSnapshot snapshot, Read(user, deadline));
  const UserKnowledge& knowledge = *snapshot.knowledge;
  const std::span<const std::size_t> heads = knowledge.heads();
  auto at = std::upper_bound(heads.begin(), heads.end(), *after,
                             [&](const MemoryPlace& place, std::size_t head) {
                               return place < knowledge.at(head).fact->place;
                             });
  MemoryPage page;
  for (; at != heads.end(); ++at) {
    if (page.items.size() == limit) {
      page.next_cursor =
          at == heads.begin() ? "" : FormatCursor(knowledge.at(*std::prev(at)).fact->place);
      break;
    }
    page.items.push_back(ItemOfFact(knowledge.at(*at).fact->fact));
  }
  return page;
}

Result<std::optional<MemoryItem>> Neo4jSemanticMemory::Get(std::string_view tenant,
                                                           std::string_view memory_id,
                                                           Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<Located> located,
                            Locate(tenant, memory_id, deadline));
  if (!located.has_value()) {
    return std::optional<MemoryItem>();
  }
  UMBRANET_ASSIGN_OR_RETURN(const KnowledgeSnapshot snapshot, Read(located->user, deadline));
  const std::optional<std::size_t> head = snapshot.knowledge->HeadOf(located->statement_id);
  if (!head.has_value()) {
    return std::optional<MemoryItem>();
  }
  return std::optional(ItemOfFact(snapshot.knowledge->at(*head).fact->fact));
}

Result<FactsFound> Neo4jSemanticMemory::Find(const FactQuery& query, Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const KnowledgeSnapshot snapshot,
                            Read(query.user, deadline, query.version));
  const KnownFacts present = FactsOf(*snapshot.knowledge);
  FactTermCounts counts = CountFactTerms(present, query.terms);
  FactsFound found;
  found.statistics.documents = present.size();
  found.statistics.length_mean = counts.length_mean;
  found.statistics.document_frequency = counts.document_frequency;
  KnownFacts past;
  if (query.as_of.has_value()) {
    past = snapshot.knowledge->AsOf(*query.as_of);
    std::erase_if(past, [&](const auto& known) { return known->fact.valid_from > *query.as_of; });
    counts = CountFactTerms(past, query.terms);
  }
  const KnownFacts& facts = query.as_of.has_value() ? past : present;
  for (const std::size_t index : ChooseFacts(facts, counts, found.statistics.document_frequency,
                                             present.size(), query.candidates_max)) {
    found.candidates.push_back({.fact = facts[index]->fact,
                                .term_counts = std::move(counts.of_fact[index]),
                                .length = facts[index]->length});
  }
  return found;
}

bool Neo4jSemanticMemory::AnswersAtOnce(const FactQuery& query) {
  return options_.which == GenerationState::kInForce &&
         ReadFound(query.user, query.version).has_value();
}

Result<std::vector<Entity>> Neo4jSemanticMemory::KnownEntities(const UserKey& user,
                                                               std::size_t limit,
                                                               Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const KnowledgeSnapshot snapshot, Read(user, deadline));
  std::vector<Entity> entities;
  for (const NamedEntity* known : RecentEntities(snapshot.knowledge->names())) {
    if (entities.size() == limit) {
      break;
    }
    entities.push_back(known->entity);
  }
  return entities;
}

Result<KnowledgeGraph> Neo4jSemanticMemory::ReadGraph(const UserKey& user, std::size_t facts_max,
                                                      Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const KnowledgeSnapshot snapshot, Read(user, deadline));
  const UserKnowledge& knowledge = *snapshot.knowledge;
  KnowledgeGraph graph;
  std::set<std::string> named;
  const std::span<const std::size_t> heads = knowledge.heads();
  for (auto at = heads.rbegin(); at != heads.rend() && graph.facts.size() < facts_max; ++at) {
    const Fact& fact = knowledge.at(*at).fact->fact;
    named.insert(fact.subject_id);
    named.insert(fact.object_id.value_or(fact.subject_id));
    graph.facts.push_back(fact);
  }
  for (const NamedEntity* known : RecentEntities(knowledge.names())) {
    if (named.contains(known->entity.entity_id)) {
      graph.entities.push_back(known->entity);
    }
  }
  return graph;
}

Result<std::vector<EntityMerge>> Neo4jSemanticMemory::Merges(const UserKey& user, std::size_t limit,
                                                             Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const KnowledgeSnapshot snapshot, Read(user, deadline));
  return snapshot.knowledge->names().Log(limit);
}

}  // namespace umbranet
