// The reference: every setting with its description, how its text is read and how it is shown.
#include <algorithm>
#include <charconv>
#include <limits>

#include "umbranet/config/settings.h"

namespace umbranet {
namespace {

using Number = std::uint32_t Settings::*;
using Text = std::string Settings::*;
using Flag = bool Settings::*;

Error Malformed(std::string message) {
  return InvalidArgument("config: " + std::move(message));
}

Result<std::uint32_t> ParseNumber(std::string_view text, std::uint32_t min, std::uint32_t max) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < min || value > max) {
    return Malformed("write a whole number from " + std::to_string(min) + " to " +
                     std::to_string(max));
  }
  return value;
}

SettingSpec NumberSetting(std::string name, std::string description, Number member,
                          std::uint32_t min, std::uint32_t max) {
  description += " " + std::to_string(min) + " to " + std::to_string(max) + ".";
  return {std::move(name), std::move(description), false,
          [member, min, max](Settings& settings, std::string_view text) -> Status {
            UMBRANET_ASSIGN_OR_RETURN(settings.*member, ParseNumber(text, min, max));
            return {};
          },
          [member](const Settings& settings) { return std::to_string(settings.*member); }};
}

constexpr std::uint32_t kMillion = 1'000'000;
constexpr std::size_t kPlacesMax = 6;  // Of an amount of money.

// An amount of money, kept in millionths.
SettingSpec MoneySetting(std::string name, std::string description,
                         std::uint64_t Settings::* member) {
  auto parse = [member](Settings& settings, std::string_view text) -> Status {
    const std::size_t point = text.find('.');
    std::string places(point == std::string_view::npos ? "" : text.substr(point + 1));
    const bool whole = point == std::string_view::npos || !places.empty();
    places.resize(std::max(places.size(), kPlacesMax), '0');
    const auto units = ParseNumber(text.substr(0, point), 0, 1'000'000'000);
    const auto parts = ParseNumber(places, 0, kMillion - 1);
    if (!whole || places.size() > kPlacesMax || !units.ok() || !parts.ok()) {
      return Malformed("write an amount such as 2.50, with six decimal places at most");
    }
    settings.*member = std::uint64_t{*units} * kMillion + *parts;
    return {};
  };
  auto show = [member](const Settings& settings) {
    const std::uint64_t amount = settings.*member;
    std::string places = std::to_string(amount % kMillion);
    places.insert(0, kPlacesMax - places.size(), '0');
    while (places.ends_with('0')) {
      places.pop_back();
    }
    return std::to_string(amount / kMillion) + (places.empty() ? "" : "." + places);
  };
  return {std::move(name), std::move(description), false, std::move(parse), std::move(show)};
}

SettingSpec TextSetting(std::string name, std::string description, Text member,
                        bool secret = false) {
  return {std::move(name), std::move(description), secret,
          [member](Settings& settings, std::string_view text) -> Status {
            settings.*member = std::string(text);
            return {};
          },
          [member](const Settings& settings) { return settings.*member; }};
}

SettingSpec FlagSetting(std::string name, std::string description, Flag member) {
  return {std::move(name), std::move(description) + " true or false.", false,
          [member](Settings& settings, std::string_view text) -> Status {
            if (text == "true" || text == "1" || text == "yes" || text == "on") {
              settings.*member = true;
            } else if (text == "false" || text == "0" || text == "no" || text == "off") {
              settings.*member = false;
            } else {
              return Malformed("write true or false");
            }
            return {};
          },
          [member](const Settings& settings) {
            return std::string(settings.*member ? "true" : "false");
          }};
}

template <typename Value>
SettingSpec ChoiceSetting(std::string name, std::string description, Value Settings::* member,
                          std::vector<std::pair<std::string, Value>> choices) {
  std::string names;
  for (const auto& [choice, value] : choices) {
    names += (names.empty() ? "" : ", ") + choice;
  }
  auto show = [member, choices](const Settings& settings) {
    for (const auto& [choice, value] : choices) {
      if (settings.*member == value) {
        return choice;
      }
    }
    return std::string();
  };
  auto parse = [member, choices = std::move(choices), names](Settings& settings,
                                                             std::string_view text) -> Status {
    for (const auto& [choice, value] : choices) {
      if (text == choice) {
        settings.*member = value;
        return {};
      }
    }
    return Malformed("write one of " + names);
  };
  return {std::move(name), std::move(description) + " One of " + names + ".", false,
          std::move(parse), std::move(show)};
}

// Where something listens: an address and a port of the settings.
struct ListenMembers {
  std::string Settings::* host;
  std::uint16_t Settings::* port;
};

constexpr ListenMembers kServeListen = {&Settings::listen_host, &Settings::listen_port};
constexpr ListenMembers kReflectListen = {&Settings::reflector_listen_host,
                                          &Settings::reflector_listen_port};

Status ParseListen(Settings& settings, ListenMembers members, std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const auto wrong = [] { return Malformed("write HOST:PORT, for example 127.0.0.1:8080"); };
  if (colon == std::string_view::npos || colon == 0) {
    return wrong();
  }
  auto port = ParseNumber(text.substr(colon + 1), 0, std::numeric_limits<std::uint16_t>::max());
  if (!port.ok()) {
    return wrong();
  }
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  }
  settings.*members.host = std::string(host);
  settings.*members.port = static_cast<std::uint16_t>(*port);
  return {};
}

