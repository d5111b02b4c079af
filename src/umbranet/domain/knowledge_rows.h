// What one user's turns said of who and what, as rows: all that a store of tier 3 has to keep.
// Values; pure functions; any thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "umbranet/domain/user_knowledge.h"

namespace umbranet {

struct KnowledgeRows {
  struct SaidAndEdited {
    SaidFact said;
    StatementEdits edits;
  };

  std::vector<std::pair<std::string, KnownName>> names;
  std::vector<std::pair<NamePair, NameMerge>> merges;
  std::vector<SaidAndEdited> statements;
  std::vector<SaidFact> erased;      // Only statement_id and the turn are known of these.
  std::vector<std::string> applied;  // Jobs.

  [[nodiscard]] bool empty() const {
    return names.empty() && merges.empty() && statements.empty() && erased.empty() &&
           applied.empty();
  }
};

// Puts the rows into what knows nothing yet. All of it is to be written down.
UserKnowledge::Changes PutRows(const KnowledgeRows& rows, UserKnowledge& knowledge);

}  // namespace umbranet
