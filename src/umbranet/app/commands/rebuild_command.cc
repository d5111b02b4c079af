#include <algorithm>

#include <boost/json/array.hpp>

#include "umbranet/app/commands/commands.h"
#include "umbranet/app/exit_code.h"
#include "umbranet/app/terminal.h"

namespace umbranet {
namespace {

namespace json = boost::json;

constexpr Millis kBudget{330'000};
// Small enough that progress is seen, and that little is in the balance when it is broken off.
constexpr std::size_t kStepTurns = 50;

const json::object* Member(const json::object& object, std::string_view name) {
  const json::value* member = object.if_contains(name);
  return member != nullptr && member->is_object() ? &member->get_object() : nullptr;
}

std::string GenerationLine(const json::object& answer, std::string_view name) {
  const json::object* generation = Member(answer, name);
  if (generation == nullptr) {
    return {};
  }
  const std::string by = TextOf(*generation, "extractor");
  std::string line(name);
  line.resize(8, ' ');
  line += by.empty() ? "as it was reflected day by day" : "by " + Printable(by);
  if (const auto turns = NumberOf(*generation, "turns"); turns > 0) {
    line += ", " + std::to_string(turns) + " turns taken in";
  }
  if (const auto fallbacks = NumberOf(*generation, "fallbacks"); fallbacks > 0) {
    line += ", " + std::to_string(fallbacks) + " of them by simpler means";
  }
  return line + ", " + std::to_string(NumberOf(*generation, "lacking")) + " lacking\n";
}

std::string ItemLines(const json::object& difference, std::string_view member, char mark) {
  std::string text;
  const json::value* items = difference.if_contains(member);
  for (const json::value& item :
       items != nullptr && items->is_array() ? items->get_array() : json::array()) {
    text += std::string("  ") + mark + " " + Printable(TextOf(item.as_object(), "text")) + "\n";
  }
  return text;
}

std::string ChangedLines(const json::object& difference) {
  std::string text;
  const json::value* items = difference.if_contains("changed_items");
  for (const json::value& item :
       items != nullptr && items->is_array() ? items->get_array() : json::array()) {
    const json::object* before = Member(item.as_object(), "before");
    const json::object* after = Member(item.as_object(), "after");
    if (before != nullptr && after != nullptr) {
      text += "  ~ " + Printable(TextOf(*before, "text")) + "\n    " +
              Printable(TextOf(*after, "text"));
      const std::string ends = TextOf(*after, "valid_to");
      text += (ends.empty() ? "" : " (until " + ends + ")") + "\n";
    }
  }
  return text;
}

std::string DifferenceText(const json::object& answer) {
  std::string text = GenerationLine(answer, "shadow") + GenerationLine(answer, "former");
  const json::object* tiers = Member(answer, "difference");
  if (tiers == nullptr) {
    return text.empty() ? "only what is in force\n" : text;
  }
  for (const auto& [tier, value] : *tiers) {
    const json::object& difference = value.as_object();
    const auto count = [&difference](std::string_view name) {
      return std::to_string(NumberOf(difference, name));
    };
    text += std::string(tier) + ": " + count("before") + " -> " + count("after") + ", " +
            count("added") + " added, " + count("gone") + " gone, " + count("changed") +
            " changed\n";
    text += ItemLines(difference, "added_items", '+') + ItemLines(difference, "gone_items", '-') +
            ChangedLines(difference);
  }
  return text;
}

int ShowAnswer(const CommandContext& context, const Result<json::object>& answer,
               const std::function<std::string(const json::object&)>& text) {
  if (!answer.ok()) {
    return Complain(answer.error());
  }
  if (context.json) {
    PrintJson(*answer);
  } else {
    Print(text(*answer));
  }
  return kExitOk;
}

// Step after step until no turn is lacking. An empty reason when it came to its end.
Result<std::string> WorkOut(const CommandContext& context, ApiClient& client,
                            const RebuildOptions& options, const std::string& path) {
  std::uint64_t left = options.turns == 0 ? UINT64_MAX : options.turns;
  while (left > 0) {
    json::object body{{"turns_max", std::min<std::uint64_t>(left, kStepTurns)}};
    if (options.rules) {
      body["rules"] = true;
    }
    if (!options.model.empty()) {
      body["model"] = options.model;
    }
    UMBRANET_ASSIGN_OR_RETURN(const json::object step,
                              client.Call("POST", path, body, context.Within(kBudget)));
    if (!context.json) {
      Print(GenerationLine(step, "shadow"));
    }
    const json::object* shadow = Member(step, "shadow");
    const auto taken = static_cast<std::uint64_t>(NumberOf(step, "taken"));
    left -= std::min(left, taken);
    if (std::string why = TextOf(step, "stopped"); !why.empty()) {
      return why;
    }
    if (shadow == nullptr || NumberOf(*shadow, "lacking") == 0 || taken == 0) {
      return std::string();
    }
  }
  return std::string("turns");
}

}  // namespace

int RunRebuild(const CommandContext& context, const RebuildOptions& options) {
  auto client = context.Connect();
  if (!client.ok()) {
    return Complain(client.error());
  }
  const std::string path = "/v1/admin/users/" + PathSegment(options.user) + "/rebuild";
  if (options.swap || options.back) {
    const json::object body{{"to", options.back ? "former" : "shadow"}};
    return ShowAnswer(
        context, (*client)->Call("POST", path + "/swap", body, context.Within(kBudget)),
        [&options](const json::object& answer) {
          const auto queued = NumberOf(answer, "queued_jobs");
          return (options.back ? std::string("the former memory is in force again")
                               : std::string("what was worked out anew is in force; --back undoes"
                                             " it")) +
                 (queued == 0 ? "" : "; turns to reflect again: " + std::to_string(queued)) + "\n";
        });
  }
  if (options.discard) {
    return ShowAnswer(
        context, (*client)->Call("DELETE", path, std::nullopt, context.Within(kBudget)),
        [](const json::object& answer) {
          return "generations removed: " + std::to_string(NumberOf(answer, "discarded")) + "\n";
        });
  }
  std::string stopped;
  if (!options.show) {
    auto worked = WorkOut(context, **client, options, path);
    if (!worked.ok()) {
      return Complain(worked.error());
    }
    stopped = std::move(worked).value();
  }
  const int shown =
      ShowAnswer(context,
                 (*client)->Call("GET", path + "?limit=" + std::to_string(options.limit),
                                 std::nullopt, context.Within(kBudget)),
                 DifferenceText);
  if (shown == kExitOk && !stopped.empty() && stopped != "turns") {
    return Complain(Unavailable("rebuild: it waits (" + stopped + "); run it again to go on"));
  }
  return shown;
}

}  // namespace umbranet
