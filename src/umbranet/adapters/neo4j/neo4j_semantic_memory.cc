// Writing: see neo4j_semantic_reads.cc for the questions.
#include "umbranet/adapters/neo4j/neo4j_semantic_memory.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <utility>
#include <variant>

#include <boost/json/value.hpp>

#include "umbranet/adapters/neo4j/graph_answers.h"
#include "umbranet/adapters/neo4j/graph_rows.h"
#include "umbranet/adapters/neo4j/graph_statements.h"
#include "umbranet/base/unique_id.h"
#include "umbranet/domain/entity_name.h"

namespace umbranet {
namespace {

namespace json = boost::json;
using graph_answer::NotAsked;
using graph_answer::RowOf;
using graph_answer::TextOf;

// One at a time: who comes meanwhile shares the next, and a request costs the server a millisecond
// of a processor however many users it is about.
constexpr std::size_t kRevisionLanes = 1;
// While it is asked by nobody, whether it is there is asked so often.
constexpr Millis kAnsweredOfLate{250};
constexpr Millis kPauseFirst{2};
constexpr Millis kPauseMax{100};

}  // namespace

Neo4jSemanticMemory::Neo4jSemanticMemory(Neo4jClient& client, const Clock& clock, Options options)
    : client_(client),
      clock_(clock),
      options_(std::move(options)),
      keys_(options_.key_space),
      cache_(options_.rows_cached_max),
      revisions_({.lanes = kRevisionLanes},
                 [this](std::span<const std::string* const> users, Deadline deadline) {
                   return ReadRevisions(users, deadline);
                 }) {}

bool Neo4jSemanticMemory::Pause(int attempts, Deadline deadline) {
  const Millis pause = std::min(kPauseMax, kPauseFirst * attempts);
  if (deadline.Remaining() <= pause) {
    return false;
  }
  const MutexLock lock(mutex_);
  pausing_.WaitFor(mutex_, pause);
  return true;
}

Result<json::array> Neo4jSemanticMemory::Run(std::string_view statement, json::object parameters,
                                             Deadline deadline) {
  for (int attempts = 1;; ++attempts) {
    Neo4jClient::Answer answer = client_.Run({{statement, parameters}}, deadline);
    if (auto* rows = std::get_if<json::array>(&answer)) {
      return std::move(*rows);
    }
    auto& failure = std::get<Neo4jFailure>(answer);
    if (failure.refusal != Neo4jRefusal::kAgain || attempts >= options_.attempts_max ||
        !Pause(attempts, deadline)) {
      return std::move(failure.error);
    }
  }
}

Status Neo4jSemanticMemory::Migrate(Deadline deadline) {
  for (const std::string_view statement : SchemaStatements()) {
    UMBRANET_RETURN_IF_ERROR(Run(statement, {}, deadline));
  }
  migrated_ = true;
  return {};
}

Status Neo4jSemanticMemory::Check(Deadline deadline) {
  UMBRANET_RETURN_IF_ERROR(Run("RETURN 1", {}, deadline));
  return {};
}

Result<KnowledgeSnapshot> Neo4jSemanticMemory::Load(const UserKey& user, std::int64_t generation,
                                                    const std::optional<KnowledgeSnapshot>& known,
                                                    Deadline deadline, std::string* writer) {
  UMBRANET_ASSIGN_OR_RETURN(const json::array rows,
                            Run(kLoad,
                                {{"user", keys_.Of(generation).User(user)},
                                 {"epoch", known ? known->epoch : std::string()},
                                 {"revision", known ? known->revision : 0}},
                                deadline));
  if (rows.empty()) {
    cache_.Drop(user, generation);
    return KnowledgeSnapshot{"", 0, std::make_shared<const UserKnowledge>(user), 0, generation};
  }
  const json::array* row = RowOf(rows, 0, 9);
  if (row == nullptr || !(*row)[1].is_int64() || !(*row)[3].is_int64() || !(*row)[8].is_int64()) {
    return NotAsked();
  }
  const bool whole = (*row)[3].get_int64() < 0;
  auto knowledge = whole || !known ? std::make_shared<UserKnowledge>(user)
                                   : std::make_shared<UserKnowledge>(*known->knowledge);
  UMBRANET_RETURN_IF_ERROR(PutNames((*row)[4], *knowledge));
  UMBRANET_RETURN_IF_ERROR(PutMerges((*row)[5], *knowledge));
  UMBRANET_RETURN_IF_ERROR(PutErased((*row)[7], *knowledge));
  UMBRANET_RETURN_IF_ERROR(PutStatements((*row)[6], *knowledge));
  knowledge->Settle();
  if (writer != nullptr) {
    *writer = TextOf((*row)[2]);
  }
  KnowledgeSnapshot snapshot{TextOf((*row)[0]), (*row)[1].get_int64(), std::move(knowledge),
                             (*row)[8].get_int64(), generation};
  cache_.Keep(snapshot);
  return snapshot;
}

std::vector<Neo4jSemanticMemory::Revisions::Outcome> Neo4jSemanticMemory::ReadRevisions(
    std::span<const std::string* const> users, Deadline deadline) {
  json::array keys;
  for (const std::string* const user : users) {
    keys.emplace_back(*user);
  }
  const Result<json::array> rows = Run(kSelectRevisions, {{"users", std::move(keys)}}, deadline);
  if (!rows.ok()) {
    return {users.size(), Revisions::Outcome(rows.error())};
  }
  std::map<std::string, Revision, std::less<>> there;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    const json::array* row = RowOf(*rows, i, 3);
    if (row == nullptr || !(*row)[2].is_int64()) {
      return {users.size(), Revisions::Outcome(NotAsked())};
    }
    there[TextOf((*row)[0])] = {TextOf((*row)[1]), (*row)[2].get_int64()};
  }
  std::vector<Revisions::Outcome> outcomes;
  for (const std::string* const user : users) {
    const auto found = there.find(*user);
    outcomes.emplace_back(found == there.end() ? std::nullopt : std::optional(found->second));
  }
  return outcomes;
}

