// Goal: a call is tried again only where that may help, each try is in the books, and no more run
// at once than may. Method: a model that plays a script, and one that holds its callers.
#include "umbranet/reflection/metered_language_model.h"

#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/doubles/scripted_language_model.h"

namespace umbranet {
namespace {

// Answers with one error after another, then with text.
class FailingModel final : public LanguageModel {
 public:
  explicit FailingModel(std::vector<Error> errors) : errors_(std::move(errors)) {}

  Result<Completion> Complete(const CompletionRequest& /*request*/, std::stop_token /*stop*/,
                              Deadline /*deadline*/) override {
    const std::size_t call = calls++;
    if (call < errors_.size()) {
      return errors_[call];
    }
    return Completion{
        .text = "fine", .finish_reason = "stop", .prompt_tokens = 7, .completion_tokens = 2};
  }

  Result<Completion> Stream(const CompletionRequest& request, const DeltaSink& /*sink*/,
                            std::stop_token stop, Deadline deadline) override {
    return Complete(request, std::move(stop), deadline);
  }

  [[nodiscard]] std::string_view Name() const override { return "failing"; }

  Status Probe(Deadline /*deadline*/) override { return {}; }

  std::atomic<std::size_t> calls = 0;

 private:
  const std::vector<Error> errors_;
};

class MeteredLanguageModelTest : public ::testing::Test {
 protected:
  Result<Completion> Ask(LanguageModel& inner, MeteredLanguageModel::Options options = {}) {
    options.backoff_first = Millis{1};
    MeteredLanguageModel model(clock_, inner, usage_, metrics_, options);
    CompletionRequest request;
    request.messages = {{ChatRole::kUser, "hello"}};
    request.account = {"acme", "reflection"};
    return model.Complete(request, {}, Deadline::After(clock_, Millis{20'000}));
  }

  SystemClock clock_;
  Metrics metrics_{{"0", "0"}};
  ModelUsage usage_{clock_, {}};
};

TEST_F(MeteredLanguageModelTest, TriesAgainWhatMayPassAndBooksEachTry) {
  for (const ErrorCode code :
       {ErrorCode::kUnavailable, ErrorCode::kResourceExhausted, ErrorCode::kDeadlineExceeded}) {
    FailingModel inner({{code, "failing: once"}});
    EXPECT_TRUE(Ask(inner).ok());
    EXPECT_EQ(inner.calls, 2U);
  }
  const ModelUsage::Report report = usage_.Read();
  ASSERT_EQ(report.total.size(), 1U);
  EXPECT_EQ(report.total[0].key, (UsageKey{"acme", "failing", "reflection"}));
  EXPECT_EQ(report.total[0].counts.calls, 6U);
  EXPECT_EQ(report.total[0].counts.failed, 3U);
  EXPECT_EQ(report.total[0].counts.prompt_tokens, 21U);
}

TEST_F(MeteredLanguageModelTest, DoesNotRepeatARefusal) {
  for (const ErrorCode code :
       {ErrorCode::kBadGateway, ErrorCode::kInvalidArgument, ErrorCode::kCancelled}) {
    FailingModel inner({{code, "failing: no"}});
    EXPECT_EQ(Ask(inner).error().code, code);
    EXPECT_EQ(inner.calls, 1U);
  }
}

TEST_F(MeteredLanguageModelTest, GivesUpAfterItsTries) {
  const Error away = Unavailable("failing: away");
  FailingModel inner({away, away, away, away});
  EXPECT_EQ(Ask(inner).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(inner.calls, 3U);
}

TEST_F(MeteredLanguageModelTest, LeavesALongWaitToTheCaller) {
  FailingModel inner({{ErrorCode::kResourceExhausted, "failing: busy", Millis{3'600'000}}});
  const auto outcome = Ask(inner);
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().retry_after, Millis{3'600'000});
  EXPECT_EQ(inner.calls, 1U);
}

TEST_F(MeteredLanguageModelTest, LetsNoMoreInAtOnceThanMayBe) {
  ScriptedLanguageModel inner;
  for (int i = 0; i < 2; ++i) {
    inner.Enqueue({.hangs = true});
  }
  MeteredLanguageModel model(clock_, inner, usage_, metrics_,
                             {.limits = {.calls_at_once = 2}, .attempts_max = 1});
  CompletionRequest request;
  request.messages = {{ChatRole::kUser, "hello"}};
  std::stop_source stop;
  std::vector<std::jthread> callers;
  for (int i = 0; i < 2; ++i) {
    callers.emplace_back(
        [&] { (void)model.Complete(request, stop.get_token(), Deadline::Never()); });
  }
  inner.AwaitHangs(2);
  // The third gets no turn in its time and is told to come back.
  const auto third = model.Complete(request, {}, Deadline::After(clock_, Millis{20}));
  ASSERT_FALSE(third.ok());
  EXPECT_EQ(third.error().code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(inner.Requests().size(), 2U);
  stop.request_stop();
  callers.clear();
  EXPECT_TRUE(model.Complete(request, {}, Deadline::Never()).ok());
}

TEST_F(MeteredLanguageModelTest, CountsAStreamAndHoldsItUpForNothing) {
  FailingModel inner({});
  MeteredLanguageModel model(clock_, inner, usage_, metrics_,
                             {.limits = {.requests_per_minute = 1}, .attempts_max = 1});
  CompletionRequest request;
  request.account = {"acme", "chat"};
  const DeltaSink sink = [](std::string_view) { return true; };
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(model.Stream(request, sink, {}, Deadline::Never()).ok());
  }
  EXPECT_EQ(usage_.Read().total.at(0).counts.calls, 5U);
}

}  // namespace
}  // namespace umbranet
