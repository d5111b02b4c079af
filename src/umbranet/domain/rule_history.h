// What a user's statements about how things are to be done amount to: the rules, which turns bear
// witness to each, and which were taken back or contradicted.
//
// As with facts, the outcome is a function of the set of statements alone: the turns' times decide,
// never the order of arrival. Pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/domain/fact_history.h"
#include "umbranet/domain/reflection_plan.h"

namespace umbranet {

struct RuleStatement {
  StatementPlace place;
  std::string key;
  bool negative = false;
  bool withdraws = false;
  std::optional<Timestamp> edited_withdrawn_at;  // The owner's word.
};

struct RuleFate {
  // The first statement of the rule that this one bears witness to; kNoStatement for a withdrawal.
  std::size_t head = kNoStatement;
  // Of a head:
  std::size_t newest = kNoStatement;      // Its latest witness: how the rule is worded now.
  std::optional<Timestamp> withdrawn_at;  // Also when it was contradicted.
  std::size_t superseded_by = kNoStatement;
};

// Folds all of a user's rule statements, given in any order; the result is parallel to them.
//
// A statement bears witness to the rule in force with its key and polarity, or else to the newest
// one of its polarity that says the same in other words (the key of one holds all of at least three
// words of the other's, and one more at most unless there are five), or makes one. It ends the rule
// with its key and the opposite polarity, which it supersedes. A withdrawal ends the rule in force
// with its key, or else the one whose key shares most of its words, the newest of equals; when none
// shares a word it does nothing.
std::vector<RuleFate> FoldRuleStatements(std::span<const RuleStatement> statements);

// As MakeStatementId of facts. A rule's memory id is kRulePrefix + the id of its first statement.
std::string MakeStatementId(const UserKey& user, std::string_view interaction_id,
                            const PlannedRule& rule);

}  // namespace umbranet
