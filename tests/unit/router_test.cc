// Goal: every path finds its one handler, whatever bytes its ids are made of, and nothing of a path
// is decoded twice or taken for something else.
// Method: the router alone, with handlers that do nothing.
#include "umbranet/http/router.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace umbranet {
namespace {

class RouterTest : public ::testing::Test {
 protected:
  RouterTest() {
    const Handler nothing = [](const HttpRequest&, ResponseWriter&) {};
    for (const auto& [method, pattern] :
         std::vector<std::pair<std::string, std::string>>{{"POST", "/v1/recall"},
                                                          {"DELETE", "/v1/users/{user_id}"},
                                                          {"GET", "/v1/users/{user_id}/memories"},
                                                          {"GET", "/v1/memories/{memory_id}"},
                                                          {"PATCH", "/v1/memories/{memory_id}"},
                                                          {"POST", "/v1/dead/{job_id}"},
                                                          {"POST", "/v1/dead/retry"},
                                                          {"POST", "/v1/dead/{job_id}/retry"}}) {
      router_.Add({method, pattern, nothing});
    }
  }

  RouteMatch Match(std::string method, std::string path) {
    HttpRequest request;
    request.method = std::move(method);
    request.path = std::move(path);
    return router_.Match(request);
  }

  // The pattern and the parameters, or the status of the refusal.
  std::string Outcome(std::string method, std::string path) {
    const RouteMatch match = Match(std::move(method), std::move(path));
    if (match.refusal) {
      return std::to_string(match.refusal->status);
    }
    std::string outcome = match.route->pattern;
    for (const std::string& parameter : match.parameters) {
      outcome += " [" + parameter + "]";
    }
    return outcome;
  }

