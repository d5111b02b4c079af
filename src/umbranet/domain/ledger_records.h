// What every journal and ledger says the same way, whatever engine holds its rows. Pure; any
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "umbranet/domain/interaction.h"
#include "umbranet/domain/reflection_job.h"

namespace umbranet {

// Records of failures that are kept of one job; the latest.
inline constexpr std::int64_t kJobHistoryMax = 20;

// The job that a turn brings along when it is accepted.
ReflectionJob JobOfTurn(const Interaction& turn, RunMode mode, std::string_view traceparent);

// What is known of a turn whose job retention has removed: what the job left behind, or that it was
// done at generation 0.
JobStatus StatusWithoutJob(const Interaction& turn, std::optional<std::int64_t> generation,
                           std::optional<std::int64_t> state, std::uint32_t attempts_max);

// Cuts at 2,000 bytes, between characters.
std::string_view CutError(std::string_view error);

// The cursor of Journal::List: the sequence of the last turn of the page before. Nothing when it is
// none.
std::optional<std::int64_t> ParseJournalCursor(std::string_view cursor);

// The cursor of JobLedger::ListDead: the place of the last job of the page before.
struct DeadCursor {
  std::int64_t finished_at = std::numeric_limits<std::int64_t>::max();
  std::int64_t seq = std::numeric_limits<std::int64_t>::max();
};

std::string FormatDeadCursor(const DeadCursor& cursor);
// Of "": before the first page. Nothing when it is none.
std::optional<DeadCursor> ParseDeadCursor(std::string_view cursor);

}  // namespace umbranet
