// Goal: every error has a status and a stable code, and tells the client nothing it must not know.
// Method: errors made by hand.
#include "umbranet/http/problem.h"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

namespace umbranet {
namespace {

TEST(ProblemTest, EveryErrorCodeHasItsStatus) {
  const std::pair<ErrorCode, int> expected[] = {{ErrorCode::kInvalidArgument, 400},
                                                {ErrorCode::kUnauthenticated, 401},
                                                {ErrorCode::kPermissionDenied, 403},
                                                {ErrorCode::kNotFound, 404},
                                                {ErrorCode::kAlreadyExists, 409},
                                                {ErrorCode::kFailedPrecondition, 409},
                                                {ErrorCode::kResourceExhausted, 429},
                                                {ErrorCode::kCancelled, 499},
                                                {ErrorCode::kInternal, 500},
                                                {ErrorCode::kDataLoss, 500},
                                                {ErrorCode::kUnavailable, 503},
                                                {ErrorCode::kStorageFull, 503},
                                                {ErrorCode::kDeadlineExceeded, 504},
                                                {ErrorCode::kBadGateway, 502},
                                                {ErrorCode::kAborted, 409}};
  for (const auto& [code, status] : expected) {
    const Problem problem = ProblemFromError({code, "x: y"});
    EXPECT_EQ(problem.status, status) << ErrorCodeName(code);
    EXPECT_NE(ReasonPhrase(status), "Unknown") << status;
    EXPECT_FALSE(problem.code.empty());
  }
}

TEST(ProblemTest, KeepsItsOwnFailuresToItself) {
  const HttpResponse response =
      ProblemResponse(ProblemFromError(Internal("sqlite: /var/secret.db row 17")));
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(response.body.find("secret"), std::string::npos);
}

TEST(ProblemTest, IsTheDocumentOfRfc9457) {
  const HttpResponse response =
      ProblemResponse({400, "bad_value", "'a\"b' is wrong\n", std::nullopt});
  EXPECT_EQ(response.content_type, "application/problem+json");
  const auto document = boost::json::parse(response.body).as_object();
  EXPECT_EQ(document.at("type"), "about:blank");
  EXPECT_EQ(document.at("title"), "Bad Request");
  EXPECT_EQ(document.at("status"), 400);
  EXPECT_EQ(document.at("detail"), "'a\"b' is wrong\n");
  EXPECT_EQ(document.at("code"), "bad_value");
}

TEST(ProblemTest, SaysWhenToComeBackInWholeSeconds) {
  const auto retry_after = [](Millis delay) {
    return ProblemResponse({503, "unavailable", "x", delay}).headers.at(0).value;
  };
  EXPECT_EQ(retry_after(Millis{1}), "1");
  EXPECT_EQ(retry_after(Millis{1000}), "1");
  EXPECT_EQ(retry_after(Millis{1001}), "2");
  EXPECT_TRUE(ProblemResponse({503, "unavailable", "x"}).headers.empty());
}

}  // namespace
}  // namespace umbranet
