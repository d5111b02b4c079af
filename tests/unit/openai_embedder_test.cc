// Goal: whatever a server of the embeddings API may do, the caller gets one vector for each text or
// an error of the right kind, and the key stays secret.
// Method: a server on loopback plays each behaviour, and the requests that it saw are read.
#include "umbranet/adapters/openai/openai_embedder.h"

#include <memory>
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
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kSecret = "sk-very-secret-key-123";

std::string Vectors(const std::string& entries) {
  return R"({"object":"list","data":[)" + entries + R"(],"model":"m"})";
}

class OpenAiEmbedderTest : public ::testing::Test {
 protected:
  OpenAiEmbedderTest() {
    options_.base_url = server_.BaseUrl();
    options_.api_key = kSecret;
    options_.model = "test-model";
    options_.backoff_first = Millis{1};
  }

  void Answer(int status, std::string_view body, std::string_view headers = "") {
    server_.Enqueue({SendBytes{HttpResponseText(status, body, "application/json", headers)}});
  }

  Result<std::vector<Embedding>> Embed(const std::vector<std::string_view>& texts,
                                       Millis budget = Millis{20'000}) {
    if (!embedder_) {
      embedder_ = OpenAiEmbedder::Open(options_, clock_).value();
    }
    return embedder_->EmbedPassages(texts, Deadline::After(clock_, budget));
  }

  ErrorCode CodeOf(const std::vector<std::string_view>& texts) {
    const auto vectors = Embed(texts);
    EXPECT_FALSE(vectors.ok());
    message_ = vectors.ok() ? "" : vectors.error().message;
    EXPECT_THAT(message_, Not(HasSubstr(kSecret)));
    return vectors.ok() ? ErrorCode::kInternal : vectors.error().code;
  }

  SystemClock clock_;
  ScriptedHttpServer server_;
  OpenAiEmbedder::Options options_;
  std::unique_ptr<OpenAiEmbedder> embedder_;
  std::string message_;
};

TEST_F(OpenAiEmbedderTest, AsksForTheModelWithTheKeyAndScalesWhatComes) {
  Answer(200, Vectors(R"({"index":1,"embedding":[0,2]},{"index":0,"embedding":[3,4]})"));
  const auto vectors = Embed({"one apple", "two \"pears\""});
  ASSERT_TRUE(vectors.ok()) << vectors.error().message;
  EXPECT_EQ(vectors->at(0), (Embedding{0.6F, 0.8F}));
  EXPECT_EQ(vectors->at(1), (Embedding{0.0F, 1.0F}));
  const ReceivedRequest request = server_.Requests().at(0);
  EXPECT_EQ(request.method + " " + request.target, "POST /v1/embeddings");
  EXPECT_EQ(request.headers.at("authorization"), std::string("Bearer ") + kSecret);
  const auto body = boost::json::parse(request.body);
  EXPECT_EQ(body.at("model"), "test-model");
  EXPECT_EQ(body.at("input"), (boost::json::array{"one apple", "two \"pears\""}));
}

TEST_F(OpenAiEmbedderTest, SplitsManyTextsOverRequests) {
  options_.texts_max = 2;
  Answer(200, Vectors(R"({"embedding":[1,0]},{"embedding":[0,1]})"));
  Answer(200, Vectors(R"({"embedding":[0,-1]})"));
  const auto vectors = Embed({"one", "two", "three"});
  ASSERT_TRUE(vectors.ok()) << vectors.error().message;
  EXPECT_EQ(vectors->at(2), (Embedding{0.0F, -1.0F}));
  EXPECT_EQ(server_.Requests().size(), 2U);
}

TEST_F(OpenAiEmbedderTest, SendsTheBeginningOfALongTextAndNeverAnEmptyOne) {
  options_.text_bytes_max = 4;
  Answer(200, Vectors(R"({"embedding":[1]},{"embedding":[1]},{"embedding":[1]})"));
  ASSERT_TRUE(Embed({"abc\u00e9", "", "a\xff"}).ok());
  EXPECT_EQ(boost::json::parse(server_.Requests().at(0).body).at("input"),
            (boost::json::array{"abc", " ", "a"}));
}

TEST_F(OpenAiEmbedderTest, TriesAgainWhatMayPass) {
  Answer(503, "{}");
  Answer(429, R"({"error":{"message":"slow down","type":"rate_limit_error"}})",
         "Retry-After: 0\r\n");
  Answer(200, Vectors(R"({"embedding":[1,0]})"));
  EXPECT_TRUE(Embed({"one"}).ok());
  EXPECT_EQ(server_.Requests().size(), 3U);
}

TEST_F(OpenAiEmbedderTest, GivesUpAfterItsTries) {
  options_.attempts_max = 2;
  Answer(503, "{}");
  Answer(503, "{}");
  EXPECT_EQ(CodeOf({"one"}), ErrorCode::kUnavailable);
  EXPECT_EQ(server_.Requests().size(), 2U);
}

TEST_F(OpenAiEmbedderTest, LeavesALongWaitToTheCaller) {
  Answer(429, R"({"error":{"message":"slow down"}})", "Retry-After: 3600\r\n");
  const auto vectors = Embed({"one"});
  ASSERT_FALSE(vectors.ok());
  EXPECT_EQ(vectors.error().code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(vectors.error().retry_after, Millis{3'600'000});
}

TEST_F(OpenAiEmbedderTest, NamesTheSettingWhenTheKeyOrModelIsRefused) {
  Answer(401, R"({"error":{"message":"Incorrect key sk-very-secret-key-123"}})");
  EXPECT_EQ(CodeOf({"one"}), ErrorCode::kBadGateway);
  EXPECT_THAT(message_, HasSubstr("EMBEDDING_API_KEY"));
  Answer(404, R"({"error":{"message":"no such model"}})");
  EXPECT_EQ(CodeOf({"one"}), ErrorCode::kBadGateway);
  EXPECT_THAT(message_, AllOf(HasSubstr("EMBEDDING_MODEL"), HasSubstr("test-model")));
}

TEST_F(OpenAiEmbedderTest, RefusesAnAnswerThatIsNotOneVectorForEachText) {
  for (const std::string& body :
       {std::string("not json"), std::string("{}"), Vectors(""), Vectors(R"({"embedding":[1]})"),
        Vectors(R"({"embedding":[1]},{"embedding":[1,2]})"),
        Vectors(R"({"embedding":[1]},{"embedding":[0]})"),
        Vectors(R"({"embedding":[1]},{"embedding":"AAAA"})"),
        Vectors(R"({"index":0,"embedding":[1]},{"index":0,"embedding":[1]})"),
        Vectors(R"({"index":0,"embedding":[1]},{"index":-1,"embedding":[1]})")}) {
    Answer(200, body);
    EXPECT_EQ(CodeOf({"one", "two"}), ErrorCode::kBadGateway) << body;
  }
}

TEST_F(OpenAiEmbedderTest, StopsWaitingAtTheDeadline) {
  server_.Enqueue({AwaitHangUp{}});
  const auto vectors = Embed({"one"}, Millis{50});
  ASSERT_FALSE(vectors.ok());
  EXPECT_EQ(vectors.error().code, ErrorCode::kDeadlineExceeded);
}

TEST_F(OpenAiEmbedderTest, RefusesSettingsThatCannotBe) {
  options_.base_url = "not a url";
  EXPECT_EQ(OpenAiEmbedder::Open(options_, clock_).error().code, ErrorCode::kInvalidArgument);
  options_.base_url = "";
  options_.api_key = "";
  EXPECT_THAT(OpenAiEmbedder::Open(options_, clock_).error().message,
              HasSubstr("EMBEDDING_API_KEY"));
}

}  // namespace
}  // namespace umbranet
