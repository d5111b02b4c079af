#include "umbranet/telemetry/model_usage.h"

#include <chrono>

namespace umbranet {
namespace {

constexpr double kMillion = 1'000'000;
// Of what no book has taken yet.
constexpr std::size_t kDaysKept = 10;
constexpr std::string_view kChat = "chat";
constexpr std::string_view kOther = "other";

std::vector<UsageRow> ListOf(const std::map<UsageKey, UsageCounts>& rows) {
  std::vector<UsageRow> list;
  for (const auto& [key, counts] : rows) {
    list.push_back({key, counts});
  }
  return list;
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
  const UsageCounts call{.calls = 1,
                         .failed = failed ? 1U : 0U,
                         .prompt_tokens = prompt_tokens,
                         .completion_tokens = completion_tokens,
                         .cost = cost};
  const std::int64_t day = Day();
  MutexLock lock(mutex_);
  if (day != day_) {
    day_ = day;
    today_.clear();
  }
  UsageKey counted = key;
  if (total_.size() >= options_.rows_max && total_.count(key) == 0) {
    counted.tenant = kOther;
  }
  today_[counted] += call;
  total_[counted] += call;
  fresh_[{day, counted}] += call;
  // The books have been away for days.
  while (fresh_.size() > kDaysKept * options_.rows_max) {
    fresh_.erase(fresh_.begin());
  }
  return cost;
}

void ModelUsage::AddUnagreed(Rows& rows, std::optional<std::int64_t> day) const {
  for (const DayRows* unagreed : {&under_way_, &fresh_}) {
    for (const auto& [place, counts] : *unagreed) {
      if (!day || place.first == *day) {
        rows[place.second] += counts;
      }
    }
  }
}

ModelUsage::Rows ModelUsage::RowsOfDay(std::int64_t day) const {
  if (!books_ || books_->day != day) {
    return day == day_ ? today_ : Rows();
  }
  Rows rows;
  for (const UsageRow& row : books_->of_day) {
    rows[row.key] += row.counts;
  }
  AddUnagreed(rows, day);
  return rows;
}

std::map<std::string, ModelUsage::Spent, std::less<>> ModelUsage::SpentOf(const Rows& rows) {
  std::map<std::string, Spent, std::less<>> spent;
  for (const auto& [key, counts] : rows) {
    if (key.purpose != kChat) {
      Spent& of_tenant = spent[key.tenant];
      of_tenant.cost += counts.cost;
      of_tenant.tokens += counts.prompt_tokens + counts.completion_tokens;
    }
  }
  return spent;
}

bool ModelUsage::MaySpend(std::string_view tenant) const {
  if (options_.daily_cost_max == 0 && options_.daily_tokens_max == 0) {
    return true;
  }
  const std::int64_t day = Day();
  MutexLock lock(mutex_);
  const auto spent = SpentOf(RowsOfDay(day));
  const auto of_tenant = spent.find(tenant);
  return HasLeft(of_tenant == spent.end() ? Spent() : of_tenant->second);
}

ModelUsage::Report ModelUsage::Read() const {
  const std::int64_t day = Day();
  Report report;
  report.day = FormatTimestamp(clock_.Now()).substr(0, 10);
  report.since = began_at_;
  report.daily_cost_max = options_.daily_cost_max;
  report.daily_tokens_max = options_.daily_tokens_max;
  report.process_since = began_at_;
  MutexLock lock(mutex_);
  report.process_total = ListOf(total_);
  if (day == day_) {
    report.process_today = ListOf(today_);
  }
  const Rows today = RowsOfDay(day);
  report.today = ListOf(today);
  report.total = report.process_total;
  if (books_) {
    Rows total;
    for (const UsageRow& row : books_->total) {
      total[row.key] += row.counts;
    }
    AddUnagreed(total, std::nullopt);
    report.total = ListOf(total);
    report.since = books_->since;
    report.agreed_at = agreed_at_;
  }
  for (const auto& [tenant, of_tenant] : SpentOf(today)) {
    if (!HasLeft(of_tenant)) {
      report.exhausted.push_back(tenant);
    }
  }
  return report;
}

ModelUsage::Batch ModelUsage::NextBatch() {
  MutexLock lock(mutex_);
  if (under_way_.empty() && !fresh_.empty()) {
    under_way_.swap(fresh_);
    ++batches_;
  }
  Batch batch{.number = batches_, .entries = {}};
  for (const auto& [place, counts] : under_way_) {
    batch.entries.push_back({place.first, {place.second, counts}});
  }
  return batch;
}

void ModelUsage::Agree(std::uint64_t batch, Books books) {
  const Timestamp now = clock_.Now();
  MutexLock lock(mutex_);
  if (batch == batches_) {
    under_way_.clear();
  }
  books_ = std::move(books);
  agreed_at_ = now;
}

}  // namespace umbranet
