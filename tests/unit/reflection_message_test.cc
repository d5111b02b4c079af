// Goal: a job survives its way through a broker, what other programs write is understood as far as
// it can be, and what cannot is refused by the name of its field.
// Method: messages written here and read back, and messages as other programs write them.
#include "umbranet/adapters/rabbitmq/reflection_message.h"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/adapters/rabbitmq/broker_topology.h"

namespace umbranet {
namespace {

using testing::HasSubstr;
using testing::Not;

Interaction Turn() {
  Interaction turn;
  turn.user = {"acme", "ana \"b\"/#*\xF0\x9F\xA6\x86"};
  turn.interaction_id = "t1";
  turn.session_id = "s1";
  turn.speaker = "Ana";
  turn.user_message = "Line one\nline \x01 two";
  turn.assistant_response = "\\ noted";
  turn.occurred_at = FromUnixMillis(1'714'730'400'123);
  turn.accepted_at = FromUnixMillis(1'714'730'401'000);
  turn.priority = Priority::kLow;
  turn.origin = Origin::kOfflineChat;
  turn.metadata = R"({"app":"web"})";
  return turn;
}

ReflectionJob JobOf(const Interaction& turn) {
  return {.job_id = MakeJobId(turn.user, turn.interaction_id),
          .user = turn.user,
          .interaction_id = turn.interaction_id,
          .priority = turn.priority,
          .traceparent = ""};
}

TEST(ReflectionMessage, ReadsBackWhatWasWritten) {
  const Interaction turn = Turn();
  const auto message = EncodeJob(JobOf(turn), turn);
  ASSERT_TRUE(message.has_value());
  const auto job = DecodeJob(*message);
  ASSERT_TRUE(job.ok()) << job.error().message;
  EXPECT_EQ(job->turn.user, turn.user);
  EXPECT_EQ(job->turn.interaction_id, turn.interaction_id);
  EXPECT_EQ(job->turn.session_id, turn.session_id);
  EXPECT_EQ(job->turn.speaker, turn.speaker);
  EXPECT_EQ(job->turn.user_message, turn.user_message);
  EXPECT_EQ(job->turn.assistant_response, turn.assistant_response);
  EXPECT_EQ(job->turn.occurred_at, turn.occurred_at);
  EXPECT_EQ(job->turn.accepted_at, turn.accepted_at);
  EXPECT_EQ(job->turn.priority, turn.priority);
  EXPECT_EQ(job->turn.origin, turn.origin);
  EXPECT_EQ(job->turn.metadata, turn.metadata);
}

TEST(ReflectionMessage, HandsOnTheCallersJsonToTheLetter) {
  Interaction turn = Turn();
  turn.metadata = R"({"price": 1.10, "big": 1e400})";
  const auto message = EncodeJob(JobOf(turn), turn);
  // A number that nothing here can hold is no object that can be told.
  EXPECT_FALSE(message.has_value() && !DecodeJob(*message).ok());
  turn.metadata = R"({"price": 1.10})";
  EXPECT_THAT(EncodeJob(JobOf(turn), turn).value(), HasSubstr(R"({"price": 1.10})"));
}

TEST(ReflectionMessage, DoesNotTellWhatIsTooLongOrNotWhole) {
  Interaction turn = Turn();
  turn.assistant_response = std::string(kInlineBytesMax, 'x');
  EXPECT_FALSE(EncodeJob(JobOf(turn), turn).has_value());
  turn = Turn();
  turn.user_message = std::string(kInlineBytesMax / 2, '\x01');  // Six bytes each once escaped.
  EXPECT_FALSE(EncodeJob(JobOf(turn), turn).has_value());
  turn = Turn();
  turn.user_message = "\xFF";
  EXPECT_FALSE(EncodeJob(JobOf(turn), turn).has_value());
  turn = Turn();
  turn.metadata = "[1]";
  EXPECT_FALSE(EncodeJob(JobOf(turn), turn).has_value());
  turn = Turn();
  ReflectionJob again = JobOf(turn);
  again.generation = 1;
  EXPECT_FALSE(EncodeJob(again, turn).has_value());
}

TEST(ReflectionMessage, UnderstandsTheFieldsOfOtherProducers) {
  const auto job = DecodeJob(R"({"job_id": "8f14e45f", "user_id": "ana", "session_id": "s1",
      "user_message": "I moved to Lisbon.", "assistant_response": "Lovely!",
      "timestamp": "2024-05-03T09:00:00.123456", "metadata": {"app": "web"}, "priority": 0,
      "retry_count": 2, "max_retries": 3, "created_at": "2024-05-03T11:00:01+02:00"})");
  ASSERT_TRUE(job.ok()) << job.error().message;
  EXPECT_EQ(job->turn.user, (UserKey{std::string(kDefaultTenant), "ana"}));
  EXPECT_EQ(job->turn.interaction_id, "8f14e45f");
  EXPECT_EQ(job->turn.speaker, kDefaultSpeaker);
  EXPECT_EQ(FormatTimestamp(job->turn.occurred_at), "2024-05-03T09:00:00.123Z");
  EXPECT_EQ(FormatTimestamp(job->turn.accepted_at), "2024-05-03T09:00:01Z");
  EXPECT_EQ(job->turn.origin, Origin::kRecorded);
}

TEST(ReflectionMessage, NeedsNoMoreThanAUserAnIdAndWhatWasSaid) {
  const auto job = DecodeJob(
      R"({"user_id": "ana", "interaction_id": "t1", "user_message": "Hi.", "metadata": null})");
  ASSERT_TRUE(job.ok()) << job.error().message;
  EXPECT_EQ(job->turn.session_id, kDefaultSession);
  EXPECT_EQ(job->turn.assistant_response, "");
  EXPECT_EQ(job->turn.occurred_at, Timestamp{});
  EXPECT_EQ(job->turn.accepted_at, Timestamp{});
  EXPECT_EQ(job->turn.priority, Priority::kNormal);
  EXPECT_EQ(job->turn.metadata, "{}");
}

TEST(ReflectionMessage, ReadsPrioritiesAsNamesAndAsNumbers) {
  const std::vector<std::pair<std::string, Priority>> spellings = {
      {"\"high\"", Priority::kHigh}, {"\"normal\"", Priority::kNormal},
      {"\"low\"", Priority::kLow},   {"2", Priority::kHigh},
      {"1", Priority::kHigh},        {"0", Priority::kNormal},
      {"-1", Priority::kLow},        {"18446744073709551615", Priority::kHigh}};
  for (const auto& [text, priority] : spellings) {
    const auto job =
        DecodeJob(R"({"user_id":"ana","job_id":"j","user_message":"Hi.","priority":)" + text + "}");
    ASSERT_TRUE(job.ok()) << text;
    EXPECT_EQ(job->turn.priority, priority) << text;
  }
}

TEST(ReflectionMessage, RefusesByTheNameOfTheField) {
  const auto with = [](const std::string& field) {
    return R"({"user_id":"ana","job_id":"j","user_message":"hush")" + field + "}";
  };
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"", "not JSON"},
      {"{\"user_message\": \"hush\xFF\"}", "not JSON"},
      {std::string("{}\0", 3), "not JSON"},
      {std::string(40, '[') + std::string(40, ']'), "not JSON"},
      {"[]", "not a JSON object"},
      {"{}", "user_id is missing"},
      {R"({"user_id":"ana","user_message":"hush"})", "job_id is missing"},
      {R"({"user_id":"ana","job_id":"j"})", "user_message is missing"},
      {R"({"user_id":7,"job_id":"j","user_message":"hush"})", "user_id is not a string"},
      {R"({"user_id":"a\u0000b","job_id":"j","user_message":"hush"})", "user_id contains"},
      {with(",\"session_id\":\"" + std::string(257, 'x') + "\""), "session_id is too long"},
      {with(R"(,"timestamp":"yesterday")"), "timestamp is not a time"},
      {with(R"(,"timestamp":1714730400)"), "timestamp is not a string"},
      {with(R"(,"created_at":"2024-13-01T00:00:00")"), "created_at is not a time"},
      {with(R"(,"timestamp":"0001-01-01T00:00:00+14:00")"), "timestamp is not a time"},
      {with(R"(,"priority":"urgent")"), "priority is none of"},
      {with(R"(,"priority":1.5)"), "priority is not a string"},
      {with(R"(,"origin":"elsewhere")"), "origin is none of"},
      {with(R"(,"metadata":"hush")"), "metadata is not an object"},
      {std::string(kMessageBytesMax + 1, ' '), "longer than 8 MiB"},
  };
  for (const auto& [text, why] : wrong) {
    const auto job = DecodeJob(text);
    ASSERT_FALSE(job.ok()) << text.substr(0, 80);
    EXPECT_EQ(job.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(job.error().message, HasSubstr(why)) << text.substr(0, 80);
    EXPECT_THAT(job.error().message, Not(HasSubstr("hush")));
  }
}

