#include "umbranet/domain/ledger_records.h"

#include <charconv>

#include "umbranet/base/utf8.h"

namespace umbranet {

namespace {

constexpr std::size_t kErrorBytesMax = 2000;

}  // namespace

ReflectionJob JobOfTurn(const Interaction& turn, RunMode mode, std::string_view traceparent) {
  return {.job_id = MakeJobId(turn.user, turn.interaction_id),
          .user = turn.user,
          .interaction_id = turn.interaction_id,
          .priority = turn.priority,
          .mode = mode,
          .generation = 0,
          .traceparent = std::string(traceparent)};
}

JobStatus StatusWithoutJob(const Interaction& turn, std::optional<std::int64_t> generation,
                           std::optional<std::int64_t> state, std::uint32_t attempts_max) {
  JobStatus status;
  status.job.user = turn.user;
  status.job.interaction_id = turn.interaction_id;
  status.job.priority = turn.priority;
  status.job.generation = static_cast<std::uint32_t>(generation.value_or(0));
  status.job.job_id = MakeJobId(turn.user, turn.interaction_id, status.job.generation);
  status.state = state.has_value() ? static_cast<JobState>(*state) : JobState::kDone;
  status.attempts_max = attempts_max;
  status.tiers_done = status.state == JobState::kDone ? kAllReflectedTiers : TierMask{0};
  status.accepted_at = turn.accepted_at;
  return status;
}

std::string_view CutError(std::string_view error) {
  return TruncateUtf8(error, kErrorBytesMax);
}

std::optional<std::int64_t> ParseJournalCursor(std::string_view cursor) {
  std::int64_t after = 0;
  if (cursor.empty()) {
    return after;
  }
  const char* const end = cursor.data() + cursor.size();
  const auto [read, failed] = std::from_chars(cursor.data(), end, after);
  if (failed != std::errc() || read != end || after < 0) {
    return std::nullopt;
  }
  return after;
}

std::string FormatDeadCursor(const DeadCursor& cursor) {
  return std::to_string(cursor.finished_at) + "." + std::to_string(cursor.seq);
}

std::optional<DeadCursor> ParseDeadCursor(std::string_view text) {
  DeadCursor cursor;
  if (text.empty()) {
    return cursor;
  }
  const char* const end = text.data() + text.size();
  auto read = std::from_chars(text.data(), end, cursor.finished_at);
  if (read.ec == std::errc() && read.ptr != end && *read.ptr == '.') {
    read = std::from_chars(read.ptr + 1, end, cursor.seq);
    if (read.ec == std::errc() && read.ptr == end) {
      return cursor;
    }
  }
  return std::nullopt;
}

}  // namespace umbranet
