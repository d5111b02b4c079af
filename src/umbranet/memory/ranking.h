// The one judgement over what the tiers found. A tier finds, it does not judge: candidates from any
// store, of any tier, come here and leave as one list, so the quality of recall does not depend on
// the backend. Pure functions; may be called from any thread.
//
// How a half of a turn is scored:
//
//   bm25(d) = sum over terms t of w(t) idf(t) tf (k1 + 1) / (tf + k1 (1 - b + b length / mean))
//   idf(t)  = ln(1 + (N - n + 0.5) / (n + 0.5)),    k1 = 1.2, b = 0.4 (user), 0.75 (assistant)
//
// (Robertson, Zaragoza: The Probabilistic Relevance Framework: BM25 and Beyond, 2009; the idf that
// stays positive is Lucene's.) N, n and the mean are those of the user's corpus, for users' and
// assistants' halves apart: assistant halves are many times longer. w(t) is 0.3 for words that
// frame a question rather than ask ("remind me in which order I mentioned ...") and for related
// words ("job" where "work" is asked for), of which the best counts where the asked word is
// missing. So does the acronym of words that are asked for, where the text has it in capitals
// (acronyms.h), as much as all its words.
//
//   s(d) = bm25(d) (0.8 + 0.2 share of the question's idf that d holds)
//        + 0.7 mean idf of every pair of the question's neighbouring terms that neighbours in d
//
// Meaning counts in the same coin. With c(d) the cosine of question and text, c0 its mean over the
// candidates and i = ln(1 + (N - 0.5) / 1.5) the idf of a term that one document alone holds,
//
//   m(d) = 3.5 i max(0, (c(d) - c0) / (1 - c0))
//
// so a text that means the same as the question is worth three and a half of the rarest words, and
// the level that an embedder gives to texts with nothing in common falls out. c0 counts five texts
// of cosine 0 beside the candidates. Without a vector m is 0. A text that has only its meaning for
// it must lie a tenth of the way from c0 to 1.
//
// A conversation is read in context: a turn u with previous turns p1, p2 and next turn n1 of its
// session, and a for its assistant half, has
//
//   g(u) = s(u) + 0.4 s(a) + m(u)
//        + c ((0.4 + 0.3 [p1 asks, another answers]) s(p1) + 0.2 s(p2) + 0.15 s(n1))
//   g(u) = 0.8 g(u)                    when u only asks and nobody answers in the same turn
//   g(u) = g(u) + 0.3 max s in the session + 0.5 i [u speaks of a time that is asked about]
//   g(u) = g(u) + 0.3 s(f)             when u names an entity of a fact f that says something of
//   the
//                                      question and comes from another turn (fact_edges.h)
//   g(u) = 1.8 g(u)                    when the question names u's speaker
//   g(u) = 1.25 g(u)                   when a date or a length of time is asked for and u has one
//   g(a) = 0.3 (s(a) + m(a) + g(u)), of which g(u) without the two factors before
//
// with c = 1 between people and 0.6 where the assistant's half closes the exchange. Times are those
// that extraction has resolved (Episode::event_times). The weights were chosen on plateaus: halving
// or doubling any single one moves recall@10 on the two conversation sets of benchmarks/README.md
// by less than two points, and weights fitted to one half of the conversations do no better on the
// other half than these (benchmarks/choose_weights.py).
//
// A fact takes the place of the turn that it comes from when it says as much about the question,
// and never stands beside it: an item all of whose sources stand higher up is left out. Of a fact's
// sources the best is named, and those that would stand beside it. What has been superseded, and
// the turns that said so, stand below their successors. For what became no fact: when a question
// asks for the present, what one speaker said later about the same thing, with another value or as
// its denial, goes just above the best three that it overtakes (stance.h), and between the two go
// the values in the middle of a chain of changes. Flat contradictions are marked on both. Whether
// something was ever done is left to what was said of it: no fact supersedes that.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/domain/memory_item.h"
#include "umbranet/memory/question.h"
#include "umbranet/memory/recall_explanation.h"
#include "umbranet/ports/episodic_memory.h"
#include "umbranet/ports/semantic_memory.h"

namespace umbranet {

struct RankingInput {
  EpisodesFound episodes;  // term_counts parallel to Question::terms
  FactsFound facts;        // The same.
  EpisodesFound pending;   // Turns that are not reflected yet; the same.
  // Rules that are answered with beside the items: a turn that says little else is left out.
  std::vector<MemoryItem> rules;
  std::optional<Timestamp> as_of;
  std::size_t limit = 10;
};

struct RankedItem {
  MemoryItem item;
  std::string speaker;  // Who said it; of a fact whose turn was not found, nobody.
  std::string session_id;
};

// Best first, at most `limit`, no source twice. `explanation`, where it is wanted, is filled in;
// otherwise none is worked out.
[[nodiscard]] std::vector<RankedItem> RankMemories(const Question& question, RankingInput input,
                                                   RecallExplanation* explanation = nullptr);

}  // namespace umbranet
