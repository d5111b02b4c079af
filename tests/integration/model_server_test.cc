// Goal: the client and the extractor hold against a real model behind a real server:
// answers whole and in pieces, an answer held to its schema, a batch that is reflected, a call that
// is given up, a server that is killed and comes back.
// Method: scripts/model_server on a port of its own, with the small model that
// scripts/fetch_model_server brings; where that is not there, the tests are skipped. A model of 135
// million parameters understands little: nothing is asked of what it says, only of the protocol.
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/parse.hpp>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "umbranet/adapters/openai/openai_language_model.h"
#include "umbranet/extraction/llm_extractor.h"
#include "umbranet/ports/language_model.h"
#include "umbranet/telemetry/metrics.h"
#include "umbranet/telemetry/structured_log.h"

extern char** environ;

namespace umbranet {
namespace {

using ::testing::AnyOf;
using ::testing::Gt;
using ::testing::SizeIs;

constexpr Millis kPatience{100'000};  // On a busy machine a token takes a tenth of a second.

std::string ModelFolder() {
  const char* const chosen = std::getenv("UMBRANET_MODEL_SERVER");
  return chosen != nullptr ? chosen : UMBRANET_SOURCE_DIR "/.deps/model-server";
}

// scripts/model_server as a process of its own, that goes with the object.
class ModelServerProcess {
 public:
  explicit ModelServerProcess(const std::string& port = "0") {
    int ends[2] = {-1, -1};
    if (pipe(ends) != 0) {
      return;
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    posix_spawn_file_actions_addclose(&actions, ends[1]);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    const std::string sources = UMBRANET_SOURCE_DIR;
    std::vector<std::string> words = {sources + "/scripts/model_server",
                                      "--port",
                                      port,
                                      "--folder",
                                      ModelFolder(),
                                      "--context",
                                      "16384"};
    std::vector<char*> arguments;
    for (std::string& word : words) {
      arguments.push_back(word.data());
    }
    arguments.push_back(nullptr);
    if (posix_spawn(&pid_, words[0].c_str(), &actions, nullptr, arguments.data(), environ) != 0) {
      pid_ = -1;
    }
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    AwaitReady(ends[0]);
    close(ends[0]);
  }

  ~ModelServerProcess() { Kill(); }

  ModelServerProcess(const ModelServerProcess&) = delete;
  ModelServerProcess& operator=(const ModelServerProcess&) = delete;

  void Kill() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
      pid_ = -1;
    }
  }

  // "http://127.0.0.1:PORT"; empty when it did not come up.
  [[nodiscard]] const std::string& url() const { return url_; }

  [[nodiscard]] std::string port() const { return url_.substr(url_.rfind(':') + 1); }

 private:
  // It says so on a line of its own, or ends.
  void AwaitReady(int from) {
    constexpr std::string_view kReady = "listening on http";
    std::string said;
    char byte = 0;
    for (ssize_t got = 0; (got = read(from, &byte, 1)) == 1 || (got < 0 && errno == EINTR);) {
      if (got == 1 && byte != '\n') {
        said += byte;
        continue;
      }
      if (said.starts_with(kReady)) {
        url_ = said.substr(said.find("http"));
        return;
      }
      said.clear();
    }
  }

  pid_t pid_ = -1;
  std::string url_;
};

// The model with an end to what it may say: one of this size seldom finds it by itself.
class BoundedModel final : public LanguageModel {
 public:
  BoundedModel(LanguageModel& model, std::size_t tokens_max)
      : model_(model), tokens_max_(tokens_max) {}

  Result<Completion> Complete(const CompletionRequest& request, std::stop_token stop,
                              Deadline deadline) override {
    EXPECT_TRUE(request.answer_schema.has_value());
    CompletionRequest bounded = request;
    bounded.tokens_max = tokens_max_;
    auto answer = model_.Complete(bounded, stop, deadline);
    EXPECT_TRUE(answer.ok()) << answer.error().message;
    if (answer.ok()) {
      answers_.push_back(*answer);
    }
    return answer;
  }

  Result<Completion> Stream(const CompletionRequest& request, const DeltaSink& sink,
                            std::stop_token stop, Deadline deadline) override {
    return model_.Stream(request, sink, stop, deadline);
  }

  [[nodiscard]] std::string_view Name() const override { return model_.Name(); }

  Status Probe(Deadline deadline) override { return model_.Probe(deadline); }

  [[nodiscard]] const std::vector<Completion>& answers() const { return answers_; }

 private:
  LanguageModel& model_;
  const std::size_t tokens_max_;
  std::vector<Completion> answers_;
};

class ModelServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(ModelFolder() + "/versions")) {
      GTEST_SKIP() << "there is no model server in " << ModelFolder()
                   << "; scripts/setup --model-server fetches it";
    }
    server_ = std::make_unique<ModelServerProcess>();
    ASSERT_FALSE(server_->url().empty());
    OpenAiLanguageModel::Options options;
    options.base_url = server_->url() + "/v1";
    options.model = "smollm2-135m";
    options.attempts_max = 1;
    options.first_byte_timeout = kPatience;
    model_ = OpenAiLanguageModel::Open(options, clock_).value();
    request_.messages = {{ChatRole::kUser, "Say hello."}};
    request_.tokens_max = 12;
    request_.temperature = 0;
  }

  [[nodiscard]] Deadline Soon() const { return Deadline::After(clock_, kPatience); }

  SystemClock clock_;
  std::unique_ptr<ModelServerProcess> server_;
  std::unique_ptr<OpenAiLanguageModel> model_;
  CompletionRequest request_;
};

