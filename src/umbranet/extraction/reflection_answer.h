// Reads what a language model answered about a batch of turns (reflection_schema.h has the form).
// Nothing in it is believed: structure, handles and closed lists are checked, long texts are cut,
// lists are bounded, and what is not exactly an item is left out and counted. Pure; any thread.
// Linear in the text, whatever the bytes are.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/domain/fact.h"
#include "umbranet/domain/rule.h"
#include "umbranet/domain/time_range.h"
#include "umbranet/extraction/reflection_prompt.h"

namespace umbranet {

struct EntityDraft {
  std::string name;
  EntityType type = EntityType::kOther;
  std::vector<std::string> aliases;
};

struct FactDraft {
  std::string subject;
  EntityType subject_type = EntityType::kOther;
  Predicate predicate = Predicate::kOther;
  std::string qualifier;
  std::string object;
  std::optional<EntityType> object_type;  // Nothing: a value.
  bool negated = false;
  bool ended = false;
  std::string text;
  std::optional<TimeRange> from;  // The days that were named.
  std::optional<TimeRange> to;
  std::vector<std::string> replaces;  // Handles.
  double certainty = 0.8;
  std::string quote;
};

struct RuleDraft {
  RuleKind kind = RuleKind::kInstruction;
  std::string text;
  std::string scope;
  bool negative = false;
  bool withdraws = false;
  double strength = 0.8;
  std::string quote;
};

// What was said of one turn; of parts that were not asked for, nothing.
struct TurnDraft {
  bool keep = true;
  std::string skip_reason;
  std::string summary;
  std::optional<double> importance;
  std::vector<TimeRange> dates;
  std::vector<EntityDraft> entities;
  std::vector<FactDraft> facts;
  std::vector<RuleDraft> rules;
};

struct ReflectionAnswer {
  // One a turn that was asked about; nothing of one that was not answered, or that is to go
  // without a reason: then nobody decided about it, and asking again would not help.
  std::vector<std::optional<TurnDraft>> turns;
  std::size_t items_refused = 0;  // Facts, rules and the like that were none.
  // What is wrong with the answer as a whole, for the model to read; empty when all of it has
  // the form asked for.
  std::string problem;

  [[nodiscard]] bool Usable() const;  // At least one turn was.
};

// The JSON object within what a model said: without its thinking (<think>...</think>), without code
// fences and what stands around them. Empty when there is none.
[[nodiscard]] std::string_view FindAnswerObject(std::string_view text);

// `turns` is how many were asked about, `parts` what.
[[nodiscard]] ReflectionAnswer ReadReflectionAnswer(std::string_view text, std::size_t turns,
                                                    AnswerParts parts);

// "2024", "2024-05", "2024-05-03" or a whole RFC 3339 time, as the span that it names. Nothing when
// it is none, or lies outside the years 1600 to 2400.
[[nodiscard]] std::optional<TimeRange> ReadDay(std::string_view text);

}  // namespace umbranet
