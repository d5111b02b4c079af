// Goal: the client keeps its deadlines in every step, reuses connections that live, replaces those
// that died, and lets go of one at once when it is stopped.
// Method: a server on loopback that plays scripts. Hangs are ended by short deadlines or by a stop
// that the test requests once the server reports where it is; nothing is timed.
#include "umbranet/net/http_client.h"

#include <array>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/doubles/scripted_http_server.h"

namespace umbranet {
namespace {

using ::testing::HasSubstr;

class HttpClientTest : public ::testing::Test {
 protected:
  std::unique_ptr<HttpClient> MakeClient() {
    options_.base = *ParseUrl(server_.BaseUrl());
    return HttpClient::Open(options_, clock_).value();
  }

  Result<ClientResponse> Get(HttpClient& client, Millis budget = Millis{20'000}) {
    return client.Send({.target = "/x"}, stop_.get_token(), Deadline::After(clock_, budget));
  }

  SystemClock clock_;
  ScriptedHttpServer server_;
  HttpClient::Options options_;
  std::stop_source stop_;
};

TEST_F(HttpClientTest, SendsARequestAsItIsAndReadsTheAnswer) {
  server_.Enqueue({SendBytes{HttpResponseText(201, "made", "text/plain")}});
  const auto client = MakeClient();
  const ClientRequest request{.method = "POST",
                              .target = "/things?a=1",
                              .headers = {{"Authorization", "Bearer k"}},
                              .body = "{\"n\":1}"};
  const auto response = client->Send(request, {}, Deadline::After(clock_, Millis{20'000}));
  ASSERT_TRUE(response.ok()) << response.error().message;
  EXPECT_EQ(response->head.status, 201);
  EXPECT_EQ(response->body, "made");
  const ReceivedRequest received = server_.Requests().at(0);
  EXPECT_EQ(received.method, "POST");
  EXPECT_EQ(received.target, "/v1/things?a=1");
  EXPECT_EQ(received.body, "{\"n\":1}");
  EXPECT_EQ(received.headers.at("authorization"), "Bearer k");
  EXPECT_EQ(received.headers.at("host"), "127.0.0.1:" + std::to_string(server_.port()));
}

TEST_F(HttpClientTest, RefusesAHeaderThatWouldBecomeTwo) {
  const auto client = MakeClient();
  const auto response = client->Send({.headers = {{"X-A", "1\r\nX-B: 2"}}}, {}, Deadline::Never());
  EXPECT_EQ(response.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(server_.ConnectionsAccepted(), 0U);
}

TEST_F(HttpClientTest, ReadsAnAnswerThatComesByteByByte) {
  server_.Enqueue({SendBytes{HttpResponseText(200, "slowly"), 1}});
  const auto client = MakeClient();
  EXPECT_EQ(Get(*client)->body, "slowly");
}

TEST_F(HttpClientTest, KeepsAConnectionForTheNextRequest) {
  const auto client = MakeClient();
  for (int i = 0; i < 5; ++i) {
    server_.Enqueue({SendBytes{HttpResponseText(200, "ok")}});
    ASSERT_EQ(Get(*client)->body, "ok");
  }
  EXPECT_EQ(server_.ConnectionsAccepted(), 1U);
  EXPECT_EQ(client->OpenConnections(), 1U);
}

TEST_F(HttpClientTest, ReplacesAKeptConnectionThatTheServerClosedMeanwhile) {
  server_.Enqueue({SendBytes{HttpResponseText(200, "one")}, HangUp{}});
  server_.Enqueue({SendBytes{HttpResponseText(200, "two")}});
  const auto client = MakeClient();
  EXPECT_EQ(Get(*client)->body, "one");
  EXPECT_EQ(Get(*client)->body, "two");
  EXPECT_EQ(server_.ConnectionsAccepted(), 2U);
}

TEST_F(HttpClientTest, RepeatsOnAFreshConnectionOnceWhenAKeptOneDiesUnderTheRequest) {
  server_.Enqueue({SendBytes{HttpResponseText(200, "one")}});
  server_.Enqueue({HangUp{true}});
  server_.Enqueue({SendBytes{HttpResponseText(200, "two")}});
  const auto client = MakeClient();
  EXPECT_EQ(Get(*client)->body, "one");
  EXPECT_EQ(Get(*client)->body, "two");
  EXPECT_EQ(server_.Requests().size(), 3U);
}

TEST_F(HttpClientTest, DoesNotRepeatARequestThatAFreshConnectionLost) {
  server_.Enqueue({HangUp{}});
  const auto client = MakeClient();
  EXPECT_EQ(Get(*client).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(server_.Requests().size(), 1U);
  EXPECT_EQ(client->OpenConnections(), 0U);
}

TEST_F(HttpClientTest, ClosesIdleConnectionsThatAreOld) {
  options_.keep_idle_for = Millis{0};
  const auto client = MakeClient();
  for (int i = 0; i < 2; ++i) {
    server_.Enqueue({SendBytes{HttpResponseText(200, "ok")}});
    ASSERT_TRUE(Get(*client).ok());
  }
  EXPECT_EQ(server_.ConnectionsAccepted(), 2U);
  EXPECT_EQ(client->OpenConnections(), 1U);
}

TEST_F(HttpClientTest, OpensNoMoreConnectionsThanAllowed) {
  options_.connections_max = 1;
  const auto client = MakeClient();
  server_.Enqueue({SendBytes{HttpResponseText(200, "held")}});
  server_.Enqueue({SendBytes{HttpResponseText(200, "next")}});
  {
    const auto held = client->Start({}, {}, Deadline::After(clock_, Millis{20'000}));
    ASSERT_TRUE(held.ok());
    EXPECT_EQ(Get(*client, Millis{20}).error().code, ErrorCode::kResourceExhausted);
  }
  EXPECT_TRUE(Get(*client).ok());
}

TEST_F(HttpClientTest, NamesTheStepThatTookTooLong) {
  const HttpClient::Options patient = options_;
  options_.first_byte_timeout = Millis{30};
  const auto hasty = MakeClient();
  server_.Enqueue({AwaitHangUp{}});
  auto silent = Get(*hasty);
  EXPECT_EQ(silent.error().code, ErrorCode::kDeadlineExceeded);
  EXPECT_THAT(silent.error().message, HasSubstr("did not begin to answer"));
  server_.Enqueue({SendBytes{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"}, AwaitHangUp{}});
  options_ = patient;
  options_.idle_timeout = Millis{30};
  const auto client = MakeClient();
  auto halted = Get(*client);
  EXPECT_EQ(halted.error().code, ErrorCode::kDeadlineExceeded);
  EXPECT_THAT(halted.error().message, HasSubstr("stopped half way"));
  server_.AwaitHangUps(2);
}

TEST_F(HttpClientTest, KeepsTheCallersDeadlineWhenItIsSooner) {
  const auto client = MakeClient();
  server_.Enqueue({AwaitHangUp{}});
  EXPECT_EQ(Get(*client, Millis{30}).error().code, ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(Get(*client, Millis{0}).error().code, ErrorCode::kDeadlineExceeded);
}

TEST_F(HttpClientTest, HangsUpAtOnceWhenStopped) {
  const auto client = MakeClient();
  server_.Enqueue({AwaitHangUp{}});
  std::jthread stopper([this] {
    server_.AwaitRequests(1);
    stop_.request_stop();
  });
  EXPECT_EQ(Get(*client).error().code, ErrorCode::kCancelled);
  server_.AwaitHangUps(1);
  EXPECT_EQ(client->OpenConnections(), 0U);
  EXPECT_EQ(Get(*client).error().code, ErrorCode::kCancelled);
}

TEST_F(HttpClientTest, HangsUpWhenAnExchangeIsLeftBeforeItsEnd) {
  const auto client = MakeClient();
  server_.Enqueue({SendBytes{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"}, AwaitHangUp{}});
  {
    auto exchange = client->Start({}, {}, Deadline::After(clock_, Millis{20'000}));
    ASSERT_TRUE(exchange.ok());
    EXPECT_EQ(*exchange->Read(Deadline::After(clock_, Millis{20'000})), "half");
  }
  server_.AwaitHangUps(1);
  EXPECT_EQ(client->OpenConnections(), 0U);
}

TEST_F(HttpClientTest, KeepsAFinishedConnectionOnlyIfItsEndHasComeByThen) {
  const auto client = MakeClient();
  for (const bool ended : {true, false}) {
    server_.Enqueue({SendBytes{EventStreamText({"x"}, false)}, AwaitGate{1},
                     ended ? ScriptStep(SendBytes{"0\r\n\r\n"}) : ScriptStep(AwaitHangUp{})});
    {
      auto exchange = client->Start({}, {}, Deadline::After(clock_, Millis{20'000}));
      ASSERT_TRUE(exchange.ok());
      EXPECT_EQ(*exchange->Read(Deadline::After(clock_, Millis{20'000})), "data: x\n\n");
      exchange->Finish();
    }
    EXPECT_EQ(client->OpenConnections(), 1U);
    server_.Open(1);
    if (!ended) {
      server_.Enqueue({SendBytes{HttpResponseText(200, "after")}});
      EXPECT_EQ(Get(*client)->body, "after");
      server_.AwaitHangUps(1);
    }
  }
}

TEST_F(HttpClientTest, ReadsTheRefusalOfAServerThatDidNotWaitForTheBody) {
  const auto client = MakeClient();
  // The server answers from the header's length alone and closes with the body unread.
  server_.Enqueue({SendBytes{HttpResponseText(413, "too large", "text/plain")}, HangUp{}});
  const auto response =
      client->Send({.method = "POST", .body = "{}"}, {}, Deadline::After(clock_, Millis{20'000}));
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(response->head.status, 413);
}

TEST_F(HttpClientTest, ServesManyThreadsAtOnce) {
  constexpr int kThreads = 64;
  const auto client = MakeClient();
  for (int i = 0; i < kThreads; ++i) {
    server_.Enqueue({AwaitGate{1}, SendBytes{HttpResponseText(200, "ok")}});
  }
  std::vector<std::jthread> threads;
  std::array<bool, kThreads> answered{};
  for (std::size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] { answered[i] = Get(*client).ok(); });
  }
  server_.AwaitRequests(kThreads);
  EXPECT_EQ(client->OpenConnections(), static_cast<std::size_t>(kThreads));
  server_.Open(1);
  threads.clear();
  EXPECT_THAT(answered, ::testing::Each(true));
}

TEST(HttpClient, SaysThatNobodyListens) {
  // A port that was free a moment ago and is bound, but not listened on.
  const int holder = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(holder, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::getsockname(holder, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const SystemClock clock;
  HttpClient::Options options;
  options.base = {false, "127.0.0.1", ntohs(address.sin_port), ""};
  const auto client = HttpClient::Open(options, clock).value();
  const auto response = client->Send({}, {}, Deadline::After(clock, Millis{20'000}));
  EXPECT_EQ(response.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(response.error().message, HasSubstr("connect: "));
  EXPECT_EQ(client->OpenConnections(), 0U);
  ::close(holder);
}

TEST(HttpClient, ResolvesANameOnceForAllWhoAsk) {
  const SystemClock clock;
  ScriptedHttpServer server;
  HttpClient::Options options;
  options.base = {false, "localhost", server.port(), ""};
  const auto client = HttpClient::Open(options, clock).value();
  for (int i = 0; i < 2; ++i) {
    server.Enqueue({SendBytes{HttpResponseText(200, "ok")}});
    const auto response = client->Send({}, {}, Deadline::After(clock, Millis{20'000}));
    ASSERT_TRUE(response.ok()) << response.error().message;
  }
}

TEST(HttpClient, SaysThatANameIsUnknown) {
  const SystemClock clock;
  HttpClient::Options options;
  options.base = {false, "no-such-host.invalid", 80, ""};
  const auto client = HttpClient::Open(options, clock).value();
  const auto response = client->Send({}, {}, Deadline::After(clock, Millis{20'000}));
  EXPECT_EQ(response.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(response.error().message, HasSubstr("cannot be resolved"));
}

TEST(HttpClient, RefusesAFileOfAuthoritiesThatIsNotThere) {
  const SystemClock clock;
  HttpClient::Options options;
  options.base = {true, "localhost", 443, ""};
  options.ca_file = "/nonexistent/authorities.pem";
  EXPECT_EQ(HttpClient::Open(options, clock).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace umbranet
