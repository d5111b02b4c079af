// Goal: what OpenAI documents and what llama.cpp's server sends is what the client expects.
// Method: bodies as the API reference shows them and as llama-server writes them, played back:
// answers, streamed chunks, usage, refusals and errors. Names and ids are cut short.
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/adapters/openai/openai_language_model.h"

#include "tests/doubles/scripted_http_server.h"

namespace umbranet {
namespace {

using ::testing::HasSubstr;

class RecordedExchangesTest : public ::testing::Test {
 protected:
  RecordedExchangesTest() {
    OpenAiLanguageModel::Options options;
    options.base_url = server_.BaseUrl();
    options.attempts_max = 1;
    model_ = OpenAiLanguageModel::Open(options, clock_).value();
    request_.messages = {{ChatRole::kUser, "Say hello."}};
  }

  Result<Completion> Play(int status, std::string_view body, std::string_view headers = "") {
    server_.Enqueue({SendBytes{HttpResponseText(status, body, "application/json", headers)}});
    return model_->Complete(request_, {}, Deadline::After(clock_, Millis{20'000}));
  }

  Result<Completion> PlayStream(const std::vector<std::string>& events) {
    server_.Enqueue({SendBytes{EventStreamText(events)}});
    return model_->Stream(
        request_, [](std::string_view) { return true; }, {},
        Deadline::After(clock_, Millis{20'000}));
  }

  SystemClock clock_;
  ScriptedHttpServer server_;
  std::unique_ptr<OpenAiLanguageModel> model_;
  CompletionRequest request_;
};

// --- OpenAI, as its API reference shows it -------------------------------------------------------

TEST_F(RecordedExchangesTest, OpenAiAnswers) {
  const auto completion = Play(200, R"({
    "id": "chatcmpl-B9", "object": "chat.completion", "created": 1741569952,
    "model": "gpt-4.1-2025-04-14",
    "choices": [{"index": 0,
                 "message": {"role": "assistant", "content": "Hello!", "refusal": null,
                             "annotations": []},
                 "logprobs": null, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 19, "completion_tokens": 10, "total_tokens": 29,
              "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
              "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0,
                                            "accepted_prediction_tokens": 0,
                                            "rejected_prediction_tokens": 0}},
    "service_tier": "default", "system_fingerprint": "fp_44"})");
  ASSERT_TRUE(completion.ok()) << completion.error().message;
  EXPECT_EQ(completion->text, "Hello!");
  EXPECT_EQ(completion->prompt_tokens, 19U);
  EXPECT_EQ(completion->completion_tokens, 10U);
}

TEST_F(RecordedExchangesTest, OpenAiStreams) {
  const std::string head =
      R"({"id":"chatcmpl-123","object":"chat.completion.chunk","created":1694268190,)"
      R"("model":"gpt-4o-mini","system_fingerprint":"fp_44","choices":)";
  const auto completion = PlayStream(
      {head + R"([{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,)"
              R"("finish_reason":null}],"usage":null})",
       head + R"([{"index":0,"delta":{"content":"Hel"},"logprobs":null,"finish_reason":null}]})",
       head + R"([{"index":0,"delta":{"content":"lo"},"logprobs":null,"finish_reason":null}]})",
       head + R"([{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]})",
       head + R"([],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}})",
       "[DONE]"});
  ASSERT_TRUE(completion.ok()) << completion.error().message;
  EXPECT_EQ(completion->text, "Hello");
  EXPECT_EQ(completion->prompt_tokens, 9U);
}

TEST_F(RecordedExchangesTest, OpenAiRefusesInItsField) {
  const auto refused = Play(200, R"({"id":"chatcmpl-9","object":"chat.completion","choices":[
    {"index":0,"message":{"role":"assistant","content":null,
                          "refusal":"I'm sorry, I cannot assist with that request."},
     "logprobs":null,"finish_reason":"stop"}],
    "usage":{"prompt_tokens":81,"completion_tokens":11,"total_tokens":92}})");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kBadGateway);
  EXPECT_THAT(refused.error().message, HasSubstr("refused"));
}

TEST_F(RecordedExchangesTest, OpenAiSaysThatItIsBusyAndForHowLong) {
  const auto busy = Play(
      429,
      R"({"error":{"message":"Rate limit reached for gpt-4o-mini in organization org-x on tokens)"
      R"( per min (TPM): Limit 200000, Used 199000, Requested 2000. Please try again in 300ms.",)"
      R"("type":"tokens","param":null,"code":"rate_limit_exceeded"}})",
      "retry-after: 1\r\nretry-after-ms: 300\r\nx-ratelimit-remaining-tokens: 1000\r\n");
  ASSERT_FALSE(busy.ok());
  EXPECT_EQ(busy.error().code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(busy.error().retry_after, Millis{300});
}

TEST_F(RecordedExchangesTest, OpenAiSaysThatTheQuotaIsUsedUp) {
  const auto spent =
      Play(429, R"({"error":{"message":"You exceeded your current quota, please check your plan",)"
                R"("type":"insufficient_quota","param":null,"code":"insufficient_quota"}})");
  ASSERT_FALSE(spent.ok());
  EXPECT_THAT(spent.error().message, HasSubstr("no quota left"));
}

TEST_F(RecordedExchangesTest, OpenAiSaysThatTheServerFailed) {
  const auto failed =
      Play(500, R"({"error":{"message":"The server had an error while processing your request.",)"
                R"("type":"server_error","param":null,"code":null}})");
  EXPECT_EQ(failed.error().code, ErrorCode::kUnavailable);
}

// --- llama.cpp's server --------------------------------------------------------------------------

TEST_F(RecordedExchangesTest, LlamaServerAnswers) {
  const auto completion = Play(200, R"({"choices":[{"finish_reason":"stop","index":0,
    "message":{"role":"assistant","content":"Hello!"}}],
    "created":1750000000,"model":"gpt-4o-mini","system_fingerprint":"b5576-x",
    "object":"chat.completion",
    "usage":{"completion_tokens":3,"prompt_tokens":12,"total_tokens":15},
    "id":"chatcmpl-v","timings":{"prompt_n":12,"prompt_ms":48.1,"prompt_per_token_ms":4.0,
    "prompt_per_second":249.2,"predicted_n":3,"predicted_ms":20.0,"predicted_per_token_ms":6.6,
    "predicted_per_second":150.0}})");
  ASSERT_TRUE(completion.ok()) << completion.error().message;
  EXPECT_EQ(completion->text, "Hello!");
  EXPECT_EQ(completion->completion_tokens, 3U);
}

TEST_F(RecordedExchangesTest, LlamaServerThinksInAFieldOfItsOwn) {
  const auto completion = Play(200, R"({"choices":[{"finish_reason":"stop","index":0,
    "message":{"role":"assistant","reasoning_content":"The user greets.","content":"Hello!"}}],
    "object":"chat.completion","usage":{"completion_tokens":9,"prompt_tokens":12}})");
  ASSERT_TRUE(completion.ok());
  EXPECT_EQ(completion->text, "Hello!");
}

