// Goal: a chat is answered as the contract says, streamed or not, once for each idempotency key,
// and what is remembered is what the client has heard. Method: the routes over stores in memory, a
// model that plays a script and a clock turned by hand.
#include <future>
#include <string>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "tests/doubles/openapi_schema.h"
#include "tests/unit/api_fixture.h"

namespace umbranet {
namespace {

namespace json = boost::json;

constexpr std::string_view kHello = R"({"user_id":"ada","message":"I moved to Lyon"})";
constexpr std::string_view kHelloStreamed =
    R"({"user_id":"ada","message":"I moved to Lyon","stream":true})";

// The (event, data) pairs of a stream.
std::vector<std::pair<std::string, std::string>> Events(std::string_view stream) {
  std::vector<std::pair<std::string, std::string>> events;
  while (!stream.empty()) {
    const std::size_t end = stream.find("\n\n");
    const std::string_view block = stream.substr(0, end);
    stream.remove_prefix(end == std::string_view::npos ? stream.size() : end + 2);
    const std::size_t line = block.find('\n');
    EXPECT_TRUE(block.starts_with("event: ")) << block;
    EXPECT_EQ(block.substr(line + 1, 6), "data: ") << block;
    events.emplace_back(block.substr(7, line - 7), block.substr(line + 7));
  }
  return events;
}

using ChatApiTest = ApiTest;

TEST_F(ChatApiTest, AnswersInTheFormOfTheContract) {
  model_.Enqueue({.pieces = {"Lyon is ", "lovely."}});
  const ApiAnswer answer = Call("POST", "/v1/chat", kHello);
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(SchemaViolation(answer.Json(), "ChatAnswer"), "");
  EXPECT_EQ(answer.Json().at("reply"), "Lyon is lovely.");
  EXPECT_EQ(answer.Json().at("reflection").at("status"), "queued");
  EXPECT_EQ(answer.Json().at("session_id"), "default");
  EXPECT_EQ(Accepted("default", "ada"), 1U);
}

TEST_F(ChatApiTest, StreamsDeltasAndThenTheSameObject) {
  model_.Enqueue({.pieces = {"Lyon\nis ", "\"lovely\"."}});
  const ApiAnswer answer = Call("POST", "/v1/chat", kHelloStreamed);
  EXPECT_EQ(answer.content_type, "text/event-stream");
  EXPECT_TRUE(answer.whole);
  const auto events = Events(answer.body);
  ASSERT_GE(events.size(), 2U);
  std::string reply;
  for (std::size_t i = 0; i + 1 < events.size(); ++i) {
    EXPECT_EQ(events[i].first, "delta");
    reply += std::string_view(json::parse(events[i].second).at("text").as_string());
  }
  EXPECT_EQ(reply, "Lyon\nis \"lovely\".");
  EXPECT_EQ(events.back().first, "done");
  const json::value done = json::parse(events.back().second);
  EXPECT_EQ(SchemaViolation(done, "ChatAnswer"), "");
  EXPECT_EQ(TextOf(done.at("reply")), reply);
}

TEST_F(ChatApiTest, AModelThatIsAwayIsAnErrorAndNothingIsRemembered) {
  const std::pair<Error, int> cases[] = {
      {{ErrorCode::kBadGateway, "openai: nonsense"}, 502},
      {{ErrorCode::kDeadlineExceeded, "openai: too slow"}, 504},
  };
  for (const auto& [error, status] : cases) {
    for (const std::string_view body : {kHello, kHelloStreamed}) {
      model_.Enqueue({.pieces = {}, .error = error});
      const ApiAnswer answer = Call("POST", "/v1/chat", body);
      EXPECT_EQ(answer.status, status) << answer.body;
      EXPECT_EQ(SchemaViolation(answer.Json(), "Problem"), "");
    }
  }
  EXPECT_EQ(Accepted("default", "ada"), 0U);
}

TEST_F(ChatApiTest, AStreamThatBreaksOffEndsWithAnErrorAndNothingIsRemembered) {
  model_.Enqueue({.pieces = {"Lyon "}, .error = Error{ErrorCode::kBadGateway, "openai: cut off"}});
  const ApiAnswer answer = Call("POST", "/v1/chat", kHelloStreamed);
  const auto events = Events(answer.body);
  ASSERT_EQ(events.size(), 2U) << answer.body;
  EXPECT_EQ(events[0].first, "delta");
  EXPECT_EQ(events[1].first, "error");
  EXPECT_EQ(SchemaViolation(json::parse(events[1].second), "Problem"), "");
  EXPECT_EQ(Accepted("default", "ada"), 0U);
}

TEST_F(ChatApiTest, StoresAsMuchAsAClientThatLeftHadHeard) {
  model_.Enqueue({.pieces = {"one ", "two ", "three"}});
  RecordingWriter leaves_after_one(1);
  Call(leaves_after_one, "POST", "/v1/chat", kHelloStreamed);
  EXPECT_FALSE(leaves_after_one.whole());
  const ApiAnswer journal = Call("GET", "/v1/users/ada/interactions");
  const std::string stored(journal.Json().at("items").at(0).at("assistant_response").as_string());
  EXPECT_TRUE(stored.starts_with("one "));
  EXPECT_EQ(stored.find("three"), std::string::npos);
}

TEST_F(ChatApiTest, ARepeatedKeyGivesTheFirstAnswerAndStoresNothingTwice) {
  model_.Enqueue({.pieces = {"first"}});
  model_.Enqueue({.pieces = {"second"}});
  const std::vector<HeaderField> key = {{"Idempotency-Key", "k-1"}};
  const ApiAnswer first = Call("POST", "/v1/chat", kHello, key);
  const ApiAnswer again = Call("POST", "/v1/chat", kHello, key);
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(Accepted("default", "ada"), 1U);
  const ApiAnswer other = Call("POST", "/v1/chat", R"({"user_id":"ada","message":"else"})", key);
  EXPECT_EQ(other.status, 422);
  EXPECT_EQ(other.Code(), "idempotency_key_reused");
}

TEST_F(ChatApiTest, ARepeatedKeyIsAnsweredAsAStreamToWhoAsksForOne) {
  model_.Enqueue({.pieces = {"first"}});
  const std::vector<HeaderField> key = {{"Idempotency-Key", "k-1"}};
  const auto first = Events(Call("POST", "/v1/chat", kHelloStreamed, key).body);
  const auto again = Events(Call("POST", "/v1/chat", kHelloStreamed, key).body);
  ASSERT_EQ(again.size(), 2U);
  EXPECT_EQ(again[0].second, R"({"text":"first"})");
  EXPECT_EQ(again[1].second, first.back().second);
}

TEST_F(ChatApiTest, TheSameKeyAtTheSameTimeIsWorkedOnOnce) {
  const std::vector<HeaderField> key = {{"Idempotency-Key", "k-1"}};
  std::vector<std::future<ApiAnswer>> answers;
  for (int i = 0; i < 4; ++i) {
    answers.push_back(
        std::async(std::launch::async, [&] { return Call("POST", "/v1/chat", kHello, key); }));
  }
  const ApiAnswer first = answers.front().get();
  EXPECT_EQ(first.status, 200) << first.body;
  for (std::size_t i = 1; i < answers.size(); ++i) {
    EXPECT_EQ(answers[i].get().body, first.body);
  }
  EXPECT_EQ(model_.Requests().size(), 1U);
  EXPECT_EQ(Accepted("default", "ada"), 1U);
}

TEST_F(ChatApiTest, KeysOfTwoTenantsHaveNothingToDoWithEachOther) {
  keys_ = {{"acme", "a", false}, {"umbra", "u", false}};
  Build();
  model_.Enqueue({.pieces = {"to acme"}});
  model_.Enqueue({.pieces = {"to umbra"}});
  const auto ask = [&](std::string api_key) {
    return Call("POST", "/v1/chat", kHello,
                {{"Idempotency-Key", "same"}, {"X-API-Key", std::move(api_key)}});
  };
  EXPECT_EQ(ask("a").Json().at("reply"), "to acme");
  EXPECT_EQ(ask("u").Json().at("reply"), "to umbra");
}

TEST_F(ChatApiTest, RefusesABlankMessageAndABadKey) {
  EXPECT_EQ(Call("POST", "/v1/chat", R"({"user_id":"a","message":" \n\t"})").Code(), "empty_field");
  for (const std::string& key :
       {std::string(256, 'k'), std::string("a b"), std::string("\xC3\xA9")}) {
    EXPECT_EQ(Call("POST", "/v1/chat", kHello, {{"Idempotency-Key", key}}).Code(),
              "bad_idempotency_key");
  }
}

}  // namespace
}  // namespace umbranet
