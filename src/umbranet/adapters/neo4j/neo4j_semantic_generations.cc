// Neo4jSemanticMemory, where a user has more than one generation of his memory, and what goes over
// all of them: what owners do by hand, and forgetting.
#include <algorithm>
#include <set>
#include <utility>
#include <variant>

#include <boost/json/value.hpp>

#include "umbranet/adapters/neo4j/graph_answers.h"
#include "umbranet/adapters/neo4j/graph_statements.h"
#include "umbranet/adapters/neo4j/neo4j_semantic_memory.h"
#include "umbranet/base/crash_point.h"
#include "umbranet/base/unique_id.h"

namespace umbranet {
namespace {

namespace json = boost::json;
using graph_answer::NotAsked;
using graph_answer::RowOf;
using graph_answer::TextOf;

// Whether a write that stands alone may come through when it is made once more. `first`: it was to
// make the user's node.
bool IsWorthAnother(const Neo4jFailure& failure, bool first, int attempts) {
  switch (failure.refusal) {
    case Neo4jRefusal::kAgain:
    case Neo4jRefusal::kArithmetic:
      return true;
    case Neo4jRefusal::kConstraint:
      return first;
    case Neo4jRefusal::kLost:
      return attempts == 1;
    case Neo4jRefusal::kNone:
      break;
  }
  return false;
}

}  // namespace

Result<KnowledgeSnapshot> Neo4jSemanticMemory::ReadGeneration(const UserKey& user,
                                                              std::int64_t generation,
                                                              Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<Revision> now,
                            revisions_.Call(keys_.Of(generation).User(user), deadline));
  return Present(user, generation, now, deadline);
}

Result<KnowledgeSnapshot> Neo4jSemanticMemory::ReadInForce(const UserKey& user, Deadline deadline) {
  if (options_.memory_keys == nullptr) {
    return ReadGeneration(user, 0, deadline);
  }
  UMBRANET_ASSIGN_OR_RETURN(std::int64_t generation, options_.memory_keys->InForce(user, deadline));
  for (;;) {
    UMBRANET_ASSIGN_OR_RETURN(KnowledgeSnapshot snapshot,
                              ReadGeneration(user, generation, deadline));
    if (!snapshot.epoch.empty()) {
      return snapshot;
    }
    // Nothing is there, or another one has come into force and this one was removed meanwhile.
    UMBRANET_ASSIGN_OR_RETURN(const std::int64_t now,
                              options_.memory_keys->InForce(user, deadline));
    if (now == generation) {
      return snapshot;
    }
    generation = now;
  }
}

Result<KnowledgeSnapshot> Neo4jSemanticMemory::ReadShadow(const UserKey& user, Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> shadow,
                            options_.memory_keys->Shadow(user, deadline));
  if (!shadow.has_value()) {
    return KnowledgeSnapshot{"", 0, std::make_shared<const UserKnowledge>(user)};
  }
  return ReadGeneration(user, *shadow, deadline);
}

Result<std::vector<std::int64_t>> Neo4jSemanticMemory::Generations(const UserKey& user,
                                                                   Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const json::array rows,
                            Run(kSelectGenerations, {{"user", keys_.User(user)}}, deadline));
  std::vector<std::int64_t> generations;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const json::array* row = RowOf(rows, i, 1);
    if (row == nullptr || !row->front().is_int64()) {
      return NotAsked();
    }
    generations.push_back(row->front().get_int64());
  }
  generations.push_back(0);
  return generations;
}

Status Neo4jSemanticMemory::ReadOthers(Writing& writing, Deadline deadline) {
  writing.others.clear();
  if (!writing.inherits) {
    return {};
  }
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<std::int64_t> generations,
                            Generations(writing.user, deadline));
  for (const std::int64_t other : generations) {
    if (other != writing.generation) {
      UMBRANET_ASSIGN_OR_RETURN(KnowledgeSnapshot snapshot,
                                ReadGeneration(writing.user, other, deadline));
      writing.others.push_back(std::move(snapshot.knowledge));
    }
  }
  return {};
}

Result<bool> Neo4jSemanticMemory::TurnToGeneration(Writing& writing, const KnowledgeSnapshot& first,
                                                   Deadline deadline) {
  if (!writing.asks || !HasGenerations(first.epoch)) {
    return false;
  }
  writing.asks = false;
  if (options_.memory_keys != nullptr) {
    UMBRANET_ASSIGN_OR_RETURN(writing.generation,
                              options_.memory_keys->InForce(writing.user, deadline));
  }
  UMBRANET_RETURN_IF_ERROR(ReadOthers(writing, deadline));
  return writing.generation != 0;
}

Status Neo4jSemanticMemory::TakeOver(const UserKey& user, std::int64_t generation,
                                     const UserKnowledge& from, Deadline deadline) {
  const Work work = [&](UserKnowledge& knowledge) -> std::optional<UserKnowledge::Changes> {
    UserKnowledge::Changes changes = knowledge.TakeOver(from, UserKnowledge::Prevails::kThere);
    return changes.empty() ? std::nullopt : std::optional(std::move(changes));
  };
  std::vector<std::string> no_jobs;
  Writing writing{.user = user,
                  .work = work,
                  .jobs = no_jobs,
                  .writer = RandomHex(kWriterBytes),
                  .generation = generation};
  return Write(writing, deadline);
}

