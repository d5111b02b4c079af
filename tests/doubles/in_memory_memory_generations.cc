#include "tests/doubles/in_memory_memory_generations.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <type_traits>
#include <utility>

namespace umbranet {
namespace {

const Deadline kNever = Deadline::Never();

Error NotBeingRebuilt() {
  return Aborted("memory: the user's memory is not being worked out anew any more");
}

}  // namespace

// A tier of every user's generation in one state.
template <typename Port>
class InMemoryMemoryGenerations::Tier : public Port {
 public:
  Tier(InMemoryMemoryGenerations& all, GenerationState which) : all_(all), which_(which) {}

  Status Apply(std::span<const ReflectionPlan> plans, const Lease& fence,
               Deadline deadline) override {
    if (which_ == GenerationState::kInForce && !all_.IsLeased(plans, fence)) {
      return Aborted("memory: a job is not leased any more");
    }
    for (const ReflectionPlan& plan : plans) {
      const std::shared_ptr<Memory> memory = MemoryOf(plan.user);
      if (memory == nullptr) {
        return NotBeingRebuilt();
      }
      UMBRANET_RETURN_IF_ERROR(Part(*memory).Apply(std::span(&plan, 1), fence, deadline));
      all_.CatchUp(plan, *memory);
    }
    return {};
  }

  Result<MemoryPage> List(const UserKey& user, std::string_view cursor, std::size_t limit,
                          Deadline deadline) override {
    const std::shared_ptr<Memory> memory = all_.Find(user, which_);
    return memory == nullptr ? Result<MemoryPage>(MemoryPage())
                             : Part(*memory).List(user, cursor, limit, deadline);
  }

  Result<std::optional<MemoryItem>> Get(std::string_view tenant, std::string_view memory_id,
                                        Deadline deadline) override {
    for (const auto& [user, memory] : all_.OfTenant(tenant, which_)) {
      UMBRANET_ASSIGN_OR_RETURN(std::optional<MemoryItem> found,
                                Part(*memory).Get(tenant, memory_id, deadline));
      if (found.has_value()) {
        return found;
      }
    }
    return std::optional<MemoryItem>();
  }

  Result<std::optional<MemoryItem>> Update(std::string_view tenant, std::string_view memory_id,
                                           const MemoryPatch& patch, Deadline deadline) override {
    UMBRANET_ASSIGN_OR_RETURN(const std::optional<MemoryItem> found,
                              Get(tenant, memory_id, deadline));
    if (!found.has_value()) {
      return found;
    }
    const std::shared_ptr<Memory> memory = MemoryOf(found->user);
    // Whether it may be changed so is told by the one that was asked.
    UMBRANET_ASSIGN_OR_RETURN(std::optional<MemoryItem> changed,
                              Part(*memory).Update(tenant, memory_id, patch, deadline));
    all_.Do(found->user,
            {.carry_out = [user = found->user, id = found->memory_id, patch](Memory& other) {
              const auto updated = Part(other).Update(user.tenant, id, patch, kNever);
              return updated.ok() && updated->has_value();
            }});
    return changed;
  }

  Result<bool> Erase(std::string_view tenant, std::string_view memory_id,
                     Deadline deadline) override {
    UMBRANET_ASSIGN_OR_RETURN(const std::optional<MemoryItem> found,
                              Get(tenant, memory_id, deadline));
    if (!found.has_value()) {
      return false;
    }
    all_.Do(found->user, {.carry_out = [user = found->user, id = found->memory_id](Memory& memory) {
              const auto erased = Part(memory).Erase(user.tenant, id, kNever);
              return erased.ok() && *erased;
            }});
    return true;
  }

  Result<std::uint64_t> EraseUser(const UserKey& user, Deadline deadline) override {
    all_.EndOthers(user);
    const std::shared_ptr<Memory> memory = all_.Find(user, GenerationState::kInForce);
    return memory == nullptr ? Result<std::uint64_t>(0) : Part(*memory).EraseUser(user, deadline);
  }

 protected:
  static Port& Part(Memory& memory) {
    if constexpr (std::is_same_v<Port, EpisodicMemory>) {
      return memory.episodic;
    } else if constexpr (std::is_same_v<Port, SemanticMemory>) {
      return memory.semantic;
    } else {
      return memory.procedural;
    }
  }

