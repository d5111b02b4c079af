#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <thread>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "umbranet/app/commands/commands.h"
#include "umbranet/app/exit_code.h"
#include "umbranet/app/terminal.h"

namespace umbranet {
namespace {

namespace json = boost::json;

constexpr std::size_t kTurnsPerRequest = 200;
constexpr std::size_t kBytesPerRequest = 8U << 20U;  // Half of what the server takes.
constexpr Millis kPause{1'000};  // Before a request that was refused for want of room is repeated.
constexpr int kTriesMax = 1'800;
constexpr std::size_t kBytesPerTurn = 1U << 20U;

struct ImportCount {
  std::size_t accepted = 0;
  std::size_t already_there = 0;
  std::size_t left_out = 0;
  std::vector<std::string> users;
};

Result<std::string> ReadWhole(const std::string& path) {
  if (path == "-") {
    return std::string(std::istreambuf_iterator<char>(std::cin), {});
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return Unavailable("import: " + path + " cannot be read");
  }
  std::string bytes(std::istreambuf_iterator<char>(file), {});
  if (file.bad()) {
    return Unavailable("import: " + path + " cannot be read to its end");
  }
  return bytes;
}

void Report(ImportCount& count, const std::string& path, const ImportProblem& problem) {
  ++count.left_out;
  std::fprintf(stderr, "umbranet: %s, %s: %s\n", path.c_str(), problem.where.c_str(),
               problem.what.c_str());
}

// Sends turns in requests that the server takes; each is stored whole or not at all, so an import
// that is broken off goes on where it stopped when it is started again.
class Sender {
 public:
  Sender(const CommandContext& context, ApiClient& client, ImportCount& count)
      : context_(context), client_(client), count_(count) {}

  Status Add(json::object turn, std::size_t bytes) {
    if (waiting_.size() == kTurnsPerRequest || waiting_bytes_ + bytes > kBytesPerRequest) {
      UMBRANET_RETURN_IF_ERROR(Flush());
    }
    waiting_bytes_ += bytes;
    waiting_.emplace_back(std::move(turn));
    return {};
  }

  Status Flush() {
    if (waiting_.empty()) {
      return {};
    }
    const std::size_t sent = waiting_.size();
    json::object body;
    body["items"] = std::move(waiting_);
    waiting_ = json::array();
    waiting_bytes_ = 0;
    UMBRANET_ASSIGN_OR_RETURN(const json::object answer, Send(body));
    std::size_t duplicates = 0;
    if (const json::value* results = answer.if_contains("results"); results) {
      for (const json::value& result : results->as_array()) {
        const json::value* duplicate = result.as_object().if_contains("duplicate");
        if (duplicate != nullptr && duplicate->is_bool() && duplicate->get_bool()) {
          ++duplicates;
        }
      }
    }
    count_.already_there += duplicates;
    count_.accepted += sent - duplicates;
    return {};
  }

 private:
  // A user with many turns may have to wait until some of those before are reflected.
  Result<json::object> Send(const json::object& body) {
    for (int tries = 1;; ++tries) {
      auto answer =
          client_.Call("POST", "/v1/interactions", body, context_.Within(Millis{120'000}));
      if (answer.ok() || answer.error().code != ErrorCode::kResourceExhausted ||
          tries == kTriesMax) {
        return answer;
      }
      std::this_thread::sleep_for(kPause);
    }
  }

  const CommandContext& context_;
  ApiClient& client_;
  ImportCount& count_;
  json::array waiting_;
  std::size_t waiting_bytes_ = 0;
};

Status ImportFile(const CommandContext& context, const ImportOptions& options,
                  const std::string& path, ApiClient* client, ImportCount& count) {
  UMBRANET_ASSIGN_OR_RETURN(const std::string bytes, ReadWhole(path));
  auto read = ReadTurns(bytes, options.format, options.user);
  if (!read.ok()) {
    return Error{read.error().code, path + ": " + read.error().message};
  }
  for (const ImportProblem& problem : read->problems) {
    Report(count, path, problem);
  }
  if (client == nullptr) {
    count.accepted += read->turns.size();
    return {};
  }
  Sender sender(context, *client, count);
  ProgressBar bar(path, read->turns.size(), context.json);
  for (json::object& turn : read->turns) {
    const std::string user = TextOf(turn, "user_id");
    if (std::find(count.users.begin(), count.users.end(), user) == count.users.end()) {
      count.users.push_back(user);
    }
    const std::size_t size = json::serialize(turn).size();
    if (size > kBytesPerTurn) {
      Report(count, path, {TextOf(turn, "interaction_id"), "is larger than 1 MiB"});
    } else {
      UMBRANET_RETURN_IF_ERROR(sender.Add(std::move(turn), size));
    }
    bar.Advance(1);
  }
  UMBRANET_RETURN_IF_ERROR(sender.Flush());
  bar.Finish();
  return {};
}

Result<std::int64_t> PendingOf(const CommandContext& context, ApiClient& client,
                               const std::vector<std::string>& users) {
  std::int64_t pending = 0;
  for (const std::string& user : users) {
    UMBRANET_ASSIGN_OR_RETURN(const json::object fresh,
                              client.Call("GET", "/v1/users/" + PathSegment(user) + "/freshness",
                                          std::nullopt, context.Within(Millis{30'000})));
    pending += NumberOf(fresh, "pending");
  }
  return pending;
}

Status WaitReflected(const CommandContext& context, ApiClient& client, const ImportCount& count) {
  UMBRANET_ASSIGN_OR_RETURN(std::int64_t pending, PendingOf(context, client, count.users));
  const auto total = static_cast<std::size_t>(pending);
  ProgressBar bar("reflecting", total, context.json);
  std::size_t shown = 0;
  while (pending > 0) {
    std::this_thread::sleep_for(Millis{100});
    UMBRANET_ASSIGN_OR_RETURN(pending, PendingOf(context, client, count.users));
    const std::size_t done = total - std::min(total, static_cast<std::size_t>(pending));
    bar.Advance(done - std::min(done, shown));
    shown = std::max(shown, done);
  }
  bar.Finish();
  return {};
}

}  // namespace

int RunImport(const CommandContext& context, const ImportOptions& options) {
  std::unique_ptr<ApiClient> client;
  if (!options.dry_run) {
    auto connected = context.Connect();
    if (!connected.ok()) {
      return Complain(connected.error());
    }
    client = std::move(*connected);
  }
  ImportCount count;
  for (const std::string& path : options.files) {
    const Status imported = ImportFile(context, options, path, client.get(), count);
    if (!imported.ok()) {
      std::fprintf(stderr, "umbranet: %zu turns were stored before this; start it again to go on\n",
                   count.accepted);
      return Complain(imported.error());
    }
  }
  if (client != nullptr && options.wait) {
    if (const Status waited = WaitReflected(context, *client, count); !waited.ok()) {
      return Complain(waited.error());
    }
  }
  if (context.json) {
    PrintJson({{"accepted", count.accepted},
               {"already_there", count.already_there},
               {"left_out", count.left_out},
               {"dry_run", options.dry_run}});
  } else {
    Print(std::string(options.dry_run ? "would store " : "stored ") +
          std::to_string(count.accepted) + " turns, " + std::to_string(count.already_there) +
          " were there already, " + std::to_string(count.left_out) + " left out\n");
  }
  return count.left_out == 0 ? kExitOk : kExitFailed;
}

}  // namespace umbranet
