// Goal: English dates and times are found where they stand and resolved to when they are.
// Method: one table of sentences per family of expressions, all said on Wednesday 14 June 2023 at
// 10:30 UTC. A case names the words that must be found and the half-open span they mean; the tables
// of durations and recurrences name the normalised form instead. Texts without a date must stay
// empty, and hostile texts must end quickly because the look-ahead is bounded.
#include "umbranet/extraction/temporal_expressions.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace umbranet {
namespace {

// "2023-06-14" and "2023-06-14 10:30" in UTC; "-" is the open side of a range.
Timestamp At(std::string_view text, Timestamp open) {
  if (text == "-") {
    return open;
  }
  std::string full(text);
  full = full.substr(0, 10) + "T" + (full.size() > 10 ? full.substr(11) : "00:00") + ":00Z";
  const auto parsed = ParseTimestamp(full);
  EXPECT_TRUE(parsed.has_value()) << full;
  return parsed.value_or(Timestamp{});
}

const Timestamp kNow = FromUnixMillis(1686738600000);  // 2023-06-14T10:30:00Z, a Wednesday

std::string Show(const TimeExpression& e, std::string_view text) {
  const auto side = [](Timestamp time) {
    return time == kOpenStart || time == kOpenEnd ? std::string("-") : FormatTimestamp(time);
  };
  return std::string(text.substr(e.begin, e.end - e.begin)) + " = " + side(e.range.start) + " .. " +
         side(e.range.end) + " " + e.timex;
}

struct SpanCase {
  std::string_view text;
  std::string_view words;
  std::string_view start;
  std::string_view end;
};

std::string PrintToString(const SpanCase& c) {
  return std::string(c.text);
}

class TimeSpans : public testing::TestWithParam<SpanCase> {};

TEST_P(TimeSpans, AreFoundAndResolvedAgainstTheTimeOfTheTurn) {
  const SpanCase& c = GetParam();
  const auto found = FindTimeExpressions(c.text, kNow);
  for (const TimeExpression& e : found) {
    if (c.text.substr(e.begin, e.end - e.begin) != c.words) {
      continue;
    }
    EXPECT_EQ(e.range.start, At(c.start, kOpenStart)) << Show(e, c.text);
    EXPECT_EQ(e.range.end, At(c.end, kOpenEnd)) << Show(e, c.text);
    return;
  }
  std::string all;
  for (const TimeExpression& e : found) {
    all += Show(e, c.text) + "; ";
  }
  FAIL() << "\"" << c.words << "\" is not found in \"" << c.text << "\", only: " << all;
}

constexpr SpanCase kAbsolute[] = {
    {"We moved here on 3 May 2021.", "3 May 2021", "2021-05-03", "2021-05-04"},
    {"The lease began May 3rd, 2021", "May 3rd, 2021", "2021-05-03", "2021-05-04"},
    {"Signed 2021-05-03 by both", "2021-05-03", "2021-05-03", "2021-05-04"},
    {"Invoice of 2021/5/3", "2021/5/3", "2021-05-03", "2021-05-04"},
    {"The part came on 22/04", "22/04", "2023-04-22", "2023-04-23"},
    {"It rained on 4/22/2020", "4/22/2020", "2020-04-22", "2020-04-23"},
    {"Die Rechnung 22.04.2020 14:55 arrived", "22.04.2020 14:55", "2020-04-22 14:55",
     "2020-04-22 14:56"},
    {"We watched fireworks on the 4th of July", "the 4th of July", "2022-07-04", "2022-07-05"},
    {"I called her on the 12th", "the 12th", "2023-06-12", "2023-06-13"},
    {"I paid the rent on the 28th.", "the 28th", "2023-05-28", "2023-05-29"},
    {"She was born on the twenty-first of March 1990", "the twenty-first of March 1990",
     "1990-03-21", "1990-03-22"},
    {"He left on January second, 2019", "January second, 2019", "2019-01-02", "2019-01-03"},
    {"My grandmother was born in nineteen thirty six", "nineteen thirty six", "1936-01-01",
     "1937-01-01"},
    {"I started in March 2018", "March 2018", "2018-03-01", "2018-04-01"},
    {"We met in September '19", "September '19", "2019-09-01", "2019-10-01"},
    {"I graduated in 2014", "2014", "2014-01-01", "2015-01-01"},
    {"That was in the year 2009", "the year 2009", "2009-01-01", "2010-01-01"},
    {"I grew up in the 1990s", "the 1990s", "1990-01-01", "2000-01-01"},
    {"Music of the eighties is best", "the eighties", "1980-01-01", "1990-01-01"},
    {"The castle is of the 15th century", "the 15th century", "1400-01-01", "1500-01-01"},
    {"Sales rose in Q1 2022", "Q1 2022", "2022-01-01", "2022-04-01"},
    {"We hired two in 2022 Q4", "2022 Q4", "2022-10-01", "2023-01-01"},
    {"He flew home on Christmas Eve", "Christmas Eve", "2022-12-24", "2022-12-25"},
    {"We ate at my aunt's on Easter 2022", "Easter 2022", "2022-04-17", "2022-04-18"},
    {"I bought it on Black Friday", "Black Friday", "2022-11-25", "2022-11-26"},
    {"They married on Valentine's Day 2015", "Valentine's Day 2015", "2015-02-14", "2015-02-15"},
    {"The meeting took place on Saturday, 10 June", "Saturday, 10 June", "2023-06-10",
     "2023-06-11"},
    {"We left on Dec31, 1999", "Dec31, 1999", "1999-12-31", "2000-01-01"},
    {"It was the summer of 2019", "the summer of 2019", "2019-06-01", "2019-09-01"},
    {"I was in Rome in week 23 of 2022", "week 23 of 2022", "2022-06-06", "2022-06-13"},
    {"The first Monday of May 2022 was a holiday", "The first Monday of May 2022", "2022-05-02",
     "2022-05-03"},
    {"I skied the last week of January 2023", "the last week of January 2023", "2023-01-23",
     "2023-01-30"},
    {"I moved out at the end of 2020", "the end of 2020", "2020-09-01", "2021-01-01"},
    {"We met in mid-November 2021", "mid-November 2021", "2021-11-10", "2021-11-21"},
    {"I quit in early March", "early March", "2023-03-01", "2023-03-16"},
};
INSTANTIATE_TEST_SUITE_P(Absolute, TimeSpans, testing::ValuesIn(kAbsolute));

constexpr SpanCase kRelative[] = {
    {"I saw her yesterday", "yesterday", "2023-06-13", "2023-06-14"},
    {"I'll pay tomorrow", "tomorrow", "2023-06-15", "2023-06-16"},
    {"Today I rest", "Today", "2023-06-14", "2023-06-15"},
    {"We spoke the day before yesterday", "the day before yesterday", "2023-06-12", "2023-06-13"},
    {"We fly the day after tomorrow", "the day after tomorrow", "2023-06-16", "2023-06-17"},
    {"I went to the gym on Friday", "Friday", "2023-06-09", "2023-06-10"},
    {"I'll go to the gym on Friday", "Friday", "2023-06-16", "2023-06-17"},
    {"We're meeting Nadia on Monday", "Monday", "2023-06-19", "2023-06-20"},
    {"I lost my keys last Friday", "last Friday", "2023-06-09", "2023-06-10"},
    {"I lost my keys last Monday", "last Monday", "2023-06-12", "2023-06-13"},
    {"It broke this past Sunday", "this past Sunday", "2023-06-11", "2023-06-12"},
    {"We play this coming Saturday", "this coming Saturday", "2023-06-17", "2023-06-18"},
    {"The exam is next Tuesday", "next Tuesday", "2023-06-20", "2023-06-21"},
    {"The exam is this Thursday", "this Thursday", "2023-06-15", "2023-06-16"},
    {"I was ill last week", "last week", "2023-06-05", "2023-06-12"},
    {"I'm away next week", "next week", "2023-06-19", "2023-06-26"},
    {"This week has been hard", "This week", "2023-06-12", "2023-06-19"},
    {"We hiked last weekend", "last weekend", "2023-06-10", "2023-06-12"},
    {"We hike this weekend", "this weekend", "2023-06-17", "2023-06-19"},
    {"We hiked the weekend before last", "the weekend before last", "2023-06-03", "2023-06-05"},
    {"The fair is the week after next", "the week after next", "2023-06-26", "2023-07-03"},
    {"I joined last month", "last month", "2023-05-01", "2023-06-01"},
    {"I start next month", "next month", "2023-07-01", "2023-08-01"},
    {"I got divorced last year", "last year", "2022-01-01", "2023-01-01"},
    {"We will marry next year", "next year", "2024-01-01", "2025-01-01"},
    {"Sales of last quarter", "last quarter", "2023-01-01", "2023-04-01"},
    {"We went to Crete last spring", "last spring", "2023-03-01", "2023-06-01"},
    {"We went to Crete last summer", "last summer", "2022-06-01", "2022-09-01"},
    {"We will sail this summer", "this summer", "2023-06-01", "2023-09-01"},
    {"We'll ski next winter", "next winter", "2023-12-01", "2024-03-01"},
    {"I adopted him two days ago", "two days ago", "2023-06-12", "2023-06-13"},
    {"I adopted him three weeks ago", "three weeks ago", "2023-05-24", "2023-05-25"},
    {"A fortnight ago we split", "A fortnight ago", "2023-05-31", "2023-06-01"},
    {"We met about five years ago", "about five years ago", "2018-06-14", "2018-06-15"},
    {"I planted it a couple of months ago", "a couple of months ago", "2023-04-14", "2023-04-15"},
    {"The parcel came 20 minutes ago", "20 minutes ago", "2023-06-14 10:10", "2023-06-14 10:11"},
    {"Call me in half an hour", "in half an hour", "2023-06-14 11:00", "2023-06-14 11:01"},
    {"The baby is due in three weeks", "in three weeks", "2023-07-05", "2023-07-06"},
    {"It ends two weeks from Friday", "two weeks from Friday", "2023-06-30", "2023-07-01"},
    {"She came back three days after Christmas 2021", "three days after Christmas 2021",
     "2021-12-28", "2021-12-29"},
    {"I trained the week before 9 June", "the week before 9 June", "2023-06-02", "2023-06-09"},
    {"I ran the Sunday before 25 May 2023", "the Sunday before 25 May 2023", "2023-05-21",
     "2023-05-22"},
    {"I painted the weekend after 1 May 2023", "the weekend after 1 May 2023", "2023-05-06",
     "2023-05-08"},
    {"I began earlier this year", "earlier this year", "2023-01-01", "2023-06-14"},
    {"I read a lot over the last two weeks", "the last two weeks", "2023-05-31", "2023-06-14"},
    {"I'll travel for the next 10 days", "the next 10 days", "2023-06-15", "2023-06-25"},
    {"In May I stopped smoking", "May", "2023-05-01", "2023-06-01"},
    {"In August I stopped smoking", "August", "2022-08-01", "2022-09-01"},
    {"In August I will stop smoking", "August", "2023-08-01", "2023-09-01"},
    {"We talked the other day", "the other day", "2023-06-07", "2023-06-14"},
    {"The tuesday of last week was hot", "tuesday of last week", "2023-06-06", "2023-06-07"},
    {"Let's meet next week on Thursday", "next week on Thursday", "2023-06-22", "2023-06-23"},
};
INSTANTIATE_TEST_SUITE_P(Relative, TimeSpans, testing::ValuesIn(kRelative));

constexpr SpanCase kTimes[] = {
    {"Wake me at 7:15", "at 7:15", "2023-06-14 07:15", "2023-06-14 07:16"},
    {"Dinner is at 8pm", "at 8pm", "2023-06-14 20:00", "2023-06-14 21:00"},
    {"Tea at 5, please", "at 5", "2023-06-14 17:00", "2023-06-14 18:00"},
    {"Come at half past six", "at half past six", "2023-06-14 18:30", "2023-06-14 18:31"},
    {"It was a quarter to nine", "a quarter to nine", "2023-06-14 08:45", "2023-06-14 08:46"},
    {"Meet me at noon", "at noon", "2023-06-14 12:00", "2023-06-14 13:00"},
    {"The train leaves tomorrow at 6.40 am", "tomorrow at 6.40 am", "2023-06-15 06:40",
     "2023-06-15 06:41"},
    {"See you tonight at 8pm", "tonight at 8pm", "2023-06-14 20:00", "2023-06-14 21:00"},
    {"The call is tonight at 1", "tonight at 1", "2023-06-15 01:00", "2023-06-15 02:00"},
    {"I ran this morning", "this morning", "2023-06-14 08:00", "2023-06-14 12:00"},
    {"I slept badly last night", "last night", "2023-06-13 20:00", "2023-06-14 00:00"},
    {"We talked yesterday evening", "yesterday evening", "2023-06-13 16:00", "2023-06-13 20:00"},
    {"He phoned late this morning", "late this morning", "2023-06-14 10:00", "2023-06-14 12:00"},
    {"I write best in the morning", "in the morning", "2023-06-14 08:00", "2023-06-14 12:00"},
    {"We landed on Friday afternoon", "Friday afternoon", "2023-06-09 12:00", "2023-06-09 16:00"},
    {"I'll be there Saturday at nine thirty", "Saturday at nine thirty", "2023-06-17 09:30",
     "2023-06-17 09:31"},
    {"Book the table for 3 July at 19:30", "3 July at 19:30", "2023-07-03 19:30",
     "2023-07-03 19:31"},
    {"8am this morning was cold", "8am this morning", "2023-06-14 08:00", "2023-06-14 09:00"},
    {"The course runs 2 to 4pm tomorrow", "2 to 4pm tomorrow", "2023-06-15 14:00",
     "2023-06-15 16:00"},
    {"I work from 9 to 5:30pm", "from 9 to 5:30pm", "2023-06-14 09:00", "2023-06-14 17:30"},
    {"I'm free next Monday 10-12", "next Monday 10-12", "2023-06-19 10:00", "2023-06-19 12:00"},
    {"The doctor sees me tomorrow before 11am", "tomorrow before 11am", "-", "2023-06-15 11:00"},
};
INSTANTIATE_TEST_SUITE_P(Times, TimeSpans, testing::ValuesIn(kTimes));

constexpr SpanCase kRanges[] = {
    {"We camped from 3 to 5 May", "from 3 to 5 May", "2023-05-03", "2023-05-06"},
    {"We camped May 3-5", "May 3-5", "2023-05-03", "2023-05-06"},
    {"I was off between Monday and Friday", "between Monday and Friday", "2023-06-05",
     "2023-06-10"},
    {"I travelled May-June 2022", "May-June 2022", "2022-05-01", "2022-07-01"},
    {"I lived there from 2010 to 2014", "from 2010 to 2014", "2010-01-01", "2015-01-01"},
    {"I lived there 2010-2014.", "2010-2014", "2010-01-01", "2015-01-01"},
    {"She studied from October 2015 until June 2018", "from October 2015 until June 2018",
     "2015-10-01", "2018-07-01"},
    {"The fair will run from 28 June to 2 July", "from 28 June to 2 July", "2023-06-28",
     "2023-07-03"},
    {"We were away from Nov to March", "from Nov to March", "2022-11-01", "2023-04-01"},
    {"I have worked here since 2016", "since 2016", "2016-01-01", "-"},
    {"I haven't smoked since last Tuesday", "since last Tuesday", "2023-06-13", "-"},
    {"I stay until Friday", "until Friday", "-", "2023-06-10"},
    {"The report will be done by next Friday", "by next Friday", "-", "2023-06-24"},
    {"Never call me before 9am", "before 9am", "-", "2023-06-14 09:00"},
    {"I lived alone before 2012", "before 2012", "-", "2012-01-01"},
    {"After May 2020 we never met", "After May 2020", "2020-06-01", "-"},
    {"I will be abroad for two weeks starting 1 July", "for two weeks starting 1 July",
     "2023-07-01", "2023-07-15"},
    {"The course will run from 9am for 3 hours", "from 9am for 3 hours", "2023-06-14 09:00",
     "2023-06-14 12:00"},
    {"I am here from now until 6pm", "from now until 6pm", "2023-06-14 10:30", "2023-06-14 18:00"},
};
INSTANTIATE_TEST_SUITE_P(Ranges, TimeSpans, testing::ValuesIn(kRanges));

struct FormCase {
  std::string_view text;
  std::string_view words;
  std::string_view timex;
  std::int64_t duration_s;
};

std::string PrintToString(const FormCase& c) {
  return std::string(c.text);
}

class TimeForms : public testing::TestWithParam<FormCase> {};

TEST_P(TimeForms, AreNormalisedWithoutAPosition) {
  const FormCase& c = GetParam();
  const auto found = FindTimeExpressions(c.text, kNow);
  ASSERT_EQ(found.size(), 1U) << c.text;
  EXPECT_EQ(c.text.substr(found[0].begin, found[0].end - found[0].begin), c.words);
  EXPECT_EQ(found[0].timex, c.timex);
  EXPECT_EQ(found[0].duration_ms, c.duration_s * 1000);
  EXPECT_EQ(found[0].kind,
            c.duration_s > 0 ? TimeExpressionKind::kDuration : TimeExpressionKind::kSet);
  EXPECT_EQ(found[0].range, (TimeRange{kNow, kNow}));
}

constexpr FormCase kForms[] = {
    {"I studied for 3 years", "3 years", "P3Y", 3LL * 365 * 86400},
    {"Boil it for 10 minutes", "10 minutes", "PT10M", 600},
    {"It took one and a half hours", "one and a half hours", "PT1.5H", 5400},
    {"I waited a few hours", "a few hours", "PT3H", 10800},
    {"I stayed for a week", "a week", "P1W", 604800},
    {"I rested all day", "all day", "P1D", 86400},
    {"A 15-minute walk", "15-minute", "PT15M", 900},
    {"It lasted 2 years and 3 months", "2 years and 3 months", "P2Y3M", (2LL * 365 + 90) * 86400},
    {"I swim every Tuesday", "every Tuesday", "XXXX-WXX-2", 0},
    {"I swim every Tuesday at 6pm", "every Tuesday at 6pm", "XXXX-WXX-2T18", 0},
    {"We meet weekly", "weekly", "P1W", 0},
    {"I see him twice a month", "twice a month", "P1M", 0},
    {"I call my mother every other day", "every other day", "P2D", 0},
    {"Choir is on Thursdays", "Thursdays", "XXXX-WXX-4", 0},
    {"I teach Friday mornings", "Friday mornings", "XXXX-WXX-5TMO", 0},
    {"I walk every evening", "every evening", "TEV", 0},
    {"We go skiing every winter", "every winter", "WI", 0},
    {"I take one every 8 hours", "every 8 hours", "PT8H", 0},
    {"I run at 6am every day", "at 6am every day", "T06", 0},
};
INSTANTIATE_TEST_SUITE_P(DurationsAndRecurrences, TimeForms, testing::ValuesIn(kForms));

class NoTimes : public testing::TestWithParam<std::string_view> {};

TEST_P(NoTimes, AreSeenInWordsThatOnlyLookLikeOne) {
  const auto found = FindTimeExpressions(GetParam(), kNow);
  EXPECT_TRUE(found.empty()) << Show(found.front(), GetParam());
}

constexpr std::string_view kNoTimes[] = {
    "You may be right about that.",
    "They march through the streets.",
    "The sun was hot and we sat down.",
    "There are two to four people in the room.",
    "It costs $2000 and weighs 12.5 kg.",
    "Call 555-1212 about order 2010-77.",
    "First, wash it; second, dry it.",
    "One day I hope to fly.",
    "Give me a second chance",
    "My son is 5 years old",
    "The ratio is 4:3 and the score 2-1",
    "I would fall for it again",
    "April told me about June's garden",
    "",
    "\xff\xfe\x80 \xe2\x80",
};
INSTANTIATE_TEST_SUITE_P(Words, NoTimes, testing::ValuesIn(kNoTimes));

TEST(TimeExpressions, TwoMonthsAgoSpeaksInMonthsAndIsApproximate) {
  const auto found = FindTimeExpressions("We met two months ago.", kNow);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].granularity, TimeGranularity::kMonth);
  EXPECT_TRUE(found[0].approximate);
}

