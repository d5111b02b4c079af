#include "umbranet/governor/governor.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <span>
#include <utility>

#include "umbranet/base/unique_id.h"
#include "umbranet/governor/offline_reply.h"
#include "umbranet/governor/prompt_builder.h"
#include "umbranet/governor/workflow.h"
#include "umbranet/memory/reflection_priority.h"

namespace umbranet {
namespace {

// What is kept of a turn's time for storing it: a tenth, or all that storing may take.
constexpr int kStoreShare = 10;
// A turn that has cost a model's answer is not lost for want of the last moment.
constexpr Millis kStoreMin{1'000};
// Looked at when somebody asks what is known at all.
constexpr std::size_t kOverviewItemsMax = 200;

double MillisBetween(SteadyTime from, SteadyTime to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

// What the model is asked with may take; the rest is for storing.
Deadline ModelDeadline(const Clock& clock, const Governor::Options& options, Deadline turn) {
  if (turn.IsNever()) {
    return Deadline::After(clock, options.model_budget);
  }
  const std::chrono::nanoseconds left = turn.Remaining();
  const auto reserve = std::min<std::chrono::nanoseconds>(options.store_budget, left / kStoreShare);
  return Deadline::After(clock,
                         std::min<std::chrono::nanoseconds>(options.model_budget, left - reserve));
}

bool JournalIsAway(const Error& error) {
  return error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kDeadlineExceeded;
}

std::string_view OutcomeOf(const Result<Completion>& completion) {
  if (completion.ok()) {
    return completion->finish_reason == "cancelled" ? "cancelled" : "ok";
  }
  switch (completion.error().code) {
    case ErrorCode::kDeadlineExceeded:
      return "timeout";
    case ErrorCode::kCancelled:
      return "cancelled";
    default:
      return "error";
  }
}

// One turn being carried through: does what the state machine asks for and reports back.
class ChatTurn {
 public:
  ChatTurn(const Clock& clock, MemoryManager& memory, LanguageModel* model,
           const Governor::Options& options, const ChatRequest& request, const DeltaSink& sink,
           std::stop_token stop, Deadline deadline)
      : clock_(clock),
        memory_(memory),
        model_(model),
        options_(options),
        request_(request),
        sink_(sink),
        stop_(std::move(stop)),
        started_(clock.SteadyNow()),
        asked_at_(clock.Now()),
        begun_at_(options.ledger_clock == nullptr ? asked_at_ : options.ledger_clock->Now()),
        deadline_(deadline.Within(clock, options.turn_budget)),
        mode_(options.mode_of ? options.mode_of(request.user) : RunMode::kBackground) {
    answer_.interaction_id =
        request.interaction_id.empty() ? NewUuidV7(asked_at_) : request.interaction_id;
    answer_.user = request.user;
    answer_.session_id = request.session_id;
  }

  Result<ChatAnswer> Run() {
    Happened(workflow::TurnRequested{.may_be_repeated = !request_.interaction_id.empty(),
                                     .with_model = model_ != nullptr});
    while (effect_) {
      if (stop_.stop_requested() && !left_) {
        left_ = true;
        Happened(workflow::ClientLeft{});
        continue;
      }
      workflow::Effect effect = *std::exchange(effect_, std::nullopt);
      std::visit([this](auto& what) { CarryOut(what); }, effect);
    }
    if (error_) {
      return std::move(*error_);
    }
    answer_.timings.total = MillisBetween(started_, clock_.SteadyNow());
    return std::move(answer_);
  }

 private:
  // An event without a new effect leaves the one that is to be carried out in place.
  void Happened(workflow::Event event) {
    workflow::Step step = workflow::Advance(std::move(state_), std::move(event));
    state_ = std::move(step.state);
    if (step.effect) {
      effect_ = std::move(step.effect);
    }
  }

  // Adds the time since `from` to `part`.
  void Spent(double& part, SteadyTime from) { part += MillisBetween(from, clock_.SteadyNow()); }

  void CarryOut(const workflow::LookUpTurn& what);
  void CarryOut(const workflow::RecallMemories& what);
  void CarryOut(const workflow::AskModel& what);
  void CarryOut(const workflow::ComposeReply& what);
  void CarryOut(workflow::StoreTurn& what);
  void CarryOut(workflow::GiveReply& what);

  // A model that is answering is stopped by its sink, and what it says then replaces this effect.
  // Here it was not asked yet.
  void CarryOut(const workflow::StopModel& /*what*/) {
    Happened(workflow::StepFailed{{ErrorCode::kCancelled, "governor: stopped"}});
  }

  void CarryOut(workflow::GiveError& what) { error_ = std::move(what.error); }

  std::vector<MemoryItem> ListMemories();
  bool TakePiece(std::string_view piece);
  void Stored(const AcceptedTurn& accepted, std::vector<std::string> degraded);
  void Degrade(std::string part);
  [[nodiscard]] Deadline StoreDeadline() const;

  const Clock& clock_;
  MemoryManager& memory_;
  LanguageModel* const model_;
  const Governor::Options& options_;
  const ChatRequest& request_;
  const DeltaSink& sink_;
  const std::stop_token stop_;
  const SteadyTime started_;
  const Timestamp asked_at_;
  const Timestamp begun_at_;  // The same by the ledger's clock.
  const Deadline deadline_;
  const RunMode mode_;  // Looked at once: a switch may be turned meanwhile.

  workflow::State state_;
  std::optional<workflow::Effect> effect_;
  std::optional<Error> error_;
  RecalledContext recalled_;
  ChatAnswer answer_;
  bool left_ = false;      // The client has, and the state machine knows.
  bool streamed_ = false;  // The sink has had pieces of the reply.
};

void ChatTurn::CarryOut(const workflow::LookUpTurn& /*what*/) {
  const SteadyTime from = clock_.SteadyNow();
  const std::array<std::string, 1> ids = {answer_.interaction_id};
  Result<std::vector<Interaction>> found =
      memory_.journal().Read(request_.user, ids, StoreDeadline());
  Spent(answer_.timings.store, from);
  if (!found.ok() && !JournalIsAway(found.error())) {
    Happened(workflow::StepFailed{found.error()});
  } else if (!found.ok() || found->empty()) {
    // Whether it was there cannot be known while the journal is away. Going on stores it at most
    // once; without a spool, recall says that the journal is away.
    Happened(workflow::TurnNotFound{});
  } else {
    Interaction& turn = found->front();
    answer_.session_id = turn.session_id;
    Happened(workflow::TurnFound{turn.user_message == request_.message,
                                 std::move(turn.assistant_response)});
  }
}

void ChatTurn::CarryOut(const workflow::RecallMemories& /*what*/) {
  const SteadyTime from = clock_.SteadyNow();
  RecallRequest recall;
  recall.user = request_.user;
  recall.query = request_.message;
  recall.limit = options_.recall_limit;
  recall.token_budget = options_.context_tokens;
  recall.session_id = request_.session_id;
  recall.embedding_may_be_spared = true;
  Result<RecalledContext> recalled = memory_.Recall(recall, deadline_);
  Spent(answer_.timings.recall, from);
  if (!recalled.ok()) {
    Happened(workflow::StepFailed{recalled.error()});
    return;
  }
  recalled_ = std::move(recalled).value();
  for (const Tier tier : recalled_.missing_tiers) {
    Degrade(std::string(TierName(tier)));
  }
  for (std::string& part : recalled_.degraded) {
    Degrade(std::move(part));
  }
  Happened(workflow::MemoriesRecalled{});
}

bool ChatTurn::TakePiece(std::string_view piece) {
  streamed_ = true;
  if (!left_ && !sink_(piece)) {
    left_ = true;
    Happened(workflow::ClientLeft{});
  }
  return !left_;
}

void ChatTurn::CarryOut(const workflow::AskModel& /*what*/) {
  CompletionRequest ask;
  ask.messages = BuildPrompt(request_.message, recalled_, asked_at_,
                             {.system_prompt = options_.system_prompt,
                              .history_turns_max = options_.history_turns_max,
                              .history_tokens_max = options_.history_tokens_max});
  ask.account = {request_.user.tenant, "chat"};
  const SteadyTime from = clock_.SteadyNow();
  const Deadline deadline = ModelDeadline(clock_, options_, deadline_);
  Result<Completion> completion =
      sink_ ? model_->Stream(
                  ask, [this](std::string_view piece) { return TakePiece(piece); }, stop_, deadline)
            : model_->Complete(ask, stop_, deadline);
  Spent(answer_.timings.model, from);
  if (options_.metrics != nullptr) {
    options_.metrics->model_seconds.At(OutcomeOf(completion)).Observe(answer_.timings.model / 1e3);
  }
  if (!completion.ok()) {
    Happened(workflow::StepFailed{completion.error()});
    return;
  }
  const bool cut_short = completion->finish_reason == "cancelled";
  left_ = left_ || cut_short;
  Happened(workflow::ModelAnswered{std::move(completion->text), cut_short});
}

// The facts that there are, or else the episodes, latest first.
std::vector<MemoryItem> ChatTurn::ListMemories() {
  for (const Tier tier : {Tier::kSemantic, Tier::kEpisodic}) {
    Result<MemoryPage> page = memory_.List(request_.user, tier, "", kOverviewItemsMax, deadline_);
    if (page.ok() && !page->items.empty()) {
      std::reverse(page->items.begin(), page->items.end());
      return std::move(page->items);
    }
  }
  return {};
}

void ChatTurn::CarryOut(const workflow::ComposeReply& /*what*/) {
  const SteadyTime from = clock_.SteadyNow();
  if (recalled_.items.empty() && AsksForOverview(request_.message)) {
    recalled_.items = ListMemories();
  }
  std::vector<std::string> ids;
  for (const MemoryItem& item : recalled_.items) {
    for (const SourceRef& source : item.sources) {
      ids.push_back(source.interaction_id);
    }
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  // Whose words a fact was made from is nice to know; the reply is made without, too.
  std::vector<Interaction> sources;
  if (!ids.empty()) {
    sources = memory_.journal().Read(request_.user, ids, deadline_).value_or({});
  }
  std::string reply = ComposeOfflineReply({.message = request_.message,
                                           .asked_at = asked_at_,
                                           .recalled = recalled_,
                                           .sources = sources});
  Spent(answer_.timings.recall, from);
  Happened(workflow::ReplyComposed{std::move(reply)});
}

Deadline ChatTurn::StoreDeadline() const {
  const std::chrono::nanoseconds most = options_.store_budget;
  const std::chrono::nanoseconds least = std::min(most, std::chrono::nanoseconds{kStoreMin});
  return Deadline::After(clock_, std::clamp(deadline_.Remaining(), least, most));
}

void ChatTurn::CarryOut(workflow::StoreTurn& what) {
  const SteadyTime from = clock_.SteadyNow();
  const AnswersUnderWay::Share share(options_.answers);
  Interaction turn;
  turn.interaction_id = answer_.interaction_id;
  turn.user = request_.user;
  turn.session_id = request_.session_id;
  turn.occurred_at = asked_at_;
  // A model takes its time, and its answer may hold what it was shown of a memory that is gone by
  // now.
  turn.asked_at = begun_at_;
  turn.user_message = request_.message;
  turn.assistant_response = std::move(what.reply);
  turn.priority = request_.priority.value_or(DecidePriority(request_.message));
  turn.origin = what.origin;
  turn.metadata = request_.metadata;
  std::vector<Interaction> turns;
  turns.push_back(std::move(turn));
  Result<MemoryManager::Remembered> remembered =
      memory_.Remember(std::move(turns), mode_, request_.traceparent, StoreDeadline());
  if (remembered.ok() && remembered->turns.size() == 1) {
    Stored(remembered->turns.front(), std::move(remembered->degraded));
    Spent(answer_.timings.store, from);
    Happened(workflow::TurnStored{remembered->turns.front().duplicate});
    return;
  }
  Spent(answer_.timings.store, from);
  Happened(workflow::StepFailed{remembered.ok() ? Internal("governor: the turn was not stored")
                                                : remembered.error()});
}

void ChatTurn::Stored(const AcceptedTurn& accepted, std::vector<std::string> degraded) {
  answer_.job_id = accepted.job_id;
  for (std::string& part : degraded) {
    Degrade(std::move(part));
  }
  const bool spooled = accepted.state == JobState::kSpooled;
  answer_.reflection_status = spooled ? "spooled" : "queued";
  if (mode_ == RunMode::kInline && !spooled && options_.reflect_inline && !accepted.duplicate &&
      options_.reflect_inline(request_.user.tenant, {accepted.job_id}, deadline_).ok()) {
    answer_.reflection_status = "inline";
  }
}

void ChatTurn::CarryOut(workflow::GiveReply& what) {
  answer_.reply = std::move(what.reply);
  answer_.cut_short = what.cut_short;
  if (answer_.job_id.empty()) {
    answer_.job_id = MakeJobId(request_.user, answer_.interaction_id);
    answer_.reflection_status = "queued";
  }
  if (!what.repeated) {
    answer_.recalled = std::move(recalled_.items);
    answer_.rules = std::move(recalled_.rules);
  }
  if (sink_ && !streamed_) {
    // The turn is complete and stored, so it does not matter whether anybody still listens.
    (void)sink_(answer_.reply);
  }
}

void ChatTurn::Degrade(std::string part) {
  if (std::find(answer_.degraded.begin(), answer_.degraded.end(), part) == answer_.degraded.end()) {
    answer_.degraded.push_back(std::move(part));
  }
}

}  // namespace

Governor::Governor(const Clock& clock, MemoryManager& memory, LanguageModel* model, Options options)
    : clock_(clock), memory_(memory), model_(model), options_(std::move(options)) {}

Result<ChatAnswer> Governor::Chat(const ChatRequest& request, const DeltaSink& sink,
                                  std::stop_token stop, Deadline deadline) {
  if (request.message.empty()) {
    return InvalidArgument("governor: the message is empty");
  }
  Result<ChatAnswer> answer =
      ChatTurn(clock_, memory_, model_, options_, request, sink, std::move(stop), deadline).Run();
  if (options_.metrics != nullptr && answer.ok()) {
    const ChatTimings& timings = answer->timings;
    options_.metrics->chat_seconds.Observe(timings.total / 1e3);
    options_.metrics->chat_overhead_seconds.Observe((timings.total - timings.model) / 1e3);
  }
  return answer;
}

}  // namespace umbranet
