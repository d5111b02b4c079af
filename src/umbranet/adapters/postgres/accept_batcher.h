// Joins the turns that many callers hand in at the same time into few transactions, since a
// transaction costs a wait for the disk however much it holds.
//
// All methods may be called from any thread. A caller waits no longer than his deadline; what he
// handed in may be stored all the same.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/domain/reflection_job.h"
#include "umbranet/ports/journal.h"

namespace umbranet {

// What one caller hands in, all or none of it.
struct AcceptRequest {
  std::vector<Interaction> turns;
  RunMode mode = RunMode::kBackground;
  std::string traceparent;
  Deadline deadline;
};

class AcceptBatcher {
 public:
  using Outcome = Result<std::vector<AcceptedTurn>>;
  // Stores what it is given and returns an outcome for each. On the batcher's threads.
  using Store =
      std::function<std::vector<Outcome>(std::span<const AcceptRequest* const>, Deadline)>;

  struct Options {
    std::size_t turns_max = 256;  // In one transaction, but for a request that is larger.
    std::size_t threads = 2;      // Transactions at once.
    std::size_t waiting_max = 20'000;
  };

  AcceptBatcher(Options options, Store store);
  // What was handed in is stored before it returns.
  ~AcceptBatcher();
  AcceptBatcher(const AcceptBatcher&) = delete;
  AcceptBatcher& operator=(const AcceptBatcher&) = delete;

  // kResourceExhausted: too many wait already, and nothing was taken.
  Outcome Accept(AcceptRequest request);

  // Requests that no transaction has taken yet.
  [[nodiscard]] std::size_t WaitingCount() const;

 private:
  struct Waiting {
    explicit Waiting(AcceptRequest asked) : request(std::move(asked)) {}

    AcceptRequest request;
    std::optional<Outcome> outcome;
    ConditionVariable done;
    bool taken = false;
    bool given_up = false;
  };

  using Batch = std::vector<std::shared_ptr<Waiting>>;

  void Run(const std::stop_token& stop);
  Batch Take() REQUIRES(mutex_);

  const Options options_;
  const Store store_;
  mutable Mutex mutex_;
  ConditionVariable work_;
  std::deque<std::shared_ptr<Waiting>> queue_ GUARDED_BY(mutex_);
  std::list<std::jthread> threads_;  // Last.
};

}  // namespace umbranet
