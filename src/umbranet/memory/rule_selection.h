// Which of the rules in force go with the answer to a question. Pure; may be called from any
// thread.
#pragma once

#include <cstddef>
#include <vector>

#include "umbranet/domain/memory_item.h"
#include "umbranet/domain/rule.h"
#include "umbranet/memory/question.h"
#include "umbranet/ports/episodic_memory.h"

namespace umbranet {

// The rules that apply to a question, most pertinent first. Instructions are kept on even when they
// share no word with it, preferences only when they do, or the turn in which they were stated, if
// it is among `turns`; to a question for advice a few more are added. `limit` is small on purpose,
// since what is returned here pushes memories out of a prompt.
[[nodiscard]] std::vector<MemoryItem> SelectRules(const Question& question,
                                                  const std::vector<Rule>& rules, std::size_t limit,
                                                  const EpisodesFound& turns = {});

}  // namespace umbranet