TEST(ReflectionMessage, ARingTellsWhatItIsFor) {
  EXPECT_EQ(EncodeRing({}), "{}");
  EXPECT_THAT(EncodeRing(JobOf(Turn())), HasSubstr(R"("interaction_id":"t1")"));
}

TEST(RoutingKey, IsTheUserWhereThatCanBe) {
  EXPECT_EQ(RoutingKey("ana_B-7"), "reflection.ana_B-7");
  EXPECT_EQ(RoutingKey(std::string(200, 'x')), "reflection." + std::string(200, 'x'));
}

TEST(RoutingKey, IsADigestWhereTheUserWouldMeanSomethingElse) {
  for (const std::string& user :
       {std::string("ana.b"), std::string("*"), std::string("#"), std::string("\xF0\x9F\xA6\x86"),
        std::string(201, 'x'), std::string("a b"), std::string()}) {
    const std::string key = RoutingKey(user);
    EXPECT_THAT(key, testing::MatchesRegex("reflection\\.h-[0-9a-f]+")) << user;
    EXPECT_EQ(key.size(), std::string("reflection.h-").size() + 32) << user;
  }
  EXPECT_NE(RoutingKey("ana.b"), RoutingKey("ana.c"));
}

TEST(BrokerNames, PutTheDeadLettersBesideTheRest) {
  EXPECT_EQ(NamesFor(kDefaultExchange, kDefaultQueue).value(),
            (BrokerNames{.exchange = "memory_reflection_exchange",
                         .queue = "memory_reflection_queue",
                         .dead_letter_exchange = "memory_reflection_dlx",
                         .dead_letter_queue = "memory_reflection_dlq"}));
  EXPECT_EQ(NamesFor("team.jobs", "work").value().dead_letter_exchange, "team.jobs_dlx");
  EXPECT_EQ(NamesFor("team.jobs", "work").value().dead_letter_queue, "work_dlq");
}

TEST(BrokerNames, RefuseWhatNoBrokerTakes) {
  for (const std::string& name :
       {std::string(), std::string(201, 'x'), std::string("amq.topic"), std::string("a\x01")}) {
    EXPECT_THAT(NamesFor(name, kDefaultQueue).error().message, HasSubstr("RABBITMQ_EXCHANGE"));
    EXPECT_THAT(NamesFor(kDefaultExchange, name).error().message, HasSubstr("RABBITMQ_QUEUE"));
  }
}

}  // namespace
}  // namespace umbranet
