// Shadow mode asks no model: what one answered the path in force is written down, and the path that
// is tried is answered from there. A question that was not asked before has no answer, which is a
// finding: the two paths were not given the same.
//
// All methods may be called from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>

#include "umbranet/extraction/answer_cache.h"
#include "umbranet/ports/language_model.h"

namespace umbranet {

// Hands calls on, and writes down what was answered. `inner` and `record` must outlive it.
class RecordingLanguageModel final : public LanguageModel {
 public:
  RecordingLanguageModel(LanguageModel& inner, AnswerCache& record)
      : inner_(inner), record_(record) {}

  Result<Completion> Complete(const CompletionRequest& request, std::stop_token stop,
                              Deadline deadline) override;
  Result<Completion> Stream(const CompletionRequest& request, const DeltaSink& sink,
                            std::stop_token stop, Deadline deadline) override;

  [[nodiscard]] std::string_view Name() const override { return inner_.Name(); }

  Status Probe(Deadline deadline) override { return inner_.Probe(deadline); }

 private:
  LanguageModel& inner_;
  AnswerCache& record_;
};

// Answers from the record alone; kNotFound: this was not asked before. `record` must outlive it.
class ReplayedLanguageModel final : public LanguageModel {
 public:
  ReplayedLanguageModel(std::string name, AnswerCache& record)
      : name_(std::move(name)), record_(record) {}

  Result<Completion> Complete(const CompletionRequest& request, std::stop_token stop,
                              Deadline deadline) override;
  Result<Completion> Stream(const CompletionRequest& request, const DeltaSink& sink,
                            std::stop_token stop, Deadline deadline) override;

  [[nodiscard]] std::string_view Name() const override { return name_; }

  Status Probe(Deadline /*deadline*/) override { return {}; }

  // Questions that had no answer, so far.
  [[nodiscard]] std::uint64_t Unanswered() const { return unanswered_.load(); }

 private:
  const std::string name_;
  AnswerCache& record_;
  std::atomic<std::uint64_t> unanswered_{0};
};

}  // namespace umbranet
