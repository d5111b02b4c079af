// The Cypher that this adapter runs: constants, with parameters for every value. Labels and types
// of relationships are those of the closed lists below.
//
//   (:UmbraUser)      the user, the revision of what is known of him, and up to which turn he was
//                     forgotten
//   (:UmbraUser)-[:IS]->(:Entity)                   whom facts call "user"
//   (:Entity)         who and what, as it is shown
//   (:Name)-[:NAMES]->(:Entity)                     a name that turns used
//   (:NameMerge)      two names that turns called one, and whether an owner undid it
//   (:Statement)      what a turn said; the first of those that say the same is a (:Fact) as well
//   (:Entity)-[:LIVES_IN]->(:Fact)-[:OBJECT]->(:Entity)   one type for each predicate
//   (:Fact)-[:SUPERSEDED_BY]->(:Fact)
//   (:Statement)-[:EVIDENCE_OF]->(:Fact)
//   (:ErasedStatement)  what must not come back
//   (:ReflectionApplied)  the marker of a job
//
// Each node but the marker carries its user's key (owner) and the user's revision at its last
// change. A user has a graph for each generation of his memory, whose keys are made of its number
// as well (GraphKeys); the nodes of users and of statements say which one would be theirs in the
// first generation (first_key). The first generation's epoch says whether there ever was a second.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "umbranet/domain/fact.h"

namespace umbranet {

// Constraints and indexes, each in a transaction of its own; harmless when they are there.
std::span<const std::string_view> SchemaStatements();

// The parameters of a statement are the members of one map, $p: the server keeps a plan of a
// statement for every combination of its parameters' types and sizes, and a map has but one.

// users -> key, epoch, revision of those who are there.
inline constexpr std::string_view kSelectRevisions =
    "UNWIND $p.users AS key MATCH (u:UmbraUser {key: key}) RETURN u.key, u.epoch, u.revision";

// What has changed since the revision of the epoch -> epoch, revision, writer, since, names,
// merges, statements, erased, forgotten_through. Everything (since = -1) when the epoch is another.
// Waits for the user's lock, so that it sees no half of a write.
extern const std::string_view kLoad;

// The first statement of every write: takes the user's lock, and fails with an arithmetic error
// when he is not at `revision` of `epoch`; otherwise he is at the next one, written by `writer`.
// kEnterFirst makes a user who is not there, with first_key, generation and forgotten_through,
// which may be null.
extern const std::string_view kEnter;
extern const std::string_view kEnterFirst;

// Statements of a write; each takes `rows`.
extern const std::string_view kCreateMarkers;     // key, owner
extern const std::string_view kSaveEntities;      // key, properties
extern const std::string_view kSaveSelf;          // user, entity
extern const std::string_view kSaveNames;         // key, properties
extern const std::string_view kUnlinkNames;       // Keys.
extern const std::string_view kLinkNames;         // name, entity
extern const std::string_view kSaveMerges;        // key, properties
extern const std::string_view kSaveStatements;    // key, properties; those that are no facts
extern const std::string_view kSaveFacts;         // key, properties
extern const std::string_view kUnlinkStatements;  // Keys: what leads from them.
extern const std::string_view kUnlinkSubjects;    // Keys: what leads to them from entities.
extern const std::string_view kLinkObjects;       // fact, entity
extern const std::string_view kLinkSuccessors;    // fact, successor
extern const std::string_view kLinkEvidence;      // statement, fact
extern const std::string_view kDeleteStatements;  // Keys.
extern const std::string_view kSaveErased;        // key, properties
extern const std::string_view kDeleteEntities;    // Keys.
// entity, fact: the relationship is of the predicate's own type.
std::string_view LinkSubjects(Predicate predicate);

// markers -> those that are there.
inline constexpr std::string_view kSelectMarkers =
    "UNWIND $p.markers AS key MATCH (r:ReflectionApplied {key: key}) RETURN r.key";

// statement -> tenant and id of the user whose statement it is, in whatever generation.
inline constexpr std::string_view kSelectOwner =
    "MATCH (s:Statement {key: $p.statement}) MATCH (u:UmbraUser {key: s.owner})"
    " RETURN u.tenant AS tenant, u.user_id AS user_id"
    " UNION MATCH (s:Statement {first_key: $p.statement}) MATCH (u:UmbraUser {key: s.owner})"
    " RETURN u.tenant AS tenant, u.user_id AS user_id";

// user -> the numbers of the generations that there are besides the first.
inline constexpr std::string_view kSelectGenerations =
    "MATCH (u:UmbraUser {first_key: $p.user}) RETURN u.generation ORDER BY u.generation";

// user -> key, id of the turn, and kind ("erased", "merge") of what may have to outlive the user's
// graph.
inline constexpr std::string_view kSelectKept =
    "MATCH (n:ErasedStatement {owner: $p.user})"
    " RETURN n.key AS key, n.interaction_id AS turn, 'erased' AS kind"
    " UNION ALL MATCH (n:NameMerge {owner: $p.user}) WHERE n.parted_through IS NOT NULL"
    " RETURN n.key AS key, n.interaction_id AS turn, 'merge' AS kind";

// What removes a user's graph after kEnter, but for the nodes whose keys are in `kept_erased` and
// `kept_merges`; these become as if said last when they were undone.
std::span<const std::string_view> EraseStatements();
extern const std::string_view kBeginAnew;  // The user stays under `next_epoch`.
// The same, as a tombstone: turns up to `through` are forgotten.
extern const std::string_view kLeaveTombstone;
extern const std::string_view kDeleteUser;

}  // namespace umbranet
