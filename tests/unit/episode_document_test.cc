// Goal: what a store keeps of an episode in columns of text comes back as it was.
#include "umbranet/domain/episode_document.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace umbranet {
namespace {

using ::testing::ElementsAreArray;
using ::testing::IsEmpty;

TEST(EventTimes, ComeBackAsTheyWere) {
  const std::vector<TimeRange> ranges = {{FromUnixMillis(-5), FromUnixMillis(0)},
                                         {FromUnixMillis(1'714'730'400'000), Timestamp::max()}};
  EXPECT_EQ(FormatEventTimes({ranges[0]}), "-5 0");
  EXPECT_THAT(ReadEventTimes(FormatEventTimes(ranges)), ElementsAreArray(ranges));
  EXPECT_EQ(FormatEventTimes({}), "");
  EXPECT_THAT(ReadEventTimes(""), IsEmpty());
}

}  // namespace
}  // namespace umbranet
