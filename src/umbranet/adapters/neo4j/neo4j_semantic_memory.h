// Tier 3 in a graph on a Neo4j server; graph_statements.h draws it.
//
// What is known of a user is worked out here, by the rules of domain/user_knowledge.h, and the
// server keeps it: a write brings the nodes that changed, in one statement, on the condition that
// the user's graph is still at the revision that they were worked out from, together with the
// markers of the jobs. Whoever comes second takes in what the first one wrote and works his changes
// out anew. So no transaction is ever open between two requests. A read asks for the revision and
// brings what has changed since; reads that come together ask in one request, which is what a
// request costs the server most of.
//
// A user whose memory was ever worked out anew has a graph for each generation of it. The epoch of
// the first one says so, which every read and every write comes by; only then `memory_keys` is
// asked which one is in force.
//
// A write whose answer was lost is looked for before it is repeated. Apply takes every fence: the
// leases are not in this database, and the markers make a late worker's plans harmless; those of a
// user who was forgotten meanwhile meet the tombstone in his node.
//
// All methods may be called from any thread. Client and clock must outlive this.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "umbranet/adapters/neo4j/graph_keys.h"
#include "umbranet/adapters/neo4j/knowledge_cache.h"
#include "umbranet/adapters/neo4j/neo4j_client.h"
#include "umbranet/base/clock.h"
#include "umbranet/base/gathered_calls.h"
#include "umbranet/domain/generation_state.h"
#include "umbranet/ports/data_move.h"
#include "umbranet/ports/semantic_generations.h"
#include "umbranet/ports/semantic_memory.h"

namespace umbranet {

// Which of these turns the journal still holds.
using HeldTurns = std::function<Result<std::set<std::string>>(
    const UserKey& user, std::span<const std::string> interaction_ids, Deadline deadline)>;

class Neo4jSemanticMemory final : public SemanticMemory, public KnowledgeTarget {
 public:
  struct Options {
    // Part of every key: installations that share a database keep apart by it.
    std::string key_space = {};
    std::size_t rows_cached_max = 200'000;  // Statements and names; some 200 MiB.
    // Of one write that meets other writes of the same user, or deadlocks.
    int attempts_max = 50;
    // When a user's memory is emptied, what he erased and parted stays so for the turns that are
    // still there to be reflected again. Empty: for all of them.
    HeldTurns held_turns = {};
    // Who says which generation of a user's memory is in force, and keeps its version. Null: always
    // the first, and every question looks.
    MemoryKeys* memory_keys = nullptr;
    // What was found under a version is answered with for so long; a change by hand may have died
    // between changing something here and saying so there.
    Millis found_for{60'000};
    // Of which generation everything is asked; the shadow only with `memory_keys`.
    GenerationState which = GenerationState::kInForce;
  };

  Neo4jSemanticMemory(Neo4jClient& client, const Clock& clock, Options options);

  // Creates the constraints and indexes that are not there yet, from one process or many. The first
  // write of a process does so by itself.
  Status Migrate(Deadline deadline);
  // Whether the server answers, takes the credentials and has the database.
  Status Check(Deadline deadline);

  // Of what is held in memory; what is on the server stays.
  void LetGo(const UserKey& user) { cache_.DropUser(user); }

  void LetGoOfAll() { cache_.DropAll(); }

