// Works out a user's memory anew, beside the one in force, and says what would be different.
//
// A step takes the oldest turns that the shadow generation lacks, has the extractor make plans of
// them - with what the shadow knows already, as if the turns came in one after the other - and
// applies them to it. What a step took in stays, so a rebuild that was broken off goes on where it
// was, and repeating a step whose end was lost changes nothing.
//
// All methods may be called from any thread; a user's steps are taken one at a time. The
// collaborators must outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/memory_difference.h"
#include "umbranet/domain/memory_item.h"
#include "umbranet/domain/reflection_plan.h"
#include "umbranet/ports/episodic_memory.h"
#include "umbranet/ports/extractor.h"
#include "umbranet/ports/journal.h"
#include "umbranet/ports/memory_generations.h"
#include "umbranet/ports/procedural_memory.h"
#include "umbranet/ports/semantic_memory.h"
#include "umbranet/telemetry/structured_log.h"

namespace umbranet {

struct RebuildStep {
  std::uint64_t taken = 0;      // Turns of this step.
  std::uint64_t fallbacks = 0;  // Of these, those for which simpler means had to do.
  // Why it does not go on although turns are left, as ReflectionPlan::fallback says it ("budget").
  std::string stopped;
};

class MemoryRebuild {
 public:
  struct Stores {
    Journal& journal;
    MemoryGenerations& generations;
    // Of the memory in force.
    EpisodicMemory& episodic;
    SemanticMemory& semantic;
    ProceduralMemory& procedural;
  };

  struct Options {
    std::size_t batch_turns = 10;  // Given to the extractor together.
    std::size_t preceding_turns_max = 6;
    std::size_t known_entities_max = 200;
    std::size_t known_rules_max = 100;
    std::size_t known_facts_max = 24;
    // Reasons to wait rather than to let simpler means do: later they may not be needed.
    std::set<std::string, std::less<>> wait_for = {};
  };

  MemoryRebuild(Stores stores, StructuredLog& log, Options options)
      : stores_(stores), log_(log), options_(std::move(options)) {}

  // Begins a shadow or goes on with it, for `turns_max` turns or as far as the deadline lets it; a
  // batch at least. kFailedPrecondition: another extractor's shadow is there, or another step is
  // being taken. kAborted: the user was forgotten meanwhile. The extractor's and the stores' errors
  // leave what was taken in before.
  Result<RebuildStep> Advance(const UserKey& user, Extractor& extractor, std::size_t turns_max,
                              Deadline deadline);

  // The shadow against what is in force, tier by tier, with at most `items_max` items of each kind.
  Result<std::map<Tier, MemoryDifference>> Compare(const UserKey& user, std::size_t items_max,
                                                   Deadline deadline);

  [[nodiscard]] MemoryGenerations& generations() { return stores_.generations; }

 private:
  class OneStep;

  Result<RebuildStep> TakeBatch(const UserKey& user, Extractor& extractor, std::size_t turns_max,
                                Deadline deadline);
  Result<std::vector<ReflectionPlan>> MakePlans(const UserKey& user, Extractor& extractor,
                                                const std::vector<LackingTurn>& lacking,
                                                Deadline deadline);
  Result<std::vector<ReflectionPlan>> Extract(const UserKey& user, Extractor& extractor,
                                              std::vector<Interaction> turns, Deadline deadline);
  Status Apply(const std::vector<ReflectionPlan>& plans, Deadline deadline);

  const Stores stores_;
  StructuredLog& log_;
  const Options options_;
  Mutex mutex_;
  std::set<UserKey> under_way_ GUARDED_BY(mutex_);
};

}  // namespace umbranet
