#include "umbranet/domain/moved_rows.h"

namespace umbranet {
namespace {

constexpr MovedKind kInteger = MovedKind::kInteger;
constexpr MovedKind kReal = MovedKind::kReal;
constexpr MovedKind kFlag = MovedKind::kFlag;
constexpr MovedKind kId = MovedKind::kId;
constexpr MovedKind kWords = MovedKind::kWords;
constexpr MovedKind kTerms = MovedKind::kTerms;
constexpr MovedKind kBytes = MovedKind::kBytes;

std::vector<MovedTable> LedgerTables() {
  return {
      {"turn",
       {{"seq", kInteger},
        {"user_key", kInteger},
        {"interaction_id", kId},
        {"session_id", kId},
        {"speaker", kBytes},
        {"occurred_at", kInteger},
        {"accepted_at", kInteger},
        {"priority", kInteger},
        {"origin", kInteger},
        {"past_generation", kInteger},
        {"past_state", kInteger},
        {"metadata", kBytes},
        {"user_message", kBytes},
        {"assistant_response", kBytes}}},
      {"job", {{"seq", kInteger},         {"user_key", kInteger},      {"job_id", kId},
               {"generation", kInteger},  {"priority", kInteger},      {"mode", kInteger},
               {"state", kInteger},       {"attempts", kInteger},      {"crashes", kInteger},
               {"solo", kFlag},           {"tiers_done", kInteger},    {"enqueued_at", kInteger},
               {"due_at", kInteger},      {"available_at", kInteger},  {"holds_user", kFlag},
               {"finished_at", kInteger}, {"interaction_id", kId},     {"traceparent", kWords},
               {"last_error", kWords},    {"last_error_tier", kWords}, {"fallback", kWords}}},
      {"former_job",
       {{"job_id", kId},
        {"user_key", kInteger},
        {"interaction_id", kId},
        {"generation", kInteger},
        {"priority", kInteger},
        {"mode", kInteger},
        {"state", kInteger},
        {"attempts", kInteger},
        {"crashes", kInteger},
        {"tiers_done", kInteger},
        {"enqueued_at", kInteger},
        {"finished_at", kInteger},
        {"traceparent", kWords},
        {"last_error", kWords},
        {"last_error_tier", kWords},
        {"fallback", kWords}}},
      {"plan", {{"seq", kInteger}, {"plan", kBytes}}},
      {"attempt",
       {{"seq", kInteger},
        {"ordinal", kInteger},
        {"attempt", kInteger},
        {"at", kInteger},
        {"kind", kInteger},
        {"tier", kWords},
        {"error", kWords}}},
      {"audit",
       {{"id", kInteger},
        {"at", kInteger},
        {"actor", kWords},
        {"action", kWords},
        {"job_id", kId},
        {"user_key", kInteger},
        {"reason", kWords}}},
      {"answer",
       {{"tenant", kId},
        {"idempotency_key", kBytes},
        {"user_key", kInteger},
        {"fingerprint", kBytes},
        {"http_status", kInteger},
        {"body", kBytes},
        {"stored_at", kInteger}}},
  };
}

std::vector<MovedTable> TierTables() {
  return {
      {"tier_applied", {{"user_key", kInteger}, {"tier", kInteger}, {"job_id", kId}}},
      {"erased_memory",
       {{"user_key", kInteger}, {"tier", kInteger}, {"id", kId}, {"interaction_id", kId}}},
      {"episode",
       {{"episode_key", kInteger},
        {"user_key", kInteger},
        {"session_id", kId},
        {"sequence", kInteger},
        {"ordinal", kInteger},
        {"occurred_at", kInteger},
        {"role", kInteger},
        {"length", kInteger},
        {"importance", kReal},
        {"memory_id", kId},
        {"interaction_id", kId},
        {"speaker", kBytes},
        {"event_times", kId},
        {"text", kBytes},
        {"terms", kWords},
        {"edited", kFlag}}},
      {"episode_vector",
       {{"episode_key", kInteger},
        {"vector_key", kInteger},
        {"user_key", kInteger},
        {"space_key", kInteger},
        {"role", kInteger},
        {"occurred_at", kInteger},
        {"packed", kBytes}}},
      {"rule_statement",
       {{"statement_key", kInteger},
        {"user_key", kInteger},
        {"statement_id", kId},
        {"interaction_id", kId},
        {"occurred_at", kInteger},
        {"sequence", kInteger},
        {"ordinal", kInteger},
        {"recorded_at", kInteger},
        {"kind", kInteger},
        {"negative", kFlag},
        {"withdraws", kFlag},
        {"confidence", kReal},
        {"rule_key", kBytes},
        {"scope", kBytes},
        {"text", kBytes},
        {"edited_text", kBytes},
        {"edited_withdrawn_at", kInteger}}},
  };
}

std::vector<MovedTable> ConsolidationTables() {
  return {
      {"consolidated_episode",
       {{"consolidated_key", kInteger},
        {"user_key", kInteger},
        {"memory_id", kId},
        {"session_id", kId},
        {"from_at", kInteger},
        {"until_at", kInteger},
        {"made_at", kInteger},
        {"model", kWords},
        {"text", kBytes},
        {"terms", kTerms}}},
      {"consolidated_source",
       {{"consolidated_key", kInteger}, {"place", kInteger}, {"episode_key", kInteger}},
       "consolidated_episode",
       "consolidated_key"},
      {"consolidation_left_alone",
       {{"user_key", kInteger}, {"memory_id", kId}, {"until_at", kInteger}}},
  };
}

}  // namespace

std::span<const MovedTable> MovedTables() {
  static const std::vector<MovedTable> kTables = [] {
    std::vector<MovedTable> tables = LedgerTables();
    for (const std::vector<MovedTable>& more : {TierTables(), ConsolidationTables()}) {
      tables.insert(tables.end(), more.begin(), more.end());
    }
    return tables;
  }();
  return kTables;
}

const MovedTable& MovedAccounts() {
  static const MovedTable kAccounts{"account",
                                    {{"user_key", kInteger},
                                     {"tenant", kId},
                                     {"user_id", kId},
                                     {"accepted", kInteger},
                                     {"reflected", kInteger},
                                     {"dead", kInteger},
                                     {"erased_at", kInteger}}};
  return kAccounts;
}

std::span<const MovedTable> MovedCommonTables() {
  static const std::vector<MovedTable> kTables = {
      {"embedding_space", {{"space_key", kInteger}, {"space", kId}}},
      {"model_usage",
       {{"day", kInteger},
        {"tenant", kId},
        {"model", kId},
        {"purpose", kId},
        {"first_day", kInteger},
        {"calls", kInteger},
        {"failed", kInteger},
        {"prompt_tokens", kInteger},
        {"completion_tokens", kInteger},
        {"cost", kReal}}},
  };
  return kTables;
}

}  // namespace umbranet
