// Goal: a request that is wrong is refused with a code for programs and a sentence that names the
// field; a request that is right passes, whatever text it carries.
// Method: a table of bodies against the request tables of the API.
#include "umbranet/http/json_fields.h"

#include <string>
#include <variant>
#include <vector>

#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "umbranet/http/json_document.h"
#include "umbranet/http/request_tables.h"

namespace umbranet {
namespace {

std::optional<Problem> Check(std::string_view body, const ObjectTable& table) {
  auto parsed = ParseJson(body);
  if (auto* problem = std::get_if<Problem>(&parsed)) {
    return std::move(*problem);
  }
  return CheckObject(std::get<boost::json::value>(parsed), table);
}

// "code: detail", or "" when nothing is wrong.
std::string Verdict(std::string_view body, const ObjectTable& table) {
  const auto problem = Check(body, table);
  return problem ? problem->code + ": " + problem->detail : "";
}

void ExpectRefused(std::string_view body, const ObjectTable& table, std::string_view code,
                   std::string_view named) {
  const auto problem = Check(body, table);
  ASSERT_TRUE(problem) << body.substr(0, 200);
  EXPECT_EQ(problem->status, 400) << body.substr(0, 200);
  EXPECT_EQ(problem->code, code) << body.substr(0, 200);
  EXPECT_NE(problem->detail.find(named), std::string::npos)
      << problem->detail << " for " << body.substr(0, 200);
}

std::string Chat(std::string_view more) {
  return R"({"user_id":"u","message":"hello")" + std::string(more) + "}";
}

std::string Recall(std::string_view more) {
  return R"({"user_id":"u","query":"q")" + std::string(more) + "}";
}

TEST(JsonFieldsTest, TakesRequestsThatAreRight) {
  EXPECT_EQ(Verdict(Chat(""), kChatTable), "");
  EXPECT_EQ(
      Verdict(Chat(R"(,"session_id":"s","stream":true,"priority":"low","metadata":{"a":[1]})"),
              kChatTable),
      "");
  EXPECT_EQ(Verdict(Chat(R"(,"session_id":null,"stream":null,"priority":null,"metadata":null)"),
                    kChatTable),
            "");
  EXPECT_EQ(Verdict(Recall(R"(,"limit":1,"tiers":["episodic"],"token_budget":1)"), kRecallTable),
            "");
  EXPECT_EQ(Verdict(Recall(R"(,"limit":100,"as_of":"2024-05-03T12:00:00+02:00")"), kRecallTable),
            "");
  EXPECT_EQ(Verdict(R"({"user_id":"u","user_message":"m","assistant_response":""})", kTurnTable),
            "");
  EXPECT_EQ(Verdict(R"({})", kMemoryPatchTable), "");
}

TEST(JsonFieldsTest, TakesAnyUserIdWithoutControlCharacters) {
  for (const std::string id : {"a.b/c d", "../../etc", "' OR 1=1 --", "\xF0\x9F\xA6\x8A", "%2F",
                               "*", "{user_id}", " ", "\xC3\xA9"}) {
    EXPECT_EQ(Verdict(R"({"user_id":")" + id + R"(","message":"m"})", kChatTable), "") << id;
  }
  EXPECT_EQ(Verdict(R"({"user_id":")" + std::string(256, 'u') + R"(","message":"m"})", kChatTable),
            "");
}

TEST(JsonFieldsTest, TakesAnyTextButNul) {
  EXPECT_EQ(Verdict(R"({"user_id":"u","message":"a\n\tb\u0001\u001b[0m\ud83e\udd8a"})", kChatTable),
            "");
  ExpectRefused(R"({"user_id":"u","message":"a\u0000b"})", kChatTable, "bad_value", "'message'");
}

TEST(JsonFieldsTest, NamesTheFieldThatIsWrong) {
  struct Case {
    std::string body;
    std::string code;
    std::string named;
  };

  const std::vector<Case> chat = {
      {R"({"message":"m"})", "missing_field", "'user_id'"},
      {R"({"user_id":null,"message":"m"})", "missing_field", "'user_id'"},
      {R"({"user_id":"u"})", "missing_field", "'message'"},
      {R"({"user_id":"u","message":""})", "empty_field", "'message'"},
      {R"({"user_id":"","message":"m"})", "empty_field", "'user_id'"},
      {R"({"user_id":7,"message":"m"})", "wrong_type", "'user_id'"},
      {R"({"user_id":["u"],"message":"m"})", "wrong_type", "'user_id'"},
      {R"({"user_id":"a\nb","message":"m"})", "bad_value", "'user_id'"},
      {R"({"user_id":"a\u007fb","message":"m"})", "bad_value", "'user_id'"},
      {R"({"user_id":"a\u0085b","message":"m"})", "bad_value", "'user_id'"},
      {R"({"user_id":"a\u0000b","message":"m"})", "bad_value", "'user_id'"},
      {R"({"user_id":")" + std::string(257, 'u') + R"(","message":"m"})", "too_long", "257"},
      {R"({"user_id":"u","message":{"text":"m"}})", "wrong_type", "'message'"},
      {Chat(R"(,"mesage":"x")"), "unknown_field", "'mesage'"},
      {Chat(R"(,"tenant":"x")"), "unknown_field", "'tenant'"},
      {Chat(R"(,"stream":"yes")"), "wrong_type", "'stream'"},
      {Chat(R"(,"stream":1)"), "wrong_type", "'stream'"},
      {Chat(R"(,"priority":"urgent")"), "bad_value", "high, normal, low"},
      {Chat(R"(,"priority":1)"), "wrong_type", "'priority'"},
      {Chat(R"(,"metadata":[])"), "wrong_type", "'metadata'"},
      {Chat(R"(,"metadata":{"a":")" + std::string(70'000, 'x') + "\"}"), "too_long", "'metadata'"},
  };
  for (const Case& wrong : chat) {
    ExpectRefused(wrong.body, kChatTable, wrong.code, wrong.named);
  }
  const std::vector<Case> recall = {
      {Recall(R"(,"limit":0)"), "out_of_range", "from 1 to 100"},
      {Recall(R"(,"limit":-5)"), "out_of_range", "'limit'"},
      {Recall(R"(,"limit":101)"), "out_of_range", "'limit'"},
      {Recall(R"(,"limit":18446744073709551615)"), "out_of_range", "'limit'"},
      {Recall(R"(,"limit":1e400)"), "out_of_range", "too large"},
      {Recall(R"(,"limit":1.5)"), "wrong_type", "an integer"},
      {Recall(R"(,"limit":"10")"), "wrong_type", "'limit'"},
      {Recall(R"(,"limit":true)"), "wrong_type", "'limit'"},
      {Recall(R"(,"token_budget":-1)"), "out_of_range", "'token_budget'"},
      {Recall(R"(,"tiers":[])"), "out_of_range", "'tiers'"},
      {Recall(R"(,"tiers":"episodic")"), "wrong_type", "'tiers'"},
      {Recall(R"(,"tiers":["working"])"), "bad_value", "episodic"},
      {Recall(R"(,"tiers":[1])"), "bad_value", "'tiers'"},
      {Recall(R"(,"tiers":["episodic","episodic"])"), "bad_value", "twice"},
      {Recall(R"(,"as_of":"yesterday")"), "bad_value", "RFC 3339"},
      {Recall(R"(,"as_of":"2024-02-30T00:00:00Z")"), "bad_value", "'as_of'"},
      {Recall(R"(,"as_of":1714730400)"), "wrong_type", "'as_of'"},
  };
  for (const Case& wrong : recall) {
    ExpectRefused(wrong.body, kRecallTable, wrong.code, wrong.named);
  }
}

TEST(JsonFieldsTest, NamesTheItemOfABatchThatIsWrong) {
  const std::string good = R"({"user_id":"u","user_message":"m"})";
  EXPECT_EQ(Verdict(R"({"items":[)" + good + "," + good + "]}", kTurnBatchTable), "");
  ExpectRefused(R"({"items":[)" + good + R"(,{"user_id":"u"}]})", kTurnBatchTable, "missing_field",
                "'items[1].user_message'");
  ExpectRefused(R"({"items":[)" + good + R"(,7]})", kTurnBatchTable, "wrong_type", "'items[1]'");
  ExpectRefused(R"({"items":[{"user_id":"u","user_message":"m","timestamp":"noon"}]})",
                kTurnBatchTable, "bad_value", "'items[0].timestamp'");
  ExpectRefused(R"({"items":[]})", kTurnBatchTable, "out_of_range", "'items'");
  ExpectRefused(R"({"items":{}})", kTurnBatchTable, "wrong_type", "'items'");
  ExpectRefused(R"({"items":[],"user_id":"u"})", kTurnBatchTable, "unknown_field", "'user_id'");
  std::string many = good;
  for (int i = 0; i < 1'000; ++i) {
    many += "," + good;
  }
  ExpectRefused(R"({"items":[)" + many + "]}", kTurnBatchTable, "out_of_range", "1001 members");
}

TEST(JsonFieldsTest, ChecksObjectsWithinObjects) {
  EXPECT_EQ(Verdict(R"({"filter":{"user_id":"u","tier":"semantic"}})", kRetryTable), "");
  EXPECT_EQ(Verdict(R"({"filter":null})", kRetryTable), "");
  ExpectRefused(R"({"filter":{"tenant":"x"}})", kRetryTable, "unknown_field", "'filter.tenant'");
  ExpectRefused(R"({"filter":{"tier":"short_term"}})", kRetryTable, "bad_value", "'filter.tier'");
}

TEST(JsonDocumentTest, RefusesWhatIsNotStrictlyJson) {
  struct Case {
    std::string body;
    std::string code;
  };

  const std::vector<Case> cases = {
      {"", "malformed_json"},
      {"{", "malformed_json"},
      {"{}x", "malformed_json"},
      {"{}{}", "malformed_json"},
      {"{'a':1}", "malformed_json"},
      {"{\"a\":1,}", "malformed_json"},
      {"{\"a\":NaN}", "malformed_json"},
      {"// no\n{}", "malformed_json"},
      {"\xEF\xBB\xBF{}", "malformed_json"},
      {"{\"a\":\"\x01\"}", "malformed_json"},
      {std::string("{\"a\":\"\0\"}", 9), "malformed_json"},
      {R"({"a":"\ud800"})", "malformed_json"},
      {R"({"a":"\udc00x"})", "malformed_json"},
      {R"({"a":"\ud800\u0041"})", "malformed_json"},
      {"{\"a\":\"\xff\"}", "invalid_utf8"},
      {"{\"a\":\"\xed\xa0\x80\"}", "invalid_utf8"},
      {"{\"a\":\"\xc0\x80\"}", "invalid_utf8"},
      {R"({"a":-1e400})", "out_of_range"},
      {R"({"a":1,"b":2,"a":3})", "repeated_field"},
      {R"({"o":{"x":1,"\u0078":2}})", "repeated_field"},
      {std::string(33, '[') + std::string(33, ']'), "json_too_deep"},
      {std::string(100'000, '['), "json_too_deep"},
      {std::string(100'000, '{'), "malformed_json"},
  };
  for (const auto& [body, code] : cases) {
    const auto parsed = ParseJson(body);
    ASSERT_TRUE(std::holds_alternative<Problem>(parsed)) << body.substr(0, 100);
    EXPECT_EQ(std::get<Problem>(parsed).code, code) << body.substr(0, 100);
    EXPECT_EQ(std::get<Problem>(parsed).status, 400);
  }
}

TEST(JsonDocumentTest, BuildsTheValueThatTheTextSays) {
  const std::string text =
      R"({"a":[1,-2,3.5,18446744073709551615,true,null],"b":{"c":"d\u00e9\n","e":{}},"f":[]})";
  const auto parsed = ParseJson(" " + text + "\n");
  ASSERT_TRUE(std::holds_alternative<boost::json::value>(parsed));
  EXPECT_EQ(std::get<boost::json::value>(parsed),
            boost::json::value({{"a", {1, -2, 3.5, 18446744073709551615U, true, nullptr}},
                                {"b", {{"c", "d\xC3\xA9\n"}, {"e", boost::json::object()}}},
                                {"f", boost::json::array()}}));
  const std::string deep = std::string(32, '[') + std::string(32, ']');
  EXPECT_TRUE(std::holds_alternative<boost::json::value>(ParseJson(deep)));
}

TEST(JsonDocumentTest, SameNamesInDifferentObjectsAreFine) {
  const auto parsed = ParseJson(R"({"a":{"a":{"a":1},"b":2},"b":[{"a":1},{"a":2}]})");
  EXPECT_TRUE(std::holds_alternative<boost::json::value>(parsed));
}

}  // namespace
}  // namespace umbranet