std::optional<KnowledgeSnapshot> Neo4jSemanticMemory::ReadFound(
    const UserKey& user, std::optional<std::int64_t> version) {
  if (!version.has_value() || options_.memory_keys == nullptr ||
      !client_.AnsweredWithin(kAnsweredOfLate)) {
    return std::nullopt;
  }
  return *version == 0 ? KnowledgeSnapshot{"", 0, std::make_shared<const UserKnowledge>(user)}
                       : cache_.FindUnder(user, *version, clock_.SteadyNow() - options_.found_for);
}

Result<KnowledgeSnapshot> Neo4jSemanticMemory::Read(const UserKey& user, Deadline deadline,
                                                    std::optional<std::int64_t> version) {
  if (options_.which == GenerationState::kShadow) {
    return ReadShadow(user, deadline);
  }
  if (std::optional<KnowledgeSnapshot> found = ReadFound(user, version)) {
    return *std::move(found);
  }
  const SteadyTime began = clock_.SteadyNow();
  UMBRANET_ASSIGN_OR_RETURN(KnowledgeSnapshot snapshot, ReadPresent(user, deadline));
  if (version.has_value()) {
    cache_.NoteUnder(snapshot, *version, began);
  }
  return snapshot;
}

Result<KnowledgeSnapshot> Neo4jSemanticMemory::ReadPresent(const UserKey& user, Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<Revision> now,
                            revisions_.Call(keys_.User(user), deadline));
  if (now.has_value() && HasGenerations(now->epoch)) {
    return ReadInForce(user, deadline);
  }
  return Present(user, 0, now, deadline);
}

Result<KnowledgeSnapshot> Neo4jSemanticMemory::Present(const UserKey& user, std::int64_t generation,
                                                       const std::optional<Revision>& now,
                                                       Deadline deadline) {
  std::optional<KnowledgeSnapshot> known = cache_.Find(user, generation);
  if (!now.has_value()) {
    if (!known.has_value() || !known->epoch.empty()) {
      known = KnowledgeSnapshot{"", 0, std::make_shared<const UserKnowledge>(user), 0, generation};
      // A first write begins with it, and is told when somebody else was before it.
      cache_.Keep(*known);
    }
    return *std::move(known);
  }
  if (known.has_value() && known->epoch == now->epoch && known->revision >= now->revision) {
    return *std::move(known);
  }
  return Load(user, generation, known, deadline);
}

