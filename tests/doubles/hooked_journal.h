// A journal that lets a test do something at the moment between a reader's question and its answer,
// and counts what is asked of it; everything is passed on to the one it wraps.
//
// All methods may be called from any thread; the hook runs on the caller's.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "umbranet/base/mutex.h"
#include "umbranet/ports/journal.h"

namespace umbranet {

class HookedJournal final : public Journal {
 public:
  explicit HookedJournal(Journal& inner) : inner_(inner) {}

  // Runs once, after the next Recent has been answered and before its caller has the answer.
  void AfterNextRecent(std::function<void()> hook) {
    const MutexLock lock(mutex_);
    hook_ = std::move(hook);
  }

  // How many turns the calls of Recent asked for, since the last call of this.
  std::vector<std::size_t> TakeRecentLimits() {
    const MutexLock lock(mutex_);
    return std::exchange(limits_, {});
  }

  Result<std::vector<Interaction>> Recent(const UserKey& user, std::string_view session_id,
                                          std::int64_t before_sequence, std::size_t limit,
                                          Deadline deadline) override {
    auto turns = inner_.Recent(user, session_id, before_sequence, limit, deadline);
    std::function<void()> hook;
    {
      const MutexLock lock(mutex_);
      limits_.push_back(limit);
      hook = std::exchange(hook_, nullptr);
    }
    if (hook) {
      hook();
    }
    return turns;
  }

  Result<std::vector<AcceptedTurn>> Accept(std::span<const Interaction> turns, RunMode mode,
                                           std::string_view traceparent,
                                           Deadline deadline) override {
    return inner_.Accept(turns, mode, traceparent, deadline);
  }

  Result<std::vector<Interaction>> Read(const UserKey& user,
                                        std::span<const std::string> interaction_ids,
                                        Deadline deadline) override {
    return inner_.Read(user, interaction_ids, deadline);
  }

  Result<JournalPage> List(const UserKey& user, std::string_view cursor, std::size_t limit,
                           Deadline deadline) override {
    return inner_.List(user, cursor, limit, deadline);
  }

  Result<std::vector<std::int64_t>> Unreflected(const UserKey& user, std::size_t limit,
                                                Deadline deadline) override {
    return inner_.Unreflected(user, limit, deadline);
  }

  Result<std::vector<Interaction>> ReadAt(const UserKey& user,
                                          std::span<const std::int64_t> sequences,
                                          Deadline deadline) override {
    return inner_.ReadAt(user, sequences, deadline);
  }

  Result<Freshness> ReadFreshness(const UserKey& user, Deadline deadline) override {
    return inner_.ReadFreshness(user, deadline);
  }

  Result<JournalErasure> EraseUser(const UserKey& user, Deadline deadline) override {
    return inner_.EraseUser(user, deadline);
  }

  Result<std::optional<StoredAnswer>> FindAnswer(std::string_view tenant,
                                                 std::string_view idempotency_key,
                                                 Deadline deadline) override {
    return inner_.FindAnswer(tenant, idempotency_key, deadline);
  }

  Status SaveAnswer(const UserKey& user, std::string_view idempotency_key,
                    const StoredAnswer& answer, Deadline deadline) override {
    return inner_.SaveAnswer(user, idempotency_key, answer, deadline);
  }

 private:
  Journal& inner_;
  Mutex mutex_;
  std::function<void()> hook_ GUARDED_BY(mutex_);
  std::vector<std::size_t> limits_ GUARDED_BY(mutex_);
};

}  // namespace umbranet
