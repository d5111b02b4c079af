// Goal: however a model answers, every turn of a batch gets a plan, by the model or by the rules,
// or the jobs wait for a model that is away; and no call is made that need not be. Method: a
// scripted model answers each way in turn.
//
// Proven by deliberate faults, each of which failed a test here: no second question; three of them;
// waiting for ever for a model that is away; no mark on the rules' plan; asking about pleasantries;
// forgetting the answers.
#include "umbranet/extraction/llm_extractor.h"

#include <set>
#include <thread>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/doubles/manual_clock.h"
#include "tests/doubles/scripted_language_model.h"

namespace umbranet {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kKept =
    R"({"keep":true,"skip_reason":"","summary":"","importance":0.5,"dates":[],"entities":[],)"
    R"("facts":[{"subject":"user","subject_type":"person","predicate":"lives_in","qualifier":"",)"
    R"("object":"Porto","object_type":"place","negated":false,"ended":false,)"
    R"("text":"user lives in Porto","from":"","to":"","replaces":[],"certainty":0.9,)"
    R"("quote":"home in Porto"}],"rules":[]})";

std::string Good(std::size_t turns) {
  std::string text = "{";
  for (std::size_t i = 0; i < turns; ++i) {
    text += (i == 0 ? "\"t" : ",\"t") + std::to_string(i + 1) + "\":" + kKept;
  }
  return text + "}";
}

class LlmExtractorTest : public ::testing::Test {
 protected:
  LlmExtractor& extractor() {
    if (!extractor_) {
      extractor_ =
          std::make_unique<LlmExtractor>(clock_, model_, metrics_, log_, std::move(options_));
    }
    return *extractor_;
  }

  static Interaction Turn(const std::string& id, const std::string& said) {
    Interaction turn;
    turn.interaction_id = id;
    turn.user = {"default", "ana"};
    turn.session_id = "s";
    turn.user_message = said;
    return turn;
  }

  // Each turn says something of its own.
  static ExtractionInput Turns(std::size_t count) {
    ExtractionInput input;
    for (std::size_t i = 0; i < count; ++i) {
      input.turns.push_back(Turn("t" + std::to_string(i),
                                 "My home in Porto has " + std::to_string(i + 2) + " windows."));
    }
    return input;
  }

  void Answer(const std::string& text, const std::string& finish = "stop") {
    model_.Enqueue({.pieces = {text}, .finish_reason = finish});
  }

  void Fail(ErrorCode code) { model_.Enqueue({.error = Error{code, "scripted: failed"}}); }

  Result<std::vector<ReflectionPlan>> Extract(const ExtractionInput& input) {
    return extractor().Extract(input, Deadline::After(clock_, std::chrono::minutes(1)));
  }

  std::size_t Calls() const { return model_.Requests().size(); }

