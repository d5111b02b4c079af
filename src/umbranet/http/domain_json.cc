#include "umbranet/http/domain_json.h"

#include <optional>
#include <string_view>

#include "umbranet/domain/fact_contradictions.h"

namespace umbranet {
namespace {

constexpr int kScoreDecimals = 6;
constexpr int kMillisDecimals = 3;

void WriteTimeIfAny(JsonWriter& json, std::string_view name, const std::optional<Timestamp>& time) {
  if (time) {
    json.Field(name, *time);
  }
}

void WriteSources(JsonWriter& json, const std::vector<SourceRef>& sources) {
  json.Key("sources").BeginArray();
  for (const SourceRef& source : sources) {
    json.BeginObject()
        .Field("interaction_id", source.interaction_id)
        .Field("role", RoleName(source.role))
        .EndObject();
  }
  json.EndArray();
}

// One vocabulary for a job and its tiers: a tier is reflected, or it is where its job is.
std::string_view TierStatus(const JobStatus& status, Tier tier) {
  return (status.tiers_done & TierBit(tier)) != 0 ? JobStateName(JobState::kDone)
                                                  : JobStateName(status.state);
}

void WriteTiers(JsonWriter& json, const JobStatus& status) {
  json.Key("tiers").BeginObject();
  for (const Tier tier : kReflectedTiers) {
    json.Key(TierName(tier)).BeginObject().Field("status", TierStatus(status, tier));
    if ((status.tiers_done & TierBit(tier)) == 0 && !status.last_error.empty() &&
        (status.last_error_tier == TierName(tier) || status.last_error_tier.empty())) {
      json.Field("error", status.last_error);
    }
    json.EndObject();
  }
  json.EndObject();
}

// "00-<trace id>-<span id>-<flags>"; empty when there is no such thing.
std::string_view TraceIdOf(std::string_view traceparent) {
  constexpr std::size_t kTraceparentBytes = 55;
  return traceparent.size() == kTraceparentBytes ? traceparent.substr(3, 32) : std::string_view{};
}

void WriteStrings(JsonWriter& json, const std::vector<std::string>& strings) {
  json.BeginArray();
  for (const std::string& text : strings) {
    json.String(text);
  }
  json.EndArray();
}

void WriteFact(JsonWriter& json, const Fact& fact, const Contradictions& contradictions) {
  json.BeginObject()
      .Field("memory_id", fact.memory_id)
      .Field("subject_id", fact.subject_id)
      .Field("subject", fact.subject)
      .Field("predicate", PredicateName(fact.predicate))
      .Field("qualifier", fact.qualifier)
      .Field("object", fact.object);
  if (fact.object_id) {
    json.Field("object_id", *fact.object_id);
  }
  json.Field("negated", fact.negated).Field("text", fact.text);
  json.Field("occurred_at", fact.occurred_at).Field("recorded_at", fact.recorded_at);
  WriteTimeIfAny(json, "valid_from", fact.valid_from);
  WriteTimeIfAny(json, "valid_to", fact.valid_to);
  if (fact.superseded_by) {
    json.Field("superseded_by", *fact.superseded_by);
  }
  json.Key("confidence").Number(fact.confidence, 3);
  json.Field("evidence", fact.evidence);
  if (const auto found = contradictions.find(fact.memory_id); found != contradictions.end()) {
    json.Key("contradicts");
    WriteStrings(json, found->second);
  }
  WriteSources(json, fact.sources);
  json.EndObject();
}

// The members of an object that is open.
void WriteItemFields(JsonWriter& json, const MemoryItem& item) {
  json.Field("memory_id", item.memory_id)
      .Field("tier", TierName(item.tier))
      .Field("text", item.text);
  json.Key("score").Number(item.score, kScoreDecimals);
  json.Field("occurred_at", item.occurred_at);
  WriteTimeIfAny(json, "valid_from", item.valid_from);
  WriteTimeIfAny(json, "valid_to", item.valid_to);
  if (item.superseded_by) {
    json.Field("superseded_by", *item.superseded_by);
  }
  if (!item.contradicts.empty()) {
    json.Key("contradicts");
    WriteStrings(json, item.contradicts);
  }
  WriteSources(json, item.sources);
}

// The member "explanation" of an open object.
void WriteExplanation(JsonWriter& json, const ItemExplanation& explanation) {
  json.Key("explanation").BeginObject().Key("found_by").BeginObject();
  for (const auto& [arm, place] : explanation.found_by) {
    json.Field(RecallArmName(arm), place);
  }
  const ScoreParts& parts = explanation.parts;
  json.EndObject().Key("parts").BeginObject();
  json.Key("words").Number(parts.words, kScoreDecimals);
  json.Key("other_half").Number(parts.other_half, kScoreDecimals);
  json.Key("neighbours").Number(parts.neighbours, kScoreDecimals);
  json.Key("meaning").Number(parts.meaning, kScoreDecimals);
  json.Key("time").Number(parts.time, kScoreDecimals);
  json.Key("session").Number(parts.session, kScoreDecimals);
  json.Key("edge").Number(parts.edge, kScoreDecimals);
  json.Key("turn").Number(parts.turn, kScoreDecimals);
  json.EndObject().Key("factors").BeginObject();
  json.Key("named").Number(parts.named, kScoreDecimals);
  json.Key("dated").Number(parts.dated, kScoreDecimals);
  json.EndObject();
  if (explanation.similarity) {
    json.Key("similarity").Number(*explanation.similarity, kScoreDecimals);
  }
  if (!explanation.stands_for.empty()) {
    json.Field("stands_for", explanation.stands_for);
  }
  json.EndObject();
}

void WriteExplainedItem(JsonWriter& json, const MemoryItem& item,
                        const ItemExplanation& explanation) {
  json.BeginObject();
  WriteItemFields(json, item);
  WriteExplanation(json, explanation);
  json.EndObject();
}

// The members "items" and "left_out" of an open object.
void WriteExplainedItems(JsonWriter& json, const std::vector<MemoryItem>& items,
                         const RecallExplanation& explanation) {
  json.Key("items").BeginArray();
  for (std::size_t i = 0; i < items.size(); ++i) {
    WriteExplainedItem(json, items[i], explanation.items[i]);
  }
  json.EndArray().Key("left_out").BeginArray();
  for (const LeftOutItem& left_out : explanation.left_out) {
    json.BeginObject().Field("reason", LeftOutReasonName(left_out.reason));
    if (!left_out.in_favour_of.empty()) {
      json.Field("in_favour_of", left_out.in_favour_of);
    }
    json.Key("item");
    WriteExplainedItem(json, left_out.item, left_out.explanation);
    json.EndObject();
  }
  json.EndArray();
}

}  // namespace

void WriteItem(JsonWriter& json, const MemoryItem& item) {
  json.BeginObject();
  WriteItemFields(json, item);
  json.EndObject();
}

void WriteItems(JsonWriter& json, const std::vector<MemoryItem>& items) {
  json.BeginArray();
  for (const MemoryItem& item : items) {
    WriteItem(json, item);
  }
  json.EndArray();
}

void WriteListedItems(JsonWriter& json, const std::vector<MemoryItem>& items,
                      const std::map<std::string, std::string>& consolidated_in) {
  json.BeginArray();
  for (const MemoryItem& item : items) {
    json.BeginObject();
    WriteItemFields(json, item);
    if (const auto found = consolidated_in.find(item.memory_id); found != consolidated_in.end()) {
      json.Field("consolidated_in", found->second);
    }
    json.EndObject();
  }
  json.EndArray();
}

void WriteFreshness(JsonWriter& json, const Freshness& freshness) {
  json.Field("accepted", freshness.accepted)
      .Field("reflected", freshness.reflected)
      .Field("pending", freshness.pending)
      .Field("dead", freshness.dead);
}

// Why a job was given up, in a word or two.
std::string_view DeadReason(const JobStatus& status) {
  if (status.crashes >= kCrashesMax) {
    return "kills workers";
  }
  return !status.history.empty() && status.history.back().kind == FailureKind::kPermanent
             ? "cannot be done"
             : "failed too often";
}

void WriteReflection(JsonWriter& json, const JobStatus& status, bool with_history) {
  json.BeginObject()
      .Field("job_id", status.job.job_id)
      .Field("interaction_id", status.job.interaction_id)
      .Field("user_id", status.job.user.user_id)
      .Field("status", JobStateName(status.state))
      .Field("priority", PriorityName(status.job.priority))
      .Field("attempts", status.attempts)
      .Field("attempts_max", status.attempts_max);
  WriteTiers(json, status);
  json.Field("accepted_at", status.accepted_at);
  WriteTimeIfAny(json, status.state == JobState::kDone ? "reflected_at" : "finished_at",
                 status.finished_at);
  WriteTimeIfAny(json, "next_attempt_at", status.next_attempt_at);
  if (!status.fallback.empty()) {
    json.Field("fallback", status.fallback);
  }
  json.Field("trace_id", TraceIdOf(status.job.traceparent));
  if (with_history) {
    json.Field("crashes", status.crashes);
    json.Field("reason", DeadReason(status));
    json.Key("history").BeginArray();
    for (const AttemptRecord& attempt : status.history) {
      json.BeginObject()
          .Field("attempt", attempt.attempt)
          .Field("at", attempt.at)
          .Field("kind", FailureKindName(attempt.kind))
          .Field("tier", attempt.tier)
          .Field("error", attempt.error)
          .EndObject();
    }
    json.EndArray();
  }
  json.EndObject();
}

namespace {

constexpr double kMillion = 1'000'000;
constexpr int kMoneyPlaces = 6;

void WriteUsageRows(JsonWriter& json, std::string_view name, const std::vector<UsageRow>& rows) {
  json.Key(name).BeginArray();
  for (const auto& [key, counts] : rows) {
    json.BeginObject()
        .Field("tenant", key.tenant)
        .Field("model", key.model)
        .Field("purpose", key.purpose)
        .Field("calls", counts.calls)
        .Field("failed", counts.failed)
        .Field("prompt_tokens", counts.prompt_tokens)
        .Field("completion_tokens", counts.completion_tokens);
    json.Key("cost").Number(counts.cost / kMillion, kMoneyPlaces);
    json.EndObject();
  }
  json.EndArray();
}

}  // namespace

void WriteUsage(JsonWriter& json, const ModelUsage::Report& report) {
  json.BeginObject().Field("day", report.day).Field("since", report.since);
  json.Key("daily_budget")
      .Number(static_cast<double>(report.daily_cost_max) / kMillion, kMoneyPlaces);
  json.Field("daily_tokens", report.daily_tokens_max);
  WriteUsageRows(json, "today", report.today);
  WriteUsageRows(json, "total", report.total);
  if (report.agreed_at) {
    json.Field("agreed_at", *report.agreed_at);
  }
  json.Key("this_process").BeginObject().Field("since", report.process_since);
  WriteUsageRows(json, "today", report.process_today);
  WriteUsageRows(json, "total", report.process_total);
  json.EndObject();
  json.Key("exhausted").BeginArray();
  for (const std::string& tenant : report.exhausted) {
    json.String(tenant);
  }
  json.EndArray().EndObject();
}

void WriteEntry(JsonWriter& json, const JournalEntry& entry) {
  const Interaction& turn = entry.interaction;
  json.BeginObject()
      .Field("interaction_id", turn.interaction_id)
      .Field("session_id", turn.session_id)
      .Field("timestamp", turn.occurred_at)
      .Field("speaker", turn.speaker)
      .Field("user_message", turn.user_message)
      .Field("assistant_response", turn.assistant_response);
  json.Key("metadata").Raw(turn.metadata.empty() ? "{}" : std::string_view(turn.metadata));
  json.Key("reflection")
      .BeginObject()
      .Field("job_id", entry.reflection.job.job_id)
      .Field("status", JobStateName(entry.reflection.state));
  WriteTiers(json, entry.reflection);
  json.EndObject().EndObject();
}

void WriteGraph(JsonWriter& json, const KnowledgeGraph& graph) {
  json.BeginObject().Key("entities").BeginArray();
  for (const Entity& entity : graph.entities) {
    json.BeginObject()
        .Field("entity_id", entity.entity_id)
        .Field("name", entity.name)
        .Field("type", EntityTypeName(entity.type))
        .Key("aliases");
    WriteStrings(json, entity.aliases);
    json.EndObject();
  }
  json.EndArray().Key("facts").BeginArray();
  const Contradictions contradictions = FindContradictions(graph.facts);
  for (const Fact& fact : graph.facts) {
    WriteFact(json, fact, contradictions);
  }
  json.EndArray().EndObject();
}

void WriteProfile(JsonWriter& json, const UserKey& user, const UserProfile& profile) {
  json.BeginObject().Field("user_id", user.user_id).Key("sections").BeginArray();
  for (const ProfileSection& section : profile.sections) {
    json.BeginObject().Field("name", section.name).Key("lines").BeginArray();
    for (const ProfileLine& line : section.lines) {
      json.BeginObject().Field("memory_id", line.memory_id).Field("text", line.text);
      WriteTimeIfAny(json, "since", line.since);
      WriteSources(json, line.sources);
      json.EndObject();
    }
    json.EndArray().EndObject();
  }
  json.EndArray().Field("text", profile.text).EndObject();
}

void WriteMerges(JsonWriter& json, const std::vector<EntityMerge>& merges) {
  json.BeginObject().Key("merges").BeginArray();
  for (const EntityMerge& merge : merges) {
    json.BeginObject()
        .Field("name", merge.name)
        .Field("other", merge.other)
        .Field("interaction_id", merge.interaction_id)
        .Field("occurred_at", merge.occurred_at)
        .Field("recorded_at", merge.recorded_at);
    WriteTimeIfAny(json, "parted_at", merge.parted_at);
    json.EndObject();
  }
  json.EndArray().EndObject();
}

std::string RenderChatAnswer(const ChatAnswer& answer) {
  std::string body;
  body.reserve(1024 + answer.reply.size());
  JsonWriter json(body);
  json.BeginObject()
      .Field("interaction_id", answer.interaction_id)
      .Field("user_id", answer.user.user_id)
      .Field("session_id", answer.session_id)
      .Field("reply", answer.reply);
  json.Key("reflection")
      .BeginObject()
      .Field("job_id", answer.job_id)
      .Field("status", answer.reflection_status)
      .EndObject();
  json.Key("recalled");
  WriteItems(json, answer.recalled);
  json.Key("rules");
  WriteItems(json, answer.rules);
  json.Key("degraded");
  WriteStrings(json, answer.degraded);
  json.Key("timings_ms").BeginObject();
  json.Key("total").Number(answer.timings.total, kMillisDecimals);
  json.Key("recall").Number(answer.timings.recall, kMillisDecimals);
  json.Key("model").Number(answer.timings.model, kMillisDecimals);
  json.Key("store").Number(answer.timings.store, kMillisDecimals);
  json.EndObject().EndObject();
  return body;
}

std::string RenderRecall(const RecalledContext& recalled) {
  std::string body;
  body.reserve(1024 + recalled.context.size() + 512 * recalled.items.size());
  JsonWriter json(body);
  json.BeginObject();
  if (recalled.explanation) {
    WriteExplainedItems(json, recalled.items, *recalled.explanation);
  } else {
    json.Key("items");
    WriteItems(json, recalled.items);
  }
  json.Key("rules");
  WriteItems(json, recalled.rules);
  json.Field("context", recalled.context);
  json.Key("missing_tiers").BeginArray();
  for (const Tier tier : recalled.missing_tiers) {
    json.String(TierName(tier));
  }
  json.EndArray().Key("degraded");
  WriteStrings(json, recalled.degraded);
  json.Key("freshness").BeginObject();
  WriteFreshness(json, recalled.freshness);
  json.EndObject().Key("timings_ms").BeginObject();
  json.Key("total").Number(recalled.total_ms, kMillisDecimals);
  json.Key("by_tier").BeginObject();
  for (const auto& [tier, millis] : recalled.tier_ms) {
    json.Key(TierName(tier)).Number(millis, kMillisDecimals);
  }
  json.EndObject().EndObject().EndObject();
  return body;
}

}  // namespace umbranet
