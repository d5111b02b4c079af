#include <boost/json/array.hpp>

#include "umbranet/app/commands/commands.h"
#include "umbranet/app/exit_code.h"
#include "umbranet/app/terminal.h"

namespace umbranet {
namespace {

namespace json = boost::json;

constexpr Millis kBudget{330'000};
constexpr std::size_t kDayBytes = 10;

std::string ConsolidationLines(const json::object& episode) {
  const json::value* sources = episode.if_contains("sources");
  const std::size_t made_of =
      sources != nullptr && sources->is_array() ? sources->get_array().size() : 0;
  const std::string from = TextOf(episode, "from").substr(0, kDayBytes);
  const std::string until = TextOf(episode, "until").substr(0, kDayBytes);
  return TextOf(episode, "memory_id") + "  " + from + (until == from ? "" : " to " + until) +
         ", of " + std::to_string(made_of) + " episodes, by " +
         Printable(TextOf(episode, "model")) + "\n    " + Printable(TextOf(episode, "text")) + "\n";
}

std::string ListText(const json::object& answer) {
  std::string text;
  const json::value* list = answer.if_contains("consolidations");
  for (const json::value& episode :
       list != nullptr && list->is_array() ? list->get_array() : json::array()) {
    text += ConsolidationLines(episode.as_object());
  }
  if (!TextOf(answer, "next_cursor").empty()) {
    text += "... and more; see --limit\n";
  }
  return text.empty() ? "no episodes are consolidated\n" : text;
}

}  // namespace

int RunConsolidation(const CommandContext& context, const ConsolidationOptions& options) {
  const bool undo = options.action == "undo";
  if (undo && options.memory_id.empty() && !options.all) {
    return Complain(InvalidArgument("consolidation: undo wants an id, or --all with --user"));
  }
  auto client = context.Connect();
  if (!client.ok()) {
    return Complain(client.error());
  }
  std::string path = "/v1/admin/users/" + PathSegment(options.user) + "/consolidations";
  if (!undo) {
    path += "?limit=" + std::to_string(options.limit);
  } else if (!options.all) {
    path = "/v1/admin/consolidations/" + PathSegment(options.memory_id);
  }
  const auto answer =
      (*client)->Call(undo ? "DELETE" : "GET", path, std::nullopt, context.Within(kBudget));
  if (!answer.ok()) {
    return Complain(answer.error());
  }
  if (context.json) {
    PrintJson(*answer);
  } else {
    Print(undo ? "consolidated episodes undone: " + std::to_string(NumberOf(*answer, "undone")) +
                     "\n"
               : ListText(*answer));
  }
  return kExitOk;
}

}  // namespace umbranet