TEST(TimeExpressions, ADayWithoutTellingVerbFollowsThePreference) {
  const auto past = FindTimeExpressions("Dentist Friday", kNow);
  const auto future =
      FindTimeExpressions("Dentist Friday", kNow, {.preference = TimePreference::kFuture});
  ASSERT_EQ(past.size(), 1U);
  ASSERT_EQ(future.size(), 1U);
  EXPECT_EQ(past[0].range.start, At("2023-06-09", {}));
  EXPECT_EQ(future[0].range.start, At("2023-06-16", {}));
}

TEST(TimeExpressions, TheDayComesFirstWhereTheOptionsSaySo) {
  const auto month_first = FindTimeExpressions("since 4/5/2022", kNow);
  const auto day_first = FindTimeExpressions("since 4/5/2022", kNow, {.day_first = true});
  EXPECT_EQ(month_first.at(0).range.start, At("2022-04-05", {}));
  EXPECT_EQ(day_first.at(0).range.start, At("2022-05-04", {}));
}

TEST(TimeExpressions, SeveralAreFoundInOrderWithoutOverlap) {
  constexpr std::string_view text =
      "I moved on 3 May 2021, quit two weeks ago, and start again next Monday at 9am.";
  const auto found = FindTimeExpressions(text, kNow);
  ASSERT_EQ(found.size(), 3U);
  for (std::size_t i = 1; i < found.size(); ++i) {
    EXPECT_LE(found[i - 1].end, found[i].begin);
  }
  EXPECT_EQ(found[2].range.start, At("2023-06-19 09:00", {}));
}

TEST(TimeExpressions, ATimeBeyondTheCalendarIsClampedAndNeverOverflows) {
  for (const Timestamp reference : {Timestamp::min(), Timestamp::max(), Timestamp{}}) {
    const auto found = FindTimeExpressions(
        "99999 years ago, in 100000 centuries, 999999999 days before yesterday", reference);
    for (const TimeExpression& e : found) {
      EXPECT_LE(e.range.start, e.range.end);
    }
  }
}

}  // namespace
}  // namespace umbranet
