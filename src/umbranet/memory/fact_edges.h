// One edge of the graph: what a question asks may be told of somebody whom only another statement
// names. "Where does the sister of my boss work?" is answered by "Hanna works at the mill" once "my
// boss has a sister, Hanna" is known: a fact that says some of what is asked lends that to the
// turns that name the entities at its ends. Pure; may be called from any thread.
#pragma once

#include <vector>

#include "umbranet/memory/question.h"
#include "umbranet/memory/turn_scores.h"
#include "umbranet/ports/semantic_memory.h"

namespace umbranet {

// Adds to the scores of users' halves what facts that still hold lend them (ScoreParts::edge).
// Whoever is named in the question, or speaks in the turns, is no end to go on from.
void FollowEdges(const Question& question, const std::vector<FactCandidate>& facts,
                 const TermWeights& terms, std::vector<ScoredHalf>& halves);

}  // namespace umbranet
