// What was said later about the same thing goes above what it overtakes. Internal to ranking, whose
// header says when; stance.h says what overtakes what. Pure; may be called from any thread.
#pragma once

#include <vector>

#include "umbranet/memory/ranking_entry.h"
#include "umbranet/memory/stance.h"

namespace umbranet {

// `entries` are filled in and in order, and are so afterwards. Flat contradictions are marked on
// both.
void PutLaterStatementsFirst(const StanceReader& reader, std::vector<RankingEntry>& entries);

}  // namespace umbranet
