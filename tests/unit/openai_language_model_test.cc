// Goal: whatever a server of the chat completions API may do, the caller gets the answer or an
// error of the right kind, the key stays secret, and nothing is asked twice that was heard once.
// Method: a server on loopback plays each behaviour, and the requests that it saw are counted.
#include "umbranet/adapters/openai/openai_language_model.h"

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/doubles/scripted_http_server.h"

namespace umbranet {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kSecret = "sk-very-secret-key-123";

std::string Delta(const std::string& text) {
  return R"({"choices":[{"index":0,"delta":{"content":")" + text + R"("},"finish_reason":null}]})";
}

const std::string kStop = R"({"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})";
const std::string kUsage =
    R"({"choices":[],"usage":{"prompt_tokens":11,"completion_tokens":2,"total_tokens":13}})";

std::string Whole(const std::string& message, const std::string& finish = "stop") {
  return R"({"choices":[{"index":0,"message":)" + message + R"(,"finish_reason":")" + finish +
         R"("}],"usage":{"prompt_tokens":7,"completion_tokens":3}})";
}

class OpenAiLanguageModelTest : public ::testing::Test {
 protected:
  OpenAiLanguageModelTest() {
    options_.base_url = server_.BaseUrl();
    options_.api_key = kSecret;
    options_.model = "test-model";
    options_.backoff_first = Millis{1};
    request_.messages = {{ChatRole::kSystem, "Be brief."}, {ChatRole::kUser, "Hello \"you\"\n"}};
  }

  OpenAiLanguageModel& model() {
    if (!model_) {
      model_ = OpenAiLanguageModel::Open(options_, clock_).value();
    }
    return *model_;
  }

  void Answer(int status, std::string_view body, std::string_view headers = "") {
    server_.Enqueue({SendBytes{HttpResponseText(status, body, "application/json", headers)}});
  }

  void AnswerEvents(const std::vector<std::string>& events, std::size_t piece_bytes = 0) {
    server_.Enqueue({SendBytes{EventStreamText(events), piece_bytes}});
  }

