// The spool keeps accepted turns on this machine's own disk while the journal is away, until they
// are forwarded to it. Nothing is reflected here.
//
// Promises:
// - It is a journal of its own: what its Accept has returned is durable, and a turn that is handed
//   in again is a duplicate.
// - A turn waits until it is marked as forwarded or refused; ReadOldest gives those that wait in
//   the order in which they were accepted.
// - A turn that was marked as forwarded can still be read by its sequence until Purge, so that a
//   reader who has just been told of it finds it.
//
// All methods may be called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/domain/reflection_job.h"
#include "umbranet/ports/journal.h"

namespace umbranet {

struct SpooledTurn {
  Interaction turn;  // With the spool's own sequence.
  RunMode mode = RunMode::kBackground;
  std::string traceparent;
};

struct SpoolStats {
  std::uint64_t waiting = 0;
  std::uint64_t refused = 0;           // The journal will never take them as they are.
  std::uint64_t bytes = 0;             // On the disk, roughly.
  std::optional<Timestamp> oldest_at;  // When the oldest that waits was accepted.
};

class TurnSpool {
 public:
  virtual ~TurnSpool() = default;

  // The turns that are held here, the forwarded ones that are not purged yet among them. kReady:
  // it waits; kDone: it was forwarded; kDead: it was refused. Its Accept is kStorageFull when the
  // bound or the disk's reserve is reached.
  virtual Journal& turns() = 0;

  virtual Result<std::vector<SpooledTurn>> ReadOldest(std::size_t limit, Deadline deadline) = 0;

  // Of these sequences, those that waited until now: they do no more.
  virtual Result<std::vector<std::int64_t>> MarkForwarded(std::span<const std::int64_t> sequences,
                                                          Deadline deadline) = 0;
  // The turn waits no more, but stays, with the reason. False: it did not wait.
  virtual Result<bool> MarkRefused(std::int64_t sequence, std::string_view reason,
                                   Deadline deadline) = 0;
  // Those that were refused wait again. How many.
  virtual Result<std::uint64_t> RetryRefused(Deadline deadline) = 0;

  // Removes turns that were forwarded longer than `forwarded_for` ago, and stored answers past
  // their time, in bounded slices. How many turns.
  virtual Result<std::uint64_t> Purge(Millis forwarded_for, Deadline deadline) = 0;

  virtual Result<SpoolStats> Stats(Deadline deadline) = 0;
  // How many turns wait, for each user who has any.
  virtual Result<std::map<UserKey, std::uint64_t>> WaitingByUser(Deadline deadline) = 0;
  // Nothing when no turn with this job waits here or was refused.
  virtual Result<std::optional<JobStatus>> Find(std::string_view tenant, std::string_view job_id,
                                                Deadline deadline) = 0;
};

}  // namespace umbranet
