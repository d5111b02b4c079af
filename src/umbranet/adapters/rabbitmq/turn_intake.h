// What becomes of a job that came through the broker: unless the ledger knows it, its turn is
// accepted by the journal, which makes turn and job in one. So a foreign producer's message becomes
// a job, and what a restored database has lost comes back.
//
// May be called from any thread. Repeating a call is harmless.
#pragma once

#include "umbranet/adapters/rabbitmq/reflection_message.h"
#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/ports/job_ledger.h"
#include "umbranet/ports/journal.h"
#include "umbranet/ports/short_term_memory.h"

namespace umbranet {

class TurnIntake {
 public:
  // All must outlive the intake.
  TurnIntake(const Clock& clock, Journal& journal, JobLedger& ledger, ShortTermMemory& short_term)
      : clock_(clock), journal_(journal), ledger_(ledger), short_term_(short_term) {}

  // As AcceptJob of ReflectionConsumer wants it. A turn whose user was forgotten after it was made
  // is passed over, which is a success; so is one of a forgotten user that does not say when it was
  // made, since it may be a late one.
  Status operator()(const IncomingJob& job, Deadline deadline) const;

 private:
  const Clock& clock_;
  Journal& journal_;
  JobLedger& ledger_;
  ShortTermMemory& short_term_;
};

}  // namespace umbranet
