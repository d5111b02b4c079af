// A language model that answers a conversation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"

namespace umbranet {

enum class ChatRole : std::uint8_t { kSystem, kUser, kAssistant };

struct ChatMessage {
  ChatRole role = ChatRole::kUser;
  std::string content;
};

// The form that an answer must have.
struct AnswerSchema {
  std::string name;    // Letters, digits and underscores.
  std::string schema;  // JSON Schema of one object, each of its members required and no other.
};

// On whose account a call is made: for books and limits; nothing of it is sent.
struct CallAccount {
  std::string tenant;
  std::string purpose;  // From a short list: "chat", "reflection", "summary", ...
};

struct CompletionRequest {
  std::vector<ChatMessage> messages;
  std::optional<std::size_t> tokens_max;
  std::optional<double> temperature;
  // Holds the model to this form as far as it can be held: by a grammar, to some JSON object, or
  // not at all. So the messages have to ask for the form as well, in words that name JSON, and
  // whoever asked still has to check what came.
  std::optional<AnswerSchema> answer_schema;
  CallAccount account;
};

struct Completion {
  std::string text;
  std::string
      finish_reason;  // "stop", "length", ...; "cancelled" when the sink or a stop ended it.
  std::uint64_t prompt_tokens = 0;
  std::uint64_t completion_tokens = 0;
};

// Receives the answer piece by piece; false ends the answer there.
using DeltaSink = std::function<bool(std::string_view delta)>;

class LanguageModel {
 public:
  virtual ~LanguageModel() = default;

  // Answers in one piece. Retries by itself while nothing of an answer was received and the
  // deadline allows. kUnavailable, kDeadlineExceeded: away or too slow. kResourceExhausted: refused
  // this time, retry_after where known. kBadGateway: refused for good or answered with nonsense.
  // kCancelled: `stop` was requested before the first piece.
  virtual Result<Completion> Complete(const CompletionRequest& request, std::stop_token stop,
                                      Deadline deadline) = 0;

  // The same in pieces. Never retries after the first piece. When the sink ends it or `stop` is
  // requested after that, the completion holds what came so far, finish_reason "cancelled". An
  // error after the first piece: what came is lost to the caller but for what the sink saw.
  virtual Result<Completion> Stream(const CompletionRequest& request, const DeltaSink& sink,
                                    std::stop_token stop, Deadline deadline) = 0;

  [[nodiscard]] virtual std::string_view Name()
      const = 0;  // For answers and metrics: "gpt-4o-mini".

  // A cheap question whether it can be reached, for readyz and doctor.
  virtual Status Probe(Deadline deadline) = 0;
};

}  // namespace umbranet
