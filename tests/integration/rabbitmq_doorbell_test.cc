// Goal: what one process rings, another hears; what other programs send becomes jobs; and what is
// no job ends among the dead letters, bytes and all.
// Method: doorbells of one place on a real server, each standing for a process, and a plain
// connection that plays the foreign producer and the operator.
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/adapters/rabbitmq/turn_intake.h"

#include "tests/doubles/in_memory_job_ledger.h"
#include "tests/doubles/in_memory_journal.h"
#include "tests/doubles/in_memory_short_term_memory.h"
#include "tests/doubles/manual_clock.h"
#include "tests/integration/rabbitmq_harness.h"
#include "tests/integration/servers.h"

namespace umbranet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// A foreign producer's message.
std::string JobNamed(const std::string& id) {
  return R"({"user_id": "ana", "user_message": "Hello there.", "job_id": ")" + id + "\"}";
}

// Jobs as they come out of a doorbell.
class Heard {
 public:
  AcceptJob Accept() {
    return [this](const IncomingJob& job, Deadline /*deadline*/) -> Status {
      MutexLock lock(mutex_);
      jobs_.push_back(job);
      if (!answers_.empty()) {
        Status answer = answers_.front();
        answers_.erase(answers_.begin());
        return answer;
      }
      return {};
    };
  }

  // What the next calls are answered; afterwards all is well.
  void Answer(std::vector<Status> answers) {
    MutexLock lock(mutex_);
    answers_ = std::move(answers);
  }

  std::vector<IncomingJob> Jobs() {
    MutexLock lock(mutex_);
    return jobs_;
  }

  std::vector<std::string> Ids() {
    std::vector<std::string> ids;
    for (const IncomingJob& job : Jobs()) {
      ids.push_back(job.turn.interaction_id);
    }
    return ids;
  }

 private:
  Mutex mutex_;
  std::vector<IncomingJob> jobs_ GUARDED_BY(mutex_);
  std::vector<Status> answers_ GUARDED_BY(mutex_);
};

class RabbitMqDoorbellTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string missing = MissingServer("RABBITMQ_URL"); !missing.empty()) {
      GTEST_SKIP() << missing;
    }
    place_ = std::make_unique<RabbitMqPlace>();
  }

  static ReflectionJob JobOf(const Interaction& turn) {
    return {.job_id = MakeJobId(turn.user, turn.interaction_id),
            .user = turn.user,
            .interaction_id = turn.interaction_id,
            .priority = turn.priority,
            .traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"};
  }

  static Interaction Turn(const std::string& user_id = "ana") {
    Interaction turn;
    turn.user = {std::string(kDefaultTenant), user_id};
    turn.interaction_id = "t1";
    turn.user_message = "The bakery opens at seven.";
    turn.assistant_response = "Noted.";
    turn.occurred_at = FromUnixMillis(1'714'730'400'000);
    turn.accepted_at = FromUnixMillis(1'714'730'401'000);
    return turn;
  }

  // Until `done` says so; false when it took too long.
  template <typename Done>
  static bool Eventually(Done done) {
    const Deadline deadline = RabbitMqPatience();
    while (!done()) {
      if (deadline.Expired()) {
        return false;
      }
      std::this_thread::yield();
    }
    return true;
  }

  std::unique_ptr<RabbitMqPlace> place_;
};

TEST_F(RabbitMqDoorbellTest, WakesAWaiterInAnotherProcess) {
  const auto reflector = place_->OpenHealthyDoorbell();
  const auto api = place_->OpenHealthyRinger();
  api->Ring(JobOf(Turn()));
  EXPECT_TRUE(reflector->Wait({}, RabbitMqPatience()));
}

TEST_F(RabbitMqDoorbellTest, CarriesTheWholeJobToWhoeverHearsIt) {
  Heard heard;
  const auto reflector = place_->OpenHealthyDoorbell(heard.Accept());
  const auto api = place_->OpenHealthyRinger();
  Interaction turn = Turn("ana.b/#*\xF0\x9F\xA6\x86'\"");
  turn.priority = Priority::kHigh;
  turn.origin = Origin::kChat;
  turn.metadata = R"({"channel": "phone", "n": 1.50})";
  api->RingWithTurn(JobOf(turn), turn);
  ASSERT_TRUE(reflector->Wait({}, RabbitMqPatience()));
  ASSERT_EQ(heard.Jobs().size(), 1U);
  const IncomingJob job = heard.Jobs().front();
  EXPECT_EQ(job.turn.user, turn.user);
  EXPECT_EQ(job.turn.interaction_id, "t1");
  EXPECT_EQ(job.turn.user_message, turn.user_message);
  EXPECT_EQ(job.turn.assistant_response, turn.assistant_response);
  EXPECT_EQ(job.turn.occurred_at, turn.occurred_at);
  EXPECT_EQ(job.turn.accepted_at, turn.accepted_at);
  EXPECT_EQ(job.turn.priority, Priority::kHigh);
  EXPECT_EQ(job.turn.origin, Origin::kChat);
  EXPECT_THAT(job.turn.metadata, HasSubstr(R"("channel":"phone")"));
  EXPECT_EQ(job.traceparent, JobOf(turn).traceparent);
}

