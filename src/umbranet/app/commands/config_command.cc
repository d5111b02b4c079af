#include <boost/json/array.hpp>

#include "umbranet/app/build_version.h"
#include "umbranet/app/commands/commands.h"
#include "umbranet/app/exit_code.h"
#include "umbranet/app/terminal.h"

namespace umbranet {

int RunConfig(const CommandContext& context, const ConfigOptions& options) {
  if (options.reference) {
    Print(SettingsReference());
    return kExitOk;
  }
  boost::json::array entries;
  std::string text;
  std::size_t index = 0;
  for (const SettingSpec& spec : AllSettings()) {
    std::string value = spec.show(context.settings());
    if (spec.secret && !value.empty()) {
      value = "********";
    }
    const std::string& from = context.loaded.sources[index++].from;
    entries.push_back({{"name", spec.name}, {"value", value}, {"from", from}});
    text += spec.name + "=" + value + "  # " + from + "\n";
  }
  if (context.json) {
    PrintJson({{"settings", entries}});
  } else {
    Print(text);
  }
  return kExitOk;
}

int RunVersion(const CommandContext& context) {
  if (context.json) {
    PrintJson({{"version", kVersion}, {"commit", kCommit}});
  } else {
    Print("umbranet " + std::string(kVersion) + " (" + std::string(kCommit) + ")\n");
  }
  return kExitOk;
}

}  // namespace umbranet