  // To be written to, or, in force, to be asked: everybody has one.
  std::shared_ptr<Memory> MemoryOf(const UserKey& user) {
    return which_ == GenerationState::kInForce ? all_.InForce(user) : all_.Find(user, which_);
  }

  InMemoryMemoryGenerations& all_;
  const GenerationState which_;
};

class InMemoryMemoryGenerations::Episodes final : public Tier<EpisodicMemory> {
 public:
  using Tier::Tier;

  Result<EpisodesFound> Find(const EpisodeQuery& query, Deadline deadline) override {
    const std::shared_ptr<Memory> memory = MemoryOf(query.user);
    return memory == nullptr ? InMemoryEpisodicMemory().Find(query, deadline)
                             : memory->episodic.Find(query, deadline);
  }

  Result<UnembeddedPage> Unembedded(std::string_view space, std::string_view cursor,
                                    std::size_t limit, Deadline deadline) override {
    UnembeddedPage page;
    for (const auto& [user, memory] : all_.AllInForce()) {
      UMBRANET_ASSIGN_OR_RETURN(UnembeddedPage of_user,
                                memory->episodic.Unembedded(space, cursor, limit, deadline));
      std::move(of_user.episodes.begin(), of_user.episodes.end(),
                std::back_inserter(page.episodes));
    }
    std::sort(page.episodes.begin(), page.episodes.end(),
              [](const auto& a, const auto& b) { return a.memory_id < b.memory_id; });
    if (page.episodes.size() > limit) {
      page.episodes.resize(limit);
    }
    if (page.episodes.size() == limit && limit > 0) {
      page.next_cursor = page.episodes.back().memory_id;
    }
    return page;
  }

  Status SaveVectors(std::string_view space, std::span<const EpisodeVector> vectors,
                     Deadline deadline) override {
    for (const auto& [user, memory] : all_.AllInForce()) {
      UMBRANET_RETURN_IF_ERROR(memory->episodic.SaveVectors(space, vectors, deadline));
      for (const EpisodeVector& vector : vectors) {
        UMBRANET_ASSIGN_OR_RETURN(const std::optional<MemoryItem> item,
                                  memory->episodic.Get(user.tenant, vector.memory_id, deadline));
        if (item.has_value()) {
          const MutexLock lock(all_.mutex_);
          all_.owners_[user].vectors[vector.memory_id] = {std::string(space), vector.embedding,
                                                          item->text};
        }
      }
    }
    return {};
  }

  Result<std::uint64_t> CountVectors(const UserKey& user, Deadline deadline) override {
    return all_.InForce(user)->episodic.CountVectors(user, deadline);
  }
};

class InMemoryMemoryGenerations::Facts final : public Tier<SemanticMemory> {
 public:
  using Tier::Tier;

  Result<std::uint64_t> ForgetUser(const UserKey& user, std::int64_t through_sequence,
                                   Deadline deadline) override {
    all_.EndOthers(user);
    return all_.InForce(user)->semantic.ForgetUser(user, through_sequence, deadline);
  }

  Result<FactsFound> Find(const FactQuery& query, Deadline deadline) override {
    return OneOf(query.user)->semantic.Find(query, deadline);
  }

  Result<std::vector<Entity>> KnownEntities(const UserKey& user, std::size_t limit,
                                            Deadline deadline) override {
    return OneOf(user)->semantic.KnownEntities(user, limit, deadline);
  }

  Result<KnowledgeGraph> ReadGraph(const UserKey& user, std::size_t facts_max,
                                   Deadline deadline) override {
    return OneOf(user)->semantic.ReadGraph(user, facts_max, deadline);
  }

  Result<std::vector<EntityMerge>> Merges(const UserKey& user, std::size_t limit,
                                          Deadline deadline) override {
    return OneOf(user)->semantic.Merges(user, limit, deadline);
  }

