// The twin of the runs of a shadow, beside the ledger in memory.
#pragma once

#include <string>

#include "umbranet/ports/shadow_records.h"

#include "tests/doubles/in_memory_ledger_store.h"

namespace umbranet {

class InMemoryShadowRecords final : public ShadowRecords {
 public:
  explicit InMemoryShadowRecords(InMemoryLedgerStore& store) : store_(store) {}

  Status Save(const ShadowRun& run, Deadline deadline) override;
  Result<ShadowSummary> Summarize(const std::string& candidate, Deadline deadline) override;
  Result<std::uint64_t> Clear(Deadline deadline) override;

 private:
  InMemoryLedgerStore& store_;
};

}  // namespace umbranet
