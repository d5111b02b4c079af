#include "umbranet/config/settings.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <numeric>
#include <set>
#include <sstream>

#include <unistd.h>

namespace umbranet {
namespace {

Error Refused(std::string message) {
  return {ErrorCode::kInvalidArgument, "config: " + std::move(message)};
}

// A call of a model has its price, so more turns go into one.
constexpr std::uint32_t kModelBatchSize = 25;

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// Levenshtein distance: how many letters apart a variable is from one of ours.
std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0U);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

const SettingSpec* FindSpec(std::string_view name) {
  for (const SettingSpec& spec : AllSettings()) {
    if (spec.name == name) {
      return &spec;
    }
  }
  return nullptr;
}

// The setting that `name` most probably means; nothing when none is near.
const SettingSpec* NearestSpec(std::string_view name, std::size_t distance_max) {
  const SettingSpec* nearest = nullptr;
  std::size_t best = distance_max + 1;
  for (const SettingSpec& spec : AllSettings()) {
    if (const std::size_t distance = EditDistance(name, spec.name); distance < best) {
      best = distance;
      nearest = &spec;
    }
  }
  return nearest;
}

std::string UnknownName(std::string_view name) {
  std::string sentence = std::string(name) + " is not a setting";
  if (const SettingSpec* nearest = NearestSpec(name, name.size() / 3)) {
    return sentence + "; did you mean " + nearest->name + "?";
  }
  return sentence + "; `umbranet config` lists them all";
}

// Variables that other programs own and that merely look like ours.
bool BelongsToUs(std::string_view name) {
  return name.starts_with("UMBRANET_") || name.starts_with("REFLECTOR_");
}

class Loader {
 public:
  Loader() {
    for (const SettingSpec& spec : AllSettings()) {
      loaded_.sources.push_back({spec.name, "default"});
    }
  }

  Status Set(const SettingSpec& spec, std::string_view text, const std::string& from) {
    if (const Status parsed = spec.parse(loaded_.settings, text); !parsed.ok()) {
      const std::string_view message = parsed.error().message;
      const std::string shown = spec.secret ? "" : " is \"" + std::string(text) + "\"";
      return Refused(spec.name + shown + " (" + from +
                     "): " + std::string(message.substr(message.find(": ") + 2)));
    }
    for (SettingSource& source : loaded_.sources) {
      if (source.name == spec.name) {
        source.from = from;
      }
    }
    return {};
  }

  Status ReadFile(const std::string& path) {
    std::ifstream file(path);
    if (!file) {
      return Refused("the settings file " + path + " cannot be read");
    }
    std::string line;
    for (int number = 1; std::getline(file, line); ++number) {
      const std::string_view text = Trim(line);
      if (text.empty() || text.starts_with('#')) {
        continue;
      }
      const std::string where = path + ":" + std::to_string(number);
      const std::size_t equals = text.find('=');
      if (equals == std::string_view::npos) {
        return Refused(where + ": write NAME=VALUE");
      }
      const std::string_view name = Trim(text.substr(0, equals));
      const SettingSpec* spec = FindSpec(name);
      if (spec == nullptr) {
        return Refused(where + ": " + UnknownName(name));
      }
      UMBRANET_RETURN_IF_ERROR(Set(*spec, Trim(text.substr(equals + 1)), where));
    }
    return {};
  }

  Status ReadEnvironment(const std::map<std::string, std::string>& environment) {
    for (const auto& [name, text] : environment) {
      if (const SettingSpec* spec = FindSpec(name)) {
        UMBRANET_RETURN_IF_ERROR(Set(*spec, text, "environment"));
        continue;
      }
      if (name == "UMBRANET_CONFIG" || name == "UMBRANET_CRASH") {
        continue;  // They name the file itself, and a place at which a test wants a crash.
      }
      const SettingSpec* near = name.size() >= 8 ? NearestSpec(name, 2) : nullptr;
      if (BelongsToUs(name) || near != nullptr) {
        return Refused("the environment variable " + UnknownName(name));
      }
    }
    return {};
  }

