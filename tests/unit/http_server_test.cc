// Goal: the server reads what HTTP/1.1 allows, refuses what it does not, and keeps every bound.
// Method: a real server on a free port of the loopback with handlers made here, a client that sends
// any bytes, and a clock turned by hand, so that timeouts need no waiting.
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

TEST_F(HttpServerTest, AnswersSeveralRequestsOnOneConnection) {
  StartServer();
  RawHttpClient client(Port());
  for (const std::string body : {"one", "two", ""}) {
    const RawResponse response = client.Ask(HttpPost("/echo", body));
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, body);
    EXPECT_EQ(response.headers.at("content-type"), "text/plain");
    EXPECT_EQ(response.headers.at("date"), "Fri, 03 May 2024 10:00:00 GMT");
    EXPECT_FALSE(response.headers.contains("connection"));
  }
}

TEST_F(HttpServerTest, AnswersPipelinedRequestsInTheirOrder) {
  StartServer();
  RawHttpClient client(Port());
  client.Send(HttpGet("/blocked") + HttpPost("/echo", "second") + HttpGet("/query?third=1"));
  AwaitArrivals(1);
  Release();
  EXPECT_EQ(client.Read().body, "released");
  EXPECT_EQ(client.Read().body, "second");
  EXPECT_EQ(client.Read().body, "third=1");
}

TEST_F(HttpServerTest, TakesMorePipelinedRequestsThanItReadsAhead) {
  StartServer();
  RawHttpClient client(Port());
  const std::string body(30'000, 'b');
  std::string all;
  for (int i = 0; i < 20; ++i) {
    all += HttpPost("/echo", body);
  }
  std::jthread sender([&] { client.Send(all); });
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(client.Read().body.size(), body.size());
  }
}

TEST_F(HttpServerTest, ReadsARequestThatArrivesByteByByte) {
  StartServer();
  RawHttpClient client(Port());
  for (const char byte : HttpPost("/echo", "drip")) {
    ASSERT_TRUE(client.Send(std::string_view(&byte, 1)));
  }
  EXPECT_EQ(client.Read().body, "drip");
}

TEST_F(HttpServerTest, ReadsChunkedBodies) {
  StartServer();
  RawHttpClient client(Port());
  const std::string head =
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(client.Ask(head + "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nTrailer: t\r\n\r\n").body,
            "hello world");
  EXPECT_EQ(client.Ask(HttpPost("/echo", "next")).body, "next");
}

TEST_F(HttpServerTest, RefusesABodyOverTheLimitWhileTheClientIsStillSendingIt) {
  StartServer();
  const std::string big(10'000'000, 'x');
  RawHttpClient client(Port());
  client.Send(HttpPost("/echo", big));
  const RawResponse response = client.Read();
  EXPECT_EQ(response.status, 413);
  EXPECT_EQ(response.headers.at("content-type"), "application/problem+json");
  EXPECT_NE(response.body.find("\"code\":\"body_too_large\""), std::string::npos);
  EXPECT_NE(response.body.find("1 MiB"), std::string::npos);
  client.FinishSending();
  EXPECT_TRUE(client.AtEnd());
}

