// Everything that reflection works on, in memory, with a fault to be put in wherever it may arise.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "umbranet/reflection/batch_processor.h"

#include "tests/doubles/faulty_job_ledger.h"
#include "tests/doubles/faulty_tiers.h"
#include "tests/doubles/in_memory_episodic_memory.h"
#include "tests/doubles/in_memory_job_ledger.h"
#include "tests/doubles/in_memory_journal.h"
#include "tests/doubles/in_memory_ledger_store.h"
#include "tests/doubles/in_memory_procedural_memory.h"
#include "tests/doubles/in_memory_semantic_memory.h"
#include "tests/doubles/manual_clock.h"
#include "tests/doubles/scripted_extractor.h"

namespace umbranet {

inline const UserKey kAna{"default", "ana"};

class ReflectionHarness : public ::testing::Test {
 protected:
  // Budgets are short since a call that hangs is waited for in real time as well.
  static BatchProcessor::Options ProcessorOptions() {
    return {.tier_budget = Millis{5}, .overstay = Millis{1}, .stop_grace = Millis{5}, .nice = 0};
  }

  BatchProcessor MakeProcessor(BatchProcessor::Options options = ProcessorOptions()) {
    return {clock_,     {journal_, ledger_, episodic_, semantic_, procedural_},
            extractor_, metrics_,
            log_,       options};
  }

  Interaction Turn(const std::string& id, const std::string& said, const UserKey& user = kAna,
                   const std::string& session = "s") {
    Interaction turn;
    turn.interaction_id = id;
    turn.user = user;
    turn.session_id = session;
    turn.occurred_at = clock_.Now();
    turn.accepted_at = clock_.Now();
    turn.user_message = said;
    turn.priority = Priority::kHigh;
    return turn;
  }

  void Accept(const std::vector<Interaction>& turns) {
    ASSERT_TRUE(journal_.Accept(turns, RunMode::kBackground, "", Deadline::Never()).ok());
  }

  void AcceptMany(int count) {
    for (int i = 1; i <= count; ++i) {
      Accept({Turn("t" + std::to_string(i), "always remember number " + std::to_string(i))});
    }
  }

  std::optional<ClaimedBatch> Claim() {
    auto batch = in_memory_ledger_.Claim({}, Deadline::Never());
    EXPECT_TRUE(batch.ok());
    return batch.ok() ? *batch : std::nullopt;
  }

  // One attempt as a worker makes it: claim, work off, settle. The result, or nothing when there
  // was nothing to claim.
  std::optional<BatchResult> Attempt(BatchProcessor& processor) {
    const auto batch = Claim();
    if (!batch) {
      return std::nullopt;
    }
    BatchResult result = processor.Process(*batch, {}, Deadline::Never());
    if (result.ending == BatchResult::Ending::kSettle) {
      EXPECT_TRUE(in_memory_ledger_.Settle(batch->lease, result.failures, Deadline::Never()).ok());
    }
    return result;
  }

  // Until nothing is ready any more.
  void AttemptAll(BatchProcessor& processor) {
    while (Attempt(processor)) {
    }
  }

  // Lets every retry become due.
  void PassRetryDelay() {
    clock_.Advance(std::chrono::hours(1));
    ASSERT_TRUE(in_memory_ledger_.Sweep(Deadline::Never()).ok());
  }

  JobStatus StatusOf(std::string_view interaction_id, const UserKey& user = kAna) {
    const auto status =
        in_memory_ledger_.Find(user.tenant, MakeJobId(user, interaction_id), Deadline::Never());
    EXPECT_TRUE(status.ok() && status->has_value());
    return status.ok() && status->has_value() ? **status : JobStatus{};
  }

  std::size_t Count(MemoryTier& tier, const UserKey& user = kAna) {
    const auto page = tier.List(user, "", 1'000, Deadline::Never());
    EXPECT_TRUE(page.ok());
    return page.ok() ? page->items.size() : 0;
  }

  ManualClock clock_;
  Metrics metrics_{{"0", "0"}};
  StructuredLog log_{clock_, {.level = LogLevel::kOff}};
  InMemoryLedgerStore store_{clock_, {}};
  InMemoryJournal journal_{store_};
  InMemoryJobLedger in_memory_ledger_{store_};
  FaultyJobLedger ledger_{in_memory_ledger_};
  InMemoryEpisodicMemory in_memory_episodic_;
  InMemorySemanticMemory in_memory_semantic_{clock_};
  InMemoryProceduralMemory in_memory_procedural_{clock_};
  FaultyEpisodicMemory episodic_{in_memory_episodic_};
  FaultySemanticMemory semantic_{in_memory_semantic_};
  FaultyProceduralMemory procedural_{in_memory_procedural_};
  ScriptedExtractor extractor_;
};

}  // namespace umbranet
