// Goal: the running server keeps the HTTP contract with its real stores: every endpoint answers in
// the form that the OpenAPI document gives it, bad input meets a problem and harms nobody, users
// and tenants never meet, and a stop loses nothing that was accepted.
// Method: the built binary on a folder of its own, asked over HTTP; answers are compared with the
// document's schemas, more strictly than the standard asks.
#include <algorithm>
#include <atomic>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "tests/doubles/openapi_schema.h"
#include "tests/doubles/raw_http_client.h"
#include "tests/system/server_process.h"

namespace umbranet {
namespace {

namespace json = boost::json;

using Headers = std::vector<std::pair<std::string, std::string>>;

class ApiSystemTest : public ::testing::Test {
 protected:
  void StartServer(const std::map<std::string, std::string>& environment = {}) {
    server_.emplace(folder_.path(), environment);
    ASSERT_TRUE(server_->Running()) << server_->Log();
  }

  // Asks, expects the status, and compares the answer with the schema; "" compares nothing.
  json::value Expect(int status, std::string_view schema, std::string_view method,
                     const std::string& target, std::string_view body = {},
                     const Headers& headers = {}) {
    const auto reply = server_->Call(method, target, body, headers);
    if (!reply) {
      ADD_FAILURE() << method << " " << target << ": no answer";
      return {};
    }
    EXPECT_EQ(reply->status, status) << method << " " << target << ": " << reply->body;
    json::error_code error;
    json::value document = json::parse(reply->body, error);
    if (!schema.empty()) {
      EXPECT_FALSE(error) << reply->body;
      EXPECT_EQ(SchemaViolation(document, schema), "") << target << ": " << reply->body;
    }
    return document;
  }

  json::value Remember(const std::string& user_id, const std::string& message,
                       const Headers& headers = {}) {
    return Expect(202, "Accepted", "POST", "/v1/interactions",
                  json::serialize(json::object{{"user_id", user_id}, {"user_message", message}}),
                  headers);
  }

  TemporaryFolder folder_;
  std::optional<ServerProcess> server_;
};

TEST_F(ApiSystemTest, EveryEndpointAnswersInItsDocumentedForm) {
  StartServer();
  const json::value accepted = Expect(202, "Accepted", "POST", "/v1/interactions", R"({"items":[
      {"user_id":"ada","session_id":"s1","user_message":"My sister Ines lives in Porto."},
      {"user_id":"ada","session_id":"s1","user_message":"Always answer in metric units."},
      {"user_id":"ada","session_id":"s2","user_message":"My sister Ines moved to Braga."}]})");
  ASSERT_TRUE(server_->WaitReflected("ada"));
  const std::string job_id(accepted.at("results").at(0).at("job_id").as_string());
  Expect(200, "Reflection", "GET", "/v1/reflections/" + job_id);
  Expect(200, "Freshness", "GET", "/v1/users/ada/freshness");
  Expect(200, "EntryPage", "GET", "/v1/users/ada/interactions?limit=2");
  const json::value recalled =
      Expect(200, "RecallAnswer", "POST", "/v1/recall",
             R"({"user_id":"ada","query":"Where does my sister live?","token_budget":300})");
  EXPECT_FALSE(recalled.at("items").as_array().empty());
  Expect(200, "RecallAnswer", "POST", "/v1/recall",
         R"({"user_id":"ada","query":"sister","as_of":"2020-01-01T00:00:00Z","limit":1,
             "tiers":["episodic","semantic"],"session_id":"s1"})");
  Expect(200, "ChatAnswer", "POST", "/v1/chat",
         R"({"user_id":"ada","message":"Where does my sister live?"})");
  const json::value graph = Expect(200, "Graph", "GET", "/v1/users/ada/graph");
  EXPECT_FALSE(graph.at("facts").as_array().empty());
  for (const std::string tier : {"short_term", "episodic", "semantic", "procedural"}) {
    Expect(200, "ItemPage", "GET", "/v1/users/ada/memories?limit=2&tier=" + tier);
  }
  const json::value memories = Expect(200, "ItemPage", "GET", "/v1/users/ada/memories");
  ASSERT_FALSE(memories.at("items").as_array().empty());
  const std::string memory =
      "/v1/memories/" +
      EncodeSegment(std::string(memories.at("items").at(0).at("memory_id").as_string()));
  Expect(200, "Item", "GET", memory);
  Expect(200, "Item", "PATCH", memory,
         R"({"text":"My sister Ines lives in Porto, by the river."})");
  Expect(200, "Deleted", "DELETE", memory);
  Expect(404, "Problem", "GET", memory);
  const auto exported = server_->Call("GET", "/v1/users/ada/export");
  ASSERT_TRUE(exported);
  EXPECT_GE(std::count(exported->body.begin(), exported->body.end(), '\n'), 4);
  Expect(200, "Queue", "GET", "/v1/admin/queue");
  Expect(200, "DeadLetterPage", "GET", "/v1/admin/dead-letters");
  Expect(200, "Retried", "POST", "/v1/admin/dead-letters/retry", "{}");
  Expect(404, "Problem", "POST", "/v1/admin/dead-letters/none/retry");
  Expect(202, "ReflectAgain", "POST", "/v1/admin/users/ada/reflect-again");
  ASSERT_TRUE(server_->WaitReflected("ada"));
  Expect(200, "Forgotten", "DELETE", "/v1/users/ada");
  const json::value freshness = Expect(200, "Freshness", "GET", "/v1/users/ada/freshness");
  EXPECT_EQ(freshness.at("accepted"), 0);
  Expect(200, "Health", "GET", "/healthz");
  Expect(200, "Readiness", "GET", "/readyz");
  const auto metrics = server_->Call("GET", "/metrics");
  ASSERT_TRUE(metrics);
  EXPECT_NE(metrics->body.find("/v1/users/{user_id}/freshness"), std::string::npos);
  EXPECT_EQ(Expect(200, "", "GET", "/openapi.json"), json::value(OpenApi()));
}

