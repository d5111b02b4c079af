// What reflection made of a user, worked out anew beside what is in force, and put in its place in
// one step.
//
// A user's tiers 2 to 4 are a generation. One is in force: recall reads it and reflection adds to
// it. Beside it there may be a shadow, which is being worked out, and the former one, which was in
// force before the last swap and is kept so that the swap can be taken back. Promises:
// - A shadow begins with nothing and is filled through shadow(), oldest turn first. What was taken
//   in is there after a restart. Nobody sees it before it is in force.
// - What an owner did by hand holds in every generation: what was erased stays away, what was
//   changed stays changed, names that were parted stay apart.
// - A swap is one step: whoever reads sees all of the one or all of the other.
// - No turn is lost by it: a turn that the generation coming into force lacks - accepted meanwhile,
//   or reflected since it was in force - has a ready job afterwards.
// - A user who is forgotten, or whose memory is started over, has no shadow and no former
// generation
//   any more. Whoever was working one out is told so: kAborted.
//
// All methods may be called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/ports/episodic_memory.h"
#include "umbranet/ports/procedural_memory.h"
#include "umbranet/ports/semantic_memory.h"

namespace umbranet {

struct MemoryGeneration {
  std::string extractor;  // Extractor::Name; empty: what reflection has made day by day.
  Timestamp began_at{};
  std::uint64_t turns = 0;  // That were taken in by a rebuild.
  std::uint64_t fallbacks =
      0;                      // Of these, those for which simpler means than `extractor` had to do.
  std::uint64_t lacking = 0;  // Turns of the journal that it lacks.
};

struct GenerationsOfUser {
  std::optional<MemoryGeneration> shadow;
  std::optional<MemoryGeneration> former;
};

struct LackingTurn {
  std::int64_t sequence = 0;
  std::string job_id;  // Of the turn's present job: what the plan has to carry.
};

enum class IncomingGeneration : std::uint8_t { kShadow, kFormer };

class MemoryGenerations {
 public:
  struct Tiers {
    EpisodicMemory& episodic;
    SemanticMemory& semantic;
    ProceduralMemory& procedural;
  };

  virtual ~MemoryGenerations() = default;

  // The tiers of the shadow generation of whichever user they are asked about. Apply heeds no
  // lease; kAborted: the user has no shadow.
  [[nodiscard]] virtual Tiers shadow() = 0;

  virtual Result<GenerationsOfUser> Read(const UserKey& user, Deadline deadline) = 0;

  // Begins a shadow, or goes on with the one of the same extractor. kFailedPrecondition: there is
  // one of another.
  virtual Status Begin(const UserKey& user, std::string_view extractor, Deadline deadline) = 0;

  // The oldest turns that the shadow lacks, oldest first. kAborted: there is none.
  virtual Result<std::vector<LackingTurn>> Lacking(const UserKey& user, std::size_t limit,
                                                   Deadline deadline) = 0;

  // All turns up to `through_sequence` have been applied to each of the shadow's tiers: `turns`
  // more than before, `fallbacks` of them by simpler means. kAborted: there is no shadow.
  virtual Status Took(const UserKey& user, std::int64_t through_sequence, std::uint64_t turns,
                      std::uint64_t fallbacks, Deadline deadline) = 0;

  // Puts the shadow or the former generation in force. The one that was becomes the former one, or,
  // when the former one comes back, the shadow. How many turns will be reflected again because it
  // lacks them. kFailedPrecondition: there is none such.
  virtual Result<std::uint64_t> Swap(const UserKey& user, IncomingGeneration incoming,
                                     Deadline deadline) = 0;

  // Removes everything that is not in force. How many generations that were.
  virtual Result<std::uint64_t> Discard(const UserKey& user, Deadline deadline) = 0;
};

}  // namespace umbranet
