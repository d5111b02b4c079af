// Goal: every way in which a server may say "later" is understood, and nonsense is not.
// Method: tables of header values with their meaning at a fixed moment.
#include "umbranet/net/retry_after.h"

#include <gtest/gtest.h>

namespace umbranet {
namespace {

const Timestamp kNow = *ParseTimestamp("2024-05-03T10:00:00Z");

TEST(ParseHttpDate, ReadsAllThreeFormsOfTheSpecification) {
  const Timestamp expected = *ParseTimestamp("1994-11-06T08:49:37Z");
  EXPECT_EQ(ParseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT", kNow), expected);
  EXPECT_EQ(ParseHttpDate("Sunday, 06-Nov-94 08:49:37 GMT", kNow), expected);
  EXPECT_EQ(ParseHttpDate("Sun Nov  6 08:49:37 1994", kNow), expected);
}

TEST(ParseHttpDate, PutsAShortYearNearThisOne) {
  EXPECT_EQ(ParseHttpDate("Monday, 06-Nov-30 00:00:00 GMT", kNow),
            ParseTimestamp("2030-11-06T00:00:00Z"));
  EXPECT_EQ(ParseHttpDate("Monday, 06-Nov-75 00:00:00 GMT", kNow),
            ParseTimestamp("1975-11-06T00:00:00Z"));
}

TEST(ParseHttpDate, RefusesWhatIsNoDate) {
  for (const char* text :
       {"", "soon", "Sun, 06 Nov 1994", "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 31 Feb 2024 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 25:49:37 GMT", "Sun, 06 Nov 1994 8:49:37 GMT", "a b c d e f g"}) {
    EXPECT_FALSE(ParseHttpDate(text, kNow)) << text;
  }
}

TEST(ParseRetryAfter, ReadsSecondsAndDates) {
  EXPECT_EQ(ParseRetryAfter("0", kNow), Millis{0});
  EXPECT_EQ(ParseRetryAfter(" 120 ", kNow), Millis{120'000});
  EXPECT_EQ(ParseRetryAfter("1.5", kNow), Millis{1'500});
  EXPECT_EQ(ParseRetryAfter("Fri, 03 May 2024 10:00:30 GMT", kNow), Millis{30'000});
}

TEST(ParseRetryAfter, WaitsNeitherBackwardsNorForEver) {
  EXPECT_EQ(ParseRetryAfter("Fri, 03 May 2024 09:00:00 GMT", kNow), Millis{0});
  EXPECT_EQ(ParseRetryAfter("99999999999999999999", kNow), Millis{86'400'000});
}

TEST(ParseRetryAfter, RefusesWhatIsNeither) {
  for (const char* text : {"", "-1", "1s", "inf", "nan", "tomorrow"}) {
    EXPECT_FALSE(ParseRetryAfter(text, kNow)) << text;
  }
}

}  // namespace
}  // namespace umbranet
