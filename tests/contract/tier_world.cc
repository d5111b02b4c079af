#include "tests/contract/tier_world.h"

#include <utility>

#include "tests/doubles/in_memory_episode_consolidation.h"
#include "tests/doubles/in_memory_episodic_memory.h"
#include "tests/doubles/in_memory_procedural_memory.h"
#include "tests/doubles/in_memory_semantic_memory.h"
#include "tests/doubles/in_memory_short_term_memory.h"

namespace umbranet {
namespace {

const Deadline kNever = Deadline::Never();

class InMemoryWorld final : public TierWorld {
 public:
  ShortTermMemory& short_term() override { return short_term_; }

  EpisodicMemory& episodic() override { return episodic_; }

  SemanticMemory& semantic() override { return semantic_; }

  ProceduralMemory& procedural() override { return procedural_; }

  EpisodeConsolidation* consolidation() override { return &consolidation_; }

  Interaction Accept(Interaction turn) override {
    turn.sequence = ++sequence_;
    return turn;
  }

  Lease Claim(std::span<const ReflectionPlan> /*plans*/) override { return {++token_}; }

  void Release(const Lease& /*lease*/) override {}

  void ForgetTurns(const UserKey& /*user*/) override {}

 private:
  InMemoryShortTermMemory short_term_;
  InMemoryEpisodicMemory episodic_;
  InMemoryEpisodeConsolidation consolidation_{episodic_, clock_};
  InMemorySemanticMemory semantic_{clock_};
  InMemoryProceduralMemory procedural_{clock_};
  std::int64_t sequence_ = 0;
  std::uint64_t token_ = 0;
};

}  // namespace

std::unique_ptr<TierWorld> MakeInMemoryWorld() {
  return std::make_unique<InMemoryWorld>();
}

std::string TierWorldName(const testing::TestParamInfo<TierWorldKind>& info) {
  return info.param.name;
}

void TierContract::SetUp() {
  if (const std::string missing = GetParam().missing(); !missing.empty()) {
    GTEST_SKIP() << missing;
  }
  world_ = GetParam().make();
}

ReflectionPlan TierContract::NewPlan(const UserKey& user, int minute,
                                     const std::string& interaction_id,
                                     const std::string& session_id) {
  Interaction turn;
  turn.interaction_id =
      interaction_id.empty() ? "turn-" + std::to_string(++turns_) : interaction_id;
  turn.user = user;
  turn.session_id = session_id;
  turn.occurred_at = At(minute);
  turn.accepted_at = At(minute);
  turn.user_message = "hello";
  turn = world_->Accept(std::move(turn));
  ReflectionPlan plan;
  plan.job_id = MakeJobId(user, turn.interaction_id);
  plan.interaction_id = turn.interaction_id;
  plan.user = user;
  plan.session_id = session_id;
  plan.occurred_at = turn.occurred_at;
  plan.sequence = turn.sequence;
  plan.extractor = "rules/1";
  return plan;
}

ReflectionPlan TierContract::NextGeneration(ReflectionPlan plan, std::uint32_t generation) {
  plan.job_id = MakeJobId(plan.user, plan.interaction_id, generation);
  return plan;
}

Status TierContract::TryApply(MemoryTier& tier, const std::vector<ReflectionPlan>& plans) {
  const Lease lease = world_->Claim(plans);
  Status applied = tier.Apply(plans, lease, kNever);
  world_->Release(lease);
  return applied;
}

void TierContract::Apply(MemoryTier& tier, const std::vector<ReflectionPlan>& plans) {
  const Status applied = TryApply(tier, plans);
  ASSERT_TRUE(applied.ok()) << applied.error().message;
}

std::vector<MemoryItem> TierContract::ListAll(MemoryTier& tier, const UserKey& user,
                                              std::size_t page) {
  std::vector<MemoryItem> all;
  std::string cursor;
  do {
    const auto listed = tier.List(user, cursor, page, kNever);
    EXPECT_TRUE(listed.ok());
    all.insert(all.end(), listed->items.begin(), listed->items.end());
    cursor = listed->next_cursor;
  } while (!cursor.empty());
  return all;
}

std::vector<std::string> TierContract::Texts(const std::vector<MemoryItem>& items) {
  std::vector<std::string> texts;
  for (const MemoryItem& item : items) {
    texts.push_back(item.text);
  }
  return texts;
}

}  // namespace umbranet
