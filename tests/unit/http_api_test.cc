// Goal: every route but the chat's does what the contract says, in the form that the OpenAPI
// document gives it, and bad input meets a problem that helps, never a 500 and never another
// user's memory.
// Method: the routes over stores in memory, a model that plays a script and a clock turned by hand.
#include <atomic>
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

std::string PercentEncoded(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 0x0fU];
  }
  return out;
}

using InteractionApiTest = ApiTest;

TEST_F(InteractionApiTest, TakesOneTurn) {
  const ApiAnswer answer = Call("POST", "/v1/interactions", R"({"user_id":"ada",
      "user_message":"I like figs","assistant_response":"Noted.","session_id":"s1",
      "speaker":"Ada","timestamp":"2023-05-08T13:56:00+02:00","metadata":{"k":[1,"x"]}})");
  ASSERT_EQ(answer.status, 202) << answer.body;
  EXPECT_EQ(SchemaViolation(answer.Json(), "Accepted"), "");
  EXPECT_EQ(answer.Json().at("results").at(0).at("status"), "queued");
  const ApiAnswer page = Call("GET", "/v1/users/ada/interactions");
  EXPECT_EQ(SchemaViolation(page.Json(), "EntryPage"), "");
  const json::value entry = page.Json().at("items").at(0);
  EXPECT_EQ(entry.at("timestamp"), "2023-05-08T11:56:00Z");
  EXPECT_EQ(entry.at("speaker"), "Ada");
  EXPECT_EQ(entry.at("metadata").at("k").at(1), "x");
}

TEST_F(InteractionApiTest, TakesABatchInTheOrderGiven) {
  std::string items;
  for (int i = 0; i < 20; ++i) {
    items += std::string(i == 0 ? "" : ",") + R"({"user_id":"u)" + std::to_string(i % 3) +
             R"(","user_message":"m)" + std::to_string(i) + R"(","interaction_id":"i)" +
             std::to_string(i) + "\"}";
  }
  const ApiAnswer answer = Call("POST", "/v1/interactions", R"({"items":[)" + items + "]}");
  ASSERT_EQ(answer.status, 202) << answer.body;
  for (std::size_t i = 0; i < 20; ++i) {
    EXPECT_EQ(TextOf(answer.Json().at("results").at(i).at("interaction_id")),
              "i" + std::to_string(i));
  }
  const ApiAnswer again = Call("POST", "/v1/interactions", R"({"items":[)" + items + "]}");
  EXPECT_EQ(SchemaViolation(again.Json(), "Accepted"), "");
  EXPECT_EQ(Accepted("default", "u0"), 7U);
}

TEST_F(InteractionApiTest, OneBadItemFailsTheWholeBatchAndIsNamed) {
  const ApiAnswer answer =
      Call("POST", "/v1/interactions",
           R"({"items":[{"user_id":"ada","user_message":"m"},{"user_id":"ada"}]})");
  EXPECT_EQ(answer.status, 400);
  EXPECT_NE(answer.body.find("items[1].user_message"), std::string::npos);
  EXPECT_EQ(Accepted("default", "ada"), 0U);
}

TEST_F(InteractionApiTest, ARepeatedKeyReplaysTheAnswer) {
  const std::vector<HeaderField> key = {{"Idempotency-Key", "k"}};
  const std::string body = R"({"user_id":"ada","user_message":"m"})";
  const ApiAnswer first = Call("POST", "/v1/interactions", body, key);
  const ApiAnswer again = Call("POST", "/v1/interactions", body, key);
  EXPECT_EQ(first.status, 202);
  EXPECT_EQ(again.status, 202);
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(Accepted("default", "ada"), 1U);
}

TEST_F(InteractionApiTest, DecidesThePriorityThatIsLeftOut) {
  Remember("ada", "Please remember that my flight leaves at nine");
  Remember("bob", "hello");
  Remember("eve", "My cat is called Tom");
  const json::value depth = Call("GET", "/v1/admin/queue").Json().at("depth");
  EXPECT_EQ(depth, (json::value{{"high", 1}, {"normal", 1}, {"low", 1}}));
}