  Result<LoadedSettings> Finish(const std::map<std::string, std::string>& environment) {
    Settings& settings = loaded_.settings;
    if (settings.data_folder.empty()) {
      settings.data_folder = DefaultDataFolder(environment);
    }
    UMBRANET_RETURN_IF_ERROR(ReadApiKeys());
    if (settings.keyspace != Settings().keyspace) {
      PutKeyspaceBefore("RABBITMQ_EXCHANGE", settings.rabbitmq_exchange);
      PutKeyspaceBefore("RABBITMQ_QUEUE", settings.rabbitmq_queue);
    }
    if (settings.openai_base_url.empty() && !settings.openai_api_key.empty()) {
      settings.openai_base_url = "https://api.openai.com/v1";
    }
    if (settings.embedding_base_url.empty() && !settings.embedding_api_key.empty()) {
      settings.embedding_base_url = "https://api.openai.com/v1";
    }
    if (settings.embedder == EmbedderChoice::kEndpoint && settings.embedding_base_url.empty()) {
      return Refused(
          "EMBEDDER is endpoint, but none is named; set EMBEDDING_BASE_URL or EMBEDDING_API_KEY");
    }
    if (settings.ReflectsWithModel() && IsDefault("REFLECTOR_BATCH_SIZE")) {
      settings.reflector_batch_size = kModelBatchSize;
    }
    if (settings.extractor == ExtractorChoice::kModel && !settings.HasModel()) {
      return Refused(
          "EXTRACTOR is model, but none is named; set OPENAI_API_KEY or OPENAI_BASE_URL");
    }
    if (settings.reflection_daily_budget != 0 && settings.openai_price_prompt == 0 &&
        settings.openai_price_completion == 0 && settings.reflection_price_prompt == 0 &&
        settings.reflection_price_completion == 0) {
      return Refused(
          "REFLECTION_DAILY_BUDGET is set, but no price is, so nothing would ever cost anything; "
          "set OPENAI_PRICE_PROMPT and OPENAI_PRICE_COMPLETION, or REFLECTION_DAILY_TOKENS "
          "instead");
    }
    return std::move(loaded_);
  }

 private:
  [[nodiscard]] bool IsDefault(std::string_view setting) const {
    return std::any_of(loaded_.sources.begin(), loaded_.sources.end(),
                       [setting](const SettingSource& source) {
                         return source.name == setting && source.from == "default";
                       });
  }

  // A name that was given is taken as it is.
  void PutKeyspaceBefore(std::string_view setting, std::string& name) {
    if (IsDefault(setting)) {
      name = loaded_.settings.keyspace + "_" + name;
    }
  }

  static std::string DefaultDataFolder(const std::map<std::string, std::string>& environment) {
    const auto value = [&](const char* name) {
      const auto found = environment.find(name);
      return found == environment.end() ? std::string() : found->second;
    };
    if (const std::string folder = value("XDG_DATA_HOME"); !folder.empty()) {
      return folder + "/umbranet";
    }
    if (const std::string home = value("HOME"); !home.empty()) {
      return home + "/.local/share/umbranet";
    }
    return "umbranet-data";
  }

  Status ReadApiKeys() {
    Settings& settings = loaded_.settings;
    if (!settings.api_keys_text.empty() && !settings.api_keys_file.empty()) {
      return Refused(
          "UMBRANET_API_KEYS and UMBRANET_API_KEYS_FILE are both set; keep the one that counts");
    }
    std::string text = settings.api_keys_text;
    if (!settings.api_keys_file.empty()) {
      std::ifstream file(settings.api_keys_file);
      if (!file) {
        return Refused("UMBRANET_API_KEYS_FILE: " + settings.api_keys_file + " cannot be read");
      }
      std::stringstream bytes;
      bytes << file.rdbuf();
      text = bytes.str();
    }
    UMBRANET_ASSIGN_OR_RETURN(settings.api_keys, ParseApiKeys(text));
    if (!settings.api_keys_file.empty() && settings.api_keys.empty()) {
      // An empty file would open the server to everybody on this machine: surely not what was
      // meant.
      return Refused("UMBRANET_API_KEYS_FILE: " + settings.api_keys_file + " holds no key");
    }
    return {};
  }