  Result<Completion> Complete(Millis budget = Millis{20'000}) {
    return model().Complete(request_, stop_.get_token(), Deadline::After(clock_, budget));
  }

  Result<Completion> Stream() {
    seen_.clear();
    const DeltaSink sink = [this](std::string_view piece) {
      seen_.emplace_back(piece);
      return true;
    };
    return model().Stream(request_, sink, stop_.get_token(),
                          Deadline::After(clock_, Millis{20'000}));
  }

  std::size_t Asked() { return server_.Requests().size(); }

  boost::json::object LastBody() {
    return boost::json::parse(server_.Requests().back().body).as_object();
  }

  SystemClock clock_;
  ScriptedHttpServer server_;
  OpenAiLanguageModel::Options options_;
  std::unique_ptr<OpenAiLanguageModel> model_;
  CompletionRequest request_;
  std::stop_source stop_;
  std::vector<std::string> seen_;
};

TEST_F(OpenAiLanguageModelTest, SendsTheConversationWithTheKeyInItsHeader) {
  Answer(200, Whole(R"({"role":"assistant","content":"Hi"})"));
  request_.tokens_max = 50;
  request_.temperature = 0.25;
  const auto completion = Complete();
  ASSERT_TRUE(completion.ok()) << completion.error().message;
  EXPECT_EQ(completion->text, "Hi");
  EXPECT_EQ(completion->prompt_tokens, 7U);
  EXPECT_EQ(completion->completion_tokens, 3U);
  const ReceivedRequest received = server_.Requests().at(0);
  EXPECT_EQ(received.method, "POST");
  EXPECT_EQ(received.target, "/v1/chat/completions");
  EXPECT_EQ(received.headers.at("authorization"), std::string("Bearer ") + kSecret);
  const boost::json::object body = LastBody();
  EXPECT_EQ(body.at("model").as_string(), "test-model");
  EXPECT_EQ(body.at("max_tokens").as_int64(), 50);
  EXPECT_EQ(body.at("temperature").as_double(), 0.25);
  EXPECT_FALSE(body.contains("stream"));
  const boost::json::array& messages = body.at("messages").as_array();
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].at("role").as_string(), "system");
  EXPECT_EQ(messages[1].at("content").as_string(), "Hello \"you\"\n");
}

TEST_F(OpenAiLanguageModelTest, SendsNoKeyToAServerThatNeedsNone) {
  options_.api_key.clear();
  Answer(200, Whole(R"({"content":"Hi"})"));
  ASSERT_TRUE(Complete().ok());
  EXPECT_EQ(server_.Requests().at(0).headers.count("authorization"), 0U);
}

TEST_F(OpenAiLanguageModelTest, ReadsAStreamThatComesByteByByte) {
  AnswerEvents({R"({"choices":[{"delta":{"role":"assistant","content":""}}]})", Delta("Gr\u00fc"),
                Delta("\\u00df dich"), kStop, kUsage, "[DONE]"},
               1);
  const auto completion = Stream();
  ASSERT_TRUE(completion.ok()) << completion.error().message;
  EXPECT_THAT(seen_, ElementsAre("Gr\u00fc", "\u00df dich"));
  EXPECT_EQ(completion->text, "Gr\u00fc\u00df dich");
  EXPECT_EQ(completion->finish_reason, "stop");
  EXPECT_EQ(completion->prompt_tokens, 11U);
  EXPECT_EQ(completion->completion_tokens, 2U);
  EXPECT_TRUE(LastBody().at("stream").as_bool());
  EXPECT_TRUE(LastBody().at("stream_options").at("include_usage").as_bool());
}

TEST_F(OpenAiLanguageModelTest, KeepsItsConnectionAfterAStreamAndAfterAnError) {
  for (int i = 0; i < 3; ++i) {
    AnswerEvents({Delta("a"), kStop, "[DONE]"});
    ASSERT_TRUE(Stream().ok());
    Answer(400, R"({"error":{"message":"no"}})");
    ASSERT_FALSE(Stream().ok());
  }
  EXPECT_EQ(server_.ConnectionsAccepted(), 1U);
}

TEST_F(OpenAiLanguageModelTest, ClassifiesEachStatus) {
  const struct {
    int status;
    const char* body;
    ErrorCode code;
    std::size_t asked;
    const char* says;
  } cases[] = {
      {301, "", ErrorCode::kBadGateway, 1, "redirect"},
      {400, R"({"error":{"message":"bad thing"}})", ErrorCode::kBadGateway, 1, "bad thing"},
      {401, R"({"error":{"message":"Incorrect key sk-very-secret-key-123"}})",
       ErrorCode::kBadGateway, 1, "OPENAI_API_KEY"},
      {403, "", ErrorCode::kBadGateway, 1, "OPENAI_API_KEY"},
      {404, R"({"error":{"code":"model_not_found"}})", ErrorCode::kBadGateway, 1, "test-model"},
      {408, "", ErrorCode::kUnavailable, 3, "408"},
      {409, "", ErrorCode::kUnavailable, 3, "409"},
      {413, "", ErrorCode::kBadGateway, 1, "413"},
      {422, R"({"detail":"sk-very-secret-key-123 is odd"})", ErrorCode::kBadGateway, 1, "*** is"},
      {429, "{}", ErrorCode::kResourceExhausted, 3, "429"},
      {429, R"({"error":{"code":"insufficient_quota"}})", ErrorCode::kResourceExhausted, 1,
       "quota"},
      {500, "not json", ErrorCode::kUnavailable, 3, "500"},
      {501, "", ErrorCode::kUnavailable, 1, "501"},
      {503, R"({"error":"loading"})", ErrorCode::kUnavailable, 3, "loading"},
      {529, R"({"error":{"message":"overloaded"}})", ErrorCode::kUnavailable, 3, "overloaded"},
  };

  for (const auto& c : cases) {
    const std::size_t before = Asked();
    for (std::size_t i = 0; i < c.asked; ++i) {
      Answer(c.status, c.body);
    }
    const auto completion = Stream();
    ASSERT_FALSE(completion.ok()) << c.status;
    EXPECT_EQ(completion.error().code, c.code) << c.status;
    EXPECT_EQ(Asked() - before, c.asked) << c.status;
    EXPECT_THAT(completion.error().message, AllOf(HasSubstr(c.says), Not(HasSubstr(kSecret))));
  }
}

TEST_F(OpenAiLanguageModelTest, HandsTheServersOwnWaitToTheCallerWhenItIsLong) {
  Answer(503, "{}", "Retry-After: 120\r\n");
  const auto busy = Complete();
  EXPECT_EQ(busy.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(busy.error().retry_after, Millis{120'000});
  Answer(429, "{}", "retry-after-ms: 90500.4\r\nRetry-After: 1\r\n");
  EXPECT_EQ(Complete().error().retry_after, Millis{90'500});
  EXPECT_EQ(Asked(), 2U);
}

TEST_F(OpenAiLanguageModelTest, WaitsAsTheServerAsksWhenThatIsShort) {
  Answer(429, "{}", "Retry-After: 0.02\r\n");
  Answer(200, Whole(R"({"content":"Now"})"));
  const SteadyTime before = clock_.SteadyNow();
  EXPECT_EQ(Complete()->text, "Now");
  EXPECT_GE(clock_.SteadyNow() - before, Millis{20});
}

TEST_F(OpenAiLanguageModelTest, DoesNotWaitPastTheDeadline) {
  options_.backoff_first = Millis{15'000};
  options_.backoff_max = Millis{15'000};
  Answer(500, "{}");
  EXPECT_EQ(Complete(Millis{5'000}).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(Asked(), 1U);
}

TEST_F(OpenAiLanguageModelTest, TriesAgainWhenTheConnectionBreaksBeforeAnyAnswer) {
  server_.Enqueue({HangUp{}});
  server_.Enqueue(
      {SendBytes{EventStreamText({R"({"choices":[{"delta":{"role":"assistant"}}]})"}, false)},
       HangUp{true}});
  AnswerEvents({Delta("a"), kStop, "[DONE]"});
  EXPECT_EQ(Stream()->text, "a");
  EXPECT_EQ(Asked(), 3U);
}

TEST_F(OpenAiLanguageModelTest, GivesUpAfterItsAttempts) {
  for (int i = 0; i < 5; ++i) {
    server_.Enqueue({HangUp{}});
  }
  EXPECT_EQ(Stream().error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(Asked(), 3U);
}

TEST_F(OpenAiLanguageModelTest, TakesACutStreamForNoAnswer) {
  AnswerEvents({Delta("half")});
  const auto ended = Stream();
  EXPECT_EQ(ended.error().code, ErrorCode::kBadGateway);
  EXPECT_THAT(ended.error().message, HasSubstr("cut short"));
  server_.Enqueue({SendBytes{EventStreamText({Delta("half")}, false)}, HangUp{}});
  EXPECT_EQ(Stream().error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(Asked(), 2U);
}

TEST_F(OpenAiLanguageModelTest, NeedsOnlyOneOfTheTwoSignsThatAStreamIsWhole) {
  AnswerEvents({Delta("a"), kStop});
  EXPECT_EQ(Stream()->finish_reason, "stop");
  AnswerEvents({Delta("b"), "[DONE]"});
  EXPECT_EQ(Stream()->text, "b");
}

TEST_F(OpenAiLanguageModelTest, ReportsAnErrorInsideAStream) {
  AnswerEvents({Delta("a"), R"({"error":{"message":"broke","type":"server_error"}})"});
  const auto broke = Stream();
  EXPECT_EQ(broke.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(broke.error().message, HasSubstr("broke"));
  EXPECT_EQ(Asked(), 1U);
  AnswerEvents({R"({"error":{"message":"slow down","code":"rate_limit_exceeded"}})"});
  AnswerEvents({Delta("b"), kStop, "[DONE]"});
  EXPECT_EQ(Stream()->text, "b");
  Answer(200, R"({"error":{"message":"strange"}})");
  EXPECT_EQ(Stream().error().code, ErrorCode::kBadGateway);
}

TEST_F(OpenAiLanguageModelTest, TakesWholeAnswersAndStreamsUnderAnyName) {
  Answer(200, "\r\n" + Whole(R"({"content":"whole"})"));
  EXPECT_EQ(Stream()->text, "whole");
  EXPECT_THAT(seen_, ElementsAre("whole"));
  const std::string events = "data: " + Delta("odd") + "\n\ndata: " + kStop + "\n\n";
  server_.Enqueue({SendBytes{HttpResponseText(200, events, "text/plain")}});
  EXPECT_EQ(Stream()->text, "odd");
  Answer(200,
         Whole(R"({"content":[{"type":"text","text":"in "},{"type":"text","text":"parts"}]})"));
  EXPECT_EQ(Complete()->text, "in parts");
}

TEST_F(OpenAiLanguageModelTest, RefusesNonsense) {
  const struct {
    std::string body;
    const char* says;
  } cases[] = {
      {"<html>Welcome</html>", "OPENAI_BASE_URL"},
      {"{\"choices\":[", "not the JSON"},
      {"[]", "not the JSON"},
      {"", "no choice"},
      {"{}", "no choice"},
      {R"({"choices":[]})", "no choice"},
      {R"({"choices":[7]})", "no choice"},
      {Whole(R"({"content":null})"), "empty (finish_reason stop)"},
      {Whole(R"({"content":""})", "length"), "empty (finish_reason length)"},
      {Whole(R"({"content":null,"refusal":"I will not"})"), "refused"},
      {Whole(R"({"content":null})", "content_filter"), "refused"},
      {Whole(R"({"content":null})", kSecret), "empty (finish_reason other)"},
      {Whole(R"({"content":null,"tool_calls":[{"id":"1"}]})", "tool_calls"), "tool"},
  };

  std::size_t asked = 0;
  for (const auto& c : cases) {
    Answer(200, c.body);
    const auto completion = Complete();
    ASSERT_FALSE(completion.ok()) << c.body;
    EXPECT_EQ(completion.error().code, ErrorCode::kBadGateway) << c.body;
    EXPECT_THAT(completion.error().message, HasSubstr(c.says)) << c.body;
    EXPECT_EQ(Asked(), ++asked);
  }
  AnswerEvents({"{not json"});
  EXPECT_EQ(Stream().error().code, ErrorCode::kBadGateway);
}

TEST_F(OpenAiLanguageModelTest, BoundsTheAnswer) {
  options_.answer_bytes_max = 1000;
  Answer(200, std::string(1001, ' '));
  EXPECT_EQ(Complete().error().code, ErrorCode::kBadGateway);
  server_.Enqueue({SendBytes{"HTTP/1.1 200 OK\r\n\r\n" + std::string(5000, ' ')}, HangUp{}});
  EXPECT_EQ(Complete().error().code, ErrorCode::kBadGateway);
}

TEST_F(OpenAiLanguageModelTest, HangsUpWhenTheSinkWantsNoMore) {
  server_.Enqueue({SendBytes{EventStreamText({Delta("a")}, false)}, AwaitHangUp{}});
  const auto completion = model().Stream(
      request_, [](std::string_view) { return false; }, {},
      Deadline::After(clock_, Millis{20'000}));
  EXPECT_EQ(completion->finish_reason, "cancelled");
  server_.AwaitHangUps(1);
}

TEST_F(OpenAiLanguageModelTest, LeavesOutWhatAServerDoesNotTakeAndRemembersThat) {
  request_.tokens_max = 50;
  request_.temperature = 0.5;
  Answer(400, R"({"error":{"message":"Unrecognized request argument: stream_options"}})");
  Answer(400, R"({"error":{"message":"'max_tokens' is not supported: use 'max_completion_tokens'",
                           "param":"max_tokens"}})");
  Answer(400, R"({"error":{"message":"Unsupported value: 'temperature'"}})");
  AnswerEvents({Delta("a"), kStop, "[DONE]"});
  EXPECT_EQ(Stream()->text, "a");
  EXPECT_EQ(Asked(), 4U);
  AnswerEvents({Delta("b"), kStop, "[DONE]"});
  EXPECT_EQ(Stream()->text, "b");
  EXPECT_EQ(Asked(), 5U);
  const boost::json::object body = LastBody();
  EXPECT_FALSE(body.contains("stream_options"));
  EXPECT_FALSE(body.contains("max_tokens"));
  EXPECT_FALSE(body.contains("temperature"));
  EXPECT_EQ(body.at("max_completion_tokens").as_int64(), 50);
}

TEST_F(OpenAiLanguageModelTest, ProbesWithoutAskingTheModel) {
  Answer(200, R"({"data":[]})");
  const Deadline deadline = Deadline::After(clock_, Millis{20'000});
  EXPECT_TRUE(model().Probe(deadline).ok());
  EXPECT_EQ(server_.Requests().at(0).method, "GET");
  EXPECT_EQ(server_.Requests().at(0).target, "/v1/models");
  Answer(404, "");
  EXPECT_TRUE(model().Probe(deadline).ok());
  Answer(401, "");
  const Status refused = model().Probe(deadline);
  EXPECT_EQ(refused.error().code, ErrorCode::kBadGateway);
  EXPECT_THAT(refused.error().message, HasSubstr("OPENAI_API_KEY"));
}

TEST_F(OpenAiLanguageModelTest, GivesAProbeLittleTime) {
  options_.probe_timeout = Millis{30};
  server_.Enqueue({AwaitHangUp{}});
  EXPECT_EQ(model().Probe(Deadline::After(clock_, Millis{20'000})).error().code,
            ErrorCode::kDeadlineExceeded);
}

TEST(OpenAiLanguageModelOpen, SaysWhatToWrite) {
  const SystemClock clock;

  const struct {
    OpenAiLanguageModel::Options options;
    const char* says;
  } cases[] = {
      {{.base_url = "", .api_key = ""}, "set OPENAI_API_KEY"},
      {{.base_url = "localhost:1", .api_key = ""}, "http:// or https://"},
      {{.base_url = "http://localhost", .api_key = "sk-se\ncret"}, "line break"},
      {{.base_url = "http://localhost", .api_key = "", .model = ""}, "OPENAI_MODEL"},
  };

  for (const auto& c : cases) {
    const auto model = OpenAiLanguageModel::Open(c.options, clock);
    ASSERT_FALSE(model.ok());
    EXPECT_EQ(model.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(model.error().message, AllOf(HasSubstr(c.says), Not(HasSubstr("sk-se"))));
  }
  EXPECT_TRUE(OpenAiLanguageModel::Open({.base_url = "", .api_key = kSecret}, clock).ok());
}

}  // namespace
}  // namespace umbranet
