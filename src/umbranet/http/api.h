// The HTTP contract: every route of the API, wired to memory, governor and ledger. openapi.json
// beside this file is the same contract for others, and a test holds the two against each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/domain/reflection_job.h"
#include "umbranet/governor/governor.h"
#include "umbranet/http/authentication.h"
#include "umbranet/http/router.h"
#include "umbranet/http/server.h"
#include "umbranet/memory/memory_manager.h"
#include "umbranet/memory/reflection_modes.h"
#include "umbranet/memory/waiting_cap.h"
#include "umbranet/ports/episode_consolidation.h"
#include "umbranet/ports/extractor.h"
#include "umbranet/ports/job_ledger.h"
#include "umbranet/ports/journal.h"
#include "umbranet/ports/ledger_records.h"
#include "umbranet/ports/shadow_records.h"
#include "umbranet/reflection/ledger_audit.h"
#include "umbranet/reflection/memory_rebuild.h"
#include "umbranet/telemetry/metrics.h"
#include "umbranet/telemetry/model_usage.h"
#include "umbranet/telemetry/structured_log.h"

namespace umbranet {

// What readyz asks. `required`: without it the server cannot do its work and is not ready; another
// dependency that is away leaves it ready, but degraded.
struct DependencyProbe {
  std::string name;
  bool required = true;
  std::function<Status(Deadline)> probe;
  // Whether calls are turned away since it has not answered of late. Empty: nothing watches over
  // it.
  std::function<bool()> breaker_open = {};
};

// Everything is borrowed and must outlive the router.
struct ApiDependencies {
  const Clock& clock;
  MemoryManager& memory;
  Governor& governor;
  Journal& journal;
  JobLedger& ledger;
  const Authenticator& authenticator;
  Metrics& metrics;
  StructuredLog& log;
  std::vector<DependencyProbe> probes = {};

  // How turns are reflected, to be looked at and turned. Null: all in the background.
  ModeSwitch* modes = nullptr;
  // Reflects these jobs before the reply, of turns whose mode is kInline. Jobs it could not finish
  // are left to the workers.
  std::function<Status(std::string_view tenant, const std::vector<std::string>& job_ids, Deadline)>
      reflect_inline = {};

  const ModelUsage* usage = nullptr;  // Null: no model is asked here.

  std::function<std::uint64_t()> consumers = {};  // Workers that are reflecting. Empty: 0.
  std::function<std::uint64_t()> spooled = {};    // Turns in the spool. Empty: 0.
  std::function<double()> spool_share = {};  // Of what the spool may hold, that it holds. Empty: 0.
  std::function<bool()> room_is_left = {};   // For further turns. Empty: there is.
  // The job of a turn that waits in the spool. Empty: there is no spool.
  std::function<Result<std::optional<JobStatus>>(std::string_view tenant, std::string_view job_id,
                                                 Deadline)>
      find_spooled = {};

  MemoryRebuild* rebuild = nullptr;  // Null: this memory cannot be worked out anew beside itself.
  // What works it out: the rules, the model of that name, or, with neither, what reflects here.
  // kInvalidArgument: both, or there is no endpoint for models. Set where `rebuild` is.
  std::function<Result<std::shared_ptr<Extractor>>(bool rules, std::string_view model)>
      rebuild_extractor = {};

  ShadowRecords* shadow = nullptr;                // Null: nothing is tried in the shadow.
  std::string shadow_candidate = {};              // Which path is.
  WaitingCap* waiting_cap = nullptr;              // Null: as many turns as come may wait.
  EpisodeConsolidation* consolidation = nullptr;  // Null: there are none to be asked for or undone.
  LedgerRecords* records = nullptr;               // Null: there are none to be asked.
  LedgerAudit* audit = nullptr;                   // Null: it is not made here.

  // What the beginning of a request is stamped with, to be compared with the forgetting of its user
  // (base/ledger_clock.h). Null: the clock.
  const Clock* ledger_clock = nullptr;

  Millis chat_budget{60'000};
  Millis request_budget{15'000};  // Everything but chat, exports and forgetting.
  Millis long_budget{300'000};    // Exports, forgetting, reflect-again.
};

// For HttpServer::Options::observe: counts and times every request by its route.
std::function<void(const RequestObservation&)> ObserveInto(Metrics& metrics);

// A router with every route of the contract and authentication at its gate.
Router BuildApi(ApiDependencies dependencies);

// The same with no other routes than GET /healthz, /readyz and /metrics: for a process that serves
// no memory and is watched all the same.
Router BuildProbes(ApiDependencies dependencies);

}  // namespace umbranet
