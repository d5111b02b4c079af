// Neo4jSemanticMemory takes in what another store has kept.
#include <algorithm>
#include <utility>

#include "umbranet/adapters/neo4j/graph_answers.h"
#include "umbranet/adapters/neo4j/neo4j_semantic_memory.h"

namespace umbranet {
namespace {

// In one transaction.
constexpr std::size_t kJobsMax = 5'000;

}  // namespace

Result<bool> Neo4jSemanticMemory::Knows(const UserKey& user, Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(KnowledgeSnapshot snapshot, Load(user, 0, std::nullopt, deadline));
  if (HasGenerations(snapshot.epoch)) {
    UMBRANET_ASSIGN_OR_RETURN(snapshot, ReadInForce(user, deadline));
  }
  // A tombstone is nothing to know.
  return !snapshot.epoch.empty() &&
         (snapshot.forgotten_through == 0 || snapshot.knowledge->size() > 0);
}

Status Neo4jSemanticMemory::TakeIn(const UserKey& user, const KnowledgeRows& rows,
                                   Deadline deadline) {
  if (rows.empty()) {
    return {};
  }
  std::vector<std::string> no_jobs;
  const Work put = [&](UserKnowledge& knowledge) -> std::optional<UserKnowledge::Changes> {
    if (knowledge.size() > 0) {
      return std::nullopt;  // A write before this one came through, whole.
    }
    return PutRows(rows, knowledge);
  };
  UMBRANET_RETURN_IF_ERROR(Change(user, put, no_jobs, deadline));
  for (std::size_t begin = 0; begin < rows.applied.size(); begin += kJobsMax) {
    const std::size_t end = std::min(rows.applied.size(), begin + kJobsMax);
    std::vector<std::string> jobs(rows.applied.begin() + static_cast<std::ptrdiff_t>(begin),
                                  rows.applied.begin() + static_cast<std::ptrdiff_t>(end));
    // Those that are there already are taken out.
    const Work mark = [&jobs](UserKnowledge&) -> std::optional<UserKnowledge::Changes> {
      return jobs.empty() ? std::nullopt : std::optional(UserKnowledge::Changes());
    };
    UMBRANET_RETURN_IF_ERROR(Change(user, mark, jobs, deadline));
  }
  return {};
}

}  // namespace umbranet