TEST_F(RabbitMqDoorbellTest, SendsWhatTheBrokersOperatorsLookFor) {
  const auto api = place_->OpenHealthyRinger();
  const Interaction turn = Turn();
  api->RingWithTurn(JobOf(turn), turn);
  const auto message = place_->AwaitMessage(place_->names().queue);
  ASSERT_TRUE(message.has_value());
  EXPECT_EQ(message->type, "reflection.job.v1");
  EXPECT_EQ(message->message_id, JobOf(turn).job_id);
  EXPECT_EQ(message->correlation_id, "t1");
  EXPECT_EQ(message->content_type, "application/json");
  EXPECT_EQ(message->priority, 4);
  EXPECT_EQ(message->TextHeader("traceparent"), JobOf(turn).traceparent);
  EXPECT_GT(message->timestamp, ManualClock::kStart);
}

TEST_F(RabbitMqDoorbellTest, SendsALongTurnAsARingAlone) {
  Heard heard;
  const auto reflector = place_->OpenHealthyDoorbell(heard.Accept());
  const auto api = place_->OpenHealthyRinger();
  Interaction turn = Turn();
  turn.user_message = std::string(kInlineBytesMax, 'x');
  api->RingWithTurn(JobOf(turn), turn);
  EXPECT_TRUE(reflector->Wait({}, RabbitMqPatience()));
  EXPECT_TRUE(heard.Jobs().empty());
}

TEST_F(RabbitMqDoorbellTest, DoesNotAskTheLedgerAboutItsOwnRings) {
  Heard heard;
  const auto doorbell = place_->OpenHealthyDoorbell(heard.Accept());
  doorbell->RingWithTurn(JobOf(Turn()), Turn());
  EXPECT_TRUE(doorbell->Wait({}, RabbitMqPatience()));
  EXPECT_TRUE(Eventually([&] { return doorbell->ReadStatus().consumed == 1; }));
  EXPECT_TRUE(heard.Jobs().empty());
}

TEST_F(RabbitMqDoorbellTest, ConfirmsTenThousandRingsAndDeliversThem) {
  constexpr std::uint64_t kRings = 10'000;
  const auto reflector = place_->OpenHealthyDoorbell();
  const auto api = place_->OpenHealthyRinger();
  for (std::uint64_t i = 0; i < kRings; ++i) {
    api->RingWithTurn(JobOf(Turn()), Turn());
  }
  EXPECT_TRUE(Eventually([&] { return api->ReadStatus().confirmed == kRings; }));
  EXPECT_TRUE(Eventually([&] { return reflector->ReadStatus().consumed == kRings; }));
  EXPECT_EQ(api->ReadStatus().unknown, 0U);
  EXPECT_EQ(api->ReadStatus().dropped, 0U);
}

TEST_F(RabbitMqDoorbellTest, PublishesWhatWaitsBeforeItStops) {
  auto api = place_->OpenHealthyRinger();
  for (int i = 0; i < 100; ++i) {
    api->Ring(JobOf(Turn()));
  }
  api->Stop();
  EXPECT_EQ(api->ReadStatus().confirmed, 100U);
  EXPECT_FALSE(api->Healthy());
  api->Ring(JobOf(Turn()));
  EXPECT_TRUE(api->Wait({}, RabbitMqPatience()));
}

TEST_F(RabbitMqDoorbellTest, MakesAJobOfAForeignProducersMessage) {
  ManualClock clock;
  InMemoryLedgerStore store(clock, {});
  InMemoryJournal journal(store);
  InMemoryJobLedger ledger(store);
  InMemoryShortTermMemory short_term;
  const TurnIntake intake(clock, journal, ledger, short_term);
  const auto reflector = place_->OpenHealthyDoorbell(intake);
  const std::string body = R"({"job_id": "8f14e45f", "user_id": "ana", "session_id": "s1",
      "user_message": "I moved to Lisbon.", "assistant_response": "Lovely!",
      "timestamp": "2024-05-03T09:00:00.123456", "priority": 1, "metadata": {"app": "web"},
      "retry_count": 0, "max_retries": 3, "created_at": "2024-05-03T09:00:01"})";
  place_->Publish(body);
  place_->Publish(body);  // As brokers do now and then.
  ASSERT_TRUE(Eventually([&] { return reflector->ReadStatus().accepted == 2; }));
  EXPECT_TRUE(reflector->Wait({}, RabbitMqPatience()));

  const UserKey ana{std::string(kDefaultTenant), "ana"};
  const auto batch = ledger.Claim({}, Deadline::Never()).value();
  ASSERT_TRUE(batch.has_value());
  ASSERT_EQ(batch->jobs.size(), 1U);
  EXPECT_EQ(batch->jobs.front().job.interaction_id, "8f14e45f");
  EXPECT_EQ(batch->jobs.front().job.priority, Priority::kHigh);
  const std::vector<std::string> ids = {"8f14e45f"};
  const auto turns = journal.Read(ana, ids, Deadline::Never()).value();
  ASSERT_EQ(turns.size(), 1U);
  EXPECT_EQ(turns.front().user_message, "I moved to Lisbon.");
  EXPECT_EQ(turns.front().session_id, "s1");
  EXPECT_EQ(FormatTimestamp(turns.front().occurred_at), "2024-05-03T09:00:00.123Z");
}

