// What language models were asked, and what it cost: by tenant, by model and by what for. The books
// of the daily budgets.
//
// A day begins at midnight UTC. The books are this process's own and begin with it; what is kept
// is bounded: beyond rows_max combinations a tenant counts as "other".
//
// All methods may be called from any thread. Tokens are as the server counted them.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"

namespace umbranet {

// Of a million tokens, in millionths of the currency that the operator thinks in.
struct ModelPrices {
  std::uint64_t prompt = 0;
  std::uint64_t completion = 0;
};

// In millionths of the currency.
[[nodiscard]] double CostOf(const ModelPrices& prices, std::uint64_t prompt_tokens,
                            std::uint64_t completion_tokens);

struct UsageKey {
  std::string tenant;
  std::string model;
  std::string purpose;  // "chat", "reflection", "episodic", ..., "summary"

  auto operator<=>(const UsageKey&) const = default;
};

struct UsageCounts {
  std::uint64_t calls = 0;   // As sent, tries that failed included.
  std::uint64_t failed = 0;  // Of these.
  std::uint64_t prompt_tokens = 0;
  std::uint64_t completion_tokens = 0;
  double cost = 0;  // In millionths.
};

struct UsageRow {
  UsageKey key;
  UsageCounts counts;
};

class ModelUsage {
 public:
  struct Options {
    std::map<std::string, ModelPrices> prices = {};  // By model; no price: it costs nothing.
    // What a tenant may spend in a day, in millionths, and in tokens of both kinds; 0: no bound.
    // Chat is counted apart: a reply is never refused for it.
    std::uint64_t daily_cost_max = 0;
    std::uint64_t daily_tokens_max = 0;
    std::size_t rows_max = 10'000;
  };

  ModelUsage(const Clock& clock, Options options)
      : clock_(clock), options_(std::move(options)), began_at_(clock.Now()) {}

  // One call; what it cost.
  double Record(const UsageKey& key, bool failed, std::uint64_t prompt_tokens,
                std::uint64_t completion_tokens);

  // Whether the tenant's budget of the day has something left.
  [[nodiscard]] bool MaySpend(std::string_view tenant) const;

  struct Report {
    std::string day;  // "2024-05-03"
    Timestamp since;  // When this process's books begin.
    std::uint64_t daily_cost_max = 0;
    std::uint64_t daily_tokens_max = 0;
    std::vector<UsageRow> today;
    std::vector<UsageRow> total;
    std::vector<std::string> exhausted;  // Tenants with nothing left today.
  };

  // Rows in the order of their keys.
  [[nodiscard]] Report Read() const;

 private:
  struct Spent {
    double cost = 0;
    std::uint64_t tokens = 0;
  };

  using Rows = std::map<UsageKey, UsageCounts>;

  [[nodiscard]] std::int64_t Day() const;
  [[nodiscard]] bool HasLeft(const Spent& spent) const;

  const Clock& clock_;
  const Options options_;
  const Timestamp began_at_;
  mutable Mutex mutex_;
  std::int64_t day_ GUARDED_BY(mutex_) = 0;
  Rows today_ GUARDED_BY(mutex_);
  Rows total_ GUARDED_BY(mutex_);
  std::map<std::string, Spent, std::less<>> spent_today_ GUARDED_BY(mutex_);  // Without chat.
};

}  // namespace umbranet