Result<Neo4jSemanticMemory::Outcome> Neo4jSemanticMemory::Weigh(Writing& writing,
                                                                const Neo4jFailure& failure,
                                                                Deadline deadline) {
  ++writing.attempts;
  if (writing.attempts >= options_.attempts_max) {
    return failure.error;
  }
  switch (failure.refusal) {
    case Neo4jRefusal::kConstraint: {
      const GraphKeys keys = keys_.Of(writing.generation);
      json::array markers;
      for (const std::string& job : writing.jobs) {
        markers.emplace_back(keys.Marker(writing.user, job));
      }
      UMBRANET_ASSIGN_OR_RETURN(const json::array rows,
                                Run(kSelectMarkers, {{"markers", std::move(markers)}}, deadline));
      std::set<std::string> there;
      for (const json::value& row : rows) {
        const json::array* columns = row.if_array();
        if (columns != nullptr && !columns->empty()) {
          there.insert(TextOf(columns->front()));
        }
      }
      std::erase_if(writing.jobs, [&](const std::string& job) {
        return there.contains(keys.Marker(writing.user, job));
      });
      return Outcome::kMoved;
    }
    case Neo4jRefusal::kArithmetic:
      return Outcome::kMoved;
    case Neo4jRefusal::kAgain:
      return Pause(writing.attempts, deadline) ? Result<Outcome>(Outcome::kAgain)
                                               : Result<Outcome>(failure.error);
    case Neo4jRefusal::kLost:
      // Twice is no accident.
      return std::exchange(writing.lost, true) ? Result<Outcome>(failure.error)
                                               : Result<Outcome>(Outcome::kMoved);
    case Neo4jRefusal::kNone:
      break;
  }
  return failure.error;
}

Result<std::optional<Neo4jSemanticMemory::Outcome>> Neo4jSemanticMemory::TryWrite(
    Writing& writing, const KnowledgeSnapshot& before, Deadline deadline) {
  if (writing.oldest_turn.has_value() && *writing.oldest_turn <= before.forgotten_through) {
    return Aborted("neo4j: the user was forgotten after this turn was accepted");
  }
  const bool first = before.epoch.empty();
  if (first && !writing.creates) {
    return Aborted("neo4j: this generation of the user's memory is not there any more");
  }
  auto knowledge = std::make_shared<UserKnowledge>(*before.knowledge);
  std::optional<UserKnowledge::Changes> changes = writing.work(*knowledge);
  if (!changes.has_value()) {
    return std::optional<Outcome>();
  }
  for (const std::shared_ptr<const UserKnowledge>& other : writing.others) {
    changes->Add(knowledge->TakeOver(*other, UserKnowledge::Prevails::kHere));
  }
  const GraphKeys keys = keys_.Of(writing.generation);
  const std::string user_key = keys.User(writing.user);
  json::object entry = EntryOf(writing.user, writing.generation, before, writing.writer);
  if (first && writing.forgotten_through > 0) {
    entry["forgotten_through"] = writing.forgotten_through;
  }
  const std::string epoch = TextOf(entry["epoch"]);
  std::vector<Neo4jStatement> statements;
  statements.push_back({first ? kEnterFirst : kEnter, std::move(entry)});
  json::array markers;
  for (const std::string& job : writing.jobs) {
    markers.push_back(json::object{{"key", keys.Marker(writing.user, job)}, {"owner", user_key}});
  }
  if (!markers.empty()) {
    statements.push_back({kCreateMarkers, {{"rows", std::move(markers)}}});
  }
  std::vector<Neo4jStatement> changed =
      WriteStatements(*before.knowledge, *knowledge, *changes, keys, before.revision + 1);
  std::move(changed.begin(), changed.end(), std::back_inserter(statements));
  Neo4jClient::Answer answer = client_.Run(std::move(statements), deadline);
  if (const auto* failure = std::get_if<Neo4jFailure>(&answer)) {
    UMBRANET_ASSIGN_OR_RETURN(const Outcome outcome, Weigh(writing, *failure, deadline));
    return std::optional(outcome);
  }
  cache_.Keep({epoch, before.revision + 1, std::move(knowledge),
               first ? writing.forgotten_through : before.forgotten_through, writing.generation});
  return std::optional(Outcome::kWritten);
}

json::object Neo4jSemanticMemory::EntryOf(const UserKey& user, std::int64_t generation,
                                          const KnowledgeSnapshot& before,
                                          const std::string& writer) const {
  json::object entry{{"user", keys_.Of(generation).User(user)},
                     {"epoch", before.epoch.empty() ? RandomHex(kEpochBytes) : before.epoch},
                     {"revision", before.revision},
                     {"writer", writer},
                     {"space", keys_.space()},
                     {"tenant", user.tenant},
                     {"user_id", user.user_id},
                     {"first_key", nullptr},
                     {"generation", nullptr},
                     {"forgotten_through", nullptr}};
  if (generation != 0) {
    entry["first_key"] = keys_.User(user);
    entry["generation"] = generation;
  }
  return entry;
}

