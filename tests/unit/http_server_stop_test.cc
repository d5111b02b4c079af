// Goal: the server loses no answer when it stops, and says why it does not begin.
// Method: that of http_server_test.cc.
#include <atomic>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "umbranet/http/problem.h"

#include "tests/unit/http_server_fixture.h"

namespace umbranet {
namespace {

TEST_F(HttpServerTest, FinishesWhatIsInFlightWhenItStops) {
  StartServer();
  RawHttpClient busy(Port());
  busy.Send(HttpGet("/blocked"));
  RawHttpClient idle(Port());
  EXPECT_EQ(idle.Ask(HttpGet("/inline")).status, 200);
  AwaitArrivals(1);
  const Deadline deadline = Deadline::After(clock_, Millis{10'000});
  std::future<bool> stopped =
      std::async(std::launch::async, [&] { return server_->Stop(deadline); });
  EXPECT_TRUE(idle.AtEnd());
  EXPECT_THROW(RawHttpClient{Port()}, std::runtime_error);
  Release();
  const RawResponse response = busy.Read();
  EXPECT_EQ(response.body, "released");
  EXPECT_EQ(response.headers.at("connection"), "close");
  EXPECT_TRUE(stopped.get());
  EXPECT_EQ(server_->Connections(), 0U);
}

TEST_F(HttpServerTest, AnswersWhoWasLetInBeforeTheStopThoughTheRequestComesAfterIt) {
  StartServer();
  std::vector<std::unique_ptr<RawHttpClient>> clients;
  for (int i = 0; i < 50; ++i) {
    clients.push_back(std::make_unique<RawHttpClient>(Port()));
  }
  const Deadline deadline = Deadline::After(clock_, Millis{10'000});
  std::future<bool> stopped =
      std::async(std::launch::async, [&] { return server_->Stop(deadline); });
  const auto refused = [this] {
    try {
      const RawHttpClient late(Port());
      return false;
    } catch (const std::runtime_error&) {
      return true;
    }
  };
  while (!refused()) {
    std::this_thread::yield();
  }
  for (const auto& client : clients) {
    const RawResponse response = client->Ask(HttpPost("/echo", "in time"));
    EXPECT_EQ(response.body, "in time");
    EXPECT_EQ(response.headers.at("connection"), "close");
  }
  EXPECT_TRUE(stopped.get());
}

TEST_F(HttpServerTest, AsksHandlersToGiveUpWhenTheDeadlineOfTheStopHasPassed) {
  StartServer();
  RawHttpClient client(Port());
  client.Send(HttpGet("/until-abandoned"));
  AwaitArrivals(1);
  const Deadline deadline = Deadline::After(clock_, Millis{10'000});
  std::future<bool> stopped =
      std::async(std::launch::async, [&] { return server_->Stop(deadline); });
  clock_.Advance(Millis{10'001});
  EXPECT_EQ(client.Read().body, "gave up");
  EXPECT_FALSE(stopped.get());
  EXPECT_FALSE(server_->Stop(Deadline::Never()));
}

TEST_F(HttpServerTest, StopsWithoutHavingStarted) {
  auto opened = HttpServer::Open(options_, clock_, Router());
  ASSERT_TRUE(opened.ok());
  EXPECT_TRUE((*opened)->Stop(Deadline::Never()));
}

TEST_F(HttpServerTest, SaysWhyItCannotListen) {
  StartServer();
  options_.port = Port();
  const auto taken = HttpServer::Open(options_, clock_, Router());
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(taken.error().message.find(std::to_string(Port())), std::string::npos);
  options_.host = "not an address";
  const auto nowhere = HttpServer::Open(options_, clock_, Router());
  ASSERT_FALSE(nowhere.ok());
  EXPECT_EQ(nowhere.error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace umbranet
