// Tiers that fail when a test says so, and pass everything else on to the one they wrap.
//
// All methods may be called from any thread; hooks run on the caller's.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "umbranet/base/mutex.h"
#include "umbranet/ports/episodic_memory.h"
#include "umbranet/ports/procedural_memory.h"
#include "umbranet/ports/semantic_memory.h"

namespace umbranet {

template <typename Port>
class FaultyTier : public Port {
 public:
  // An error is returned in place of the call. May block, to play a store that hangs.
  using Fault = std::function<std::optional<Error>(std::span<const ReflectionPlan> plans)>;

  explicit FaultyTier(Port& inner) : inner_(inner) {}

  // Before the wrapped tier is touched.
  void FailBeforeApply(Fault fault) {
    MutexLock lock(mutex_);
    before_ = std::move(fault);
  }

  // After it has committed: the reply is lost.
  void FailAfterApply(Fault fault) {
    MutexLock lock(mutex_);
    after_ = std::move(fault);
  }

  // How often Apply was called.
  [[nodiscard]] std::size_t Applies() const {
    MutexLock lock(mutex_);
    return applies_;
  }

  Status Apply(std::span<const ReflectionPlan> plans, const Lease& fence,
               Deadline deadline) override {
    Fault before;
    Fault after;
    {
      MutexLock lock(mutex_);
      ++applies_;
      before = before_;
      after = after_;
    }
    if (before) {
      if (auto error = before(plans)) {
        return *std::move(error);
      }
    }
    Status status = inner_.Apply(plans, fence, deadline);
    if (status.ok() && after) {
      if (auto error = after(plans)) {
        return *std::move(error);
      }
    }
    return status;
  }

  Result<MemoryPage> List(const UserKey& user, std::string_view cursor, std::size_t limit,
                          Deadline deadline) override {
    return inner_.List(user, cursor, limit, deadline);
  }

  Result<std::optional<MemoryItem>> Get(std::string_view tenant, std::string_view memory_id,
                                        Deadline deadline) override {
    return inner_.Get(tenant, memory_id, deadline);
  }

  Result<std::optional<MemoryItem>> Update(std::string_view tenant, std::string_view memory_id,
                                           const MemoryPatch& patch, Deadline deadline) override {
    return inner_.Update(tenant, memory_id, patch, deadline);
  }

  Result<bool> Erase(std::string_view tenant, std::string_view memory_id,
                     Deadline deadline) override {
    return inner_.Erase(tenant, memory_id, deadline);
  }

  Result<std::uint64_t> EraseUser(const UserKey& user, Deadline deadline) override {
    return inner_.EraseUser(user, deadline);
  }

 protected:
  Port& inner_;

 private:
  mutable Mutex mutex_;
  Fault before_ GUARDED_BY(mutex_);
  Fault after_ GUARDED_BY(mutex_);
  std::size_t applies_ GUARDED_BY(mutex_) = 0;
};

class FaultyEpisodicMemory final : public FaultyTier<EpisodicMemory> {
 public:
  using FaultyTier::FaultyTier;

  Result<EpisodesFound> Find(const EpisodeQuery& query, Deadline deadline) override {
    return inner_.Find(query, deadline);
  }

  Result<UnembeddedPage> Unembedded(std::string_view space, std::string_view cursor,
                                    std::size_t limit, Deadline deadline) override {
    return inner_.Unembedded(space, cursor, limit, deadline);
  }

  Status SaveVectors(std::string_view space, std::span<const EpisodeVector> vectors,
                     Deadline deadline) override {
    return inner_.SaveVectors(space, vectors, deadline);
  }

  Result<std::uint64_t> CountVectors(const UserKey& user, Deadline deadline) override {
    return inner_.CountVectors(user, deadline);
  }
};

class FaultySemanticMemory final : public FaultyTier<SemanticMemory> {
 public:
  using FaultyTier::FaultyTier;

  Result<std::uint64_t> ForgetUser(const UserKey& user, std::int64_t through_sequence,
                                   Deadline deadline) override {
    return inner_.ForgetUser(user, through_sequence, deadline);
  }

  Result<FactsFound> Find(const FactQuery& query, Deadline deadline) override {
    return inner_.Find(query, deadline);
  }

  // KnownEntities fails with this from now on; nothing ends that.
  void FailKnownEntities(std::optional<Error> error) {
    MutexLock lock(known_entities_mutex_);
    known_entities_error_ = std::move(error);
  }

  Result<std::vector<Entity>> KnownEntities(const UserKey& user, std::size_t limit,
                                            Deadline deadline) override {
    {
      MutexLock lock(known_entities_mutex_);
      if (known_entities_error_) {
        return *known_entities_error_;
      }
    }
    return inner_.KnownEntities(user, limit, deadline);
  }

  Result<KnowledgeGraph> ReadGraph(const UserKey& user, std::size_t facts_max,
                                   Deadline deadline) override {
    return inner_.ReadGraph(user, facts_max, deadline);
  }

  Result<std::vector<EntityMerge>> Merges(const UserKey& user, std::size_t limit,
                                          Deadline deadline) override {
    return inner_.Merges(user, limit, deadline);
  }

  Result<std::size_t> Unmerge(const UserKey& user, std::string_view name, std::string_view from,
                              Deadline deadline) override {
    return inner_.Unmerge(user, name, from, deadline);
  }

 private:
  Mutex known_entities_mutex_;
  std::optional<Error> known_entities_error_ GUARDED_BY(known_entities_mutex_);
};

class FaultyProceduralMemory final : public FaultyTier<ProceduralMemory> {
 public:
  using FaultyTier::FaultyTier;

  Result<std::vector<Rule>> Active(const UserKey& user, std::optional<Timestamp> as_of,
                                   std::size_t limit, Deadline deadline) override {
    return inner_.Active(user, as_of, limit, deadline);
  }
};

}  // namespace umbranet