Result<std::int64_t> Neo4jSemanticMemory::Change(const UserKey& user, const Work& work,
                                                 std::vector<std::string>& jobs, Deadline deadline,
                                                 std::optional<std::int64_t> oldest_turn) {
  const bool in_force = options_.which == GenerationState::kInForce;
  Writing writing{.user = user,
                  .work = work,
                  .jobs = jobs,
                  .writer = RandomHex(kWriterBytes),
                  .oldest_turn = oldest_turn,
                  .asks = in_force,
                  .creates = in_force,
                  .inherits = !jobs.empty()};
  if (!in_force) {
    UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> shadow,
                              options_.memory_keys->Shadow(user, deadline));
    if (!shadow.has_value()) {
      return Aborted("neo4j: the user's memory is not being worked out anew any more");
    }
    writing.generation = *shadow;
    UMBRANET_RETURN_IF_ERROR(ReadOthers(writing, deadline));
  }
  UMBRANET_RETURN_IF_ERROR(Write(writing, deadline));
  return writing.generation;
}

// Before it, for whoever looks while it is being done; after it, for whoever looked just before.
Status Neo4jSemanticMemory::ChangeByHand(const UserKey& user, const Work& work,
                                         const std::function<bool()>& changed, Deadline deadline) {
  std::vector<std::string> no_jobs;
  UMBRANET_RETURN_IF_ERROR(NoteChange(user, deadline));
  UMBRANET_ASSIGN_OR_RETURN(const std::int64_t generation, Change(user, work, no_jobs, deadline));
  if (changed()) {
    UMBRANET_RETURN_IF_ERROR(PassOn(user, generation, deadline));
  }
  return NoteChange(user, deadline);
}

Status Neo4jSemanticMemory::NoteChange(const UserKey& user, Deadline deadline) {
  return options_.memory_keys == nullptr ? Status()
                                         : options_.memory_keys->NoteChange(user, deadline);
}

Status Neo4jSemanticMemory::Write(Writing& writing, Deadline deadline) {
  // Without the constraints two writers could both take a user's lock, and a server that was away
  // at the start has not been asked for them.
  if (!migrated_) {
    UMBRANET_RETURN_IF_ERROR(Migrate(deadline));
  }
  // What is kept may well be of the present; if it is not, the write itself will tell.
  std::optional<KnowledgeSnapshot> before = cache_.Find(writing.user, writing.generation);
  bool present = false;
  for (;;) {
    if (!present && (!before.has_value() || writing.attempts > 0)) {
      std::string writer;
      UMBRANET_ASSIGN_OR_RETURN(before,
                                Load(writing.user, writing.generation, before, deadline, &writer));
      present = true;
      if (writer == writing.writer) {
        return {};  // Only the answer had been lost.
      }
    }
    UMBRANET_ASSIGN_OR_RETURN(const bool turned, TurnToGeneration(writing, *before, deadline));
    if (turned) {
      before = cache_.Find(writing.user, writing.generation);
      present = false;
      continue;
    }
    UMBRANET_ASSIGN_OR_RETURN(const std::optional<Outcome> outcome,
                              TryWrite(writing, *before, deadline));
    if (outcome == Outcome::kWritten || (!outcome.has_value() && present)) {
      return {};
    }
    if (!outcome.has_value()) {
      before.reset();  // There is nothing to change in what was kept; look at what is there.
    }
    if (outcome == Outcome::kMoved) {
      present = false;
    }
  }
}

Status Neo4jSemanticMemory::Apply(std::span<const ReflectionPlan> plans, const Lease& /*fence*/,
                                  Deadline deadline) {
  if (plans.empty()) {
    return {};
  }
  const UserKey& user = plans.front().user;
  std::vector<std::string> jobs;
  std::vector<const ReflectionPlan*> by_job;
  std::int64_t oldest_turn = plans.front().sequence;
  for (const ReflectionPlan& plan : plans) {
    if (plan.user != user) {
      return InvalidArgument("neo4j: the plans of one application must be of one user");
    }
    oldest_turn = std::min(oldest_turn, plan.sequence);
    if (std::find(jobs.begin(), jobs.end(), plan.job_id) == jobs.end()) {
      by_job.push_back(&plan);
      jobs.push_back(plan.job_id);
    }
  }
  const Work work = [&](UserKnowledge& knowledge) -> std::optional<UserKnowledge::Changes> {
    std::vector<const ReflectionPlan*> pending;
    for (const ReflectionPlan* plan : by_job) {
      if (std::find(jobs.begin(), jobs.end(), plan->job_id) != jobs.end()) {
        pending.push_back(plan);
      }
    }
    if (pending.empty()) {
      return std::nullopt;
    }
    return knowledge.Apply(pending, clock_.Now());
  };
  UMBRANET_RETURN_IF_ERROR(Change(user, work, jobs, deadline, oldest_turn));
  return {};
}

