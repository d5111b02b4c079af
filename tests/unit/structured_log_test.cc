// Goal: every line can be read by a machine whatever is in its fields, and a flood of one event
// stays a trickle that says so.
// Method: a log that writes into a vector, under a clock that is turned by hand.
#include "umbranet/telemetry/structured_log.h"

#include <string>
#include <thread>
#include <vector>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/doubles/manual_clock.h"

namespace umbranet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class StructuredLogTest : public ::testing::Test {
 protected:
  StructuredLog::Options Options() {
    StructuredLog::Options options;
    options.sink = [this](std::string_view line) { lines_.emplace_back(line); };
    return options;
  }

  std::string Prefix(std::string_view level, std::string_view event) {
    return "ts=" + FormatTimestamp(clock_.Now()) + " level=" + std::string(level) +
           " event=" + std::string(event);
  }

  ManualClock clock_;
  std::vector<std::string> lines_;
};

TEST_F(StructuredLogTest, WritesTheEventAndItsFieldsInOrder) {
  StructuredLog log(clock_, Options());
  const std::string id = "0192";
  log.Info("batch_settled", {{"job_id", id},
                             {"jobs", std::size_t{3}},
                             {"delta", -4},
                             {"solo", true},
                             {"elapsed_ms", 1.25},
                             {"tier", "semantic"}});
  EXPECT_THAT(lines_,
              ElementsAre(Prefix("info", "batch_settled") +
                          " job_id=0192 jobs=3 delta=-4 solo=true elapsed_ms=1.250 tier=semantic"));
}

TEST_F(StructuredLogTest, QuotesWhatWouldOtherwiseBeMisread) {
  StructuredLog log(clock_, Options());
  log.Info("odd", {{"a", "two words"},
                   {"b", "x=y"},
                   {"c", "line\nbreak"},
                   {"d", "say \"hi\"\\"},
                   {"e", ""},
                   {"f", std::string_view("nul\0\x1b[31m", 9)},
                   {"g", "caf\xC3\xA9"}});
  EXPECT_THAT(lines_, ElementsAre(Prefix("info", "odd") +
                                  R"( a="two words" b="x=y" c="line\nbreak" d="say \"hi\"\\" e="")"
                                  R"( f="nul\u0000\u001b[31m" g="café")"));
}

TEST_F(StructuredLogTest, WritesJsonThatParses) {
  auto options = Options();
  options.format = LogFormat::kJson;
  StructuredLog log(clock_, options);
  log.Warning("tier_failed", {{"error", "sqlite: \"disk\"\tfull"}, {"attempt", 2U}, {"x", 0.5}});
  ASSERT_THAT(lines_, SizeIs(1));
  const auto line = boost::json::parse(lines_[0]).as_object();
  EXPECT_EQ(line.at("level").as_string(), "warning");
  EXPECT_EQ(line.at("event").as_string(), "tier_failed");
  EXPECT_EQ(line.at("error").as_string(), "sqlite: \"disk\"\tfull");
  EXPECT_EQ(line.at("attempt").as_int64(), 2);
}

TEST_F(StructuredLogTest, LeavesOutWhatIsBelowItsLevel) {
  auto options = Options();
  options.level = LogLevel::kWarning;
  StructuredLog log(clock_, options);
  log.Debug("a");
  log.Info("b");
  log.Warning("c");
  log.Error("d");
  EXPECT_THAT(lines_, ElementsAre(Prefix("warning", "c"), Prefix("error", "d")));
  EXPECT_FALSE(log.Enabled(LogLevel::kInfo));
}

TEST_F(StructuredLogTest, HoldsBackRepeatsAndSaysHowMany) {
  auto options = Options();
  options.burst = 2;
  options.window = Millis{1'000};
  StructuredLog log(clock_, options);
  for (int i = 0; i < 10; ++i) {
    log.Warning("broker_away");
  }
  log.Warning("another_event");
  EXPECT_THAT(lines_, SizeIs(3));
  clock_.Advance(Millis{1'000});
  log.Warning("broker_away");
  ASSERT_THAT(lines_, SizeIs(4));
  EXPECT_THAT(lines_[3], HasSubstr("suppressed=8"));
}

TEST_F(StructuredLogTest, SaysAtTheEndWhatWasStillHeldBack) {
  {
    auto options = Options();
    options.burst = 1;
    StructuredLog log(clock_, options);
    log.Warning("broker_away");
    log.Warning("broker_away");
    log.Warning("broker_away");
  }
  ASSERT_THAT(lines_, SizeIs(2));
  EXPECT_THAT(lines_[1], HasSubstr("event=log_lines_suppressed of_event=broker_away "
                                   "suppressed_lines=2"));
}

TEST_F(StructuredLogTest, NeverHoldsBackDebugLines) {
  auto options = Options();
  options.level = LogLevel::kDebug;
  options.burst = 1;
  StructuredLog log(clock_, options);
  for (int i = 0; i < 5; ++i) {
    log.Debug("span");
  }
  EXPECT_THAT(lines_, SizeIs(5));
}

TEST_F(StructuredLogTest, KeepsABoundedTableOfEvents) {
  auto options = Options();
  options.burst = 3;
  StructuredLog log(clock_, options);
  for (int i = 0; i < 2'000; ++i) {
    log.Info("event_" + std::to_string(i));
  }
  EXPECT_THAT(lines_, SizeIs(512 + 3));
}

TEST_F(StructuredLogTest, CutsLongValues) {
  auto options = Options();
  options.value_bytes_max = 8;
  StructuredLog log(clock_, options);
  log.Info("long", {{"value", std::string(100, 'x')}});
  EXPECT_THAT(lines_, ElementsAre(Prefix("info", "long") + " value=xxxxxxxx"));
}

TEST_F(StructuredLogTest, OffIsSilent) {
  auto options = Options();
  options.level = LogLevel::kOff;
  StructuredLog log(clock_, options);
  log.Error("anything");
  log.Flush();
  EXPECT_THAT(lines_, IsEmpty());
}

TEST_F(StructuredLogTest, KeepsLinesWholeUnderManyThreads) {
  auto options = Options();
  options.burst = 100'000;
  StructuredLog log(clock_, options);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < 200; ++n) {
          log.Info("busy", {{"n", n}});
        }
      });
    }
  }
  ASSERT_THAT(lines_, SizeIs(800));
  for (const std::string& line : lines_) {
    EXPECT_EQ(line.find("ts="), line.rfind("ts="));
  }
}

TEST(StructuredLogNames, AreParsedBack) {
  for (const LogLevel level :
       {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning, LogLevel::kError, LogLevel::kOff}) {
    EXPECT_EQ(ParseLogLevel(LogLevelName(level)), level);
  }
  EXPECT_EQ(ParseLogLevel("loud"), std::nullopt);
  EXPECT_EQ(ParseLogFormat("json"), LogFormat::kJson);
  EXPECT_EQ(ParseLogFormat("xml"), std::nullopt);
}

RC_GTEST_PROP(StructuredLogProperty, AnyBytesGiveOneLineOfValidJson, (const std::string& value)) {
  ManualClock clock;
  std::vector<std::string> lines;
  StructuredLog::Options options;
  options.format = LogFormat::kJson;
  options.sink = [&](std::string_view line) { lines.emplace_back(line); };
  StructuredLog log(clock, options);
  log.Info("any", {{"value", value}});
  RC_ASSERT(lines.size() == 1U);
  RC_ASSERT(lines[0].find('\n') == std::string::npos);
  RC_ASSERT(boost::json::parse(lines[0]).is_object());
}

}  // namespace
}  // namespace umbranet
