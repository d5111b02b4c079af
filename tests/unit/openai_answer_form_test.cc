// Goal: a server is held to the form of an answer as far as it can be, and asked for no more than
// it takes from then on. Method: a server on loopback refuses as real ones do.
#include <memory>
#include <string>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

#include "umbranet/adapters/openai/openai_language_model.h"

#include "tests/doubles/scripted_http_server.h"

namespace umbranet {
namespace {

const std::string kFine =
    R"({"choices":[{"index":0,"message":{"role":"assistant","content":"{\"a\":1}"},)"
    R"("finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":3}})";

class OpenAiAnswerFormTest : public ::testing::Test {
 protected:
  OpenAiAnswerFormTest() {
    OpenAiLanguageModel::Options options;
    options.base_url = server_.BaseUrl();
    options.model = "test-model";
    options.attempts_max = 1;
    model_ = OpenAiLanguageModel::Open(options, clock_).value();
    request_.messages = {{ChatRole::kUser, "Answer in JSON."}};
    request_.answer_schema = AnswerSchema{"reflection", R"({"type":"object"})"};
  }

  void Answer(int status, std::string_view body) {
    server_.Enqueue({SendBytes{HttpResponseText(status, body)}});
  }

  Result<Completion> Ask() {
    return model_->Complete(request_, {}, Deadline::After(clock_, Millis{20'000}));
  }

  // The type of the form that the last request asked for; empty: of none.
  std::string FormAsked() {
    const auto body = boost::json::parse(server_.Requests().back().body).as_object();
    return body.contains("response_format")
               ? std::string(body.at("response_format").at("type").as_string())
               : "";
  }

  std::size_t Asked() { return server_.Requests().size(); }

  SystemClock clock_;
  ScriptedHttpServer server_;
  std::unique_ptr<OpenAiLanguageModel> model_;
  CompletionRequest request_;
};

TEST_F(OpenAiAnswerFormTest, IsAskedForByItsSchema) {
  Answer(200, kFine);
  EXPECT_EQ(Ask()->text, "{\"a\":1}");
  const auto body = boost::json::parse(server_.Requests().back().body);
  const auto& form = body.at("response_format");
  EXPECT_EQ(form.at("type").as_string(), "json_schema");
  EXPECT_TRUE(form.at("json_schema").at("strict").as_bool());
  EXPECT_EQ(form.at("json_schema").at("name").as_string(), "reflection");
  EXPECT_EQ(form.at("json_schema").at("schema").at("type").as_string(), "object");
}

TEST_F(OpenAiAnswerFormTest, IsLeftOutWhereNoneIsWanted) {
  request_.answer_schema.reset();
  Answer(200, kFine);
  ASSERT_TRUE(Ask().ok());
  EXPECT_EQ(FormAsked(), "");
}

TEST_F(OpenAiAnswerFormTest, StepsDownToAnyObjectAndRemembersIt) {
  Answer(400, R"({"error":{"message":"Invalid parameter: 'response_format' of type 'json_schema')"
              R"( is not supported with this model.","type":"invalid_request_error",)"
              R"("param":"response_format","code":null}})");
  Answer(200, kFine);
  ASSERT_TRUE(Ask().ok());
  EXPECT_EQ(FormAsked(), "json_object");
  Answer(200, kFine);
  ASSERT_TRUE(Ask().ok());
  EXPECT_EQ(FormAsked(), "json_object");
  EXPECT_EQ(Asked(), 3U);
}

TEST_F(OpenAiAnswerFormTest, StepsDownToNothingAndRemembersIt) {
  Answer(422, R"({"detail":[{"type":"extra_forbidden","loc":["body","response_format"]}]})");
  Answer(400, R"({"error":"'response_format.type' must be 'json_schema' or 'text'"})");
  Answer(200, kFine);
  ASSERT_TRUE(Ask().ok());
  EXPECT_EQ(FormAsked(), "");
  Answer(200, kFine);
  ASSERT_TRUE(Ask().ok());
  EXPECT_EQ(Asked(), 4U);
}

TEST_F(OpenAiAnswerFormTest, StepsDownWhereAServerCannotMakeAGrammarOfIt) {
  Answer(500,
         R"({"error":{"code":500,"message":"Failed to parse grammar","type":"server_error"}})");
  Answer(200, kFine);
  ASSERT_TRUE(Ask().ok());
  EXPECT_EQ(FormAsked(), "json_object");
}

TEST_F(OpenAiAnswerFormTest, StaysWhereSomethingElseIsRefused) {
  Answer(400, R"({"error":{"message":"the prompt is too long","code":"context_length_exceeded"}})");
  EXPECT_EQ(Ask().error().code, ErrorCode::kBadGateway);
  Answer(500, R"({"error":{"message":"the server had an error"}})");
  EXPECT_EQ(Ask().error().code, ErrorCode::kUnavailable);
  Answer(200, kFine);
  ASSERT_TRUE(Ask().ok());
  EXPECT_EQ(FormAsked(), "json_schema");
}

TEST_F(OpenAiAnswerFormTest, OfNobodysAskingIsNotSteppedDownFrom) {
  CompletionRequest plain = request_;
  plain.answer_schema.reset();
  Answer(400, R"({"error":{"message":"you said: response_format"}})");
  EXPECT_FALSE(model_->Complete(plain, {}, Deadline::After(clock_, Millis{20'000})).ok());
  EXPECT_EQ(Asked(), 1U);
  Answer(200, kFine);
  ASSERT_TRUE(Ask().ok());
  EXPECT_EQ(FormAsked(), "json_schema");
}

}  // namespace
}  // namespace umbranet
