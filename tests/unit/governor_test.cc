// Goal: by the time Chat returns an answer its turn is durable, and on an error nothing of it is.
// Method: a real MemoryManager over an in-memory journal and mocked tiers, with a model that plays
// a script; what the journal holds afterwards is read back.
#include "umbranet/governor/governor.h"

#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/base/ledger_clock.h"

#include "tests/doubles/in_memory_journal.h"
#include "tests/doubles/manual_clock.h"
#include "tests/doubles/mock_stores.h"
#include "tests/doubles/scripted_language_model.h"

namespace umbranet {
namespace {

using ::testing::_;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Return;
using ::testing::SizeIs;

const UserKey kUser{"default", "mira"};

class GovernorTest : public ::testing::Test {
 protected:
  Governor Make() { return {clock_, memory_, model_, options_}; }

  ChatRequest Request(std::string message = "Hello") {
    ChatRequest request;
    request.user = kUser;
    request.message = std::move(message);
    request.session_id = "s1";
    return request;
  }

  DeltaSink Sink(std::size_t pieces_wanted = 99) {
    return [this, pieces_wanted](std::string_view piece) {
      seen_.emplace_back(piece);
      return seen_.size() < pieces_wanted;
    };
  }

  Result<ChatAnswer> Chat(const ChatRequest& request, const DeltaSink& sink = {}) {
    return Make().Chat(request, sink, stop_.get_token(), Soon());
  }

  std::vector<Interaction> Stored() {
    std::vector<Interaction> turns;
    JournalPage page = journal_.List(kUser, "", 100, Soon()).value();
    for (JournalEntry& entry : page.entries) {
      turns.push_back(std::move(entry.interaction));
    }
    return turns;
  }

  Deadline Soon() { return Deadline::After(clock_, std::chrono::seconds(30)); }

