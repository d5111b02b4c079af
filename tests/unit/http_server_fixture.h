// A server with handlers that its tests need, on a clock turned by hand, and clients that send any
// bytes.
#pragma once

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

inline HttpResponse Text(std::string body) {
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

}  // namespace umbranet
