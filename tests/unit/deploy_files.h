// What the files under deploy/ promise, checked as text and without a container, a cluster or a
// library for YAML. They are compared with the program: its settings, its metrics, its routes.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace umbranet {

// One file; `path` is relative to the root of the repository.
struct DeployFile {
  std::string path;
  std::string text;
};

// A scalar of a YAML file, or a key that holds more (then `value` is what stands behind the colon:
// nothing, an anchor, a list in brackets). `path` has its keys, with "-" for a list's element:
// "spec/containers/-/image". Quotes and comments are taken off.
struct YamlLine {
  std::string path;
  std::string value;
  int document = 0;
};

// As much of YAML as the files use: block mappings and lists, one-line values, literal blocks.
std::vector<YamlLine> YamlLines(std::string_view text);

// Everything under deploy/ in `root`, by path.
std::vector<DeployFile> ReadDeployFiles(std::string_view root);

// The environment that `service` of a compose file gets, merges and defaults of variables resolved;
// what must be given from outside is "given-from-outside".
std::map<std::string, std::string> ComposeEnvironment(std::string_view text,
                                                      const std::string& service);

// What is wrong with the files, one sentence each that begins with the file's path. `version` is
// the project's.
std::vector<std::string> DeployViolations(const std::vector<DeployFile>& files,
                                          const std::string& version);

}  // namespace umbranet
