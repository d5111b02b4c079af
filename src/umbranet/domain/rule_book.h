// A user's rules as a store of statements shows them: what turns said about how things are to be
// done, folded (rule_history.h) into rules, listed, looked up and chosen from. A user has few such
// statements, so a store folds them whenever they are read. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/domain/memory_item.h"
#include "umbranet/domain/memory_place.h"
#include "umbranet/domain/rule.h"
#include "umbranet/domain/rule_history.h"

namespace umbranet {

// A statement as it is stored.
struct KeptRuleStatement {
  std::int64_t key = 0;      // The store's.
  std::string statement_id;  // MakeStatementId
  Timestamp recorded_at{};
  RuleStatement statement;
  // What the statement says besides.
  RuleKind kind = RuleKind::kInstruction;
  double confidence = 0;
  std::string scope;
  std::string text;
  std::optional<std::string> edited_text;  // The owner's wording.
};

// A rule and the statements that bear witness to it, its head first.
struct KeptRule {
  Rule rule;
  MemoryPlace place;
  std::vector<std::int64_t> keys;
  std::vector<std::string> statement_ids;
  std::vector<std::string> interaction_ids;
};

// `statements` are in the order of their turns: by occurred_at, sequence, interaction id, ordinal.
// So are the rules, by their heads.
std::vector<KeptRule> FoldRules(const UserKey& user, std::span<const KeptRuleStatement> statements);

// The statement's rule, of whatever place among its witnesses; null: of none.
const KeptRule* RuleOfStatement(std::span<const KeptRule> rules, std::string_view statement_id);

MemoryItem RuleItem(const Rule& rule);

// As MemoryTier::List.
MemoryPage PageOfRules(std::vector<KeptRule> rules, const MemoryPlace& after, std::size_t limit);

// As ProceduralMemory::Active: those in force at `at`.
std::vector<Rule> RulesInForce(std::vector<KeptRule> rules, Timestamp at, std::size_t limit);

}  // namespace umbranet
