#include "umbranet/app/composition_forgetting.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace umbranet {
namespace {

// Where nobody but this process forgets, which looks when it does.
constexpr Millis kEveryAlone = std::chrono::seconds(30);

}  // namespace

ForgettingWatch::Held HeldInMemory(const Backends& backends, MemoryManager& memory,
                                   const std::function<void()>& drop_unnamed) {
  const auto let_go = [&backends, &memory, drop_unnamed](const UserKey& user,
                                                         Deadline deadline) -> Status {
    memory.LetGo(user);
    drop_unnamed();
    for (const Backends::Held& held : backends.held) {
      UMBRANET_RETURN_IF_ERROR(held.let_go(user, deadline));
    }
    return {};
  };
  const auto let_go_of_all = [&backends, &memory, drop_unnamed] {
    memory.LetGoOfAll();
    drop_unnamed();
    for (const Backends::Held& held : backends.held) {
      held.let_go_of_all();
    }
  };
  return {.let_go = let_go, .let_go_of_all = let_go_of_all};
}

ForgettingWatch::Options WatchOptions(const Settings& settings) {
  ForgettingWatch::Options options;
  if (settings.postgres_url.empty()) {
    options.every = kEveryAlone;
  }
  // A question to a model may be asked twice, and its answer is kept.
  const Millis asked = std::chrono::seconds(3 * std::int64_t{settings.reflection_timeout_s});
  options.again_after = std::max(options.again_after, asked);
  return options;
}

}  // namespace umbranet
