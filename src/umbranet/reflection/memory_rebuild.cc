#include "umbranet/reflection/memory_rebuild.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "umbranet/reflection/completed_plan.h"
#include "umbranet/reflection/known_facts.h"
#include "umbranet/reflection/preceding_turns.h"

namespace umbranet {
namespace {

constexpr std::size_t kComparedPage = 500;

Result<std::vector<MemoryItem>> ListAll(MemoryTier& tier, const UserKey& user, Deadline deadline) {
  std::vector<MemoryItem> all;
  std::string cursor;
  do {
    UMBRANET_ASSIGN_OR_RETURN(MemoryPage page, tier.List(user, cursor, kComparedPage, deadline));
    std::move(page.items.begin(), page.items.end(), std::back_inserter(all));
    cursor = std::move(page.next_cursor);
  } while (!cursor.empty());
  return all;
}

// Turns of one conversation after the other, each in its order, unless they may be together.
std::vector<std::vector<Interaction>> GroupTurns(std::vector<Interaction> turns, bool together) {
  std::vector<std::vector<Interaction>> groups;
  for (Interaction& turn : turns) {
    const auto group = std::find_if(groups.begin(), groups.end(), [&](const auto& others) {
      return together || others.front().session_id == turn.session_id;
    });
    if (group == groups.end()) {
      groups.push_back({std::move(turn)});
    } else {
      group->push_back(std::move(turn));
    }
  }
  return groups;
}

}  // namespace

// Holds a user's place among those who take steps.
class MemoryRebuild::OneStep {
 public:
  OneStep(MemoryRebuild& rebuild, const UserKey& user) : rebuild_(rebuild), user_(user) {
    const MutexLock lock(rebuild_.mutex_);
    alone_ = rebuild_.under_way_.insert(user_).second;
  }

  ~OneStep() {
    if (alone_) {
      const MutexLock lock(rebuild_.mutex_);
      rebuild_.under_way_.erase(user_);
    }
  }

  OneStep(const OneStep&) = delete;
  OneStep& operator=(const OneStep&) = delete;

  [[nodiscard]] bool alone() const { return alone_; }

 private:
  MemoryRebuild& rebuild_;
  const UserKey& user_;
  bool alone_ = false;
};

Result<RebuildStep> MemoryRebuild::Advance(const UserKey& user, Extractor& extractor,
                                           std::size_t turns_max, Deadline deadline) {
  const OneStep step(*this, user);
  if (!step.alone()) {
    return FailedPrecondition("rebuild: another request works on this user's memory just now");
  }
  UMBRANET_RETURN_IF_ERROR(stores_.generations.Begin(user, extractor.Name(), deadline));
  RebuildStep whole;
  for (;;) {
    const std::size_t room = turns_max - std::min<std::size_t>(turns_max, whole.taken);
    auto taken = TakeBatch(user, extractor, std::min(options_.batch_turns, room), deadline);
    if (!taken.ok()) {
      // What came before the time ran out is there.
      if (whole.taken > 0 && taken.error().code == ErrorCode::kDeadlineExceeded) {
        return whole;
      }
      return std::move(taken).error();
    }
    whole.taken += taken->taken;
    whole.fallbacks += taken->fallbacks;
    whole.stopped = std::move(taken->stopped);
    if (taken->taken == 0 || !whole.stopped.empty() || whole.taken >= turns_max) {
      break;
    }
  }
  log_.Info("memory_rebuild_step", {{"extractor", extractor.Name()},
                                    {"turns", whole.taken},
                                    {"fallbacks", whole.fallbacks},
                                    {"stopped", whole.stopped}});
  return whole;
}

Result<RebuildStep> MemoryRebuild::TakeBatch(const UserKey& user, Extractor& extractor,
                                             std::size_t turns_max, Deadline deadline) {
  RebuildStep step;
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<LackingTurn> lacking,
                            stores_.generations.Lacking(user, turns_max, deadline));
  if (lacking.empty()) {
    return step;
  }
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<ReflectionPlan> plans,
                            MakePlans(user, extractor, lacking, deadline));
  for (const ReflectionPlan& plan : plans) {
    if (options_.wait_for.contains(plan.fallback)) {
      step.stopped = plan.fallback;
      return step;
    }
    step.fallbacks += plan.fallback.empty() ? std::uint64_t{0} : std::uint64_t{1};
  }
  UMBRANET_RETURN_IF_ERROR(Apply(plans, deadline));
  step.taken = lacking.size();
  UMBRANET_RETURN_IF_ERROR(stores_.generations.Took(user, lacking.back().sequence, step.taken,
                                                    step.fallbacks, deadline));
  return step;
}

