// Goal: a place for crashes does what it was armed for at the passing that was named, costs nothing
// else, and every place there is stands in the code and is reached by a test.
// Method: actions that a process survives are carried out; the sources are read.
#include "umbranet/base/crash_point.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

namespace umbranet {
namespace {

class CrashPointUnitTest : public testing::Test {
 protected:
  ~CrashPointUnitTest() override { (void)ArmCrashPoint("").ok(); }
};

TEST_F(CrashPointUnitTest, FailsAtTheNthPassingOnce) {
  ASSERT_TRUE(ArmCrashPoint("accept.before_commit:3:error").ok());
  EXPECT_TRUE(crash_point::Pass("accept.before_commit").ok());
  EXPECT_TRUE(crash_point::Pass("settle.before_commit").ok());
  EXPECT_TRUE(crash_point::Pass("accept.before_commit").ok());
  EXPECT_EQ(crash_point::Pass("accept.before_commit").error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(crash_point::Pass("accept.before_commit").ok());
  EXPECT_FALSE(crash_point::armed.load());
}

TEST_F(CrashPointUnitTest, RefusesWhatItDoesNotUnderstand) {
  for (const char* const text :
       {"accept.before_commit", "accept.before_commit:1", "accept.before_commit:0:kill",
        "accept.before_commit:x:kill", "accept.before_commit:1:explode", "nowhere:1:kill",
        "accept.before_commit:1:delay=", "accept.before_commit:1:delay=1s", ":::"}) {
    EXPECT_EQ(ArmCrashPoint(text).error().code, ErrorCode::kInvalidArgument) << text;
  }
  EXPECT_FALSE(crash_point::armed.load());
}

std::string ReadAllBelow(const std::string& folder, const std::string& name_holds = "") {
  std::string text;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (entry.path().extension() == ".cc" && name.find(name_holds) != std::string::npos) {
      std::ifstream file(entry.path());
      std::stringstream bytes;
      bytes << file.rdbuf();
      text += bytes.str();
    }
  }
  return text;
}

TEST(CrashPointsTest, EveryPlaceStandsInTheCodeAndIsReachedByATest) {
  const std::string source = ReadAllBelow(UMBRANET_SOURCE_DIR "/src");
  const std::string tests =
      ReadAllBelow(UMBRANET_SOURCE_DIR "/tests/system", "crash_points_test") +
      ReadAllBelow(UMBRANET_SOURCE_DIR "/tests/integration", "crash_points_test");
  for (const std::string_view name : CrashPointNames()) {
    const std::string quoted = "\"" + std::string(name) + "\"";
    EXPECT_NE(source.find("(" + quoted + ")"), std::string::npos) << name << " stands nowhere";
    EXPECT_NE(tests.find(quoted), std::string::npos) << name << " is reached by no test";
  }
}

}  // namespace
}  // namespace umbranet