  Router router_;
};

TEST_F(RouterTest, FindsLiteralPathsAndParameters) {
  EXPECT_EQ(Outcome("POST", "/v1/recall"), "/v1/recall");
  EXPECT_EQ(Outcome("GET", "/v1/users/alice/memories"), "/v1/users/{user_id}/memories [alice]");
  EXPECT_EQ(Outcome("PATCH", "/v1/memories/ep_1"), "/v1/memories/{memory_id} [ep_1]");
  EXPECT_EQ(Outcome("HEAD", "/v1/memories/ep_1"), "/v1/memories/{memory_id} [ep_1]");
}

TEST_F(RouterTest, PrefersALiteralToAParameter) {
  EXPECT_EQ(Outcome("POST", "/v1/dead/retry"), "/v1/dead/retry");
  EXPECT_EQ(Outcome("POST", "/v1/dead/j1"), "/v1/dead/{job_id} [j1]");
  EXPECT_EQ(Outcome("POST", "/v1/dead/retry/retry"), "/v1/dead/{job_id}/retry [retry]");
}

TEST_F(RouterTest, DecodesAnIdOnceWhateverItIsMadeOf) {
  const std::string route = "/v1/users/{user_id}/memories ";
  EXPECT_EQ(Outcome("GET", "/v1/users/a.b%2Fc%20d/memories"), route + "[a.b/c d]");
  EXPECT_EQ(Outcome("GET", "/v1/users/..%2F..%2Fetc/memories"), route + "[../../etc]");
  EXPECT_EQ(Outcome("GET", "/v1/users/%2e%2e/memories"), route + "[..]");
  EXPECT_EQ(Outcome("GET", "/v1/users/../memories"), route + "[..]");
  EXPECT_EQ(Outcome("GET", "/v1/users/%27%20OR%201%3D1%20--/memories"), route + "[' OR 1=1 --]");
  EXPECT_EQ(Outcome("GET", "/v1/users/%F0%9F%A6%8A/memories"), route + "[\xF0\x9F\xA6\x8A]");
  EXPECT_EQ(Outcome("GET", "/v1/users/\xF0\x9F\xA6\x8A/memories"), route + "[\xF0\x9F\xA6\x8A]");
  EXPECT_EQ(Outcome("GET", "/v1/users/%252F/memories"), route + "[%2F]");
  EXPECT_EQ(Outcome("GET", "/v1/users/a+b/memories"), route + "[a+b]");
  EXPECT_EQ(Outcome("GET", "/v1/users/memories/memories"), route + "[memories]");
}

TEST_F(RouterTest, TakesBareSlashesInAUserIdWhereNoOtherRouteHasThePath) {
  EXPECT_EQ(Outcome("GET", "/v1/users/a.b/c%20d/memories"),
            "/v1/users/{user_id}/memories [a.b/c d]");
  EXPECT_EQ(Outcome("GET", "/v1/users/../../etc/memories"),
            "/v1/users/{user_id}/memories [../../etc]");
  EXPECT_EQ(Outcome("DELETE", "/v1/users/a/b"), "/v1/users/{user_id} [a/b]");
  // Another method of a path that exists is a mistake, not a strange user.
  EXPECT_EQ(Outcome("DELETE", "/v1/users/a/memories"), "405");
  EXPECT_EQ(Outcome("GET", "/v1/memories/a/b"), "404");
}

TEST_F(RouterTest, RefusesPathsThatAreNotEncodedRightly) {
  EXPECT_EQ(Outcome("GET", "/v1/users/%/memories"), "400");
  EXPECT_EQ(Outcome("GET", "/v1/users/%2/memories"), "400");
  EXPECT_EQ(Outcome("GET", "/v1/users/%zz/memories"), "400");
  EXPECT_EQ(Outcome("GET", "/v1/users/%ff/memories"), "400");
  EXPECT_EQ(Outcome("GET", "/v1/users/%c0%af/memories"), "400");
  EXPECT_EQ(Outcome("GET", "/v1/users/%ed%a0%80/memories"), "400");
  EXPECT_EQ(Outcome("GET", "/v1/users/%00/memories"), "400");
  EXPECT_EQ(Outcome("GET", "/v1/users/a%0ab/memories"), "400");
  EXPECT_EQ(Outcome("GET", "/v1/users/" + std::string(257, 'u') + "/memories"), "400");
  EXPECT_EQ(Outcome("GET", "/v1/users/" + std::string(256, 'u') + "/memories").substr(0, 3), "/v1");
}

TEST_F(RouterTest, TellsAWrongMethodFromAPathThatIsNotThere) {
  const RouteMatch match = Match("POST", "/v1/memories/ep_1");
  ASSERT_TRUE(match.refusal);
  EXPECT_EQ(match.refusal->status, 405);
  EXPECT_EQ(match.refusal->headers.at(0).name, "Allow");
  EXPECT_EQ(match.refusal->headers.at(0).value, "GET, HEAD, PATCH, OPTIONS");
  EXPECT_EQ(Outcome("OPTIONS", "/v1/recall"), "204");
  for (const std::string path :
       {"/", "/v1", "/v1/recall/", "//v1/recall", "/V1/recall", "/v1/users/", "/v1/users//memories",
        "/v2/recall", "/v1/%72ecall"}) {
    EXPECT_EQ(Outcome("POST", path), "404") << path;
  }
}

TEST_F(RouterTest, LetsItsGateRefuse) {
  router_.SetGate([](const Route& route, HttpRequest& request) -> std::optional<HttpResponse> {
    request.caller.tenant = "acme";
    if (route.pattern == "/v1/recall") {
      HttpResponse response;
      response.status = 401;
      return response;
    }
    return std::nullopt;
  });
  HttpRequest request;
  request.method = "GET";
  request.path = "/v1/memories/x";
  EXPECT_FALSE(router_.Match(request).refusal);
  EXPECT_EQ(request.caller.tenant, "acme");
  EXPECT_EQ(Outcome("POST", "/v1/recall"), "401");
}

TEST(QueryTest, ReadsParametersAndNamesThoseThatAreWrong) {
  constexpr std::string_view kKnown[] = {"limit", "cursor"};
  const auto good = ParseQuery("limit=10&&cursor=a%26b+c", kKnown);
  ASSERT_TRUE(good.ok());
  ASSERT_EQ(good->size(), 2U);
  EXPECT_EQ((*good)[0], std::pair(std::string("limit"), std::string("10")));
  EXPECT_EQ((*good)[1].second, "a&b c");
  EXPECT_TRUE(ParseQuery("", kKnown)->empty());
  EXPECT_NE(ParseQuery("limitt=1", kKnown).error().message.find("'limitt'"), std::string::npos);
  EXPECT_NE(ParseQuery("limit=1&limit=2", kKnown).error().message.find("twice"), std::string::npos);
  EXPECT_FALSE(ParseQuery("cursor=%f", kKnown).ok());
  EXPECT_FALSE(ParseQuery("cursor=%ff", kKnown).ok());
  EXPECT_FALSE(ParseQuery("x=1", {}).ok());
}

}  // namespace
}  // namespace umbranet
