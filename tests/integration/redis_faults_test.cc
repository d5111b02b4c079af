// Goal: whatever happens to the Redis server, no turn is lost, a chat goes on from the journal and
// says so, nobody waits for a dead server twice, and all is well once it is back. Method: a real
// server behind a proxy that cuts, stalls, delays and refuses.
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/adapters/redis/redis_short_term_memory.h"
#include "umbranet/base/bounded_worker_pool.h"
#include "umbranet/memory/memory_manager.h"

#include "tests/doubles/in_memory_journal.h"
#include "tests/doubles/mock_stores.h"
#include "tests/doubles/tcp_fault_proxy.h"
#include "tests/integration/redis_harness.h"
#include "tests/integration/servers.h"

namespace umbranet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::NiceMock;
using ::testing::Not;

const Deadline kNever = Deadline::Never();

class RedisFaultsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string missing = MissingServer("REDIS_URL"); !missing.empty()) {
      GTEST_SKIP() << missing;
    }
    place_.emplace();
    proxy_.emplace("127.0.0.1", place_->address().port);
    Open(place_->OptionsThrough(proxy_->port()));
  }

  void Open(const RedisShortTermMemory::Options& options) {
    auto opened = RedisShortTermMemory::Open(clock_, journal_, options);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    memory_ = std::move(opened).value();
  }

  // With the budgets that a chat has, for a server that does not answer.
  void OpenInAHurry() {
    RedisShortTermMemory::Options options = place_->OptionsThrough(proxy_->port());
    options.connect_budget = Millis{200};
    options.call_budget = Millis{200};
    options.breaker.pause_first = Millis{2'000};
    Open(options);
  }

  Interaction Accept(const std::string& text) {
    Interaction turn;
    turn.interaction_id = "turn-" + std::to_string(++turns_);
    turn.user = ana_;
    turn.session_id = "s";
    turn.accepted_at = clock_.Now();
    turn.user_message = text;
    const std::vector<Interaction> turns{turn};
    turn.sequence = journal_.Accept(turns, RunMode::kBackground, "", kNever)->front().sequence;
    return turn;
  }

  Status Say(const std::string& text) { return memory_->Append(Accept(text), kNever); }

  static std::vector<std::string> Messages(const std::vector<Interaction>& turns) {
    std::vector<std::string> messages;
    for (const Interaction& turn : turns) {
      messages.push_back(turn.user_message);
    }
    return messages;
  }

  std::vector<std::string> Read() {
    auto read = memory_->Read(ana_, "s", {.tokens = 1000}, kNever);
    EXPECT_TRUE(read.ok()) << read.error().message;
    return read.ok() ? Messages(read->turns) : std::vector<std::string>();
  }

  ErrorCode CodeOfRead() {
    const auto read = memory_->Read(ana_, "s", {.tokens = 1000}, kNever);
    EXPECT_FALSE(read.ok());
    return read.ok() ? ErrorCode::kInternal : read.error().code;
  }

  SystemClock clock_;
  InMemoryLedgerStore store_{clock_, {}};
  InMemoryJournal journal_{store_};
  std::optional<RedisPlace> place_;
  std::optional<TcpFaultProxy> proxy_;
  std::unique_ptr<RedisShortTermMemory> memory_;
  const UserKey ana_{"default", "ana"};
  int turns_ = 0;
};

