// Goal: an address that a person wrote is read as meant, or refused with a sentence that helps.
// Method: tables of texts with what they mean.
#include "umbranet/net/url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace umbranet {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ParseUrl, ReadsSchemeHostPortAndPath) {
  const struct {
    const char* text;
    Url url;
  } cases[] = {
      {"http://localhost", {false, "localhost", 80, ""}},
      {"https://api.example.com/v1", {true, "api.example.com", 443, "/v1"}},
      {"HTTPS://API.Example.com/v1/", {true, "api.example.com", 443, "/v1"}},
      {"http://127.0.0.1:11434/v1", {false, "127.0.0.1", 11434, "/v1"}},
      {"http://[::1]:8000/a/b//", {false, "::1", 8000, "/a/b"}},
      {"http://[2001:db8::7]", {false, "2001:db8::7", 80, ""}},
      {"http://model_server:8000", {false, "model_server", 8000, ""}},
  };

  for (const auto& c : cases) {
    const Result<Url> url = ParseUrl(c.text);
    ASSERT_TRUE(url.ok()) << c.text << ": " << url.error().message;
    EXPECT_EQ(*url, c.url) << c.text;
  }
}

TEST(ParseUrl, SaysWhatToWriteInstead) {
  const struct {
    const char* text;
    const char* advice;
  } cases[] = {
      {"", "http:// or https://"},
      {"localhost:8080", "http:// or https://"},
      {"ftp://localhost", "http:// or https://"},
      {"http://", "the host"},
      {"http://a b", "the host"},
      {"http://[::1", "closing bracket"},
      {"http://[::1]8080", "colon and a port"},
      {"http://[localhost]", "the host"},
      {"http://localhost:", "port must be"},
      {"http://localhost:0", "port must be"},
      {"http://localhost:65536", "port must be"},
      {"http://localhost:80x", "port must be"},
      {"http://me:secret@localhost", "user name"},
      {"http://localhost/v1?key=secret", "query"},
      {"http://localhost/v1#top", "fragment"},
      {"http://localhost/a b", "percent-encode"},
      {"http://localhost/a\r\nHost: other", "percent-encode"},
  };

  for (const auto& c : cases) {
    const Result<Url> url = ParseUrl(c.text);
    ASSERT_FALSE(url.ok()) << c.text;
    EXPECT_EQ(url.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(url.error().message, HasSubstr(c.advice)) << c.text;
    EXPECT_THAT(url.error().message, Not(HasSubstr("secret")));
  }
}

TEST(HostHeader, LeavesOutTheSchemesOwnPort) {
  EXPECT_EQ(HostHeader({false, "a.example", 80, ""}), "a.example");
  EXPECT_EQ(HostHeader({true, "a.example", 80, ""}), "a.example:80");
  EXPECT_EQ(HostHeader({true, "::1", 8443, ""}), "[::1]:8443");
}

TEST(FormatUrl, GivesBackWhatWasParsed) {
  for (const char* text : {"http://localhost", "https://a.example:8443/v1", "http://[::1]:81/x"}) {
    EXPECT_EQ(FormatUrl(*ParseUrl(text)), text);
  }
}

}  // namespace
}  // namespace umbranet
