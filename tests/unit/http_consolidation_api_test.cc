// Goal: an operator sees what sums up a user's old episodes and takes it back; an owner sees which
// of his memories are in it. Method: the routes over the twins, as the server would call them.
#include <string>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <gtest/gtest.h>

#include "tests/doubles/in_memory_episode_consolidation.h"
#include "tests/doubles/in_memory_episodic_memory.h"
#include "tests/doubles/openapi_schema.h"
#include "tests/unit/api_fixture.h"

namespace umbranet {
namespace {

const Deadline kNever = Deadline::Never();

class HttpConsolidationApiTest : public ApiTest {
 protected:
  HttpConsolidationApiTest() {
    MemoryManager::Options options;
    options.with_consolidated = true;
    memory_with_.emplace(clock_, pool_,
                         MemoryManager::Stores{journal_, ledger_, doorbell_, short_term_, episodes_,
                                               semantic_, procedural_, nullptr, &consolidation_},
                         options);
    ApiDependencies dependencies{clock_,          *memory_with_, governor_, journal_, ledger_,
                                 *authenticator_, metrics_,      log_,      probes_};
    dependencies.consolidation = &consolidation_;
    router_.emplace(BuildApi(std::move(dependencies)));
    for (int i = 1; i <= 4; ++i) {
      ReflectionPlan plan;
      plan.user = kMira;
      plan.interaction_id = "t" + std::to_string(i);
      plan.job_id = "job" + std::to_string(i);
      plan.session_id = "s";
      plan.sequence = i;
      plan.occurred_at = clock_.Now();
      plan.episodes.push_back(
          {.role = Role::kUser, .speaker = "User", .text = "tea", .event_times = {}});
      EXPECT_TRUE(episodes_.Apply(std::vector{plan}, {}, kNever).ok());
    }
    clock_.Advance(std::chrono::hours(2));
  }

  ConsolidatedEpisode Consolidate() {
    ConsolidationPolicy policy;
    policy.age = std::chrono::hours(1);
    policy.episodes_min = 2;
    policy.group = {.episodes_min = 2, .episodes_max = 2};
    const auto claim = consolidation_.Claim(policy, kNever).value();
    return consolidation_.Save(claim.value(), "they spoke of tea", "scripted", kNever).value();
  }

  const UserKey kMira{"default", "mira"};
  InMemoryEpisodicMemory episodes_;
  InMemoryEpisodeConsolidation consolidation_{episodes_, clock_};
  std::optional<MemoryManager> memory_with_;
};

TEST_F(HttpConsolidationApiTest, ListsWhatThereIsPageByPage) {
  const ConsolidatedEpisode saved = Consolidate();
  Consolidate();
  const auto first = Call("GET", "/v1/admin/users/mira/consolidations?limit=1");
  ASSERT_EQ(first.status, 200);
  EXPECT_EQ(SchemaViolation(first.Json(), "ConsolidationPage"), "");
  const boost::json::array listed = first.Json().at("consolidations").as_array();
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(TextOf(listed.at(0).at("memory_id")), saved.memory_id);
  EXPECT_EQ(TextOf(listed.at(0).at("text")), "they spoke of tea");
  EXPECT_EQ(TextOf(listed.at(0).at("session_id")), "s");
  EXPECT_EQ(TextOf(listed.at(0).at("model")), "scripted");
  ASSERT_EQ(listed.at(0).at("sources").as_array().size(), 2U);
  EXPECT_EQ(TextOf(listed.at(0).at("sources").at(0).at("interaction_id")), "t1");
  EXPECT_EQ(TextOf(listed.at(0).at("sources").at(0).at("memory_id")), saved.sources[0].memory_id);
  const auto second = Call("GET", "/v1/admin/users/mira/consolidations?limit=1&cursor=" +
                                      TextOf(first.Json().at("next_cursor")));
  ASSERT_EQ(second.status, 200);
  EXPECT_FALSE(second.Json().as_object().contains("next_cursor"));
  EXPECT_EQ(Call("GET", "/v1/admin/users/nobody/consolidations").body, R"({"consolidations":[]})");
  EXPECT_EQ(Call("GET", "/v1/admin/users/mira/consolidations?cursor=x").status, 400);
}

TEST_F(HttpConsolidationApiTest, AListOfMemoriesSaysWhatIsConsolidatedInWhat) {
  const ConsolidatedEpisode saved = Consolidate();
  const auto listed = Call("GET", "/v1/users/mira/memories");
  ASSERT_EQ(listed.status, 200);
  EXPECT_EQ(SchemaViolation(listed.Json(), "ItemPage"), "");
  const boost::json::array items = listed.Json().at("items").as_array();
  ASSERT_EQ(items.size(), 5U);
  EXPECT_EQ(TextOf(items.at(0).at("memory_id")), saved.memory_id);
  EXPECT_FALSE(items.at(0).as_object().contains("consolidated_in"));
  EXPECT_EQ(TextOf(items.at(1).at("consolidated_in")), saved.memory_id);
  EXPECT_EQ(TextOf(items.at(2).at("consolidated_in")), saved.memory_id);
  EXPECT_FALSE(items.at(3).as_object().contains("consolidated_in"));
}

TEST_F(HttpConsolidationApiTest, UndoesOneOrAll) {
  const ConsolidatedEpisode saved = Consolidate();
  Consolidate();
  const std::string one = "/v1/admin/consolidations/" + saved.memory_id;
  EXPECT_EQ(Call("DELETE", one).body, R"({"undone":1})");
  EXPECT_EQ(Call("DELETE", one).status, 404);
  EXPECT_EQ(Call("DELETE", "/v1/admin/consolidations/ep_other").status, 404);
  EXPECT_EQ(Call("DELETE", "/v1/admin/users/mira/consolidations").body, R"({"undone":1})");
  EXPECT_EQ(Call("DELETE", "/v1/admin/users/mira/consolidations").body, R"({"undone":0})");
  EXPECT_EQ(Call("DELETE", "/v1/admin/users/mira/consolidations?all=1").status, 400);
  EXPECT_EQ(Call("GET", "/v1/users/mira/memories").Json().at("items").as_array().size(), 4U);
}

TEST_F(HttpConsolidationApiTest, SaysSoWhereThereIsNoStore) {
  Build();
  const auto answer = Call("GET", "/v1/admin/users/mira/consolidations");
  EXPECT_EQ(answer.status, 501);
  EXPECT_EQ(answer.Code(), "not_here");
}

}  // namespace
}  // namespace umbranet
