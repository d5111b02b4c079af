#include <iostream>

#include <unistd.h>

#include "umbranet/app/commands/commands.h"
#include "umbranet/app/exit_code.h"
#include "umbranet/app/terminal.h"

namespace umbranet {
namespace {

// True when the person at the terminal types the user's name; a script must say --yes.
bool Confirmed(const std::string& user) {
  if (isatty(STDIN_FILENO) == 0) {
    std::cerr << "umbranet: forgetting cannot be undone; add --yes\n";
    return false;
  }
  std::cerr << "This removes everything held on \"" << Printable(user)
            << "\" and cannot be undone.\nType the user's name to go on: " << std::flush;
  std::string typed;
  std::getline(std::cin, typed);
  if (typed != user) {
    std::cerr << "umbranet: nothing was removed\n";
    return false;
  }
  return true;
}

}  // namespace

int RunForget(const CommandContext& context, const ForgetOptions& options) {
  if (options.user.empty() == options.memory_id.empty()) {
    return Complain(InvalidArgument("forget: name either --user or --memory"));
  }
  if (!options.user.empty() && !options.yes && !Confirmed(options.user)) {
    return kExitUsage;
  }
  auto client = context.Connect(false);
  if (!client.ok()) {
    return Complain(client.error());
  }
  const std::string path = options.user.empty() ? "/v1/memories/" + PathSegment(options.memory_id)
                                                : "/v1/users/" + PathSegment(options.user);
  const auto answer =
      (*client)->Call("DELETE", path, std::nullopt, context.Within(Millis{300'000}));
  if (!answer.ok()) {
    return Complain(answer.error());
  }
  if (context.json) {
    PrintJson(*answer);
  } else if (!options.memory_id.empty()) {
    Print("forgotten\n");
  } else {
    Print("forgotten: " + std::to_string(NumberOf(*answer, "queued_jobs_cancelled")) +
          " waiting jobs cancelled\n");
    if (const auto* deleted = answer->if_contains("deleted"); deleted && deleted->is_object()) {
      for (const auto& [tier, count] : deleted->get_object()) {
        Print("  " + std::string(tier) + ": " +
              std::to_string(NumberOf(deleted->get_object(), tier)) + "\n");
      }
    }
  }
  return kExitOk;
}

}  // namespace umbranet
