// The spool in memory, for tests: the in-memory journal, whose jobs say what became of each turn.
// Any thread.
#pragma once

#include <optional>

#include "umbranet/ports/turn_spool.h"

#include "tests/doubles/in_memory_journal.h"
#include "tests/doubles/in_memory_ledger_store.h"

namespace umbranet {

class InMemoryTurnSpool final : public TurnSpool {
 public:
  explicit InMemoryTurnSpool(const Clock& clock) : store_(clock, {}), journal_(store_) {}

  Journal& turns() override { return journal_; }

  Result<std::vector<SpooledTurn>> ReadOldest(std::size_t limit, Deadline deadline) override;
  Result<std::vector<std::int64_t>> MarkForwarded(std::span<const std::int64_t> sequences,
                                                  Deadline deadline) override;
  Result<bool> MarkRefused(std::int64_t sequence, std::string_view reason,
                           Deadline deadline) override;
  Result<std::uint64_t> RetryRefused(Deadline deadline) override;
  Result<std::uint64_t> Purge(Millis forwarded_for, Deadline deadline) override;
  Result<SpoolStats> Stats(Deadline deadline) override;
  Result<std::map<UserKey, std::uint64_t>> WaitingByUser(Deadline deadline) override;
  Result<std::optional<JobStatus>> Find(std::string_view tenant, std::string_view job_id,
                                        Deadline deadline) override;

 private:
  // The job, when it is in this state.
  InMemoryLedgerStore::Job* InState(std::int64_t sequence, JobState state) REQUIRES(store_.mutex);

  InMemoryLedgerStore store_;
  InMemoryJournal journal_;
};

}  // namespace umbranet
