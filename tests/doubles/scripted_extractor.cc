#include "tests/doubles/scripted_extractor.h"

#include <algorithm>
#include <utility>

namespace umbranet {
namespace {

ReflectionPlan PlanOf(const Interaction& turn) {
  ReflectionPlan plan;
  plan.extractor = "scripted/1";
  if (turn.user_message.empty()) {
    plan.skipped_reason = "empty";
    return plan;
  }
  plan.episodes.push_back({Role::kUser, turn.speaker, turn.user_message, 0.5, {}});
  plan.entities.push_back({std::string(kSelfEntity), EntityType::kPerson, {}});
  PlannedFact fact;
  fact.subject = kSelfEntity;
  fact.predicate = Predicate::kOther;
  fact.object = turn.user_message;
  fact.text = turn.user_message;
  plan.facts.push_back(fact);
  if (turn.user_message.starts_with("always")) {
    PlannedRule rule;
    rule.text = turn.user_message;
    rule.key = turn.user_message;
    plan.rules.push_back(rule);
  }
  return plan;
}

}  // namespace

Result<std::vector<ReflectionPlan>> ScriptedExtractor::Extract(const ExtractionInput& input,
                                                               Deadline /*deadline*/) {
  Script script;
  Editor editor;
  {
    MutexLock lock(mutex_);
    calls_.push_back(input);
    script = script_;
    editor = editor_;
  }
  if (script) {
    if (auto error = script(input)) {
      return *std::move(error);
    }
  }
  std::vector<ReflectionPlan> plans;
  plans.reserve(input.turns.size());
  for (const Interaction& turn : input.turns) {
    plans.push_back(PlanOf(turn));
  }
  if (editor) {
    editor(plans);
  }
  return plans;
}

void ScriptedExtractor::SetScript(Script script) {
  MutexLock lock(mutex_);
  script_ = std::move(script);
}

ExtractionScope ScriptedExtractor::Scope() const {
  MutexLock lock(mutex_);
  return scope_;
}

void ScriptedExtractor::SetScope(ExtractionScope scope) {
  MutexLock lock(mutex_);
  scope_ = scope;
}

void ScriptedExtractor::SetEditor(Editor editor) {
  MutexLock lock(mutex_);
  editor_ = std::move(editor);
}

std::vector<ExtractionInput> ScriptedExtractor::Calls() const {
  MutexLock lock(mutex_);
  return calls_;
}

std::size_t ScriptedExtractor::CallsFor(std::string_view interaction_id) const {
  MutexLock lock(mutex_);
  std::size_t count = 0;
  for (const ExtractionInput& call : calls_) {
    count += static_cast<std::size_t>(std::count_if(
        call.turns.begin(), call.turns.end(),
        [&](const Interaction& turn) { return turn.interaction_id == interaction_id; }));
  }
  return count;
}

}  // namespace umbranet
