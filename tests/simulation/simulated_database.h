// Journal and ledger beneath a simulation: the real ones on SQLite, or their twins. For one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <string>

#include "umbranet/ports/job_ledger.h"
#include "umbranet/ports/journal.h"
#include "umbranet/ports/turn_spool.h"

#include "tests/doubles/in_memory_ledger_store.h"

namespace umbranet {

class SimulatedDatabase {
 public:
  virtual ~SimulatedDatabase() = default;

  virtual Journal& journal() = 0;
  virtual JobLedger& ledger() = 0;
  // Whether a tier in this database lets a write under `lease` pass.
  virtual bool Holds(const Lease& lease, std::span<const std::string> job_ids) = 0;
  // Unix milliseconds, as the ledger sees them.
  virtual std::int64_t Now() = 0;

  // As after the death of the process that holds it.
  virtual void Reopen() {}

  // The spool of process number `process`; opened anew, as its next life finds it.
  virtual TurnSpool& OpenSpool(std::size_t process) = 0;
};

std::unique_ptr<SimulatedDatabase> MakeTwinDatabase(const Clock& clock,
                                                    std::set<BrokenPromise> broken);
// In a folder of its own, in memory where the machine has room for files there.
std::unique_ptr<SimulatedDatabase> MakeSqliteDatabase(const Clock& clock);

}  // namespace umbranet