Status Neo4jSemanticMemory::PassOn(const UserKey& user, std::int64_t from, Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<Revision> first,
                            revisions_.Call(keys_.User(user), deadline));
  if (!first.has_value() || !HasGenerations(first->epoch)) {
    return {};
  }
  UMBRANET_CRASH_POINT("facts.before_pass_on");
  UMBRANET_ASSIGN_OR_RETURN(const KnowledgeSnapshot source, ReadGeneration(user, from, deadline));
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<std::int64_t> generations,
                            Generations(user, deadline));
  for (const std::int64_t other : generations) {
    if (other == from) {
      continue;
    }
    const Status passed = TakeOver(user, other, *source.knowledge, deadline);
    // One that was discarded meanwhile needs nothing any more.
    if (!passed.ok() && passed.error().code != ErrorCode::kAborted) {
      return passed;
    }
  }
  return {};
}

Status Neo4jSemanticMemory::MarkGenerations(const UserKey& user, Deadline deadline) {
  for (int attempts = 1;; ++attempts) {
    UMBRANET_ASSIGN_OR_RETURN(const KnowledgeSnapshot before,
                              Load(user, 0, cache_.Find(user), deadline));
    if (HasGenerations(before.epoch)) {
      return {};
    }
    const bool first = before.epoch.empty();
    json::object parameters = EntryOf(user, 0, before, RandomHex(kWriterBytes));
    parameters["next_epoch"] = EpochWithGenerations();
    const Neo4jClient::Answer answer = client_.Run(
        {{first ? kEnterFirst : kEnter, parameters}, {kBeginAnew, parameters}}, deadline);
    const auto* failure = std::get_if<Neo4jFailure>(&answer);
    if (failure == nullptr) {
      cache_.Drop(user);
      return {};
    }
    if (!IsWorthAnother(*failure, first, attempts) || attempts >= options_.attempts_max ||
        !Pause(attempts, deadline)) {
      return failure->error;
    }
  }
}

Status Neo4jSemanticMemory::Prepare(const UserKey& user, std::int64_t generation,
                                    Deadline deadline) {
  if (!migrated_) {
    UMBRANET_RETURN_IF_ERROR(Migrate(deadline));  // As in Write.
  }
  UMBRANET_RETURN_IF_ERROR(MarkGenerations(user, deadline));
  UMBRANET_ASSIGN_OR_RETURN(const KnowledgeSnapshot source, ReadInForce(user, deadline));
  const Work work = [&](UserKnowledge& knowledge) {
    return std::optional(knowledge.TakeOver(*source.knowledge, UserKnowledge::Prevails::kThere));
  };
  std::vector<std::string> no_jobs;
  Writing writing{.user = user,
                  .work = work,
                  .jobs = no_jobs,
                  .writer = RandomHex(kWriterBytes),
                  .generation = generation,
                  .creates = true,
                  .forgotten_through = source.forgotten_through};
  return Write(writing, deadline);
}

Status Neo4jSemanticMemory::Align(const UserKey& user, std::int64_t generation, Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const KnowledgeSnapshot source, ReadInForce(user, deadline));
  return source.generation == generation ? Status()
                                         : TakeOver(user, generation, *source.knowledge, deadline);
}

Status Neo4jSemanticMemory::Retain(const UserKey& user, std::span<const std::int64_t> generations,
                                   Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<Revision> first,
                            revisions_.Call(keys_.User(user), deadline));
  if (!first.has_value() || !HasGenerations(first->epoch)) {
    return {};
  }
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<std::int64_t> there, Generations(user, deadline));
  for (const std::int64_t generation : there) {
    if (std::find(generations.begin(), generations.end(), generation) == generations.end()) {
      UMBRANET_RETURN_IF_ERROR(
          EraseGeneration(user, generation, std::nullopt, /*keeps=*/false, deadline));
    }
  }
  return {};
}

Result<std::uint64_t> Neo4jSemanticMemory::EraseUser(const UserKey& user, Deadline deadline) {
  return EraseAll(user, std::nullopt, deadline);
}

Result<std::uint64_t> Neo4jSemanticMemory::ForgetUser(const UserKey& user,
                                                      std::int64_t through_sequence,
                                                      Deadline deadline) {
  if (!migrated_) {
    UMBRANET_RETURN_IF_ERROR(Migrate(deadline));  // As in Write.
  }
  return EraseAll(user, through_sequence, deadline);
}

Result<std::uint64_t> Neo4jSemanticMemory::EraseAll(const UserKey& user,
                                                    std::optional<std::int64_t> forgotten_through,
                                                    Deadline deadline) {
  UMBRANET_RETURN_IF_ERROR(NoteChange(user, deadline));
  UMBRANET_ASSIGN_OR_RETURN(const std::uint64_t erased,
                            EraseGenerations(user, forgotten_through, deadline));
  UMBRANET_RETURN_IF_ERROR(NoteChange(user, deadline));
  return erased;
}