TEST_F(ModelServerTest, AnswersWholeAndInPieces) {
  EXPECT_TRUE(model_->Probe(Soon()).ok());
  const auto whole = model_->Complete(request_, {}, Soon());
  ASSERT_TRUE(whole.ok()) << whole.error().message;
  EXPECT_FALSE(whole->text.empty());
  EXPECT_THAT(whole->finish_reason, AnyOf("stop", "length"));
  EXPECT_THAT(whole->prompt_tokens, Gt(0U));
  EXPECT_THAT(whole->completion_tokens, Gt(0U));
  std::string pieces;
  std::size_t count = 0;
  const auto streamed = model_->Stream(
      request_,
      [&](std::string_view piece) {
        pieces += piece;
        ++count;
        return true;
      },
      {}, Soon());
  ASSERT_TRUE(streamed.ok()) << streamed.error().message;
  EXPECT_THAT(count, Gt(1U));
  EXPECT_EQ(streamed->text, pieces);
  EXPECT_EQ(streamed->text, whole->text);  // Nothing is left to chance at this temperature.
  EXPECT_EQ(streamed->completion_tokens, whole->completion_tokens);
}

TEST_F(ModelServerTest, HoldsAnAnswerToItsSchema) {
  request_.messages = {{ChatRole::kUser, "Name a city, as JSON with city and keep."}};
  request_.tokens_max = 64;
  request_.answer_schema = AnswerSchema{
      "place",
      R"({"type":"object","properties":{"city":{"type":"string","maxLength":20},)"
      R"("keep":{"type":"boolean"}},"required":["city","keep"],"additionalProperties":false})"};
  const auto answer = model_->Complete(request_, {}, Soon());
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  const auto place = boost::json::parse(answer->text).as_object();
  EXPECT_THAT(place, SizeIs(2));
  EXPECT_TRUE(place.at("city").is_string());
  EXPECT_TRUE(place.at("keep").is_bool());
}

TEST_F(ModelServerTest, ABatchIsReflectedAndEveryTurnHasItsPlan) {
  Metrics metrics({.version = "test", .commit = "test"});
  StructuredLog log(clock_, {.level = LogLevel::kError});
  BoundedModel bounded(*model_, 64);
  LlmExtractor extractor(clock_, bounded, metrics, log, {});
  ExtractionInput input;
  for (const char* const said : {"My sister Ana lives in Porto.", "I moved to Lyon last week."}) {
    Interaction turn;
    turn.interaction_id = "turn-" + std::to_string(input.turns.size());
    turn.user = {"default", "kim"};
    turn.session_id = "s";
    turn.occurred_at = clock_.Now();
    turn.user_message = said;
    turn.sequence = static_cast<std::int64_t>(input.turns.size()) + 1;
    input.turns.push_back(std::move(turn));
  }
  const auto plans = extractor.Extract(input, Soon());
  ASSERT_TRUE(plans.ok()) << plans.error().message;
  ASSERT_THAT(*plans, SizeIs(2));
  // Its grammar holds the server to the schema from the first token on.
  ASSERT_FALSE(bounded.answers().empty());
  for (const Completion& answer : bounded.answers()) {
    EXPECT_EQ(answer.text.find_first_not_of(" \n"), answer.text.find('{')) << answer.text;
    EXPECT_THAT(answer.prompt_tokens, Gt(100U));
  }
  for (const ReflectionPlan& plan : *plans) {
    // By the model, or - as it goes where an answer is cut - by the rules with a word on why: never
    // nothing.
    EXPECT_TRUE(plan.extractor.starts_with("model/") || !plan.fallback.empty()) << plan.extractor;
    EXPECT_TRUE(!plan.episodes.empty() || !plan.skipped_reason.empty());
    RecordProperty(plan.interaction_id, plan.extractor + " " + plan.fallback);
  }
}

TEST_F(ModelServerTest, ACallThatIsGivenUpLeavesTheServerToTheNext) {
  request_.messages = {{ChatRole::kUser, "Tell a very long story about the sea."}};
  request_.tokens_max = 4'000;
  const auto late = model_->Complete(request_, {}, Deadline::After(clock_, Millis{700}));
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().code, ErrorCode::kDeadlineExceeded) << late.error().message;
  std::size_t count = 0;
  const auto ended =
      model_->Stream(request_, [&count](std::string_view) { return ++count < 3; }, {}, Soon());
  ASSERT_TRUE(ended.ok()) << ended.error().message;
  EXPECT_EQ(ended->finish_reason, "cancelled");
  request_.tokens_max = 2;
  EXPECT_TRUE(model_->Complete(request_, {}, Soon()).ok());
}

TEST_F(ModelServerTest, AServerThatIsKilledIsAwayAndAnswersWhenItIsBack) {
  ASSERT_TRUE(model_->Complete(request_, {}, Soon()).ok());
  const std::string port = server_->port();
  server_->Kill();
  const auto away = model_->Complete(request_, {}, Soon());
  ASSERT_FALSE(away.ok());
  EXPECT_EQ(away.error().code, ErrorCode::kUnavailable) << away.error().message;
  EXPECT_FALSE(model_->Probe(Soon()).ok());
  server_ = std::make_unique<ModelServerProcess>(port);
  ASSERT_FALSE(server_->url().empty());
  const auto back = model_->Complete(request_, {}, Soon());
  EXPECT_TRUE(back.ok()) << back.error().message;
}

}  // namespace
}  // namespace umbranet
