// Goal: whatever plans come, in whatever order and however often, the tiers of ModelledWorlds()
// hold the same memory as their in-memory twins. Method: random turns over a tiny vocabulary, so
// that they repeat, contradict, retract and rename each other; the engine is given them in another
// order than the twin, in batches, some twice; some memories are edited or erased by hand; then all
// that can be read is compared, ids included.
#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "umbranet/base/text_analysis.h"

#include "tests/contract/tier_world.h"

namespace umbranet {
namespace {

const Deadline kNever = Deadline::Never();

constexpr std::array<const char*, 8> kNames = {"user",  "Ana",    "Eva",       "Liz",
                                               "Lizzy", "sister", "my sister", "boss"};
constexpr std::array<const char*, 6> kThings = {"Porto", "the mill", "tea", "Ana", "Liz", ""};
constexpr std::array<Predicate, 4> kPredicates = {Predicate::kLivesIn, Predicate::kLikes,
                                                  Predicate::kRelation, Predicate::kState};
constexpr std::array<const char*, 4> kKeys = {"emoji", "short answer", "answer french", "unit"};
constexpr std::array<const char*, 3> kSessions = {"s", "t", "u"};

template <typename Values>
auto Pick(const Values& values) {
  return values[*rc::gen::inRange<std::size_t>(0, values.size())];
}

bool OneIn(int count) {
  return *rc::gen::inRange(0, count) == 0;
}

std::optional<Timestamp> MaybeTime() {
  if (!OneIn(3)) {
    return std::nullopt;
  }
  return ManualClock::kStart + std::chrono::minutes(*rc::gen::inRange(-20, 60));
}

PlannedFact DrawFact() {
  PlannedFact fact;
  fact.subject = Pick(kNames);
  fact.predicate = Pick(kPredicates);
  fact.object = Pick(kThings);
  fact.object_is_entity = OneIn(2);
  fact.negated = OneIn(4);
  fact.retracts = OneIn(5);
  fact.supersedes = OneIn(5);
  fact.ends_object = OneIn(6) ? Pick(kThings) : "";
  fact.qualifier = OneIn(4) ? "color" : "";
  fact.valid_from = MaybeTime();
  fact.valid_to = OneIn(3) ? MaybeTime() : std::nullopt;
  fact.confidence = 0.5 + 0.1 * *rc::gen::inRange(0, 5);
  fact.text = fact.subject + " and " + fact.object + " and " + Pick(kThings);
  return fact;
}

PlannedRule DrawRule() {
  PlannedRule rule;
  rule.key = Pick(kKeys);
  rule.negative = OneIn(3);
  rule.withdraws = OneIn(4);
  rule.text = rule.key + (OneIn(2) ? " please" : " always");
  return rule;
}

ReflectionPlan DrawPlan() {
  ReflectionPlan plan;
  plan.session_id = Pick(kSessions);
  // Few different times, so that many are equal.
  plan.occurred_at = ManualClock::kStart + std::chrono::minutes(*rc::gen::inRange(0, 12));
  for (int i = *rc::gen::inRange(0, 3); i > 0; --i) {
    plan.episodes.push_back({OneIn(3) ? Role::kAssistant : Role::kUser,
                             Pick(kNames),
                             std::string(Pick(kThings)) + " with " + Pick(kNames),
                             0.5,
                             {}});
  }
  for (int i = *rc::gen::inRange(0, 3); i > 0; --i) {
    PlannedEntity entity{Pick(kNames), OneIn(2) ? EntityType::kPerson : EntityType::kOther, {}};
    for (int alias = *rc::gen::inRange(0, 3); alias > 0; --alias) {
      entity.aliases.emplace_back(Pick(kNames));
    }
    plan.entities.push_back(std::move(entity));
  }
  for (int i = *rc::gen::inRange(0, 4); i > 0; --i) {
    plan.facts.push_back(DrawFact());
  }
  for (int i = *rc::gen::inRange(0, 3); i > 0; --i) {
    plan.rules.push_back(DrawRule());
  }
  return plan;
}

// Gives the plans their turns, in the order given.
std::vector<ReflectionPlan> Accept(TierWorld& world, const UserKey& user,
                                   std::vector<ReflectionPlan> plans) {
  for (std::size_t i = 0; i < plans.size(); ++i) {
    Interaction turn;
    turn.interaction_id = "turn-" + std::to_string(i);
    turn.user = user;
    turn.session_id = plans[i].session_id;
    turn.occurred_at = plans[i].occurred_at;
    turn.user_message = "x";
    plans[i].user = user;
    plans[i].interaction_id = turn.interaction_id;
    plans[i].job_id = MakeJobId(user, turn.interaction_id);
    plans[i].sequence = static_cast<std::int64_t>(i) + 1;
    world.Accept(std::move(turn));
  }
  return plans;
}

void Apply(TierWorld& world, const std::vector<ReflectionPlan>& plans) {
  const Lease lease = world.Claim(plans);
  for (MemoryTier* tier :
       {static_cast<MemoryTier*>(&world.episodic()), static_cast<MemoryTier*>(&world.semantic()),
        static_cast<MemoryTier*>(&world.procedural())}) {
    const Status applied = tier->Apply(plans, lease, kNever);
    RC_ASSERT(applied.ok());
  }
  world.Release(lease);
}

template <typename T>
T Must(Result<T> result) {
  RC_ASSERT(result.ok());
  return std::move(result).value();
}

std::string Show(const std::optional<Timestamp>& time) {
  return time.has_value() ? std::to_string(ToUnixMillis(*time)) : "-";
}

std::string Show(const std::vector<std::string>& texts) {
  std::string shown;
  for (const std::string& text : texts) {
    shown += text + ",";
  }
  return shown;
}

std::string Show(const MemoryItem& item) {
  std::string shown = item.memory_id + "|" + item.text + "|" + Show(item.occurred_at) + "|" +
                      Show(item.valid_from) + "|" + Show(item.valid_to) + "|" +
                      item.superseded_by.value_or("-");
  for (const SourceRef& source : item.sources) {
    shown += "|" + source.interaction_id;
  }
  return shown;
}

std::string Show(const Fact& fact) {
  return fact.memory_id + "|" + fact.subject_id + "|" + fact.subject + "|" +
         std::string(PredicateName(fact.predicate)) + "|" + fact.qualifier + "|" + fact.object +
         "|" + fact.object_id.value_or("-") + "|" + (fact.negated ? "not|" : "|") + fact.text +
         "|" + Show(fact.valid_from) + "|" + Show(fact.valid_to) + "|" +
         fact.superseded_by.value_or("-") + "|" + std::to_string(fact.confidence) + "|" +
         std::to_string(fact.evidence);
}

std::string Show(const CorpusStatistics& statistics) {
  std::string shown =
      std::to_string(statistics.documents) + " of " + std::to_string(statistics.length_mean);
  for (const std::uint64_t frequency : statistics.document_frequency) {
    shown += " " + std::to_string(frequency);
  }
  return shown;
}

template <typename Candidate>
std::string ShowCounts(const Candidate& candidate) {
  std::string shown = "|" + std::to_string(candidate.length);
  for (const std::uint32_t count : candidate.term_counts) {
    shown += " " + std::to_string(count);
  }
  return shown;
}

using Lines = std::vector<std::string>;

// Everything that the user's tiers say about him.
Lines Describe(TierWorld& world, const UserKey& user, std::optional<Timestamp> as_of) {
  Lines lines;
  for (MemoryTier* tier :
       {static_cast<MemoryTier*>(&world.episodic()), static_cast<MemoryTier*>(&world.semantic()),
        static_cast<MemoryTier*>(&world.procedural())}) {
    const MemoryPage page = Must(tier->List(user, "", 1000, kNever));
    for (const MemoryItem& item : page.items) {
      lines.push_back(Show(item));
    }
  }
  const std::vector<Entity> entities = Must(world.semantic().KnownEntities(user, 100, kNever));
  for (const Entity& entity : entities) {
    lines.push_back(entity.entity_id + "|" + entity.name + "|" +
                    std::string(EntityTypeName(entity.type)) + "|" + Show(entity.aliases));
  }
  const std::vector<Rule> rules = Must(world.procedural().Active(user, as_of, 100, kNever));
  for (const Rule& rule : rules) {
    lines.push_back(rule.memory_id + "|" + rule.text + "|" + rule.key + "|" +
                    Show(rule.occurred_at) + "|" + std::to_string(rule.evidence));
  }
  const std::vector<std::string> terms = AnalyzeTerms("Porto mill tea Ana Lizzy sister user boss");
  Lines found;
  EpisodeQuery episodes{.user = user, .terms = terms, .as_of = as_of};
  const EpisodesFound found_episodes = Must(world.episodic().Find(episodes, kNever));
  for (const EpisodeCandidate& candidate : found_episodes.candidates) {
    found.push_back(candidate.episode->memory_id + "|" + candidate.episode->session_id + "|" +
                    candidate.episode->text + (candidate.matched ? "|matched" : "|beside") +
                    ShowCounts(candidate));
  }
  const FactsFound facts =
      Must(world.semantic().Find({.user = user, .terms = terms, .as_of = as_of}, kNever));
  for (const FactCandidate& candidate : facts.candidates) {
    found.push_back(Show(candidate.fact) + ShowCounts(candidate));
  }
  std::sort(found.begin(), found.end());
  lines.insert(lines.end(), found.begin(), found.end());
  lines.push_back(Show(found_episodes.statistics));
  lines.push_back(Show(found_episodes.assistant_statistics));
  lines.push_back(Show(facts.statistics));
  return lines;
}

// The first line that differs says more than both descriptions.
void Compare(const Lines& sqlite, const Lines& twin) {
  const auto [at, expected] = std::mismatch(sqlite.begin(), sqlite.end(), twin.begin(), twin.end());
  if (at != sqlite.end() || expected != twin.end()) {
    RC_LOG() << "sqlite: " << (at == sqlite.end() ? "nothing" : *at)
             << "\ntwin:   " << (expected == twin.end() ? "nothing" : *expected) << "\n";
    RC_FAIL("the memories differ");
  }
}

// An owner's change to the memory that is `at`-th in the list of its tier.
struct Change {
  int tier = 0;
  std::size_t at = 0;
  bool erase = false;
  MemoryPatch patch;
};

void Make(TierWorld& world, const UserKey& user, const Change& change) {
  MemoryTier& tier = change.tier == 0   ? static_cast<MemoryTier&>(world.episodic())
                     : change.tier == 1 ? static_cast<MemoryTier&>(world.semantic())
                                        : static_cast<MemoryTier&>(world.procedural());
  const std::vector<MemoryItem> items = Must(tier.List(user, "", 1000, kNever)).items;
  if (items.empty()) {
    return;
  }
  const std::string& id = items[change.at % items.size()].memory_id;
  if (change.erase) {
    RC_ASSERT(Must(tier.Erase(user.tenant, id, kNever)));
    return;
  }
  MemoryPatch patch = change.patch;
  if (change.tier == 0) {
    patch.valid_to.reset();
  }
  RC_ASSERT(Must(tier.Update(user.tenant, id, patch, kNever)).has_value());
}

Change DrawChange() {
  Change change{.tier = *rc::gen::inRange(0, 3),
                .at = *rc::gen::inRange<std::size_t>(0, 10),
                .erase = OneIn(2),
                .patch = {}};
  change.patch.valid_to = MaybeTime();
  if (OneIn(2)) {
    change.patch.text = std::string("edited ") + Pick(kThings);
  }
  return change;
}

class TiersModel : public testing::TestWithParam<TierWorldKind> {
 protected:
  void SetUp() override {
    if (const std::string missing = GetParam().missing(); !missing.empty()) {
      GTEST_SKIP() << missing;
    }
    world_ = GetParam().make();
  }

