// An extractor whose answers a test writes. By default each turn gives one episode of what the user
// said, one entity, one fact about it and, where the text begins with "always", one rule.
//
// All methods may be called from any thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "umbranet/base/mutex.h"
#include "umbranet/ports/extractor.h"

namespace umbranet {

class ScriptedExtractor final : public Extractor {
 public:
  // Asked before each answer; an error is the answer then. May block, to hold a worker up.
  using Script = std::function<std::optional<Error>(const ExtractionInput& input)>;

  Result<std::vector<ReflectionPlan>> Extract(const ExtractionInput& input,
                                              Deadline deadline) override;

  [[nodiscard]] std::string_view Name() const override { return "scripted/1"; }

  void SetScript(Script script);

  [[nodiscard]] ExtractionScope Scope() const override;
  void SetScope(ExtractionScope scope);

  // Spoils the plans before they are handed over.
  using Editor = std::function<void(std::vector<ReflectionPlan>& plans)>;

  void SetEditor(Editor editor);

  // What it was asked, in order.
  [[nodiscard]] std::vector<ExtractionInput> Calls() const;
  // How often a turn was worked out.
  [[nodiscard]] std::size_t CallsFor(std::string_view interaction_id) const;

 private:
  mutable Mutex mutex_;
  Script script_ GUARDED_BY(mutex_);
  Editor editor_ GUARDED_BY(mutex_);
  ExtractionScope scope_ GUARDED_BY(mutex_);
  std::vector<ExtractionInput> calls_ GUARDED_BY(mutex_);
};

}  // namespace umbranet
