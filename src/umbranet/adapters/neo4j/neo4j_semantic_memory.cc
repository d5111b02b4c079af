// Writing: see neo4j_semantic_reads.cc for the questions.
#include "umbranet/adapters/neo4j/neo4j_semantic_memory.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <utility>
#include <variant>

#include <boost/json/value.hpp>

#include "umbranet/adapters/neo4j/graph_rows.h"
#include "umbranet/adapters/neo4j/graph_statements.h"
#include "umbranet/base/unique_id.h"
#include "umbranet/domain/entity_name.h"

namespace umbranet {
namespace {

namespace json = boost::json;

constexpr std::size_t kWriterBytes = 8;
constexpr std::size_t kEpochBytes = 16;
// One at a time: who comes meanwhile shares the next, and a request costs the server a millisecond
// of a processor however many users it is about.
constexpr std::size_t kRevisionLanes = 1;
constexpr Millis kPauseFirst{2};
constexpr Millis kPauseMax{100};

json::array Texts(const std::vector<std::string>& texts) {
  json::array array;
  for (const std::string& text : texts) {
    array.emplace_back(text);
  }
  return array;
}

std::string TextOf(const json::value& value) {
  const json::string* text = value.if_string();
  return text == nullptr ? std::string() : std::string(text->data(), text->size());
}

Error NotAsked() {
  return {ErrorCode::kBadGateway, "neo4j: the answer is not the one that was asked for"};
}

// The row's columns, when it has so many.
const json::array* RowOf(const json::array& rows, std::size_t index, std::size_t columns) {
  const json::array* row = index < rows.size() ? rows[index].if_array() : nullptr;
  return row != nullptr && row->size() >= columns ? row : nullptr;
}

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

Result<KnowledgeSnapshot> Neo4jSemanticMemory::Load(const UserKey& user,
                                                    const std::optional<KnowledgeSnapshot>& known,
                                                    Deadline deadline, std::string* writer) {
  UMBRANET_ASSIGN_OR_RETURN(const json::array rows,
                            Run(kLoad,
                                {{"user", keys_.User(user)},
                                 {"epoch", known ? known->epoch : std::string()},
                                 {"revision", known ? known->revision : 0}},
                                deadline));
  if (rows.empty()) {
    cache_.Drop(user);
    return KnowledgeSnapshot{"", 0, std::make_shared<const UserKnowledge>(user)};
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
                             (*row)[8].get_int64()};
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

Result<KnowledgeSnapshot> Neo4jSemanticMemory::Read(const UserKey& user, Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<Revision> now,
                            revisions_.Call(keys_.User(user), deadline));
  std::optional<KnowledgeSnapshot> known = cache_.Find(user);
  if (!now.has_value()) {
    if (!known.has_value() || !known->epoch.empty()) {
      known = KnowledgeSnapshot{"", 0, std::make_shared<const UserKnowledge>(user)};
      // A first write begins with it, and is told when somebody else was before it.
      cache_.Keep(*known);
    }
    return *std::move(known);
  }
  if (known.has_value() && known->epoch == now->epoch && known->revision >= now->revision) {
    return *std::move(known);
  }
  return Load(user, known, deadline);
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
      UMBRANET_ASSIGN_OR_RETURN(
          const json::array rows,
          Run(kSelectMarkers, {{"markers", Texts(writing.markers)}}, deadline));
      for (const json::value& row : rows) {
        const json::array* columns = row.if_array();
        if (columns != nullptr && !columns->empty()) {
          std::erase(writing.markers, TextOf(columns->front()));
        }
      }
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
  auto knowledge = std::make_shared<UserKnowledge>(*before.knowledge);
  const std::optional<UserKnowledge::Changes> changes = writing.work(*knowledge);
  if (!changes.has_value()) {
    return std::optional<Outcome>();
  }
  const bool first = before.epoch.empty();
  const std::string epoch = first ? RandomHex(kEpochBytes) : before.epoch;
  const std::string user_key = keys_.User(writing.user);
  std::vector<Neo4jStatement> statements;
  statements.push_back({first ? kEnterFirst : kEnter,
                        {{"user", user_key},
                         {"epoch", epoch},
                         {"revision", before.revision},
                         {"writer", writing.writer},
                         {"space", keys_.space()},
                         {"tenant", writing.user.tenant},
                         {"user_id", writing.user.user_id}}});
  json::array markers;
  for (const std::string& marker : writing.markers) {
    markers.push_back(json::object{{"key", marker}, {"owner", user_key}});
  }
  if (!markers.empty()) {
    statements.push_back({kCreateMarkers, {{"rows", std::move(markers)}}});
  }
  std::vector<Neo4jStatement> changed =
      WriteStatements(*before.knowledge, *knowledge, *changes, keys_, before.revision + 1);
  std::move(changed.begin(), changed.end(), std::back_inserter(statements));
  Neo4jClient::Answer answer = client_.Run(std::move(statements), deadline);
  if (const auto* failure = std::get_if<Neo4jFailure>(&answer)) {
    UMBRANET_ASSIGN_OR_RETURN(const Outcome outcome, Weigh(writing, *failure, deadline));
    return std::optional(outcome);
  }
  cache_.Keep({epoch, before.revision + 1, std::move(knowledge), before.forgotten_through});
  return std::optional(Outcome::kWritten);
}

Status Neo4jSemanticMemory::Change(const UserKey& user, const Work& work,
                                   std::vector<std::string>& markers, Deadline deadline,
                                   std::optional<std::int64_t> oldest_turn) {
  // Without the constraints two writers could both take a user's lock, and a server that was away
  // at the start has not been asked for them.
  if (!migrated_) {
    UMBRANET_RETURN_IF_ERROR(Migrate(deadline));
  }
  Writing writing{.user = user,
                  .work = work,
                  .markers = markers,
                  .writer = RandomHex(kWriterBytes),
                  .oldest_turn = oldest_turn};
  // What is kept may well be of the present; if it is not, the write itself will tell.
  std::optional<KnowledgeSnapshot> before = cache_.Find(user);
  bool present = false;
  for (;;) {
    if (!present && (!before.has_value() || writing.attempts > 0)) {
      std::string writer;
      UMBRANET_ASSIGN_OR_RETURN(before, Load(user, before, deadline, &writer));
      present = true;
      if (writer == writing.writer) {
        return {};  // Only the answer had been lost.
      }
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
  std::vector<std::string> markers;
  std::vector<std::pair<std::string, const ReflectionPlan*>> by_marker;
  std::int64_t oldest_turn = plans.front().sequence;
  for (const ReflectionPlan& plan : plans) {
    if (plan.user != user) {
      return InvalidArgument("neo4j: the plans of one application must be of one user");
    }
    oldest_turn = std::min(oldest_turn, plan.sequence);
    std::string marker = keys_.Marker(user, plan.job_id);
    if (std::find(markers.begin(), markers.end(), marker) == markers.end()) {
      by_marker.emplace_back(marker, &plan);
      markers.push_back(std::move(marker));
    }
  }
  const Work work = [&](UserKnowledge& knowledge) -> std::optional<UserKnowledge::Changes> {
    std::vector<const ReflectionPlan*> pending;
    for (const auto& [marker, plan] : by_marker) {
      if (std::find(markers.begin(), markers.end(), marker) != markers.end()) {
        pending.push_back(plan);
      }
    }
    if (pending.empty()) {
      return std::nullopt;
    }
    return knowledge.Apply(pending, clock_.Now());
  };
  return Change(user, work, markers, deadline, oldest_turn);
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
  std::vector<std::string> no_markers;
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
  UMBRANET_RETURN_IF_ERROR(Change(located->user, work, no_markers, deadline));
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
  std::vector<std::string> no_markers;
  const Work work = [&](UserKnowledge& knowledge) -> std::optional<UserKnowledge::Changes> {
    const std::optional<std::size_t> head = knowledge.HeadOf(located->statement_id);
    erased = head.has_value();
    return erased ? std::optional(knowledge.Erase(*head)) : std::nullopt;
  };
  UMBRANET_RETURN_IF_ERROR(Change(located->user, work, no_markers, deadline));
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
  std::vector<std::string> no_markers;
  const Work work = [&](UserKnowledge& knowledge) -> std::optional<UserKnowledge::Changes> {
    UserKnowledge::Changes changes = knowledge.Part(parting, other, clock_.Now(), undone);
    return undone > 0 ? std::optional(std::move(changes)) : std::nullopt;
  };
  UMBRANET_RETURN_IF_ERROR(Change(user, work, no_markers, deadline));
  return undone;
}

Result<Neo4jSemanticMemory::Kept> Neo4jSemanticMemory::ReadKept(const UserKey& user,
                                                                Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const json::array rows,
                            Run(kSelectKept, {{"user", keys_.User(user)}}, deadline));
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

Result<std::uint64_t> Neo4jSemanticMemory::EraseUser(const UserKey& user, Deadline deadline) {
  return EraseAll(user, std::nullopt, deadline);
}

Result<std::uint64_t> Neo4jSemanticMemory::ForgetUser(const UserKey& user,
                                                      std::int64_t through_sequence,
                                                      Deadline deadline) {
  if (!migrated_) {
    UMBRANET_RETURN_IF_ERROR(Migrate(deadline));  // As in Change.
  }
  return EraseAll(user, through_sequence, deadline);
}

Result<std::uint64_t> Neo4jSemanticMemory::EraseAll(const UserKey& user,
                                                    std::optional<std::int64_t> forgotten_through,
                                                    Deadline deadline) {
  const std::string writer = RandomHex(kWriterBytes);
  std::uint64_t removed = 0;
  for (int attempts = 1;; ++attempts) {
    std::string last_writer;
    UMBRANET_ASSIGN_OR_RETURN(const KnowledgeSnapshot before,
                              Load(user, cache_.Find(user), deadline, &last_writer));
    // Whoever is at the user's first turn has left nothing here yet, but a tombstone holds him up.
    const bool first = before.epoch.empty();
    if ((first && !forgotten_through) || last_writer == writer) {
      return removed;
    }
    removed = before.knowledge->heads().size();
    UMBRANET_ASSIGN_OR_RETURN(Kept kept, ReadKept(user, deadline));
    const bool keep_user =
        !kept.erased.empty() || !kept.merges.empty() || before.forgotten_through > 0;
    const json::object parameters{{"user", keys_.User(user)},
                                  {"epoch", first ? RandomHex(kEpochBytes) : before.epoch},
                                  {"revision", before.revision},
                                  {"space", keys_.space()},
                                  {"tenant", user.tenant},
                                  {"user_id", user.user_id},
                                  {"through", forgotten_through.value_or(0)},
                                  {"next_epoch", RandomHex(kEpochBytes)},
                                  {"writer", writer},
                                  {"kept_erased", std::move(kept.erased)},
                                  {"kept_merges", std::move(kept.merges)}};
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
      cache_.Drop(user);
      return removed;
    }
    const bool again = failure->refusal == Neo4jRefusal::kAgain ||
                       (first && failure->refusal == Neo4jRefusal::kConstraint) ||
                       failure->refusal == Neo4jRefusal::kArithmetic ||
                       (failure->refusal == Neo4jRefusal::kLost && attempts == 1);
    if (!again || attempts >= options_.attempts_max || !Pause(attempts, deadline)) {
      return failure->error;
    }
  }
}

}  // namespace umbranet
