// Goal: a reflector can be probed and scraped where it was told to listen, serves nothing else
// there, and listens nowhere unless it was told to.
// Method: the built binary as `umbranet reflect` on a folder of its own, asked over HTTP.
#include <cstdlib>
#include <map>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "umbranet/net/http_client.h"

#include "tests/system/server_process.h"

namespace umbranet {
namespace {

class ReflectorTest : public ::testing::Test {
 protected:
  void Start(std::map<std::string, std::string> environment) {
    environment["UMBRANET_DATA"] = folder_.path();
    environment["EMBEDDER"] = "off";
    reflector_ = std::make_unique<ReflectorProcess>(folder_.path() + ".log", environment);
    ASSERT_TRUE(reflector_->Running()) << reflector_->Log();
  }

  // The status and the body.
  std::pair<int, std::string> Get(std::string_view target, std::string_view method = "GET") {
    constexpr std::string_view kMark = "probes on http://127.0.0.1:";
    const std::string& line = reflector_->ReadyLine();
    const std::size_t at = line.find(kMark);
    HttpClient::Options options;
    options.base = {false, "127.0.0.1",
                    at == std::string::npos
                        ? std::uint16_t{0}
                        : static_cast<std::uint16_t>(std::atoi(line.c_str() + at + kMark.size())),
                    ""};
    const auto client = HttpClient::Open(std::move(options), clock_).value();
    ClientRequest request;
    request.method = method;
    request.target = target;
    const auto answer = client->Send(request, {}, Deadline::After(clock_, Millis{30'000}));
    return answer.ok() ? std::pair(answer->head.status, answer->body) : std::pair(0, std::string());
  }

  const SystemClock clock_;
  const TemporaryFolder folder_;
  std::unique_ptr<ReflectorProcess> reflector_;
};

TEST_F(ReflectorTest, AnswersProbesAndScrapersAndNobodyElse) {
  ASSERT_NO_FATAL_FAILURE(Start({{"REFLECTOR_LISTEN", "127.0.0.1:0"}}));
  EXPECT_EQ(Get("/healthz").first, 200);
  const auto [ready, dependencies] = Get("/readyz");
  EXPECT_EQ(ready, 200);
  EXPECT_NE(dependencies.find("\"queue\""), std::string::npos) << dependencies;
  const auto [scraped, metrics] = Get("/metrics");
  EXPECT_EQ(scraped, 200);
  EXPECT_NE(metrics.find("umbranet_reflection_jobs"), std::string::npos);
  for (const std::string_view target :
       {"/openapi.json", "/v1/users/kim/memories", "/v1/admin/queue", "/v1/users/kim/export"}) {
    EXPECT_EQ(Get(target).first, 404) << target;
  }
  EXPECT_EQ(Get("/v1/chat", "POST").first, 404);
  EXPECT_EQ(reflector_->Terminate(), 0);
}

TEST_F(ReflectorTest, WithKeysItsMetricsWantOneAndItsProbesDoNot) {
  ASSERT_NO_FATAL_FAILURE(Start({{"REFLECTOR_LISTEN", "127.0.0.1:0"},
                                 {"UMBRANET_API_KEYS", "home:a-long-enough-key:admin"}}));
  EXPECT_EQ(Get("/metrics").first, 401);
  EXPECT_EQ(Get("/healthz").first, 200);
  EXPECT_EQ(Get("/readyz").first, 200);
}

TEST_F(ReflectorTest, ListensNowhereUnlessItWasToldTo) {
  ASSERT_NO_FATAL_FAILURE(Start({}));
  EXPECT_EQ(reflector_->ReadyLine().find("http://"), std::string::npos);
}

}  // namespace
}  // namespace umbranet
