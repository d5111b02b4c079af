#include "umbranet/memory/spool_forwarder.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <span>
#include <utility>

#include "umbranet/base/crash_point.h"
#include "umbranet/memory/spooling_journal.h"

namespace umbranet {
namespace {

// Whoever that is: only whether an answer comes is of interest.
const UserKey kNobody{std::string(kDefaultTenant), "nobody"};

// A lane tells when it has finished; this is only not to wait for ever at a time.
constexpr std::chrono::minutes kLaneLook{1};

enum class Fate : std::uint8_t { kForgotten, kRefused, kWaits };

// What becomes of a turn that the journal did not take.
Fate FateOf(const Error& error) {
  switch (error.code) {
    case ErrorCode::kAborted:
      return Fate::kForgotten;
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kAlreadyExists:
      return Fate::kRefused;
    default:
      return Fate::kWaits;
  }
}

std::size_t LaneOf(const UserKey& user, std::size_t lanes) {
  return (std::hash<std::string>{}(user.user_id) ^ std::hash<std::string>{}(user.tenant)) % lanes;
}

std::vector<std::int64_t> SequencesOf(const std::vector<SpooledTurn>& turns) {
  std::vector<std::int64_t> sequences;
  sequences.reserve(turns.size());
  for (const SpooledTurn& turn : turns) {
    sequences.push_back(turn.turn.sequence);
  }
  return sequences;
}

template <typename T>
void Append(std::vector<T>& to, std::vector<T>& from) {
  std::move(from.begin(), from.end(), std::back_inserter(to));
}

}  // namespace

SpoolForwarder::SpoolForwarder(const Clock& clock, Journal& journal, TurnSpool& spool,
                               SpoolBook& book, Doorbell* doorbell, Metrics& metrics,
                               StructuredLog& log, Options options)
    : clock_(clock),
      journal_(journal),
      spool_(spool),
      book_(book),
      doorbell_(doorbell),
      metrics_(metrics),
      log_(log),
      options_(options),
      pool_({.name = "forward", .threads_min = 0, .threads_max = options.lanes}) {}

SpoolForwarder::~SpoolForwarder() {
  Stop();
}

void SpoolForwarder::Start() {
  const MutexLock lock(mutex_);
  if (!thread_.joinable()) {
    thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
  }
}

void SpoolForwarder::Stop() {
  std::jthread leaving;
  const MutexLock lock(mutex_);
  leaving = std::move(thread_);
}

SpoolForwarder::Outcome SpoolForwarder::ForwardLane(Lane lane, Deadline deadline) {
  Outcome outcome;
  for (SpooledTurn& spooled : lane) {
    Interaction turn = spooled.turn;
    turn.sequence = 0;
    const std::span<const Interaction> one(&turn, 1);
    const auto accepted = journal_.Accept(one, spooled.mode, spooled.traceparent, deadline);
    UMBRANET_CRASH_POINT_PASSED("forward.after_accept");
    outcome.answered = outcome.answered || accepted.ok();
    if (accepted.ok()) {
      if (doorbell_ != nullptr && accepted->size() == 1) {
        turn.sequence = accepted->front().sequence;
        doorbell_->RingWithTurn({.job_id = accepted->front().job_id,
                                 .user = turn.user,
                                 .interaction_id = turn.interaction_id,
                                 .priority = turn.priority,
                                 .mode = spooled.mode,
                                 .traceparent = spooled.traceparent},
                                turn);
      }
      outcome.taken.push_back(std::move(spooled));
      continue;
    }
    const Fate fate = FateOf(accepted.error());
    if (fate == Fate::kWaits) {
      outcome.stopped_by = accepted.error();
      break;
    }
    outcome.answered = true;
    if (fate == Fate::kForgotten) {
      outcome.forgotten.push_back(std::move(spooled));
    } else {
      outcome.refused.emplace_back(std::move(spooled), accepted.error().message);
    }
  }
  return outcome;
}

SpoolForwarder::Outcome SpoolForwarder::ForwardAll(std::vector<SpooledTurn> turns,
                                                   Deadline deadline) {
  std::vector<Lane> lanes(std::max<std::size_t>(options_.lanes, 1));
  for (SpooledTurn& turn : turns) {
    lanes[LaneOf(turn.turn.user, lanes.size())].push_back(std::move(turn));
  }
  Mutex mutex;
  ConditionVariable done;
  std::size_t running = 0;
  Outcome all;
  for (Lane& lane : lanes) {
    if (lane.empty()) {
      continue;
    }
    {
      const MutexLock lock(mutex);
      ++running;
    }
    const auto shared = std::make_shared<Lane>(std::move(lane));
    const auto task = [&, shared] {
      Outcome outcome = ForwardLane(std::move(*shared), deadline);
      const MutexLock lock(mutex);
      Append(all.taken, outcome.taken);
      Append(all.forgotten, outcome.forgotten);
      Append(all.refused, outcome.refused);
      all.answered = all.answered || outcome.answered;
      if (outcome.stopped_by) {
        all.stopped_by = std::move(outcome.stopped_by);
      }
      --running;
      done.NotifyAll();
    };
    if (!runner().TrySubmit(task)) {
      task();
    }
  }
  const MutexLock lock(mutex);
  while (running > 0) {
    runner().WaitOn(done, mutex, {}, kLaneLook);
  }
  return all;
}

Status SpoolForwarder::Settle(const Outcome& outcome, Report& report, Deadline deadline) {
  std::map<std::int64_t, UserKey> users;
  for (const auto* turns : {&outcome.taken, &outcome.forgotten}) {
    for (const SpooledTurn& turn : *turns) {
      users.emplace(turn.turn.sequence, turn.turn.user);
    }
    UMBRANET_ASSIGN_OR_RETURN(const std::vector<std::int64_t> marked,
                              spool_.MarkForwarded(SequencesOf(*turns), deadline));
    for (const std::int64_t sequence : marked) {
      book_.Remove(users[sequence], 1);
    }
    (turns == &outcome.taken ? report.forwarded : report.forgotten) += marked.size();
  }
  for (const auto& [turn, reason] : outcome.refused) {
    UMBRANET_ASSIGN_OR_RETURN(const bool marked,
                              spool_.MarkRefused(turn.turn.sequence, reason, deadline));
    if (marked) {
      book_.Remove(turn.turn.user, 1);
      ++report.refused;
      log_.Error("spooled_turn_refused",
                 {{"interaction_id", turn.turn.interaction_id}, {"error", reason}});
    }
  }
  return {};
}

Result<SpoolForwarder::Report> SpoolForwarder::Step(Deadline deadline) {
  Report report;
  UMBRANET_ASSIGN_OR_RETURN(std::vector<SpooledTurn> turns,
                            spool_.ReadOldest(options_.batch, deadline));
  if (turns.empty()) {
    if (book_.JournalAway()) {
      const auto answer = journal_.ReadFreshness(kNobody, deadline);
      if (!answer.ok()) {
        report.stopped_by = answer.error();
        return report;
      }
      book_.JournalIsBack();
    }
    drained_.store(true);
    (void)spool_.Purge(options_.kept_after, deadline);
    return report;
  }
  const Outcome outcome = ForwardAll(std::move(turns), deadline);
  report.stopped_by = outcome.stopped_by;
  if (outcome.answered && !outcome.stopped_by) {
    book_.JournalIsBack();
  }
  UMBRANET_RETURN_IF_ERROR(Settle(outcome, report, deadline));
  UMBRANET_CRASH_POINT_PASSED("forward.after_mark");
  metrics_.reflection_spool_forwarded_total.At("forwarded")
      .Increment(static_cast<double>(report.forwarded));
  metrics_.reflection_spool_forwarded_total.At("forgotten")
      .Increment(static_cast<double>(report.forgotten));
  metrics_.reflection_spool_forwarded_total.At("refused").Increment(
      static_cast<double>(report.refused));
  return report;
}

void SpoolForwarder::Run(const std::stop_token& stop) {
  bool away_told = false;
  while (!stop.stop_requested()) {
    const auto report = Step(Deadline::After(clock_, options_.step_budget));
    const std::optional<Error> error =
        report.ok() ? report->stopped_by : std::optional<Error>(report.error());
    if (error) {
      metrics_.reflection_spool_failures_total.Increment();
      if (!std::exchange(away_told, true)) {
        log_.Warning("spool_waits", {{"turns", book_.Waiting()}, {"error", error->message}});
      }
    } else if (report->forwarded > 0) {
      if (std::exchange(away_told, false)) {
        log_.Info("spool_is_forwarded", {{"turns", book_.Waiting() + report->forwarded}});
      }
      continue;
    }
    const bool soon = error || book_.JournalAway() || book_.Waiting() > 0;
    const SteadyTime next =
        SystemClock{}.SteadyNow() + (soon ? options_.retry_every : options_.look_every);
    Mutex mutex;
    const MutexLock lock(mutex);
    wake_.WaitUntil(mutex, stop, next);
  }
}

}  // namespace umbranet
