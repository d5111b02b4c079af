#include "umbranet/domain/rule_book.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace umbranet {
namespace {

std::string RuleId(const KeptRuleStatement& head) {
  return std::string(kRulePrefix) + head.statement_id;
}

KeptRule Open(std::span<const KeptRuleStatement> statements, std::size_t index,
              const RuleFate& fate, const UserKey& user) {
  const KeptRuleStatement& head = statements[index];
  const KeptRuleStatement& newest = statements[fate.newest];
  KeptRule kept;
  Rule& rule = kept.rule;
  rule.memory_id = RuleId(head);
  rule.user = user;
  rule.kind = newest.kind;
  rule.text = newest.text;
  rule.scope = newest.scope;
  rule.key = head.statement.key;
  rule.negative = head.statement.negative;
  rule.confidence = 0;
  rule.occurred_at = newest.statement.place.occurred_at;
  rule.recorded_at = head.recorded_at;
  rule.withdrawn_at = fate.withdrawn_at;
  if (fate.superseded_by != kNoStatement) {
    rule.superseded_by = RuleId(statements[fate.superseded_by]);
  }
  const StatementPlace& place = head.statement.place;
  kept.place = {place.occurred_at, place.sequence, place.ordinal, rule.memory_id};
  return kept;
}

void Witness(KeptRule& kept, const KeptRuleStatement& said) {
  Rule& rule = kept.rule;
  rule.confidence = std::max(rule.confidence, said.confidence);
  rule.text = said.edited_text.value_or(rule.text);
  const std::string& turn = said.statement.place.interaction_id;
  const SourceRef source{turn, Role::kUser};
  if (std::find(rule.sources.begin(), rule.sources.end(), source) == rule.sources.end()) {
    rule.sources.push_back(source);
  }
  rule.evidence = static_cast<std::uint32_t>(rule.sources.size());
  kept.keys.push_back(said.key);
  kept.statement_ids.push_back(said.statement_id);
  kept.interaction_ids.push_back(turn);
}

}  // namespace

std::vector<KeptRule> FoldRules(const UserKey& user,
                                std::span<const KeptRuleStatement> statements) {
  std::vector<RuleStatement> said;
  said.reserve(statements.size());
  for (const KeptRuleStatement& kept : statements) {
    said.push_back(kept.statement);
  }
  const std::vector<RuleFate> fates = FoldRuleStatements(said);
  std::vector<KeptRule> rules;
  std::vector<std::size_t> rule_of(statements.size(), kNoStatement);  // By head, into rules.
  for (std::size_t i = 0; i < statements.size(); ++i) {
    const std::size_t head = fates[i].head;
    if (head == kNoStatement) {
      continue;
    }
    if (head == i) {
      rule_of[i] = rules.size();
      rules.push_back(Open(statements, i, fates[i], user));
    }
    Witness(rules[rule_of[head]], statements[i]);
  }
  return rules;
}

const KeptRule* RuleOfStatement(std::span<const KeptRule> rules, std::string_view statement_id) {
  for (const KeptRule& rule : rules) {
    if (std::find(rule.statement_ids.begin(), rule.statement_ids.end(), statement_id) !=
        rule.statement_ids.end()) {
      return &rule;
    }
  }
  return nullptr;
}

MemoryItem RuleItem(const Rule& rule) {
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

MemoryPage PageOfRules(std::vector<KeptRule> rules, const MemoryPlace& after, std::size_t limit) {
  std::sort(rules.begin(), rules.end(),
            [](const KeptRule& a, const KeptRule& b) { return a.place < b.place; });
  MemoryPage page;
  const MemoryPlace* last = nullptr;
  for (const KeptRule& rule : rules) {
    if (rule.place <= after) {
      continue;
    }
    if (page.items.size() == limit) {
      page.next_cursor = last == nullptr ? std::string() : FormatCursor(*last);
      break;
    }
    page.items.push_back(RuleItem(rule.rule));
    last = &rule.place;
  }
  return page;
}

std::vector<Rule> RulesInForce(std::vector<KeptRule> rules, Timestamp at, std::size_t limit) {
  std::erase_if(rules, [&](const KeptRule& rule) {
    return rule.rule.withdrawn_at.has_value() && *rule.rule.withdrawn_at <= at;
  });
  std::sort(rules.begin(), rules.end(), [](const KeptRule& a, const KeptRule& b) {
    return std::tie(a.rule.occurred_at, a.place) > std::tie(b.rule.occurred_at, b.place);
  });
  std::vector<Rule> active;
  for (std::size_t i = 0; i < std::min(limit, rules.size()); ++i) {
    active.push_back(std::move(rules[i].rule));
  }
  return active;
}

}  // namespace umbranet
