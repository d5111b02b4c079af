// The books of what language models were asked, by all processes of an installation and over
// restarts: beside the ledger.
//
// All methods may be called from any thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/base/model_usage_row.h"
#include "umbranet/base/result.h"

namespace umbranet {

// Days that are kept one by one; in the total is all there ever was.
inline constexpr std::int64_t kUsageDaysMax = 400;

struct UsagePage {
  std::vector<UsageRow> of_day;  // In the order of their keys, as the total.
  std::vector<UsageRow> total;
  std::optional<std::int64_t> first_day;  // Of the total; nothing while the book is empty.
};

// The day under which a store keeps the total.
inline constexpr std::int64_t kUsageTotal = -1;

// Files the columns day, tenant, model, purpose, first_day, calls, failed, prompt_tokens,
// completion_tokens and cost of a store's row.
template <typename Row>
void FileUsageRow(const Row& row, UsagePage& page) {
  UsageRow read{.key = {row.String(1), row.String(2), row.String(3)},
                .counts = {.calls = static_cast<std::uint64_t>(row.Int(5)),
                           .failed = static_cast<std::uint64_t>(row.Int(6)),
                           .prompt_tokens = static_cast<std::uint64_t>(row.Int(7)),
                           .completion_tokens = static_cast<std::uint64_t>(row.Int(8)),
                           .cost = row.Real(9)}};
  if (row.Int(0) == kUsageTotal) {
    page.first_day = std::min(page.first_day.value_or(row.Int(4)), row.Int(4));
    page.total.push_back(std::move(read));
  } else {
    page.of_day.push_back(std::move(read));
  }
}

// The newest day of a batch; 0 when it is empty.
inline std::int64_t NewestDay(std::span<const DayUsage> entries) {
  std::int64_t newest = 0;
  for (const DayUsage& entry : entries) {
    newest = std::max(newest, entry.day);
  }
  return newest;
}

class ModelUsageBook {
 public:
  virtual ~ModelUsageBook() = default;

  // Adds every entry to its day and to the total, all or none. `batch` rises from one batch of a
  // writer to the next, from 1 on: one that is in the book already is passed over, so that
  // repeating it tells what became of it. Days are let go of when they are kUsageDaysMax older than
  // the newest of the entries.
  virtual Status Enter(std::string_view writer, std::uint64_t batch,
                       std::span<const DayUsage> entries, Deadline deadline) = 0;

  // The rows of that day and of the total, of one moment.
  virtual Result<UsagePage> Read(std::int64_t day, Deadline deadline) = 0;
};

}  // namespace umbranet
