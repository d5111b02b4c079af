#include "umbranet/app/data_move.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "umbranet/base/unique_id.h"

namespace umbranet {
namespace {

namespace json = boost::json;

// Of one call: a page of rows, or all of what one user said.
constexpr Millis kCallBudget = std::chrono::minutes(5);
constexpr Millis kUserBudget = std::chrono::minutes(30);

// Steps beside those that are called as their tables.
constexpr std::string_view kKnowledgeBegun = "knowledge begun";
constexpr std::string_view kKnowledge = "knowledge";
constexpr std::string_view kAll = "all";
// Of tables that are nobody's in particular.
constexpr std::int64_t kNobody = 0;

constexpr std::size_t kMergesMax = 1'000'000;
constexpr std::size_t kRulesMax = 1'000'000;
// The summary is what is asked for.
constexpr ConversationWindow kNewestTurn{.tokens = 1, .turns = 1};

Error Named(Error error, const UserKey& user) {
  error.message += " (while moving user " + json::serialize(json::string(user.user_id)) +
                   " of tenant " + json::serialize(json::string(user.tenant)) + ")";
  return error;
}

class Mover {
 public:
  explicit Mover(const DataMove& move) : move_(move) {}

  Status MoveAll(const std::vector<MovedUser>& users) {
    UMBRANET_RETURN_IF_ERROR(MoveTable(MovedAccounts(), std::nullopt, kNobody));
    for (const MovedTable& table : MovedCommonTables()) {
      UMBRANET_RETURN_IF_ERROR(MoveTable(table, std::nullopt, kNobody));
    }
    std::size_t done = 0;
    all_ = users.size();
    for (const MovedUser& user : users) {
      done_ = done++;
      const Status moved = MoveUser(user);
      if (!moved.ok()) {
        return Named(moved.error(), user.user);
      }
    }
    return move_.target.Finish(Within(kCallBudget));
  }

 private:
  [[nodiscard]] Deadline Within(Millis budget) const {
    return Deadline::After(move_.clock, budget);
  }

  Status MoveTable(const MovedTable& table, std::optional<std::int64_t> user_key,
                   std::int64_t step_key) {
    return move_.source.Read(
        table, user_key, move_.page,
        [&](const std::vector<MovedRow>& rows, bool last) -> Status {
          // Steps are noted where repeating them would cost something.
          const bool note = last && (pages_ > 0 || rows.size() == move_.page);
          pages_ = last ? 0 : pages_ + 1;
          if (move_.progress && !move_.progress("moved", done_, all_)) {
            return Error{ErrorCode::kCancelled, "migrate-data: stopped; run it again to go on"};
          }
          return move_.target.Write(table, rows, step_key, note ? table.name : std::string_view(),
                                    Within(kCallBudget));
        },
        Within(kUserBudget));
  }

  Status MoveUser(const MovedUser& user) {
    UMBRANET_ASSIGN_OR_RETURN(const auto steps,
                              move_.target.StepsDone(user.user_key, Within(kCallBudget)));
    if (steps.contains(kAll)) {
      return {};
    }
    for (const MovedTable& table : MovedTables()) {
      if (!steps.contains(table.name)) {
        UMBRANET_RETURN_IF_ERROR(MoveTable(table, user.user_key, user.user_key));
      }
    }
    UMBRANET_RETURN_IF_ERROR(MoveSummaries(user));
    if (!steps.contains(kKnowledge)) {
      UMBRANET_RETURN_IF_ERROR(MoveKnowledge(user, steps.contains(kKnowledgeBegun)));
    }
    return move_.target.FinishUser(user.user_key, kAll, Within(kCallBudget));
  }

