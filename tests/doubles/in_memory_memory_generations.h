// The twin of MemoryGenerations: each generation of a user's memory is a set of tier twins of its
// own, and what an owner did by hand is kept as a list that is gone through for every one of them.
// The tiers in force stand over the in-memory ledger and heed its leases.
//
// All methods may be called from any thread. The store must outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/domain/generation_state.h"
#include "umbranet/ports/memory_generations.h"

#include "tests/doubles/in_memory_episodic_memory.h"
#include "tests/doubles/in_memory_ledger_store.h"
#include "tests/doubles/in_memory_procedural_memory.h"
#include "tests/doubles/in_memory_semantic_memory.h"

namespace umbranet {

class InMemoryMemoryGenerations final : public MemoryGenerations {
 public:
  explicit InMemoryMemoryGenerations(InMemoryLedgerStore& store);
  ~InMemoryMemoryGenerations() override;

  // The tiers of whatever is in force.
  [[nodiscard]] Tiers in_force();
  [[nodiscard]] Tiers shadow() override;

  Result<GenerationsOfUser> Read(const UserKey& user, Deadline deadline) override;
  Status Begin(const UserKey& user, std::string_view extractor, Deadline deadline) override;
  Result<std::vector<LackingTurn>> Lacking(const UserKey& user, std::size_t limit,
                                           Deadline deadline) override;
  Status Took(const UserKey& user, std::int64_t through_sequence, std::uint64_t turns,
              std::uint64_t fallbacks, Deadline deadline) override;
  Result<std::uint64_t> Swap(const UserKey& user, IncomingGeneration incoming,
                             Deadline deadline) override;
  Result<std::uint64_t> Discard(const UserKey& user, Deadline deadline) override;

 private:
  template <typename Port>
  class Tier;
  class Episodes;
  class Facts;
  class Rules;

  struct Memory {
    explicit Memory(const Clock& clock) : semantic(clock), procedural(clock) {}

    InMemoryEpisodicMemory episodic;
    InMemorySemanticMemory semantic;
    InMemoryProceduralMemory procedural;
    std::string extractor;
    Timestamp began_at{};
    std::int64_t through_sequence = 0;
    std::uint64_t turns = 0;
    std::uint64_t fallbacks = 0;
    std::set<std::size_t> acts_done;
  };

  // What an owner did by hand. True: there was something to do it to.
  struct Act {
    std::function<bool(Memory&)> carry_out;
    // Turns up to this place came before, and it is done again after each of them; 0: it is done
    // once.
    std::int64_t through_sequence = 0;
  };

  struct KnownVector {
    std::string space;
    Embedding embedding;
    std::string text;  // Of the episode.
  };

  struct Owner {
    std::map<GenerationState, std::shared_ptr<Memory>> memories;
    std::vector<Act> acts;
    std::map<std::string, KnownVector> vectors;  // By memory id.
    std::int64_t last_sequence = 0;              // Of a turn that was applied.
  };

  // Null: the user has none in that state.
  std::shared_ptr<Memory> Find(const UserKey& user, GenerationState which);
  std::shared_ptr<Memory> InForce(const UserKey& user);
  // Those of the tenant's users that are in that state.
  std::vector<std::pair<UserKey, std::shared_ptr<Memory>>> OfTenant(std::string_view tenant,
                                                                    GenerationState which);
  std::vector<std::pair<UserKey, std::shared_ptr<Memory>>> AllInForce();
  bool IsLeased(std::span<const ReflectionPlan> plans, const Lease& fence);
  // After the turn was applied to the memory.
  void CatchUp(const ReflectionPlan& plan, Memory& memory);
  // In all generations.
  void Do(const UserKey& user, Act act);
  void EndOthers(const UserKey& user);
  std::uint64_t ReflectBehind(const UserKey& user, std::int64_t through_sequence)
      REQUIRES(store_.mutex);
  std::int64_t ReflectedThrough(const UserKey& user) REQUIRES(store_.mutex);

  InMemoryLedgerStore& store_;
  Mutex mutex_;
  std::map<UserKey, Owner> owners_ GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<Episodes>> episodes_;  // By GenerationState.
  std::vector<std::unique_ptr<Facts>> facts_;
  std::vector<std::unique_ptr<Rules>> rules_;
};

}  // namespace umbranet
