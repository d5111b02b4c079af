// Goal: whatever becomes of the broker, a ring returns at once, Healthy() tells the truth, errors
// say what to do without giving secrets away, and all is well again by itself.
// Method: doorbells whose way to a real server leads through a proxy that refuses, stalls and cuts.
#include <algorithm>
#include <memory>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/doubles/tcp_fault_proxy.h"
#include "tests/integration/rabbitmq_harness.h"
#include "tests/integration/servers.h"

namespace umbranet {
namespace {

using testing::HasSubstr;
using testing::Not;

class RabbitMqFaultsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string missing = MissingServer("RABBITMQ_URL"); !missing.empty()) {
      GTEST_SKIP() << missing;
    }
    place_ = std::make_unique<RabbitMqPlace>();
    proxy_ = std::make_unique<TcpFaultProxy>(place_->url().host, place_->url().port);
  }

  std::unique_ptr<RabbitMqDoorbell> OpenThroughProxy(bool consume = true) {
    RabbitMqDoorbell::Options options = place_->DoorbellOptions(proxy_->port());
    options.consume = consume;
    return place_->OpenDoorbell(options);
  }

  // Gives up on confirms so soon that only a broker that is frozen should meet it.
  std::unique_ptr<RabbitMqDoorbell> OpenImpatientRinger() {
    RabbitMqDoorbell::Options options = place_->DoorbellOptions(proxy_->port());
    options.consume = false;
    options.confirm_timeout = Millis{500};
    return place_->OpenDoorbell(options);
  }

  static ReflectionJob Job(const std::string& id = "j1") {
    ReflectionJob job;
    job.job_id = id;
    job.user = {std::string(kDefaultTenant), "ana"};
    job.interaction_id = id;
    return job;
  }

  static Interaction LongTurn() {
    Interaction turn;
    turn.user = {std::string(kDefaultTenant), "ana"};
    turn.interaction_id = "j1";
    turn.user_message = std::string(100'000, 'x');
    return turn;
  }

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
  std::unique_ptr<TcpFaultProxy> proxy_;
};