TEST_F(RedisFaultsTest, AServerThatIsAwayIsNamedAndTheTurnsSaidMeanwhileAreThereAfterwards) {
  ASSERT_THAT(Read(), IsEmpty());
  ASSERT_TRUE(Say("one").ok());
  proxy_->Refuse();
  const Status appended = Say("two");
  ASSERT_FALSE(appended.ok());
  EXPECT_EQ(appended.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(appended.error().message,
              HasSubstr("Redis at 127.0.0.1:" + std::to_string(proxy_->port())));
  EXPECT_THAT(appended.error().message, Not(HasSubstr(place_->address().password)));
  proxy_->Restore();
  EXPECT_THAT(Read(), ElementsAre("one", "two"));
}

TEST_F(RedisFaultsTest, AChatGoesOnFromTheJournalAndSaysSo) {
  ASSERT_THAT(Read(), IsEmpty());
  ASSERT_TRUE(Say("one").ok());
  proxy_->Refuse();
  NiceMock<MockStores> mocks;
  BoundedWorkerPool pool{{}};
  MemoryManager::Options unhurried;
  unhurried.recall_budget = Millis{20'000};
  MemoryManager manager(clock_, pool,
                        {journal_, mocks.ledger, mocks.doorbell, *memory_, mocks.episodic,
                         mocks.semantic, mocks.procedural},
                        unhurried);
  Interaction turn;
  turn.user = ana_;
  turn.session_id = "s";
  turn.user_message = "two";
  const auto remembered = manager.Remember({turn}, RunMode::kBackground, "", kNever);
  ASSERT_TRUE(remembered.ok());
  EXPECT_THAT(remembered->degraded, ElementsAre("short_term"));

  RecallRequest request;
  request.user = ana_;
  request.query = "what was said?";
  request.session_id = "s";
  const auto recalled = manager.Recall(request, kNever);
  ASSERT_TRUE(recalled.ok());
  EXPECT_THAT(Messages(recalled->conversation.turns), ElementsAre("one", "two"));
  EXPECT_THAT(recalled->degraded, ElementsAre("short_term"));
  EXPECT_THAT(recalled->missing_tiers, IsEmpty());
  pool.Stop();
}

TEST_F(RedisFaultsTest, AConnectionThatWasCutIsReplacedUnnoticed) {
  ASSERT_THAT(Read(), IsEmpty());
  for (const char* const text : {"one", "two", "three"}) {
    proxy_->Cut();
    const Status appended = Say(text);
    EXPECT_TRUE(appended.ok()) << appended.error().message;
  }
  EXPECT_THAT(Read(), ElementsAre("one", "two", "three"));
}

TEST_F(RedisFaultsTest, AnAppendWhoseAnswerWasLostIsRepeatedAndCountsOnce) {
  ASSERT_THAT(Read(), IsEmpty());
  proxy_->LoseNextAnswer();
  const Status appended = Say("one");
  EXPECT_TRUE(appended.ok()) << appended.error().message;
  EXPECT_THAT(Read(), ElementsAre("one"));
}

TEST_F(RedisFaultsTest, AFrozenServerIsNotWaitedForAgainAndAgain) {
  OpenInAHurry();
  proxy_->Stall();
  EXPECT_EQ(CodeOfRead(), ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(CodeOfRead(), ErrorCode::kDeadlineExceeded);
  // From now on nobody asks it, until a pause is over.
  const std::size_t connections = proxy_->ConnectionsAccepted();
  const auto refused = memory_->Read(ana_, "s", {.tokens = 1000}, kNever);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("is asked again in a while"));
  EXPECT_EQ(proxy_->ConnectionsAccepted(), connections);

  proxy_->Resume();
  const Deadline limit = Deadline::After(clock_, std::chrono::seconds(20));
  Status probed = memory_->Probe(kNever);
  while (!probed.ok() && !limit.Expired()) {
    probed = memory_->Probe(kNever);
  }
  EXPECT_TRUE(probed.ok()) << probed.error().message;
}

TEST_F(RedisFaultsTest, AServerThatIsFrozenInFlightCostsTheBudgetAndNothingIsLost) {
  OpenInAHurry();
  ASSERT_TRUE(memory_->Probe(kNever).ok());
  proxy_->Stall();
  const Status appended = Say("one");
  ASSERT_FALSE(appended.ok());
  EXPECT_EQ(appended.error().code, ErrorCode::kDeadlineExceeded);
  proxy_->Resume();
  EXPECT_THAT(Read(), ElementsAre("one"));
}

TEST_F(RedisFaultsTest, TheCallersDeadlineIsKeptWhenItIsSooner) {
  ASSERT_THAT(Read(), IsEmpty());
  proxy_->Stall();
  const Status appended = memory_->Append(Accept("one"), Deadline::After(clock_, Millis{20}));
  ASSERT_FALSE(appended.ok());
  EXPECT_EQ(appended.error().code, ErrorCode::kDeadlineExceeded);
  proxy_->Resume();
  EXPECT_THAT(Read(), ElementsAre("one"));
}

TEST_F(RedisFaultsTest, ASlowServerIsSlowAndRight) {
  proxy_->Delay(Millis{10});
  ASSERT_THAT(Read(), IsEmpty());
  EXPECT_TRUE(Say("one").ok());
  EXPECT_TRUE(Say("two").ok());
  EXPECT_THAT(Read(), ElementsAre("one", "two"));
}

TEST_F(RedisFaultsTest, RefusedCredentialsNameTheServerAndTheSettingAndNoSecret) {
  RedisShortTermMemory::Options options = place_->OptionsThrough(proxy_->port());
  for (const std::string user_info : {"default:a-wrong-secret@", "nobody:a-wrong-secret@", ""}) {
    options.url = "redis://" + user_info + "127.0.0.1:" + std::to_string(proxy_->port());
    Open(options);
    const Status probed = memory_->Probe(kNever);
    ASSERT_FALSE(probed.ok()) << user_info;
    EXPECT_EQ(probed.error().code, ErrorCode::kFailedPrecondition);
    EXPECT_THAT(probed.error().message, HasSubstr("Redis at 127.0.0.1:"));
    EXPECT_THAT(probed.error().message, HasSubstr("REDIS_URL"));
    EXPECT_THAT(probed.error().message, Not(HasSubstr("a-wrong-secret")));
  }
}

TEST_F(RedisFaultsTest, ADatabaseThatIsNotThereIsSaid) {
  RedisShortTermMemory::Options options = place_->OptionsThrough(proxy_->port());
  options.url.erase(options.url.rfind('/'));
  options.url += "/999999";
  Open(options);
  const Status probed = memory_->Probe(kNever);
  ASSERT_FALSE(probed.ok());
  EXPECT_EQ(probed.error().code, ErrorCode::kFailedPrecondition);
  EXPECT_THAT(probed.error().message, HasSubstr("no such database"));
}

TEST_F(RedisFaultsTest, AUrlThatIsNoneIsRefusedAtTheStart) {
  RedisShortTermMemory::Options options;
  options.url = "http://user:a-secret@host";
  const auto opened = RedisShortTermMemory::Open(clock_, journal_, options);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(opened.error().message, Not(HasSubstr("a-secret")));
}

TEST_F(RedisFaultsTest, MoreCallersThanConnectionsTakeTurns) {
  RedisShortTermMemory::Options options = place_->OptionsThrough(proxy_->port());
  options.connections_max = 2;
  Open(options);
  proxy_->Delay(Millis{2});
  {
    std::vector<std::jthread> callers;
    for (int caller = 0; caller < 16; ++caller) {
      callers.emplace_back([&] {
        for (int i = 0; i < 5; ++i) {
          const Status probed = memory_->Probe(kNever);
          EXPECT_TRUE(probed.ok()) << probed.error().message;
        }
      });
    }
  }
  EXPECT_LE(proxy_->ConnectionsAccepted(), 2U);
}

}  // namespace
}  // namespace umbranet