  Status MoveSummaries(const MovedUser& user) {
    UMBRANET_ASSIGN_OR_RETURN(const std::vector<MovedSummary> summaries,
                              move_.source.Summaries(user.user_key, Within(kCallBudget)));
    for (const MovedSummary& summary : summaries) {
      UMBRANET_RETURN_IF_ERROR(move_.short_term.SaveSummary(user.user, summary.session_id,
                                                            summary.through_sequence,
                                                            summary.summary, Within(kCallBudget)));
    }
    return {};
  }

  Status MoveKnowledge(const MovedUser& user, bool begun) {
    UMBRANET_ASSIGN_OR_RETURN(const KnowledgeRows rows,
                              move_.source.Knowledge(user.user_key, Within(kUserBudget)));
    if (!rows.empty()) {
      if (!begun) {
        UMBRANET_ASSIGN_OR_RETURN(const bool known,
                                  move_.knowledge.Knows(user.user, Within(kCallBudget)));
        if (known) {
          return FailedPrecondition(
              "migrate-data: the graph on Neo4j knows this user already, from another"
              " installation; name an empty one in NEO4J_URL, or forget the user there");
        }
        UMBRANET_RETURN_IF_ERROR(
            move_.target.NoteStep(user.user_key, kKnowledgeBegun, Within(kCallBudget)));
      }
      UMBRANET_RETURN_IF_ERROR(move_.knowledge.TakeIn(user.user, rows, Within(kUserBudget)));
    }
    return move_.target.NoteStep(user.user_key, kKnowledge, Within(kCallBudget));
  }

  const DataMove& move_;
  std::size_t pages_ = 0;  // Of the table under way.
  std::size_t done_ = 0;   // Users.
  std::size_t all_ = 0;
};

// What a side holds of a user, as lines that do not depend on where they are kept.
class Canon {
 public:
  void Add(std::string_view line) { digests_.push_back(Sha256Hex(line)); }

  std::string Checksum() && {
    std::sort(digests_.begin(), digests_.end());
    std::string all;
    for (const std::string& digest : digests_) {
      all += digest;
    }
    return Sha256Hex(all);
  }

 private:
  std::vector<std::string> digests_;
};

json::value TimeOf(const std::optional<Timestamp>& time) {
  return time.has_value() ? json::value(ToUnixMillis(*time)) : json::value();
}

std::string LineOfMerge(const EntityMerge& merge) {
  return json::serialize(json::object{{"type", "merge"},
                                      {"name", merge.name},
                                      {"other", merge.other},
                                      {"interaction_id", merge.interaction_id},
                                      {"occurred_at", ToUnixMillis(merge.occurred_at)},
                                      {"parted_at", TimeOf(merge.parted_at)}});
}

std::string LineOfRule(const Rule& rule) {
  return json::serialize(json::object{{"type", "rule"},
                                      {"memory_id", rule.memory_id},
                                      {"text", rule.text},
                                      {"scope", rule.scope},
                                      {"key", rule.key},
                                      {"kind", static_cast<int>(rule.kind)},
                                      {"negative", rule.negative},
                                      {"confidence", rule.confidence},
                                      {"evidence", rule.evidence},
                                      {"occurred_at", ToUnixMillis(rule.occurred_at)}});
}

void CountLine(std::string_view line, MoveCounts& counts) {
  const auto is = [&](std::string_view type) {
    return line.starts_with("{\"type\":\"" + std::string(type) + "\"");
  };
  counts.turns += is("interaction") ? 1U : 0U;
  counts.episodes += is("episodic") ? 1U : 0U;
  counts.facts += is("semantic") ? 1U : 0U;
  counts.rules += is("procedural") ? 1U : 0U;
}

Result<MoveCounts> Look(const MoveView& view, const UserKey& user,
                        const std::vector<MovedSummary>& sessions, Deadline deadline) {
  MoveCounts counts;
  Canon canon;
  UMBRANET_RETURN_IF_ERROR(view.memory.Export(
      user,
      [&](std::string_view line) {
        CountLine(line, counts);
        canon.Add(CanonicalExportLine(line));
        return true;
      },
      deadline));
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<EntityMerge> merges,
                            view.semantic.Merges(user, kMergesMax, deadline));
  for (const EntityMerge& merge : merges) {
    canon.Add(LineOfMerge(merge));
  }
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<Rule> rules,
                            view.procedural.Active(user, std::nullopt, kRulesMax, deadline));
  for (const Rule& rule : rules) {
    canon.Add(LineOfRule(rule));
  }
  for (const MovedSummary& session : sessions) {
    UMBRANET_ASSIGN_OR_RETURN(
        const Conversation conversation,
        view.short_term.Read(user, session.session_id, kNewestTurn, deadline));
    canon.Add(json::serialize(json::object{{"type", "summary"},
                                           {"session_id", session.session_id},
                                           {"summary", conversation.summary}}));
  }
  counts.checksum = std::move(canon).Checksum();
  return counts;
}

