// Goal: the key alone says who asks, and without keys nobody but this machine does.
// Method: requests made by hand.
#include "umbranet/http/authentication.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace umbranet {
namespace {

const std::vector<ApiKey> kKeys = {
    {"acme", "k-acme", false}, {"acme", "k-boss", true}, {"umbra", "k-umbra", false}};

HttpRequest RequestWith(std::vector<HeaderField> headers, bool loopback = true) {
  HttpRequest request;
  request.headers = std::move(headers);
  request.peer_is_loopback = loopback;
  return request;
}

ErrorCode CodeOf(const Authenticator& authenticator, const HttpRequest& request) {
  const Result<Caller> caller = authenticator.Authenticate(request);
  EXPECT_FALSE(caller.ok());
  return caller.ok() ? ErrorCode::kInternal : caller.error().code;
}

TEST(AuthenticationTest, AKeySaysTheTenantAndWhetherItIsAnAdmin) {
  const Authenticator keys(kKeys);
  const auto bearer = keys.Authenticate(RequestWith({{"Authorization", "Bearer k-acme"}}, false));
  ASSERT_TRUE(bearer.ok());
  EXPECT_EQ(bearer->tenant, "acme");
  EXPECT_FALSE(bearer->admin);
  const auto plain = keys.Authenticate(RequestWith({{"x-api-key", "k-umbra"}}, false));
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->tenant, "umbra");
  const auto admin = keys.Authenticate(RequestWith({{"authorization", "bearer  k-boss"}}, false));
  ASSERT_TRUE(admin.ok());
  EXPECT_TRUE(admin->admin);
}

TEST(AuthenticationTest, RefusesWhatIsNoKnownKey) {
  const Authenticator keys(kKeys);
  for (const std::vector<HeaderField>& headers : std::vector<std::vector<HeaderField>>{
           {},
           {{"Authorization", "Bearer"}},
           {{"Authorization", "Bearer "}},
           {{"Authorization", "Basic k-acme"}},
           {{"Authorization", "k-acme"}},
           {{"Authorization", "Bearer k-acm"}},
           {{"Authorization", "Bearer k-acmee"}},
           {{"Authorization", "Bearer K-ACME"}},
           {{"X-API-Key", ""}},
           {{"X-API-Key", "k-acme"}, {"X-API-Key", "k-acme"}},
           {{"Authorization", "Bearer k-acme"}, {"X-API-Key", "k-boss"}},
       }) {
    EXPECT_EQ(CodeOf(keys, RequestWith(headers)), ErrorCode::kUnauthenticated);
  }
}

TEST(AuthenticationTest, WithoutKeysOnlyThisMachineMayAsk) {
  const Authenticator open({});
  EXPECT_FALSE(open.HasKeys());
  for (const std::string host :
       {"localhost:8080", "127.0.0.1:8080", "127.0.0.1", "[::1]:8080", "app.localhost", "laptop"}) {
    const auto caller = open.Authenticate(RequestWith({{"Host", host}}));
    ASSERT_TRUE(caller.ok()) << host;
    EXPECT_EQ(caller->tenant, "default");
    EXPECT_TRUE(caller->admin);
  }
  EXPECT_EQ(CodeOf(open, RequestWith({{"Host", "localhost"}}, false)),
            ErrorCode::kPermissionDenied);
}

TEST(AuthenticationTest, WithoutKeysAPageFromElsewhereMayNotAskThroughTheBrowser) {
  const Authenticator open({});
  EXPECT_EQ(CodeOf(open, RequestWith({{"Host", "rebound.example.org:8080"}})),
            ErrorCode::kPermissionDenied);
  EXPECT_EQ(CodeOf(open, RequestWith({{"Host", "127.0.0.1.example.org"}})),
            ErrorCode::kPermissionDenied);
  for (const std::string origin :
       {"https://example.org", "null", "https://localhost.example.org"}) {
    EXPECT_EQ(CodeOf(open, RequestWith({{"Host", "localhost"}, {"Origin", origin}})),
              ErrorCode::kPermissionDenied)
        << origin;
  }
  EXPECT_TRUE(
      open.Authenticate(RequestWith({{"Host", "localhost"}, {"Origin", "http://localhost:3000"}}))
          .ok());
}

}  // namespace
}  // namespace umbranet
