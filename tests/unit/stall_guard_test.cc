// Goal: a call that the guard watches ends in its time, and no other does.
// Method: a pair of sockets in place of a broker; a read from one of them ends only when the guard
// shuts it down or the other one speaks.
#include "umbranet/adapters/rabbitmq/stall_guard.h"

#include <array>
#include <thread>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace umbranet {
namespace {

class StallGuardTest : public testing::Test {
 protected:
  StallGuardTest() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair_.data()), 0); }

  ~StallGuardTest() override {
    guard_.Forget();
    ::close(pair_[0]);
    ::close(pair_[1]);
  }

  // 0: the socket was shut down.
  ssize_t ReadOne() {
    char byte = 0;
    return ::read(pair_[0], &byte, 1);
  }

  void Speak() { EXPECT_EQ(::write(pair_[1], "x", 1), 1); }

  std::array<int, 2> pair_{};
  StallGuard guard_;
};

TEST_F(StallGuardTest, EndsACallThatTakesTooLong) {
  guard_.Watch(pair_[0]);
  guard_.Begin(Millis{5});
  EXPECT_EQ(ReadOne(), 0);
}

TEST_F(StallGuardTest, NoticesABudgetThatIsShorterThanTheOneBefore) {
  guard_.Watch(pair_[0]);
  guard_.Begin(std::chrono::hours(1));
  guard_.Begin(Millis{5});
  EXPECT_EQ(ReadOne(), 0);
}

TEST_F(StallGuardTest, LeavesACallAloneThatIsOverInTime) {
  guard_.Watch(pair_[0]);
  guard_.Begin(std::chrono::hours(1));
  guard_.End();
  Speak();
  EXPECT_EQ(ReadOne(), 1);
}

TEST_F(StallGuardTest, AbortEndsWhatIsUnderWayAndWhatComesLater) {
  guard_.Watch(pair_[0]);
  std::jthread aborter([this] { guard_.Abort(); });
  EXPECT_EQ(ReadOne(), 0);
  aborter.join();
  std::array<int, 2> later{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, later.data()), 0);
  guard_.Watch(later[0]);
  char byte = 0;
  EXPECT_EQ(::read(later[0], &byte, 1), 0);
  guard_.Forget();
  ::close(later[0]);
  ::close(later[1]);
}

TEST_F(StallGuardTest, AForgottenSocketIsLeftAlone) {
  guard_.Watch(pair_[0]);
  guard_.Forget();
  guard_.Abort();
  Speak();
  EXPECT_EQ(ReadOne(), 1);
}

}  // namespace
}  // namespace umbranet
