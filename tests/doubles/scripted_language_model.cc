#include "tests/doubles/scripted_language_model.h"

#include <utility>

namespace umbranet {
namespace {

// A manual clock does not wake who waits on it, so waits look again this often.
constexpr std::chrono::milliseconds kLookAgain{5};

bool IsTransient(ErrorCode code) {
  return code == ErrorCode::kUnavailable || code == ErrorCode::kResourceExhausted;
}

}  // namespace

void ScriptedLanguageModel::Enqueue(ScriptedAnswer answer) {
  MutexLock lock(mutex_);
  answers_.push_back(std::move(answer));
}

ScriptedAnswer ScriptedLanguageModel::Take(const CompletionRequest& request) {
  MutexLock lock(mutex_);
  requests_.push_back(request);
  if (answers_.empty()) {
    return {.pieces = {"You said: " + request.messages.back().content}};
  }
  ScriptedAnswer answer = std::move(answers_.front());
  answers_.pop_front();
  return answer;
}

Error ScriptedLanguageModel::Hang(std::stop_token stop, Deadline deadline) {
  MutexLock lock(mutex_);
  ++hanging_;
  changed_.NotifyAll();
  while (!stop.stop_requested() && !deadline.Expired()) {
    changed_.WaitUntil(mutex_, stop, std::chrono::steady_clock::now() + kLookAgain);
  }
  if (stop.stop_requested()) {
    return {ErrorCode::kCancelled, "scripted: stopped"};
  }
  return DeadlineExceeded("scripted: out of time");
}

Result<Completion> ScriptedLanguageModel::Complete(const CompletionRequest& request,
                                                   std::stop_token stop, Deadline deadline) {
  return Stream(request, [](std::string_view) { return true; }, std::move(stop), deadline);
}

Result<Completion> ScriptedLanguageModel::Stream(const CompletionRequest& request,
                                                 const DeltaSink& sink, std::stop_token stop,
                                                 Deadline deadline) {
  for (;;) {
    if (stop.stop_requested()) {
      return Error{ErrorCode::kCancelled, "scripted: stopped"};
    }
    if (deadline.Expired()) {
      return DeadlineExceeded("scripted: out of time");
    }
    const ScriptedAnswer answer = Take(request);
    Completion completion;
    completion.finish_reason = answer.finish_reason;
    for (const std::string& piece : answer.pieces) {
      completion.text += piece;
      if (!sink(piece)) {
        completion.finish_reason = "cancelled";
        return completion;
      }
    }
    if (answer.hangs) {
      Error hung = Hang(stop, deadline);
      if (hung.code == ErrorCode::kCancelled && !completion.text.empty()) {
        completion.finish_reason = "cancelled";
        return completion;
      }
      return hung;
    }
    if (!answer.error) {
      return completion;
    }
    MutexLock lock(mutex_);
    const bool again =
        completion.text.empty() && IsTransient(answer.error->code) && !answers_.empty();
    if (!again) {
      return *answer.error;
    }
  }
}

Status ScriptedLanguageModel::Probe(Deadline deadline) {
  if (deadline.Expired()) {
    return DeadlineExceeded("scripted: out of time");
  }
  return {};
}

std::vector<CompletionRequest> ScriptedLanguageModel::Requests() const {
  MutexLock lock(mutex_);
  return requests_;
}

void ScriptedLanguageModel::AwaitHangs(std::size_t count) const {
  MutexLock lock(mutex_);
  while (hanging_ < count) {
    changed_.Wait(mutex_);
  }
}

}  // namespace umbranet