TEST_F(RabbitMqDoorbellTest, SendsWhatIsNoJobToTheDeadLettersWithItsBytes) {
  Heard heard;
  const auto reflector = place_->OpenHealthyDoorbell(heard.Accept());
  const std::string bytes("\x00{\"user_id\": \xFF not json", 23);
  place_->Publish(bytes, {{"source", "crm"}});
  const auto dead = place_->AwaitMessage(place_->names().dead_letter_queue);
  ASSERT_TRUE(dead.has_value());
  EXPECT_EQ(dead->body, bytes);
  EXPECT_EQ(dead->TextHeader("source"), "crm");
  EXPECT_TRUE(heard.Jobs().empty());
  EXPECT_EQ(reflector->ReadStatus().malformed, 1U);
  EXPECT_TRUE(reflector->Healthy());
}

TEST_F(RabbitMqDoorbellTest, SendsWhatTheLedgerRefusesToTheDeadLetters) {
  Heard heard;
  heard.Answer({InvalidArgument("ledger: not like this")});
  const auto reflector = place_->OpenHealthyDoorbell(heard.Accept());
  const std::string body = R"({"job_id": "j1", "user_id": "ana", "user_message": "Hello there."})";
  place_->Publish(body);
  const auto dead = place_->AwaitMessage(place_->names().dead_letter_queue);
  ASSERT_TRUE(dead.has_value());
  EXPECT_EQ(dead->body, body);
  EXPECT_THAT(place_->Log(), HasSubstr("rabbitmq_message_refused"));
  EXPECT_THAT(place_->Log(), Not(HasSubstr("Hello there.")));
}

TEST_F(RabbitMqDoorbellTest, LeavesMessagesInTheQueueWhileTheLedgerIsAway) {
  Heard heard;
  // More often than the queue lets a message come back before it becomes a dead letter.
  heard.Answer(std::vector<Status>(30, Unavailable("postgres: away")));
  RabbitMqDoorbell::Options options = place_->DoorbellOptions();
  options.backoff = {.first = Millis{5}, .last = Millis{20}};
  const auto reflector = place_->OpenDoorbell(options, heard.Accept());
  for (const char* id : {"j1", "j2"}) {
    place_->Publish(JobNamed(id));
  }
  ASSERT_TRUE(Eventually([&] { return reflector->ReadStatus().accepted == 2; }));
  const std::vector<std::string> ids = heard.Ids();
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()), (std::set<std::string>{"j1", "j2"}));
  EXPECT_TRUE(reflector->WaitUntilHealthy(RabbitMqPatience()));
  EXPECT_FALSE(place_->TakeMessage(place_->names().dead_letter_queue).has_value());
}

TEST_F(RabbitMqDoorbellTest, AcceptsOnlyWhatTheLedgerDoesNotKnow) {
  Heard heard;
  heard.Answer({{}, InvalidArgument("ledger: not like this")});
  RabbitMqDoorbell::Options options = place_->DoorbellOptions();
  const std::string known = MakeJobId({std::string(kDefaultTenant), "ana"}, "j1");
  options.known = [known](std::span<const std::string> job_ids, Deadline) {
    std::vector<bool> answer;
    for (const std::string& job_id : job_ids) {
      answer.push_back(job_id == known);
    }
    return Result<std::vector<bool>>(std::move(answer));
  };
  {
    const auto ringer = place_->OpenHealthyRinger();  // Declares the queue: they come together.
    for (const char* id : {"j1", "j2", "j3", "j1", "j1"}) {
      place_->Publish(JobNamed(id));
    }
    place_->Publish("no job");
  }
  auto reflector = place_->OpenDoorbell(options, heard.Accept());
  ASSERT_TRUE(Eventually([&] { return reflector->ReadStatus().malformed == 2; }));
  ASSERT_TRUE(Eventually([&] { return reflector->ReadStatus().accepted == 4; }));
  EXPECT_THAT(heard.Ids(), ElementsAre("j2", "j3"));
  reflector.reset();  // What it had not settled would be in the queue again.
  EXPECT_FALSE(place_->TakeMessage(place_->names().queue).has_value());
  EXPECT_TRUE(place_->AwaitMessage(place_->names().dead_letter_queue).has_value());
  EXPECT_TRUE(place_->AwaitMessage(place_->names().dead_letter_queue).has_value());
}

