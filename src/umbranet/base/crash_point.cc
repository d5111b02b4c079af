#include "umbranet/base/crash_point.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <unistd.h>

#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"

namespace umbranet {
namespace {

constexpr std::array<std::string_view, 25> kNames = {
    "accept.before_commit",    "accept.after_commit",  "accept.after_ring",
    "spool.after_commit",      "forward.after_accept", "forward.after_mark",
    "publish.after_send",      "consume.before_take",  "consume.before_ack",
    "claim.after_commit",      "plan.before_save",     "plan.after_save",
    "tier.before_apply",       "tier.after_apply",     "progress.after_commit",
    "settle.before_commit",    "settle.after_commit",  "rebuild.after_announce",
    "rebuild.after_prepare",   "rebuild.after_room",   "rebuild.after_align",
    "rebuild.after_swap",      "rebuild.after_retain", "facts.before_pass_on",
    "consolidate.before_save",
};

enum class Action : std::uint8_t { kKill, kStop, kDelay, kError };

struct Arming {
  std::string name;
  std::uint32_t passings_left = 0;
  Action action = Action::kKill;
  std::chrono::milliseconds delay{0};
};

Mutex& ArmingMutex() {
  static Mutex mutex;
  return mutex;
}

std::optional<Arming>& TheArming() {
  static std::optional<Arming> arming;
  return arming;
}

Error Malformed() {
  return InvalidArgument(
      "crash: UMBRANET_CRASH is POINT:N:kill, stop, delay=MS or error; POINT is one of those in"
      " base/crash_point.cc, N counts from 1");
}

bool ReadNumber(std::string_view text, std::uint32_t& number) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failed == std::errc() && end == text.data() + text.size();
}

bool ReadAction(std::string_view text, Arming& arming) {
  constexpr std::string_view kDelay = "delay=";
  if (text.starts_with(kDelay)) {
    std::uint32_t delay_ms = 0;
    arming.action = Action::kDelay;
    const bool read = ReadNumber(text.substr(kDelay.size()), delay_ms);
    arming.delay = std::chrono::milliseconds(delay_ms);
    return read;
  }
  arming.action = text == "stop" ? Action::kStop : text == "error" ? Action::kError : Action::kKill;
  return text == "kill" || text == "stop" || text == "error";
}

// Nobody ends this early.
void Wait(std::chrono::milliseconds delay) {
  Mutex mutex;
  ConditionVariable over;
  const SteadyTime until = SystemClock{}.SteadyNow() + delay;
  const MutexLock lock(mutex);
  while (SystemClock{}.SteadyNow() < until) {
    over.WaitUntil(mutex, until);
  }
}

// The arming when this is the passing that it was made for.
std::optional<Arming> TakeArming(std::string_view name) {
  const MutexLock lock(ArmingMutex());
  std::optional<Arming>& arming = TheArming();
  if (!arming || arming->name != name || --arming->passings_left > 0) {
    return std::nullopt;
  }
  crash_point::armed.store(false);
  return std::exchange(arming, std::nullopt);
}

}  // namespace

std::span<const std::string_view> CrashPointNames() {
  return kNames;
}

Status ArmCrashPoint(std::string_view text) {
  std::optional<Arming> arming;
  if (!text.empty()) {
    const std::size_t first = text.find(':');
    const std::size_t second = first == std::string_view::npos ? first : text.find(':', first + 1);
    if (second == std::string_view::npos) {
      return Malformed();
    }
    arming.emplace();
    arming->name = text.substr(0, first);
    if (std::find(kNames.begin(), kNames.end(), arming->name) == kNames.end() ||
        !ReadNumber(text.substr(first + 1, second - first - 1), arming->passings_left) ||
        arming->passings_left == 0 || !ReadAction(text.substr(second + 1), *arming)) {
      return Malformed();
    }
  }
  const MutexLock lock(ArmingMutex());
  TheArming() = std::move(arming);
  crash_point::armed.store(TheArming().has_value());
  return {};
}

namespace crash_point {

std::atomic<bool> armed{false};

Status Reach(std::string_view name) {
  const std::optional<Arming> arming = TakeArming(name);
  if (!arming) {
    return {};
  }
  switch (arming->action) {
    case Action::kKill:
      kill(getpid(), SIGKILL);
      break;
    case Action::kStop:
      kill(getpid(), SIGSTOP);
      break;
    case Action::kDelay:
      Wait(arming->delay);
      break;
    case Action::kError:
      return Unavailable("crash: made to fail at " + arming->name);
  }
  return {};
}

}  // namespace crash_point

}  // namespace umbranet
