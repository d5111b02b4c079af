// The HTTP server with a handler that answers a constant: what the server alone costs, beside which
// the figures of the API are read.
//
//   bare_http [PORT]      serves GET /constant and POST /constant until it is interrupted
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "umbranet/base/clock.h"
#include "umbranet/http/router.h"
#include "umbranet/http/server.h"

int main(int argc, char** argv) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  const umbranet::Handler answer = [](const umbranet::HttpRequest&,
                                      umbranet::ResponseWriter& writer) {
    umbranet::HttpResponse response;
    response.body = R"({"answer":42})";
    writer.Send(std::move(response));
  };
  umbranet::Router router;
  router.Add({"GET", "/constant", answer, umbranet::Access::kPublic});
  router.Add({"POST", "/constant", answer, umbranet::Access::kTenant});
  router.Add({"GET", "/inline", answer, umbranet::Access::kPublic, 0, umbranet::RunsOn::kIoThread});

  const umbranet::SystemClock clock;
  umbranet::HttpServer::Options options;
  options.port = argc > 1 ? static_cast<std::uint16_t>(std::atoi(argv[1])) : std::uint16_t{0};
  auto server = umbranet::HttpServer::Open(std::move(options), clock, std::move(router));
  if (!server.ok()) {
    std::fprintf(stderr, "%s\n", server.error().message.c_str());
    return 1;
  }
  (*server)->Start();
  std::printf("listening on 127.0.0.1:%d\n", (*server)->Port());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  (*server)->Stop(umbranet::Deadline::After(clock, umbranet::Millis{10'000}));
  return 0;
}