TEST_F(InteractionApiTest, AnyUserIdIsServedAndMeetsNoOther) {
  const std::vector<std::string> ids = {
      "a.b/c d", "a.b", "../../etc", "etc", "' OR 1=1 --", "\xF0\x9F\xA6\x8A",
      "%2F",     "/",   "*",         "ada", "Ada",         "ada "};
  for (const std::string& id : ids) {
    Remember(id, "I am " + id);
  }
  for (const std::string& id : ids) {
    const std::string path = "/v1/users/" + PercentEncoded(id);
    const json::value items = Call("GET", path + "/interactions").Json().at("items");
    ASSERT_EQ(items.as_array().size(), 1U) << id;
    EXPECT_EQ(TextOf(items.at(0).at("user_message")), "I am " + id);
    EXPECT_EQ(Call("GET", path + "/freshness").Json().at("accepted"), 1) << id;
  }
  const ApiAnswer forgotten = Call("DELETE", "/v1/users/" + PercentEncoded("a.b/c d"));
  EXPECT_EQ(SchemaViolation(forgotten.Json(), "Forgotten"), "");
  const json::value certificate = forgotten.Json().at("certificate");
  EXPECT_EQ(TextOf(certificate.at("user_id")), "a.b/c d");
  EXPECT_EQ(certificate.at("removed").at("turns"), 1);
  EXPECT_EQ(certificate.at("removed").at("jobs_waiting"), 1);
  const json::value fresh =
      Call("GET", "/v1/users/" + PercentEncoded("a.b/c d") + "/freshness").Json();
  EXPECT_EQ(SchemaViolation(fresh, "Freshness"), "");
  EXPECT_EQ(fresh.at("forgotten_at"), certificate.at("forgotten_at"));
  EXPECT_EQ(Accepted("default", "a.b/c d"), 0U);
  EXPECT_EQ(Accepted("default", "a.b"), 1U);
}

TEST_F(InteractionApiTest, RefusesTheTurnsOfAUserWhoseBacklogIsFullAndNobodyElses) {
  cap_options_.waiting_max = 2;
  Build();
  Remember("hot", "one");
  Remember("hot", "two");
  const std::string turn = R"({"user_id":"hot","user_message":"three"})";
  const ApiAnswer refused = Call("POST", "/v1/interactions", turn);
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.Code(), "user_backlog_full");
  EXPECT_EQ(refused.headers.at("Retry-After"), "5");
  const ApiAnswer batch = Call("POST", "/v1/interactions",
                               R"({"items":[{"user_id":"kim","user_message":"x"},)" + turn + "]}");
  EXPECT_EQ(batch.Code(), "user_backlog_full") << "all or none";
  const ApiAnswer chat = Call("POST", "/v1/chat", R"({"user_id":"hot","message":"three"})");
  EXPECT_EQ(chat.status, 429);
  EXPECT_EQ(chat.Code(), "user_backlog_full");
  EXPECT_EQ(model_.Requests().size(), 0U) << "no model is asked for what cannot be stored";
  EXPECT_EQ(Accepted("default", "hot"), 2U);
  Remember("kim", "hello");
  EXPECT_EQ(metrics_.reflection_rejected_total.At("user_backlog_full").Value(), 3);
  EXPECT_EQ(Call("POST", "/v1/recall", R"({"user_id":"hot","query":"one"})").status, 200);
}

using RecallApiTest = ApiTest;

TEST_F(RecallApiTest, AnswersInTheFormOfTheContract) {
  Remember("ada", "My sister Ines lives in Porto");
  const ApiAnswer answer =
      Call("POST", "/v1/recall", R"({"user_id":"ada","query":"Where does my sister live?"})");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(SchemaViolation(answer.Json(), "RecallAnswer"), "");
  // Read your writes: the turn is found before it is reflected.
  ASSERT_FALSE(answer.Json().at("items").as_array().empty());
  EXPECT_NE(answer.body.find("Porto"), std::string::npos);
  EXPECT_EQ(answer.Json().at("freshness").at("pending"), 1);
}

