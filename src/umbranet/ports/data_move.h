// Two ends of a move: a store that is emptied into another by its rows, and one that takes them in.
//
// Each serves one mover at a time, from one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/domain/knowledge_rows.h"
#include "umbranet/domain/moved_rows.h"

namespace umbranet {

struct MovedUser {
  std::int64_t user_key = 0;
  UserKey user;
};

// Of the whole store.
struct MovedBounds {
  std::string fingerprint;         // Another whenever anything that moves has changed.
  std::int64_t last_sequence = 0;  // No turn or job has a higher place.
  std::int64_t last_fence = 0;     // No lease had a higher token.
  std::int64_t last_now = 0;       // The ledger's time was never later. Unix milliseconds.
};

struct MovedSummary {
  std::string session_id;
  std::int64_t through_sequence = 0;
  std::string summary;
};

using MovedRowsSink = std::function<Status(std::vector<MovedRow> rows, bool last)>;

class MoveSource {
 public:
  virtual ~MoveSource() = default;

  virtual Result<MovedBounds> Bounds(Deadline deadline) = 0;

  // All of them, by their keys.
  virtual Result<std::vector<MovedUser>> Users(Deadline deadline) = 0;

  // The rows of the user, or of nobody in particular, `page` at a time. The sink is always called
  // once with `last`, with rows or without; its first failure ends it.
  virtual Status Read(const MovedTable& table, std::optional<std::int64_t> user_key,
                      std::size_t page, const MovedRowsSink& sink, Deadline deadline) = 0;

  virtual Result<std::uint64_t> Count(const MovedTable& table, std::int64_t user_key,
                                      Deadline deadline) = 0;

  virtual Result<std::vector<MovedSummary>> Summaries(std::int64_t user_key, Deadline deadline) = 0;

  virtual Result<KnowledgeRows> Knowledge(std::int64_t user_key, Deadline deadline) = 0;
};

// What has been moved is written down in the same transaction as the rows, so a mover that was
// killed is followed by one who goes on from there; what was written without being noted is
// recognised and left as it is.
class MoveTarget {
 public:
  enum class Progress : std::uint8_t { kNew, kBegun, kFinished };

  virtual ~MoveTarget() = default;

  // Takes the target for this mover until it goes, and gives out no place and no token that the
  // source may have given. kFailedPrecondition: another one moves just now, there is data of
  // another origin, or the source has changed since the move began.
  virtual Result<Progress> Begin(const MovedBounds& source, Deadline deadline) = 0;

  // The steps of a user that were noted.
  virtual Result<std::set<std::string, std::less<>>> StepsDone(std::int64_t user_key,
                                                               Deadline deadline) = 0;

  // `step_done`, when not empty, is noted for the user.
  virtual Status Write(const MovedTable& table, std::span<const MovedRow> rows,
                       std::int64_t user_key, std::string_view step_done, Deadline deadline) = 0;

  virtual Status NoteStep(std::int64_t user_key, std::string_view step, Deadline deadline) = 0;

  // All rows are there: makes what follows from them, and lets workers see the user's jobs.
  virtual Status FinishUser(std::int64_t user_key, std::string_view step, Deadline deadline) = 0;

  virtual Status Finish(Deadline deadline) = 0;

  virtual Result<std::uint64_t> Count(const MovedTable& table, std::int64_t user_key,
                                      Deadline deadline) = 0;
};

// A tier 3 that takes in what another one has kept.
class KnowledgeTarget {
 public:
  virtual ~KnowledgeTarget() = default;

  // Whether there is anything of the user.
  virtual Result<bool> Knows(const UserKey& user, Deadline deadline) = 0;

  // Harmless to repeat after a failure, as long as nothing else was written of the user.
  virtual Status TakeIn(const UserKey& user, const KnowledgeRows& rows, Deadline deadline) = 0;
};

}  // namespace umbranet
