#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/domain/reflection_plan.h"
#include "umbranet/domain/rule.h"
#include "umbranet/extraction/word_stream.h"

namespace umbranet {

// What a message says about how its speaker wants things done: standing instructions ("always
// answer in metric units"), preferences ("I prefer window seats", "I'm allergic to peanuts") and
// the taking back of either ("you can forget about metric units"). Requests of the moment,
// questions and what others are said to want are none. Pure; safe from any thread; linear in the
// message.

// `known` are the rules in force: they tell "stop using emojis" after "use emojis" (a withdrawal)
// from the same words said out of the blue (an instruction of its own).
[[nodiscard]] std::vector<PlannedRule> FindRules(const WordStream& message,
                                                 std::span<const Rule> known);

// The normalised form under which the same rule is found again: its stems without the words that
// only frame it ("always", "please", "I prefer"), each once, in alphabetical order.
[[nodiscard]] std::string RuleKey(std::string_view text);

// One kind of statement each.
[[nodiscard]] std::vector<PlannedRule> FindInstructions(const WordStream& message,
                                                        const Sentence& sentence);
[[nodiscard]] std::vector<PlannedRule> FindPreferences(const WordStream& message,
                                                       const Sentence& sentence);
[[nodiscard]] std::vector<PlannedRule> FindWithdrawals(const WordStream& message,
                                                       const Sentence& sentence,
                                                       std::span<const Rule> known);

// When a rule applies, in words: "code", "travel" of "when I ask about travel". Empty: always.
[[nodiscard]] std::string ScopeOf(const WordStream& message, const Sentence& sentence);

// Adverbs that stand between a subject and its verb and change nothing that a rule says.
[[nodiscard]] bool IsFillerAdverb(std::string_view word);

// The text of words [first, last) as a rule keeps it: one line, trimmed, at most 400 bytes.
[[nodiscard]] std::string RuleText(const WordStream& message, std::size_t first, std::size_t last);

}  // namespace umbranet
