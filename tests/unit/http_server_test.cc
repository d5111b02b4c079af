// Goal: the server reads what HTTP/1.1 allows, refuses what it does not, keeps every bound, and
// loses no answer when it stops.
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

#include "umbranet/base/mutex.h"
#include "umbranet/http/problem.h"
#include "umbranet/http/server.h"

#include "tests/doubles/manual_clock.h"
#include "tests/doubles/raw_http_client.h"

namespace umbranet {
namespace {

HttpResponse Text(std::string body) {
  HttpResponse response;
  response.content_type = "text/plain";
  response.body = std::move(body);
  return response;
}

class HttpServerTest : public ::testing::Test {
 protected:
  HttpServerTest() { options_.in_flight_max = 64; }

  ~HttpServerTest() override {
    Release();
    server_.reset();
  }

  void AddRoutes(Router& router) {
    router.Add({"POST", "/echo", [](const HttpRequest& request, ResponseWriter& writer) {
                  writer.Send(Text(request.body));
                }});
    router.Add(
        {"GET", "/users/{user_id}/name", [](const HttpRequest& request, ResponseWriter& writer) {
           writer.Send(Text(request.parameters.at(0)));
         }});
    router.Add({"GET", "/query", [](const HttpRequest& request, ResponseWriter& writer) {
                  writer.Send(Text(request.query));
                }});
    router.Add({"GET", "/inline",
                [](const HttpRequest&, ResponseWriter& writer) { writer.Send(Text("at once")); },
                Access::kPublic, 0, RunsOn::kIoThread});
    router.Add({"GET", "/silent", [](const HttpRequest&, ResponseWriter&) {}});
    router.Add({"GET", "/throws",
                [](const HttpRequest&, ResponseWriter&) { throw std::runtime_error("secret"); }});
    router.Add({"GET", "/blocked", [this](const HttpRequest&, ResponseWriter& writer) {
                  Arrived();
                  gate_.get_future().wait();
                  writer.Send(Text("released"));
                }});
    router.Add({"GET", "/until-abandoned", [this](const HttpRequest&, ResponseWriter& writer) {
                  std::promise<void> abandoned;
                  const std::stop_callback on_stop(writer.Abandoned(),
                                                   [&abandoned] { abandoned.set_value(); });
                  Arrived();
                  abandoned.get_future().wait();
                  writer.Send(Text("gave up"));
                }});
    router.Add({"GET", "/until-gone", [this](const HttpRequest&, ResponseWriter& writer) {
                  std::promise<void> gone;
                  const std::stop_callback on_stop(writer.ClientGone(),
                                                   [&gone] { gone.set_value(); });
                  writer.BeginStream(Text("hello"));
                  Arrived();
                  gone.get_future().wait();
                  outcome_.set_value(writer.Write("anybody?") ? "written" : "refused");
                }});
    router.Add({"GET", "/stream", [](const HttpRequest&, ResponseWriter& writer) {
                  writer.BeginStream(Text(""));
                  for (int i = 0; i < 3; ++i) {
                    EXPECT_TRUE(writer.Write("piece " + std::to_string(i) + "\n"));
                  }
                  writer.End();
                }});
    router.Add({"GET", "/cut", [](const HttpRequest&, ResponseWriter& writer) {
                  writer.BeginStream(Text("half of it"));
                }});
    router.Add({"GET", "/endless", [this](const HttpRequest&, ResponseWriter& writer) {
                  writer.BeginStream(Text(""));
                  const std::string piece(64 * 1024, 'x');
                  std::size_t written = 0;
                  while (writer.Write(piece)) {
                    written += piece.size();
                    endless_written_ = written;
                  }
                  outcome_.set_value("refused");
                }});
  }

  void StartServer() {
    Router router;
    AddRoutes(router);
    options_.observe = [this](const RequestObservation& seen) {
      MutexLock lock(mutex_);
      observed_.push_back(std::string(seen.method) + " " + std::string(seen.route) + " " +
                          std::to_string(seen.status));
      changed_.NotifyAll();
    };
    auto opened = HttpServer::Open(options_, clock_, std::move(router));
    ASSERT_TRUE(opened.ok());
    server_ = std::move(opened).value();
    server_->Start();
  }

  std::uint16_t Port() { return server_->Port(); }

  RawResponse Ask(std::string_view bytes) { return RawHttpClient(Port()).Ask(bytes); }

  void Arrived() {
    MutexLock lock(mutex_);
    ++arrived_;
    changed_.NotifyAll();
  }

  void AwaitArrivals(int count) {
    MutexLock lock(mutex_);
    while (arrived_ < count) {
      changed_.Wait(mutex_);
    }
  }

  std::vector<std::string> AwaitObservations(std::size_t count) {
    MutexLock lock(mutex_);
    while (observed_.size() < count) {
      changed_.Wait(mutex_);
    }
    return observed_;
  }

  // Lets time go on in steps for as long as the result lives. The server measures its timeouts from
  // moments that a client cannot see, so a single step may come before the moment.
  std::jthread PassTime(Millis step) {
    return std::jthread([this, step](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        clock_.Advance(step);
        std::this_thread::yield();
      }
    });
  }

  void Release() {
    if (!released_) {
      released_ = true;
      gate_.set_value();
    }
  }

  ManualClock clock_;
  HttpServer::Options options_;
  std::promise<void> gate_;
  bool released_ = false;
  std::promise<std::string> outcome_;
  std::atomic<std::size_t> endless_written_ = 0;
  Mutex mutex_;
  ConditionVariable changed_;
  int arrived_ GUARDED_BY(mutex_) = 0;
  std::vector<std::string> observed_ GUARDED_BY(mutex_);
  std::unique_ptr<HttpServer> server_;
};

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
