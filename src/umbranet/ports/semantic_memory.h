// Tier 3: who and what, a knowledge graph with time.
//
// Applying a plan resolves each of its entities by normalised name and alias within the user. A
// fact that says the same as a stored one adds its source as evidence. A fact of a functional
// predicate, or one that supersedes, closes the older one (valid_to = its own valid_from or
// occurred_at, superseded_by = its id), whichever of the two is applied first: the turns' times
// decide.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/domain/entity_merge.h"
#include "umbranet/domain/fact.h"
#include "umbranet/ports/memory_tier.h"

namespace umbranet {

struct FactQuery {
  UserKey user;
  std::vector<std::string> terms;  // Stems, each once.
  std::size_t candidates_max = 200;
  std::optional<Timestamp> as_of;  // What was true, and said, by then; nothing later.
  // Freshness::memory_version, read before the question: a store may answer with what it found
  // under the same version before. Nothing: it has to look.
  std::optional<std::int64_t> version = std::nullopt;
};

struct FactCandidate {
  Fact fact;
  std::vector<std::uint32_t> term_counts;  // Parallel to FactQuery::terms.
  std::uint32_t length = 0;
};

struct FactsFound {
  std::vector<FactCandidate>
      candidates;  // Superseded facts are among them, and say so. No particular order.
  CorpusStatistics statistics;
};

struct KnowledgeGraph {
  std::vector<Entity> entities;
  std::vector<Fact> facts;
};

class SemanticMemory : public MemoryTier {
 public:
  // As EraseUser, and for good: from then on Apply returns kAborted for plans of turns up to
  // `through_sequence` of the journal, whatever their lease, since this tier need not share a
  // database with the ledger and a worker may have been at it when the user was forgotten.
  virtual Result<std::uint64_t> ForgetUser(const UserKey& user, std::int64_t through_sequence,
                                           Deadline deadline) = 0;

  // Facts with any of the terms in their text or in the names and aliases of their entities, plus
  // the successor of every superseded one.
  virtual Result<FactsFound> Find(const FactQuery& query, Deadline deadline) = 0;

  // Whether Find would not have to wait for anything, as far as can be told.
  [[nodiscard]] virtual bool AnswersAtOnce(const FactQuery& /*query*/) { return false; }

  // The user's entities, most recently mentioned first, for extraction.
  virtual Result<std::vector<Entity>> KnownEntities(const UserKey& user, std::size_t limit,
                                                    Deadline deadline) = 0;

  virtual Result<KnowledgeGraph> ReadGraph(const UserKey& user, std::size_t facts_max,
                                           Deadline deadline) = 0;

  // Which names were made one, by which turn, and which of it was undone: the turns' newest first.
  // One entry for each two names that a turn said to mean the same.
  virtual Result<std::vector<EntityMerge>> Merges(const UserKey& user, std::size_t limit,
                                                  Deadline deadline) = 0;

  // Parts `name` from the names that turns said it means the same as, or from the one name `from`
  // when that is not empty; facts go back to whom their turns named. It stays so when those turns
  // are reflected again, whatever their order; a turn that comes later and says so anew unites the
  // names again. How many merges were undone; 0 when there was none. kInvalidArgument: no name.
  virtual Result<std::size_t> Unmerge(const UserKey& user, std::string_view name,
                                      std::string_view from, Deadline deadline) = 0;
};

}  // namespace umbranet
