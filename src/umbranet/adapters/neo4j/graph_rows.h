// Nodes of the graph as JSON, both ways. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <vector>

#include <boost/json/value.hpp>

#include "umbranet/adapters/neo4j/graph_keys.h"
#include "umbranet/adapters/neo4j/neo4j_client.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/user_knowledge.h"

namespace umbranet {

// What writes the changes down after kEnter (graph_statements.h): every node that is another than
// before, whole, and the relationships that are to be drawn anew. `before` is what the changes were
// made to, so that the relationships of what is new are not looked for. `revision` is the user's
// after the write.
std::vector<Neo4jStatement> WriteStatements(const UserKnowledge& before,
                                            const UserKnowledge& knowledge,
                                            const UserKnowledge::Changes& changes,
                                            const GraphKeys& keys, std::int64_t revision);

// One of the lists that kLoad answers with. kDataLoss: it is not what WriteStatements wrote.
Status PutNames(const boost::json::value& nodes, UserKnowledge& knowledge);
Status PutMerges(const boost::json::value& nodes, UserKnowledge& knowledge);
Status PutStatements(const boost::json::value& nodes, UserKnowledge& knowledge);
Status PutErased(const boost::json::value& nodes, UserKnowledge& knowledge);

}  // namespace umbranet
