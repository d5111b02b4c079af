#include "umbranet/adapters/neo4j/graph_statements.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace umbranet {
namespace {

constexpr std::array<std::string_view, 18> kSchema = {
    "CREATE CONSTRAINT umbra_user_key IF NOT EXISTS FOR (n:UmbraUser) REQUIRE n.key IS UNIQUE",
    "CREATE CONSTRAINT umbra_entity_key IF NOT EXISTS FOR (n:Entity) REQUIRE n.key IS UNIQUE",
    "CREATE CONSTRAINT umbra_name_key IF NOT EXISTS FOR (n:Name) REQUIRE n.key IS UNIQUE",
    "CREATE CONSTRAINT umbra_merge_key IF NOT EXISTS FOR (n:NameMerge) REQUIRE n.key IS UNIQUE",
    "CREATE CONSTRAINT umbra_statement_key IF NOT EXISTS"
    " FOR (n:Statement) REQUIRE n.key IS UNIQUE",
    "CREATE CONSTRAINT umbra_erased_key IF NOT EXISTS"
    " FOR (n:ErasedStatement) REQUIRE n.key IS UNIQUE",
    "CREATE CONSTRAINT umbra_marker_key IF NOT EXISTS"
    " FOR (n:ReflectionApplied) REQUIRE n.key IS UNIQUE",
    "CREATE INDEX umbra_name_changes IF NOT EXISTS FOR (n:Name) ON (n.owner, n.revision)",
    "CREATE INDEX umbra_merge_changes IF NOT EXISTS FOR (n:NameMerge) ON (n.owner, n.revision)",
    "CREATE INDEX umbra_statement_changes IF NOT EXISTS"
    " FOR (n:Statement) ON (n.owner, n.revision)",
    "CREATE INDEX umbra_erased_changes IF NOT EXISTS"
    " FOR (n:ErasedStatement) ON (n.owner, n.revision)",
    "CREATE INDEX umbra_entity_owner IF NOT EXISTS FOR (n:Entity) ON (n.owner)",
    "CREATE INDEX umbra_marker_owner IF NOT EXISTS FOR (n:ReflectionApplied) ON (n.owner)",
    "CREATE INDEX umbra_user_generations IF NOT EXISTS FOR (n:UmbraUser) ON (n.first_key)",
    "CREATE INDEX umbra_statement_generations IF NOT EXISTS FOR (n:Statement) ON (n.first_key)",
    // The name of a property must be known to the server before its absence takes a lock.
    "CREATE (u:UmbraUser {key: '', lock: 0}) DELETE u",
    // For whoever looks around in the graph; the program searches in its own terms. Facts are not
    // in it: to index their texts costs the server more than to write them.
    "DROP INDEX umbra_text IF EXISTS",
    "CREATE FULLTEXT INDEX umbra_entity_names IF NOT EXISTS FOR (n:Entity) ON EACH [n.name]"
    " OPTIONS {indexConfig: {`fulltext.eventually_consistent`: true}}",
};

// To remove a property that is not there takes the node's lock and writes nothing.
#define UMBRANET_LOCK_USER "MATCH (u:UmbraUser {key: $p.user}) REMOVE u.lock WITH u "

#define UMBRANET_WHEN_THERE                                                       \
  "WITH u WHERE u.epoch = $p.epoch AND u.revision = $p.revision "                 \
  "SET u.revision = $p.revision + 1, u.writer = $p.writer WITH count(u) AS here " \
  "RETURN 1 / here"

#define UMBRANET_CHANGED_NODES(label, fields)        \
  "COLLECT { MATCH (n:" label                        \
  ") WHERE n.owner = $p.user AND n.revision > since" \
  " RETURN n {" fields "} }"

// An index of two properties is used where both are asked for. Without, a user's nodes are looked
// for among everybody's: seconds where there are a hundred thousand.
#define UMBRANET_REVISED_NODES(label) \
  "MATCH (n:" label ") WHERE n.owner = $p.user AND n.revision IS NOT NULL"

constexpr std::array<std::string_view, 6> kErase = {
    UMBRANET_REVISED_NODES("Statement") " DETACH DELETE n",
    UMBRANET_REVISED_NODES("Name") " DETACH DELETE n",
    "MATCH (n:Entity {owner: $p.user}) DETACH DELETE n",
    "MATCH (n:ReflectionApplied {owner: $p.user}) DELETE n",
    UMBRANET_REVISED_NODES("ErasedStatement") " AND NOT n.key IN $p.kept_erased DELETE n",
    UMBRANET_REVISED_NODES("NameMerge")
    " FOREACH (_ IN CASE WHEN n.key IN $p.kept_merges THEN [1] ELSE [] END |"
    " SET n.last_sequence = n.parted_through)"
    " FOREACH (_ IN CASE WHEN n.key IN $p.kept_merges THEN [] ELSE [1] END | DELETE n)"};

constexpr auto kPredicates = static_cast<std::size_t>(Predicate::kOther) + 1;

// A type cannot be a parameter in Neo4j 5: "LIVES_IN" of the closed list of predicates.
std::array<std::string, kPredicates> LinkStatements() {
  std::array<std::string, kPredicates> statements;
  for (std::size_t i = 0; i < kPredicates; ++i) {
    std::string type(PredicateName(static_cast<Predicate>(i)));
    std::transform(type.begin(), type.end(), type.begin(), [](char c) {
      return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    statements[i] =
        "UNWIND $p.rows AS row MATCH (e:Entity {key: row.entity})"
        " MATCH (f:Statement {key: row.fact}) CREATE (e)-[:" +
        type + "]->(f)";
  }
  return statements;
}

}  // namespace

const std::string_view kLoad = UMBRANET_LOCK_USER
    "WITH u, CASE WHEN u.epoch = $p.epoch THEN $p.revision ELSE -1 END AS since "
    "RETURN u.epoch, u.revision, u.writer, since, " UMBRANET_CHANGED_NODES(
        "Name",
        ".name, .display, .as_alias, .first_at, .first_sequence, .first_ordinal, .type, .typed_at,"
        " .typed_sequence, .typed_ordinal, .last_at, .last_sequence") ", "
    UMBRANET_CHANGED_NODES(
        "NameMerge",
        ".name, .other, .interaction_id, .occurred_at, .sequence, .recorded_at, .last_sequence,"
        " .parted_at, .parted_through") ", "
    UMBRANET_CHANGED_NODES(
        "Statement",
        ".id, .interaction_id, .occurred_at, .sequence, .ordinal, .recorded_at, .subject,"
        " .predicate, .qualifier, .object, .object_is_entity, .negated, .said, .said_from,"
        " .said_to, said_confidence: toString(n.said_confidence), .supersedes, .ends_object,"
        " .retracts, .edited_text, .edited_to") ", "
    UMBRANET_CHANGED_NODES("ErasedStatement",
                           ".id, .interaction_id") ", coalesce(u.forgotten_through, 0)";

const std::string_view kEnter = UMBRANET_LOCK_USER UMBRANET_WHEN_THERE;
const std::string_view kEnterFirst =
    "MERGE (u:UmbraUser {key: $p.user}) ON CREATE SET u.epoch = $p.epoch, u.revision = 0,"
    " u.space = $p.space, u.tenant = $p.tenant, u.user_id = $p.user_id, u.first_key = $p.first_key,"
    " u.generation = $p.generation, u.forgotten_through = "
    "$p.forgotten_through " UMBRANET_WHEN_THERE;

const std::string_view kCreateMarkers =
    "UNWIND $p.rows AS row CREATE (:ReflectionApplied {key: row.key, owner: row.owner})";
const std::string_view kSaveEntities =
    "UNWIND $p.rows AS row MERGE (e:Entity {key: row.key}) SET e = row.properties";
const std::string_view kSaveSelf =
    "UNWIND $p.rows AS row MATCH (u:UmbraUser {key: row.user})"
    " MATCH (e:Entity {key: row.entity}) MERGE (u)-[:IS]->(e)";
const std::string_view kSaveNames =
    "UNWIND $p.rows AS row MERGE (n:Name {key: row.key}) SET n = row.properties";
const std::string_view kUnlinkNames =
    "UNWIND $p.rows AS key MATCH (:Name {key: key})-[old:NAMES]->() DELETE old";
const std::string_view kLinkNames =
    "UNWIND $p.rows AS row MATCH (n:Name {key: row.name}) MATCH (e:Entity {key: row.entity})"
    " CREATE (n)-[:NAMES]->(e)";
const std::string_view kSaveMerges =
    "UNWIND $p.rows AS row MERGE (m:NameMerge {key: row.key}) SET m = row.properties";
const std::string_view kSaveStatements =
    "UNWIND $p.rows AS row MERGE (s:Statement {key: row.key}) SET s = row.properties REMOVE s:Fact";
const std::string_view kSaveFacts =
    "UNWIND $p.rows AS row MERGE (s:Statement {key: row.key}) SET s = row.properties, s:Fact";
const std::string_view kUnlinkStatements =
    "UNWIND $p.rows AS key"
    " MATCH (:Statement {key: key})-[old:OBJECT|SUPERSEDED_BY|EVIDENCE_OF]->() DELETE old";
const std::string_view kUnlinkSubjects =
    "UNWIND $p.rows AS key MATCH (s:Statement {key: key})<-[old]-(:Entity) DELETE old";
const std::string_view kLinkObjects =
    "UNWIND $p.rows AS row MATCH (f:Statement {key: row.fact})"
    " MATCH (e:Entity {key: row.entity}) CREATE (f)-[:OBJECT]->(e)";
const std::string_view kLinkSuccessors =
    "UNWIND $p.rows AS row MATCH (f:Statement {key: row.fact})"
    " MATCH (g:Statement {key: row.successor}) CREATE (f)-[:SUPERSEDED_BY]->(g)";
const std::string_view kLinkEvidence =
    "UNWIND $p.rows AS row MATCH (s:Statement {key: row.statement})"
    " MATCH (f:Statement {key: row.fact}) CREATE (s)-[:EVIDENCE_OF]->(f)";
const std::string_view kDeleteStatements =
    "UNWIND $p.rows AS key MATCH (s:Statement {key: key}) DETACH DELETE s";
const std::string_view kSaveErased =
    "UNWIND $p.rows AS row MERGE (x:ErasedStatement {key: row.key}) SET x = row.properties";
const std::string_view kDeleteEntities =
    "UNWIND $p.rows AS key MATCH (e:Entity {key: key}) DETACH DELETE e";

const std::string_view kBeginAnew =
    "MATCH (u:UmbraUser {key: $p.user}) SET u.epoch = $p.next_epoch";
const std::string_view kLeaveTombstone =
    "MATCH (u:UmbraUser {key: $p.user}) SET u.epoch = $p.next_epoch,"
    " u.forgotten_through = CASE WHEN coalesce(u.forgotten_through, 0) > $p.through"
    " THEN u.forgotten_through ELSE $p.through END";
const std::string_view kDeleteUser = "MATCH (u:UmbraUser {key: $p.user}) DETACH DELETE u";

#undef UMBRANET_LOCK_USER
#undef UMBRANET_WHEN_THERE
#undef UMBRANET_CHANGED_NODES
#undef UMBRANET_REVISED_NODES

std::span<const std::string_view> SchemaStatements() {
  return kSchema;
}

std::span<const std::string_view> EraseStatements() {
  return kErase;
}

std::string_view LinkSubjects(Predicate predicate) {
  static const std::array<std::string, kPredicates> kStatements = LinkStatements();
  return kStatements.at(static_cast<std::size_t>(predicate));
}

}  // namespace umbranet