SettingSpec ListenSetting(std::string name, std::string description, ListenMembers members) {
  return {std::move(name), std::move(description), false,
          [members](Settings& settings, std::string_view text) -> Status {
            if (text.empty() && (Settings().*members.host).empty()) {
              (settings.*members.host).clear();
              return {};
            }
            return ParseListen(settings, members, text);
          },
          [members](const Settings& settings) {
            const std::string& host = settings.*members.host;
            return host.empty() ? host : FormatAddress(host, settings.*members.port);
          }};
}

SettingSpec BaseUrlSetting(std::string name, std::string description, Text member) {
  auto parse = [member](Settings& settings, std::string_view text) -> Status {
    if (!text.empty() && !text.starts_with("http://") && !text.starts_with("https://")) {
      return Malformed("write a URL such as https://api.openai.com/v1 or http://127.0.0.1:8081/v1");
    }
    while (text.ends_with('/')) {
      text.remove_suffix(1);
    }
    settings.*member = std::string(text);
    return {};
  };
  return {std::move(name), std::move(description), false, std::move(parse),
          [member](const Settings& settings) { return settings.*member; }};
}

// A part that this build does not carry: better refused at start than believed and ignored.
std::vector<SettingSpec> ServerSettings() {
  return {
      ListenSetting("UMBRANET_LISTEN",
                    "Address to serve on. Without API keys only a loopback address is accepted. "
                    "Port 0 takes a free one.",
                    kServeListen),
      TextSetting("UMBRANET_DATA",
                  "Folder that holds the memory; made when it is missing. One process holds it at "
                  "a time. Default: umbranet under XDG_DATA_HOME, or ~/.local/share/umbranet.",
                  &Settings::data_folder),
      ChoiceSetting<ServeRole>(
          "UMBRANET_ROLE", "all serves the API and reflects; api serves without reflecting.",
          &Settings::role, {{"all", ServeRole::kAll}, {"api", ServeRole::kApi}}),
      TextSetting("UMBRANET_API_KEYS",
                  "Who may ask: TENANT:KEY or TENANT:KEY:admin, separated by commas. Without keys "
                  "the server answers on loopback only, as the tenant default.",
                  &Settings::api_keys_text, true),
      TextSetting("UMBRANET_API_KEYS_FILE", "File with such keys, one a line.",
                  &Settings::api_keys_file),
      TextSetting("UMBRANET_API_KEY", "Key that the commands show to a running server.",
                  &Settings::client_key, true),
      NumberSetting("UMBRANET_MAX_CONNECTIONS",
                    "Open connections; beyond, one is told 503 and closed.",
                    &Settings::max_connections, 1, 65'535),
      NumberSetting("UMBRANET_MAX_IN_FLIGHT",
                    "Requests being worked on, chats included; beyond, a request is told 503 with "
                    "Retry-After.",
                    &Settings::max_in_flight, 1, 16'384),
      NumberSetting("UMBRANET_STOP_GRACE_MS",
                    "How long a stop waits for requests in flight, in milliseconds.",
                    &Settings::stop_grace_ms, 0, 600'000),
  };
}

std::vector<SettingSpec> ModelSettings() {
  return {
      TextSetting("OPENAI_API_KEY",
                  "Key for the language model. Without it and without OPENAI_BASE_URL, replies are "
                  "made by quoting memories.",
                  &Settings::openai_api_key, true),
      BaseUrlSetting(
          "OPENAI_BASE_URL",
          "Where an OpenAI-compatible API answers. Default with a key: https://api.openai.com/v1.",
          &Settings::openai_base_url),
      TextSetting("OPENAI_MODEL", "Name of the model to ask.", &Settings::openai_model),
      TextSetting("UMBRANET_SYSTEM_PROMPT_FILE",
                  "File whose text takes the place of the built-in system prompt.",
                  &Settings::system_prompt_file),
      NumberSetting("UMBRANET_TURN_TIMEOUT_MS",
                    "Budget of a chat turn, the model included, in milliseconds.",
                    &Settings::turn_timeout_ms, 1'000, 3'600'000),
  };
}

std::vector<SettingSpec> EmbedderSettings() {
  return {
      ChoiceSetting<EmbedderChoice>(
          "EMBEDDER",
          "What turns texts into vectors, by which recall finds what is meant though no word is "
          "shared. auto is the endpoint where one is set, else the model in this process; off, or "
          "with neither at hand, recall goes by words alone.",
          &Settings::embedder,
          {{"auto", EmbedderChoice::kAuto},
           {"local", EmbedderChoice::kLocal},
           {"endpoint", EmbedderChoice::kEndpoint},
           {"off", EmbedderChoice::kOff}}),
      TextSetting("EMBEDDING_MODEL_FOLDER",
                  "Folder of the model that runs in this process. Default: where scripts/setup has "
                  "put it.",
                  &Settings::embedding_model_folder),
      NumberSetting("EMBEDDING_THREADS",
                    "Threads that may be running the model at a time for reflection, and as many "
                    "for questions.",
                    &Settings::embedding_threads, 1, 64),
      NumberSetting("CHAT_EMBEDDINGS_PER_SECOND",
                    "Chat turns whose message gets a vector in a second; those beyond are recalled "
                    "for by words alone, which costs a few milliseconds less of a processor each. "
                    "POST /v1/recall is not held to it.",
                    &Settings::chat_embeddings_per_s, 0, 100'000),
      BaseUrlSetting("EMBEDDING_BASE_URL",
                     "Where an OpenAI-compatible API makes embeddings. Default with a key: "
                     "https://api.openai.com/v1.",
                     &Settings::embedding_base_url),
      TextSetting("EMBEDDING_API_KEY", "Key for that API.", &Settings::embedding_api_key, true),
      TextSetting(
          "EMBEDDING_MODEL",
          "Name of the model that the endpoint is asked for. Another name is another space: "
          "what is stored is embedded anew.",
          &Settings::embedding_model),
  };
}

std::vector<SettingSpec> ReflectionSettings() {
  return {
      ListenSetting("REFLECTOR_LISTEN",
                    "Address on which `umbranet reflect` answers GET /healthz, /readyz and "
                    "/metrics, and nothing else; empty: none. Port 0 takes a free one. /metrics "
                    "wants an admin key where there are keys, and a caller on the same machine "
                    "where there are none.",
                    kReflectListen),
      NumberSetting("REFLECTOR_WORKERS", "Batches that are reflected at a time.",
                    &Settings::reflector_workers, 1, 64),
      NumberSetting("REFLECTOR_BATCH_SIZE",
                    "Turns of one user worked out together, at most. 25 where a model reflects and "
                    "nothing is "
                    "set.",
                    &Settings::reflector_batch_size, 1, 100),
      NumberSetting("REFLECTOR_MAX_RETRIES",
                    "Retries after the first try, before a job becomes a dead letter.",
                    &Settings::reflector_max_retries, 0, 20),
      NumberSetting("REFLECTOR_RETRY_DELAY",
                    "Seconds before the first retry; doubled for each further one, give or take "
                    "20 %.",
                    &Settings::reflector_retry_delay_s, 1, 3'600),
      FlagSetting("MEMORY_FAST_MODE",
                  "Reply as soon as the turn is durable and work out what it teaches afterwards. "
                  "Without it, replies wait for that, ten seconds at the most.",
                  &Settings::memory_fast_mode),
      FlagSetting(
          "REFLECTION_QUEUE_ENABLED",
          "Whoever has workers reflects, this process or another. Without it the workers of "
          "this process do, which it then has in the role api too; with "
          "MEMORY_FAST_MODE=false the request itself does. The job is durable in any case.",
          &Settings::reflection_queue_enabled),
      NumberSetting("REFLECTION_USER_BACKLOG_MAX",
                    "Turns of one user that may wait for reflection. Beyond, further ones of that "
                    "user are refused with 429 and Retry-After; 0 is as many as come. While the "
                    "queue as a whole is far behind (level 2), 500 are enough.",
                    &Settings::reflection_user_backlog_max, 0, 100'000'000),
      ChoiceSetting<ShadowMode>(
          "MEMORY_SHADOW_MODE",
          "Tries another path on turns that were reflected, as far as its plan, and compares: "
          "inline "
          "as MEMORY_FAST_MODE=false would, each turn alone, with what the model answered before; "
          "rules as EXTRACTOR=rules would. Nothing of it is remembered and no model is asked. "
          "umbranet shadow report tells what came of it.",
          &Settings::shadow_mode,
          {{"off", ShadowMode::kOff},
           {"inline", ShadowMode::kInline},
           {"rules", ShadowMode::kRules}}),
      NumberSetting("MEMORY_SHADOW_PERCENT", "Share of the turns that it is tried on, in percent.",
                    &Settings::shadow_percent, 1, 100),
      NumberSetting("FAST_MODE_PERCENT",
                    "Share of the users for whom MEMORY_FAST_MODE=true counts, in percent; who is "
                    "among them depends on the user alone. The others' replies wait.",
                    &Settings::fast_mode_percent, 0, 100),
      NumberSetting("UMBRANET_TIER_TIMEOUT_MS",
                    "Budget of one tier for one batch, in milliseconds.",
                    &Settings::tier_timeout_ms, 100, 600'000),
  };
}

std::vector<SettingSpec> ExtractorSettings() {
  return {
      ChoiceSetting<ExtractorChoice>(
          "EXTRACTOR",
          "What works out what a turn teaches. auto is the language model where one is set, with "
          "the rules in its place whenever it gives no usable answer; else the rules alone.",
          &Settings::extractor,
          {{"auto", ExtractorChoice::kAuto},
           {"rules", ExtractorChoice::kRules},
           {"model", ExtractorChoice::kModel}}),
      TextSetting("REFLECTION_MODEL",
                  "Name of the model that reflects, at the same endpoint. Default: OPENAI_MODEL.",
                  &Settings::reflection_model),
      ChoiceSetting<ReflectionCalls>(
          "REFLECTION_CALLS",
          "combined asks once a batch for everything; per_tier asks three times, for episodes, "
          "facts and rules, which costs about three times as much.",
          &Settings::reflection_calls,
          {{"combined", ReflectionCalls::kCombined}, {"per_tier", ReflectionCalls::kPerTier}}),
      NumberSetting("REFLECTION_TIMEOUT",
                    "Seconds that the reflecting model may take for one answer.",
                    &Settings::reflection_timeout_s, 1, 600),
      NumberSetting("REFLECTION_PATIENCE",
                    "Seconds that turns wait for a model that is away or refuses for the time "
                    "being, before the rules do its work.",
                    &Settings::reflection_patience_s, 0, 86'400),
  };
}

std::vector<SettingSpec> CostSettings() {
  return {
      NumberSetting("REFLECTION_QUIET_MS",
                    "Where a model reflects: milliseconds without a further turn of the user after "
                    "which a batch waits no longer for company. 0 reflects each turn at once.",
                    &Settings::reflection_quiet_ms, 0, 600'000),
      NumberSetting("REFLECTION_WAIT",
                    "Seconds that a turn waits for company at most. Turns of high priority do not.",
                    &Settings::reflection_wait_s, 0, 3'600),
      NumberSetting("REFLECTION_CONCURRENCY", "Calls of the reflecting model at a time.",
                    &Settings::reflection_concurrency, 1, 64),
      NumberSetting("REFLECTION_REQUESTS_PER_MINUTE",
                    "Calls of the reflecting model in any minute; 0: no limit.",
                    &Settings::reflection_requests_per_minute, 0, 1'000'000),
      NumberSetting("REFLECTION_TOKENS_PER_MINUTE",
                    "Tokens of the reflecting model in any minute, prompts and answers; 0: no "
                    "limit.",
                    &Settings::reflection_tokens_per_minute, 0, 1'000'000'000),
      NumberSetting("REFLECTION_DAILY_TOKENS",
                    "Tokens that reflection may use for a tenant in a day (UTC), before the rules "
                    "do its work; 0: no bound.",
                    &Settings::reflection_daily_tokens, 0, 4'000'000'000),
      MoneySetting("REFLECTION_DAILY_BUDGET",
                   "What reflection may cost a tenant in a day (UTC), by the prices below, before "
                   "the rules do its work; 0: no bound.",
                   &Settings::reflection_daily_budget),
      MoneySetting("OPENAI_PRICE_PROMPT", "Price of a million prompt tokens of OPENAI_MODEL.",
                   &Settings::openai_price_prompt),
      MoneySetting("OPENAI_PRICE_COMPLETION", "Price of a million answered tokens of OPENAI_MODEL.",
                   &Settings::openai_price_completion),
      MoneySetting("REFLECTION_PRICE_PROMPT",
                   "The same of REFLECTION_MODEL, where that is another.",
                   &Settings::reflection_price_prompt),
      MoneySetting("REFLECTION_PRICE_COMPLETION",
                   "The same of REFLECTION_MODEL, where that is another.",
                   &Settings::reflection_price_completion),
  };
}

std::vector<SettingSpec> ConsolidationSettings() {
  return {
      FlagSetting("CONSOLIDATION",
                  "Have the reflecting model sum up old episodes while there is nothing to "
                  "reflect, within the same budget, and recall what it wrote beside the "
                  "originals. Nothing happens without a model. Off again, recall is as if there "
                  "were none; they stay, and can be undone.",
                  &Settings::consolidation),
      NumberSetting("CONSOLIDATION_AGE_DAYS",
                    "Days after which an episode counts as old, since it occurred.",
                    &Settings::consolidation_age_days, 1, 36'500),
      NumberSetting("CONSOLIDATION_EPISODES_MIN",
                    "Users who have at least so many old episodes that are not summed up yet are "
                    "looked after.",
                    &Settings::consolidation_episodes_min, 10, 1'000'000),
  };
}

std::vector<SettingSpec> RecallSettings() {
  return {
      NumberSetting("UMBRANET_RECALL_BUDGET_MS",
                    "Budget of a recall over all tiers, in milliseconds; a tier that is late is "
                    "named in the answer.",
                    &Settings::recall_budget_ms, 10, 60'000),
      NumberSetting("UMBRANET_CONTEXT_TOKENS",
                    "Tokens of recalled memories in a prompt, estimated at four bytes each.",
                    &Settings::context_tokens, 100, 1'000'000),
      NumberSetting("UMBRANET_CONVERSATION_TOKENS",
                    "Tokens of the running conversation in a prompt.",
                    &Settings::conversation_tokens, 100, 1'000'000),
      NumberSetting("UMBRANET_CONVERSATION_TURNS",
                    "Turns of the running conversation in a prompt, at most; older ones are "
                    "recalled like any memory.",
                    &Settings::conversation_turns, 1, 128),
      ChoiceSetting<LogLevel>("UMBRANET_LOG_LEVEL", "The least severe event that is logged.",
                              &Settings::log_level,
                              {{"debug", LogLevel::kDebug},
                               {"info", LogLevel::kInfo},
                               {"warning", LogLevel::kWarning},
                               {"error", LogLevel::kError}}),
      ChoiceSetting<LogFormat>("UMBRANET_LOG_FORMAT", "How events are written to standard error.",
                               &Settings::log_format,
                               {{"logfmt", LogFormat::kLogfmt}, {"json", LogFormat::kJson}}),
  };
}

// What PostgreSQL takes as the name of a schema without quotes, with room for what is added to it.
Status ParseKeyspace(Settings& settings, std::string_view text) {
  constexpr std::size_t kBytesMax = 40;
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  const bool fits = !text.empty() && text.size() <= kBytesMax && is_letter(text.front()) &&
                    !text.starts_with("pg_") && std::all_of(text.begin(), text.end(), [&](char c) {
                      return is_letter(c) || (c >= '0' && c <= '9') || c == '_';
                    });
  if (!fits) {
    return Malformed(
        "write 1 to 40 lower-case letters, digits and underscores; a letter first, and not pg_");
  }
  settings.keyspace = std::string(text);
  return {};
}

std::vector<SettingSpec> BackendSettings() {
  return {
      {"UMBRANET_KEYSPACE",
       "Tells installations on the same servers apart: the schema in PostgreSQL, and part of every "
       "key in Redis and Neo4j. Any but the default also goes before the default names in "
       "RabbitMQ. All processes of an installation have the same.",
       false, ParseKeyspace, [](const Settings& settings) { return settings.keyspace; }},
      TextSetting("POSTGRES_URL",
                  "Moves the journal, the queue, what happened and standing rules to PostgreSQL 15 "
                  "or later, for any number of processes: postgresql://USER:PASSWORD@HOST:5432/DB. "
                  "`umbranet migrate` makes its tables.",
                  &Settings::postgres_url, /*secret=*/true),
      NumberSetting("POSTGRES_CONNECTIONS", "Connections to PostgreSQL of one process at most.",
                    &Settings::postgres_connections, 2, 1'000),
      FlagSetting(
          "MIGRATE_ON_START",
          "Make or renew the tables in PostgreSQL at the start, as `umbranet migrate` does.",
          &Settings::migrate_on_start),
      TextSetting(
          "REDIS_URL",
          "Moves the running conversation to Redis 7: redis://USER:PASSWORD@HOST:6379/0, or "
          "rediss:// for TLS.",
          &Settings::redis_url, /*secret=*/true),
      TextSetting("NEO4J_URL",
                  "Moves the knowledge graph to Neo4j 5, over its HTTP API: "
                  "http://USER:PASSWORD@HOST:7474, with /DB behind it for another database.",
                  &Settings::neo4j_url, /*secret=*/true),
      TextSetting("RABBITMQ_URL",
                  "Wakes reflectors, and takes jobs of other programs, through RabbitMQ 3.10 or "
                  "later: amqp://USER:PASSWORD@HOST:5672/VHOST, or amqps:// for TLS.",
                  &Settings::rabbitmq_url, /*secret=*/true),
      TextSetting("RABBITMQ_EXCHANGE", "Exchange that jobs are published to.",
                  &Settings::rabbitmq_exchange),
      TextSetting("RABBITMQ_QUEUE", "Queue that reflectors take jobs from.",
                  &Settings::rabbitmq_queue),
  };
}

std::vector<SettingSpec> DurabilitySettings() {
  return {
      FlagSetting(
          "UMBRANET_SPOOL",
          "While PostgreSQL is away, keep accepted turns on this machine's disk, in the data "
          "folder, and forward them when it is back. Without it they are refused.",
          &Settings::spool),
      NumberSetting("UMBRANET_SPOOL_PATIENCE_MS",
                    "How long PostgreSQL may take to store a turn before it goes to the spool, in "
                    "milliseconds.",
                    &Settings::spool_patience_ms, 10, 60'000),
      NumberSetting("UMBRANET_SPOOL_MAX_MIB",
                    "Size of the spool on the disk at most, in MiB; beyond, turns are refused.",
                    &Settings::spool_mib_max, 1, 1'000'000),
      NumberSetting("UMBRANET_DISK_RESERVE_MIB",
                    "MiB that stay free on the disk of the data folder: beyond, new turns are "
                    "refused, so that what was accepted can still be worked on.",
                    &Settings::disk_reserve_mib, 0, 1'000'000),
  };
}

std::vector<SettingSpec> BuildTable() {
  std::vector<SettingSpec> table;
  for (auto section : {ServerSettings(), ModelSettings(), EmbedderSettings(), BackendSettings(),
                       DurabilitySettings(), ReflectionSettings(), ExtractorSettings(),
                       CostSettings(), ConsolidationSettings(), RecallSettings()}) {
    for (SettingSpec& spec : section) {
      table.push_back(std::move(spec));
    }
  }
  return table;
}

}  // namespace

std::span<const SettingSpec> AllSettings() {
  static const std::vector<SettingSpec> table = BuildTable();
  return table;
}

}  // namespace umbranet
