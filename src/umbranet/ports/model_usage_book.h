// The books of what language models were asked, by all processes of an installation and over
// restarts: beside the ledger.
//
// All methods may be called from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
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