  ManualClock clock_;
  ScriptedLanguageModel model_;
  Metrics metrics_{{"0", "0"}};
  StructuredLog log_{clock_, {.level = LogLevel::kOff}};
  LlmExtractor::Options options_;
  std::unique_ptr<LlmExtractor> extractor_;
};

TEST_F(LlmExtractorTest, AsksOnceForAWholeBatch) {
  Answer(Good(10));
  const auto plans = Extract(Turns(10));
  ASSERT_TRUE(plans.ok());
  EXPECT_EQ(Calls(), 1U);
  for (const ReflectionPlan& plan : *plans) {
    EXPECT_EQ(plan.extractor, "model/scripted");
    EXPECT_EQ(plan.fallback, "");
    EXPECT_EQ(plan.facts.size(), 1U);
  }
}

TEST_F(LlmExtractorTest, AsksThreeTimesWhereEachTierIsAskedForApart) {
  options_.per_tier = true;
  Answer(R"({"t1":{"keep":true,"skip_reason":"","summary":"","importance":1,"dates":[]}})");
  Answer(R"({"t1":{"entities":[],"facts":[]}})");
  Answer(R"({"t1":{"rules":[]}})");
  const auto plans = Extract(Turns(1));
  ASSERT_TRUE(plans.ok());
  EXPECT_EQ(Calls(), 3U);
  EXPECT_EQ(plans->front().fallback, "");
  EXPECT_EQ(plans->front().episodes.at(0).importance, 1.0);
  std::set<std::string> accounts;
  for (const CompletionRequest& request : model_.Requests()) {
    accounts.insert(request.account.purpose);
  }
  EXPECT_EQ(accounts, (std::set<std::string>{"episodic", "semantic", "procedural"}));
}

TEST_F(LlmExtractorTest, DoesNotAskAboutPleasantries) {
  ExtractionInput input;
  input.turns = {Turn("a", "hi"), Turn("b", "thanks!"), Turn("c", "")};
  input.turns[2].assistant_response = "Are you there?";
  const auto plans = Extract(input);
  ASSERT_TRUE(plans.ok());
  EXPECT_EQ(Calls(), 0U);
  EXPECT_EQ((*plans)[0].skipped_reason, "greeting");
  EXPECT_EQ((*plans)[0].fallback, "");
}

TEST_F(LlmExtractorTest, LeavesPleasantriesOutOfTheQuestion) {
  ExtractionInput input = Turns(2);
  input.turns.insert(input.turns.begin() + 1, Turn("hi", "hello"));
  Answer(Good(2));
  const auto plans = Extract(input);
  ASSERT_TRUE(plans.ok());
  EXPECT_EQ((*plans)[0].facts.size(), 1U);
  EXPECT_EQ((*plans)[1].skipped_reason, "greeting");
  EXPECT_EQ((*plans)[2].facts.size(), 1U);
  EXPECT_EQ((*plans)[2].interaction_id, "t1");
}

TEST_F(LlmExtractorTest, DividesABatchThatIsTooLongForOneQuestion) {
  options_.prompt_bytes_max = 250;
  Answer(Good(2));
  Answer(Good(1));
  const auto plans = Extract(Turns(3));
  ASSERT_TRUE(plans.ok());
  EXPECT_EQ(Calls(), 2U);
  EXPECT_EQ(plans->back().facts.size(), 1U);
}

TEST_F(LlmExtractorTest, AnswersTheSameQuestionFromMemory) {
  Answer(Good(1));
  ASSERT_TRUE(Extract(Turns(1)).ok());
  const auto again = Extract(Turns(1));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(Calls(), 1U);
  EXPECT_EQ(again->front().facts.size(), 1U);
  // Another tenant is not told what this one was answered.
  ExtractionInput other = Turns(1);
  other.turns[0].user.tenant = "other";
  Answer(Good(1));
  ASSERT_TRUE(Extract(other).ok());
  EXPECT_EQ(Calls(), 2U);
}

struct BadAnswer {
  const char* what;
  ScriptedAnswer first;
  std::size_t calls;     // With the same again for each further one.
  const char* fallback;  // Of every plan; null: an error in their place.
  ErrorCode error = ErrorCode::kInternal;
};

ScriptedAnswer Says(const std::string& text, const std::string& finish = "stop") {
  return {.pieces = {text}, .finish_reason = finish};
}

ScriptedAnswer Fails(ErrorCode code, std::optional<Millis> retry_after = std::nullopt) {
  return {.error = Error{code, "scripted: failed", retry_after}};
}

TEST_F(LlmExtractorTest, GivesEveryTurnAPlanOrWaitsHoweverBadTheAnswerIs) {
  const std::string schema = R"({"type":"object","properties":{"t1":{}},"required":["t1"]})";
  const std::string other = R"({"t7":)" + std::string(kKept) + "}";
  const std::vector<BadAnswer> answers = {
      {"malformed", Says("{not json}"), 2, "malformed"},
      {"truncated", Says(R"({"t1":{"keep":tr)", "length"), 2, "malformed"},
      {"empty", Fails(ErrorCode::kBadGateway), 2, "refused"},
      {"the schema", Says(schema), 2, "malformed"},
      {"a refusal in words", Says("I cannot help with that."), 2, "malformed"},
      {"turns that do not exist", Says(other), 2, "malformed"},
      {"an invented user", Says(R"({"user_id":"somebody","t1":[]})"), 2, "malformed"},
      {"429", Fails(ErrorCode::kResourceExhausted), 1, nullptr, ErrorCode::kResourceExhausted},
      {"429 with Retry-After", Fails(ErrorCode::kResourceExhausted, Millis{7'000}), 1, nullptr,
       ErrorCode::kResourceExhausted},
      {"5xx", Fails(ErrorCode::kUnavailable), 1, nullptr, ErrorCode::kUnavailable},
      {"time-out", Fails(ErrorCode::kDeadlineExceeded), 1, "timeout"},
      {"a stop", Fails(ErrorCode::kCancelled), 1, nullptr, ErrorCode::kCancelled},
  };
  for (const BadAnswer& bad : answers) {
    ScriptedLanguageModel model;
    LlmExtractor extractor(clock_, model, metrics_, log_, {});
    // The scripted model tries what is transient again while it has a script.
    for (std::size_t i = 0; i < bad.calls; ++i) {
      model.Enqueue(bad.first);
    }
    const auto plans = extractor.Extract(Turns(2), Deadline::After(clock_, Millis{60'000}));
    EXPECT_EQ(model.Requests().size(), bad.calls) << bad.what;
    ASSERT_EQ(plans.ok(), bad.fallback != nullptr) << bad.what;
    if (!plans.ok()) {
      EXPECT_EQ(plans.error().code, bad.error) << bad.what;
      EXPECT_EQ(plans.error().retry_after, bad.first.error->retry_after) << bad.what;
      continue;
    }
    ASSERT_EQ(plans->size(), 2U);
    for (const ReflectionPlan& plan : *plans) {
      EXPECT_EQ(plan.fallback, bad.fallback) << bad.what;
      EXPECT_EQ(plan.extractor, "rules/1") << bad.what;
      EXPECT_FALSE(plan.episodes.empty()) << bad.what;
    }
  }
}

TEST_F(LlmExtractorTest, AsksOnceMoreWithWhatWasWrong) {
  Answer("{not json}");
  Answer(Good(1));
  const auto plans = Extract(Turns(1));
  ASSERT_TRUE(plans.ok());
  EXPECT_EQ(plans->front().fallback, "");
  ASSERT_EQ(Calls(), 2U);
  EXPECT_THAT(model_.Requests()[1].messages.back().content, HasSubstr("not valid JSON"));
}

TEST_F(LlmExtractorTest, UsesWhatIsAnsweredAndMarksTheRest) {
  const std::string half = R"({"t2":)" + std::string(kKept) + "}";
  Answer(half);
  Answer(half);
  const auto plans = Extract(Turns(2));
  ASSERT_TRUE(plans.ok());
  EXPECT_EQ((*plans)[0].fallback, "unanswered");
  EXPECT_EQ((*plans)[1].fallback, "");
  EXPECT_EQ((*plans)[1].facts.size(), 1U);
}

// As a server says that fills a form with as little as it may.
TEST_F(LlmExtractorTest, AsksNoSecondTimeWhereNothingWasDecided) {
  Answer(R"({"t1":{"keep":false,"skip_reason":"","summary":"","importance":0,"dates":[],)"
         R"("entities":[],"facts":[],"rules":[]}})");
  const auto plans = Extract(Turns(1));
  ASSERT_TRUE(plans.ok());
  EXPECT_EQ(Calls(), 1U);
  EXPECT_EQ(plans->front().fallback, "unanswered");
  EXPECT_FALSE(plans->front().episodes.empty());
}

TEST_F(LlmExtractorTest, WaitsForAModelThatIsAwayForAsLongAsItHasPatience) {
  options_.patience = Millis{100'000};
  Fail(ErrorCode::kUnavailable);
  EXPECT_FALSE(Extract(Turns(1)).ok());
  clock_.Advance(Millis{99'000});
  Fail(ErrorCode::kUnavailable);
  EXPECT_FALSE(Extract(Turns(1)).ok());
  clock_.Advance(Millis{2'000});
  Fail(ErrorCode::kUnavailable);
  const auto plans = Extract(Turns(1));
  ASSERT_TRUE(plans.ok());
  EXPECT_EQ(plans->front().fallback, "away");
  // Patience begins anew.
  Fail(ErrorCode::kUnavailable);
  EXPECT_FALSE(Extract(Turns(1)).ok());
}

TEST_F(LlmExtractorTest, AsksNothingOnceTheBudgetIsSpent) {
  options_.may_spend = [](std::string_view tenant) { return tenant != "default"; };
  const auto plans = Extract(Turns(1));
  ASSERT_TRUE(plans.ok());
  EXPECT_EQ(Calls(), 0U);
  EXPECT_EQ(plans->front().fallback, "budget");
}

TEST_F(LlmExtractorTest, EndsACallThatHangsWhenItIsStopped) {
  model_.Enqueue({.hangs = true});
  Result<std::vector<ReflectionPlan>> plans = Internal("not yet");
  {
    const std::jthread caller([&] { plans = extractor().Extract(Turns(1), Deadline::Never()); });
    model_.AwaitHangs(1);
    extractor().Stop();
  }
  ASSERT_FALSE(plans.ok());
  EXPECT_EQ(plans.error().code, ErrorCode::kCancelled);
}

TEST_F(LlmExtractorTest, PlansTheTurnsOfTheirOwnUserWhateverTheAnswerSays) {
  std::string text = Good(1);
  text.insert(1, R"("user_id":"ben","tenant":"other",)");
  Answer(text);
  const auto plans = Extract(Turns(1));
  ASSERT_TRUE(plans.ok());
  EXPECT_EQ(plans->front().user.user_id, "ana");
  EXPECT_EQ(plans->front().interaction_id, "t0");
}

}  // namespace
}  // namespace umbranet