  ManualClock clock_;
  InMemoryLedgerStore store_{clock_, {}};
  InMemoryJournal journal_{store_};
  MockStores stores_;
  BoundedWorkerPool pool_{{}};
  MemoryManager memory_{clock_,
                        pool_,
                        {journal_, stores_.ledger, stores_.doorbell, stores_.short_term,
                         stores_.episodic, stores_.semantic, stores_.procedural},
                        {}};
  ScriptedLanguageModel scripted_;
  LanguageModel* model_ = &scripted_;
  Governor::Options options_;
  std::stop_source stop_;
  std::vector<std::string> seen_;
};

TEST_F(GovernorTest, AnswersWithTheModelsWordsAndStoresTheTurn) {
  scripted_.Enqueue({.pieces = {"Good", " day"}});
  ChatRequest request = Request();
  request.metadata = R"({"app":"test"})";
  const auto answer = Chat(request);
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer->reply, "Good day");
  EXPECT_EQ(answer->session_id, "s1");
  EXPECT_EQ(answer->reflection_status, "queued");
  EXPECT_THAT(answer->degraded, IsEmpty());
  EXPECT_FALSE(answer->cut_short);
  const auto turns = Stored();
  ASSERT_THAT(turns, SizeIs(1));
  EXPECT_EQ(turns[0].interaction_id, answer->interaction_id);
  EXPECT_EQ(MakeJobId(kUser, answer->interaction_id), answer->job_id);
  EXPECT_EQ(turns[0].user_message, "Hello");
  EXPECT_EQ(turns[0].assistant_response, "Good day");
  EXPECT_EQ(turns[0].session_id, "s1");
  EXPECT_EQ(turns[0].origin, Origin::kChat);
  EXPECT_EQ(turns[0].occurred_at, ManualClock::kStart);
  EXPECT_EQ(turns[0].metadata, R"({"app":"test"})");
}

TEST_F(GovernorTest, StreamsThePiecesAndGivesThemTogether) {
  scripted_.Enqueue({.pieces = {"Good", " day"}});
  const auto answer = Chat(Request(), Sink());
  ASSERT_TRUE(answer.ok());
  EXPECT_THAT(seen_, ElementsAre("Good", " day"));
  EXPECT_EQ(answer->reply, "Good day");
}

TEST_F(GovernorTest, StoresAsFarAsTheModelGotWhenTheClientLeavesHalfWay) {
  scripted_.Enqueue({.pieces = {"Good", " day", " to you"}});
  const auto answer = Chat(Request(), Sink(2));
  ASSERT_TRUE(answer.ok());
  EXPECT_TRUE(answer->cut_short);
  ASSERT_THAT(Stored(), SizeIs(1));
  EXPECT_EQ(Stored()[0].assistant_response, "Good day");
}

TEST_F(GovernorTest, StoresAsFarAsTheModelGotWhenStoppedHalfWay) {
  scripted_.Enqueue({.pieces = {"Good"}, .hangs = true});
  std::jthread stopper([this] {
    scripted_.AwaitHangs(1);
    stop_.request_stop();
  });
  const auto answer = Chat(Request(), Sink());
  ASSERT_TRUE(answer.ok());
  EXPECT_TRUE(answer->cut_short);
  EXPECT_EQ(Stored().at(0).assistant_response, "Good");
}

TEST_F(GovernorTest, RemembersNothingWhenTheModelFails) {
  const Error busy{ErrorCode::kResourceExhausted, "scripted: busy", Millis{7'000}};
  scripted_.Enqueue({.pieces = {}, .error = busy});
  const auto refused = Chat(Request());
  EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(refused.error().retry_after, Millis{7'000});
  scripted_.Enqueue({.pieces = {"Half a"}, .error = Unavailable("scripted: gone")});
  EXPECT_EQ(Chat(Request(), Sink()).error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(seen_, ElementsAre("Half a"));
  EXPECT_THAT(Stored(), IsEmpty());
}

TEST_F(GovernorTest, RemembersNothingWhenStoppedBeforeAnyAnswer) {
  stop_.request_stop();
  EXPECT_EQ(Chat(Request()).error().code, ErrorCode::kCancelled);
  EXPECT_THAT(scripted_.Requests(), IsEmpty());
  EXPECT_THAT(Stored(), IsEmpty());
}

TEST_F(GovernorTest, NeverAsksAModelForATurnThatWasStoppedWhileItRecalled) {
  EXPECT_CALL(stores_.episodic, Find).WillOnce([this](auto&&...) {
    stop_.request_stop();
    return Result<EpisodesFound>(EpisodesFound());
  });
  EXPECT_EQ(Chat(Request("What about Porto?")).error().code, ErrorCode::kCancelled);
  EXPECT_THAT(scripted_.Requests(), IsEmpty());
  EXPECT_THAT(Stored(), IsEmpty());
}

TEST_F(GovernorTest, KeepsTimeForStoringWhenTheModelIsSlow) {
  scripted_.Enqueue({.pieces = {}, .hangs = true});
  std::jthread turner([this] {
    scripted_.AwaitHangs(1);
    // 30 s are given, of which 3 s stay for storing.
    clock_.Advance(std::chrono::milliseconds(27'000));
  });
  EXPECT_EQ(Chat(Request()).error().code, ErrorCode::kDeadlineExceeded);
}

TEST_F(GovernorTest, AnswersARepeatedRequestFromTheJournal) {
  scripted_.Enqueue({.pieces = {"First"}});
  ChatRequest request = Request();
  request.interaction_id = "turn-1";
  ASSERT_TRUE(Chat(request).ok());
  const auto again = Chat(request, Sink());
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->reply, "First");
  EXPECT_EQ(again->job_id, MakeJobId(kUser, "turn-1"));
  EXPECT_THAT(seen_, ElementsAre("First"));
  EXPECT_THAT(scripted_.Requests(), SizeIs(1));
  EXPECT_THAT(Stored(), SizeIs(1));
}

TEST_F(GovernorTest, RefusesAnIdThatBelongsToAnotherMessage) {
  ChatRequest request = Request("One");
  request.interaction_id = "turn-1";
  ASSERT_TRUE(Chat(request).ok());
  request.message = "Two";
  EXPECT_EQ(Chat(request).error().code, ErrorCode::kAlreadyExists);
}

TEST_F(GovernorTest, GivesTheStoredReplyWhenATwinOfTheRequestWasFaster) {
  ChatRequest request = Request();
  request.interaction_id = "turn-1";
  // While this request recalls, its twin is answered and stored.
  EXPECT_CALL(stores_.episodic, Find)
      .WillOnce([&](auto&&...) {
        Interaction twin;
        twin.interaction_id = "turn-1";
        twin.user = kUser;
        twin.user_message = request.message;
        twin.assistant_response = "Faster";
        const std::vector<Interaction> turns = {twin};
        EXPECT_TRUE(journal_.Accept(turns, RunMode::kBackground, "", Soon()).ok());
        return Result<EpisodesFound>(EpisodesFound());
      })
      .WillRepeatedly([](auto&&...) { return Result<EpisodesFound>(EpisodesFound()); });
  scripted_.Enqueue({.pieces = {"Slower"}});
  const auto answer = Chat(request);
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->reply, "Faster");
  EXPECT_THAT(Stored(), SizeIs(1));
}

TEST_F(GovernorTest, AsksWithWhatWasRecalledAndTheRunningConversation) {
  Conversation conversation;
  conversation.turns.resize(1);
  conversation.turns[0].user_message = "Before";
  conversation.turns[0].assistant_response = "Indeed";
  EXPECT_CALL(stores_.short_term, Read(kUser, std::string_view("s1"), _, _))
      .WillOnce(Return(Result<Conversation>(conversation)));
  Rule rule;
  rule.memory_id = "ru_1";
  rule.text = "always answer in metric units";
  EXPECT_CALL(stores_.procedural, Active)
      .WillOnce(Return(Result<std::vector<Rule>>(std::vector<Rule>{rule})));
  const auto answer = Chat(Request("How far is it?"));
  ASSERT_TRUE(answer.ok());
  EXPECT_THAT(answer->rules, SizeIs(1));
  const auto messages = scripted_.Requests().at(0).messages;
  ASSERT_THAT(messages, SizeIs(4));
  EXPECT_THAT(messages[0].content, HasSubstr("metric units"));
  EXPECT_EQ(messages[1].content, "Before");
  EXPECT_EQ(messages[3].content, "How far is it?");
}

TEST_F(GovernorTest, NamesWhatWasMissing) {
  EXPECT_CALL(stores_.semantic, Find).WillOnce([](auto&&...) {
    return Result<FactsFound>(Unavailable("graph: away"));
  });
  EXPECT_CALL(stores_.short_term, Append).WillOnce([](auto&&...) {
    return Status(Unavailable("redis: away"));
  });
  const auto answer = Chat(Request());
  ASSERT_TRUE(answer.ok());
  EXPECT_THAT(answer->degraded, ElementsAre("semantic", "short_term"));
}

TEST_F(GovernorTest, QuotesMemoriesWhenThereIsNoModel) {
  model_ = nullptr;
  Interaction told;
  told.interaction_id = "t0";
  told.user = kUser;
  told.session_id = "s0";
  told.occurred_at = ManualClock::kStart;
  told.user_message = "My sister Ana lives in Porto.";
  const std::vector<Interaction> turns = {told};
  ASSERT_TRUE(journal_.Accept(turns, RunMode::kBackground, "", Soon()).ok());
  const auto answer = Chat(Request("Where does my sister live?"), Sink());
  ASSERT_TRUE(answer.ok());
  EXPECT_THAT(answer->reply, HasSubstr("You told me on 3 May: My sister Ana lives in Porto."));
  EXPECT_THAT(answer->reply, HasSubstr("OPENAI_API_KEY"));
  EXPECT_THAT(seen_, ElementsAre(answer->reply));
  ASSERT_THAT(Stored(), SizeIs(2));
  EXPECT_EQ(Stored()[1].origin, Origin::kOfflineChat);
  EXPECT_THAT(answer->recalled, SizeIs(1));
}

TEST_F(GovernorTest, ListsFactsWhenAskedWhatItKnowsWithoutAModel) {
  model_ = nullptr;
  MemoryPage page;
  page.items.resize(2);
  page.items[0].text = "I live in Ghent";
  page.items[1].text = "I play the cello";
  for (MemoryItem& item : page.items) {
    item.tier = Tier::kSemantic;
    item.occurred_at = ManualClock::kStart;
  }
  EXPECT_CALL(stores_.semantic, List).WillOnce(Return(Result<MemoryPage>(page)));
  EXPECT_THAT(Chat(Request("What do you know about me?"))->reply,
              HasSubstr("You told me on 3 May: I play the cello.\n"
                        "You told me on 3 May: I live in Ghent."));
}

TEST_F(GovernorTest, ReflectsBeforeTheReplyInSynchronousMode) {
  std::vector<std::string> reflected;
  options_.mode_of = [](const UserKey&) { return RunMode::kInline; };
  options_.reflect_inline = [&](std::string_view, const std::vector<std::string>& jobs, Deadline) {
    reflected = jobs;
    return Status();
  };
  const auto answer = Chat(Request());
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->reflection_status, "inline");
  EXPECT_THAT(reflected, ElementsAre(answer->job_id));
  options_.reflect_inline = [](std::string_view, const auto&, Deadline) {
    return Status(Unavailable("busy"));
  };
  EXPECT_EQ(Chat(Request())->reflection_status, "queued");
}

TEST_F(GovernorTest, DecidesThePriorityUnlessToldIt) {
  ChatRequest request = Request("Please remember that I am allergic to nuts.");
  ASSERT_TRUE(Chat(request).ok());
  request.priority = Priority::kLow;
  ASSERT_TRUE(Chat(request).ok());
  EXPECT_EQ(Stored()[0].priority, Priority::kHigh);
  EXPECT_EQ(Stored()[1].priority, Priority::kLow);
}

TEST_F(GovernorTest, DoesNotRememberATurnWhoseUserWasForgottenWhileTheModelAnswered) {
  scripted_.Enqueue({.pieces = {"You live in ", "Porto."}});
  const auto answer = Chat(Request("Where do I live?"), [this](std::string_view) {
    clock_.Advance(Millis{5});
    EXPECT_TRUE(journal_.EraseUser(kUser, Soon()).ok());
    return true;
  });
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, ErrorCode::kAborted);
  EXPECT_THAT(Stored(), IsEmpty());
  // She may begin anew.
  clock_.Advance(Millis{5});
  EXPECT_TRUE(Chat(Request("I moved to Lyon.")).ok());
  EXPECT_THAT(Stored(), SizeIs(1));
}

TEST_F(GovernorTest, RefusesAnEmptyMessage) {
  EXPECT_EQ(Chat(Request("")).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(GovernorTest, PassesOnThatNothingCouldBeStored) {
  ::testing::NiceMock<MockJournal> full;
  ON_CALL(full, Accept).WillByDefault([](auto&&...) {
    return Result<std::vector<AcceptedTurn>>(
        Error{ErrorCode::kStorageFull, "sqlite: disk is full"});
  });
  MemoryManager memory(clock_, pool_,
                       {full, stores_.ledger, stores_.doorbell, stores_.short_term,
                        stores_.episodic, stores_.semantic, stores_.procedural},
                       {});
  Governor governor(clock_, memory, model_, options_);
  EXPECT_EQ(governor.Chat(Request(), {}, {}, Soon()).error().code, ErrorCode::kStorageFull);
}

TEST_F(GovernorTest, AChatAfterAForgettingIsKeptThoughTheClockWasSetBack) {
  LedgerClock ledger_clock(clock_);
  ledger_clock.Forgot(journal_.EraseUser(kUser, Soon()).value().forgotten_at);
  clock_.SetWall(clock_.Now() - std::chrono::hours(1));
  options_.ledger_clock = &ledger_clock;
  scripted_.Enqueue({.pieces = {"Good day"}});
  const auto answer = Chat(Request());
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  ASSERT_THAT(Stored(), SizeIs(1));
  EXPECT_EQ(Stored()[0].occurred_at, clock_.Now()) << "what is shown is the clock's own time";
}

}  // namespace
}  // namespace umbranet