TEST_F(RabbitMqFaultsTest, ABrokerThatIsAwayAtTheStartIsWaitedForAside) {
  proxy_->Refuse();
  const auto doorbell = OpenThroughProxy();
  EXPECT_FALSE(doorbell->Healthy());
  doorbell->Ring(Job());
  EXPECT_TRUE(doorbell->Wait({}, RabbitMqPatience()));
  EXPECT_TRUE(Eventually([&] { return !doorbell->ReadStatus().last_error.empty(); }));
  EXPECT_THAT(doorbell->ReadStatus().last_error,
              HasSubstr("RabbitMQ at 127.0.0.1:" + std::to_string(proxy_->port())));
  EXPECT_FALSE(doorbell->Healthy());
  const Status probed = doorbell->Probe();
  ASSERT_FALSE(probed.ok());
  EXPECT_EQ(probed.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(probed.error().message, HasSubstr("start it, or correct RABBITMQ_URL"));

  proxy_->Restore();
  EXPECT_TRUE(doorbell->WaitUntilHealthy(RabbitMqPatience()));
  EXPECT_TRUE(Eventually([&] { return doorbell->ReadStatus().confirmed == 1; }));
  EXPECT_EQ(doorbell->ReadStatus().last_error, "");
  EXPECT_TRUE(doorbell->Probe().ok());
}

TEST_F(RabbitMqFaultsTest, RingsThatFindNoRoomToWaitInAreDropped) {
  proxy_->Refuse();
  RabbitMqDoorbell::Options options = place_->DoorbellOptions(proxy_->port());
  options.waiting_max = 10;
  const auto doorbell = place_->OpenDoorbell(options);
  for (int i = 0; i < 100; ++i) {
    doorbell->Ring(Job());
  }
  EXPECT_EQ(doorbell->ReadStatus().waiting, 10U);
  EXPECT_EQ(doorbell->ReadStatus().dropped, 90U);
  proxy_->Restore();
  EXPECT_TRUE(Eventually([&] { return doorbell->ReadStatus().confirmed == 10; }));
}

TEST_F(RabbitMqFaultsTest, AFrozenBrokerIsNoticedByItsMissingConfirms) {
  const auto doorbell = OpenImpatientRinger();
  ASSERT_TRUE(doorbell->WaitUntilHealthy(RabbitMqPatience()));
  proxy_->Stall();
  doorbell->Ring(Job());
  EXPECT_TRUE(Eventually([&] { return !doorbell->Healthy(); }));
  EXPECT_EQ(doorbell->ReadStatus().unknown, 1U);
  EXPECT_THAT(place_->Log(), HasSubstr("no confirm within 500 ms"));
  proxy_->Resume();
  EXPECT_TRUE(doorbell->WaitUntilHealthy(RabbitMqPatience()));
}

TEST_F(RabbitMqFaultsTest, ABrokerThatStopsReadingHoldsUpNobody) {
  const auto doorbell = OpenImpatientRinger();
  ASSERT_TRUE(doorbell->WaitUntilHealthy(RabbitMqPatience()));
  proxy_->Stall();
  // More than all the buffers on the way will hold, and than may wait in memory.
  for (int i = 0; i < 1'000; ++i) {
    doorbell->RingWithTurn(Job(), LongTurn());
  }
  EXPECT_TRUE(Eventually([&] { return !doorbell->Healthy(); }));
  EXPECT_GT(doorbell->ReadStatus().dropped, 0U);
  EXPECT_TRUE(doorbell->Wait({}, RabbitMqPatience()));
  proxy_->Resume();
  EXPECT_TRUE(doorbell->WaitUntilHealthy(RabbitMqPatience()));
  EXPECT_TRUE(Eventually([&] { return doorbell->ReadStatus().waiting == 0; }));
}

TEST_F(RabbitMqFaultsTest, ADoorbellEndsThoughItsBrokerIsFrozen) {
  auto doorbell = OpenThroughProxy();
  ASSERT_TRUE(doorbell->WaitUntilHealthy(RabbitMqPatience()));
  proxy_->Stall();
  for (int i = 0; i < 1'000; ++i) {
    doorbell->RingWithTurn(Job(), LongTurn());
  }
  doorbell.reset();
}

TEST_F(RabbitMqFaultsTest, ConnectionsThatAreCutAreMadeAnew) {
  const auto doorbell = OpenThroughProxy();
  for (std::uint64_t round = 1; round <= 3; ++round) {
    ASSERT_TRUE(doorbell->WaitUntilHealthy(RabbitMqPatience()));
    proxy_->Cut();
    ASSERT_TRUE(Eventually([&] { return doorbell->ReadStatus().reconnects >= 2 * round; }));
  }
  ASSERT_TRUE(doorbell->WaitUntilHealthy(RabbitMqPatience()));
  const auto api = place_->OpenHealthyRinger();
  api->Ring(Job());
  EXPECT_TRUE(doorbell->Wait({}, RabbitMqPatience()));
}

TEST_F(RabbitMqFaultsTest, ARestartOfTheBrokerUnderLoadIsSurvived) {
  const auto doorbell = OpenThroughProxy(/*consume=*/false);
  ASSERT_TRUE(doorbell->WaitUntilHealthy(RabbitMqPatience()));
  for (int i = 0; i < 2'000; ++i) {
    doorbell->Ring(Job("a" + std::to_string(i)));
  }
  proxy_->Refuse();
  for (int i = 0; i < 2'000; ++i) {
    doorbell->Ring(Job("b" + std::to_string(i)));
  }
  proxy_->Restore();
  const auto settled = [&] {
    const RabbitMqStatus status = doorbell->ReadStatus();
    return status.waiting == 0 && status.confirmed + status.unknown == status.published &&
           doorbell->Healthy();
  };
  EXPECT_TRUE(Eventually(settled));
  const RabbitMqStatus status = doorbell->ReadStatus();
  // One window at most was under way, and a probe or two came on top.
  EXPECT_GE(status.confirmed + 256, 4'000U);
  EXPECT_LE(status.unknown, 260U);
}

TEST_F(RabbitMqFaultsTest, WrongCredentialsAreNamedWithTheServerAndWithoutThePassword) {
  RabbitMqDoorbell::Options options = place_->DoorbellOptions();
  const std::string server = place_->url().host + ":" + std::to_string(place_->url().port);
  options.url = "amqp://nobody:s3cr%40t@" + server + "/";
  const auto doorbell = place_->OpenDoorbell(options);
  const Status probed = doorbell->Probe();
  ASSERT_FALSE(probed.ok());
  EXPECT_EQ(probed.error().code, ErrorCode::kFailedPrecondition);
  EXPECT_THAT(probed.error().message, HasSubstr("RabbitMQ at " + server));
  EXPECT_THAT(probed.error().message, HasSubstr("correct the user 'nobody' and the password"));
  EXPECT_TRUE(Eventually([&] { return !doorbell->ReadStatus().last_error.empty(); }));
  EXPECT_FALSE(doorbell->Healthy());
  EXPECT_THAT(probed.error().message + place_->Log() + doorbell->ReadStatus().last_error,
              Not(HasSubstr("s3cr")));
}

TEST_F(RabbitMqFaultsTest, AVhostThatIsNotThereIsNamed) {
  RabbitMqDoorbell::Options options = place_->DoorbellOptions();
  options.url = options.url.substr(0, options.url.rfind('/')) + "/no%2Fsuch%20place";
  const Status probed = place_->OpenDoorbell(options)->Probe();
  ASSERT_FALSE(probed.ok());
  EXPECT_EQ(probed.error().code, ErrorCode::kFailedPrecondition);
  EXPECT_THAT(probed.error().message, HasSubstr("no/such place"));
  EXPECT_THAT(probed.error().message, HasSubstr("create the vhost"));
}

TEST_F(RabbitMqFaultsTest, AHostThatIsNotKnownIsNamed) {
  RabbitMqDoorbell::Options options = place_->DoorbellOptions();
  options.url = "amqp://nowhere.invalid";
  const Status probed = place_->OpenDoorbell(options)->Probe();
  ASSERT_FALSE(probed.ok());
  EXPECT_EQ(probed.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(probed.error().message, HasSubstr("RabbitMQ at nowhere.invalid:5672"));
  EXPECT_THAT(probed.error().message, HasSubstr("the host name is not known"));
}

TEST_F(RabbitMqFaultsTest, AServerThatSpeaksNoTlsIsNoSecretKeeper) {
  RabbitMqDoorbell::Options options = place_->DoorbellOptions();
  options.url =
      "amqps://guest:guest@" + place_->url().host + ":" + std::to_string(place_->url().port) + "/";
  options.connect_budget = Millis{1'000};
  const Status probed = place_->OpenDoorbell(options)->Probe();
  ASSERT_FALSE(probed.ok());
  EXPECT_THAT(probed.error().message, HasSubstr("RabbitMQ at " + place_->url().host));
}

}  // namespace
}  // namespace umbranet