Result<std::optional<Neo4jSemanticMemory::Located>> Neo4jSemanticMemory::Locate(
    std::string_view tenant, std::string_view memory_id, Deadline deadline) {
  if (!memory_id.starts_with(kFactPrefix)) {
    return std::optional<Located>();
  }
  Located located;
  located.statement_id = memory_id.substr(kFactPrefix.size());
  UMBRANET_ASSIGN_OR_RETURN(
      const json::array rows,
      Run(kSelectOwner, {{"statement", keys_.Statement(tenant, located.statement_id)}}, deadline));
  const json::array* row = RowOf(rows, 0, 2);
  if (row == nullptr || TextOf((*row)[0]) != tenant) {
    return std::optional<Located>();
  }
  located.user = {std::string(tenant), TextOf((*row)[1])};
  return std::optional(std::move(located));
}

Result<std::optional<MemoryItem>> Neo4jSemanticMemory::Update(std::string_view tenant,
                                                              std::string_view memory_id,
                                                              const MemoryPatch& patch,
                                                              Deadline deadline) {
  if (patch.text.has_value() && patch.text->empty()) {
    return InvalidArgument("neo4j: text: must not be empty");
  }
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<Located> located,
                            Locate(tenant, memory_id, deadline));
  if (!located.has_value()) {
    return std::optional<MemoryItem>();
  }
  std::optional<MemoryItem> changed;
  const Work work = [&](UserKnowledge& knowledge) -> std::optional<UserKnowledge::Changes> {
    changed.reset();
    const std::optional<std::size_t> head = knowledge.HeadOf(located->statement_id);
    if (!head.has_value()) {
      return std::nullopt;
    }
    UserKnowledge::Changes changes = knowledge.Edit(*head, patch);
    // By its edits the fact may have become another's witness.
    const std::size_t now = knowledge.HeadOf(located->statement_id).value_or(*head);
    changed = ItemOfFact(knowledge.at(now).fact->fact);
    return changes;
  };
  UMBRANET_RETURN_IF_ERROR(
      ChangeByHand(located->user, work, [&] { return changed.has_value(); }, deadline));
  return changed;
}

Result<bool> Neo4jSemanticMemory::Erase(std::string_view tenant, std::string_view memory_id,
                                        Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<Located> located,
                            Locate(tenant, memory_id, deadline));
  if (!located.has_value()) {
    return false;
  }
  bool erased = false;
  const Work work = [&](UserKnowledge& knowledge) -> std::optional<UserKnowledge::Changes> {
    const std::optional<std::size_t> head = knowledge.HeadOf(located->statement_id);
    erased = head.has_value();
    return erased ? std::optional(knowledge.Erase(*head)) : std::nullopt;
  };
  UMBRANET_RETURN_IF_ERROR(ChangeByHand(located->user, work, [&] { return erased; }, deadline));
  return erased;
}

Result<std::size_t> Neo4jSemanticMemory::Unmerge(const UserKey& user, std::string_view name,
                                                 std::string_view from, Deadline deadline) {
  const std::string parting = NormalizeName(name);
  const std::string other = NormalizeName(from);
  if (parting.empty() || (other.empty() && !from.empty())) {
    return InvalidArgument("neo4j: name: must not be empty");
  }
  std::size_t undone = 0;
  const Work work = [&](UserKnowledge& knowledge) -> std::optional<UserKnowledge::Changes> {
    UserKnowledge::Changes changes = knowledge.Part(parting, other, clock_.Now(), undone);
    return undone > 0 ? std::optional(std::move(changes)) : std::nullopt;
  };
  UMBRANET_RETURN_IF_ERROR(ChangeByHand(user, work, [&] { return undone > 0; }, deadline));
  return undone;
}

}  // namespace umbranet
