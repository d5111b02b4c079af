#include "umbranet/reflection/session_summarizer.h"

#include <vector>

#include "umbranet/reflection/summary_text.h"

namespace umbranet {

SessionSummarizer::SessionSummarizer(Journal& journal, ShortTermMemory& short_term,
                                     Metrics& metrics, StructuredLog& log, Options options,
                                     ModelSummary* model)
    : journal_(journal),
      short_term_(short_term),
      metrics_(metrics),
      log_(log),
      options_(options),
      model_(model) {}

bool SessionSummarizer::NoteTurns(const UserKey& user, std::string_view session_id,
                                  std::size_t turns) {
  MutexLock lock(mutex_);
  if (noted_.size() >= options_.sessions_max) {
    noted_.clear();
  }
  const auto session = noted_.try_emplace({user, std::string(session_id)}, 0).first;
  session->second += turns;
  if (session->second < options_.look_every_turns) {
    return false;
  }
  noted_.erase(session);
  return true;
}

Result<bool> SessionSummarizer::Summarize(const UserKey& user, std::string_view session_id,
                                          Deadline deadline) {
  auto saved = SummarizeOnce(user, session_id, deadline);
  if (!saved.ok()) {
    log_.Warning("summary_failed", {{"error", saved.error().message}});
  }
  metrics_.reflection_summaries_total.At(!saved.ok() ? "failed"
                                         : *saved    ? "saved"
                                                     : "unchanged")
      .Increment();
  return saved;
}

std::string SessionSummarizer::WriteSummary(std::string_view previous,
                                            std::span<const Interaction> turns, Deadline deadline) {
  if (model_ != nullptr) {
    auto written = model_->Write(previous, turns, options_.summary_tokens, deadline);
    if (written.ok()) {
      return std::move(written).value();
    }
    log_.Info("summary_without_model", {{"error", written.error().message}});
  }
  return SummarizeTurns(previous, turns, options_.summary_tokens);
}

Result<bool> SessionSummarizer::SummarizeOnce(const UserKey& user, std::string_view session_id,
                                              Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const Conversation window,
                            short_term_.Read(user, session_id, options_.window, deadline));
  if (window.turns.empty()) {
    return false;
  }
  UMBRANET_ASSIGN_OR_RETURN(std::vector<Interaction> left,
                            journal_.Recent(user, session_id, window.turns.front().sequence,
                                            options_.turns_read_max, deadline));
  std::erase_if(left, [&window](const Interaction& turn) {
    return turn.sequence <= window.summarized_through;
  });
  if (left.size() < options_.turns_left_min) {
    return false;
  }
  const std::string summary = WriteSummary(window.summary, left, deadline);
  // Saved even when it says nothing new, since it also says how far it reaches.
  UMBRANET_RETURN_IF_ERROR(
      short_term_.SaveSummary(user, session_id, left.back().sequence, summary, deadline));
  return true;
}

}  // namespace umbranet
