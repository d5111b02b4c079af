#include "tests/unit/deploy_files.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "umbranet/config/settings.h"
#include "umbranet/telemetry/metrics.h"

#include "tests/doubles/openapi_schema.h"

namespace umbranet {
namespace {

using Environment = std::map<std::string, std::string>;
using Violations = std::vector<std::string>;

// Names that belong to others: the servers' images, tools, the kernel.
const std::set<std::string, std::less<>> kForeignNames = {
    "AF_INET",       "AF_INET6",        "AF_UNIX",           "CHECK_IMAGE",
    "NEO4J_AUTH",    "NEO4J_PASSWORD",  "POSTGRES_DB",       "POSTGRES_PASSWORD",
    "POSTGRES_USER", "REDISCLI_AUTH",   "REDIS_PASSWORD",    "RABBITMQ_DEFAULT_PASS",
    "SOURCE_COMMIT", "UMBRANET_CONFIG", "RABBITMQ_PASSWORD", "RABBITMQ_DEFAULT_USER",
    "UMBRANET_PORT", "UMBRANET_TESTS",
};

// What every installation on servers sets, by names that other programs know too.
constexpr const char* kSeedNames[] = {
    "RABBITMQ_URL",
    "RABBITMQ_EXCHANGE",
    "RABBITMQ_QUEUE",
    "REFLECTOR_WORKERS",
    "REFLECTOR_BATCH_SIZE",
    "REFLECTOR_MAX_RETRIES",
    "REFLECTOR_RETRY_DELAY",
    "MEMORY_FAST_MODE",
    "REFLECTION_QUEUE_ENABLED",
    "POSTGRES_URL",
    "NEO4J_URL",
    "REDIS_URL",
    "OPENAI_API_KEY",
};

// What a stop takes beyond the grace for requests: batches that settle.
constexpr long kSettleSeconds = 10;

const SettingSpec* FindSetting(std::string_view name) {
  for (const SettingSpec& spec : AllSettings()) {
    if (spec.name == name) {
      return &spec;
    }
  }
  return nullptr;
}

// Runs of letters, digits and underscores.
std::vector<std::string> WordsOf(std::string_view text) {
  std::vector<std::string> words(1);
  for (const char c : text) {
    const bool inside =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    if (inside) {
      words.back() += c;
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  return words;
}

bool IsVariable(std::string_view word) {
  constexpr std::string_view kCapitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
  return word.find('_') != std::string_view::npos && !word.ends_with('_') &&
         word.find_first_not_of(kCapitals) == std::string_view::npos;
}

std::set<std::string> MetricNames() {
  Metrics metrics({.version = "0", .commit = "0"});
  std::set<std::string> names;
  for (const std::string& word : WordsOf(metrics.Expose("").body)) {
    if (word.starts_with("umbranet_")) {
      names.insert(word);
    }
  }
  return names;
}

// Whatever looks like a variable or a metric is one, comments and commands included.
void CheckNames(const DeployFile& file, const std::set<std::string>& metrics, Violations& out) {
  for (const std::string& word : WordsOf(file.text)) {
    if (IsVariable(word) && FindSetting(word) == nullptr && !kForeignNames.contains(word)) {
      out.push_back(file.path + ": " + word + " is no setting");
    }
    if (word.starts_with("umbranet_") && !metrics.contains(word)) {
      out.push_back(file.path + ": " + word + " is no metric");
    }
  }
}

// The environment of one process of the program, as its container or unit sets it.
void CheckEnvironment(const std::string& where, Environment environment, bool serves,
                      Violations& out) {
  for (const auto& [name, value] : environment) {
    const SettingSpec* spec = FindSetting(name);
    if (spec == nullptr) {
      out.push_back(where + ": " + name + " is no setting");
    } else if (spec->secret && !value.empty() && value.find("REPLACE") == std::string::npos &&
               value.find("given-from-outside") == std::string::npos) {
      out.push_back(where + ": " + name + " holds a secret");
    }
  }
  const bool keys = environment.contains("UMBRANET_API_KEYS_FILE");
  if (serves && !keys) {
    out.push_back(where + ": listens beyond loopback without API keys");
  }
  environment.erase("UMBRANET_API_KEYS_FILE");  // The file is not here.
  const auto loaded = LoadSettings("", environment, {});
  if (!loaded.ok()) {
    out.push_back(where + ": " + loaded.error().message);
  }
}

// The port of a HOST:PORT among the variables; 0 without it.
long PortIn(const Environment& environment, const char* name) {
  const auto found = environment.find(name);
  return found == environment.end()
             ? 0
             : std::stol("0" + found->second.substr(found->second.rfind(':') + 1));
}

bool ListensBeyondLoopback(const Environment& environment, const char* name) {
  const auto found = environment.find(name);
  return found != environment.end() && !found->second.starts_with("127.0.0.1:");
}

long NumberIn(std::string_view text) {
  const std::size_t first = text.find_first_of("0123456789");
  return first == std::string_view::npos ? 0 : std::stol(std::string(text.substr(first)));
}

void CheckGrace(const std::string& where, long given_s, long needed_s, Violations& out) {
  if (given_s < needed_s + kSettleSeconds) {
    out.push_back(where + ": is killed after " + std::to_string(given_s) + " s, which " +
                  std::to_string(needed_s) + " s of grace do not fit into");
  }
}

long GraceSeconds(const Environment& environment) {
  const auto found = environment.find("UMBRANET_STOP_GRACE_MS");
  return found == environment.end() ? Settings().stop_grace_ms / 1'000
                                    : NumberIn(found->second) / 1'000;
}

void CheckImages(const DeployFile& file, const std::string& version, Violations& out) {
  for (const YamlLine& line : YamlLines(file.text)) {
    if (line.path != "image" && !line.path.ends_with("/image")) {
      continue;
    }
    const std::string tag = line.value.substr(line.value.rfind(':') + 1);
    const bool ours = line.value.starts_with("umbranet:");
    if (tag == line.value || tag.find_first_of("0123456789") == std::string::npos) {
      out.push_back(file.path + ": the image " + line.value + " has no pinned tag");
    } else if (ours && tag != version) {
      out.push_back(file.path + ": the image " + line.value + " is not of version " + version);
    }
  }
}

// Values by path; of several with one path the last.
Environment ValuesByPath(std::string_view text) {
  Environment values;
  for (YamlLine& line : YamlLines(text)) {
    values[std::move(line.path)] = std::move(line.value);
  }
  return values;
}

void CheckCompose(const DeployFile& file, Violations& out) {
  const Environment values = ValuesByPath(file.text);
  for (const std::string service : {"api", "reflector", "migrate"}) {
    const Environment environment = ComposeEnvironment(file.text, service);
    const std::string where = file.path + ": " + service;
    CheckEnvironment(where, environment,
                     service == "api" || ListensBeyondLoopback(environment, "REFLECTOR_LISTEN"),
                     out);
    CheckGrace(where, NumberIn(values.at("x-umbranet/stop_grace_period")),
               GraceSeconds(environment), out);
    for (const char* name : kSeedNames) {
      if (!environment.contains(name)) {
        out.push_back(where + ": " + name + " is missing");
      }
    }
  }
  for (const auto& [path, value] : values) {
    if (path.ends_with("/condition") && value == "service_healthy") {
      const std::string name = path.substr(0, path.rfind('/'));
      const std::string service = name.substr(name.rfind('/') + 1);
      if (!values.contains("services/" + service + "/healthcheck/test")) {
        out.push_back(file.path + ": " + service + " is waited for and has no health check");
      }
    }
    const bool password =
        path.ends_with("_PASSWORD") || path.ends_with("_PASS") || path.ends_with("_AUTH");
    if (password && value.find("${") == std::string::npos) {
      out.push_back(file.path + ": " + path + " holds a secret");
    }
  }
  const auto health = values.find("services/reflector/healthcheck/test");
  const long port = PortIn(ComposeEnvironment(file.text, "reflector"), "REFLECTOR_LISTEN");
  if (health == values.end() ||
      health->second.find(":" + std::to_string(port) + "\"") == std::string::npos) {
    out.push_back(file.path + ": reflector is not asked for its health where it listens");
  }
  const auto replicas = values.find("services/reflector/deploy/replicas");
  if (replicas == values.end() || NumberIn(replicas->second) < 2) {
    out.push_back(file.path + ": one reflector is no company");
  }
}

// GET `path` is there; `open`: for callers without a key.
void CheckRoute(const DeployFile& file, const std::string& path, bool open, Violations& out) {
  const boost::json::object& paths = OpenApi().at("paths").as_object();
  const boost::json::value* route = paths.if_contains(path);
  const boost::json::value* get =
      route == nullptr ? nullptr : route->as_object().if_contains("get");
  if (get == nullptr) {
    out.push_back(file.path + ": GET " + path + " is not in the OpenAPI document");
  } else if (open && !get->as_object().contains("security")) {
    out.push_back(file.path + ": GET " + path + " wants a key, which a probe has not");
  }
}

struct Pod {
  Environment environment;
  std::optional<std::string> links;
  std::string command;
  long grace_s = 30;  // What Kubernetes gives when nothing is said.
  long pre_stop_s = 0;
  long port = 0;
};

// One document of a manifest, as far as it describes pods.
std::optional<Pod> ReadPod(const std::vector<YamlLine>& lines, const Environment& shared) {
  constexpr std::string_view kSpec = "spec/template/spec/";
  Pod pod{.environment = shared, .links = {}, .command = {}};
  bool found = false;
  std::string name;
  for (const YamlLine& line : lines) {
    if (!line.path.starts_with(kSpec)) {
      continue;
    }
    const std::string path = line.path.substr(kSpec.size());
    found = found || path.starts_with("containers/");
    if (path == "containers/-/env/-/name") {
      name = line.value;
    } else if (path == "containers/-/env/-/value") {
      pod.environment[name] = line.value;
    } else if (path == "enableServiceLinks") {
      pod.links = line.value;
    } else if (path == "terminationGracePeriodSeconds") {
      pod.grace_s = NumberIn(line.value);
    } else if (path == "containers/-/lifecycle/preStop/exec/command") {
      pod.pre_stop_s = NumberIn(line.value);
    } else if (path == "containers/-/ports/-/containerPort") {
      pod.port = NumberIn(line.value);
    } else if (path == "containers/-/args") {
      pod.command = line.value;
    }
  }
  return found ? std::optional<Pod>(std::move(pod)) : std::nullopt;
}

void CheckPod(const std::string& path, const Pod& pod, Violations& out) {
  const bool serves = pod.command == R"(["serve"])";
  if (!serves && pod.command != R"(["reflect"])" && pod.command != R"(["migrate"])") {
    out.push_back(path + ": " + pod.command + " is no command for a pod");
  }
  CheckEnvironment(path, pod.environment,
                   serves || ListensBeyondLoopback(pod.environment, "REFLECTOR_LISTEN"), out);
  if (pod.links != "false") {
    out.push_back(path + ": without enableServiceLinks: false there are variables that are none");
  }
  if (pod.command != R"(["migrate"])") {  // What a Job is in the middle of is repeated.
    CheckGrace(path, pod.grace_s, pod.pre_stop_s + GraceSeconds(pod.environment), out);
  }
  if (pod.command != R"(["migrate"])" &&
      PortIn(pod.environment, serves ? "UMBRANET_LISTEN" : "REFLECTOR_LISTEN") != pod.port) {
    out.push_back(path + ": the container's port is not the one that is listened on");
  }
}

// What pods get of the ConfigMap and of the Secret that the example stands for.
Environment SharedEnvironment(const std::vector<DeployFile>& files) {
  Environment shared;
  for (const DeployFile& file : files) {
    if (!file.path.starts_with("deploy/kubernetes/")) {
      continue;
    }
    std::string name;
    for (const YamlLine& line : YamlLines(file.text)) {
      if (line.path == "metadata/name") {
        name = line.value;
      } else if (line.path.starts_with("data/") && name == "umbranet") {
        shared[line.path.substr(5)] = line.value;
      } else if (line.path.starts_with("stringData/") && name == "umbranet-settings") {
        shared[line.path.substr(11)] = line.value;
      } else if (line.path.starts_with("stringData/") &&
                 line.value.find("REPLACE") == std::string::npos) {
        shared["a secret: " + line.path] = line.value;  // No setting's name, so it is told.
      }
    }
  }
  return shared;
}

void CheckManifest(const DeployFile& file, const Environment& shared, Violations& out) {
  std::map<int, std::vector<YamlLine>> documents;
  std::set<std::string> deployments;
  std::vector<std::string> targets;
  std::string kind;
  for (YamlLine& line : YamlLines(file.text)) {
    kind = line.path == "kind" ? line.value : kind;
    if (line.path == "metadata/name" && kind == "Deployment") {
      deployments.insert(line.value);
    } else if (line.path == "spec/scaleTargetRef/name") {
      targets.push_back(line.value);
    } else if (line.path.ends_with("/httpGet/path")) {
      CheckRoute(file, line.value, true, out);
    } else if (line.path == "spec/endpoints/-/path" ||
               line.path == "spec/podMetricsEndpoints/-/path") {
      CheckRoute(file, line.value, false, out);
    }
    documents[line.document].push_back(std::move(line));
  }
  for (const std::string& target : targets) {
    if (!deployments.contains(target)) {
      out.push_back(file.path + ": scales " + target + ", which is not in the file");
    }
  }
  for (const auto& [number, lines] : documents) {
    if (const auto pod = ReadPod(lines, shared)) {
      CheckPod(file.path, *pod, out);
    }
  }
}

// NAME=VALUE of each line that begins so behind `prefix`.
Environment Assignments(std::string_view text, std::string_view prefix) {
  Environment found;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    const std::size_t equals = line.find('=', prefix.size());
    if (line.starts_with(prefix) && equals != std::string_view::npos &&
        line.substr(0, equals).find(' ', prefix.size()) == std::string_view::npos) {
      found[std::string(line.substr(prefix.size(), equals - prefix.size()))] =
          line.substr(equals + 1);
    }
  }
  return found;
}

void CheckUnits(const std::vector<DeployFile>& files, Violations& out) {
  Environment set;
  Environment examples;
  for (const DeployFile& file : files) {
    if (file.path.ends_with(".conf")) {
      set = Assignments(file.text, "");
      examples = Assignments(file.text, "#");
      std::erase_if(set, [](const auto& entry) { return entry.first.starts_with('#'); });
      examples.insert(set.begin(), set.end());
      CheckEnvironment(file.path, set, false, out);
      CheckEnvironment(file.path + " with its examples", examples, false, out);
    }
  }
  for (const DeployFile& file : files) {
    if (!file.path.ends_with(".service")) {
      continue;
    }
    Environment environment = Assignments(file.text, "Environment=");
    environment.erase("UMBRANET_CONFIG");
    CheckEnvironment(file.path, environment, false, out);
    const Environment unit = Assignments(file.text, "");
    CheckGrace(file.path,
               unit.contains("TimeoutStopSec") ? NumberIn(unit.at("TimeoutStopSec")) : 90,
               GraceSeconds(set), out);
  }
}

void CheckDockerfile(const DeployFile& file, Violations& out) {
  Environment environment = Assignments(file.text, "ENV ");
  environment.erase("PATH");
  CheckEnvironment(file.path, environment, false, out);
  for (const char* line : {"\nUSER 10001:10001\n", "CMD [\"umbranet\", \"health\"]\n",
                           "\nENTRYPOINT [\"umbranet\"]\nCMD [\"serve\"]\n"}) {
    if (file.text.find(line) == std::string::npos) {
      out.push_back(file.path + ": lacks" + line);
    }
  }
}

}  // namespace

std::vector<std::string> DeployViolations(const std::vector<DeployFile>& files,
                                          const std::string& version) {
  Violations out;
  const std::set<std::string> metrics = MetricNames();
  const Environment shared = SharedEnvironment(files);
  for (const DeployFile& file : files) {
    CheckNames(file, metrics, out);
    if (file.path.ends_with(".yaml")) {
      CheckImages(file, version, out);
    }
    if (file.path == "deploy/compose.yaml") {
      CheckCompose(file, out);
    } else if (file.path == "deploy/Dockerfile") {
      CheckDockerfile(file, out);
    } else if (file.path.starts_with("deploy/kubernetes/")) {
      CheckManifest(file, shared, out);
    }
  }
  CheckUnits(files, out);
  return out;
}

}  // namespace umbranet
