// Goal: the books are told as the contract says: the installation's, and this process's part of
// them; and an answer is kept by the ledger's time. Method: the routes over the twins.
#include <string>

#include <gtest/gtest.h>

#include "umbranet/telemetry/model_usage.h"

#include "tests/doubles/openapi_schema.h"
#include "tests/unit/api_fixture.h"

namespace umbranet {
namespace {

class UsageApiTest : public ApiTest {};

TEST_F(UsageApiTest, TellsTheBooksOfTheInstallationAndThisProcesssPart) {
  ModelUsage usage(clock_, {.daily_tokens_max = 10});
  usage_ = &usage;
  Build();
  usage.Record({"acme", "small", "reflection"}, false, 4, 2);
  ApiAnswer answer = Call("GET", "/v1/admin/usage");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(SchemaViolation(answer.Json(), "Usage"), "");
  EXPECT_FALSE(answer.Json().as_object().contains("agreed_at"));
  const ModelUsage::Batch batch = usage.NextBatch();
  const UsageRow all{{"acme", "small", "reflection"},
                     {.calls = 3, .prompt_tokens = 9, .completion_tokens = 9}};
  usage.Agree(batch.number, {.day = usage.Day(),
                             .of_day = {all},
                             .total = {all},
                             .since = ManualClock::kStart - std::chrono::hours(48)});
  answer = Call("GET", "/v1/admin/usage");
  EXPECT_EQ(SchemaViolation(answer.Json(), "Usage"), "");
  const boost::json::value told = answer.Json();
  EXPECT_EQ(TextOf(told.at("agreed_at")), "2024-05-03T10:00:00Z");
  EXPECT_EQ(TextOf(told.at("since")), "2024-05-01T10:00:00Z");
  EXPECT_EQ(told.at("today").at(0).at("calls").as_int64(), 3);
  EXPECT_EQ(told.at("total").at(0).at("calls").as_int64(), 3);
  EXPECT_EQ(TextOf(told.at("exhausted").at(0)), "acme");
  const boost::json::value& part = told.at("this_process");
  EXPECT_EQ(TextOf(part.at("since")), "2024-05-03T10:00:00Z");
  EXPECT_EQ(part.at("today").at(0).at("calls").as_int64(), 1);
  EXPECT_EQ(part.at("total").at(0).at("calls").as_int64(), 1);
}

TEST_F(UsageApiTest, AnAnswerAfterAForgettingIsKeptThoughTheClockWasSetBack) {
  const Deadline never = Deadline::Never();
  ledger_clock_.Forgot(journal_.EraseUser({"default", "ada"}, never).value().forgotten_at);
  clock_.SetWall(clock_.Now() - std::chrono::hours(1));
  EXPECT_EQ(Call("POST", "/v1/interactions", R"({"user_id":"ada","user_message":"I am back."})",
                 {{"Idempotency-Key", "k"}})
                .status,
            202);
  EXPECT_TRUE(journal_.FindAnswer("default", "k", never).value().has_value());
}

}  // namespace
}  // namespace umbranet
