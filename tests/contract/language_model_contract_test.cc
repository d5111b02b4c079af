// Goal: every language model keeps the promises written in ports/language_model.h.
// Method: one suite, run against each implementation. A harness makes the model's next call go as
// the test says: for the in-memory twin by its script, for the OpenAI client by a server on
// loopback that plays one.
//
// Proven by deliberate faults, each of which failed at least one test: retrying after the first
// piece; not retrying before it; losing the piece that the sink refused; failing when the sink ends
// it; failing when a stop does; taking a cut stream for a whole one; losing retry_after; repeating
// what was refused for good.
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/adapters/openai/openai_language_model.h"
#include "umbranet/ports/language_model.h"

#include "tests/doubles/scripted_http_server.h"
#include "tests/doubles/scripted_language_model.h"

namespace umbranet {
namespace {

using ::testing::ElementsAre;

class ModelHarness {
 public:
  virtual ~ModelHarness() = default;
  virtual LanguageModel& model() = 0;
  virtual void NextAnswers(std::vector<std::string> pieces) = 0;
  // The pieces come, then nothing more.
  virtual void NextHangs(std::vector<std::string> pieces) = 0;
  virtual void NextBreaksAfter(std::vector<std::string> pieces) = 0;
  // Refused for the time being, without a word of an answer.
  virtual void NextIsBusy(Millis retry_after) = 0;
  virtual void NextIsRefused() = 0;
  virtual std::size_t CallsSeen() = 0;
  virtual void AwaitHang() = 0;
};

class TwinHarness final : public ModelHarness {
 public:
  LanguageModel& model() override { return model_; }

  void NextAnswers(std::vector<std::string> pieces) override {
    model_.Enqueue({.pieces = std::move(pieces)});
  }

  void NextHangs(std::vector<std::string> pieces) override {
    model_.Enqueue({.pieces = std::move(pieces), .hangs = true});
  }

  void NextBreaksAfter(std::vector<std::string> pieces) override {
    model_.Enqueue({.pieces = std::move(pieces), .error = Unavailable("scripted: broken")});
  }

  void NextIsBusy(Millis retry_after) override {
    model_.Enqueue({.error = Error{ErrorCode::kResourceExhausted, "scripted: busy", retry_after}});
  }

  void NextIsRefused() override {
    model_.Enqueue({.error = Error{ErrorCode::kBadGateway, "scripted: no"}});
  }

  std::size_t CallsSeen() override { return model_.Requests().size(); }

  void AwaitHang() override { model_.AwaitHangs(1); }

 private:
  ScriptedLanguageModel model_;
};

class OpenAiHarness final : public ModelHarness {
 public:
  OpenAiHarness() {
    OpenAiLanguageModel::Options options;
    options.base_url = server_.BaseUrl();
    options.attempts_max = 2;
    options.backoff_first = Millis{1};
    model_ = OpenAiLanguageModel::Open(options, clock_).value();
  }

  LanguageModel& model() override { return *model_; }

  void NextAnswers(std::vector<std::string> pieces) override {
    std::vector<std::string> events = Events(pieces);
    events.emplace_back(R"({"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})");
    events.emplace_back("[DONE]");
    server_.Enqueue({SendBytes{EventStreamText(events)}});
  }

  void NextHangs(std::vector<std::string> pieces) override {
    server_.Enqueue({SendBytes{EventStreamText(Events(pieces), false)}, AwaitHangUp{}});
  }

  void NextBreaksAfter(std::vector<std::string> pieces) override {
    server_.Enqueue({SendBytes{EventStreamText(Events(pieces), false)}, HangUp{}});
  }

  void NextIsBusy(Millis retry_after) override {
    const std::string header =
        "Retry-After: " + std::to_string(retry_after.count() / 1000) + "\r\n";
    server_.Enqueue({SendBytes{
        HttpResponseText(429, R"({"error":{"message":"busy"}})", "application/json", header)}});
  }

  void NextIsRefused() override {
    server_.Enqueue({SendBytes{HttpResponseText(400, R"({"error":{"message":"no"}})")}});
  }

  std::size_t CallsSeen() override { return server_.Requests().size(); }

  void AwaitHang() override { server_.AwaitRequests(1); }

 private:
  static std::vector<std::string> Events(const std::vector<std::string>& pieces) {
    std::vector<std::string> events;
    for (const std::string& piece : pieces) {
      events.push_back(R"({"choices":[{"index":0,"delta":{"content":")" + piece +
                       R"("},"finish_reason":null}]})");
    }
    return events;
  }

  SystemClock clock_;
  ScriptedHttpServer server_;
  std::unique_ptr<OpenAiLanguageModel> model_;
};

enum class Kind { kTwin, kOpenAi };

class LanguageModelContract : public ::testing::TestWithParam<Kind> {
 protected:
  LanguageModelContract() {
    if (GetParam() == Kind::kTwin) {
      harness_ = std::make_unique<TwinHarness>();
    } else {
      harness_ = std::make_unique<OpenAiHarness>();
    }
    request_.messages = {{ChatRole::kSystem, "Be brief."}, {ChatRole::kUser, "Hello"}};
  }

