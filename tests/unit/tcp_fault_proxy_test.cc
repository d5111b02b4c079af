// Goal: the proxy that the tests of real servers rely on does to a connection what it says. Method:
// a client and a scripted server on either side of it.
#include "tests/doubles/tcp_fault_proxy.h"

#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/doubles/raw_http_client.h"
#include "tests/doubles/scripted_http_server.h"

namespace umbranet {
namespace {

class TcpFaultProxyTest : public testing::Test {
 protected:
  TcpFaultProxyTest() {
    server_.AnswerWith([](const ReceivedRequest& request) {
      return Script{SendBytes{HttpResponseText(200, "echo " + request.body)}};
    });
  }

  ScriptedHttpServer server_;
  TcpFaultProxy proxy_{"127.0.0.1", server_.port()};
};

TEST_F(TcpFaultProxyTest, CarriesBytesBothWays) {
  RawHttpClient client(proxy_.port());
  EXPECT_EQ(client.Ask(HttpPost("/", "one")).body, "echo one");
  const std::string large(300'000, 'x');
  EXPECT_EQ(client.Ask(HttpPost("/", large)).body, "echo " + large);
  EXPECT_GT(proxy_.BytesFromClients(), 300'000U);
  EXPECT_EQ(proxy_.ConnectionsAccepted(), 1U);
}

TEST_F(TcpFaultProxyTest, HoldsEverythingWhileItIsStalled) {
  RawHttpClient client(proxy_.port());
  ASSERT_EQ(client.Ask(HttpPost("/", "one")).status, 200);
  proxy_.Stall();
  client.Send(HttpPost("/", "two"));
  RawHttpClient newcomer(proxy_.port());
  newcomer.Send(HttpPost("/", "three"));
  ASSERT_TRUE(proxy_.AwaitConnections(2));
  EXPECT_EQ(server_.Requests().size(), 1U);
  proxy_.Resume();
  EXPECT_EQ(client.Read().body, "echo two");
  EXPECT_EQ(newcomer.Read().body, "echo three");
}

TEST_F(TcpFaultProxyTest, CutsWhatIsConnectedAndServesWhatComesAfter) {
  RawHttpClient client(proxy_.port());
  ASSERT_EQ(client.Ask(HttpPost("/", "one")).status, 200);
  proxy_.Cut();
  EXPECT_EQ(client.Ask(HttpPost("/", "two")).status, 0);
  EXPECT_EQ(RawHttpClient(proxy_.port()).Ask(HttpPost("/", "three")).body, "echo three");
}

TEST_F(TcpFaultProxyTest, LosesAnAnswerAfterTheServerHasGivenIt) {
  RawHttpClient client(proxy_.port());
  proxy_.LoseNextAnswer();
  EXPECT_EQ(client.Ask(HttpPost("/", "one")).status, 0);
  EXPECT_EQ(server_.Requests().size(), 1U);
  EXPECT_EQ(RawHttpClient(proxy_.port()).Ask(HttpPost("/", "two")).body, "echo two");
}

TEST_F(TcpFaultProxyTest, IsAwayUntilItIsRestoredOnTheSamePort) {
  const std::uint16_t port = proxy_.port();
  proxy_.Refuse();
  {
    // Nobody listens there, so that another may.
    const TcpFaultProxy other("127.0.0.1", server_.port());
    EXPECT_EQ(other.ConnectionsAccepted(), 0U);
  }
  proxy_.Restore();
  EXPECT_EQ(proxy_.port(), port);
  EXPECT_EQ(RawHttpClient(proxy_.port()).Ask(HttpPost("/", "one")).body, "echo one");
}

TEST_F(TcpFaultProxyTest, DelaysEachWay) {
  RawHttpClient client(proxy_.port());
  proxy_.Delay(Millis{30});
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(client.Ask(HttpPost("/", "one")).body, "echo one");
  EXPECT_GE(std::chrono::steady_clock::now() - start, Millis{60});
}

TEST_F(TcpFaultProxyTest, ClosesTheClientWhenTheServerIsAway) {
  std::uint16_t nobody = 0;
  {
    const ScriptedHttpServer gone;
    nobody = gone.port();
  }
  const TcpFaultProxy proxy("127.0.0.1", nobody);
  EXPECT_EQ(RawHttpClient(proxy.port()).Ask(HttpPost("/", "one")).status, 0);
}

}  // namespace
}  // namespace umbranet
