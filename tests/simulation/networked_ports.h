// The ports of one simulated process: each asks over the network what lies behind it, and tells the
// history what came of it at the moment at which it did. For one thread; called by actors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "umbranet/ports/doorbell.h"
#include "umbranet/ports/episodic_memory.h"
#include "umbranet/ports/extractor.h"
#include "umbranet/ports/job_ledger.h"
#include "umbranet/ports/journal.h"
#include "umbranet/ports/procedural_memory.h"
#include "umbranet/ports/semantic_memory.h"

#include "tests/simulation/guards.h"
#include "tests/simulation/history.h"
#include "tests/simulation/simulated_database.h"
#include "tests/simulation/simulated_network.h"

namespace umbranet {

// What is behind the network and outlives every process.
struct SharedWorld {
  SimulatedNetwork& network;
  SimulatedDatabase& database;
  History& history;
  const Guards& guards;
  SimulatedServer& database_server;
};

class NetworkedJournal final : public Journal {
 public:
  explicit NetworkedJournal(SharedWorld& world) : world_(world) {}

  Result<std::vector<AcceptedTurn>> Accept(std::span<const Interaction> turns, RunMode mode,
                                           std::string_view traceparent,
                                           Deadline deadline) override;
  Result<std::vector<Interaction>> Read(const UserKey& user,
                                        std::span<const std::string> interaction_ids,
                                        Deadline deadline) override;
  Result<JournalPage> List(const UserKey& user, std::string_view cursor, std::size_t limit,
                           Deadline deadline) override;
  Result<std::vector<Interaction>> Recent(const UserKey& user, std::string_view session_id,
                                          std::int64_t before_sequence, std::size_t limit,
                                          Deadline deadline) override;
  Result<std::vector<std::int64_t>> Unreflected(const UserKey& user, std::size_t limit,
                                                Deadline deadline) override;
  Result<std::vector<Interaction>> ReadAt(const UserKey& user,
                                          std::span<const std::int64_t> sequences,
                                          Deadline deadline) override;
  Result<Freshness> ReadFreshness(const UserKey& user, Deadline deadline) override;
  Result<RecallOpening> OpenRecall(const RecallOpeningQuery& query, Deadline deadline) override;
  Result<JournalErasure> EraseUser(const UserKey& user, Deadline deadline) override;
  Result<std::optional<StoredAnswer>> FindAnswer(std::string_view tenant,
                                                 std::string_view idempotency_key,
                                                 Deadline deadline) override;
  Status SaveAnswer(const UserKey& user, std::string_view idempotency_key,
                    const StoredAnswer& answer, Deadline deadline) override;

 private:
  SharedWorld& world_;
};

class NetworkedLedger final : public JobLedger {
 public:
  explicit NetworkedLedger(SharedWorld& world) : world_(world) {}

  Status Enqueue(std::span<const ReflectionJob> jobs, Deadline deadline) override;
  Result<std::optional<ClaimedBatch>> Claim(const ClaimOptions& options,
                                            Deadline deadline) override;
  Result<std::optional<ClaimedBatch>> ClaimJob(std::string_view job_id, const ClaimOptions& options,
                                               Deadline deadline) override;
  Status Extend(const Lease& lease, Deadline deadline) override;
  Result<std::vector<PlanRecord>> SavePlans(const Lease& lease, std::span<const PlanRecord> plans,
                                            Deadline deadline) override;
  Status MarkTiersDone(const Lease& lease, std::span<const TierProgress> progress,
                       Deadline deadline) override;
  Result<SettleReport> Settle(const Lease& lease, std::span<const JobFailure> failures,
                              Deadline deadline) override;
  Status Release(const Lease& lease, Deadline deadline) override;
  Result<SweepReport> Sweep(Deadline deadline) override;
  Result<std::optional<JobStatus>> Find(std::string_view tenant, std::string_view job_id,
                                        Deadline deadline) override;
  Result<LedgerStats> Stats(Deadline deadline) override;
  Result<DeadPage> ListDead(const DeadFilter& filter, std::string_view cursor, std::size_t limit,
                            Deadline deadline) override;
  Result<std::optional<JobStatus>> FindDead(std::string_view job_id, Deadline deadline) override;
  Result<std::uint64_t> RequeueDead(std::string_view job_id, std::string_view actor,
                                    Deadline deadline) override;
  Result<std::uint64_t> RequeueDeadMatching(const DeadFilter& filter, std::string_view actor,
                                            Deadline deadline) override;
  Result<std::uint64_t> DiscardDead(std::string_view job_id, std::string_view actor,
                                    std::string_view reason, Deadline deadline) override;
  Result<std::uint64_t> ReflectAgain(const UserKey& user, Deadline deadline) override;

 private:
  SharedWorld& world_;
};

// What one tier holds: the plans that it took, and their markers.
class TierStore {
 public:
  TierStore(Tier tier, SimulatedServer& server) : tier_(tier), server_(server) {}

  Status Apply(SharedWorld& world, std::span<const ReflectionPlan> plans, const Lease& fence);
  std::uint64_t EraseUser(SharedWorld& world, const UserKey& user);

  [[nodiscard]] Tier tier() const { return tier_; }

  [[nodiscard]] SimulatedServer& server() { return server_; }

