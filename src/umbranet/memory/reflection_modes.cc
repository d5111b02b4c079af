#include "umbranet/memory/reflection_modes.h"

#include "umbranet/base/unique_id.h"

namespace umbranet {

std::uint32_t ModePercentile(const UserKey& user) {
  // Not std::hash, which may differ between two builds.
  const std::string digest = NameUuidV5({"mode", user.tenant, user.user_id});
  std::uint32_t value = 0;
  for (const char c : digest.substr(0, 8)) {
    const auto digit = static_cast<std::uint32_t>(c <= '9' ? c - '0' : c - 'a' + 10);
    value = value * 16 + digit;
  }
  return value % 100;
}

ReflectionModes ModeSwitch::Get() const {
  const MutexLock lock(mutex_);
  return modes_;
}

bool ModeSwitch::Set(const ReflectionModes& modes, std::string_view by) {
  const MutexLock one_at_a_time(changing_);
  {
    const MutexLock lock(mutex_);
    if (modes_ == modes) {
      return false;
    }
    modes_ = modes;
  }
  for (const Listener& listener : listeners_) {
    listener(modes, by);
  }
  return true;
}

RunMode ModeSwitch::ModeOf(const UserKey& user) const {
  const ReflectionModes modes = Get();
  const bool fast =
      modes.fast && (modes.fast_percent >= 100 || ModePercentile(user) < modes.fast_percent);
  return fast ? RunMode::kBackground : RunMode::kInline;
}

}  // namespace umbranet
