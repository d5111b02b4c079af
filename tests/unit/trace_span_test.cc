// Goal: traces are continued as W3C Trace Context says, and a bad header costs nobody anything.
// Method: the specification's own examples and their neighbours, then random bytes.
#include "umbranet/telemetry/trace_span.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/doubles/manual_clock.h"

namespace umbranet {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::string_view kValid = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(Traceparent, IsReadAndWrittenBack) {
  const auto context = ParseTraceparent(kValid);
  ASSERT_TRUE(context);
  EXPECT_EQ(context->trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(context->span_id, "00f067aa0ba902b7");
  EXPECT_TRUE(context->sampled);
  EXPECT_EQ(FormatTraceparent(*context), kValid);
}

TEST(Traceparent, ReadsTheSampledFlagAlone) {
  EXPECT_FALSE(
      ParseTraceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00")->sampled);
  EXPECT_TRUE(ParseTraceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0b")->sampled);
  EXPECT_FALSE(
      ParseTraceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0a")->sampled);
}

TEST(Traceparent, RefusesWhatTheSpecificationRefuses) {
  for (const std::string_view bad :
       {"", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473x-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",
        "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01more"}) {
    EXPECT_EQ(ParseTraceparent(bad), std::nullopt) << bad;
  }
}

TEST(Traceparent, ReadsLaterVersionsAsFarAsItKnowsThem) {
  EXPECT_TRUE(ParseTraceparent("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more"));
  EXPECT_TRUE(ParseTraceparent("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
}

TEST(Trace, ContinuesAValidParent) {
  const TraceContext child = ContinueTrace(kValid);
  EXPECT_EQ(child.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_NE(child.span_id, "00f067aa0ba902b7");
  EXPECT_TRUE(ParseTraceparent(FormatTraceparent(child)));
}

TEST(Trace, StartsAnewAfterAMalformedParent) {
  const TraceContext a = ContinueTrace("nonsense");
  const TraceContext b = ContinueTrace("nonsense");
  EXPECT_NE(a.trace_id, b.trace_id);
  EXPECT_TRUE(ParseTraceparent(FormatTraceparent(a)));
}

class TraceSpanTest : public ::testing::Test {
 protected:
  StructuredLog MakeLog(LogLevel level) {
    StructuredLog::Options options;
    options.level = level;
    options.sink = [this](std::string_view line) { lines_.emplace_back(line); };
    return {clock_, options};
  }

  ManualClock clock_;
  std::vector<std::string> lines_;
};

TEST_F(TraceSpanTest, LogsItsTimeAndItsParentOnce) {
  StructuredLog log = MakeLog(LogLevel::kDebug);
  const TraceContext root = NewTrace();
  {
    TraceSpan outer(clock_, log, "reflect_batch", root);
    TraceSpan inner(outer, "extract");
    clock_.Advance(Millis{12});
    inner.End("transient");
    inner.End();
    clock_.Advance(Millis{3});
  }
  ASSERT_THAT(lines_, SizeIs(2));
  EXPECT_THAT(lines_[0], HasSubstr("name=extract trace_id=" + root.trace_id));
  EXPECT_THAT(lines_[0],
              HasSubstr("parent_id=" + root.span_id + " elapsed_ms=12.000 outcome=transient"));
  EXPECT_THAT(lines_[1], HasSubstr("elapsed_ms=15.000 outcome=ok"));
}

TEST_F(TraceSpanTest, SaysNothingAboveDebugOrWhenNotSampled) {
  StructuredLog quiet = MakeLog(LogLevel::kInfo);
  {
    TraceSpan span(clock_, quiet, "quiet", NewTrace());
  }
  StructuredLog loud = MakeLog(LogLevel::kDebug);
  TraceContext unsampled = NewTrace();
  unsampled.sampled = false;
  {
    TraceSpan span(clock_, loud, "unsampled", unsampled);
  }
  EXPECT_THAT(lines_, IsEmpty());
}

RC_GTEST_PROP(TraceparentProperty, AnyBytesAreRefusedOrRoundTrip, (std::string bytes)) {
  if (const auto context = ParseTraceparent(bytes)) {
    RC_ASSERT(ParseTraceparent(FormatTraceparent(*context)) == context);
  }
  RC_ASSERT(ParseTraceparent(FormatTraceparent(ContinueTrace(bytes))).has_value());
}

}  // namespace
}  // namespace umbranet
