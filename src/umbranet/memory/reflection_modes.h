// How turns are reflected, by switches that may be turned while the program runs:
//
//   fast  queue  a turn
//   on    on     is answered at once; whoever has workers reflects it
//   on    off    is answered at once; the workers of this process reflect it
//   off   off    is reflected by the request itself, and answered then
//   off   on     is answered once a worker has reflected it, or the wait is over
//
// What a switch decides is decided once for a turn, when it is accepted, and written into its job.
// A job is there in every case and any worker may take it, so turning a switch can neither lose a
// turn nor have it applied twice. `fast_percent` is the share of users for whom `fast` counts; who
// is among them depends on the user alone.
//
// All methods may be called from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "umbranet/base/mutex.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/domain/reflection_job.h"

namespace umbranet {

struct ReflectionModes {
  bool fast = true;
  bool queue = true;
  std::uint32_t fast_percent = 100;  // 0 to 100

  bool operator==(const ReflectionModes&) const = default;
};

// 0 to 99, the same for a user on every machine and in every run.
std::uint32_t ModePercentile(const UserKey& user);

class ModeSwitch {
 public:
  // Told of every change, on the thread that makes it, one at a time. `by`: who turned it.
  using Listener = std::function<void(const ReflectionModes& now, std::string_view by)>;

  explicit ModeSwitch(ReflectionModes modes) : modes_(modes) {}

  // Before any other thread knows of the switch.
  void Tell(Listener listener) { listeners_.push_back(std::move(listener)); }

  [[nodiscard]] ReflectionModes Get() const;
  // False: nothing changed, and nobody was told.
  bool Set(const ReflectionModes& modes, std::string_view by);

  // Of a turn of this user that is accepted now.
  [[nodiscard]] RunMode ModeOf(const UserKey& user) const;

 private:
  mutable Mutex mutex_;
  ReflectionModes modes_ GUARDED_BY(mutex_);
  Mutex changing_;  // Held while listeners are told.
  std::vector<Listener> listeners_;
};

}  // namespace umbranet