TEST_F(RecallApiTest, ExplainsItselfOnlyWhenAsked) {
  Remember("ada", "My sister Ines lives in Porto");
  Remember("ada", "My sister called");
  const ApiAnswer plain =
      Call("POST", "/v1/recall", R"({"user_id":"ada","query":"Where does my sister live?"})");
  EXPECT_EQ(plain.body.find("explanation"), std::string::npos);
  EXPECT_FALSE(plain.Json().as_object().contains("left_out"));

  const ApiAnswer explained =
      Call("POST", "/v1/recall",
           R"({"user_id":"ada","query":"Where does my sister live?","limit":1,"explain":true})");
  ASSERT_EQ(explained.status, 200) << explained.body;
  EXPECT_EQ(SchemaViolation(explained.Json(), "RecallAnswer"), "");
  const json::value answer = explained.Json();
  const json::value& why = answer.at("items").at(0).at("explanation");
  EXPECT_EQ(SchemaViolation(why, "Explanation"), "");
  EXPECT_EQ(why.at("found_by").at("lexical"), 1);
  EXPECT_GT(why.at("parts").at("words").to_number<double>(), 0);
  ASSERT_EQ(answer.at("left_out").as_array().size(), 1U);
  EXPECT_EQ(SchemaViolation(answer.at("left_out").at(0), "LeftOut"), "");
  EXPECT_EQ(answer.at("left_out").at(0).at("reason"), "below_limit");
}

