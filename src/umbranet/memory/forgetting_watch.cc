#include "umbranet/memory/forgetting_watch.h"

#include <utility>

#include "umbranet/base/repeated_call.h"

namespace umbranet {

ForgettingWatch::ForgettingWatch(const Clock& clock, ForgettingRecord& record,
                                 LedgerClock& ledger_clock, Held held, Options options)
    : clock_(clock),
      record_(record),
      ledger_clock_(ledger_clock),
      held_(std::move(held)),
      options_(options),
      looked_at_(clock.SteadyNow()) {}

ForgettingWatch::~ForgettingWatch() {
  Stop();
}

void ForgettingWatch::Start() {
  const MutexLock lock(thread_mutex_);
  if (!thread_.joinable()) {
    [[maybe_unused]] const Status looked = Look(Deadline::After(clock_, options_.budget));
    thread_ = std::jthread([this](const std::stop_token& stop) {
      RepeatUntilStopped(stop, options_.every, [this] {
        // What fails is tried again with the next look.
        [[maybe_unused]] const Status again = Look(Deadline::After(clock_, options_.budget));
      });
    });
  }
}

void ForgettingWatch::Stop() {
  std::jthread leaving;
  const MutexLock lock(thread_mutex_);
  leaving = std::move(thread_);
}

Status ForgettingWatch::Look(Deadline deadline) {
  const MutexLock lock(mutex_);
  Status read = ReadNews(deadline);
  const SteadyTime now = clock_.SteadyNow();
  if (read.ok()) {
    looked_at_ = now;
  } else if (now - looked_at_ >= options_.blind_max) {
    looked_at_ = now;
    held_.let_go_of_all();
  }
  UMBRANET_RETURN_IF_ERROR(LetGoAgain(deadline));
  return read;
}

Status ForgettingWatch::ReadNews(Deadline deadline) {
  if (!seen_) {
    UMBRANET_ASSIGN_OR_RETURN(const ForgettingNews first, record_.After(Timestamp{}, 0, deadline));
    // What is held by now was put there without knowing of them.
    held_.let_go_of_all();
    seen_ = first.latest;
    ledger_clock_.Forgot(first.latest);
  }
  for (;;) {
    UMBRANET_ASSIGN_OR_RETURN(const ForgettingNews news,
                              record_.After(*seen_, options_.page, deadline));
    if (news.ledger_time) {
      ledger_clock_.Tell(*news.ledger_time);
    }
    for (const Forgetting& forgetting : news.forgettings) {
      UMBRANET_RETURN_IF_ERROR(held_.let_go(forgetting.user, deadline));
      Remember(forgetting.user);
      seen_ = forgetting.at;
      ledger_clock_.Forgot(forgetting.at);
    }
    if (news.forgettings.size() < options_.page) {
      return {};
    }
  }
}

void ForgettingWatch::Remember(const UserKey& user) {
  const SteadyTime due = clock_.SteadyNow() + options_.again_after;
  if (again_.size() < options_.again_max) {
    again_.push_back({due, user});
  } else {
    again_.back() = {due, std::nullopt};
  }
}

Status ForgettingWatch::LetGoAgain(Deadline deadline) {
  while (!again_.empty() && again_.front().due <= clock_.SteadyNow()) {
    if (again_.front().user) {
      UMBRANET_RETURN_IF_ERROR(held_.let_go(*again_.front().user, deadline));
    } else {
      held_.let_go_of_all();
    }
    again_.pop_front();
  }
  return {};
}

}  // namespace umbranet
