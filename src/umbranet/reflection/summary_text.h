// A summary made of what was said, word for word, without a model: the sentences that carried
// facts, dates, names and decisions, in the order in which they fell. Pure; any thread.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "umbranet/domain/interaction.h"

namespace umbranet {

// Folds `turns` (oldest first) into `previous`, which is the summary of what came before them, or
// empty. One line a sentence, "2024-05-03 User: I moved to Lyon.", at most `token_budget` tokens by
// EstimateTokens. When not all that is worth keeping fits, what carries more stays, and of equals
// the newer. What the server itself answered by quoting memories is left out.
[[nodiscard]] std::string SummarizeTurns(std::string_view previous,
                                         std::span<const Interaction> turns,
                                         std::size_t token_budget);

}  // namespace umbranet