TEST_F(RecallApiTest, NamesATierThatIsAway) {
  ON_CALL(semantic_, Find).WillByDefault([](auto&&...) -> Result<FactsFound> {
    return Unavailable("semantic: away");
  });
  const ApiAnswer answer =
      Call("POST", "/v1/recall", R"({"user_id":"ada","query":"Where does my sister live?"})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.Json().at("missing_tiers"), json::value(json::array{"semantic"}));
}

using MemoryApiTest = ApiTest;

TEST_F(MemoryApiTest, SaysWhatBecameOfATurn) {
  const auto [interaction_id, job_id] =
      Remember("ada", "I like figs",
               {{"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}});
  const ApiAnswer queued = Call("GET", "/v1/reflections/" + job_id);
  ASSERT_EQ(queued.status, 200) << queued.body;
  EXPECT_EQ(SchemaViolation(queued.Json(), "Reflection"), "");
  EXPECT_EQ(queued.Json().at("status"), "queued");
  EXPECT_EQ(TextOf(queued.Json().at("interaction_id")), interaction_id);
  EXPECT_EQ(queued.Json().at("trace_id"), "0af7651916cd43dd8448eb211c80319c");
  KillNextJob("no such graph");
  const json::value dead = Call("GET", "/v1/reflections/" + job_id).Json();
  EXPECT_EQ(SchemaViolation(dead, "Reflection"), "");
  EXPECT_EQ(dead.at("status"), "dead");
  EXPECT_EQ(dead.at("tiers").at("semantic").at("error"), "no such graph");
  const json::value freshness = Call("GET", "/v1/users/ada/freshness").Json();
  EXPECT_EQ(SchemaViolation(freshness, "Freshness"), "");
  EXPECT_EQ(freshness.at("dead"), 1);
}

TEST_F(MemoryApiTest, CountsHowLongTheOldestTurnHasWaited) {
  Remember("ada", "I like figs");
  clock_.Advance(Millis{2'500});
  EXPECT_EQ(Call("GET", "/v1/users/ada/freshness").Json().at("oldest_pending_s"), 2.5);
}

TEST_F(MemoryApiTest, PagesThroughTheJournal) {
  for (int i = 0; i < 5; ++i) {
    Remember("ada", "turn " + std::to_string(i));
  }
  std::vector<std::string> seen;
  std::string cursor;
  do {
    const json::value page =
        Call("GET", "/v1/users/ada/interactions?limit=2&cursor=" + PercentEncoded(cursor)).Json();
    for (const json::value& item : page.at("items").as_array()) {
      seen.emplace_back(item.at("user_message").as_string());
    }
    const json::value* next = page.as_object().if_contains("next_cursor");
    cursor = next == nullptr ? "" : std::string(std::string_view(next->as_string()));
  } while (!cursor.empty());
  EXPECT_EQ(seen, (std::vector<std::string>{"turn 0", "turn 1", "turn 2", "turn 3", "turn 4"}));
}

TEST_F(MemoryApiTest, ShowsChangesAndDeletesOneMemory) {
  MemoryItem item;
  item.memory_id = "fa_1";
  item.tier = Tier::kSemantic;
  item.text = "Ines lives in Porto";
  item.valid_from = ManualClock::kStart;
  item.contradicts = {"ep_7"};
  item.sources = {{"i1", Role::kUser}};
  ON_CALL(semantic_, Get).WillByDefault([&](std::string_view, std::string_view, Deadline) {
    return Result<std::optional<MemoryItem>>(item);
  });
  ON_CALL(semantic_, Update)
      .WillByDefault([&](std::string_view, std::string_view, const MemoryPatch& patch, Deadline) {
        item.text = patch.text.value_or(item.text);
        item.valid_to = patch.valid_to;
        return Result<std::optional<MemoryItem>>(item);
      });
  ON_CALL(semantic_, Erase).WillByDefault([](auto&&...) { return Result<bool>(true); });
  const ApiAnswer found = Call("GET", "/v1/memories/fa_1");
  EXPECT_EQ(SchemaViolation(found.Json(), "Item"), "");
  EXPECT_EQ(found.Json().at("contradicts"), json::array({"ep_7"}));
  const ApiAnswer changed =
      Call("PATCH", "/v1/memories/fa_1",
           R"({"text":"Ines lives in Braga","valid_to":"2025-01-01T00:00:00Z"})");
  EXPECT_EQ(changed.status, 200) << changed.body;
  EXPECT_EQ(changed.Json().at("text"), "Ines lives in Braga");
  EXPECT_EQ(changed.Json().at("valid_to"), "2025-01-01T00:00:00Z");
  EXPECT_EQ(Call("PATCH", "/v1/memories/fa_1", "{}").Code(), "missing_field");
  EXPECT_EQ(SchemaViolation(Call("DELETE", "/v1/memories/fa_1").Json(), "Deleted"), "");
}

TEST_F(MemoryApiTest, WhatIsNotThereIsNotFound) {
  for (const std::string path : {"/v1/memories/ep_none", "/v1/memories/none", "/v1/memories/st_x",
                                 "/v1/reflections/none", "/v1/admin/dead-letters/none"}) {
    const ApiAnswer answer = Call("GET", path);
    EXPECT_EQ(answer.status, 404) << path;
    EXPECT_EQ(answer.Code(), "not_found") << path;
  }
  EXPECT_EQ(Call("DELETE", "/v1/memories/ep_none").status, 404);
  EXPECT_EQ(Call("PATCH", "/v1/memories/ep_none", R"({"text":"x"})").status, 404);
  EXPECT_EQ(Call("POST", "/v1/admin/dead-letters/none/retry").status, 404);
}

TEST_F(MemoryApiTest, ShowsWhichNamesWereMergedAndUndoesIt) {
  ON_CALL(semantic_, Merges).WillByDefault([](auto&&...) {
    return Result<std::vector<EntityMerge>>(std::vector<EntityMerge>{
        {"my sister", "Ines", "i1", ManualClock::kStart, ManualClock::kStart, std::nullopt},
        {"Bo", "Robert", "i0", ManualClock::kStart, ManualClock::kStart, ManualClock::kStart}});
  });
  const ApiAnswer log = Call("GET", "/v1/users/ada/merges");
  EXPECT_EQ(SchemaViolation(log.Json(), "MergeLog"), "");
  EXPECT_EQ(log.Json().at("merges").at(0).at("other"), "Ines");
  EXPECT_FALSE(log.Json().at("merges").at(0).as_object().contains("parted_at"));
  EXPECT_TRUE(log.Json().at("merges").at(1).as_object().contains("parted_at"));
  EXPECT_CALL(semantic_, Unmerge)
      .WillOnce([](const UserKey& user, std::string_view name, std::string_view from, Deadline) {
        EXPECT_EQ(user.user_id + ' ' + std::string(name) + ' ' + std::string(from), "ada Ines ");
        return Result<std::size_t>(std::size_t{1});
      })
      .WillOnce([](auto&&...) { return Result<std::size_t>(std::size_t{0}); });
  const ApiAnswer undone = Call("POST", "/v1/users/ada/unmerge", R"({"name":"Ines"})");
  EXPECT_EQ(SchemaViolation(undone.Json(), "Unmerged"), "");
  EXPECT_EQ(Call("POST", "/v1/users/ada/unmerge", R"({"name":"Ines","from":"Bo"})").status, 404);
  EXPECT_EQ(Call("POST", "/v1/users/ada/unmerge", R"({"from":"Bo"})").status, 400);
}

TEST_F(MemoryApiTest, ListsAndDrawsWithinTheDocumentedForm) {
  KnowledgeGraph graph;
  graph.entities.emplace_back();
  graph.entities[0].entity_id = "e1";
  graph.entities[0].name = "Ines";
  graph.entities[0].aliases = {"my sister"};
  graph.facts.emplace_back();
  graph.facts[0].memory_id = "fa_1";
  graph.facts[0].predicate = Predicate::kLivesIn;
  graph.facts[0].object_id = "e2";
  graph.facts[0].valid_from = ManualClock::kStart;
  graph.facts[0].superseded_by = "fa_2";
  graph.facts[0].sources = {{"i1", Role::kUser}};
  ON_CALL(semantic_, ReadGraph).WillByDefault([&](auto&&...) {
    return Result<KnowledgeGraph>(graph);
  });
  const ApiAnswer drawn = Call("GET", "/v1/users/ada/graph");
  EXPECT_EQ(SchemaViolation(drawn.Json(), "Graph"), "");
  EXPECT_EQ(drawn.Json().at("facts").at(0).at("predicate"), "lives_in");
  Remember("ada", "I like figs");
  const ApiAnswer listed = Call("GET", "/v1/users/ada/memories?tier=short_term");
  EXPECT_EQ(SchemaViolation(listed.Json(), "ItemPage"), "");
  EXPECT_EQ(listed.Json().at("items").as_array().size(), 1U);
}

TEST_F(MemoryApiTest, DrawsWhatContradictsAndLeavesOutWhatWasTouchedOnWhenAsked) {
  KnowledgeGraph graph;
  graph.facts.resize(3);
  graph.facts[0].memory_id = "fa_1";
  graph.facts[0].predicate = Predicate::kLikes;
  graph.facts[0].object = "opera";
  graph.facts[1] = graph.facts[0];
  graph.facts[1].memory_id = "fa_2";
  graph.facts[1].predicate = Predicate::kDislikes;
  graph.facts[2].memory_id = "fa_3";
  graph.facts[2].confidence = 0.49;
  ON_CALL(semantic_, ReadGraph).WillByDefault([&](auto&&...) {
    return Result<KnowledgeGraph>(graph);
  });
  const ApiAnswer all = Call("GET", "/v1/users/ada/graph");
  EXPECT_EQ(SchemaViolation(all.Json(), "Graph"), "");
  ASSERT_EQ(all.Json().at("facts").as_array().size(), 3U);
  EXPECT_EQ(all.Json().at("facts").at(0).at("contradicts").at(0), "fa_2");
  EXPECT_EQ(all.Json().at("facts").at(1).at("contradicts").at(0), "fa_1");
  const ApiAnswer stated = Call("GET", "/v1/users/ada/graph?stated=true&limit=5");
  EXPECT_EQ(stated.Json().at("facts").as_array().size(), 2U);
  EXPECT_EQ(Call("GET", "/v1/users/ada/graph?stated=maybe").status, 400);
}

TEST_F(MemoryApiTest, ExportsLineByLine) {
  Remember("ada", "I like figs");
  Remember("ada", "and plums");
  const ApiAnswer answer = Call("GET", "/v1/users/ada/export");
  EXPECT_EQ(answer.content_type, "application/x-ndjson");
  EXPECT_TRUE(answer.whole);
  std::size_t lines = 0;
  std::string_view rest = answer.body;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    ASSERT_NE(end, std::string_view::npos);
    const std::string_view line = rest.substr(0, end);
    EXPECT_TRUE(json::parse(json::string_view(line.data(), line.size())).is_object());
    rest.remove_prefix(end + 1);
    ++lines;
  }
  EXPECT_EQ(lines, 2U);
}

TEST_F(MemoryApiTest, RefusesQueriesThatAreWrong) {
  const std::pair<std::string, std::string> cases[] = {
      {"/v1/users/a/interactions?limit=0", "out_of_range"},
      {"/v1/users/a/interactions?limit=-1", "out_of_range"},
      {"/v1/users/a/interactions?limit=1001", "out_of_range"},
      {"/v1/users/a/interactions?limit=ten", "out_of_range"},
      {"/v1/users/a/interactions?limit=99999999999999999999", "out_of_range"},
      {"/v1/users/a/interactions?lmit=1", "bad_query"},
      {"/v1/users/a/interactions?limit=1&limit=2", "bad_query"},
      {"/v1/users/a/interactions?cursor=%00", "bad_query"},
      {"/v1/users/a/interactions?cursor=nonsense", "invalid_argument"},
      {"/v1/users/a/memories?tier=working", "bad_value"},
      {"/v1/users/a/memories?cursor=nonsense", "invalid_argument"},
      {"/v1/users/a/freshness?x=1", "bad_query"},
      {"/v1/users/a/graph?limit=0", "out_of_range"},
  };
  for (const auto& [target, code] : cases) {
    const ApiAnswer answer = Call("GET", target);
    EXPECT_EQ(answer.status, 400) << target << answer.body;
    EXPECT_EQ(answer.Code(), code) << target << answer.body;
  }
}

using AdminApiTest = ApiTest;

TEST_F(AdminApiTest, ShowsTheQueueAndItsDeadLetters) {
  const auto [_, job_id] = Remember("ada", "I like figs");
  Remember("bob", "I like plums");
  KillNextJob("no such graph");
  const ApiAnswer queue = Call("GET", "/v1/admin/queue");
  EXPECT_EQ(SchemaViolation(queue.Json(), "Queue"), "");
  EXPECT_EQ(queue.Json().at("dead"), 1);
  EXPECT_EQ(queue.Json().at("consumers"), 3);
  const ApiAnswer list = Call("GET", "/v1/admin/dead-letters");
  EXPECT_EQ(SchemaViolation(list.Json(), "DeadLetterPage"), "");
  ASSERT_EQ(list.Json().at("items").as_array().size(), 1U);
  EXPECT_EQ(TextOf(list.Json().at("items").at(0).at("job_id")), job_id);
  const json::value one = Call("GET", "/v1/admin/dead-letters/" + job_id).Json();
  EXPECT_EQ(SchemaViolation(one, "DeadLetter"), "");
  EXPECT_EQ(one.at("history").at(0).at("error"), "no such graph");
  EXPECT_EQ(one.at("history").at(0).at("tier"), "semantic");
}

TEST_F(AdminApiTest, RetriesAndDiscards) {
  const auto [_, job_id] = Remember("ada", "I like figs");
  KillNextJob("no such graph");
  const ApiAnswer retried = Call("POST", "/v1/admin/dead-letters/" + job_id + "/retry");
  EXPECT_EQ(SchemaViolation(retried.Json(), "Retried"), "");
  EXPECT_EQ(Call("GET", "/v1/reflections/" + job_id).Json().at("status"), "queued");
  KillNextJob("again");
  const std::string retry = "/v1/admin/dead-letters/retry";
  EXPECT_EQ(Call("POST", retry, R"({"filter":{"user_id":"bob"}})").Json().at("retried"), 0);
  EXPECT_EQ(Call("POST", retry, R"({"filter":{"error_contains":"agai"}})").Json().at("retried"), 1);
  KillNextJob("a third time");
  EXPECT_EQ(Call("POST", retry).Json().at("retried"), 1);
  KillNextJob("enough");
  EXPECT_EQ(Call("DELETE", "/v1/admin/dead-letters/" + job_id).status, 400)
      << "giving one up needs a reason";
  const ApiAnswer discarded =
      Call("DELETE", "/v1/admin/dead-letters/" + job_id + "?reason=a+mistake");
  EXPECT_EQ(SchemaViolation(discarded.Json(), "Discarded"), "");
  EXPECT_EQ(Call("GET", "/v1/reflections/" + job_id).Json().at("status"), "cancelled");
}

TEST_F(AdminApiTest, StartsAUsersReflectionOver) {
  Remember("ada", "I like figs");
  const ApiAnswer answer = Call("POST", "/v1/admin/users/ada/reflect-again");
  EXPECT_EQ(answer.status, 202) << answer.body;
  EXPECT_EQ(SchemaViolation(answer.Json(), "ReflectAgain"), "");
}

TEST_F(AdminApiTest, NeedsAnAdminKeyAndSeesTheOwnTenantAlone) {
  keys_ = {{"acme", "a", false}, {"acme", "boss", true}, {"umbra", "u", true}};
  Build();
  const auto [_, job_id] = Remember("ada", "I like figs", {{"X-API-Key", "a"}});
  KillNextJob("no such graph");
  for (const Route& route : router_->routes()) {
    if (!route.pattern.starts_with("/v1/admin")) {
      continue;
    }
    EXPECT_EQ(Call(route.method, route.pattern, "", {{"X-API-Key", "a"}}).status, 403)
        << route.pattern;
    EXPECT_EQ(Call(route.method, route.pattern).status, 401) << route.pattern;
  }
  const std::string path = "/v1/admin/dead-letters";
  const auto count = [&](std::string key) {
    return Call("GET", path, "", {{"X-API-Key", std::move(key)}})
        .Json()
        .at("items")
        .as_array()
        .size();
  };
  EXPECT_EQ(count("boss"), 1U);
  EXPECT_EQ(count("u"), 0U);
  EXPECT_EQ(Call("GET", path + "/" + job_id, "", {{"X-API-Key", "u"}}).status, 404);
  EXPECT_EQ(Call("DELETE", path + "/" + job_id + "?reason=x", "", {{"X-API-Key", "u"}}).status,
            404);
  EXPECT_EQ(Call("POST", path + "/retry", "", {{"X-API-Key", "u"}}).Json().at("retried"), 0);
  EXPECT_EQ(Call("DELETE", path + "/" + job_id + "?reason=x", "", {{"X-API-Key", "boss"}}).status,
            200);
}

TEST_F(AdminApiTest, UsersOfTwoTenantsNeverMeet) {
  keys_ = {{"acme", "a", false}, {"umbra", "u", false}};
  Build();
  const auto [_, job_id] = Remember("ada", "The secret word is quince", {{"X-API-Key", "a"}});
  for (const std::string path : {"/v1/users/ada/interactions", "/v1/users/ada/memories",
                                 "/v1/users/ada/export", "/v1/users/ada/freshness"}) {
    const ApiAnswer answer = Call("GET", path, "", {{"X-API-Key", "u"}});
    EXPECT_EQ(answer.status, 200) << path;
    EXPECT_EQ(answer.body.find("quince"), std::string::npos) << path;
  }
  EXPECT_EQ(Call("GET", "/v1/reflections/" + job_id, "", {{"X-API-Key", "u"}}).status, 404);
  const ApiAnswer recalled =
      Call("POST", "/v1/recall", R"({"user_id":"ada","query":"secret word quince"})",
           {{"X-API-Key", "u"}});
  EXPECT_TRUE(recalled.Json().at("items").as_array().empty());
  Call("DELETE", "/v1/users/ada", "", {{"X-API-Key", "u"}});
  EXPECT_EQ(Accepted("acme", "ada"), 1U);
}

using OperationsApiTest = ApiTest;

TEST_F(OperationsApiTest, IsReadyWhenWhatItNeedsAnswers) {
  std::atomic<bool> required_up = true;
  std::atomic<bool> optional_up = true;
  const auto probe = [](const std::atomic<bool>& up) {
    return [&up](Deadline) { return up ? Status() : Status(Unavailable("x: 10.0.0.7 refused")); };
  };
  probes_ = {{"journal", true, probe(required_up)}, {"model", false, probe(optional_up)}};
  Build();
  ApiAnswer answer = Call("GET", "/readyz");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(SchemaViolation(answer.Json(), "Readiness"), "");
  EXPECT_EQ(answer.Json().at("status"), "ready");
  optional_up = false;
  answer = Call("GET", "/readyz");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.Json().at("status"), "degraded");
  EXPECT_EQ(answer.body.find("10.0.0.7"), std::string::npos);
  required_up = false;
  answer = Call("GET", "/readyz");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.Json().at("status"), "unavailable");
  EXPECT_EQ(SchemaViolation(Call("GET", "/healthz").Json(), "Health"), "");
}

TEST_F(OperationsApiTest, SaysWhichServersAreTakenToBeAway) {
  const auto up = [](Deadline) { return Status(); };
  bool open = true;
  probes_ = {{"neo4j", false, up, [&open] { return open; }}, {"model", false, up}};
  Build();
  const json::value away = Call("GET", "/readyz").Json();
  EXPECT_EQ(SchemaViolation(away, "Readiness"), "");
  EXPECT_EQ(away.at("dependencies").at(0).at("breaker"), "open");
  EXPECT_FALSE(away.at("dependencies").at(1).as_object().contains("breaker"));
  open = false;
  EXPECT_EQ(Call("GET", "/readyz").Json().at("dependencies").at(0).at("breaker"), "closed");
}

TEST_F(OperationsApiTest, ShowsMetrics) {
  const ApiAnswer plain = Call("GET", "/metrics");
  EXPECT_EQ(plain.status, 200);
  EXPECT_NE(plain.body.find("umbranet_"), std::string::npos);
  const ApiAnswer open = Call("GET", "/metrics", "", {{"Accept", "application/openmetrics-text"}});
  EXPECT_TRUE(open.content_type.starts_with("application/openmetrics-text"));
  EXPECT_TRUE(open.body.ends_with("# EOF\n"));
}

TEST_F(OperationsApiTest, AFailureInsideIsLoggedAndNotShown) {
  ON_CALL(semantic_, ReadGraph).WillByDefault([](auto&&...) -> Result<KnowledgeGraph> {
    return Internal("sqlite: /var/lib/secret.db row 17");
  });
  const ApiAnswer answer = Call("GET", "/v1/users/ada/graph");
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.body.find("secret"), std::string::npos);
  ASSERT_EQ(log_lines_.size(), 1U);
  EXPECT_NE(log_lines_[0].find("row 17"), std::string::npos);
}

TEST_F(OperationsApiTest, BadBodiesMeetAProblemOnEveryRouteThatTakesOne) {
  const std::vector<std::string> bodies = {"",
                                           "null",
                                           "7",
                                           "[]",
                                           "\"text\"",
                                           "{",
                                           "{}x",
                                           "\xff\xfe",
                                           std::string("{\"user_id\":\"\0\"}", 15),
                                           std::string(100'000, '['),
                                           R"({"user_id":"u","user_id":"v"})",
                                           R"({"nonsense":1})",
                                           R"({"user_id":{},"message":1,"user_message":[]})",
                                           R"({"text":"a\ud800"})",
                                           R"({"filter":7})",
                                           R"({"items":[[]]})"};
  for (const std::string path :
       {"/v1/chat", "/v1/interactions", "/v1/recall", "/v1/admin/dead-letters/retry"}) {
    for (const std::string& body : bodies) {
      if (body.empty() && path.ends_with("/retry")) {
        continue;  // Where no body is needed.
      }
      const ApiAnswer answer = Call("POST", path, body);
      EXPECT_EQ(answer.status, 400) << path << " " << body.substr(0, 60);
      EXPECT_EQ(answer.content_type, "application/problem+json");
      EXPECT_EQ(SchemaViolation(answer.Json(), "Problem"), "") << body.substr(0, 60);
    }
  }
  EXPECT_EQ(Call("PATCH", "/v1/memories/ep_1", "[]").status, 400);
  EXPECT_EQ(Accepted("default", "u"), 0U);
}

}  // namespace
}  // namespace umbranet