  LoadedSettings loaded_;
};

}  // namespace

Result<std::vector<ApiKey>> ParseApiKeys(std::string_view text) {
  std::vector<ApiKey> keys;
  std::set<std::string> seen;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find_first_of(",\n");
    const std::string_view entry = Trim(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    if (entry.empty() || entry.starts_with('#')) {
      continue;
    }
    // A key is a secret: the message counts entries and shows none.
    const auto wrong = [number](std::string_view what) {
      return Refused("API keys: entry " + std::to_string(number) + " " + std::string(what) +
                     "; write TENANT:KEY or TENANT:KEY:admin");
    };
    const std::size_t first = entry.find(':');
    if (first == std::string_view::npos || first == 0) {
      return wrong("names no tenant");
    }
    const std::string_view rest = entry.substr(first + 1);
    const std::size_t second = rest.find(':');
    ApiKey key{std::string(entry.substr(0, first)), std::string(rest.substr(0, second)), false};
    if (second != std::string_view::npos) {
      if (rest.substr(second + 1) != "admin") {
        return wrong("ends in something other than :admin");
      }
      key.admin = true;
    }
    if (key.key.size() < 8) {
      return wrong("has a key of fewer than 8 characters");
    }
    if (!seen.insert(key.key).second) {
      return wrong("repeats a key");
    }
    keys.push_back(std::move(key));
  }
  return keys;
}

Result<LoadedSettings> LoadSettings(const std::string& file,
                                    const std::map<std::string, std::string>& environment,
                                    const std::vector<std::pair<std::string, std::string>>& flags) {
  Loader loader;
  if (!file.empty()) {
    UMBRANET_RETURN_IF_ERROR(loader.ReadFile(file));
  }
  UMBRANET_RETURN_IF_ERROR(loader.ReadEnvironment(environment));
  for (const auto& [name, text] : flags) {
    const SettingSpec* spec = FindSpec(name);
    if (spec == nullptr) {
      return Refused(UnknownName(name));
    }
    UMBRANET_RETURN_IF_ERROR(loader.Set(*spec, text, "flag"));
  }
  return loader.Finish(environment);
}

std::map<std::string, std::string> ProcessEnvironment() {
  std::map<std::string, std::string> environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (const std::size_t equals = text.find('='); equals != std::string_view::npos) {
      environment.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  return environment;
}

std::string FormatAddress(const std::string& host, std::uint16_t port) {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string SettingsReference() {
  std::string page =
      "# Configuration\n\n"
      "Generated by `umbranet config --reference`; a test holds this page to the program.\n\n"
      "Everything has a default. A setting is an environment variable of this name, a line\n"
      "`NAME=VALUE` in the file that `--config FILE` or `UMBRANET_CONFIG` names, or, for some, a\n"
      "flag; a flag wins over the environment, and that over the file. `umbranet config` prints\n"
      "what is in force and where each value came from, secrets masked. A name that is misspelt,\n"
      "or a value that is malformed, stops the start with a sentence that says what to write.\n\n"
      "| setting | default | meaning |\n|---|---|---|\n";
  const Settings defaults;
  for (const SettingSpec& spec : AllSettings()) {
    const std::string value = spec.show(defaults);
    page += "| `" + spec.name + "` | " + (value.empty() ? "" : "`" + value + "`") + " | " +
            spec.description + " |\n";
  }
  return page;
}

}  // namespace umbranet
