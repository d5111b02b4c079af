#include <boost/json/array.hpp>

#include "umbranet/app/commands/commands.h"
#include "umbranet/app/exit_code.h"
#include "umbranet/app/terminal.h"

namespace umbranet {
namespace {

namespace json = boost::json;

constexpr Millis kBudget{30'000};

std::string MergeLine(const json::object& merge) {
  const std::string parted = TextOf(merge, "parted_at");
  return Printable(TextOf(merge, "name")) + " = " + Printable(TextOf(merge, "other")) + "\n    " +
         TextOf(merge, "occurred_at") + ", " + TextOf(merge, "interaction_id") +
         (parted.empty() ? "" : ", undone " + parted) + "\n";
}

}  // namespace

int RunMerges(const CommandContext& context, const MergesOptions& options) {
  auto client = context.Connect();
  if (!client.ok()) {
    return Complain(client.error());
  }
  const auto answer = (*client)->Call(
      "GET",
      "/v1/users/" + PathSegment(options.user) + "/merges?limit=" + std::to_string(options.limit),
      std::nullopt, context.Within(kBudget));
  if (!answer.ok()) {
    return Complain(answer.error());
  }
  if (context.json) {
    PrintJson(*answer);
    return kExitOk;
  }
  std::string text;
  if (const json::value* merges = answer->if_contains("merges"); merges && merges->is_array()) {
    for (const json::value& merge : merges->get_array()) {
      text += MergeLine(merge.as_object());
    }
  }
  Print(text.empty() ? "no two names mean the same\n" : text);
  return kExitOk;
}

int RunUnmerge(const CommandContext& context, const UnmergeOptions& options) {
  auto client = context.Connect(false);
  if (!client.ok()) {
    return Complain(client.error());
  }
  json::object body{{"name", options.name}};
  if (!options.from.empty()) {
    body["from"] = options.from;
  }
  const auto answer = (*client)->Call("POST", "/v1/users/" + PathSegment(options.user) + "/unmerge",
                                      body, context.Within(kBudget));
  if (!answer.ok()) {
    return Complain(answer.error());
  }
  if (context.json) {
    PrintJson(*answer);
  } else {
    Print("merges undone: " + std::to_string(NumberOf(*answer, "undone")) + "\n");
  }
  return kExitOk;
}

}  // namespace umbranet
