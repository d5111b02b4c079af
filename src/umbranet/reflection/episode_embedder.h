// Gives episodes their vectors: those of a batch as it is applied, and whatever has none yet behind
// it - what was stored before there was an embedder, with another model, or while it was away.
//
// A vector makes an episode easier to find and is no part of what it says. So its absence fails
// nothing and holds nothing up: it is made good in the background, at the lowest priority.
//
// All methods may be called from any thread. The collaborators must outlive it.
#pragma once

#include <atomic>
#include <cstddef>
#include <span>
#include <stop_token>
#include <thread>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/reflection_plan.h"
#include "umbranet/ports/embedder.h"
#include "umbranet/ports/episodic_memory.h"
#include "umbranet/telemetry/metrics.h"
#include "umbranet/telemetry/structured_log.h"

namespace umbranet {

class EpisodeEmbedder {
 public:
  struct Options {
    std::size_t page_episodes = 64;  // Embedded between two looks at whether to stop.
    Millis page_budget{30'000};      // For one page, embedding and storing.
    Millis look_again{600'000};      // After which it looks for episodes without a vector.
    Millis pause_after_failure{5'000};
    int nice = 19;
  };

  EpisodeEmbedder(const Clock& clock, Embedder& embedder, EpisodicMemory& memory, Metrics& metrics,
                  StructuredLog& log, Options options);
  ~EpisodeEmbedder();
  EpisodeEmbedder(const EpisodeEmbedder&) = delete;
  EpisodeEmbedder& operator=(const EpisodeEmbedder&) = delete;

  // Looks for episodes without a vector now and then, the first time at once. Idempotent.
  void Start();
  // Returns when the page at hand is done.
  void Stop();

  // The vectors of the plans' episodes. On failure none, and what lacks them is looked for soon;
  // until that went well nobody waits for the embedder here again.
  std::vector<EpisodeVector> EmbedPlans(std::span<const ReflectionPlan> plans, Deadline deadline);
  // Keeps them. A failure is made good in the background.
  void Save(std::span<const EpisodeVector> vectors, Deadline deadline);

  // Embeds everything that has no vector. How many there were; fails with the first failure.
  Result<std::size_t> EmbedBacklog(std::stop_token stop);

 private:
  void Run(std::stop_token stop);
  void LookSoon();
  Result<std::vector<EpisodeVector>> Embed(std::vector<UnembeddedEpisode> episodes,
                                           Deadline deadline);

  const Clock& clock_;
  Embedder& embedder_;
  EpisodicMemory& memory_;
  Metrics& metrics_;
  StructuredLog& log_;
  const Options options_;

  std::atomic<bool> away_ = false;
  Mutex mutex_;
  ConditionVariable changed_;
  bool look_ GUARDED_BY(mutex_) = true;
  std::jthread thread_;
};

}  // namespace umbranet