  std::unique_ptr<TierWorld> world_;
};

INSTANTIATE_TEST_SUITE_P(Implementations, TiersModel, testing::ValuesIn(ModelledWorlds()),
                         TierWorldName);

TEST_P(TiersModel, HoldsWhatTheTwinsHold) {
  const auto twin = MakeInMemoryWorld();
  int cases = 0;
  const auto holds = [&] {
    const UserKey user{"default", "user" + std::to_string(++cases)};
    std::vector<ReflectionPlan> drawn;
    for (int i = *rc::gen::inRange(1, 9); i > 0; --i) {
      drawn.push_back(DrawPlan());
    }
    const std::vector<ReflectionPlan> plans = Accept(*twin, user, drawn);
    Accept(*world_, user, drawn);
    Apply(*twin, plans);

    std::vector<ReflectionPlan> shuffled = plans;
    std::shuffle(shuffled.begin(), shuffled.end(), std::mt19937(*rc::gen::arbitrary<unsigned>()));
    shuffled.push_back(shuffled.front());
    for (std::size_t first = 0; first < shuffled.size();) {
      const std::size_t size = *rc::gen::inRange<std::size_t>(1, 4);
      const std::size_t end = std::min(first + size, shuffled.size());
      Apply(*world_, {shuffled.begin() + static_cast<std::ptrdiff_t>(first),
                      shuffled.begin() + static_cast<std::ptrdiff_t>(end)});
      first = end;
    }
    const std::optional<Timestamp> as_of = MaybeTime();
    Compare(Describe(*world_, user, as_of), Describe(*twin, user, as_of));

    for (int i = *rc::gen::inRange(0, 3); i > 0; --i) {
      const Change change = DrawChange();
      Make(*twin, user, change);
      Make(*world_, user, change);
      Compare(Describe(*world_, user, as_of), Describe(*twin, user, as_of));
    }
  };
  EXPECT_TRUE(rc::check(holds));
}

}  // namespace
}  // namespace umbranet