TEST_F(ApiSystemTest, ChatsInAStreamAndRemembers) {
  StartServer();
  RawHttpClient client(server_->Port());
  const RawResponse told = client.Ask(HttpPost(
      "/v1/chat", R"({"user_id":"ada","message":"My cat is called Pixel.","stream":true})"));
  EXPECT_EQ(told.status, 200);
  EXPECT_EQ(told.headers.at("content-type"), "text/event-stream");
  EXPECT_TRUE(told.whole);
  EXPECT_TRUE(told.body.starts_with("event: delta\ndata: {\"text\":"));
  const std::size_t done = told.body.find("event: done\ndata: ");
  ASSERT_NE(done, std::string::npos);
  std::string data = told.body.substr(done + 18);
  data.resize(data.find('\n'));
  EXPECT_EQ(SchemaViolation(json::parse(data), "ChatAnswer"), "");
  const RawResponse asked =
      client.Ask(HttpPost("/v1/chat", R"({"user_id":"ada","message":"What is my cat called?"})"));
  EXPECT_NE(asked.body.find("Pixel"), std::string::npos);
}

TEST_F(ApiSystemTest, BadInputMeetsAProblemAndTheServerLives) {
  StartServer();
  const std::vector<std::string> bodies = {
      "",
      "null",
      "[1,2]",
      "{\"user_id\":\"u\",\"message\":\"\"}",
      "{\"user_id\":\"u\",\"message\":\"\xff\xfe\"}",
      std::string("{\"user_id\":\"u\",\"message\":\"a\0b\"}", 31),
      R"({"user_id":"u","message":"a\u0000b"})",
      R"({"user_id":"u","message":"a\ud800"})",
      R"({"user_id":"u","message":"m","surprise":1})",
      R"({"user_id":"u","message":"m","user_id":"v"})",
      R"({"user_id":"","message":"m"})",
      R"({"user_id":"a\nb","message":"m"})",
      R"({"user_id":7,"message":"m"})",
      R"({"user_id":"u","query":"q","limit":-1})",
      R"({"user_id":"u","query":"q","limit":1e9})",
      R"({"user_id":"u","query":"q","token_budget":-5})",
      R"({"user_id":"u","query":"q","tiers":["all"]})",
      R"({"user_id":"u","query":"q","as_of":"now"})",
      R"({"user_id":"u","user_message":"m","timestamp":"2024-13-01T00:00:00Z"})",
      R"({"user_id":"u","user_message":"m","priority":"asap"})",
      R"({"items":[]})",
      R"({"items":[{"user_id":"u","user_message":"m"},{}]})",
      std::string(200'000, '['),
      R"({"user_id":"u","message":"m","metadata":)" + std::string(100, '[') +
          std::string(100, ']') + "}",
  };
  for (const std::string path : {"/v1/chat", "/v1/interactions", "/v1/recall"}) {
    for (const std::string& body : bodies) {
      const json::value problem = Expect(400, "Problem", "POST", path, body);
      EXPECT_EQ(problem.as_object().contains("code"), true) << body.substr(0, 80);
    }
  }
  const std::string large = R"({"user_id":"u","message":")" + std::string(10'000'000, 'x') + "\"}";
  RawHttpClient client(server_->Port());
  client.Send(HttpPost("/v1/chat", large));
  const RawResponse refused = client.Read();
  EXPECT_EQ(refused.status, 413);
  EXPECT_EQ(SchemaViolation(json::parse(refused.body), "Problem"), "");
  Expect(413, "Problem", "POST", "/v1/interactions",
         R"({"user_id":"u","user_message":")" + std::string(2'000'000, 'x') + "\"}");
  for (const std::string target :
       {"/v1/users/u/interactions?limit=-1", "/v1/users/u/memories?limit=0",
        "/v1/users/u/memories?cursor=x", "/v1/users/%ff/freshness", "/v1/users/%00/freshness",
        "/v1/users/%zz/freshness"}) {
    Expect(400, "Problem", "GET", target);
  }
  Expect(405, "Problem", "GET", "/v1/chat");
  Expect(404, "Problem", "GET", "/v1/nothing");
  Expect(200, "Health", "GET", "/healthz");
  EXPECT_EQ(Expect(200, "Freshness", "GET", "/v1/users/u/freshness").at("accepted"), 0);
}

