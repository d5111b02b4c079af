#include "umbranet/adapters/openai/streamed_answer.h"

#include <utility>

namespace umbranet {

constexpr std::string_view kEndOfStream = "[DONE]";
constexpr std::string_view kCancelledReason = "cancelled";

StreamedAnswer::State StreamedAnswer::Take(std::string_view data) {
  if (stop_.stop_requested()) {
    return Cancel();
  }
  if (data == kEndOfStream) {
    if (completion_.finish_reason.empty()) {
      completion_.finish_reason = "stop";
    }
    return End();
  }
  Result<CompletionPart> read = ReadCompletionPart(data);
  if (!read.ok()) {
    return Fail({read.error(), false});
  }
  CompletionPart& part = *read;
  if (part.error) {
    return Fail(ExplainServerError(*part.error, address_));
  }
  completion_.prompt_tokens = part.prompt_tokens.value_or(completion_.prompt_tokens);
  completion_.completion_tokens = part.completion_tokens.value_or(completion_.completion_tokens);
  choice_seen_ = choice_seen_ || part.has_choice;
  refused_ = refused_ || part.refused;
  tool_call_ = tool_call_ || part.tool_call;
  if (!part.finish_reason.empty()) {
    completion_.finish_reason = std::move(part.finish_reason);
  }
  if (part.text.empty()) {
    return State::kOpen;
  }
  completion_.text += part.text;
  return sink_(part.text) ? State::kOpen : Cancel();
}

StreamedAnswer::State StreamedAnswer::End() {
  if (completion_.finish_reason.empty()) {
    return Fail({{ErrorCode::kBadGateway, choice_seen_ ? "openai: the answer was cut short"
                                                       : "openai: the answer holds no choice"},
                 false});
  }
  if (!Began()) {
    return Fail(NothingSaid());
  }
  return State::kDone;
}

StreamedAnswer::State StreamedAnswer::Break(Error error, bool part_read) {
  if (error.code == ErrorCode::kCancelled) {
    return Cancel();
  }
  return Fail(ExplainTransport(std::move(error), part_read || Began()));
}

StreamedAnswer::State StreamedAnswer::Cancel() {
  if (!Began()) {
    return Fail({{ErrorCode::kCancelled, "openai: stopped"}, false});
  }
  completion_.finish_reason = kCancelledReason;
  return State::kCancelled;
}

StreamedAnswer::State StreamedAnswer::Fail(CompletionFailure failure) {
  failure.retryable = failure.retryable && !Began();
  failure_ = std::move(failure);
  return State::kFailed;
}

CompletionFailure StreamedAnswer::NothingSaid() const {
  std::string why = "openai: the answer is empty (finish_reason " + completion_.finish_reason + ")";
  if (refused_ || completion_.finish_reason == "content_filter") {
    why = "openai: the model refused to answer";
  } else if (tool_call_) {
    why = "openai: the model called a tool, though none was offered";
  }
  return {{ErrorCode::kBadGateway, std::move(why)}, false};
}

}  // namespace umbranet
