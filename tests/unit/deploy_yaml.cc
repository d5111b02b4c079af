// Reading: the little YAML there is, and what a compose file makes of it.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "tests/unit/deploy_files.h"

namespace umbranet {
namespace {

std::string_view Trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// The text of a scalar: without its quotes, or without the comment behind it.
std::string Scalar(std::string_view text) {
  text = Trim(text);
  if (!text.empty() && (text.front() == '"' || text.front() == '\'')) {
    return std::string(text.substr(1, text.find(text.front(), 1) - 1));
  }
  return std::string(Trim(text.substr(0, text.find(" #"))));
}

// The length of the key that `content` begins with; npos when it is a scalar.
std::size_t KeyLength(std::string_view content) {
  if (content.front() == '"' || content.front() == '\'' || content.front() == '[') {
    return std::string_view::npos;
  }
  if (content.ends_with(':')) {
    return content.size() - 1;
  }
  return content.find(": ");
}

class YamlReader {
 public:
  std::vector<YamlLine> Read(std::string_view text) {
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      ReadLine(text.substr(0, end));
      text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    }
    return std::move(lines_);
  }

 private:
  void ReadLine(std::string_view line) {
    std::size_t indent = line.find_first_not_of(' ');
    std::string_view content = Trim(line);
    if (content.empty() || Continues(indent, content) || content.front() == '#') {
      return;
    }
    if (content == "---") {
      above_.clear();
      ++document_;
      return;
    }
    while (content.starts_with("- ")) {
      Enter(indent, "-");
      indent += 2;
      content = Trim(content.substr(2));
    }
    const std::size_t key = KeyLength(content);
    if (key == std::string_view::npos) {
      lines_.push_back({Path(), Scalar(content), document_});
      return;
    }
    Enter(indent, std::string(content.substr(0, key)));
    const std::string_view value = Trim(content.substr(key + 1));
    in_block_ = value == "|" || value == ">";
    block_indent_ = indent;
    lines_.push_back({Path(), in_block_ ? std::string() : Scalar(value), document_});
  }

  // Whether the line belongs to a literal block, whose text it then adds to.
  bool Continues(std::size_t indent, std::string_view content) {
    in_block_ = in_block_ && indent > block_indent_;
    if (in_block_) {
      lines_.back().value += std::string(content) + "\n";
    }
    return in_block_;
  }

  void Enter(std::size_t indent, std::string key) {
    while (!above_.empty() && above_.back().first >= indent) {
      above_.pop_back();
    }
    above_.emplace_back(indent, std::move(key));
  }

  [[nodiscard]] std::string Path() const {
    std::string path;
    for (const auto& [indent, key] : above_) {
      path += (path.empty() ? "" : "/") + key;
    }
    return path;
  }

  std::vector<YamlLine> lines_;
  std::vector<std::pair<std::size_t, std::string>> above_;  // Keys with their columns.
  int document_ = 0;
  bool in_block_ = false;
  std::size_t block_indent_ = 0;
};

// ${NAME:-default} and ${NAME:?message}.
std::string Interpolated(std::string text) {
  for (std::size_t at = 0; (at = text.find("${", at)) != std::string::npos;) {
    const std::size_t end = text.find('}', at);
    const std::string inside = text.substr(at + 2, end - at - 2);
    const std::size_t fallback = inside.find(":-");
    const std::string value =
        fallback == std::string::npos ? "given-from-outside" : inside.substr(fallback + 2);
    text.replace(at, end - at + 1, value);
    at += value.size();
  }
  return text;
}

void AddUnder(const std::vector<YamlLine>& lines, const std::string& prefix,
              std::map<std::string, std::string>& environment) {
  for (const YamlLine& line : lines) {
    if (!line.path.starts_with(prefix + "/")) {
      continue;
    }
    const std::string name = line.path.substr(prefix.size() + 1);
    if (name != "<<") {
      environment[name] = Interpolated(line.value);
      continue;
    }
    const std::string anchor = "&" + line.value.substr(1);
    for (const YamlLine& other : lines) {
      if (other.value == anchor) {
        AddUnder(lines, other.path, environment);
      }
    }
  }
}

}  // namespace

std::vector<YamlLine> YamlLines(std::string_view text) {
  return YamlReader().Read(text);
}

std::map<std::string, std::string> ComposeEnvironment(std::string_view text,
                                                      const std::string& service) {
  std::map<std::string, std::string> environment;
  AddUnder(YamlLines(text), "services/" + service + "/environment", environment);
  return environment;
}

std::vector<DeployFile> ReadDeployFiles(std::string_view root) {
  namespace fs = std::filesystem;
  std::vector<DeployFile> files;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(root) / "deploy")) {
    // What an operator keeps beside the files, as deploy/README.md says, is none of ours.
    const std::string path = fs::relative(entry.path(), root).generic_string();
    if (!entry.is_regular_file() || path.starts_with("deploy/secrets/") || path == "deploy/.env") {
      continue;
    }
    std::ifstream file(entry.path());
    std::stringstream text;
    text << file.rdbuf();
    files.push_back({path, text.str()});
  }
  std::sort(files.begin(), files.end(),
            [](const DeployFile& a, const DeployFile& b) { return a.path < b.path; });
  return files;
}

}  // namespace umbranet