  Status Apply(std::span<const ReflectionPlan> plans, const Lease& fence,
               Deadline deadline) override;
  Result<MemoryPage> List(const UserKey& user, std::string_view cursor, std::size_t limit,
                          Deadline deadline) override;
  Result<std::optional<MemoryItem>> Get(std::string_view tenant, std::string_view memory_id,
                                        Deadline deadline) override;
  Result<std::optional<MemoryItem>> Update(std::string_view tenant, std::string_view memory_id,
                                           const MemoryPatch& patch, Deadline deadline) override;
  // A fact that the erased one had superseded holds again.
  Result<bool> Erase(std::string_view tenant, std::string_view memory_id,
                     Deadline deadline) override;
  Result<std::uint64_t> EraseUser(const UserKey& user, Deadline deadline) override;
  Result<std::uint64_t> ForgetUser(const UserKey& user, std::int64_t through_sequence,
                                   Deadline deadline) override;
  Result<FactsFound> Find(const FactQuery& query, Deadline deadline) override;
  [[nodiscard]] bool AnswersAtOnce(const FactQuery& query) override;
  Result<std::vector<Entity>> KnownEntities(const UserKey& user, std::size_t limit,
                                            Deadline deadline) override;
  // The newest facts, newest first, and the entities in them.
  Result<KnowledgeGraph> ReadGraph(const UserKey& user, std::size_t facts_max,
                                   Deadline deadline) override;
  Result<std::vector<EntityMerge>> Merges(const UserKey& user, std::size_t limit,
                                          Deadline deadline) override;
  Result<std::size_t> Unmerge(const UserKey& user, std::string_view name, std::string_view from,
                              Deadline deadline) override;

  Result<bool> Knows(const UserKey& user, Deadline deadline) override;
  // All but the markers in one transaction.
  Status TakeIn(const UserKey& user, const KnowledgeRows& rows, Deadline deadline) override;

  // As in ports/semantic_generations.h.
  Status Prepare(const UserKey& user, std::int64_t generation, Deadline deadline);
  Status Align(const UserKey& user, std::int64_t generation, Deadline deadline);
  Status Retain(const UserKey& user, std::span<const std::int64_t> generations, Deadline deadline);

 private:
  struct Located {
    UserKey user;
    std::string statement_id;
  };

  // Works the changes out of what is known, in place; nothing: there is nothing to change. Called
  // again whenever the user's graph turns out to be another one.
  using Work = std::function<std::optional<UserKnowledge::Changes>(UserKnowledge& knowledge)>;
  // What one attempt to write came to.
  enum class Outcome : std::uint8_t { kWritten, kMoved, kAgain };

  // A write under way.
  struct Writing {
    const UserKey& user;
    const Work& work;
    // Ids of the jobs that are applied with it; those that turn out to be there already are taken
    // out.
    std::vector<std::string>& jobs;
    std::string writer;  // Tells this write from all others.
    bool lost = false;   // An answer was.
    int attempts = 0;
    std::optional<std::int64_t> oldest_turn = {};  // Of those whose plans are applied.
    std::int64_t generation = 0;
    bool asks = false;      // Which generation is in force, should there be more than the first.
    bool creates = false;   // The generation's graph, when there is none.
    bool inherits = false;  // What the owner did by hand to the other generations.
    std::int64_t forgotten_through = 0;                             // Of a graph that is made.
    std::vector<std::shared_ptr<const UserKnowledge>> others = {};  // To inherit from.
  };

  // Where a user's graph is.
  struct Revision {
    std::string epoch;
    std::int64_t revision = 0;
  };

  // Nothing: there is no graph of him.
  using Revisions = GatheredCalls<std::string, std::optional<Revision>>;

