#include "umbranet/adapters/postgres/accept_batcher.h"

#include <algorithm>
#include <utility>

namespace umbranet {

namespace {

// Looked at this often, since a deadline may be on a clock that is turned by hand.
constexpr Millis kSlice{50};

}  // namespace

AcceptBatcher::AcceptBatcher(Options options, Store store)
    : options_(options), store_(std::move(store)) {
  for (std::size_t i = 0; i < std::max<std::size_t>(options_.threads, 1); ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { Run(stop); });
  }
}

AcceptBatcher::~AcceptBatcher() {
  for (std::jthread& thread : threads_) {
    thread.request_stop();
  }
  threads_.clear();
}

AcceptBatcher::Outcome AcceptBatcher::Accept(AcceptRequest request) {
  const Deadline deadline = request.deadline;
  const auto waiting = std::make_shared<Waiting>(std::move(request));
  MutexLock lock(mutex_);
  if (queue_.size() >= options_.waiting_max) {
    Error error{ErrorCode::kResourceExhausted, "postgres: too many turns wait to be stored"};
    error.retry_after = Millis{1'000};
    return error;
  }
  queue_.push_back(waiting);
  work_.NotifyOne();
  while (!waiting->outcome.has_value()) {
    if (deadline.Expired()) {
      waiting->given_up = true;
      return DeadlineExceeded(waiting->taken
                                  ? "postgres: no answer in time; whether the turns are stored is "
                                    "unknown"
                                  : "postgres: the turns waited too long and were not stored");
    }
    waiting->done.WaitFor(mutex_, std::min<std::chrono::nanoseconds>(deadline.Remaining(), kSlice));
  }
  return *std::move(waiting->outcome);
}

std::size_t AcceptBatcher::WaitingCount() const {
  MutexLock lock(mutex_);
  return queue_.size();
}

AcceptBatcher::Batch AcceptBatcher::Take() {
  Batch batch;
  std::size_t turns = 0;
  while (!queue_.empty()) {
    std::shared_ptr<Waiting>& next = queue_.front();
    const std::size_t size = next->request.turns.size();
    if (!next->given_up) {
      if (!batch.empty() && turns + size > options_.turns_max) {
        break;
      }
      turns += size;
      next->taken = true;
      batch.push_back(std::move(next));
    }
    queue_.pop_front();
  }
  return batch;
}

void AcceptBatcher::Run(const std::stop_token& stop) {
  for (;;) {
    Batch batch;
    {
      MutexLock lock(mutex_);
      while (queue_.empty() && !stop.stop_requested()) {
        work_.WaitFor(mutex_, stop, Millis{1'000});
      }
      if (queue_.empty()) {
        return;
      }
      batch = Take();
    }
    if (batch.empty()) {
      continue;
    }
    // As long as anyone of them is willing to wait; the others leave before.
    std::vector<const AcceptRequest*> requests;
    Deadline latest = batch.front()->request.deadline;
    for (const auto& one : batch) {
      requests.push_back(&one->request);
      if (one->request.deadline.Remaining() > latest.Remaining()) {
        latest = one->request.deadline;
      }
    }
    std::vector<Outcome> outcomes = store_(requests, latest);
    MutexLock lock(mutex_);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      batch[i]->outcome = std::move(outcomes[i]);
      batch[i]->done.NotifyOne();
    }
  }
}

}  // namespace umbranet
