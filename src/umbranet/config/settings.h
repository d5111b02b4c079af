// Everything that can be set, with its default. The comments in settings.cc's table are the
// reference from which docs/configuration.md is generated. A Settings is a plain value; where each
// value came from is kept beside it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/api_key.h"
#include "umbranet/telemetry/structured_log.h"

namespace umbranet {

enum class ServeRole : std::uint8_t { kAll, kApi };

enum class ExtractorChoice : std::uint8_t { kAuto, kRules, kModel };

enum class ReflectionCalls : std::uint8_t { kCombined, kPerTier };

// Which path is tried on turns beside the one that is in force.
enum class ShadowMode : std::uint8_t { kOff, kInline, kRules };

enum class EmbedderChoice : std::uint8_t { kAuto, kLocal, kEndpoint, kOff };

struct Settings {
  std::string listen_host = "127.0.0.1";
  std::uint16_t listen_port = 8080;
  std::string data_folder;  // Absolute or relative; SettingsFrom fills in the default.
  ServeRole role = ServeRole::kAll;
  std::string api_keys_text;
  std::string api_keys_file;
  std::vector<ApiKey> api_keys;  // From the two above.
  std::string client_key;

  std::string openai_api_key;
  std::string openai_base_url;
  std::string openai_model = "gpt-4o-mini";
  std::string system_prompt_file;
  std::uint32_t turn_timeout_ms = 60'000;

  EmbedderChoice embedder = EmbedderChoice::kAuto;
  std::string embedding_model_folder;
  std::uint32_t embedding_threads = 2;
  std::uint32_t chat_embeddings_per_s = 20;
  std::string embedding_base_url;
  std::string embedding_api_key;
  std::string embedding_model = "text-embedding-3-small";

  std::string keyspace = "umbranet";
  std::string postgres_url;
  std::uint32_t postgres_connections = 16;
  bool migrate_on_start = false;
  std::string redis_url;
  std::string neo4j_url;
  std::string rabbitmq_url;
  std::string rabbitmq_exchange = "memory_reflection_exchange";
  std::string rabbitmq_queue = "memory_reflection_queue";

  std::string reflector_listen_host;  // Empty: `umbranet reflect` listens nowhere.
  std::uint16_t reflector_listen_port = 0;

  bool spool = true;
  std::uint32_t spool_patience_ms = 250;
  std::uint32_t spool_mib_max = 1'024;
  std::uint32_t disk_reserve_mib = 64;

  std::uint32_t reflector_workers = 3;
  std::uint32_t reflector_batch_size = 10;
  std::uint32_t reflector_max_retries = 3;
  std::uint32_t reflector_retry_delay_s = 30;
  bool memory_fast_mode = true;
  bool reflection_queue_enabled = true;
  std::uint32_t fast_mode_percent = 100;
  std::uint32_t reflection_user_backlog_max = 10'000;
  ShadowMode shadow_mode = ShadowMode::kOff;
  std::uint32_t shadow_percent = 100;
  std::uint32_t tier_timeout_ms = 10'000;

  ExtractorChoice extractor = ExtractorChoice::kAuto;
  std::string reflection_model;  // Empty: openai_model.
  ReflectionCalls reflection_calls = ReflectionCalls::kCombined;
  std::uint32_t reflection_timeout_s = 60;
  std::uint32_t reflection_patience_s = 600;
  std::uint32_t reflection_quiet_ms = 3'000;
  std::uint32_t reflection_wait_s = 20;
  std::uint32_t reflection_concurrency = 4;
  std::uint32_t reflection_requests_per_minute = 0;
  std::uint32_t reflection_tokens_per_minute = 0;
  std::uint32_t reflection_daily_tokens = 0;
  // Millionths of the operator's currency; prices are of a million tokens.
  std::uint64_t reflection_daily_budget = 0;
  std::uint64_t openai_price_prompt = 0;
  std::uint64_t openai_price_completion = 0;
  std::uint64_t reflection_price_prompt = 0;
  std::uint64_t reflection_price_completion = 0;