  // Of these keys of users.
  std::vector<Revisions::Outcome> ReadRevisions(std::span<const std::string* const> users,
                                                Deadline deadline);
  // Reads answer with this. `version`: as in FactQuery.
  Result<KnowledgeSnapshot> Read(const UserKey& user, Deadline deadline,
                                 std::optional<std::int64_t> version = std::nullopt);
  // What was found under that version; nothing: the graph has to be asked.
  std::optional<KnowledgeSnapshot> ReadFound(const UserKey& user,
                                             std::optional<std::int64_t> version);
  Result<KnowledgeSnapshot> ReadPresent(const UserKey& user, Deadline deadline);
  // The generation as it is at the revision `now`.
  Result<KnowledgeSnapshot> Present(const UserKey& user, std::int64_t generation,
                                    const std::optional<Revision>& now, Deadline deadline);
  Result<KnowledgeSnapshot> ReadGeneration(const UserKey& user, std::int64_t generation,
                                           Deadline deadline);
  // Of a user who has had more than one generation.
  Result<KnowledgeSnapshot> ReadInForce(const UserKey& user, Deadline deadline);
  Result<KnowledgeSnapshot> ReadShadow(const UserKey& user, Deadline deadline);
  // Brings what has changed since `known`. `writer`: of the last write.
  Result<KnowledgeSnapshot> Load(const UserKey& user, std::int64_t generation,
                                 const std::optional<KnowledgeSnapshot>& known, Deadline deadline,
                                 std::string* writer = nullptr);
  // The generation that was written, or had nothing to be written.
  Result<std::int64_t> Change(const UserKey& user, const Work& work, std::vector<std::string>& jobs,
                              Deadline deadline,
                              std::optional<std::int64_t> oldest_turn = std::nullopt);
  // What an owner changes holds in all generations. `changed`, asked when the work is done: whether
  // there was anything to change.
  Status ChangeByHand(const UserKey& user, const Work& work, const std::function<bool()>& changed,
                      Deadline deadline);
  // Whoever goes by the version of the user's memory looks again.
  Status NoteChange(const UserKey& user, Deadline deadline);
  Status Write(Writing& writing, Deadline deadline);
  // Turns to the generation in force. True: it is another one.
  Result<bool> TurnToGeneration(Writing& writing, const KnowledgeSnapshot& first,
                                Deadline deadline);
  // All that there are of the user, the first one last.
  Result<std::vector<std::int64_t>> Generations(const UserKey& user, Deadline deadline);
  // What the other generations know, for whoever inherits from them.
  Status ReadOthers(Writing& writing, Deadline deadline);
  // What the owner did by hand to `from` holds in this generation too. kAborted: it is gone.
  Status TakeOver(const UserKey& user, std::int64_t generation, const UserKnowledge& from,
                  Deadline deadline);
  // ... and in all of them.
  Status PassOn(const UserKey& user, std::int64_t from, Deadline deadline);
  Status MarkGenerations(const UserKey& user, Deadline deadline);
  // `forgotten_through` is left as a tombstone, when there is one.
  Result<std::uint64_t> EraseAll(const UserKey& user, std::optional<std::int64_t> forgotten_through,
                                 Deadline deadline);
  Result<std::uint64_t> EraseGenerations(const UserKey& user,
                                         std::optional<std::int64_t> forgotten_through,
                                         Deadline deadline);

  struct Erased {
    std::uint64_t facts = 0;
    bool had_generations = false;
  };

  // `keeps`: the user's node stays, as of a generation that is in force.
  Result<Erased> EraseGeneration(const UserKey& user, std::int64_t generation,
                                 std::optional<std::int64_t> forgotten_through, bool keeps,
                                 Deadline deadline);
  // The node of a user that is to be made: parameters of kEnterFirst.
  [[nodiscard]] boost::json::object EntryOf(const UserKey& user, std::int64_t generation,
                                            const KnowledgeSnapshot& before,
                                            const std::string& writer) const;
  // Nothing when there was nothing to change.
  Result<std::optional<Outcome>> TryWrite(Writing& writing, const KnowledgeSnapshot& before,
                                          Deadline deadline);
  // What a refusal comes to, or the error that ends the write.
  Result<Outcome> Weigh(Writing& writing, const Neo4jFailure& failure, Deadline deadline);

  // The erased statements and undone merges that are to stay.
  struct Kept {
    boost::json::array erased;  // Keys.
    boost::json::array merges;
  };

  Result<Kept> ReadKept(const UserKey& user, std::int64_t generation, Deadline deadline);
  Result<std::optional<Located>> Locate(std::string_view tenant, std::string_view memory_id,
                                        Deadline deadline);
  // Waits a moment, longer after more attempts. False: the deadline comes first.
  bool Pause(int attempts, Deadline deadline);
  Result<boost::json::array> Run(std::string_view statement, boost::json::object parameters,
                                 Deadline deadline);

  Neo4jClient& client_;
  const Clock& clock_;
  const Options options_;
  const GraphKeys keys_;
  KnowledgeCache cache_;
  Revisions revisions_;
  std::atomic<bool> migrated_ = false;
  Mutex mutex_;
  ConditionVariable pausing_;
};

}  // namespace umbranet
