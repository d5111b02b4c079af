// The twin of the record of forgettings, beside the ledger in memory.
#pragma once

#include <algorithm>

#include "umbranet/ports/forgetting_record.h"

#include "tests/doubles/in_memory_ledger_store.h"

namespace umbranet {

class InMemoryForgettingRecord final : public ForgettingRecord {
 public:
  explicit InMemoryForgettingRecord(InMemoryLedgerStore& store) : store_(store) {}

  Result<ForgettingNews> After(Timestamp seen, std::size_t limit, Deadline /*deadline*/) override {
    const MutexLock lock(store_.mutex);
    ForgettingNews news;
    for (const auto& [user, at] : store_.erased_at) {
      news.latest = std::max(news.latest, FromUnixMillis(at));
      if (FromUnixMillis(at) > seen) {
        news.forgettings.push_back({user, FromUnixMillis(at)});
      }
    }
    std::sort(news.forgettings.begin(), news.forgettings.end(),
              [](const Forgetting& a, const Forgetting& b) { return a.at < b.at; });
    news.forgettings.resize(std::min(news.forgettings.size(), limit));
    return news;
  }

 private:
  InMemoryLedgerStore& store_;
};

}  // namespace umbranet
