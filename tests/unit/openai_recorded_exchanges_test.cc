// Goal: what OpenAI documents and what llama.cpp's server and LiteLLM's proxy send is what the
// client expects. Method: bodies as the API reference shows them, with names and ids cut short, and
// answers of the two servers as they came over the wire (scripts/record_model_exchanges wrote them
// to recordings/), played back: answers, streamed chunks, usage, refusals and errors.
#include <cstdint>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/adapters/openai/openai_language_model.h"

#include "tests/doubles/scripted_http_server.h"

namespace umbranet {
namespace {

namespace json = boost::json;

using ::testing::HasSubstr;
using ::testing::StartsWith;

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

  static std::string Recording(const std::string& name) {
    std::ifstream file(UMBRANET_SOURCE_DIR "/tests/unit/recordings/" + name + ".http",
                       std::ios::binary);
    std::string bytes(std::istreambuf_iterator<char>(file), {});
    EXPECT_FALSE(bytes.empty()) << name;
    return bytes;
  }

  Result<Completion> PlayRecording(const std::string& name) {
    server_.Enqueue({SendBytes{Recording(name)}});
    return model_->Complete(request_, {}, Deadline::After(clock_, Millis{20'000}));
  }

  Result<Completion> PlayRecordedStream(const std::string& name) {
    server_.Enqueue({SendBytes{Recording(name)}});
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

// --- llama.cpp's server, b11549, as it answered
// ----------------------------------------------------

TEST_F(RecordedExchangesTest, LlamaServerAnswers) {
  const auto completion = PlayRecording("llama_cpp/answer");
  ASSERT_TRUE(completion.ok()) << completion.error().message;
  EXPECT_THAT(completion->text, StartsWith("Hello! I'm here to help"));
  EXPECT_EQ(completion->finish_reason, "stop");
  EXPECT_EQ(completion->prompt_tokens, 33U);
  EXPECT_EQ(completion->completion_tokens, 24U);
}

TEST_F(RecordedExchangesTest, LlamaServerStopsAtItsBound) {
  const auto cut = PlayRecording("llama_cpp/cut_at_bound");
  ASSERT_TRUE(cut.ok()) << cut.error().message;
  EXPECT_EQ(cut->finish_reason, "length");
  EXPECT_EQ(cut->completion_tokens, 4U);
}

TEST_F(RecordedExchangesTest, LlamaServerStreamsWithUsageInItsLastChunk) {
  const auto completion = PlayRecordedStream("llama_cpp/stream");
  ASSERT_TRUE(completion.ok()) << completion.error().message;
  EXPECT_THAT(completion->text, StartsWith("Hello! I'm here to help"));
  EXPECT_EQ(completion->finish_reason, "length");
  EXPECT_EQ(completion->prompt_tokens, 33U);
  EXPECT_EQ(completion->completion_tokens, 12U);
}

TEST_F(RecordedExchangesTest, LlamaServerStreamsWithoutUsageWhereNobodyAskedForIt) {
  const auto completion = PlayRecordedStream("llama_cpp/stream_without_usage");
  ASSERT_TRUE(completion.ok()) << completion.error().message;
  EXPECT_EQ(completion->finish_reason, "length");
  EXPECT_FALSE(completion->text.empty());
}

TEST_F(RecordedExchangesTest, LlamaServerHoldsAnAnswerToItsSchema) {
  const auto completion = PlayRecording("llama_cpp/json_schema");
  ASSERT_TRUE(completion.ok()) << completion.error().message;
  EXPECT_EQ(completion->text, "{\n  \"city\": \"New York\",\n  \"keep\": true\n}");
}

TEST_F(RecordedExchangesTest, LlamaServerCutsAnObjectAtItsBound) {
  const auto completion = PlayRecording("llama_cpp/json_object");
  ASSERT_TRUE(completion.ok()) << completion.error().message;
  EXPECT_THAT(completion->text, StartsWith("{"));
  EXPECT_EQ(completion->finish_reason, "length");
}

TEST_F(RecordedExchangesTest, LlamaServerFindsThePromptTooLong) {
  const auto refused = PlayRecording("llama_cpp/prompt_too_long");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kBadGateway);
  EXPECT_THAT(refused.error().message, HasSubstr("context size"));
}

TEST_F(RecordedExchangesTest, LlamaServerRefusesWhatItCannotRead) {
  for (const char* const recording :
       {"llama_cpp/torn_request", "llama_cpp/messages_of_no_form", "llama_cpp/unknown_path"}) {
    const auto refused = PlayRecording(recording);
    ASSERT_FALSE(refused.ok()) << recording;
    EXPECT_EQ(refused.error().code, ErrorCode::kBadGateway) << recording;
  }
}

TEST_F(RecordedExchangesTest, LlamaServerWantsAKey) {
  const auto refused = PlayRecording("llama_cpp/wrong_key");
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("OPENAI_API_KEY"));
}

// --- LiteLLM's proxy, 1.108.7, as it answered ---------------------------------------------------

TEST_F(RecordedExchangesTest, LiteLlmAnswers) {
  const auto completion = PlayRecording("litellm/answer");
  ASSERT_TRUE(completion.ok()) << completion.error().message;
  EXPECT_EQ(completion->text, "Hello! How can I help you today?");
  EXPECT_EQ(completion->finish_reason, "stop");
  EXPECT_EQ(completion->prompt_tokens, 10U);
  EXPECT_EQ(completion->completion_tokens, 20U);
}

TEST_F(RecordedExchangesTest, LiteLlmStreamsWithUsageInAChunkThatHasAChoice) {
  const auto completion = PlayRecordedStream("litellm/stream");
  ASSERT_TRUE(completion.ok()) << completion.error().message;
  EXPECT_EQ(completion->text, "Hello! How can I help you today?");
  EXPECT_EQ(completion->finish_reason, "stop");
  EXPECT_EQ(completion->prompt_tokens, 10U);
  EXPECT_EQ(completion->completion_tokens, 9U);
}

TEST_F(RecordedExchangesTest, LiteLlmStreamsWithoutUsageWhereNobodyAskedForIt) {
  const auto completion = PlayRecordedStream("litellm/stream_without_usage");
  ASSERT_TRUE(completion.ok()) << completion.error().message;
  EXPECT_EQ(completion->text, "Hello! How can I help you today?");
  EXPECT_EQ(completion->finish_reason, "stop");
}

TEST_F(RecordedExchangesTest, LiteLlmPassesOnThatAModelIsBusyOrFails) {
  EXPECT_EQ(PlayRecording("litellm/busy").error().code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(PlayRecordedStream("litellm/busy_stream").error().code, ErrorCode::kResourceExhausted);
  for (const char* const recording : {"litellm/broken", "litellm/away"}) {
    EXPECT_EQ(PlayRecording(recording).error().code, ErrorCode::kUnavailable) << recording;
  }
  for (const char* const recording : {"litellm/broken_stream", "litellm/away_stream"}) {
    EXPECT_EQ(PlayRecordedStream(recording).error().code, ErrorCode::kUnavailable) << recording;
  }
}

TEST_F(RecordedExchangesTest, LiteLlmRefusesWhatAModelCannotTakeOrItCannotRead) {
  const auto too_long = PlayRecording("litellm/too_long");
  ASSERT_FALSE(too_long.ok());
  EXPECT_EQ(too_long.error().code, ErrorCode::kBadGateway);
  EXPECT_THAT(too_long.error().message, HasSubstr("ContextWindowExceeded"));
  EXPECT_EQ(PlayRecordedStream("litellm/too_long_stream").error().code, ErrorCode::kBadGateway);
  for (const char* const recording : {"litellm/torn_request", "litellm/unknown_path"}) {
    EXPECT_EQ(PlayRecording(recording).error().code, ErrorCode::kBadGateway) << recording;
  }
}

// --- What OpenAI's own client libraries read in the recordings
// ------------------------------------

ErrorCode CodeOfStatus(std::int64_t status) {
  return status == 429   ? ErrorCode::kResourceExhausted
         : status >= 500 ? ErrorCode::kUnavailable
                         : ErrorCode::kBadGateway;
}

TEST_F(RecordedExchangesTest, EveryRecordingIsReadAsTheOfficialClientsReadIt) {
  std::ifstream file(UMBRANET_SOURCE_DIR "/tests/unit/recordings/readings.json");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const json::object readings = json::parse(text).as_object();
  EXPECT_GE(readings.size(), 20U);
  for (const auto& [name, value] : readings) {
    const json::object& reading = value.as_object();
    const std::string recording(name);
    const bool streamed = recording.find("stream") != std::string::npos;
    const auto completion = streamed ? PlayRecordedStream(recording) : PlayRecording(recording);
    if (const json::value* const status = reading.if_contains("status"); status != nullptr) {
      ASSERT_FALSE(completion.ok()) << recording;
      EXPECT_EQ(completion.error().code, CodeOfStatus(status->as_int64())) << recording;
      continue;
    }
    ASSERT_TRUE(completion.ok()) << recording << completion.error().message;
    EXPECT_EQ(completion->text, reading.at("text").as_string()) << recording;
    EXPECT_EQ(completion->finish_reason, reading.at("finish_reason").as_string()) << recording;
    const auto tokens = [&](const char* key) { return reading.at(key).to_number<std::uint64_t>(); };
    EXPECT_EQ(completion->prompt_tokens, tokens("prompt_tokens")) << recording;
    EXPECT_EQ(completion->completion_tokens, tokens("completion_tokens")) << recording;
  }
}

// --- llama.cpp's server, where it could not be recorded: as its sources write it
// -------------------

TEST_F(RecordedExchangesTest, LlamaServerThinksInAFieldOfItsOwn) {
  const auto completion = Play(200, R"({"choices":[{"finish_reason":"stop","index":0,
    "message":{"role":"assistant","reasoning_content":"The user greets.","content":"Hello!"}}],
    "object":"chat.completion","usage":{"completion_tokens":9,"prompt_tokens":12}})");
  ASSERT_TRUE(completion.ok());
  EXPECT_EQ(completion->text, "Hello!");
}

TEST_F(RecordedExchangesTest, LlamaServerIsStillLoadingItsModel) {
  const auto loading =
      Play(503, R"({"error":{"code":503,"message":"Loading model","type":"unavailable_error"}})");
  EXPECT_EQ(loading.error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace umbranet
