#include "umbranet/telemetry/model_usage.h"

#include <chrono>

namespace umbranet {
namespace {

constexpr double kMillion = 1'000'000;
constexpr std::string_view kChat = "chat";
constexpr std::string_view kOther = "other";

void Add(UsageCounts& counts, bool failed, std::uint64_t prompt_tokens,
         std::uint64_t completion_tokens, double cost) {
  ++counts.calls;
  counts.failed += failed ? 1U : 0U;
  counts.prompt_tokens += prompt_tokens;
  counts.completion_tokens += completion_tokens;
  counts.cost += cost;
}

}  // namespace

double CostOf(const ModelPrices& prices, std::uint64_t prompt_tokens,
              std::uint64_t completion_tokens) {
  return (static_cast<double>(prompt_tokens) * static_cast<double>(prices.prompt) +
          static_cast<double>(completion_tokens) * static_cast<double>(prices.completion)) /
         kMillion;
}

std::int64_t ModelUsage::Day() const {
  return std::chrono::floor<std::chrono::days>(clock_.Now()).time_since_epoch().count();
}

bool ModelUsage::HasLeft(const Spent& spent) const {
  const bool cost =
      options_.daily_cost_max == 0 || spent.cost < static_cast<double>(options_.daily_cost_max);
  const bool tokens = options_.daily_tokens_max == 0 || spent.tokens < options_.daily_tokens_max;
  return cost && tokens;
}

double ModelUsage::Record(const UsageKey& key, bool failed, std::uint64_t prompt_tokens,
                          std::uint64_t completion_tokens) {
  const auto prices = options_.prices.find(key.model);
  const double cost = prices == options_.prices.end()
                          ? 0.0
                          : CostOf(prices->second, prompt_tokens, completion_tokens);
  const std::int64_t day = Day();
  MutexLock lock(mutex_);
  if (day != day_) {
    day_ = day;
    today_.clear();
    spent_today_.clear();
  }
  UsageKey counted = key;
  if (total_.size() >= options_.rows_max && total_.count(key) == 0) {
    counted.tenant = kOther;
  }
  Add(today_[counted], failed, prompt_tokens, completion_tokens, cost);
  Add(total_[counted], failed, prompt_tokens, completion_tokens, cost);
  if (key.purpose != kChat) {
    Spent& spent = spent_today_[counted.tenant];
    spent.cost += cost;
    spent.tokens += prompt_tokens + completion_tokens;
  }
  return cost;
}

bool ModelUsage::MaySpend(std::string_view tenant) const {
  const std::int64_t day = Day();
  MutexLock lock(mutex_);
  const auto spent = spent_today_.find(tenant);
  return day != day_ || spent == spent_today_.end() || HasLeft(spent->second);
}

ModelUsage::Report ModelUsage::Read() const {
  const std::int64_t day = Day();
  Report report;
  report.day = FormatTimestamp(clock_.Now()).substr(0, 10);
  report.since = began_at_;
  report.daily_cost_max = options_.daily_cost_max;
  report.daily_tokens_max = options_.daily_tokens_max;
  MutexLock lock(mutex_);
  for (const auto& [key, counts] : total_) {
    report.total.push_back({key, counts});
  }
  if (day == day_) {
    for (const auto& [key, counts] : today_) {
      report.today.push_back({key, counts});
    }
    for (const auto& [tenant, spent] : spent_today_) {
      if (!HasLeft(spent)) {
        report.exhausted.push_back(tenant);
      }
    }
  }
  return report;
}

}  // namespace umbranet
