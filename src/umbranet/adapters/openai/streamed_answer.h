// A completion that comes in pieces: takes the pieces in, hands their text on, and knows whether
// the answer is whole. One thread at a time.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "umbranet/adapters/openai/openai_errors.h"
#include "umbranet/ports/language_model.h"

namespace umbranet {

class StreamedAnswer {
 public:
  // `sink` and what `address` names must outlive the answer.
  StreamedAnswer(const DeltaSink& sink, std::stop_token stop, ModelAddress address)
      : sink_(sink), stop_(std::move(stop)), address_(address) {}

  enum class State {
    kOpen,       // More is to come.
    kDone,       // [DONE] was read: the answer is whole.
    kCancelled,  // The sink or a stop ended it after it had begun.
    kFailed,
  };

  // The data of one event of the stream, or a whole completion in its place.
  State Take(std::string_view data);

  // The stream is over, whether [DONE] came or not.
  State End();

  // The connection failed. `part_read`: some of an answer had come that Take has not seen.
  State Break(Error error, bool part_read);

  // Some text has reached the sink.
  [[nodiscard]] bool Began() const { return !completion_.text.empty(); }

  [[nodiscard]] Completion TakeCompletion() { return std::move(completion_); }

  [[nodiscard]] CompletionFailure TakeFailure() { return std::move(*failure_); }

 private:
  State Cancel();
  State Fail(CompletionFailure failure);
  // An answer that is over but says nothing.
  CompletionFailure NothingSaid() const;

  const DeltaSink& sink_;
  const std::stop_token stop_;
  const ModelAddress address_;
  Completion completion_;
  bool refused_ = false;
  bool tool_call_ = false;
  bool choice_seen_ = false;
  std::optional<CompletionFailure> failure_;
};

}  // namespace umbranet
