#include "umbranet/reflection/usage_bookkeeper.h"

#include <chrono>
#include <utility>

#include "umbranet/base/repeated_call.h"
#include "umbranet/base/unique_id.h"

namespace umbranet {

UsageBookkeeper::UsageBookkeeper(const Clock& clock, ModelUsage& usage, ModelUsageBook& book,
                                 StructuredLog& log, Options options)
    : clock_(clock),
      usage_(usage),
      book_(book),
      log_(log),
      options_(options),
      writer_(RandomHex(16)) {}

UsageBookkeeper::~UsageBookkeeper() {
  Stop();
}

void UsageBookkeeper::Start() {
  const MutexLock lock(thread_mutex_);
  if (!thread_.joinable()) {
    AgreeOrTell();
    thread_ = std::jthread([this](const std::stop_token& stop) {
      RepeatUntilStopped(stop, options_.every, [this] { AgreeOrTell(); });
    });
  }
}

void UsageBookkeeper::Stop() {
  std::jthread leaving;
  {
    const MutexLock lock(thread_mutex_);
    leaving = std::move(thread_);
  }
  if (leaving.joinable()) {
    leaving = std::jthread();  // Asks it to stop, and waits.
    AgreeOrTell();
  }
}

Status UsageBookkeeper::Agree(Deadline deadline) {
  const MutexLock lock(mutex_);
  const ModelUsage::Batch batch = usage_.NextBatch();
  if (!batch.entries.empty()) {
    UMBRANET_RETURN_IF_ERROR(book_.Enter(writer_, batch.number, batch.entries, deadline));
  }
  ModelUsage::Books books;
  books.day = usage_.Day();
  UMBRANET_ASSIGN_OR_RETURN(UsagePage page, book_.Read(books.day, deadline));
  books.of_day = std::move(page.of_day);
  books.total = std::move(page.total);
  books.since = Timestamp{std::chrono::days(page.first_day.value_or(books.day))};
  usage_.Agree(batch.number, std::move(books));
  return {};
}

void UsageBookkeeper::AgreeOrTell() {
  const Status agreed = Agree(Deadline::After(clock_, options_.budget));
  const MutexLock lock(mutex_);
  if (agreed.ok()) {
    away_ = false;
  } else if (!std::exchange(away_, true)) {
    log_.Warning("usage_not_booked", {{"error", agreed.error().message}});
  }
}

}  // namespace umbranet
