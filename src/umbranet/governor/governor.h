// The Governor carries one chat turn through: recall, ask the model, store, reply. What happens
// when is decided by the pure state machine in workflow.h; this class carries its effects out.
//
// Chat may be called from any thread, as many at once as there are callers.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/base/answers_under_way.h"
#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/domain/memory_item.h"
#include "umbranet/domain/reflection_job.h"
#include "umbranet/memory/memory_manager.h"
#include "umbranet/ports/language_model.h"
#include "umbranet/telemetry/metrics.h"

namespace umbranet {

struct ChatRequest {
  UserKey user;
  std::string message;
  std::string session_id = std::string(kDefaultSession);
  std::optional<Priority> priority;  // Left out: decided from the message.
  std::string metadata = "{}";
  // From the Idempotency-Key: the same id stores nothing twice. Empty: a new one.
  std::string interaction_id;
  std::string traceparent;
};

struct ChatTimings {  // milliseconds
  double total = 0;
  double recall = 0;
  double model = 0;
  double store = 0;
};

struct ChatAnswer {
  std::string interaction_id;
  UserKey user;
  std::string session_id;
  std::string reply;
  std::string job_id;
  std::string reflection_status;  // "queued", "spooled", "inline"
  std::vector<MemoryItem> recalled;
  std::vector<MemoryItem> rules;
  std::vector<std::string> degraded;
  ChatTimings timings;
  bool cut_short = false;  // The client left half way; the turn is stored as far as the model got.
};

class Governor {
 public:
  struct Options {
    Millis turn_budget{60'000};  // The whole turn, model included.
    Millis model_budget{55'000};
    Millis store_budget{5'000};
    std::size_t recall_limit = 10;
    std::size_t context_tokens = 2'000;
    std::size_t history_turns_max = 20;      // Of the running conversation, in the prompt.
    std::size_t history_tokens_max = 2'000;  // The same.
    std::string system_prompt = {};          // Empty: the built-in one.

    // A turn whose mode is kInline is reflected before its reply, by `reflect_inline`; a job that
    // it could not finish is left to the workers. Empty: every turn's mode is kBackground.
    std::function<RunMode(const UserKey&)> mode_of = {};
    std::function<Status(std::string_view tenant, const std::vector<std::string>& job_ids,
                         Deadline)>
        reflect_inline = {};

    // What the beginning of a turn is stamped with, to be compared with the forgetting of its user
    // (base/ledger_clock.h). Null: the clock.
    const Clock* ledger_clock = nullptr;
    AnswersUnderWay* answers = nullptr;  // May be null, as the metrics; both must outlive this.
    Metrics* metrics = nullptr;
  };

  // Without a model (null) replies are made by quoting memories; see offline_reply.h.
  Governor(const Clock& clock, MemoryManager& memory, LanguageModel* model, Options options);

  // One turn. By the time it returns, the turn and its job are durable, and only then is the answer
  // complete. With a sink, the reply is handed over piece by piece as it comes; a sink that returns
  // false means the client has left, and what came so far is stored. On any error nothing is
  // remembered, but for a failure to store, whose outcome the journal leaves open: repeating the
  // request with its interaction id tells.
  //
  // A request whose interaction id the journal holds already gets the reply that is stored there,
  // and no model is asked; with another message it is kAlreadyExists. kInvalidArgument: the message
  // is empty. kCancelled: stopped, or left by the client, before there was any answer. Errors of
  // the model come as ports/language_model.h has them.
  Result<ChatAnswer> Chat(const ChatRequest& request, const DeltaSink& sink, std::stop_token stop,
                          Deadline deadline);

  [[nodiscard]] bool HasModel() const { return model_ != nullptr; }

 private:
  const Clock& clock_;
  MemoryManager& memory_;
  LanguageModel* const model_;
  const Options options_;
};

}  // namespace umbranet