TEST_F(HttpServerTest, RefusesAChunkedBodyOverTheLimit) {
  StartServer();
  RawHttpClient client(Port());
  client.Send("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
  const std::string chunk = "40000\r\n" + std::string(0x40000, 'x') + "\r\n";
  for (int i = 0; i < 5; ++i) {
    client.Send(chunk);
  }
  EXPECT_EQ(client.Read().status, 413);
}

TEST_F(HttpServerTest, RefusesRequestsThatTwoReadersCouldMeasureDifferently) {
  StartServer();
  const std::string start = "POST /echo HTTP/1.1\r\nHost: h\r\n";
  const std::vector<std::string> requests = {
      start + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      start + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
      start + "Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd",
      start + "Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd",
      start + "Content-Length: 4, 4\r\n\r\nabcd",
      start + "Content-Length: +4\r\n\r\nabcd",
      start + "Content-Length: -4\r\n\r\nabcd",
      start + "Content-Length: 0x4\r\n\r\nabcd",
      start + "Content-Length: 99999999999999999999\r\n\r\nabcd",
      start + "Content-Length:\r\n\r\nabcd",
      start + "Content-Length : 4\r\n\r\nabcd",
      start + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
      start + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
      start + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
      start + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      start + "Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
      start + "Transfer-Encoding: chunked\r\n\r\n-1\r\nabc\r\n0\r\n\r\n",
      "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "POST /echo HTTP/1.1\nHost: h\nContent-Length: 4\n\nabcd",
      start + "\x01X: y\r\nContent-Length: 4\r\n\r\nabcd",
      start + "X: a\rContent-Length: 9\r\nContent-Length: 4\r\n\r\nabcd",
  };
  for (const std::string& request : requests) {
    RawHttpClient client(Port());
    client.Send(request);
    client.FinishSending();
    RawResponse response = client.Read();
    EXPECT_TRUE(response.status == 400 || response.status == 501 || response.status == 505)
        << response.status << " for " << request;
    EXPECT_EQ(response.headers["connection"], "close") << request;
    EXPECT_TRUE(client.AtEnd()) << request;
  }
}

TEST_F(HttpServerTest, RefusesRequestLinesThatAreNone) {
  StartServer();
  const std::vector<std::pair<std::string, int>> requests = {
      {"nonsense\r\n\r\n", 400},
      {"GET\r\n\r\n", 400},
      {"GET  /query HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"GET /query\r\n\r\n", 400},
      {"GET /query HTTP/2.0\r\nHost: h\r\n\r\n", 505},
      {"GET /query HTTP/1.1\r\n\r\n", 400},
      {"GET /query HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"GET query HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"GET /qu\x01"
       "ery HTTP/1.1\r\nHost: h\r\n\r\n",
       400},
      {std::string("GET /qu\0ery HTTP/1.1\r\nHost: h\r\n\r\n", 33), 400},
      {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400},
  };
  for (const auto& [request, status] : requests) {
    RawHttpClient client(Port());
    client.Send(request);
    client.FinishSending();
    RawResponse response = client.Read();
    EXPECT_EQ(response.status, status) << request;
    EXPECT_EQ(response.headers["content-type"], "application/problem+json") << request;
  }
}

TEST_F(HttpServerTest, RefusesAHeaderOverItsLimit) {
  StartServer();
  RawHttpClient client(Port());
  client.Send(HttpGet("/query", "X: " + std::string(40'000, 'x') + "\r\n"));
  EXPECT_EQ(client.Read().status, 431);
}

TEST_F(HttpServerTest, SkipsEmptyLinesBeforeARequest) {
  StartServer();
  EXPECT_EQ(Ask("\r\n\r\n" + HttpPost("/echo", "x")).body, "x");
}

TEST_F(HttpServerTest, SaysContinueToAClientThatAsks) {
  StartServer();
  RawHttpClient client(Port());
  client.Send(
      "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.Read().status, 100);
  EXPECT_EQ(client.Ask("ok").body, "ok");
  EXPECT_EQ(Ask(HttpPost("/echo", "x", "Expect: miracles\r\n")).status, 417);
}

TEST_F(HttpServerTest, DoesNotAskForABodyThatIsTooLarge) {
  StartServer();
  EXPECT_EQ(Ask("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2000000\r\n"
                "Expect: 100-continue\r\n\r\n")
                .status,
            413);
}

TEST_F(HttpServerTest, KnowsHeadOptionsAndWhichMethodsAPathHas) {
  StartServer();
  RawHttpClient client(Port());
  client.Send("HEAD /query?abc HTTP/1.1\r\nHost: h\r\n\r\n");
  const RawResponse head = client.Read(true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.at("content-length"), "3");
  client.Send("HEAD /stream HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(client.Read(true).status, 200);
  const RawResponse options = client.Ask("OPTIONS /echo HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(options.headers.at("allow"), "POST, OPTIONS");
  EXPECT_EQ(client.Ask("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n").status, 204);
  const RawResponse wrong = client.Ask(HttpGet("/echo"));
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.headers.at("allow"), "POST, OPTIONS");
  EXPECT_EQ(client.Ask(HttpGet("/nowhere")).status, 404);
  EXPECT_EQ(client.Ask("BREW /echo HTTP/1.1\r\nHost: h\r\n\r\n").status, 405);
  EXPECT_EQ(client.Ask(HttpPost("/echo", "still here")).body, "still here");
}

TEST_F(HttpServerTest, UnderstandsAbsoluteTargets) {
  StartServer();
  EXPECT_EQ(Ask("GET http://example.org:80/query?a=b HTTP/1.1\r\nHost: example.org\r\n\r\n").body,
            "a=b");
  EXPECT_EQ(Ask("GET http://example.org HTTP/1.1\r\nHost: example.org\r\n\r\n").status, 404);
}

TEST_F(HttpServerTest, ClosesAfterAnswersToHttp10AndToConnectionClose) {
  StartServer();
  RawHttpClient old(Port());
  EXPECT_EQ(old.Ask("GET /query?a HTTP/1.0\r\n\r\n").body, "a");
  EXPECT_TRUE(old.AtEnd());
  RawHttpClient client(Port());
  const RawResponse response = client.Ask(HttpGet("/query?b", "Connection: close\r\n"));
  EXPECT_EQ(response.headers.at("connection"), "close");
  EXPECT_TRUE(client.AtEnd());
}

TEST_F(HttpServerTest, AnswersAClientThatHasFinishedSending) {
  StartServer();
  RawHttpClient client(Port());
  client.Send(HttpPost("/echo", "a") + HttpPost("/echo", "b"));
  client.FinishSending();
  EXPECT_EQ(client.Read().body, "a");
  EXPECT_EQ(client.Read().body, "b");
  EXPECT_TRUE(client.AtEnd());
}

TEST_F(HttpServerTest, GivesUpOnAHeaderThatDoesNotEnd) {
  StartServer();
  RawHttpClient client(Port());
  client.Send(HttpGet("/query?x") + "GET /query HTTP/1.1\r\nHo");
  EXPECT_EQ(client.Read().status, 200);
  const std::jthread time = PassTime(options_.header_timeout + options_.linger);
  EXPECT_EQ(client.Read().status, 408);
  EXPECT_TRUE(client.AtEnd());
}

TEST_F(HttpServerTest, GivesUpOnABodyThatDoesNotEnd) {
  StartServer();
  RawHttpClient client(Port());
  client.Send(
      "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.Read().status, 100);
  const std::jthread time = PassTime(options_.body_timeout + Millis{1});
  EXPECT_EQ(client.Read().status, 408);
}

TEST_F(HttpServerTest, ClosesIdleConnectionsWithoutAWord) {
  StartServer();
  RawHttpClient client(Port());
  EXPECT_EQ(client.Ask(HttpGet("/query?x")).status, 200);
  const std::jthread time = PassTime(options_.idle_timeout + Millis{1});
  EXPECT_TRUE(client.AtEnd());
}

TEST_F(HttpServerTest, RefusesConnectionsOverItsLimitAndTakesNewOnesOnceThereIsRoom) {
  options_.connections_max = 2;
  StartServer();
  auto first = std::make_unique<RawHttpClient>(Port());
  RawHttpClient second(Port());
  EXPECT_EQ(first->Ask(HttpGet("/inline")).status, 200);
  EXPECT_EQ(second.Ask(HttpGet("/inline")).status, 200);
  const RawResponse refused = Ask(HttpGet("/inline"));
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.headers.at("retry-after"), "1");
  EXPECT_NE(refused.body.find("overloaded"), std::string::npos);
  first.reset();
  // The refused connection and the first one are taken back when the server notices that they are
  // closed.
  while (server_->Connections() > 1) {
    std::this_thread::yield();
  }
  EXPECT_EQ(Ask(HttpGet("/inline")).status, 200);
}

TEST_F(HttpServerTest, RefusesRequestsOverItsLimitButNotProbes) {
  options_.in_flight_max = 1;
  StartServer();
  RawHttpClient busy(Port());
  busy.Send(HttpGet("/blocked"));
  AwaitArrivals(1);
  RawHttpClient client(Port());
  const RawResponse refused = client.Ask(HttpPost("/echo", "x"));
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.headers.at("retry-after"), "1");
  EXPECT_NE(refused.body.find("\"code\":\"overloaded\""), std::string::npos);
  EXPECT_EQ(client.Ask(HttpGet("/inline")).body, "at once");
  Release();
  EXPECT_EQ(busy.Read().body, "released");
}

TEST_F(HttpServerTest, StreamsInChunksAndUntilTheEndToHttp10) {
  StartServer();
  RawHttpClient client(Port());
  const RawResponse response = client.Ask(HttpGet("/stream"));
  EXPECT_EQ(response.headers.at("transfer-encoding"), "chunked");
  EXPECT_EQ(response.body, "piece 0\npiece 1\npiece 2\n");
  EXPECT_TRUE(response.whole);
  EXPECT_EQ(client.Ask(HttpGet("/stream")).body.size(), 24U);
  RawHttpClient old(Port());
  EXPECT_EQ(old.Ask("GET /stream HTTP/1.0\r\n\r\n").body, "piece 0\npiece 1\npiece 2\n");
}

TEST_F(HttpServerTest, CutsOffAStreamWhoseHandlerDidNotEndIt) {
  StartServer();
  const RawResponse response = Ask(HttpGet("/cut"));
  EXPECT_EQ(response.body, "half of it");
  EXPECT_FALSE(response.whole);
}

TEST_F(HttpServerTest, TellsTheHandlerThatTheClientHungUp) {
  StartServer();
  {
    RawHttpClient client(Port());
    client.Send(HttpGet("/until-gone"));
    AwaitArrivals(1);
  }
  EXPECT_FALSE(outcome_.get_future().get().empty());
}

TEST_F(HttpServerTest, HoldsOnlySoMuchForAReaderThatDoesNotRead) {
  options_.unread_bytes_max = 256 * 1024;
  StartServer();
  RawHttpClient client(Port());
  client.ReadSlowly();
  client.Send(HttpGet("/endless"));
  auto refused = outcome_.get_future();
  // The handler comes to a stop when the kernel's buffers and the bound are full; then time passes
  // without any progress.
  std::size_t before = 0;
  do {
    before = endless_written_;
    refused.wait_for(std::chrono::milliseconds(50));
  } while (before == 0 || before != endless_written_);
  EXPECT_EQ(refused.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  clock_.Advance(options_.write_timeout + Millis{1});
  EXPECT_EQ(refused.get(), "refused");
}

TEST_F(HttpServerTest, AnswersForAHandlerThatDoesNotAndHidesWhatItThrew) {
  StartServer();
  RawHttpClient client(Port());
  EXPECT_EQ(client.Ask(HttpGet("/silent")).status, 500);
  const RawResponse thrown = client.Ask(HttpGet("/throws"));
  EXPECT_EQ(thrown.status, 500);
  EXPECT_EQ(thrown.body.find("secret"), std::string::npos);
  EXPECT_EQ(client.Ask(HttpPost("/echo", "alive")).body, "alive");
}

TEST_F(HttpServerTest, ReportsEveryRequestByItsRoute) {
  StartServer();
  RawHttpClient client(Port());
  client.Ask(HttpGet("/users/a/name"));
  client.Ask(HttpGet("/nowhere"));
  client.Send("nonsense\r\n\r\n");
  client.Read();
  const std::vector<std::string> seen = AwaitObservations(3);
  EXPECT_EQ(seen[0], "GET /users/{user_id}/name 200");
  EXPECT_EQ(seen[1], "GET  404");
  EXPECT_TRUE(seen[2].ends_with(" 400"));
}

}  // namespace
}  // namespace umbranet