Result<MovedUserReport> Compare(const DataMove& move, const MovedUser& user) {
  const Deadline deadline = Deadline::After(move.clock, kUserBudget);
  MovedUserReport report;
  report.user = user.user;
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<MovedSummary> sessions,
                            move.source.Summaries(user.user_key, deadline));
  UMBRANET_ASSIGN_OR_RETURN(report.source, Look(move.from, user.user, sessions, deadline));
  UMBRANET_ASSIGN_OR_RETURN(report.target, Look(move.to, user.user, sessions, deadline));
  for (const MovedTable& table : MovedTables()) {
    UMBRANET_ASSIGN_OR_RETURN(const std::uint64_t from,
                              move.source.Count(table, user.user_key, deadline));
    UMBRANET_ASSIGN_OR_RETURN(const std::uint64_t to,
                              move.target.Count(table, user.user_key, deadline));
    if (from != to) {
      report.uneven.emplace_back(table.name);
    }
    if (table.name == "episode_vector") {
      report.source.vectors = from;
      report.target.vectors = to;
    }
    if (table.name == "job") {
      report.source.jobs = from;
      report.target.jobs = to;
    }
  }
  return report;
}

}  // namespace

std::uint64_t MoveReport::Different() const {
  return static_cast<std::uint64_t>(std::count_if(
      users.begin(), users.end(), [](const MovedUserReport& user) { return !user.Same(); }));
}

std::string CanonicalExportLine(std::string_view line) {
  boost::system::error_code error;
  json::value value = json::parse(line, error);
  json::object* object = error ? nullptr : value.if_object();
  if (object == nullptr) {
    return std::string(line);
  }
  if (json::value* state = object->if_contains("reflection");
      state != nullptr && state->is_string() &&
      state->get_string() == JobStateName(JobState::kLeased)) {
    *state = JobStateName(JobState::kReady);
  }
  return json::serialize(value);
}

Result<MoveReport> RunDataMove(const DataMove& move) {
  UMBRANET_ASSIGN_OR_RETURN(const MovedBounds bounds,
                            move.source.Bounds(Deadline::After(move.clock, kUserBudget)));
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<MovedUser> users,
                            move.source.Users(Deadline::After(move.clock, kUserBudget)));
  MoveReport report;
  UMBRANET_ASSIGN_OR_RETURN(report.began_at,
                            move.target.Begin(bounds, Deadline::After(move.clock, kCallBudget)));
  if (report.began_at != MoveTarget::Progress::kFinished) {
    UMBRANET_RETURN_IF_ERROR(Mover(move).MoveAll(users));
  }
  for (const MovedUser& user : users) {
    if (move.progress && !move.progress("compared", report.users.size(), users.size())) {
      return Error{ErrorCode::kCancelled,
                   "migrate-data: stopped before all were compared; run it again"};
    }
    auto compared = Compare(move, user);
    if (!compared.ok()) {
      return Named(compared.error(), user.user);
    }
    report.users.push_back(std::move(compared).value());
  }
  return report;
}

}  // namespace umbranet
