#include "tests/unit/source_rules.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
#include <utility>

namespace umbranet {
namespace {

constexpr std::size_t kLinesMax = 600;
constexpr std::size_t kColumnsMax = 100;

using Layers = std::set<std::string, std::less<>>;

// What each layer may include, itself aside. An adapter's own folder is added in MayInclude.
const std::map<std::string, Layers, std::less<>>& AllowedIncludes() {
  static const std::map<std::string, Layers, std::less<>> table = {
      {"base", {}},
      {"domain", {"base"}},
      {"telemetry", {"base"}},
      {"net", {"base"}},
      {"ports", {"base", "domain"}},
      {"search", {"base", "domain", "ports"}},
      {"memory", {"base", "domain", "ports", "search", "telemetry"}},
      {"extraction", {"base", "domain", "ports", "telemetry"}},
      {"reflection", {"base", "domain", "ports", "telemetry"}},
      {"adapters", {"base", "domain", "ports", "search", "telemetry", "net"}},
      {"config", {"base", "domain", "telemetry"}},
      {"governor", {"base", "domain", "ports", "telemetry", "memory", "extraction", "reflection"}},
      {"http",
       {"base", "domain", "ports", "telemetry", "memory", "extraction", "reflection", "governor",
        "config"}},
      {"app",
       {"base", "domain", "ports", "telemetry", "memory", "extraction", "reflection", "governor",
        "config", "http", "net", "adapters"}},
  };
  return table;
}

// A third-party header and the folders of src/umbranet that may know it.
struct Confinement {
  std::string_view header;
  std::vector<std::string_view> folders;
};

const std::vector<Confinement>& Confinements() {
  static const std::vector<Confinement> table = {
      {"boost/asio", {"http/", "net/", "adapters/"}},
      {"boost/beast", {"http/", "net/", "adapters/"}},
      {"sqlite3.h", {"adapters/sqlite/"}},
      {"libpq-fe.h", {"adapters/postgres/"}},
      {"hiredis/", {"adapters/redis/"}},
      {"amqp", {"adapters/rabbitmq/"}},
      {"CLI/", {"app/"}},
      {"spdlog/", {"telemetry/"}},
      {"prometheus/", {"telemetry/"}},
      {"libstemmer.h", {"base/"}},
      {"openssl/", {"base/", "http/", "net/", "adapters/"}},
  };
  return table;
}

// Text that no line of `scope` may hold.
struct Ban {
  std::regex pattern;
  std::string scope;   // A prefix of the paths it holds for.
  std::string except;  // A prefix of the paths it does not hold for; empty: none.
  bool comments_only;
  std::string advice;
};

Ban Forbid(const std::string& pattern, std::string scope, std::string except, std::string advice) {
  return {std::regex(pattern), std::move(scope), std::move(except), false, std::move(advice)};
}

Ban ForbidInComments(const std::string& pattern, std::string advice) {
  return {std::regex(pattern, std::regex::icase), "", "", true, std::move(advice)};
}

// The patterns are put together from halves, so that this file does not break its own rules.
const std::vector<Ban>& Bans() {
  static const std::string sleeping =
      "\\b(sleep_"
      "for|sleep_"
      "until|us"
      "leep|nanos"
      "leep)\\b";
  static const std::vector<Ban> bans = {
      Forbid("\\b(TO"
             "DO|FIX"
             "ME|X"
             "XX)\\b",
             "", "", "finish it, or leave it out"),
      ForbidInComments("\\bfor "
                       "now\\b|\\bsimpli"
                       "fied\\b|\\bplace"
                       "holder\\b|\\bdum"
                       "my\\b",
                       "build the real thing and describe that"),
      Forbid("(^|[^A-Za-z0-9_.])/(home|root|Users|wo"
             "rk)/[a-z]",
             "", "", "no path of one machine in the repository"),
      Forbid("std::thr"
             "ead\\b(?!::)",
             "src/", "", "use std::jthread, which is always joined"),
      // A command that polls a server has nobody who would wake it.
      Forbid(sleeping, "src/", "src/umbranet/app/commands/", "wait on a condition with a Deadline"),
      Forbid(sleeping, "tests/unit/", "", "wait on a signal or turn a manual clock"),
      Forbid(sleeping, "tests/contract/", "", "wait on a signal or turn a manual clock"),
      Forbid("_clock::n"
             "ow\\b",
             "src/", "src/umbranet/base/", "ask the Clock"),
      // As a template argument it may stand: there it fits a library's type to a mutex of its own.
      Forbid("std::(recursive_|shared_|timed_)?mut"
             "ex\\b(?!>)",
             "src/", "src/umbranet/base/", "use the annotated Mutex of base/mutex.h"),
      Forbid("\\bco_(aw"
             "ait|re"
             "turn|yi"
             "eld)\\b",
             "src/", "", "no coroutines: g++ 12 destroys their temporaries twice"),
      Forbid("^\\s*using name"
             "space ",
             "src/", "", "name what you use"),
  };
  return bans;
}

bool StartsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

bool EndsWith(std::string_view text, std::string_view suffix) {
  return text.size() >= suffix.size() && text.substr(text.size() - suffix.size()) == suffix;
}

// The part of `path` below "<prefix>", or nothing when it lies elsewhere.
std::optional<std::string_view> Below(std::string_view prefix, std::string_view path) {
  if (!StartsWith(path, prefix)) {
    return std::nullopt;
  }
  return path.substr(prefix.size());
}

// "adapters/sqlite/x.h" and 2 give "adapters/sqlite".
std::string_view FirstFolders(std::string_view path, int count) {
  std::size_t end = 0;
  for (int i = 0; i < count; ++i) {
    end = path.find('/', i == 0 ? 0 : end + 1);
    if (end == std::string_view::npos) {
      return path;
    }
  }
  return path.substr(0, end);
}

// Columns as an editor counts them: continuation bytes of UTF-8 take none.
std::size_t Columns(std::string_view line) {
  return static_cast<std::size_t>(std::count_if(line.begin(), line.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

std::string_view CommentOf(std::string_view line) {
  const std::size_t start = line.find("//");
  return start == std::string_view::npos ? std::string_view() : line.substr(start);
}

class Inspection {
 public:
  explicit Inspection(const SourceFile& file) : file_(file) {}

  std::vector<std::string> Run() {
    CheckName();
    std::istringstream lines(file_.text);
    std::string line;
    while (std::getline(lines, line)) {
      ++line_number_;
      CheckLine(line);
    }
    if (line_number_ > kLinesMax) {
      Report("more than " + std::to_string(kLinesMax) + " lines; split it by what it is about");
    }
    if (EndsWith(file_.path, ".h") && file_.text.find("#pragma once") == std::string::npos) {
      Report("a header begins with #pragma once");
    }
    return std::move(violations_);
  }

 private:
  void Report(const std::string& what) {
    violations_.push_back(file_.path + ":" + std::to_string(line_number_) + ": " + what);
  }

  void CheckName() {
    static const std::regex vague("(^|[/_.])(util|common|helper|misc)s?([/_.]|$)");
    if (std::regex_search(file_.path, vague)) {
      Report("the name says nothing; name the file for what it holds");
    }
    const auto path = Below("src/umbranet/", file_.path);
    if (path && AllowedIncludes().count(FirstFolders(*path, 1)) == 0) {
      Report("the folder is no layer; see CMakeLists.txt for those that there are");
    }
  }

  void CheckLine(const std::string& line) {
    if (Columns(line) > kColumnsMax) {
      Report("longer than " + std::to_string(kColumnsMax) + " columns");
    }
    CheckBans(line);
    static const std::regex include(R"re(^\s*#\s*include\s*([<"])([^">]+)[">])re");
    std::smatch match;
    if (std::regex_search(line, match, include)) {
      CheckInclude(match[1].str() == "\"", match[2].str());
    }
  }

  void CheckBans(const std::string& line) {
    for (const Ban& ban : Bans()) {
      if (!StartsWith(file_.path, ban.scope) ||
          (!ban.except.empty() && StartsWith(file_.path, ban.except))) {
        continue;
      }
      const std::string text(ban.comments_only ? CommentOf(line) : std::string_view(line));
      std::smatch match;
      if (std::regex_search(text, match, ban.pattern)) {
        Report("'" + match.str() + "' is not written here: " + ban.advice);
      }
    }
  }

  void CheckInclude(bool quoted, const std::string& included) {
    if (const auto ours = Below("src/umbranet/", file_.path)) {
      if (quoted && !StartsWith(included, "umbranet/")) {
        Report("\"" + included + "\": includes of the house begin with umbranet/");
      } else if (quoted) {
        CheckLayer(*ours, std::string_view(included).substr(std::string_view("umbranet/").size()));
      } else {
        CheckConfinement(*ours, included);
      }
    } else if (StartsWith(file_.path, "tests/doubles/") && quoted) {
      CheckDouble(included);
    }
  }

  void CheckLayer(std::string_view ours, std::string_view theirs) {
    const std::string_view our_layer = FirstFolders(ours, 1);
    const std::string_view their_layer = FirstFolders(theirs, 1);
    if (their_layer == "adapters" && our_layer == "app" && !StartsWith(ours, "app/composition")) {
      Report("only app/composition knows adapters; ask it for the port");
      return;
    }
    if (our_layer == "adapters" && their_layer == "adapters") {
      if (FirstFolders(ours, 2) != FirstFolders(theirs, 2)) {
        Report("an adapter knows no other adapter; meet in a port");
      }
      return;
    }
    const auto allowed = AllowedIncludes().find(our_layer);
    if (our_layer != their_layer && allowed != AllowedIncludes().end() &&
        allowed->second.count(their_layer) == 0) {
      Report(std::string(our_layer) + " may not include " + std::string(their_layer));
    }
  }

  void CheckConfinement(std::string_view ours, const std::string& included) {
    for (const Confinement& confinement : Confinements()) {
      const bool home = std::any_of(confinement.folders.begin(), confinement.folders.end(),
                                    [&](std::string_view f) { return StartsWith(ours, f); });
      if (StartsWith(included, confinement.header) && !home) {
        Report("<" + included + "> stays within " + std::string(confinement.folders.front()));
      }
    }
  }

  // A twin that knew an implementation could not be trusted to judge one.
  void CheckDouble(const std::string& included) {
    for (const std::string_view real : {"umbranet/adapters/", "umbranet/app/"}) {
      if (StartsWith(included, real)) {
        Report("a double stands in for what is behind a port and does not know " + included);
      }
    }
  }

  const SourceFile& file_;
  std::size_t line_number_ = 0;
  std::vector<std::string> violations_;
};

}  // namespace

std::vector<std::string> ViolationsIn(const SourceFile& file) {
  return Inspection(file).Run();
}

std::vector<SourceFile> ReadSources(std::string_view root) {
  namespace fs = std::filesystem;
  std::vector<SourceFile> files;
  for (const char* folder : {"src", "tests", "benchmarks", "cmake"}) {
    const fs::path top = fs::path(root) / folder;
    if (!fs::exists(top)) {
      continue;
    }
    for (const auto& entry : fs::recursive_directory_iterator(top)) {
      const std::string extension = entry.path().extension().string();
      if (!entry.is_regular_file() || (extension != ".h" && extension != ".cc")) {
        continue;
      }
      std::ifstream stream(entry.path(), std::ios::binary);
      files.push_back({fs::relative(entry.path(), root).generic_string(),
                       {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()}});
    }
  }
  std::sort(files.begin(), files.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
  return files;
}

}  // namespace umbranet
