// What language models were asked, and what it cost: by tenant, by model and by what for. The books
// of the daily budgets.
//
// A day begins at midnight UTC. What is recorded here is this process's own; where somebody keeps
// the books of the whole installation (NextBatch, Agree), it is a part of those, and budgets go by
// all of it: by what the books said last, and by what is recorded here since. What is kept is
// bounded: beyond rows_max combinations a tenant counts as "other".
//
// All methods may be called from any thread. Tokens are as the server counted them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/base/model_usage_row.h"
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
    // When the total begins: that of the books, or of this process where it knows of no others.
    Timestamp since;
    std::uint64_t daily_cost_max = 0;
    std::uint64_t daily_tokens_max = 0;
    std::vector<UsageRow> today;
    std::vector<UsageRow> total;
    std::vector<std::string> exhausted;  // Tenants with nothing left today.
    // When the books of the installation were last read. Nothing: what stands above is this
    // process's alone.
    std::optional<Timestamp> agreed_at;
    // Of all that, what this process asked for.
    Timestamp process_since;
    std::vector<UsageRow> process_today;
    std::vector<UsageRow> process_total;
  };

  // Rows in the order of their keys.
  [[nodiscard]] Report Read() const;

  // What was recorded and is not known to be in the installation's books. The same again until it
  // was agreed on; without entries when there is nothing.
  struct Batch {
    std::uint64_t number = 0;
    std::vector<DayUsage> entries;
  };

  [[nodiscard]] Batch NextBatch();

  // What the books said of `day`, of their total, and since when that is, after the batch of this
  // number was entered.
  struct Books {
    std::int64_t day = 0;
    std::vector<UsageRow> of_day;
    std::vector<UsageRow> total;
    Timestamp since{};
  };

  void Agree(std::uint64_t batch, Books books);

  [[nodiscard]] std::int64_t Day() const;  // Today, counted from 1970-01-01.

 private:
  struct Spent {
    double cost = 0;
    std::uint64_t tokens = 0;
  };

  using Rows = std::map<UsageKey, UsageCounts>;
  using DayRows = std::map<std::pair<std::int64_t, UsageKey>, UsageCounts>;

  [[nodiscard]] bool HasLeft(const Spent& spent) const;
  // By tenant; chat is under no budget.
  [[nodiscard]] static std::map<std::string, Spent, std::less<>> SpentOf(const Rows& rows);
  // What the whole installation spent on this day, as far as it is known here.
  [[nodiscard]] Rows RowsOfDay(std::int64_t day) const REQUIRES(mutex_);
  void AddUnagreed(Rows& rows, std::optional<std::int64_t> day) const REQUIRES(mutex_);

  const Clock& clock_;
  const Options options_;
  const Timestamp began_at_;
  mutable Mutex mutex_;
  std::int64_t day_ GUARDED_BY(mutex_) = 0;
  Rows today_ GUARDED_BY(mutex_);
  Rows total_ GUARDED_BY(mutex_);
  DayRows fresh_ GUARDED_BY(mutex_);      // Not in a batch yet.
  DayRows under_way_ GUARDED_BY(mutex_);  // In the batch `batches_`.
  std::uint64_t batches_ GUARDED_BY(mutex_) = 0;
  std::optional<Books> books_ GUARDED_BY(mutex_);
  Timestamp agreed_at_ GUARDED_BY(mutex_){};
};

}  // namespace umbranet
