// Goal: a response is read alike wherever the network cuts it, and what is not HTTP is refused.
// Method: responses with what they hold, fed whole and cut into pieces of every size.
#include "umbranet/net/http_response_reader.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace umbranet {
namespace {

using ::testing::HasSubstr;

struct ReadBack {
  Status status;
  std::string body;
  HttpResponseHead head;
  bool done = false;
  bool reusable = false;
};

ReadBack Read(std::string_view bytes, std::size_t piece, bool end = false,
              HttpResponseReader::Limits limits = {}) {
  HttpResponseReader reader(limits);
  ReadBack back;
  for (std::size_t at = 0; at < bytes.size() && back.status.ok(); at += piece) {
    back.status = reader.Feed(bytes.substr(at, piece));
    back.body += reader.body();
    reader.ClearBody();
  }
  if (end && back.status.ok()) {
    back.status = reader.FeedEnd();
  }
  back.head = reader.head();
  back.done = reader.Done();
  back.reusable = reader.CanReuseConnection();
  return back;
}

TEST(HttpResponseReader, ReadsTheSameWhereverTheBytesAreCut) {
  const std::string bytes =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
      "X-A: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n7;ext=1\r\n, world\r\n0\r\nTrailer: t\r\n\r\n";
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    const ReadBack back = Read(bytes, piece);
    ASSERT_TRUE(back.status.ok()) << piece << ": " << back.status.error().message;
    EXPECT_EQ(back.head.status, 200);
    EXPECT_EQ(back.head.Header("content-type"), "text/event-stream");
    EXPECT_EQ(back.head.Header("x-b"), "");
    EXPECT_EQ(back.body, "hello, world") << piece;
    EXPECT_TRUE(back.done);
    EXPECT_TRUE(back.reusable);
  }
}

TEST(HttpResponseReader, EndsABodyWithoutLengthWhereTheConnectionEnds) {
  const std::string bytes = "HTTP/1.1 200 OK\r\n\r\nall of it";
  EXPECT_FALSE(Read(bytes, 3).done);
  const ReadBack back = Read(bytes, 3, true);
  EXPECT_TRUE(back.done);
  EXPECT_EQ(back.body, "all of it");
  EXPECT_FALSE(back.reusable);
}

TEST(HttpResponseReader, NoticesThatAResponseWasCutShort) {
  for (const char* bytes :
       {"", "HTTP/1.1 200 OK\r\nContent-", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"}) {
    EXPECT_EQ(Read(bytes, 1, true).status.error().code, ErrorCode::kUnavailable) << bytes;
  }
}

TEST(HttpResponseReader, KeepsNoConnectionThatTheServerEnds) {
  EXPECT_TRUE(Read("HTTP/1.1 204 No Content\r\n\r\n", 99).reusable);
  EXPECT_FALSE(Read("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", 99).reusable);
  EXPECT_FALSE(Read("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", 99).reusable);
  EXPECT_FALSE(Read("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab", 99).reusable);
}

TEST(HttpResponseReader, RefusesWhatIsNotHttp) {
  for (const char* bytes : {"SSH-2.0-server\r\n", "\x16\x03\x01\x02", "HTTP/1.1 2000 OK\r\n\r\n",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"}) {
    EXPECT_EQ(Read(bytes, 1).status.error().code, ErrorCode::kBadGateway) << bytes;
  }
}

TEST(HttpResponseReader, BoundsHeaderBodyAndChunkLine) {
  const HttpResponseReader::Limits limits{.header_bytes_max = 200, .body_bytes_max = 50};
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::string chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";
  for (const std::string& bytes :
       {ok + "X: " + std::string(300, 'x'), ok + "Content-Length: 51\r\n\r\n",
        chunked + "32\r\n" + std::string(50, 'x') + "\r\n1\r\nx\r\n",
        chunked + "1;" + std::string(300, 'x'), ok + "\r\n" + std::string(51, 'x')}) {
    for (const std::size_t piece : {std::size_t{1}, bytes.size()}) {
      const ReadBack back = Read(bytes, piece, false, limits);
      ASSERT_FALSE(back.status.ok()) << bytes;
      EXPECT_EQ(back.status.error().code, ErrorCode::kBadGateway);
      EXPECT_THAT(back.status.error().message, HasSubstr("long"));
    }
  }
}

TEST(HttpResponseReader, DoesNotWaitForAServerThatOnlySaysWait) {
  std::string bytes;
  for (int i = 0; i < 9; ++i) {
    bytes += "HTTP/1.1 102 Processing\r\n\r\n";
  }
  EXPECT_THAT(Read(bytes, 7).status.error().message, HasSubstr("interim"));
}

}  // namespace
}  // namespace umbranet