  Result<std::size_t> Unmerge(const UserKey& user, std::string_view name, std::string_view from,
                              Deadline deadline) override {
    const std::shared_ptr<Memory> memory = OneOf(user);
    UMBRANET_ASSIGN_OR_RETURN(const std::size_t undone,
                              memory->semantic.Unmerge(user, name, from, deadline));
    if (undone > 0) {
      std::int64_t through = 0;
      {
        const MutexLock lock(all_.mutex_);
        through = all_.owners_[user].last_sequence;
      }
      all_.Do(user, {.carry_out =
                         [user, name = std::string(name), from = std::string(from)](Memory& other) {
                           return other.semantic.Unmerge(user, name, from, kNever).ok();
                         },
                     .through_sequence = through});
    }
    return undone;
  }

 private:
  // An empty one where there is none.
  std::shared_ptr<Memory> OneOf(const UserKey& user) {
    std::shared_ptr<Memory> memory = MemoryOf(user);
    return memory == nullptr ? std::make_shared<Memory>(all_.store_.clock) : memory;
  }
};

class InMemoryMemoryGenerations::Rules final : public Tier<ProceduralMemory> {
 public:
  using Tier::Tier;

  Result<std::vector<Rule>> Active(const UserKey& user, std::optional<Timestamp> as_of,
                                   std::size_t limit, Deadline deadline) override {
    const std::shared_ptr<Memory> memory = MemoryOf(user);
    return memory == nullptr ? Result<std::vector<Rule>>(std::vector<Rule>())
                             : memory->procedural.Active(user, as_of, limit, deadline);
  }
};

InMemoryMemoryGenerations::InMemoryMemoryGenerations(InMemoryLedgerStore& store) : store_(store) {
  for (const GenerationState which : {GenerationState::kShadow, GenerationState::kInForce}) {
    episodes_.push_back(std::make_unique<Episodes>(*this, which));
    facts_.push_back(std::make_unique<Facts>(*this, which));
    rules_.push_back(std::make_unique<Rules>(*this, which));
  }
}

InMemoryMemoryGenerations::~InMemoryMemoryGenerations() = default;

MemoryGenerations::Tiers InMemoryMemoryGenerations::in_force() {
  return {*episodes_[1], *facts_[1], *rules_[1]};
}

MemoryGenerations::Tiers InMemoryMemoryGenerations::shadow() {
  return {*episodes_[0], *facts_[0], *rules_[0]};
}

std::shared_ptr<InMemoryMemoryGenerations::Memory> InMemoryMemoryGenerations::Find(
    const UserKey& user, GenerationState which) {
  const MutexLock lock(mutex_);
  const auto owner = owners_.find(user);
  if (owner == owners_.end()) {
    return nullptr;
  }
  const auto memory = owner->second.memories.find(which);
  return memory == owner->second.memories.end() ? nullptr : memory->second;
}

std::shared_ptr<InMemoryMemoryGenerations::Memory> InMemoryMemoryGenerations::InForce(
    const UserKey& user) {
  const MutexLock lock(mutex_);
  std::shared_ptr<Memory>& memory = owners_[user].memories[GenerationState::kInForce];
  if (memory == nullptr) {
    memory = std::make_shared<Memory>(store_.clock);
  }
  return memory;
}

std::vector<std::pair<UserKey, std::shared_ptr<InMemoryMemoryGenerations::Memory>>>
InMemoryMemoryGenerations::OfTenant(std::string_view tenant, GenerationState which) {
  const MutexLock lock(mutex_);
  std::vector<std::pair<UserKey, std::shared_ptr<Memory>>> found;
  for (const auto& [user, owner] : owners_) {
    const auto memory = owner.memories.find(which);
    if (user.tenant == tenant && memory != owner.memories.end()) {
      found.emplace_back(user, memory->second);
    }
  }
  return found;
}

std::vector<std::pair<UserKey, std::shared_ptr<InMemoryMemoryGenerations::Memory>>>
InMemoryMemoryGenerations::AllInForce() {
  const MutexLock lock(mutex_);
  std::vector<std::pair<UserKey, std::shared_ptr<Memory>>> found;
  for (const auto& [user, owner] : owners_) {
    const auto memory = owner.memories.find(GenerationState::kInForce);
    if (memory != owner.memories.end()) {
      found.emplace_back(user, memory->second);
    }
  }
  return found;
}

bool InMemoryMemoryGenerations::IsLeased(std::span<const ReflectionPlan> plans,
                                         const Lease& fence) {
  const MutexLock lock(store_.mutex);
  for (const ReflectionPlan& plan : plans) {
    if (!store_.IsLeasedUnder(fence.token, plan.job_id)) {
      return false;
    }
  }
  return true;
}

void InMemoryMemoryGenerations::CatchUp(const ReflectionPlan& plan, Memory& memory) {
  const MutexLock lock(mutex_);
  Owner& owner = owners_[plan.user];
  owner.last_sequence = std::max(owner.last_sequence, plan.sequence);
  for (std::size_t i = 0; i < owner.acts.size(); ++i) {
    const Act& act = owner.acts[i];
    if (act.through_sequence > 0) {
      if (plan.sequence <= act.through_sequence) {
        act.carry_out(memory);
      }
    } else if (!memory.acts_done.contains(i) && act.carry_out(memory)) {
      memory.acts_done.insert(i);
    }
  }
  for (const auto& [id, known] : owner.vectors) {
    const auto item = memory.episodic.Get(plan.user.tenant, id, kNever);
    if (item.ok() && item->has_value() && (*item)->text == known.text) {
      const std::vector<EpisodeVector> one{{id, known.embedding}};
      (void)memory.episodic.SaveVectors(known.space, one, kNever).ok();
    }
  }
}

void InMemoryMemoryGenerations::Do(const UserKey& user, Act act) {
  const MutexLock lock(mutex_);
  Owner& owner = owners_[user];
  const std::size_t index = owner.acts.size();
  owner.acts.push_back(std::move(act));
  for (auto& [state, memory] : owner.memories) {
    if (owner.acts.back().carry_out(*memory)) {
      memory->acts_done.insert(index);
    }
  }
}

void InMemoryMemoryGenerations::EndOthers(const UserKey& user) {
  const MutexLock lock(mutex_);
  const auto owner = owners_.find(user);
  if (owner != owners_.end()) {
    owner->second.memories.erase(GenerationState::kShadow);
    owner->second.memories.erase(GenerationState::kFormer);
  }
}

Result<GenerationsOfUser> InMemoryMemoryGenerations::Read(const UserKey& user,
                                                          Deadline /*deadline*/) {
  const auto tell = [&](const Memory& memory) {
    MemoryGeneration generation{.extractor = memory.extractor,
                                .began_at = memory.began_at,
                                .turns = memory.turns,
                                .fallbacks = memory.fallbacks};
    const MutexLock lock(store_.mutex);
    for (const auto& [seq, turn] : store_.turns) {
      generation.lacking +=
          turn.interaction.user == user && seq > memory.through_sequence ? 1U : 0U;
    }
    return generation;
  };
  GenerationsOfUser generations;
  if (const auto shadow = Find(user, GenerationState::kShadow); shadow != nullptr) {
    generations.shadow = tell(*shadow);
  }
  if (const auto former = Find(user, GenerationState::kFormer); former != nullptr) {
    generations.former = tell(*former);
  }
  return generations;
}

Status InMemoryMemoryGenerations::Begin(const UserKey& user, std::string_view extractor,
                                        Deadline /*deadline*/) {
  if (const auto shadow = Find(user, GenerationState::kShadow); shadow != nullptr) {
    return shadow->extractor == extractor
               ? Status()
               : FailedPrecondition("rebuild: another extractor works it out anew");
  }
  auto memory = std::make_shared<Memory>(store_.clock);
  memory->extractor = extractor;
  memory->began_at = store_.clock.Now();
  const MutexLock lock(mutex_);
  owners_[user].memories[GenerationState::kShadow] = std::move(memory);
  return {};
}

Result<std::vector<LackingTurn>> InMemoryMemoryGenerations::Lacking(const UserKey& user,
                                                                    std::size_t limit,
                                                                    Deadline /*deadline*/) {
  const std::shared_ptr<Memory> shadow = Find(user, GenerationState::kShadow);
  if (shadow == nullptr) {
    return NotBeingRebuilt();
  }
  const MutexLock lock(store_.mutex);
  std::vector<LackingTurn> turns;
  for (const auto& [seq, turn] : store_.turns) {
    if (turn.interaction.user != user || seq <= shadow->through_sequence || turns.size() == limit) {
      continue;
    }
    const auto job = store_.jobs.find(seq);
    turns.push_back(
        {seq, job != store_.jobs.end()
                  ? job->second.status.job.job_id
                  : MakeJobId(user, turn.interaction.interaction_id, turn.past_generation)});
  }
  return turns;
}

Status InMemoryMemoryGenerations::Took(const UserKey& user, std::int64_t through_sequence,
                                       std::uint64_t turns, std::uint64_t fallbacks,
                                       Deadline /*deadline*/) {
  const std::shared_ptr<Memory> shadow = Find(user, GenerationState::kShadow);
  if (shadow == nullptr) {
    return NotBeingRebuilt();
  }
  const MutexLock lock(mutex_);
  shadow->through_sequence = std::max(shadow->through_sequence, through_sequence);
  shadow->turns += turns;
  shadow->fallbacks += fallbacks;
  return {};
}

std::int64_t InMemoryMemoryGenerations::ReflectedThrough(const UserKey& user) {
  std::int64_t through = 0;
  for (const auto& [seq, turn] : store_.turns) {
    if (turn.interaction.user != user) {
      continue;
    }
    const auto job = store_.jobs.find(seq);
    const JobState state = job == store_.jobs.end() ? turn.past_state : job->second.status.state;
    if (state == JobState::kReady || state == JobState::kLeased || state == JobState::kRetryWait) {
      return seq - 1;
    }
    through = seq;
  }
  return through;
}

std::uint64_t InMemoryMemoryGenerations::ReflectBehind(const UserKey& user,
                                                       std::int64_t through_sequence) {
  std::uint64_t repeated = 0;
  for (auto& [seq, turn] : store_.turns) {
    if (turn.interaction.user != user || seq <= through_sequence) {
      continue;
    }
    const auto current = store_.jobs.find(seq);
    const bool has_job = current != store_.jobs.end();
    if ((has_job ? current->second.status.state : turn.past_state) != JobState::kDone) {
      if (has_job) {
        current->second.status.tiers_done = 0;
      }
      continue;
    }
    ReflectionJob job = has_job ? current->second.status.job : ReflectionJob();
    job.generation = (has_job ? job.generation : turn.past_generation) + 1;
    job.user = user;
    job.interaction_id = turn.interaction.interaction_id;
    job.priority = Priority::kLow;
    job.job_id = MakeJobId(user, job.interaction_id, job.generation);
    store_.Retire(seq);
    store_.AddJob(seq, job, /*has_turn=*/true);
    ++repeated;
  }
  for (InMemoryLedgerStore::Job* job : store_.LeasedJobs(user)) {
    job->status.state = JobState::kReady;
  }
  store_.EndLease(user);
  return repeated;
}

Result<std::uint64_t> InMemoryMemoryGenerations::Swap(const UserKey& user,
                                                      IncomingGeneration incoming,
                                                      Deadline /*deadline*/) {
  const bool forward = incoming == IncomingGeneration::kShadow;
  const GenerationState in = forward ? GenerationState::kShadow : GenerationState::kFormer;
  const GenerationState out = forward ? GenerationState::kFormer : GenerationState::kShadow;
  const std::shared_ptr<Memory> goes = InForce(user);
  const std::shared_ptr<Memory> comes = Find(user, in);
  if (comes == nullptr) {
    return FailedPrecondition(forward ? "rebuild: nothing has been worked out anew for this user"
                                      : "rebuild: this user has no former memory to go back to");
  }
  const MutexLock lock(mutex_);
  const MutexLock ledger(store_.mutex);
  goes->through_sequence = ReflectedThrough(user);
  Owner& owner = owners_[user];
  owner.memories.erase(in);
  owner.memories[out] = goes;
  owner.memories[GenerationState::kInForce] = comes;
  return ReflectBehind(user, comes->through_sequence);
}

Result<std::uint64_t> InMemoryMemoryGenerations::Discard(const UserKey& user,
                                                         Deadline /*deadline*/) {
  const MutexLock lock(mutex_);
  Owner& owner = owners_[user];
  return owner.memories.erase(GenerationState::kShadow) +
         owner.memories.erase(GenerationState::kFormer);
}

}  // namespace umbranet