TEST_F(ApiSystemTest, UsersWithStrangeNamesAreServedAndNeverMeet) {
  StartServer();
  const std::vector<std::pair<std::string, std::string>> users = {{"a.b/c d", "quince"},
                                                                  {"a.b", "medlar"},
                                                                  {"../../etc", "sorrel"},
                                                                  {"' OR 1=1 --", "lovage"},
                                                                  {"\xF0\x9F\xA6\x8A", "tansy"},
                                                                  {"%", "borage"},
                                                                  {"*", "chervil"},
                                                                  {"a\"b\\c", "hyssop"},
                                                                  {"user:\"x\" OR y", "fennel"}};
  for (const auto& [user, word] : users) {
    Remember(user, "My favourite herb is " + word + ".");
  }
  for (const auto& [user, own] : users) {
    ASSERT_TRUE(server_->WaitReflected(user)) << user;
    const std::string path = "/v1/users/" + EncodeSegment(user);
    std::string everything;
    for (const std::string part : {"/interactions", "/memories", "/graph", "/export"}) {
      const auto reply = server_->Call("GET", path + part);
      ASSERT_TRUE(reply);
      EXPECT_EQ(reply->status, 200) << user << part << reply->body;
      everything += reply->body;
    }
    everything +=
        json::serialize(Expect(200, "RecallAnswer", "POST", "/v1/recall",
                               json::serialize(json::object{
                                   {"user_id", user}, {"query", "favourite herb quince tansy"}})));
    for (const auto& [other, word] : users) {
      EXPECT_EQ(everything.find(word) != std::string::npos, word == own)
          << user << " and the word of " << other;
    }
  }
  Expect(200, "Forgotten", "DELETE", "/v1/users/" + EncodeSegment("a.b/c d"));
  const json::value left = Expect(200, "Freshness", "GET", "/v1/users/a.b/freshness");
  EXPECT_EQ(left.at("accepted"), 1);
  const json::value gone =
      Expect(200, "ItemPage", "GET", "/v1/users/" + EncodeSegment("a.b/c d") + "/memories");
  EXPECT_TRUE(gone.at("items").as_array().empty());
}

