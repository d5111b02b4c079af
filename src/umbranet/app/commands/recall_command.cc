#include <cstdio>

#include <boost/json/array.hpp>

#include "umbranet/app/commands/commands.h"
#include "umbranet/app/exit_code.h"
#include "umbranet/app/terminal.h"

namespace umbranet {
namespace {

namespace json = boost::json;

void PrintItems(const json::object& answer, std::string_view list) {
  const json::value* items = answer.if_contains(list);
  if (items == nullptr || !items->is_array() || items->get_array().empty()) {
    return;
  }
  const Style style = TerminalStyle();
  Print(style.bold + std::string(list) + style.reset + "\n");
  for (const json::value& item : items->get_array()) {
    const json::object& memory = item.as_object();
    const std::string superseded = TextOf(memory, "superseded_by");
    Print("  " + Printable(TextOf(memory, "text")) + "\n" + style.dim + "    " +
          TextOf(memory, "tier") + ", " + TextOf(memory, "occurred_at") + ", " +
          TextOf(memory, "memory_id") +
          (superseded.empty() ? "" : ", superseded by " + superseded) + style.reset + "\n");
  }
}

}  // namespace

int RunRecall(const CommandContext& context, const RecallOptions& options) {
  auto client = context.Connect();
  if (!client.ok()) {
    return Complain(client.error());
  }
  json::object request{
      {"user_id", options.user}, {"query", options.query}, {"limit", options.limit}};
  if (!options.tiers.empty()) {
    request["tiers"] = json::array(options.tiers.begin(), options.tiers.end());
  }
  if (!options.as_of.empty()) {
    request["as_of"] = options.as_of;
  }
  const auto answer =
      (*client)->Call("POST", "/v1/recall", request, context.Within(Millis{30'000}));
  if (!answer.ok()) {
    return Complain(answer.error());
  }
  if (context.json) {
    PrintJson(*answer);
    return kExitOk;
  }
  PrintItems(*answer, "items");
  PrintItems(*answer, "rules");
  const json::value* items = answer->if_contains("items");
  if (items == nullptr || items->as_array().empty()) {
    Print("nothing is remembered that matches\n");
  }
  if (const json::value* missing = answer->if_contains("missing_tiers");
      missing != nullptr && missing->is_array()) {
    for (const json::value& tier : missing->get_array()) {
      std::fprintf(stderr, "umbranet: the %s tier was late or away\n", tier.as_string().c_str());
    }
  }
  return kExitOk;
}

}  // namespace umbranet
