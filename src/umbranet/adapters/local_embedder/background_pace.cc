#include "umbranet/adapters/local_embedder/background_pace.h"

#include <ctime>

#include <pthread.h>
#include <sched.h>

#include "umbranet/base/thread_urgency.h"

namespace umbranet {
namespace {

// A tenth of what a thread that answers gets.
constexpr int kNice = 10;
constexpr std::chrono::seconds kStarvingFor{60};
// Shorter waits are those of a busy moment, which is what giving way is for.
constexpr std::chrono::seconds kWallMin{3};
constexpr int kWaitedTimes = 8;

}  // namespace

void BackgroundPace::GiveWay() const {
  if (Starving()) {
    WorkBehindAnswers(kNice);
    return;
  }
  const sched_param parameters{};
  (void)pthread_setschedparam(pthread_self(), SCHED_IDLE, &parameters);
}

void BackgroundPace::Note(std::chrono::nanoseconds cpu, std::chrono::nanoseconds wall) {
  if (wall >= kWallMin && wall > kWaitedTimes * cpu) {
    starving_until_ns_ = (clock_.SteadyNow() + kStarvingFor).time_since_epoch().count();
  }
}

bool BackgroundPace::Starving() const {
  return clock_.SteadyNow().time_since_epoch().count() < starving_until_ns_;
}

std::chrono::nanoseconds ThreadTime() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace umbranet
