#include <filesystem>

#include <boost/json/array.hpp>

#include "umbranet/app/commands/commands.h"
#include "umbranet/app/composition_spool.h"
#include "umbranet/app/exit_code.h"
#include "umbranet/app/terminal.h"

namespace umbranet {
namespace {

namespace json = boost::json;

constexpr Millis kStatusBudget{10'000};
constexpr Millis kForwardBudget = std::chrono::minutes(30);

std::string StatusText(const SpoolFileReport& file, Timestamp now) {
  if (!file.stats) {
    return file.path + ": held by " + file.held_by + "; ask it: umbranet jobs status\n";
  }
  const SpoolStats& stats = *file.stats;
  std::string text = file.path + ": " + std::to_string(stats.waiting) + " turns wait, " +
                     std::to_string(stats.refused) + " were refused, " +
                     std::to_string(stats.bytes >> 10U) + " KiB";
  if (stats.oldest_at) {
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - *stats.oldest_at);
    text += ", the oldest for " + std::to_string(age.count()) + " s";
  }
  return text + "\n";
}

json::object StatusJson(const SpoolFileReport& file) {
  json::object object{{"file", file.path}, {"held_by", file.held_by}};
  if (file.stats) {
    object["waiting"] = file.stats->waiting;
    object["refused"] = file.stats->refused;
    object["bytes"] = file.stats->bytes;
    if (file.stats->oldest_at) {
      object["oldest_at"] = FormatTimestamp(*file.stats->oldest_at);
    }
  }
  return object;
}

int ShowStatus(const CommandContext& context) {
  const auto files = ReadSpools(context.settings(), context.clock, context.Within(kStatusBudget));
  if (!files.ok()) {
    return Complain(files.error());
  }
  json::array array;
  std::string text;
  for (const SpoolFileReport& file : *files) {
    array.push_back(StatusJson(file));
    text += StatusText(file, context.clock.Now());
  }
  if (context.json) {
    PrintJson({{"spools", std::move(array)}});
  } else {
    Print(text.empty() ? "no spool in " + context.settings().data_folder + "\n" : text);
  }
  return kExitOk;
}

int Forward(const CommandContext& context, const std::string& file) {
  if (std::error_code failed; !file.empty() && !std::filesystem::exists(file, failed)) {
    return Complain(NotFound("spool: there is no file " + file));
  }
  const auto report =
      ForwardSpools(file, context.settings(), context.clock, context.Within(kForwardBudget));
  if (!report.ok()) {
    return Complain(report.error());
  }
  if (context.json) {
    PrintJson({{"forwarded", report->forwarded},
               {"forgotten", report->forgotten},
               {"refused", report->refused},
               {"held_by_others", report->left}});
  } else {
    Print(std::to_string(report->forwarded) + " turns forwarded, " +
          std::to_string(report->forgotten) + " of users who were forgotten meanwhile, " +
          std::to_string(report->refused) + " refused; " + std::to_string(report->left) +
          " files are held by processes that forward them themselves\n");
  }
  return report->refused == 0 ? kExitOk : kExitFailed;
}

}  // namespace

int RunSpool(const CommandContext& context, const SpoolOptions& options) {
  return options.action == "forward" ? Forward(context, options.file) : ShowStatus(context);
}

}  // namespace umbranet