Result<std::uint64_t> Neo4jSemanticMemory::EraseGenerations(
    const UserKey& user, std::optional<std::int64_t> forgotten_through, Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<Revision> first,
                            revisions_.Call(keys_.User(user), deadline));
  bool knows_generations = first.has_value() && HasGenerations(first->epoch);
  std::uint64_t removed = 0;
  for (;;) {
    std::int64_t in_force = 0;
    if (knows_generations && options_.memory_keys != nullptr) {
      UMBRANET_ASSIGN_OR_RETURN(in_force, options_.memory_keys->InForce(user, deadline));
    }
    std::vector<std::int64_t> generations{0};
    if (knows_generations) {
      UMBRANET_ASSIGN_OR_RETURN(generations, Generations(user, deadline));
    }
    bool had_generations = false;
    for (const std::int64_t generation : generations) {
      const bool keeps = generation == in_force;
      UMBRANET_ASSIGN_OR_RETURN(
          const Erased erased,
          EraseGeneration(user, generation,
                          keeps || generation == 0 ? forgotten_through : std::nullopt,
                          keeps && generation != 0, deadline));
      removed += keeps ? erased.facts : 0;
      had_generations = had_generations || erased.had_generations;
    }
    if (!had_generations || knows_generations) {
      return removed;
    }
    knows_generations = true;  // The second one was begun meanwhile.
  }
}

Result<Neo4jSemanticMemory::Kept> Neo4jSemanticMemory::ReadKept(const UserKey& user,
                                                                std::int64_t generation,
                                                                Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(
      const json::array rows,
      Run(kSelectKept, {{"user", keys_.Of(generation).User(user)}}, deadline));
  std::vector<std::string> turns;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const json::array* row = RowOf(rows, i, 3);
    turns.push_back(row == nullptr ? std::string() : TextOf((*row)[1]));
  }
  std::set<std::string> held(turns.begin(), turns.end());
  if (options_.held_turns && !held.empty()) {
    const std::vector<std::string> asked(held.begin(), held.end());
    UMBRANET_ASSIGN_OR_RETURN(held, options_.held_turns(user, asked, deadline));
  }
  Kept kept;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const json::array* row = RowOf(rows, i, 3);
    if (row != nullptr && held.contains(turns[i])) {
      (TextOf((*row)[2]) == "erased" ? kept.erased : kept.merges).push_back((*row)[0]);
    }
  }
  return kept;
}

Result<Neo4jSemanticMemory::Erased> Neo4jSemanticMemory::EraseGeneration(
    const UserKey& user, std::int64_t generation, std::optional<std::int64_t> forgotten_through,
    bool keeps, Deadline deadline) {
  const std::string writer = RandomHex(kWriterBytes);
  Erased erased;
  for (int attempts = 1;; ++attempts) {
    std::string last_writer;
    UMBRANET_ASSIGN_OR_RETURN(
        const KnowledgeSnapshot before,
        Load(user, generation, cache_.Find(user, generation), deadline, &last_writer));
    // Whoever is at the user's first turn has left nothing here yet, but a tombstone holds him up.
    const bool first = before.epoch.empty();
    if ((first && !forgotten_through) || last_writer == writer) {
      return erased;
    }
    erased.facts = before.knowledge->heads().size();
    erased.had_generations = HasGenerations(before.epoch);
    Kept kept;
    const bool is_done_with = generation != 0 && !keeps;
    if (!is_done_with) {
      UMBRANET_ASSIGN_OR_RETURN(kept, ReadKept(user, generation, deadline));
    }
    const bool keep_user =
        !is_done_with && (keeps || erased.had_generations || !kept.erased.empty() ||
                          !kept.merges.empty() || before.forgotten_through > 0);
    json::object parameters = EntryOf(user, generation, before, writer);
    parameters["through"] = forgotten_through.value_or(0);
    parameters["next_epoch"] = NextEpoch(before.epoch);
    parameters["kept_erased"] = std::move(kept.erased);
    parameters["kept_merges"] = std::move(kept.merges);
    std::vector<Neo4jStatement> statements{{first ? kEnterFirst : kEnter, parameters}};
    for (const std::string_view statement : EraseStatements()) {
      statements.push_back({statement, parameters});
    }
    statements.push_back({forgotten_through ? kLeaveTombstone
                          : keep_user       ? kBeginAnew
                                            : kDeleteUser,
                          parameters});
    const Neo4jClient::Answer answer = client_.Run(std::move(statements), deadline);
    const auto* failure = std::get_if<Neo4jFailure>(&answer);
    if (failure == nullptr) {
      cache_.Drop(user, generation);
      return erased;
    }
    if (!IsWorthAnother(*failure, first, attempts) || attempts >= options_.attempts_max ||
        !Pause(attempts, deadline)) {
      return failure->error;
    }
  }
}

}  // namespace umbranet
