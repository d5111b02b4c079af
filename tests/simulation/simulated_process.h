// The processes of a simulation: the product's own objects, put together as its composition does,
// on ports that lead over the simulated network. What they do at the same time are actors of one
// group, so that a process dies as a whole. For one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "umbranet/base/bounded_worker_pool.h"
#include "umbranet/memory/memory_manager.h"
#include "umbranet/memory/spool_book.h"
#include "umbranet/memory/spool_forwarder.h"
#include "umbranet/memory/spooling_journal.h"
#include "umbranet/reflection/batch_processor.h"
#include "umbranet/reflection/memory_reflector.h"
#include "umbranet/reflection/reflection_queue.h"
#include "umbranet/reflection/session_summarizer.h"

#include "tests/doubles/in_memory_short_term_memory.h"
#include "tests/simulation/networked_ports.h"
#include "tests/simulation/step_scheduler.h"

namespace umbranet {

// The bell that all processes share, as behind a broker.
struct SharedBell {
  std::int64_t rings = 0;
  SteadyTime away_until{};
};

class UncertainDoorbell final : public Doorbell {
 public:
  UncertainDoorbell(const Clock& clock, StepScheduler& scheduler, SeededRandom& random,
                    SharedBell& bell)
      : clock_(clock), scheduler_(scheduler), random_(random), bell_(bell) {}

  void Ring(const ReflectionJob& job) noexcept override;
  bool Wait(std::stop_token stop, Deadline deadline) override;

  [[nodiscard]] bool Healthy() const noexcept override {
    return bell_.away_until <= clock_.SteadyNow();
  }

 private:
  const Clock& clock_;
  StepScheduler& scheduler_;
  SeededRandom& random_;
  SharedBell& bell_;
};

enum class Poison : std::uint8_t { kNone, kRefused, kMakesNoSense, kKillsWorkers };

// What one user will say, and how far he has come.
struct UserScript {
  UserKey user;
  std::int64_t turns = 0;
  std::int64_t answered = 0;       // The first so many.
  std::int64_t forget_after = -1;  // Asks to be forgotten when so many are answered; -1: never.
  std::vector<Poison> poison;      // By turn, from 1 on.
  std::size_t home = 0;            // The process that he talks to.
};

// Makes plans of which no two are alike.
class SimulatedExtractor final : public Extractor {
 public:
  SimulatedExtractor(SharedWorld& world, SimulatedServer& model, StepScheduler& scheduler,
                     const std::vector<UserScript>& users, std::uint64_t& plans_made)
      : world_(world),
        model_(model),
        scheduler_(scheduler),
        users_(users),
        plans_made_(plans_made) {}

  Result<std::vector<ReflectionPlan>> Extract(const ExtractionInput& input,
                                              Deadline deadline) override;

  [[nodiscard]] std::string_view Name() const override { return "simulated/1"; }

 private:
  [[nodiscard]] Poison PoisonOf(const Interaction& turn) const;

  SharedWorld& world_;
  SimulatedServer& model_;
  StepScheduler& scheduler_;
  const std::vector<UserScript>& users_;
  std::uint64_t& plans_made_;
};

// What every process of one history is made with.
struct ProcessParts {
  ManualClock& clock;
  StepScheduler& scheduler;
  SeededRandom& random;
  SharedWorld& world;
  SharedBell& bell;
  TierStore& episodic;
  TierStore& semantic;
  TierStore& procedural;
  SimulatedServer& model;
  std::vector<UserScript>& users;
  std::uint64_t& plans_made;
  Metrics& metrics;
  StructuredLog& log;
};

// Workers, a sweeper and a keeper of leases.
class ReflectorProcess {
 public:
  ReflectorProcess(ProcessParts& parts, StepScheduler::Group group, const std::string& name,
                   std::size_t workers);

 private:
  void SpawnActors(StepScheduler::Group group, std::size_t workers);

  ProcessParts& parts_;
  SteppedRunner runner_;
  NetworkedJournal journal_;
  NetworkedLedger ledger_;
  NetworkedEpisodicMemory episodic_;
  NetworkedSemanticMemory semantic_;
  NetworkedProceduralMemory procedural_;
  UncertainDoorbell doorbell_;
  InMemoryShortTermMemory short_term_;
  SimulatedExtractor extractor_;
  ReflectionQueue queue_;
  SessionSummarizer summarizer_;
  BatchProcessor processor_;
  MemoryReflector reflector_;
};

// Takes turns in: each of its users talks to it, and a forwarder empties its spool.
class ApiProcess {
 public:
  // `spool` may be null: then the journal is in the process.
  ApiProcess(ProcessParts& parts, StepScheduler::Group group, std::size_t number, TurnSpool* spool);

  // Turns that wait in its spool.
  [[nodiscard]] std::uint64_t Spooled() const {
    return spool_ == nullptr ? 0 : spool_->Stats(Deadline::Never())->waiting;
  }

 private:
  void SpawnActors(StepScheduler::Group group, std::size_t number);
  void Talk(UserScript& script);
  bool Say(UserScript& script);
  bool Forget(UserScript& script);

  ProcessParts& parts_;
  SteppedRunner runner_;
  NetworkedJournal stored_;
  NetworkedLedger ledger_;
  NetworkedEpisodicMemory episodic_;
  NetworkedSemanticMemory semantic_;
  NetworkedProceduralMemory procedural_;
  UncertainDoorbell doorbell_;
  InMemoryShortTermMemory short_term_;
  SpoolBook book_;
  TurnSpool* const spool_;
  std::optional<SpoolingJournal> spooling_;
  std::optional<SpoolForwarder> forwarder_;
  BoundedWorkerPool recall_pool_;  // Nobody recalls: it stays without threads.
  MemoryManager manager_;
};

}  // namespace umbranet
