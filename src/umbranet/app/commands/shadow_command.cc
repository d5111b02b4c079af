#include <string>

#include <boost/json/array.hpp>

#include "umbranet/app/commands/commands.h"
#include "umbranet/app/exit_code.h"
#include "umbranet/app/terminal.h"

namespace umbranet {
namespace {

namespace json = boost::json;

std::string Share(std::int64_t part, std::int64_t whole) {
  const std::int64_t tenths = whole == 0 ? 0 : (part * 1'000 + whole / 2) / whole;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " %";
}

const json::object& MemberObject(const json::object& report, std::string_view name) {
  return report.at(name).as_object();
}

void PrintReport(const json::object& report) {
  const std::int64_t runs = NumberOf(report, "runs");
  Print("candidate " + TextOf(report, "candidate") + " (tried now: " + TextOf(report, "mode") +
        "), " + std::to_string(runs) + " turns\n");
  for (const auto& [difference, count] : MemberObject(report, "compared")) {
    const std::int64_t number = count.to_number<std::int64_t>();
    Print("  " + std::string(difference) + ": " + std::to_string(number) + "  " +
          Share(number, runs) + "\n");
  }
  for (const std::string_view name : {"failed", "unanswered"}) {
    Print("  " + std::string(name) + ": " + std::to_string(NumberOf(report, name)) + "\n");
  }
  const json::object& gate = MemberObject(report, "gate");
  for (const json::value& value : gate.at("checks").as_array()) {
    const json::object& check = value.as_object();
    Print(std::string(check.at("met").as_bool() ? "met      " : "NOT met  ") +
          TextOf(check, "name") + ": " + TextOf(check, "found") + ", wanted " +
          TextOf(check, "wanted") + "\n");
  }
  for (const json::value& job_id : report.at("examples").as_array()) {
    Print("see      umbranet jobs show " + Printable(std::string_view(job_id.as_string())) + "\n");
  }
  Print(gate.at("met").as_bool() ? "the gate to switch is met\n"
                                 : "the gate to switch is not met\n");
}

}  // namespace

int RunShadow(const CommandContext& context, const ShadowOptions& options) {
  auto client = context.Connect(false);
  if (!client.ok()) {
    return Complain(client.error());
  }
  const bool clear = options.action == "clear";
  const std::string query =
      clear || options.candidate.empty() ? "" : "?candidate=" + PathSegment(options.candidate);
  const auto answer = (*client)->Call(clear ? "DELETE" : "GET", "/v1/admin/shadow" + query,
                                      std::nullopt, context.Within(Millis{30'000}));
  if (!answer.ok()) {
    return Complain(answer.error());
  }
  if (context.json) {
    PrintJson(*answer);
  } else if (clear) {
    Print(std::to_string(NumberOf(*answer, "cleared")) + " comparisons dropped\n");
  } else {
    PrintReport(*answer);
  }
  return kExitOk;
}

}  // namespace umbranet
