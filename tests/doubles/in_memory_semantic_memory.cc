#include "tests/doubles/in_memory_semantic_memory.h"

#include <algorithm>
#include <cmath>

#include "umbranet/base/unique_id.h"
#include "umbranet/domain/entity_name.h"

namespace umbranet {
namespace {

MemoryItem ToItem(const Fact& fact) {
  MemoryItem item;
  item.memory_id = fact.memory_id;
  item.user = fact.user;
  item.tier = Tier::kSemantic;
  item.text = fact.text;
  item.occurred_at = fact.occurred_at;
  item.valid_from = fact.valid_from;
  item.valid_to = fact.valid_to;
  item.superseded_by = fact.superseded_by;
  item.sources = fact.sources;
  return item;
}

std::vector<std::string> NamesOf(const Entity& entity) {
  std::vector<std::string> names = entity.aliases;
  if (entity.name != kSelfEntity) {
    names.push_back(entity.name);
  }
  return names;
}

}  // namespace

void InMemorySemanticMemory::Mentioned(Mind& mind, MergeLogs& merges, const ReflectionPlan& plan,
                                       Timestamp now) {
  // Names that a fact uses come after those of the plan's entities.
  constexpr std::uint32_t kFactOrdinal = 1'000'000;
  std::uint32_t ordinal = 0;
  const auto mention = [&](const std::string& name, EntityType type, bool as_alias) {
    std::string key = NormalizeName(name);
    if (!key.empty()) {
      mind.mentions[key].push_back(
          {as_alias, plan.occurred_at, plan.sequence, ordinal, name, type});
    }
    ++ordinal;
    return key;
  };
  for (const PlannedEntity& entity : plan.entities) {
    const std::string key = mention(entity.name, entity.type, false);
    for (const std::string& alias : entity.aliases) {
      const std::string other = mention(alias, EntityType::kOther, true);
      if (key.empty() || other.empty() || key == other) {
        continue;
      }
      if (IsRelationName(key) == IsRelationName(other)) {
        if (!IsRelationName(key) &&
            Note(merges, plan, std::min(key, other), std::max(key, other), now)) {
          mind.same.emplace_back(key, other);
        }
        continue;
      }
      if (!Note(merges, plan, IsRelationName(key) ? key : other, IsRelationName(key) ? other : key,
                now)) {
        continue;
      }
      auto& claims = mind.claims[IsRelationName(key) ? key : other];
      const std::pair first(plan.occurred_at, plan.sequence);
      const auto [claim, fresh] = claims.emplace(IsRelationName(key) ? other : key, first);
      claim->second = std::min(claim->second, first);
    }
  }
  ordinal = kFactOrdinal;
  for (const PlannedFact& fact : plan.facts) {
    mention(fact.subject, EntityType::kOther, false);
    if (fact.object_is_entity) {
      mention(fact.object, EntityType::kOther, false);
    }
  }
}

Status InMemorySemanticMemory::Apply(std::span<const ReflectionPlan> plans, const Lease& /*fence*/,
                                     Deadline /*deadline*/) {
  const MutexLock lock(mutex_);
  for (const ReflectionPlan& plan : plans) {
    const auto through = forgotten_through_.find(plan.user);
    if (through != forgotten_through_.end() && plan.sequence <= through->second) {
      return Aborted("in-memory semantic memory: the user was forgotten");
    }
  }
  for (const ReflectionPlan& plan : plans) {
    if (!applied_.emplace(plan.user, plan.job_id).second) {
      continue;
    }
    Mind& mind = minds_[plan.user];
    Mentioned(mind, merges_[plan.user], plan, clock_.Now());
    std::uint32_t ordinal = 0;
    for (const PlannedFact& fact : plan.facts) {
      Said said;
      said.statement_id = MakeStatementId(plan.user, plan.interaction_id, fact);
      said.place = {plan.occurred_at, plan.sequence, plan.interaction_id, ordinal++};
      said.recorded_at = clock_.Now();
      said.fact = fact;
      const bool known = std::any_of(mind.said.begin(), mind.said.end(), [&](const Said& other) {
        return other.statement_id == said.statement_id;
      });
      if (!known && !erased_.contains(said.statement_id) && !NormalizeName(fact.subject).empty()) {
        mind.said.push_back(std::move(said));
      }
    }
  }
  return {};
}

std::map<std::string, std::string> InMemorySemanticMemory::FindRoots(const Mind& mind) {
  std::map<std::string, std::string> roots;
  for (const auto& [name, mentions] : mind.mentions) {
    roots[name] = name;
  }
  // The least name of a component is its root, but for the user, who stays the user.
  for (bool changed = true; changed;) {
    changed = false;
    for (const auto& [a, b] : mind.same) {
      std::string& root_a = roots[a];
      std::string& root_b = roots[b];
      const bool self = root_a == kSelfEntity || root_b == kSelfEntity;
      const std::string root = self ? std::string(kSelfEntity) : std::min(root_a, root_b);
      changed = changed || root_a != root || root_b != root;
      root_a = root;
      root_b = root;
    }
  }
  return roots;
}

std::string InMemorySemanticMemory::Resolve(const Mind& mind,
                                            const std::map<std::string, std::string>& roots,
                                            const std::string& name, const StatementPlace& place) {
  const auto claims = mind.claims.find(name);
  if (claims == mind.claims.end()) {
    return roots.at(name);
  }
  // The name that was introduced last by then, or else the one that will be first.
  const std::pair at(place.occurred_at, place.sequence);
  using Claim = std::pair<std::pair<Timestamp, std::int64_t>, std::string>;
  std::vector<Claim> ordered;
  for (const auto& [stands_for, first] : claims->second) {
    ordered.emplace_back(first, stands_for);
  }
  std::sort(ordered.begin(), ordered.end());
  std::string chosen = ordered.front().second;
  for (const auto& [first, stands_for] : ordered) {
    if (first <= at) {
      chosen = stands_for;
    }
  }
  return roots.at(chosen);
}

void InMemorySemanticMemory::DeriveEntities(const UserKey& user, const Mind& mind,
                                            const std::map<std::string, std::string>& roots,
                                            Derived& derived) {
  std::map<std::string, std::set<std::string>> names_of;  // Root -> its normalised names.
  for (const auto& [name, root] : roots) {
    const auto claims = mind.claims.find(name);
    if (claims == mind.claims.end()) {
      names_of[root].insert(name);
      continue;
    }
    for (const auto& [stands_for, first] : claims->second) {
      names_of[roots.at(stands_for)].insert(name);
    }
  }
  for (const auto& [root, names] : names_of) {
    Entity& entity = derived.entities[root];
    entity.entity_id = "en_" + NameUuidV5({"entity", user.tenant, user.user_id, root});
    entity.user = user;
    auto& last = derived.mentioned[root];
    const Mention* best = nullptr;
    const Mention* typed = nullptr;
    std::set<std::string> displays;
    for (const std::string& name : names) {
      const std::vector<Mention>& mentions = mind.mentions.at(name);
      const auto first =
          std::min_element(mentions.begin(), mentions.end(),
                           [](const auto& a, const auto& b) { return a.Rank() < b.Rank(); });
      displays.insert(first->display);
      if (mind.claims.contains(name)) {
        continue;
      }
      if (best == nullptr || first->Rank() < best->Rank()) {
        best = &*first;
      }
      for (const Mention& mention : mentions) {
        last = std::max(last, std::tuple(mention.at, mention.sequence));
        const auto rank = [](const Mention& m) { return std::tuple(m.at, m.sequence, m.ordinal); };
        if (mention.type != EntityType::kOther &&
            (typed == nullptr || rank(mention) < rank(*typed))) {
          typed = &mention;
        }
      }
    }
    entity.name = root == kSelfEntity ? std::string(kSelfEntity) : best->display;
    entity.type = root == kSelfEntity ? EntityType::kPerson
                  : typed == nullptr  ? EntityType::kOther
                                      : typed->type;
    displays.erase(entity.name);
    if (root == kSelfEntity) {
      std::erase_if(displays,
                    [](const std::string& name) { return NormalizeName(name) == kSelfEntity; });
    }
    entity.aliases.assign(displays.begin(), displays.end());
  }
}

void InMemorySemanticMemory::DeriveSlot(
    const UserKey& user, const std::vector<const Said*>& slot,
    const std::vector<std::pair<std::string, std::string>>& ends, Derived& derived) {
  std::vector<FactStatement> statements;
  for (std::size_t i = 0; i < slot.size(); ++i) {
    const PlannedFact& planned = slot[i]->fact;
    statements.push_back({slot[i]->place, ends[i].second, NormalizeName(planned.ends_object),
                          IsFunctional(planned.predicate), planned.negated, planned.supersedes,
                          planned.retracts, planned.valid_from, planned.valid_to,
                          slot[i]->edited_valid_to});
  }
  const std::vector<StatementFate> fates = FoldFactStatements(statements);
  std::map<std::size_t, std::vector<const Said*>> witnesses;
  for (std::size_t i = 0; i < slot.size(); ++i) {
    if (fates[i].head != kNoStatement) {
      witnesses[fates[i].head].push_back(slot[i]);
    }
  }
  const auto id_of = [&](std::size_t head) {
    return std::string(kFactPrefix) + slot[head]->statement_id;
  };
  for (auto& [head, said] : witnesses) {
    std::sort(said.begin(), said.end(),
              [](const Said* a, const Said* b) { return a->place < b->place; });
    const PlannedFact& planned = slot[head]->fact;
    Fact fact;
    fact.memory_id = id_of(head);
    fact.user = user;
    fact.subject_id = derived.entities.at(ends[head].first).entity_id;
    fact.subject = derived.entities.at(ends[head].first).name;
    fact.predicate = planned.predicate;
    fact.qualifier = planned.qualifier;
    fact.object = planned.object;
    if (planned.object_is_entity && !ends[head].second.empty()) {
      fact.object_id = derived.entities.at(ends[head].second).entity_id;
    }
    fact.negated = planned.negated;
    fact.text = planned.text;
    fact.occurred_at = slot[head]->place.occurred_at;
    fact.recorded_at = slot[head]->recorded_at;
    fact.valid_to = fates[head].valid_to;
    if (fates[head].superseded_by != kNoStatement) {
      fact.superseded_by = id_of(fates[head].superseded_by);
    }
    fact.confidence = 0;
    for (const Said* witness : said) {
      fact.confidence = std::max(fact.confidence, witness->fact.confidence);
      fact.text = witness->edited_text.value_or(fact.text);
      if (!fact.valid_from.has_value()) {
        fact.valid_from = witness->fact.valid_from;
      }
      const SourceRef source{witness->place.interaction_id, Role::kUser};
      if (std::find(fact.sources.begin(), fact.sources.end(), source) == fact.sources.end()) {
        fact.sources.push_back(source);
      }
      derived.fact_of[witness->statement_id] = fact.memory_id;
    }
    fact.evidence = static_cast<std::uint32_t>(fact.sources.size());
    const StatementPlace& place = slot[head]->place;
    derived.facts.emplace(
        MemoryPlace{place.occurred_at, place.sequence, place.ordinal, fact.memory_id},
        std::move(fact));
  }
}

InMemorySemanticMemory::Derived InMemorySemanticMemory::Derive(const UserKey& user,
                                                               const Mind& mind,
                                                               std::optional<Timestamp> as_of) {
  Derived derived;
  const std::map<std::string, std::string> roots = FindRoots(mind);
  DeriveEntities(user, mind, roots, derived);

  struct Slot {
    std::vector<const Said*> said;
    std::vector<std::pair<std::string, std::string>> ends;  // Subject and object.
  };

  std::map<std::tuple<std::string, Predicate, std::string>, Slot> slots;
  for (const Said& said : mind.said) {
    if (as_of.has_value() && said.place.occurred_at > *as_of) {
      continue;
    }
    const PlannedFact& fact = said.fact;
    std::string subject = Resolve(mind, roots, NormalizeName(fact.subject), said.place);
    std::string object = NormalizeName(fact.object);
    if (fact.object_is_entity && !object.empty()) {
      object = Resolve(mind, roots, object, said.place);
    }
    Slot& slot = slots[{subject, fact.predicate, NormalizeName(fact.qualifier)}];
    slot.said.push_back(&said);
    slot.ends.emplace_back(std::move(subject), std::move(object));
  }
  for (const auto& [key, slot] : slots) {
    DeriveSlot(user, slot.said, slot.ends, derived);
  }
  return derived;
}

Result<MemoryPage> InMemorySemanticMemory::List(const UserKey& user, std::string_view cursor,
                                                std::size_t limit, Deadline /*deadline*/) {
  const std::optional<MemoryPlace> after = ParseCursor(cursor);
  if (!after.has_value()) {
    return InvalidArgument("memory: unknown cursor");
  }
  const MutexLock lock(mutex_);
  const Derived derived = Derive(user, minds_[user], std::nullopt);
  MemoryPage page;
  for (auto it = derived.facts.upper_bound(*after); it != derived.facts.end(); ++it) {
    if (page.items.size() == limit) {
      page.next_cursor = FormatCursor(std::prev(it)->first);
      break;
    }
    page.items.push_back(ToItem(it->second));
  }
  return page;
}

std::optional<std::pair<UserKey, Fact>> InMemorySemanticMemory::Locate(std::string_view tenant,
                                                                       std::string_view memory_id) {
  if (!memory_id.starts_with(kFactPrefix)) {
    return std::nullopt;
  }
  const std::string statement_id(memory_id.substr(kFactPrefix.size()));
  for (const auto& [user, mind] : minds_) {
    if (user.tenant != tenant) {
      continue;
    }
    const Derived derived = Derive(user, mind, std::nullopt);
    const auto found = derived.fact_of.find(statement_id);
    if (found == derived.fact_of.end()) {
      continue;
    }
    for (const auto& [place, fact] : derived.facts) {
      if (fact.memory_id == found->second) {
        return std::pair(user, fact);
      }
    }
  }
  return std::nullopt;
}

Result<std::optional<MemoryItem>> InMemorySemanticMemory::Get(std::string_view tenant,
                                                              std::string_view memory_id,
                                                              Deadline /*deadline*/) {
  const MutexLock lock(mutex_);
  const auto found = Locate(tenant, memory_id);
  return found.has_value() ? std::optional(ToItem(found->second)) : std::nullopt;
}

Result<std::optional<MemoryItem>> InMemorySemanticMemory::Update(std::string_view tenant,
                                                                 std::string_view memory_id,
                                                                 const MemoryPatch& patch,
                                                                 Deadline /*deadline*/) {
  if (patch.text.has_value() && patch.text->empty()) {
    return InvalidArgument("memory: the text is empty");
  }
  const MutexLock lock(mutex_);
  const auto found = Locate(tenant, memory_id);
  if (!found.has_value()) {
    return std::optional<MemoryItem>();
  }
  for (Said& said : minds_[found->first].said) {
    if (found->second.memory_id.substr(kFactPrefix.size()) == said.statement_id) {
      said.edited_text = patch.text.has_value() ? patch.text : said.edited_text;
      said.edited_valid_to = patch.valid_to.has_value() ? patch.valid_to : said.edited_valid_to;
    }
  }
  return std::optional(ToItem(Locate(tenant, memory_id)->second));
}

Result<bool> InMemorySemanticMemory::Erase(std::string_view tenant, std::string_view memory_id,
                                           Deadline /*deadline*/) {
  const MutexLock lock(mutex_);
  const auto found = Locate(tenant, memory_id);
  if (!found.has_value()) {
    return false;
  }
  Mind& mind = minds_[found->first];
  const Derived derived = Derive(found->first, mind, std::nullopt);
  const auto gone = [&](const Said& said) {
    const auto fact = derived.fact_of.find(said.statement_id);
    return fact != derived.fact_of.end() && fact->second == found->second.memory_id;
  };
  for (const Said& said : mind.said) {
    if (gone(said)) {
      erased_.insert(said.statement_id);
    }
  }
  std::erase_if(mind.said, gone);
  return true;
}

Result<std::uint64_t> InMemorySemanticMemory::EraseUser(const UserKey& user,
                                                        Deadline /*deadline*/) {
  const MutexLock lock(mutex_);
  const std::uint64_t removed = Derive(user, minds_[user], std::nullopt).facts.size();
  std::erase_if(applied_, [&](const auto& applied) { return applied.first == user; });
  minds_.erase(user);
  // What an owner undid stays undone when everything is worked out anew.
  std::erase_if(merges_[user], [](const auto& entry) { return !entry.second.parted_through; });
  for (auto& [names, log] : merges_[user]) {
    log.last_sequence = *log.parted_through;
  }
  return removed;
}

Result<std::uint64_t> InMemorySemanticMemory::ForgetUser(const UserKey& user,
                                                         std::int64_t through_sequence,
                                                         Deadline deadline) {
  {
    const MutexLock lock(mutex_);
    std::int64_t& through = forgotten_through_[user];
    through = std::max(through, through_sequence);
  }
  return EraseUser(user, deadline);
}

std::vector<FactCandidate> InMemorySemanticMemory::CountTerms(const std::vector<std::string>& terms,
                                                              const Derived& derived,
                                                              CorpusStatistics& statistics) {
  statistics.document_frequency.assign(terms.size(), 0);
  std::map<std::string, const Entity*> by_id;
  for (const auto& [root, entity] : derived.entities) {
    by_id[entity.entity_id] = &entity;
  }
  std::vector<FactCandidate> candidates;
  for (const auto& [place, fact] : derived.facts) {
    std::vector<std::string> names = NamesOf(*by_id.at(fact.subject_id));
    if (fact.object_id.has_value()) {
      const std::vector<std::string> more = NamesOf(*by_id.at(*fact.object_id));
      names.insert(names.end(), more.begin(), more.end());
    }
    const FactTerms analyzed = AnalyzeFact(fact.text, names);
    FactCandidate candidate{.fact = fact, .term_counts = {}, .length = analyzed.text_length};
    candidate.term_counts.resize(terms.size());
    for (const std::string& term : analyzed.terms) {
      const auto at = std::find(terms.begin(), terms.end(), term);
      if (at != terms.end()) {
        ++candidate.term_counts[static_cast<std::size_t>(at - terms.begin())];
      }
    }
    for (std::size_t i = 0; i < terms.size(); ++i) {
      statistics.document_frequency[i] += candidate.term_counts[i] > 0 ? 1U : 0U;
    }
    statistics.length_mean += analyzed.text_length;
    candidates.push_back(std::move(candidate));
  }
  statistics.documents = candidates.size();
  statistics.length_mean /= std::max(1.0, static_cast<double>(candidates.size()));
  return candidates;
}

Result<FactsFound> InMemorySemanticMemory::Find(const FactQuery& query, Deadline /*deadline*/) {
  const MutexLock lock(mutex_);
  const Mind& mind = minds_[query.user];
  FactsFound found;
  CountTerms(query.terms, Derive(query.user, mind, std::nullopt), found.statistics);
  CorpusStatistics at_the_time;
  std::vector<FactCandidate> all =
      CountTerms(query.terms, Derive(query.user, mind, query.as_of), at_the_time);
  std::erase_if(all, [&](const FactCandidate& candidate) {
    return query.as_of.has_value() && candidate.fact.valid_from > *query.as_of;
  });
  const auto score = [&](const FactCandidate& candidate) {
    double sum = 0;
    for (std::size_t i = 0; i < candidate.term_counts.size(); ++i) {
      const double holding = static_cast<double>(found.statistics.document_frequency[i]);
      const double documents = static_cast<double>(found.statistics.documents);
      sum += candidate.term_counts[i] == 0
                 ? 0
                 : std::log(1 + (documents - holding + 0.5) / (holding + 0.5));
    }
    return sum;
  };
  std::stable_sort(all.begin(), all.end(), [&](const FactCandidate& a, const FactCandidate& b) {
    return score(a) > score(b);
  });
  std::set<std::string> wanted;
  for (const FactCandidate& candidate : all) {
    if (wanted.size() < query.candidates_max && score(candidate) > 0) {
      wanted.insert(candidate.fact.memory_id);
    }
  }
  for (bool grew = true; grew;) {
    grew = false;
    for (const FactCandidate& candidate : all) {
      if (wanted.contains(candidate.fact.memory_id) && candidate.fact.superseded_by.has_value()) {
        grew = wanted.insert(*candidate.fact.superseded_by).second || grew;
      }
    }
  }
  for (FactCandidate& candidate : all) {
    if (wanted.contains(candidate.fact.memory_id)) {
      found.candidates.push_back(std::move(candidate));
    }
  }
  return found;
}

Result<std::vector<Entity>> InMemorySemanticMemory::KnownEntities(const UserKey& user,
                                                                  std::size_t limit,
                                                                  Deadline /*deadline*/) {
  const MutexLock lock(mutex_);
  const Derived derived = Derive(user, minds_[user], std::nullopt);
  std::vector<std::pair<std::tuple<Timestamp, std::int64_t>, const Entity*>> ordered;
  for (const auto& [root, entity] : derived.entities) {
    ordered.emplace_back(derived.mentioned.at(root), &entity);
  }
  std::stable_sort(ordered.begin(), ordered.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<Entity> entities;
  for (std::size_t i = 0; i < std::min(limit, ordered.size()); ++i) {
    entities.push_back(*ordered[i].second);
  }
  return entities;
}

Result<KnowledgeGraph> InMemorySemanticMemory::ReadGraph(const UserKey& user, std::size_t facts_max,
                                                         Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<Entity> entities,
                            KnownEntities(user, kNoStatement, deadline));
  const MutexLock lock(mutex_);
  const Derived derived = Derive(user, minds_[user], std::nullopt);
  KnowledgeGraph graph;
  std::set<std::string> named;
  for (auto it = derived.facts.rbegin();
       it != derived.facts.rend() && graph.facts.size() < facts_max; ++it) {
    graph.facts.push_back(it->second);
    named.insert(it->second.subject_id);
    named.insert(it->second.object_id.value_or(it->second.subject_id));
  }
  for (const Entity& entity : entities) {
    if (named.contains(entity.entity_id)) {
      graph.entities.push_back(entity);
    }
  }
  return graph;
}

}  // namespace umbranet
