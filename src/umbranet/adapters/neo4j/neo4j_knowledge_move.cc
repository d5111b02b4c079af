// Neo4jSemanticMemory takes in what another store has kept.
#include <algorithm>
#include <utility>

#include "umbranet/adapters/neo4j/neo4j_semantic_memory.h"

namespace umbranet {
namespace {

// In one transaction.
constexpr std::size_t kMarkersMax = 5'000;

}  // namespace

Result<bool> Neo4jSemanticMemory::Knows(const UserKey& user, Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const KnowledgeSnapshot snapshot, Load(user, std::nullopt, deadline));
  // A tombstone is nothing to know.
  return !snapshot.epoch.empty() &&
         (snapshot.forgotten_through == 0 || snapshot.knowledge->size() > 0);
}

Status Neo4jSemanticMemory::TakeIn(const UserKey& user, const KnowledgeRows& rows,
                                   Deadline deadline) {
  if (rows.empty()) {
    return {};
  }
  std::vector<std::string> no_markers;
  const Work put = [&](UserKnowledge& knowledge) -> std::optional<UserKnowledge::Changes> {
    if (knowledge.size() > 0) {
      return std::nullopt;  // A write before this one came through, whole.
    }
    return PutRows(rows, knowledge);
  };
  UMBRANET_RETURN_IF_ERROR(Change(user, put, no_markers, deadline));
  for (std::size_t begin = 0; begin < rows.applied.size(); begin += kMarkersMax) {
    const std::size_t end = std::min(rows.applied.size(), begin + kMarkersMax);
    std::vector<std::string> markers;
    for (std::size_t i = begin; i < end; ++i) {
      markers.push_back(keys_.Marker(user, rows.applied[i]));
    }
    // Those that are there already are taken out.
    const Work mark = [&markers](UserKnowledge&) -> std::optional<UserKnowledge::Changes> {
      return markers.empty() ? std::nullopt : std::optional(UserKnowledge::Changes());
    };
    UMBRANET_RETURN_IF_ERROR(Change(user, mark, markers, deadline));
  }
  return {};
}

}  // namespace umbranet
