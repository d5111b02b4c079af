#include "tests/simulation/networked_ports.h"

#include <functional>

namespace umbranet {
namespace {

template <typename T>
std::vector<T> Copy(std::span<const T> of) {
  return {of.begin(), of.end()};
}

template <typename T>
std::vector<std::string> JobsOf(std::span<const T> records) {
  std::vector<std::string> ids;
  for (const T& record : records) {
    ids.push_back(record.job_id);
  }
  return ids;
}

// Asks the database, at once: what is read changes nothing, however late it is.
template <typename T>
Result<T> Ask(SharedWorld& world, std::string_view name, Deadline deadline,
              const std::function<Result<T>()>& work) {
  return world.network.Call<T>(world.database_server, {.name = name}, deadline, work);
}

}  // namespace

// --- the journal ---------------------------------------------------------------------------------

Result<std::vector<AcceptedTurn>> NetworkedJournal::Accept(std::span<const Interaction> turns,
                                                           RunMode mode,
                                                           std::string_view traceparent,
                                                           Deadline deadline) {
  return world_.network.Call<std::vector<AcceptedTurn>>(
      world_.database_server, {.name = "Accept", .may_come_late = true}, deadline,
      [&world = world_, copy = Copy(turns), mode, trace = std::string(traceparent)] {
        return world.database.journal().Accept(copy, mode, trace, Deadline::Never());
      });
}

Result<std::vector<Interaction>> NetworkedJournal::Read(
    const UserKey& user, std::span<const std::string> interaction_ids, Deadline deadline) {
  return world_.network.Call<std::vector<Interaction>>(
      world_.database_server, {.name = "Read", .may_hang = true}, deadline,
      [&] { return world_.database.journal().Read(user, interaction_ids, Deadline::Never()); });
}

Result<JournalPage> NetworkedJournal::List(const UserKey& user, std::string_view cursor,
                                           std::size_t limit, Deadline deadline) {
  return Ask<JournalPage>(world_, "List", deadline, [&] {
    return world_.database.journal().List(user, cursor, limit, Deadline::Never());
  });
}

Result<std::vector<Interaction>> NetworkedJournal::Recent(const UserKey& user,
                                                          std::string_view session_id,
                                                          std::int64_t before_sequence,
                                                          std::size_t limit, Deadline deadline) {
  auto turns = Ask<std::vector<Interaction>>(world_, "Recent", deadline, [&] {
    return world_.database.journal().Recent(user, session_id, before_sequence, limit,
                                            Deadline::Never());
  });
  if (!turns.ok()) {
    world_.history.MayBePassed(user);
  }
  return turns;
}

Result<std::vector<std::int64_t>> NetworkedJournal::Unreflected(const UserKey& user,
                                                                std::size_t limit,
                                                                Deadline deadline) {
  return Ask<std::vector<std::int64_t>>(world_, "Unreflected", deadline, [&] {
    return world_.database.journal().Unreflected(user, limit, Deadline::Never());
  });
}

Result<std::vector<Interaction>> NetworkedJournal::ReadAt(const UserKey& user,
                                                          std::span<const std::int64_t> sequences,
                                                          Deadline deadline) {
  return Ask<std::vector<Interaction>>(world_, "ReadAt", deadline, [&] {
    return world_.database.journal().ReadAt(user, sequences, Deadline::Never());
  });
}

Result<Freshness> NetworkedJournal::ReadFreshness(const UserKey& user, Deadline deadline) {
  return Ask<Freshness>(world_, "ReadFreshness", deadline, [&] {
    return world_.database.journal().ReadFreshness(user, Deadline::Never());
  });
}

Result<RecallOpening> NetworkedJournal::OpenRecall(const RecallOpeningQuery& query,
                                                   Deadline deadline) {
  return Ask<RecallOpening>(world_, "OpenRecall", deadline, [&] {
    return world_.database.journal().OpenRecall(query, Deadline::Never());
  });
}

Result<JournalErasure> NetworkedJournal::EraseUser(const UserKey& user, Deadline deadline) {
  return Ask<JournalErasure>(world_, "EraseUser", deadline, [&] {
    auto erased = world_.database.journal().EraseUser(user, Deadline::Never());
    if (erased.ok()) {
      world_.history.EndedFor(user);
    }
    return erased;
  });
}

Result<std::optional<StoredAnswer>> NetworkedJournal::FindAnswer(std::string_view tenant,
                                                                 std::string_view idempotency_key,
                                                                 Deadline deadline) {
  return Ask<std::optional<StoredAnswer>>(world_, "FindAnswer", deadline, [&] {
    return world_.database.journal().FindAnswer(tenant, idempotency_key, Deadline::Never());
  });
}

Status NetworkedJournal::SaveAnswer(const UserKey& user, std::string_view idempotency_key,
                                    const StoredAnswer& answer, Deadline deadline) {
  return Ask<void>(world_, "SaveAnswer", deadline, [&] {
    return world_.database.journal().SaveAnswer(user, idempotency_key, answer, Deadline::Never());
  });
}

// --- the ledger ----------------------------------------------------------------------------------

Status NetworkedLedger::Enqueue(std::span<const ReflectionJob> jobs, Deadline deadline) {
  return Ask<void>(world_, "Enqueue", deadline,
                   [&] { return world_.database.ledger().Enqueue(jobs, Deadline::Never()); });
}

Result<std::optional<ClaimedBatch>> NetworkedLedger::Claim(const ClaimOptions& options,
                                                           Deadline deadline) {
  return Ask<std::optional<ClaimedBatch>>(world_, "Claim", deadline, [&] {
    auto batch = world_.database.ledger().Claim(options, Deadline::Never());
    if (batch.ok() && batch->has_value()) {
      world_.history.Claimed(**batch, options, world_.database.Now());
    }
    return batch;
  });
}

Result<std::optional<ClaimedBatch>> NetworkedLedger::ClaimJob(std::string_view job_id,
                                                              const ClaimOptions& options,
                                                              Deadline deadline) {
  return Ask<std::optional<ClaimedBatch>>(world_, "ClaimJob", deadline, [&] {
    auto batch = world_.database.ledger().ClaimJob(job_id, options, Deadline::Never());
    if (batch.ok() && batch->has_value()) {
      world_.history.Claimed(**batch, options, world_.database.Now());
    }
    return batch;
  });
}

Status NetworkedLedger::Extend(const Lease& lease, Deadline deadline) {
  return world_.network.Call<void>(
      world_.database_server, {.name = "Extend", .may_come_late = true}, deadline,
      [&world = world_, lease] {
        Status extended = world.database.ledger().Extend(lease, Deadline::Never());
        if (extended.ok()) {
          world.history.Extended(lease, world.database.Now());
        }
        return extended;
      });
}

Result<std::vector<PlanRecord>> NetworkedLedger::SavePlans(const Lease& lease,
                                                           std::span<const PlanRecord> plans,
                                                           Deadline deadline) {
  return world_.network.Call<std::vector<PlanRecord>>(
      world_.database_server, {.name = "SavePlans", .jobs = JobsOf(plans), .may_come_late = true},
      deadline, [&world = world_, lease, copy = Copy(plans)] {
        return world.database.ledger().SavePlans(lease, copy, Deadline::Never());
      });
}

Status NetworkedLedger::MarkTiersDone(const Lease& lease, std::span<const TierProgress> progress,
                                      Deadline deadline) {
  return world_.network.Call<void>(
      world_.database_server,
      {.name = "MarkTiersDone", .jobs = JobsOf(progress), .may_come_late = true}, deadline,
      [&world = world_, lease, copy = Copy(progress)] {
        return world.database.ledger().MarkTiersDone(lease, copy, Deadline::Never());
      });
}

Result<SettleReport> NetworkedLedger::Settle(const Lease& lease,
                                             std::span<const JobFailure> failures,
                                             Deadline deadline) {
  return world_.network.Call<SettleReport>(
      world_.database_server, {.name = "Settle", .may_come_late = true}, deadline,
      [&world = world_, lease, copy = Copy(failures)] {
        auto report = world.database.ledger().Settle(lease, copy, Deadline::Never());
        if (report.ok()) {
          world.history.Ended(lease, copy);
        }
        return report;
      });
}

Status NetworkedLedger::Release(const Lease& lease, Deadline deadline) {
  return Ask<void>(world_, "Release", deadline, [&] {
    Status released = world_.database.ledger().Release(lease, Deadline::Never());
    if (released.ok()) {
      world_.history.Ended(lease);
    }
    return released;
  });
}

Result<SweepReport> NetworkedLedger::Sweep(Deadline deadline) {
  return Ask<SweepReport>(world_, "Sweep", deadline,
                          [&] { return world_.database.ledger().Sweep(Deadline::Never()); });
}

Result<std::optional<JobStatus>> NetworkedLedger::Find(std::string_view tenant,
                                                       std::string_view job_id, Deadline deadline) {
  return Ask<std::optional<JobStatus>>(world_, "Find", deadline, [&] {
    return world_.database.ledger().Find(tenant, job_id, Deadline::Never());
  });
}

Result<LedgerStats> NetworkedLedger::Stats(Deadline deadline) {
  return Ask<LedgerStats>(world_, "Stats", deadline,
                          [&] { return world_.database.ledger().Stats(Deadline::Never()); });
}

Result<DeadPage> NetworkedLedger::ListDead(const DeadFilter& filter, std::string_view cursor,
                                           std::size_t limit, Deadline deadline) {
  return Ask<DeadPage>(world_, "ListDead", deadline, [&] {
    return world_.database.ledger().ListDead(filter, cursor, limit, Deadline::Never());
  });
}

Result<std::optional<JobStatus>> NetworkedLedger::FindDead(std::string_view job_id,
                                                           Deadline deadline) {
  return Ask<std::optional<JobStatus>>(world_, "FindDead", deadline, [&] {
    return world_.database.ledger().FindDead(job_id, Deadline::Never());
  });
}

Result<std::uint64_t> NetworkedLedger::RequeueDead(std::string_view job_id, std::string_view actor,
                                                   Deadline deadline) {
  return Ask<std::uint64_t>(world_, "RequeueDead", deadline, [&] {
    return world_.database.ledger().RequeueDead(job_id, actor, Deadline::Never());
  });
}

Result<std::uint64_t> NetworkedLedger::RequeueDeadMatching(const DeadFilter& filter,
                                                           std::string_view actor,
                                                           Deadline deadline) {
  return Ask<std::uint64_t>(world_, "RequeueDeadMatching", deadline, [&] {
    return world_.database.ledger().RequeueDeadMatching(filter, actor, Deadline::Never());
  });
}

Result<std::uint64_t> NetworkedLedger::DiscardDead(std::string_view job_id, std::string_view actor,
                                                   std::string_view reason, Deadline deadline) {
  return Ask<std::uint64_t>(world_, "DiscardDead", deadline, [&] {
    return world_.database.ledger().DiscardDead(job_id, actor, reason, Deadline::Never());
  });
}

Result<std::uint64_t> NetworkedLedger::ReflectAgain(const UserKey& user, Deadline deadline) {
  return Ask<std::uint64_t>(world_, "ReflectAgain", deadline, [&] {
    return world_.database.ledger().ReflectAgain(user, Deadline::Never());
  });
}

// --- the tiers -----------------------------------------------------------------------------------

Status TierStore::Apply(SharedWorld& world, std::span<const ReflectionPlan> plans,
                        const Lease& fence) {
  if (world.guards.tier_fence && !world.database.Holds(fence, JobsOf(plans))) {
    return Aborted("simulation: lease " + std::to_string(fence.token) + " is lost");
  }
  for (const ReflectionPlan& plan : plans) {
    const bool is_new = applied_.emplace(plan.user, plan.job_id).second;
    if (is_new || !world.guards.tier_markers) {
      world.history.Applied(tier_, plan, fence);
    }
  }
  return {};
}

std::uint64_t TierStore::EraseUser(SharedWorld& world, const UserKey& user) {
  world.history.ErasedFrom(tier_, user);
  return std::erase_if(applied_, [&user](const auto& each) { return each.first == user; });
}

}  // namespace umbranet
