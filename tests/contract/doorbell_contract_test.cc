// Goal: every doorbell keeps the promises written in ports/doorbell.h.
// Method: one suite, run against each of DoorbellEngines(). A doorbell may lose, double and delay
// rings, so nothing here counts them: what is asked is that a ring wakes, and that waiting ends.
#include <atomic>
#include <latch>
#include <thread>

#include <gtest/gtest.h>

#include "tests/contract/doorbell_engines.h"
#include "tests/doubles/manual_clock.h"

namespace umbranet {
namespace {}  // namespace

void PrintTo(const DoorbellEngine& engine, std::ostream* out) {
  *out << engine.name;
}

namespace {

class DoorbellContract : public testing::TestWithParam<DoorbellEngine> {
 protected:
  void SetUp() override {
    if (const std::string missing = GetParam().missing(); !missing.empty()) {
      GTEST_SKIP() << missing;
    }
    bell_ = GetParam().make();
  }

  // What a Wait says that may not wait at all.
  bool IsRung() { return bell_->Wait({}, Deadline::After(clock_, Millis{0})); }

  ManualClock clock_;
  std::unique_ptr<Doorbell> bell_;
};

INSTANTIATE_TEST_SUITE_P(Engines, DoorbellContract, testing::ValuesIn(DoorbellEngines()),
                         [](const auto& engine) { return engine.param.name; });

TEST_P(DoorbellContract, ANewDoorbellIsHealthyAndSilent) {
  EXPECT_TRUE(bell_->Healthy());
  EXPECT_FALSE(IsRung());
}

TEST_P(DoorbellContract, ARingBeforeTheWaitIsHeard) {
  bell_->Ring({});
  EXPECT_TRUE(bell_->Wait({}, Deadline::Never()));
}

TEST_P(DoorbellContract, ARingWakesAWaiter) {
  std::atomic<int> heard{0};
  std::jthread waiter([&](const std::stop_token& stop) {
    while (bell_->Wait(stop, Deadline::Never())) {
      ++heard;
      heard.notify_all();
    }
  });
  for (int ring = 1; ring <= 200; ++ring) {
    bell_->Ring({});
    while (heard < ring) {
      heard.wait(ring - 1);
    }
  }
}

TEST_P(DoorbellContract, EveryWaiterIsWokenWhenEachIsRungFor) {
  constexpr int kWaiters = 4;
  std::latch all_heard(kWaiters);
  std::atomic<bool> stop_ringing{false};
  std::vector<std::jthread> waiters;
  for (int i = 0; i < kWaiters; ++i) {
    waiters.emplace_back([&] {
      EXPECT_TRUE(bell_->Wait({}, Deadline::Never()));
      all_heard.count_down();
    });
  }
  std::jthread ringer([&] {
    while (!stop_ringing) {
      bell_->Ring({});
    }
  });
  all_heard.wait();
  stop_ringing = true;
}

TEST_P(DoorbellContract, RingsThatNobodyHeardDoNotKeepWorkersBusy) {
  for (int i = 0; i < 1000; ++i) {
    bell_->Ring({});
  }
  int heard = 0;
  while (heard <= 10 && IsRung()) {
    ++heard;
  }
  EXPECT_GE(heard, 1);
  EXPECT_LE(heard, 10);
}

TEST_P(DoorbellContract, AWaitEndsAtItsDeadline) {
  EXPECT_FALSE(bell_->Wait({}, Deadline::After(clock_, Millis{-1})));
  const SystemClock real;
  EXPECT_FALSE(bell_->Wait({}, Deadline::After(real, Millis{5})));
}

TEST_P(DoorbellContract, AStopEndsAWait) {
  std::latch waiting(1);
  bool heard = true;
  std::jthread waiter([&](const std::stop_token& stop) {
    waiting.count_down();
    heard = bell_->Wait(stop, Deadline::Never());
  });
  waiting.wait();
  waiter.request_stop();
  waiter.join();
  EXPECT_FALSE(heard);
}

TEST_P(DoorbellContract, AWaitThatIsStoppedAlreadyDoesNotBegin) {
  std::stop_source source;
  source.request_stop();
  EXPECT_FALSE(bell_->Wait(source.get_token(), Deadline::Never()));
}

}  // namespace
}  // namespace umbranet