Result<std::vector<ReflectionPlan>> MemoryRebuild::MakePlans(
    const UserKey& user, Extractor& extractor, const std::vector<LackingTurn>& lacking,
    Deadline deadline) {
  std::vector<std::int64_t> sequences;
  std::map<std::int64_t, std::string_view> jobs;
  for (const LackingTurn& turn : lacking) {
    sequences.push_back(turn.sequence);
    jobs.emplace(turn.sequence, turn.job_id);
  }
  UMBRANET_ASSIGN_OR_RETURN(std::vector<Interaction> turns,
                            stores_.journal.ReadAt(user, sequences, deadline));
  if (turns.size() != lacking.size()) {
    return Aborted("rebuild: turns of this user were forgotten meanwhile");
  }
  std::vector<ReflectionPlan> plans;
  for (std::vector<Interaction>& group :
       GroupTurns(std::move(turns), extractor.Scope().sessions_together)) {
    UMBRANET_ASSIGN_OR_RETURN(std::vector<ReflectionPlan> made,
                              Extract(user, extractor, group, deadline));
    for (std::size_t i = 0; i < made.size(); ++i) {
      plans.push_back(
          CompletedPlan(std::move(made[i]), jobs[group[i].sequence], group[i], extractor.Name()));
    }
  }
  return plans;
}

Result<std::vector<ReflectionPlan>> MemoryRebuild::Extract(const UserKey& user,
                                                           Extractor& extractor,
                                                           std::vector<Interaction> turns,
                                                           Deadline deadline) {
  const MemoryGenerations::Tiers shadow = stores_.generations.shadow();
  ExtractionInput input;
  input.turns = std::move(turns);
  const std::size_t count = input.turns.size();
  UMBRANET_ASSIGN_OR_RETURN(input.known_entities, shadow.semantic.KnownEntities(
                                                      user, options_.known_entities_max, deadline));
  UMBRANET_ASSIGN_OR_RETURN(
      input.known_rules,
      shadow.procedural.Active(user, std::nullopt, options_.known_rules_max, deadline));
  UMBRANET_ASSIGN_OR_RETURN(input.preceding,
                            ReadPrecedingTurns(stores_.journal, user, input.turns,
                                               options_.preceding_turns_max, deadline));
  if (extractor.Scope().known_facts) {
    UMBRANET_ASSIGN_OR_RETURN(
        input.known_facts,
        FindKnownFacts(shadow.semantic, user, input.turns, options_.known_facts_max, deadline));
  }
  UMBRANET_ASSIGN_OR_RETURN(std::vector<ReflectionPlan> plans, extractor.Extract(input, deadline));
  if (plans.size() != count) {
    return Internal("extractor: " + std::to_string(plans.size()) + " plans for " +
                    std::to_string(count) + " turns");
  }
  return plans;
}

Status MemoryRebuild::Apply(const std::vector<ReflectionPlan>& plans, Deadline deadline) {
  const MemoryGenerations::Tiers shadow = stores_.generations.shadow();
  for (MemoryTier* tier :
       {static_cast<MemoryTier*>(&shadow.episodic), static_cast<MemoryTier*>(&shadow.semantic),
        static_cast<MemoryTier*>(&shadow.procedural)}) {
    UMBRANET_RETURN_IF_ERROR(tier->Apply(plans, Lease{}, deadline));
  }
  return {};
}

Result<std::map<Tier, MemoryDifference>> MemoryRebuild::Compare(const UserKey& user,
                                                                std::size_t items_max,
                                                                Deadline deadline) {
  const MemoryGenerations::Tiers shadow = stores_.generations.shadow();
  const std::map<Tier, std::pair<MemoryTier*, MemoryTier*>> tiers = {
      {Tier::kEpisodic, {&stores_.episodic, &shadow.episodic}},
      {Tier::kSemantic, {&stores_.semantic, &shadow.semantic}},
      {Tier::kProcedural, {&stores_.procedural, &shadow.procedural}}};
  std::map<Tier, MemoryDifference> differences;
  for (const auto& [tier, stores] : tiers) {
    UMBRANET_ASSIGN_OR_RETURN(const std::vector<MemoryItem> before,
                              ListAll(*stores.first, user, deadline));
    UMBRANET_ASSIGN_OR_RETURN(const std::vector<MemoryItem> after,
                              ListAll(*stores.second, user, deadline));
    differences.emplace(tier, CompareMemories(before, after, items_max));
  }
  return differences;
}

}  // namespace umbranet
