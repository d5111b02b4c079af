// A row of the books of what language models were asked.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace umbranet {

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
  double cost = 0;  // In millionths of the currency.

  bool operator==(const UsageCounts&) const = default;

  UsageCounts& operator+=(const UsageCounts& other) {
    calls += other.calls;
    failed += other.failed;
    prompt_tokens += other.prompt_tokens;
    completion_tokens += other.completion_tokens;
    cost += other.cost;
    return *this;
  }
};

struct UsageRow {
  UsageKey key;
  UsageCounts counts;

  bool operator==(const UsageRow&) const = default;
};

// What was recorded of a day, which begins at midnight UTC; days are counted from 1970-01-01.
struct DayUsage {
  std::int64_t day = 0;
  UsageRow row;
};

}  // namespace umbranet