TEST_F(RabbitMqDoorbellTest, AcceptsWhatTheLedgerCannotSayThatItKnows) {
  Heard heard;
  RabbitMqDoorbell::Options options = place_->DoorbellOptions();
  options.known = [](std::span<const std::string>, Deadline) {
    return Result<std::vector<bool>>(Unavailable("postgres: away"));
  };
  const auto reflector = place_->OpenDoorbell(options, heard.Accept());
  ASSERT_TRUE(reflector->WaitUntilHealthy(RabbitMqPatience()));
  place_->Publish(JobNamed("j1"));
  ASSERT_TRUE(Eventually([&] { return reflector->ReadStatus().accepted == 1; }));
  EXPECT_THAT(heard.Ids(), ElementsAre("j1"));
}

TEST_F(RabbitMqDoorbellTest, GivesBackOnlyWhatTheLedgerDidNotTake) {
  Heard heard;
  heard.Answer({{}, Unavailable("postgres: away")});
  {
    const auto ringer = place_->OpenHealthyRinger();
    for (const char* id : {"j1", "j2", "j3"}) {
      place_->Publish(JobNamed(id));
    }
  }
  RabbitMqDoorbell::Options options = place_->DoorbellOptions();
  options.backoff = {.first = Millis{5}, .last = Millis{20}};
  const auto reflector = place_->OpenDoorbell(options, heard.Accept());
  ASSERT_TRUE(Eventually([&] { return reflector->ReadStatus().accepted == 3; }));
  // The second is offered until it is taken, and comes once more from the queue.
  EXPECT_THAT(heard.Ids(), ElementsAre("j1", "j2", "j2", "j2", "j3"));
}

TEST_F(RabbitMqDoorbellTest, WorksWithWhatIsDeclaredOtherwise) {
  AmqpConnection& operators = place_->connection();
  ASSERT_TRUE(operators.DeleteQueue(place_->names().queue).ok());
  ASSERT_TRUE(
      operators.DeclareQueue(place_->names().queue, {{"x-queue-type", "classic"}}, false).ok());
  const auto reflector = place_->OpenHealthyDoorbell();
  EXPECT_TRUE(reflector->Healthy());
  EXPECT_THAT(place_->Log(), HasSubstr("rabbitmq_drift"));
  EXPECT_THAT(place_->Log(), HasSubstr(place_->names().queue));
  const auto api = place_->OpenHealthyRinger();
  api->Ring(JobOf(Turn()));
  EXPECT_TRUE(reflector->Wait({}, RabbitMqPatience()));
}

TEST_F(RabbitMqDoorbellTest, DeclaresItsQueueAgainWhenThatIsDeleted) {
  const auto reflector = place_->OpenHealthyDoorbell();
  const auto api = place_->OpenHealthyRinger();
  ASSERT_TRUE(place_->connection().DeleteQueue(place_->names().queue).ok());
  // Rung for again and again, as turns do; which of them first finds the new queue is not said.
  EXPECT_TRUE(Eventually([&] {
    api->Ring(JobOf(Turn()));
    const Deadline moment = Deadline::After(place_->clock, Millis{50});
    return reflector->Wait({}, moment) && reflector->Healthy();
  }));
}

TEST_F(RabbitMqDoorbellTest, IsUnhealthyWhileNoQueueTakesItsRings) {
  const auto api = place_->OpenHealthyRinger();
  ASSERT_TRUE(place_->connection().DeleteQueue(place_->names().queue).ok());
  for (int i = 0; i < 3; ++i) {
    api->Ring(JobOf(Turn()));
  }
  EXPECT_TRUE(Eventually([&] { return api->ReadStatus().breaker_opened == 1; }));
  EXPECT_EQ(api->ReadStatus().returned, 3U);
  EXPECT_THAT(place_->Log(), HasSubstr("bind " + place_->names().queue));
  // It connects anew, declares the queue, and tries one ring. That it has become unhealthy may not
  // be seen yet, so being well says nothing before.
  EXPECT_TRUE(Eventually([&] { return api->ReadStatus().confirmed == 1; }));
  EXPECT_TRUE(api->WaitUntilHealthy(RabbitMqPatience()));
}

}  // namespace
}  // namespace umbranet
