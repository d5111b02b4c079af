// Goal: events are read as the WHATWG standard says, wherever the network cuts the bytes.
// Method: streams with the events they hold, fed whole, byte by byte, and cut at every place.
#include "umbranet/net/sse_parser.h"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace umbranet {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

using Events = std::vector<std::pair<std::string, std::string>>;

void TakeEvents(SseParser& parser, Events& events) {
  for (;;) {
    auto event = parser.Next();
    ASSERT_TRUE(event.ok()) << event.error().message;
    if (!event->has_value()) {
      return;
    }
    events.emplace_back((*event)->type, (*event)->data);
  }
}

Events Parse(std::string_view stream, std::size_t piece) {
  SseParser parser;
  Events events;
  for (std::size_t at = 0; at < stream.size(); at += piece) {
    parser.Append(stream.substr(at, piece));
    TakeEvents(parser, events);
  }
  return events;
}

Events ParseWhole(std::string_view stream) {
  return Parse(stream, stream.size() + 1);
}

TEST(SseParser, JoinsDataLinesAndNamesTheType) {
  EXPECT_THAT(ParseWhole("event: delta\ndata: a\ndata: b\n\n"), ElementsAre(Pair("delta", "a\nb")));
}

TEST(SseParser, TakesOneSpaceAfterTheColonAndNoMore) {
  EXPECT_THAT(ParseWhole("data:a\n\ndata:  b\n\n"), ElementsAre(Pair("", "a"), Pair("", " b")));
}

TEST(SseParser, PassesOverCommentsAndFieldsThatItDoesNotKnow) {
  EXPECT_THAT(ParseWhole(": keep-alive\n\nid: 7\nretry: 10\nnonsense\ndata: x\n\n"),
              ElementsAre(Pair("", "x")));
}

TEST(SseParser, GivesAnEventOfEmptyDataButNoneWithoutData) {
  EXPECT_THAT(ParseWhole("data\n\nevent: lonely\n\ndata:\n\n"),
              ElementsAre(Pair("", ""), Pair("", "")));
}

TEST(SseParser, DropsAnEventWhoseBlankLineNeverCame) {
  EXPECT_THAT(ParseWhole("data: whole\n\ndata: half\n"), ElementsAre(Pair("", "whole")));
}

TEST(SseParser, SkipsAByteOrderMarkAtTheStartOnly) {
  EXPECT_THAT(ParseWhole("\xEF\xBB\xBF"
                         "data: a\n\n\xEF\xBB\xBF"
                         "data: b\n\n"),
              ElementsAre(Pair("", "a")));
}

TEST(SseParser, EndsLinesAtEveryLineEndOfTheStandard) {
  for (const std::string& end : {std::string("\n"), std::string("\r"), std::string("\r\n")}) {
    std::string stream = "event: e" + end + "data: 1" + end + "data: 2" + end + end;
    stream += ": c" + end + "data: 3" + end + end;
    // One more byte, since a CR alone may yet be half of CRLF.
    stream += ":";
    EXPECT_THAT(ParseWhole(stream), ElementsAre(Pair("e", "1\n2"), Pair("", "3")));
  }
}

TEST(SseParser, FindsTheSameEventsWhereverTheBytesAreCut) {
  const std::string stream =
      "\xEF\xBB\xBF: hi\r\ndata: one\r\n\r\nevent: x\rdata: two\rdata: lines\r\r"
      "data: {\"a\": \"\xC3\xA9\"}\n\ndata: [DONE]\n\n";
  const Events whole = ParseWhole(stream);
  ASSERT_EQ(whole.size(), 4U);
  for (std::size_t piece = 1; piece < stream.size(); ++piece) {
    EXPECT_EQ(Parse(stream, piece), whole) << "in pieces of " << piece;
  }
}

TEST(SseParser, RefusesALineThatNeverEnds) {
  SseParser parser({.line_bytes_max = 64, .event_bytes_max = 1024});
  Events events;
  for (int i = 0; i < 8; ++i) {
    parser.Append("data: xx");
    TakeEvents(parser, events);
  }
  parser.Append("x");
  EXPECT_EQ(parser.Next().error().code, ErrorCode::kBadGateway);
  parser.Append("\n\ndata: y\n\n");
  EXPECT_FALSE(parser.Next().ok());
  EXPECT_THAT(events, IsEmpty());
}

TEST(SseParser, RefusesAnEventOfTooManyLines) {
  SseParser parser({.line_bytes_max = 64, .event_bytes_max = 100});
  for (int i = 0; i < 11; ++i) {
    parser.Append("data: 123456789\n");
  }
  EXPECT_EQ(parser.Next().error().code, ErrorCode::kBadGateway);
}

}  // namespace
}  // namespace umbranet