TEST_F(RecordedExchangesTest, LlamaServerStreamsWithUsageInItsLastChunk) {
  const std::string tail =
      R"("created":1750000000,"id":"chatcmpl-v","model":"m","system_fingerprint":"b5576-x",)"
      R"("object":"chat.completion.chunk")";
  const auto completion = PlayStream(
      {R"({"choices":[{"finish_reason":null,"index":0,"delta":{"role":"assistant",)"
       R"("content":null}}],)" +
           tail + "}",
       R"({"choices":[{"finish_reason":null,"index":0,"delta":{"content":"Hel"}}],)" + tail + "}",
       R"({"choices":[{"finish_reason":null,"index":0,"delta":{"content":"lo"}}],)" + tail + "}",
       R"({"choices":[{"finish_reason":"stop","index":0,"delta":{}}],)" + tail + "}",
       R"({"choices":[],)" + tail +
           R"(,"usage":{"completion_tokens":2,"prompt_tokens":12,"total_tokens":14},)"
           R"("timings":{"prompt_n":1,"predicted_n":2}})",
       "[DONE]"});
  ASSERT_TRUE(completion.ok()) << completion.error().message;
  EXPECT_EQ(completion->text, "Hello");
  EXPECT_EQ(completion->prompt_tokens, 12U);
}

TEST_F(RecordedExchangesTest, LlamaServerIsStillLoadingItsModel) {
  const auto loading =
      Play(503, R"({"error":{"code":503,"message":"Loading model","type":"unavailable_error"}})");
  EXPECT_EQ(loading.error().code, ErrorCode::kUnavailable);
}

TEST_F(RecordedExchangesTest, LlamaServerFindsThePromptTooLong) {
  const auto refused =
      Play(400, R"({"error":{"code":400,"message":"the request exceeds the available context size.)"
                R"( try increasing the context size or enable context shift",)"
                R"("type":"exceed_context_size_error","n_prompt_tokens":9000,"n_ctx":4096}})");
  EXPECT_EQ(refused.error().code, ErrorCode::kBadGateway);
  EXPECT_THAT(refused.error().message, HasSubstr("context size"));
}

TEST_F(RecordedExchangesTest, LlamaServerWantsAKey) {
  const auto refused = Play(
      401, R"({"error":{"code":401,"message":"Invalid API Key","type":"authentication_error"}})");
  EXPECT_THAT(refused.error().message, HasSubstr("OPENAI_API_KEY"));
}

TEST_F(RecordedExchangesTest, LlamaServerStopsAtItsBound) {
  const auto cut = Play(200, R"({"choices":[{"finish_reason":"length","index":0,
    "message":{"role":"assistant","content":"{\"t1\":{\"keep\":tr"}}],"object":"chat.completion",
    "usage":{"completion_tokens":8,"prompt_tokens":12,"total_tokens":20}})");
  ASSERT_TRUE(cut.ok());
  EXPECT_EQ(cut->finish_reason, "length");
}

}  // namespace
}  // namespace umbranet
