// What a contract test of the tiers runs against: four tiers that share one set of users, and the
// journal and leases beneath them. Each implementation of the ports brings a world of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "umbranet/domain/interaction.h"
#include "umbranet/domain/reflection_plan.h"
#include "umbranet/ports/episode_consolidation.h"
#include "umbranet/ports/episodic_memory.h"
#include "umbranet/ports/job_ledger.h"
#include "umbranet/ports/journal.h"
#include "umbranet/ports/memory_generations.h"
#include "umbranet/ports/procedural_memory.h"
#include "umbranet/ports/semantic_memory.h"
#include "umbranet/ports/short_term_memory.h"

#include "tests/doubles/manual_clock.h"

namespace umbranet {

class TierWorld {
 public:
  virtual ~TierWorld() = default;

  virtual ShortTermMemory& short_term() = 0;
  virtual EpisodicMemory& episodic() = 0;
  virtual SemanticMemory& semantic() = 0;
  virtual ProceduralMemory& procedural() = 0;

  // Accepts the turn as the journal would, and returns it with its sequence.
  virtual Interaction Accept(Interaction turn) = 0;
  // Has the jobs of the plans leased; the lease is given back by Release.
  virtual Lease Claim(std::span<const ReflectionPlan> plans) = 0;
  virtual void Release(const Lease& lease) = 0;
  // Forgets the user's turns and jobs, as the journal would.
  virtual void ForgetTurns(const UserKey& user) = 0;

  // Of the same episodes; null where a test needs none.
  virtual EpisodeConsolidation* consolidation() { return nullptr; }

  // What is beneath the tiers, and the generations of them; null where there is none.
  virtual Journal* journal() { return nullptr; }

  virtual JobLedger* ledger() { return nullptr; }

  virtual MemoryGenerations* generations() { return nullptr; }

  // Whether tier 3 can see leases; elsewhere its markers make a late worker harmless.
  [[nodiscard]] virtual bool fences_facts() const { return true; }

  ManualClock& clock() { return clock_; }

 protected:
  ManualClock clock_;
};

struct TierWorldKind {
  std::string name;
  std::function<std::unique_ptr<TierWorld>()> make;
  // Why it cannot be had on this machine, in which case its tests are skipped; empty: it can.
  std::function<std::string()> missing = [] { return std::string(); };
};

// The implementations of each tier, for INSTANTIATE_TEST_SUITE_P; those of the program that the
// suites are linked into: the embedded ones, or those on servers.
std::vector<TierWorldKind> ShortTermWorlds();
std::vector<TierWorldKind> EpisodicWorlds();
std::vector<TierWorldKind> SemanticWorlds();
std::vector<TierWorldKind> ProceduralWorlds();
// Those that have generations, a journal and a ledger.
std::vector<TierWorldKind> GenerationWorlds();
// Those whose tier shares a database with the ledger, so that Apply checks the lease.
std::vector<TierWorldKind> FencedWorlds();
std::vector<TierWorldKind> FencedSemanticWorlds();
// Those that are held against the twins as wholes.
std::vector<TierWorldKind> ModelledWorlds();
std::string TierWorldName(const testing::TestParamInfo<TierWorldKind>& info);

std::unique_ptr<TierWorld> MakeInMemoryWorld();

// The base of the suites: a world, two users, and plans for their turns.
class TierContract : public testing::TestWithParam<TierWorldKind> {
 protected:
  void SetUp() override;

  // An empty plan for a new turn of `user` that occurred `minute` minutes after the clock's start.
  ReflectionPlan NewPlan(const UserKey& user, int minute, const std::string& interaction_id = "",
                         const std::string& session_id = "s");
  // The plan of the same turn after "reflect again".
  static ReflectionPlan NextGeneration(ReflectionPlan plan, std::uint32_t generation = 1);

  static Timestamp At(int minute) { return ManualClock::kStart + std::chrono::minutes(minute); }

  Status TryApply(MemoryTier& tier, const std::vector<ReflectionPlan>& plans);
  void Apply(MemoryTier& tier, const std::vector<ReflectionPlan>& plans);
  // All pages.
  static std::vector<MemoryItem> ListAll(MemoryTier& tier, const UserKey& user,
                                         std::size_t page = 100);
  static std::vector<std::string> Texts(const std::vector<MemoryItem>& items);

  std::unique_ptr<TierWorld> world_;
  const UserKey ana_{"default", "ana"};
  const UserKey ben_{"default", "ben"};
  int turns_ = 0;
};

}  // namespace umbranet
