#include "umbranet/extraction/recorded_answers.h"

#include <optional>
#include <utility>

namespace umbranet {
namespace {

// An answer that was cut short is written down as such.
constexpr char kSeparator = '\x1f';

std::string Packed(const Completion& completion) {
  return completion.finish_reason + kSeparator + completion.text;
}

Completion Unpacked(const std::string& packed) {
  const std::size_t at = packed.find(kSeparator);
  Completion completion;
  completion.finish_reason = packed.substr(0, at);
  completion.text = at == std::string::npos ? std::string() : packed.substr(at + 1);
  return completion;
}

}  // namespace

Result<Completion> RecordingLanguageModel::Complete(const CompletionRequest& request,
                                                    std::stop_token stop, Deadline deadline) {
  auto completion = inner_.Complete(request, std::move(stop), deadline);
  if (completion.ok() && completion->finish_reason != "cancelled") {
    record_.Keep(QuestionKey(request, Name()), Packed(*completion));
  }
  return completion;
}

Result<Completion> RecordingLanguageModel::Stream(const CompletionRequest& request,
                                                  const DeltaSink& sink, std::stop_token stop,
                                                  Deadline deadline) {
  return inner_.Stream(request, sink, std::move(stop), deadline);  // Reflection does not stream.
}

Result<Completion> ReplayedLanguageModel::Complete(const CompletionRequest& request,
                                                   std::stop_token /*stop*/,
                                                   Deadline /*deadline*/) {
  const std::optional<std::string> packed = record_.Find(QuestionKey(request, name_));
  if (!packed.has_value()) {
    unanswered_.fetch_add(1);
    return NotFound("shadow: the model was not asked this before");
  }
  return Unpacked(*packed);
}

Result<Completion> ReplayedLanguageModel::Stream(const CompletionRequest& request,
                                                 const DeltaSink& sink, std::stop_token stop,
                                                 Deadline deadline) {
  auto completion = Complete(request, std::move(stop), deadline);
  if (completion.ok() && sink) {
    (void)sink(completion->text);
  }
  return completion;
}

}  // namespace umbranet
