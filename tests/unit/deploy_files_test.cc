// Goal: the files under deploy/ name only what the program knows - settings, metrics, routes,
// commands - and fit it: its grace, its port, its need of keys. Method: the files as they are have
// no violation; then each rule is shown to bite by a copy of a file with one thing spoilt.
#include "tests/unit/deploy_files.h"

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/config/settings.h"

namespace umbranet {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string ProjectVersion() {
  std::ifstream file(std::string(UMBRANET_SOURCE_DIR) + "/CMakeLists.txt");
  std::stringstream stream;
  stream << file.rdbuf();
  const std::string text = stream.str();
  constexpr std::string_view kBefore = "project(umbranet VERSION ";
  const std::size_t at = text.find(kBefore) + kBefore.size();
  return text.substr(at, text.find(' ', at) - at);
}

TEST(DeployFilesTest, NameAndFitWhatTheProgramKnows) {
  const auto files = ReadDeployFiles(UMBRANET_SOURCE_DIR);
  ASSERT_GE(files.size(), 10U);
  EXPECT_THAT(DeployViolations(files, ProjectVersion()), IsEmpty());
}

// One thing spoilt, and a part of the sentence that tells it.
struct Fault {
  const char* path;
  const char* from;
  const char* to;
  const char* told;
};

class DeployFaultTest : public ::testing::TestWithParam<Fault> {};

TEST_P(DeployFaultTest, IsTold) {
  const Fault& fault = GetParam();
  auto files = ReadDeployFiles(UMBRANET_SOURCE_DIR);
  bool spoilt = false;
  for (DeployFile& file : files) {
    const std::size_t at = file.path == fault.path ? file.text.find(fault.from) : std::string::npos;
    if (at != std::string::npos) {
      file.text.replace(at, std::string_view(fault.from).size(), fault.to);
      spoilt = true;
    }
  }
  ASSERT_TRUE(spoilt) << fault.path << " has no " << fault.from;
  EXPECT_THAT(DeployViolations(files, ProjectVersion()), Contains(HasSubstr(fault.told)));
}

constexpr const char* kCompose = "deploy/compose.yaml";
constexpr const char* kApi = "deploy/kubernetes/api.yaml";
constexpr const char* kReflector = "deploy/kubernetes/reflector.yaml";

INSTANTIATE_TEST_SUITE_P(
    Names, DeployFaultTest,
    ::testing::Values(
        Fault{kCompose,
              "REFLECTOR_WORKERS:", "REFLECTOR_WROKERS:", "REFLECTOR_WROKERS is no setting"},
        Fault{kCompose, "  MEMORY_FAST_MODE:", "  MEMORYFASTMODE:", "MEMORYFASTMODE is no setting"},
        Fault{kCompose, "RABBITMQ_DEFAULT_PASS", "RABBITMQ_DEFAULT_PASSWD", "is no setting"},
        Fault{"deploy/Dockerfile", "UMBRANET_LISTEN", "UMBRANET_LISTENS", "is no setting"},
        Fault{"deploy/README.md", "UMBRANET_API_KEYS", "UMBRANET_KEYS", "UMBRANET_KEYS"},
        Fault{"deploy/kubernetes/config.yaml", "REFLECTOR_RETRY_DELAY", "REFLECTOR_DELAY",
              "REFLECTOR_DELAY is no setting"},
        Fault{"deploy/kubernetes/secret.example.yaml", "NEO4J_URL", "NEO4J_URI", "NEO4J_URI"},
        Fault{"deploy/systemd/umbranet.conf", "#REDIS_URL", "#REDIS_URI", "REDIS_URI"},
        Fault{"deploy/systemd/umbranet.service", "UMBRANET_DATA", "UMBRANET_FOLDER",
              "is no setting"},
        Fault{kReflector, "name: umbranet_reflection_oldest_ready_age_seconds",
              "name: umbranet_reflection_backlog_age_seconds", "is no metric"},
        Fault{"deploy/kubernetes/prometheus-adapter.values.yaml", "as: umbranet_reflection_oldest",
              "as: umbranet_reflection_eldest", "is no metric"},
        Fault{kApi, "path: /readyz", "path: /ready", "GET /ready is not in the OpenAPI document"},
        Fault{kApi, "path: /readyz", "path: /metrics", "wants a key"},
        Fault{"deploy/kubernetes/monitoring.yaml",
              "  podMetricsEndpoints:\n    - port: probes\n      path: /metrics",
              "  podMetricsEndpoints:\n    - port: probes\n      path: /metric",
              "GET /metric is not in the OpenAPI document"},
        Fault{kReflector, "args: [\"reflect\"]", "args: [\"reflector\"]", "is no command"},
        Fault{kReflector, "    name: umbranet-reflector\n  minReplicas",
              "    name: umbranet-reflectors\n  minReplicas", "scales umbranet-reflectors"}));

INSTANTIATE_TEST_SUITE_P(
    Values, DeployFaultTest,
    ::testing::Values(
        Fault{kCompose, "REFLECTOR_BATCH_SIZE:-10", "REFLECTOR_BATCH_SIZE:-ten",
              "write a whole number"},
        Fault{"deploy/kubernetes/config.yaml", "MEMORY_FAST_MODE: \"true\"",
              "MEMORY_FAST_MODE: \"fast\"", "write true or false"},
        Fault{"deploy/systemd/umbranet.conf", "#REFLECTOR_WORKERS=3", "#REFLECTOR_WORKERS=0",
              "REFLECTOR_WORKERS is \"0\""},
        Fault{kCompose, "  RABBITMQ_QUEUE: \"memory_reflection_queue\"\n", "",
              "RABBITMQ_QUEUE is missing"},
        Fault{kCompose, "      UMBRANET_API_KEYS_FILE: \"/run/secrets/api_keys\"\n", "",
              "without API keys"},
        Fault{kCompose, "${NEO4J_PASSWORD:?see deploy/README.md}@", "correct-horse@",
              "NEO4J_URL holds a secret"},
        Fault{kCompose, "\"neo4j/${NEO4J_PASSWORD:?see deploy/README.md}\"",
              "\"neo4j/correct-horse\"", "holds a secret"},
        Fault{"deploy/kubernetes/secret.example.yaml", "key: \"REPLACE-WITH-ANOTHER\"",
              "key: \"correct-horse\"", "a secret"},
        Fault{kCompose, "replicas: 2", "replicas: 1", "one reflector"},
        Fault{kCompose, "image: redis:7.2.5-bookworm", "image: redis", "no pinned tag"},
        Fault{kCompose, "image: redis:7.2.5-bookworm", "image: redis:latest", "no pinned tag"},
        Fault{kApi, "image: umbranet:0.1.0", "image: umbranet:0.0.9", "is not of version"},
        Fault{kCompose, "test: [\"CMD\", \"rabbitmq-diagnostics\"",
              "run: [\"CMD\", \"rabbitmq-diagnostics\"",
              "rabbitmq is waited for and has no health check"},
        Fault{kCompose, "stop_grace_period: 90s", "stop_grace_period: 60s", "is killed after 60 s"},
        Fault{kApi, "terminationGracePeriodSeconds: 90", "terminationGracePeriodSeconds: 80",
              "is killed after 80 s"},
        Fault{kReflector, "      terminationGracePeriodSeconds: 90\n", "", "is killed after 30 s"},
        Fault{"deploy/systemd/umbranet.service", "TimeoutStopSec=90", "TimeoutStopSec=30",
              "is killed after 30 s"},
        Fault{kApi, "enableServiceLinks: false", "enableServiceLinks: true", "enableServiceLinks"},
        Fault{kApi, "containerPort: 8080", "containerPort: 8081", "the container's port"},
        Fault{kReflector, "containerPort: 8081", "containerPort: 8080", "the container's port"},
        Fault{kReflector,
              "            - name: UMBRANET_API_KEYS_FILE\n"
              "              value: \"/etc/umbranet/keys/api_keys\"\n",
              "", "without API keys"},
        Fault{kCompose, "http://127.0.0.1:8081", "http://127.0.0.1:8080",
              "reflector is not asked for its health where it listens"},
        Fault{"deploy/Dockerfile", "\nUSER 10001:10001\n", "\n", "lacks\nUSER"}));

TEST(DeployFilesTest, TheVariablesOfKubernetesServiceLinksWouldStopTheStart) {
  EXPECT_FALSE(LoadSettings("", {{"UMBRANET_PORT", "tcp://10.0.0.7:80"}}, {}).ok());
}

TEST(DeployFilesTest, YamlIsReadByItsIndentation) {
  const auto lines = YamlLines(
      "a:\n  b: \"x # y\" # z\n  c:\n    - d: 1\n      e: 2\n    - f\n---\na: |\n  g: h\n  i\nj: "
      "k\n");
  std::string read;
  for (const YamlLine& line : lines) {
    read += std::to_string(line.document) + " " + line.path + "=" + line.value + ";";
  }
  EXPECT_EQ(read, "0 a=;0 a/b=x # y;0 a/c=;0 a/c/-/d=1;0 a/c/-/e=2;0 a/c/-=f;1 a=g: h\ni\n;1 j=k;");
}

TEST(DeployFilesTest, AComposeServiceGetsWhatItMergesAndWhatItSets) {
  const auto environment = ComposeEnvironment(
      "x-all: &all\n  A: \"${A:-1}\"\n  B: \"b:${B:?say}@\"\nservices:\n  s:\n    environment:\n"
      "      <<: *all\n      C: 3\n  t:\n    environment:\n      D: 4\n",
      "s");
  const std::map<std::string, std::string> expected = {
      {"A", "1"}, {"B", "b:given-from-outside@"}, {"C", "3"}};
  EXPECT_EQ(environment, expected);
}

}  // namespace
}  // namespace umbranet