TEST_F(ApiSystemTest, KeysDecideTheTenantAndTenantsNeverMeet) {
  StartServer(
      {{"UMBRANET_API_KEYS", "acme:acme-key-0001,umbra:umbra-key-0001,acme:boss-key-0001:admin"}});
  const Headers acme = {{"Authorization", "Bearer acme-key-0001"}};
  const Headers umbra = {{"X-API-Key", "umbra-key-0001"}};
  const Headers boss = {{"X-API-Key", "boss-key-0001"}};
  Expect(401, "Problem", "GET", "/v1/users/ada/freshness");
  Expect(401, "Problem", "GET", "/v1/users/ada/freshness", "", {{"X-API-Key", "wrong"}});
  const json::value accepted = Remember("ada", "The secret word is quince.", acme);
  const std::string job =
      "/v1/reflections/" + std::string(accepted.at("results").at(0).at("job_id").as_string());
  Expect(200, "Reflection", "GET", job, "", acme);
  Expect(404, "Problem", "GET", job, "", umbra);
  for (const std::string part : {"/interactions", "/memories", "/graph", "/export"}) {
    const auto reply = server_->Call("GET", "/v1/users/ada" + part, "", umbra);
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->status, 200);
    EXPECT_EQ(reply->body.find("quince"), std::string::npos) << part;
  }
  Expect(200, "Forgotten", "DELETE", "/v1/users/ada", "", umbra);
  EXPECT_EQ(Expect(200, "Freshness", "GET", "/v1/users/ada/freshness", "", acme).at("accepted"), 1);
  Expect(403, "Problem", "GET", "/v1/admin/queue", "", acme);
  Expect(401, "Problem", "GET", "/v1/admin/queue");
  Expect(200, "Queue", "GET", "/v1/admin/queue", "", boss);
  Expect(200, "Health", "GET", "/healthz");
}

TEST_F(ApiSystemTest, TheSameIdempotencyKeyGivesTheFirstAnswerEvenAfterARestart) {
  StartServer();
  const Headers key = {{"Idempotency-Key", "order-7"}};
  const std::string body = R"({"user_id":"ada","user_message":"I ordered seven pears."})";
  const json::value first = Expect(202, "Accepted", "POST", "/v1/interactions", body, key);
  EXPECT_EQ(server_->Terminate(), 0);
  StartServer();
  EXPECT_EQ(Expect(202, "Accepted", "POST", "/v1/interactions", body, key), first);
  Expect(422, "Problem", "POST", "/v1/interactions",
         R"({"user_id":"ada","user_message":"I ordered eight pears."})", key);
  EXPECT_EQ(Expect(200, "Freshness", "GET", "/v1/users/ada/freshness").at("accepted"), 1);
}

// What clients were told of their turns while the server was going down.
std::set<std::string> HandInUntilRefused(std::uint16_t port, int client, std::atomic<int>& begun) {
  std::set<std::string> accepted;
  try {
    RawHttpClient connection(port);
    for (int i = 0;; ++i) {
      const std::string id = "c" + std::to_string(client) + "-" + std::to_string(i);
      const RawResponse reply = connection.Ask(HttpPost(
          "/v1/interactions",
          R"({"user_id":"ada","user_message":"I saw a heron.","interaction_id":")" + id + "\"}"));
      if (reply.status != 202 || !reply.whole) {
        break;
      }
      accepted.insert(id);
      ++begun;
    }
  } catch (const std::exception&) {
    // The server is gone, as it should be.
  }
  return accepted;
}

TEST_F(ApiSystemTest, AStopLosesNothingThatWasAccepted) {
  StartServer();
  std::atomic<int> begun = 0;
  std::vector<std::set<std::string>> accepted(8);
  std::vector<std::jthread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&, i] {
      accepted[static_cast<std::size_t>(i)] = HandInUntilRefused(server_->Port(), i, begun);
    });
  }
  while (begun < 200) {
    std::this_thread::yield();
  }
  EXPECT_EQ(server_->Terminate(), 0);
  clients.clear();
  StartServer();
  std::set<std::string> stored;
  std::string cursor;
  do {
    const json::value page =
        Expect(200, "EntryPage", "GET", "/v1/users/ada/interactions?limit=1000&cursor=" + cursor);
    for (const json::value& item : page.at("items").as_array()) {
      EXPECT_TRUE(stored.emplace(item.at("interaction_id").as_string()).second);
    }
    const json::value* next = page.as_object().if_contains("next_cursor");
    cursor = next == nullptr ? "" : EncodeSegment(std::string(next->as_string()));
  } while (!cursor.empty());
  for (const std::set<std::string>& ids : accepted) {
    EXPECT_TRUE(std::includes(stored.begin(), stored.end(), ids.begin(), ids.end()));
  }
}

}  // namespace
}  // namespace umbranet
