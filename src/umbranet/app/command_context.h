// What every command is handed: the settings in force, and how to print.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "umbranet/app/api_client.h"
#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/config/settings.h"

namespace umbranet {

struct CommandContext {
  const Clock& clock;
  LoadedSettings loaded;
  std::string url;    // --url: ask this server and no other.
  bool json = false;  // --json: print what a script would want.
  // Reads the settings again, from where they were read. Never empty.
  std::function<Result<LoadedSettings>()> reload;

  [[nodiscard]] const Settings& settings() const { return loaded.settings; }

  [[nodiscard]] Result<std::unique_ptr<ApiClient>> Connect(bool reflect = true) const {
    return ApiClient::Connect(settings(), {.url = url, .reflect = reflect}, clock);
  }

  [[nodiscard]] Deadline Within(Millis budget) const { return Deadline::After(clock, budget); }
};

}  // namespace umbranet
