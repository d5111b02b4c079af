// The twin of the books of what models cost.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "umbranet/base/mutex.h"
#include "umbranet/ports/model_usage_book.h"

namespace umbranet {

class InMemoryModelUsageBook final : public ModelUsageBook {
 public:
  Status Enter(std::string_view writer, std::uint64_t batch, std::span<const DayUsage> entries,
               Deadline /*deadline*/) override {
    const MutexLock lock(mutex_);
    ++enters;
    if (away) {
      return Unavailable("in-memory book: away");
    }
    std::uint64_t& last = batches_[std::string(writer)];
    if (entries.empty() || batch <= last) {
      return {};
    }
    last = batch;
    std::int64_t newest = 0;
    for (const DayUsage& entry : entries) {
      days_[entry.day][entry.row.key] += entry.row.counts;
      total_[entry.row.key] += entry.row.counts;
      first_day_ = std::min(first_day_.value_or(entry.day), entry.day);
      newest = std::max(newest, entry.day);
    }
    days_.erase(days_.begin(), days_.lower_bound(newest - kUsageDaysMax));
    // As when the answer of a commit is lost.
    return std::exchange(loses_answer, false) ? Status(Unavailable("in-memory book: cut off"))
                                              : Status();
  }

  Result<UsagePage> Read(std::int64_t day, Deadline /*deadline*/) override {
    const MutexLock lock(mutex_);
    if (away) {
      return Unavailable("in-memory book: away");
    }
    UsagePage page;
    page.first_day = first_day_;
    if (const auto found = days_.find(day); found != days_.end()) {
      for (const auto& [key, counts] : found->second) {
        page.of_day.push_back({key, counts});
      }
    }
    for (const auto& [key, counts] : total_) {
      page.total.push_back({key, counts});
    }
    return page;
  }

  bool away = false;
  bool loses_answer = false;
  int enters = 0;  // Calls of Enter.

 private:
  Mutex mutex_;
  std::map<std::string, std::uint64_t> batches_ GUARDED_BY(mutex_);
  std::map<std::int64_t, std::map<UsageKey, UsageCounts>> days_ GUARDED_BY(mutex_);
  std::map<UsageKey, UsageCounts> total_ GUARDED_BY(mutex_);
  std::optional<std::int64_t> first_day_ GUARDED_BY(mutex_);
};

}  // namespace umbranet