  Result<Completion> Stream(std::size_t pieces_wanted = 99, Millis budget = Millis{20'000}) {
    seen_.clear();
    const DeltaSink sink = [&](std::string_view piece) {
      seen_.emplace_back(piece);
      return seen_.size() < pieces_wanted;
    };
    return harness_->model().Stream(request_, sink, stop_.get_token(),
                                    Deadline::After(clock_, budget));
  }

  Result<Completion> Complete(Millis budget = Millis{20'000}) {
    return harness_->model().Complete(request_, stop_.get_token(), Deadline::After(clock_, budget));
  }

  SystemClock clock_;
  std::unique_ptr<ModelHarness> harness_;
  CompletionRequest request_;
  std::stop_source stop_;
  std::vector<std::string> seen_;
};

TEST_P(LanguageModelContract, CompletesInOnePiece) {
  harness_->NextAnswers({"Hello", " there"});
  const auto completion = Complete();
  ASSERT_TRUE(completion.ok()) << completion.error().message;
  EXPECT_EQ(completion->text, "Hello there");
  EXPECT_EQ(completion->finish_reason, "stop");
}

TEST_P(LanguageModelContract, StreamsPiecesInOrderThatAddUpToTheText) {
  harness_->NextAnswers({"Hello", " there", "!"});
  const auto completion = Stream();
  ASSERT_TRUE(completion.ok()) << completion.error().message;
  EXPECT_THAT(seen_, ElementsAre("Hello", " there", "!"));
  EXPECT_EQ(completion->text, "Hello there!");
  EXPECT_EQ(completion->finish_reason, "stop");
}

TEST_P(LanguageModelContract, EndsWhereTheSinkWantsNoMoreAndKeepsWhatItSaw) {
  harness_->NextAnswers({"Hello", " there", "!"});
  const auto completion = Stream(2);
  ASSERT_TRUE(completion.ok()) << completion.error().message;
  EXPECT_THAT(seen_, ElementsAre("Hello", " there"));
  EXPECT_EQ(completion->text, "Hello there");
  EXPECT_EQ(completion->finish_reason, "cancelled");
}

TEST_P(LanguageModelContract, KeepsWhatCameWhenStoppedAfterTheFirstPiece) {
  harness_->NextHangs({"Hello"});
  const DeltaSink sink = [this](std::string_view piece) {
    seen_.emplace_back(piece);
    stop_.request_stop();
    return true;
  };
  const auto completion = harness_->model().Stream(request_, sink, stop_.get_token(),
                                                   Deadline::After(clock_, Millis{20'000}));
  ASSERT_TRUE(completion.ok()) << completion.error().message;
  EXPECT_EQ(completion->text, "Hello");
  EXPECT_EQ(completion->finish_reason, "cancelled");
}

TEST_P(LanguageModelContract, IsCancelledWhenStoppedBeforeTheFirstPiece) {
  harness_->NextHangs({});
  std::jthread stopper([this] {
    harness_->AwaitHang();
    stop_.request_stop();
  });
  EXPECT_EQ(Stream().error().code, ErrorCode::kCancelled);
  EXPECT_EQ(Complete().error().code, ErrorCode::kCancelled);
  EXPECT_EQ(harness_->CallsSeen(), 1U);
}

TEST_P(LanguageModelContract, KeepsItsDeadlineBeforeAndAfterTheFirstPiece) {
  EXPECT_EQ(Complete(Millis{0}).error().code, ErrorCode::kDeadlineExceeded);
  harness_->NextHangs({});
  EXPECT_EQ(Complete(Millis{40}).error().code, ErrorCode::kDeadlineExceeded);
  harness_->NextHangs({"Hello"});
  EXPECT_EQ(Stream(99, Millis{40}).error().code, ErrorCode::kDeadlineExceeded);
}

TEST_P(LanguageModelContract, NeverRetriesAfterTheFirstPiece) {
  harness_->NextBreaksAfter({"Hello"});
  harness_->NextAnswers({"Again"});
  EXPECT_EQ(Stream().error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(seen_, ElementsAre("Hello"));
  EXPECT_EQ(harness_->CallsSeen(), 1U);
}

TEST_P(LanguageModelContract, RetriesByItselfWhileNothingCame) {
  harness_->NextIsBusy(Millis{0});
  harness_->NextAnswers({"Now"});
  EXPECT_EQ(Stream()->text, "Now");
  EXPECT_THAT(seen_, ElementsAre("Now"));
  harness_->NextBreaksAfter({});
  harness_->NextAnswers({"Now"});
  EXPECT_EQ(Complete()->text, "Now");
  EXPECT_EQ(harness_->CallsSeen(), 4U);
}

TEST_P(LanguageModelContract, SaysWhenToComeBackAfterARefusalForTheTimeBeing) {
  harness_->NextIsBusy(Millis{77'000});
  const auto completion = Stream();
  EXPECT_EQ(completion.error().code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(completion.error().retry_after, Millis{77'000});
}

TEST_P(LanguageModelContract, DoesNotRepeatWhatWasRefusedForGood) {
  harness_->NextIsRefused();
  harness_->NextAnswers({"Again"});
  EXPECT_EQ(Complete().error().code, ErrorCode::kBadGateway);
  EXPECT_EQ(harness_->CallsSeen(), 1U);
}

TEST_P(LanguageModelContract, HasAName) {
  EXPECT_FALSE(harness_->model().Name().empty());
}

TEST_P(LanguageModelContract, ProbesWithinItsDeadline) {
  EXPECT_EQ(harness_->model().Probe(Deadline::After(clock_, Millis{0})).error().code,
            ErrorCode::kDeadlineExceeded);
}

INSTANTIATE_TEST_SUITE_P(All, LanguageModelContract, ::testing::Values(Kind::kTwin, Kind::kOpenAi),
                         [](const auto& named) {
                           return named.param == Kind::kTwin ? "Twin" : "OpenAi";
                         });

}  // namespace
}  // namespace umbranet