  bool consolidation = false;
  std::uint32_t consolidation_age_days = 90;
  std::uint32_t consolidation_episodes_min = 200;

  std::uint32_t recall_budget_ms = 250;
  std::uint32_t context_tokens = 2'000;
  std::uint32_t conversation_tokens = 2'000;
  std::uint32_t conversation_turns = 20;

  std::uint32_t max_connections = 4'096;
  std::uint32_t max_in_flight = 1'024;
  std::uint32_t stop_grace_ms = 10'000;

  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kLogfmt;

  // Whether any part of memory or the queue is on a server.
  [[nodiscard]] bool UsesServers() const {
    return !postgres_url.empty() || !redis_url.empty() || !neo4j_url.empty() ||
           !rabbitmq_url.empty();
  }

  // Whether turns may wait on this machine's disk while PostgreSQL is away.
  [[nodiscard]] bool HasSpool() const { return spool && !postgres_url.empty(); }

  // False: everything is on servers, and nothing in the data folder but the spool.
  [[nodiscard]] bool NeedsDataFolder() const { return postgres_url.empty() || neo4j_url.empty(); }

  // A language model is configured when either is given: a key, or a base URL of a server that
  // needs none.
  [[nodiscard]] bool HasModel() const {
    return !openai_api_key.empty() || !openai_base_url.empty();
  }

  // Whether a language model works out what turns teach.
  [[nodiscard]] bool ReflectsWithModel() const {
    return extractor == ExtractorChoice::kModel ||
           (extractor == ExtractorChoice::kAuto && HasModel());
  }

  // Whether old episodes are summed up.
  [[nodiscard]] bool Consolidates() const { return consolidation && ReflectsWithModel(); }

  // Whether texts are embedded by an endpoint rather than in this process.
  [[nodiscard]] bool HasEmbeddingEndpoint() const {
    return embedder == EmbedderChoice::kEndpoint ||
           (embedder == EmbedderChoice::kAuto &&
            (!embedding_api_key.empty() || !embedding_base_url.empty()));
  }
};

// One thing that can be set.
struct SettingSpec {
  std::string name;         // The environment variable: "REFLECTOR_WORKERS".
  std::string description;  // Sentences, with unit and bounds.
  bool secret = false;
  // Reads `text` into the settings. The error says what to write instead, without the variable's
  // name.
  std::function<Status(Settings&, std::string_view text)> parse;
  std::function<std::string(const Settings&)> show;
};

// Every setting, in the order of the reference.
std::span<const SettingSpec> AllSettings();

struct SettingSource {
  std::string name;
  std::string from;  // "default", "environment", "flag", or the file and line
};

struct LoadedSettings {
  Settings settings;
  std::vector<SettingSource> sources;  // One for every setting, in the same order.
};

// Later layers win: defaults, then `file` (lines NAME=VALUE, # comments; empty: none), then
// `environment`, then `flags` (pairs of setting name and text). Refuses, with a sentence that says
// what to write instead: an unknown name in the file, an environment variable that begins with
// UMBRANET_ or REFLECTOR_ and is unknown, one that is nearly one of ours, a malformed value, and
// values that contradict one another.
Result<LoadedSettings> LoadSettings(const std::string& file,
                                    const std::map<std::string, std::string>& environment,
                                    const std::vector<std::pair<std::string, std::string>>& flags);

// The environment of this process.
std::map<std::string, std::string> ProcessEnvironment();

// TENANT:KEY or TENANT:KEY:admin, separated by commas or line ends; # begins a comment line.
Result<std::vector<ApiKey>> ParseApiKeys(std::string_view text);

// "127.0.0.1:8080"; an IPv6 address gets brackets.
std::string FormatAddress(const std::string& host, std::uint16_t port);

// docs/configuration.md, whole.
std::string SettingsReference();

}  // namespace umbranet
