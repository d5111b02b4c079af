#include "tests/doubles/in_memory_procedural_memory.h"

#include <algorithm>
#include <iterator>

namespace umbranet {
namespace {

MemoryItem ToItem(const Rule& rule) {
  MemoryItem item;
  item.memory_id = rule.memory_id;
  item.user = rule.user;
  item.tier = Tier::kProcedural;
  item.text = rule.text;
  item.occurred_at = rule.occurred_at;
  item.valid_to = rule.withdrawn_at;
  item.superseded_by = rule.superseded_by;
  item.sources = rule.sources;
  return item;
}

}  // namespace

Status InMemoryProceduralMemory::Apply(std::span<const ReflectionPlan> plans,
                                       const Lease& /*fence*/, Deadline /*deadline*/) {
  const MutexLock lock(mutex_);
  for (const ReflectionPlan& plan : plans) {
    if (!applied_.emplace(plan.user, plan.job_id).second) {
      continue;
    }
    std::vector<Said>& said = said_[plan.user];
    std::uint32_t ordinal = 0;
    for (const PlannedRule& rule : plan.rules) {
      Said statement;
      statement.statement_id = MakeStatementId(plan.user, plan.interaction_id, rule);
      statement.place = {plan.occurred_at, plan.sequence, plan.interaction_id, ordinal++};
      statement.recorded_at = clock_.Now();
      statement.rule = rule;
      const bool known = std::any_of(said.begin(), said.end(), [&](const Said& other) {
        return other.statement_id == statement.statement_id;
      });
      if (!known && !erased_.contains(statement.statement_id)) {
        said.push_back(std::move(statement));
      }
    }
  }
  return {};
}

InMemoryProceduralMemory::Derived InMemoryProceduralMemory::Derive(const UserKey& user,
                                                                   const std::vector<Said>& said,
                                                                   std::optional<Timestamp> as_of) {
  std::vector<const Said*> kept;
  std::vector<RuleStatement> statements;
  for (const Said& one : said) {
    if (!as_of.has_value() || one.place.occurred_at <= *as_of) {
      kept.push_back(&one);
      statements.push_back({one.place, one.rule.key, one.rule.negative, one.rule.withdraws,
                            one.edited_withdrawn_at});
    }
  }
  const std::vector<RuleFate> fates = FoldRuleStatements(statements);
  Derived derived;
  for (std::size_t head = 0; head < kept.size(); ++head) {
    if (fates[head].head != head) {
      continue;
    }
    std::vector<const Said*> witnesses;
    for (std::size_t i = 0; i < kept.size(); ++i) {
      if (fates[i].head == head) {
        witnesses.push_back(kept[i]);
      }
    }
    std::sort(witnesses.begin(), witnesses.end(),
              [](const Said* a, const Said* b) { return a->place < b->place; });
    const PlannedRule& newest = witnesses.back()->rule;
    Rule rule;
    rule.memory_id = std::string(kRulePrefix) + kept[head]->statement_id;
    rule.user = user;
    rule.kind = newest.kind;
    rule.text = newest.text;
    rule.scope = newest.scope;
    rule.key = newest.key;
    rule.negative = newest.negative;
    rule.confidence = 0;
    rule.occurred_at = witnesses.back()->place.occurred_at;
    rule.recorded_at = kept[head]->recorded_at;
    rule.withdrawn_at = fates[head].withdrawn_at;
    if (fates[head].superseded_by != kNoStatement) {
      rule.superseded_by = std::string(kRulePrefix) + kept[fates[head].superseded_by]->statement_id;
    }
    for (const Said* witness : witnesses) {
      rule.confidence = std::max(rule.confidence, witness->rule.confidence);
      rule.text = witness->edited_text.value_or(rule.text);
      const SourceRef source{witness->place.interaction_id, Role::kUser};
      if (std::find(rule.sources.begin(), rule.sources.end(), source) == rule.sources.end()) {
        rule.sources.push_back(source);
      }
      derived.rule_of[witness->statement_id] = rule.memory_id;
    }
    rule.evidence = static_cast<std::uint32_t>(rule.sources.size());
    const StatementPlace& place = kept[head]->place;
    derived.rules.emplace(
        MemoryPlace{place.occurred_at, place.sequence, place.ordinal, rule.memory_id},
        std::move(rule));
  }
  return derived;
}

Result<MemoryPage> InMemoryProceduralMemory::List(const UserKey& user, std::string_view cursor,
                                                  std::size_t limit, Deadline /*deadline*/) {
  const std::optional<MemoryPlace> after = ParseCursor(cursor);
  if (!after.has_value()) {
    return InvalidArgument("memory: unknown cursor");
  }
  const MutexLock lock(mutex_);
  const Derived derived = Derive(user, said_[user], std::nullopt);
  MemoryPage page;
  for (auto it = derived.rules.upper_bound(*after); it != derived.rules.end(); ++it) {
    if (page.items.size() == limit) {
      page.next_cursor = FormatCursor(std::prev(it)->first);
      break;
    }
    page.items.push_back(ToItem(it->second));
  }
  return page;
}

std::optional<std::pair<UserKey, Rule>> InMemoryProceduralMemory::Locate(
    std::string_view tenant, std::string_view memory_id) {
  if (!memory_id.starts_with(kRulePrefix)) {
    return std::nullopt;
  }
  const std::string statement_id(memory_id.substr(kRulePrefix.size()));
  for (const auto& [user, said] : said_) {
    if (user.tenant != tenant) {
      continue;
    }
    const Derived derived = Derive(user, said, std::nullopt);
    const auto found = derived.rule_of.find(statement_id);
    if (found == derived.rule_of.end()) {
      continue;
    }
    for (const auto& [place, rule] : derived.rules) {
      if (rule.memory_id == found->second) {
        return std::pair(user, rule);
      }
    }
  }
  return std::nullopt;
}

Result<std::optional<MemoryItem>> InMemoryProceduralMemory::Get(std::string_view tenant,
                                                                std::string_view memory_id,
                                                                Deadline /*deadline*/) {
  const MutexLock lock(mutex_);
  const auto found = Locate(tenant, memory_id);
  return found.has_value() ? std::optional(ToItem(found->second)) : std::nullopt;
}

Result<std::optional<MemoryItem>> InMemoryProceduralMemory::Update(std::string_view tenant,
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
  for (Said& said : said_[found->first]) {
    if (found->second.memory_id.substr(kRulePrefix.size()) == said.statement_id) {
      said.edited_text = patch.text.has_value() ? patch.text : said.edited_text;
      said.edited_withdrawn_at =
          patch.valid_to.has_value() ? patch.valid_to : said.edited_withdrawn_at;
    }
  }
  return std::optional(ToItem(Locate(tenant, memory_id)->second));
}

Result<bool> InMemoryProceduralMemory::Erase(std::string_view tenant, std::string_view memory_id,
                                             Deadline /*deadline*/) {
  const MutexLock lock(mutex_);
  const auto found = Locate(tenant, memory_id);
  if (!found.has_value()) {
    return false;
  }
  std::vector<Said>& all = said_[found->first];
  const Derived derived = Derive(found->first, all, std::nullopt);
  const auto gone = [&](const Said& said) {
    const auto rule = derived.rule_of.find(said.statement_id);
    return rule != derived.rule_of.end() && rule->second == found->second.memory_id;
  };
  for (const Said& said : all) {
    if (gone(said)) {
      erased_.insert(said.statement_id);
    }
  }
  std::erase_if(all, gone);
  return true;
}

Result<std::uint64_t> InMemoryProceduralMemory::EraseUser(const UserKey& user,
                                                          Deadline /*deadline*/) {
  const MutexLock lock(mutex_);
  const std::uint64_t removed = Derive(user, said_[user], std::nullopt).rules.size();
  std::erase_if(applied_, [&](const auto& applied) { return applied.first == user; });
  said_.erase(user);
  return removed;
}

Result<std::vector<Rule>> InMemoryProceduralMemory::Active(const UserKey& user,
                                                           std::optional<Timestamp> as_of,
                                                           std::size_t limit,
                                                           Deadline /*deadline*/) {
  const MutexLock lock(mutex_);
  const Timestamp at = as_of.value_or(clock_.Now());
  std::vector<Rule> active;
  for (auto& [place, rule] : Derive(user, said_[user], as_of).rules) {
    if (!rule.withdrawn_at.has_value() || *rule.withdrawn_at > at) {
      active.push_back(rule);
    }
  }
  std::reverse(active.begin(), active.end());
  std::stable_sort(active.begin(), active.end(),
                   [](const Rule& a, const Rule& b) { return a.occurred_at > b.occurred_at; });
  active.resize(std::min(limit, active.size()));
  return active;
}

}  // namespace umbranet