 private:
  const Tier tier_;
  SimulatedServer& server_;
  std::set<std::pair<UserKey, std::string>> applied_;
};

template <typename Port>
class NetworkedTier : public Port {
 public:
  NetworkedTier(SharedWorld& world, TierStore& store) : world_(world), store_(store) {}

  Status Apply(std::span<const ReflectionPlan> plans, const Lease& fence,
               Deadline deadline) override {
    Request request{.name = TierName(store_.tier()), .may_come_late = true};
    for (const ReflectionPlan& plan : plans) {
      request.jobs.push_back(plan.job_id);
    }
    return Ask<void>(request, deadline,
                     [&world = world_, &store = store_,
                      copy = std::vector<ReflectionPlan>(plans.begin(), plans.end()),
                      fence] { return store.Apply(world, copy, fence); });
  }

  Result<MemoryPage> List(const UserKey& /*user*/, std::string_view /*cursor*/,
                          std::size_t /*limit*/, Deadline /*deadline*/) override {
    return MemoryPage();
  }

  Result<std::optional<MemoryItem>> Get(std::string_view /*tenant*/, std::string_view /*memory_id*/,
                                        Deadline /*deadline*/) override {
    return std::optional<MemoryItem>();
  }

  Result<std::optional<MemoryItem>> Update(std::string_view /*tenant*/,
                                           std::string_view /*memory_id*/,
                                           const MemoryPatch& /*patch*/,
                                           Deadline /*deadline*/) override {
    return std::optional<MemoryItem>();
  }

  Result<bool> Erase(std::string_view /*tenant*/, std::string_view /*memory_id*/,
                     Deadline /*deadline*/) override {
    return false;
  }

  Result<std::uint64_t> EraseUser(const UserKey& user, Deadline deadline) override {
    return Ask<std::uint64_t>(
        {.name = "EraseUser"}, deadline,
        [this, user]() -> Result<std::uint64_t> { return store_.EraseUser(world_, user); });
  }

 protected:
  template <typename T>
  Result<T> Ask(const Request& request, Deadline deadline, const std::function<Result<T>()>& work) {
    return world_.network.Call<T>(store_.server(), request, deadline, work);
  }

  // Asked like any other question, and answered with nothing: no plan here depends on it.
  template <typename T>
  Result<T> AskForNothing(Deadline deadline) {
    return Ask<T>({.name = "Find"}, deadline, [] { return Result<T>(T{}); });
  }

 private:
  SharedWorld& world_;
  TierStore& store_;
};

class NetworkedEpisodicMemory final : public NetworkedTier<EpisodicMemory> {
 public:
  using NetworkedTier::NetworkedTier;

  Result<EpisodesFound> Find(const EpisodeQuery& /*query*/, Deadline deadline) override {
    return AskForNothing<EpisodesFound>(deadline);
  }

  Result<UnembeddedPage> Unembedded(std::string_view /*space*/, std::string_view /*cursor*/,
                                    std::size_t /*limit*/, Deadline deadline) override {
    return AskForNothing<UnembeddedPage>(deadline);
  }

  Status SaveVectors(std::string_view /*space*/, std::span<const EpisodeVector> /*vectors*/,
                     Deadline /*deadline*/) override {
    return {};
  }

  Result<std::uint64_t> CountVectors(const UserKey& /*user*/, Deadline /*deadline*/) override {
    return std::uint64_t{0};
  }
};

class NetworkedSemanticMemory final : public NetworkedTier<SemanticMemory> {
 public:
  using NetworkedTier::NetworkedTier;

  Result<std::uint64_t> ForgetUser(const UserKey& user, std::int64_t /*through_sequence*/,
                                   Deadline deadline) override {
    return EraseUser(user, deadline);
  }

  Result<FactsFound> Find(const FactQuery& /*query*/, Deadline deadline) override {
    return AskForNothing<FactsFound>(deadline);
  }

  Result<std::vector<Entity>> KnownEntities(const UserKey& /*user*/, std::size_t /*limit*/,
                                            Deadline deadline) override {
    return AskForNothing<std::vector<Entity>>(deadline);
  }

  Result<KnowledgeGraph> ReadGraph(const UserKey& /*user*/, std::size_t /*facts_max*/,
                                   Deadline deadline) override {
    return AskForNothing<KnowledgeGraph>(deadline);
  }

  Result<std::vector<EntityMerge>> Merges(const UserKey& /*user*/, std::size_t /*limit*/,
                                          Deadline deadline) override {
    return AskForNothing<std::vector<EntityMerge>>(deadline);
  }

  Result<std::size_t> Unmerge(const UserKey& /*user*/, std::string_view /*name*/,
                              std::string_view /*from*/, Deadline deadline) override {
    return AskForNothing<std::size_t>(deadline);
  }
};

class NetworkedProceduralMemory final : public NetworkedTier<ProceduralMemory> {
 public:
  using NetworkedTier::NetworkedTier;

  Result<std::vector<Rule>> Active(const UserKey& /*user*/, std::optional<Timestamp> /*as_of*/,
                                   std::size_t /*limit*/, Deadline deadline) override {
    return AskForNothing<std::vector<Rule>>(deadline);
  }
};

}  // namespace umbranet
