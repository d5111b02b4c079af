// A language model that plays a script: one answer a call, in the order of the calls. The in-memory
// twin of every real one, held to the same contract.
//
// All methods may be called from any thread.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/base/mutex.h"
#include "umbranet/ports/language_model.h"

namespace umbranet {

struct ScriptedAnswer {
  std::vector<std::string> pieces = {};
  std::string finish_reason = "stop";
  // Instead of ending well, the call hangs after the pieces until its deadline or a stop.
  bool hangs = false;
  // Or it fails with this after the pieces. Without pieces, and when waiting may help, the call
  // goes on with the next script, as a model that tries again would.
  std::optional<Error> error = std::nullopt;
};

class ScriptedLanguageModel final : public LanguageModel {
 public:
  // For the next call that has none yet. A call without a script echoes the last user message.
  void Enqueue(ScriptedAnswer answer);

  Result<Completion> Complete(const CompletionRequest& request, std::stop_token stop,
                              Deadline deadline) override;
  Result<Completion> Stream(const CompletionRequest& request, const DeltaSink& sink,
                            std::stop_token stop, Deadline deadline) override;

  [[nodiscard]] std::string_view Name() const override { return "scripted"; }

  Status Probe(Deadline deadline) override;

  [[nodiscard]] std::vector<CompletionRequest> Requests() const;
  // Returns once so many calls have begun to hang.
  void AwaitHangs(std::size_t count) const;

 private:
  ScriptedAnswer Take(const CompletionRequest& request);
  Error Hang(std::stop_token stop, Deadline deadline);

  mutable Mutex mutex_;
  mutable ConditionVariable changed_;
  std::deque<ScriptedAnswer> answers_ GUARDED_BY(mutex_);
  std::vector<CompletionRequest> requests_ GUARDED_BY(mutex_);
  std::size_t hanging_ GUARDED_BY(mutex_) = 0;
};

}  // namespace umbranet
