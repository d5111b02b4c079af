// The log: one event name and key=value fields a line, on standard error. Ids and counts, never the
// text of a message, never a secret.
//
// A line that comes too often is held back: of each event, `burst` lines a window are written, and
// the first one after that says how many were suppressed between. Debug lines are never held back,
// since who asks for them wants them all.
//
// All methods may be called from any thread; none throws, and none fails its caller.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/base/result.h"

namespace umbranet {

enum class LogLevel : std::uint8_t { kDebug = 0, kInfo = 1, kWarning = 2, kError = 3, kOff = 4 };
enum class LogFormat : std::uint8_t { kLogfmt, kJson };

std::string_view LogLevelName(LogLevel level);  // debug, info, warning, error, off
std::optional<LogLevel> ParseLogLevel(std::string_view name);
std::optional<LogFormat> ParseLogFormat(std::string_view name);  // logfmt, json

// A view: it must not outlive the call that it is made for.
struct LogField {
  using Value = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;

  template <typename T>
  LogField(std::string_view field_name, const T& field_value)
      : name(field_name), value(ToValue(field_value)) {}

  std::string_view name;  // snake_case, with the unit last: "elapsed_ms"
  Value value;

 private:
  template <typename T>
  static Value ToValue(const T& field_value) {
    if constexpr (std::is_same_v<T, bool>) {
      return field_value;
    } else if constexpr (std::is_floating_point_v<T>) {
      return static_cast<double>(field_value);
    } else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
      return static_cast<std::int64_t>(field_value);
    } else if constexpr (std::is_integral_v<T>) {
      return static_cast<std::uint64_t>(field_value);
    } else {
      return std::string_view(field_value);
    }
  }
};

class StructuredLog {
 public:
  struct Options {
    LogLevel level = LogLevel::kInfo;  // This and worse.
    LogFormat format = LogFormat::kLogfmt;
    std::size_t burst = 20;  // Lines of one event in one window.
    Millis window{10'000};
    std::size_t value_bytes_max = 1024;  // Longer values are cut.
    // Where finished lines go, without their line end; calls do not overlap. Empty: standard error.
    std::function<void(std::string_view line)> sink = {};
  };

  using Fields = std::initializer_list<LogField>;

  StructuredLog(const Clock& clock, Options options);
  // Says what was still held back.
  ~StructuredLog();
  StructuredLog(const StructuredLog&) = delete;
  StructuredLog& operator=(const StructuredLog&) = delete;

  // `event` is a literal in snake_case: "batch_settled".
  void Debug(std::string_view event, Fields fields = {}) noexcept;
  void Info(std::string_view event, Fields fields = {}) noexcept;
  void Warning(std::string_view event, Fields fields = {}) noexcept;
  void Error(std::string_view event, Fields fields = {}) noexcept;

  // True when such a line would be written: spares the making of costly fields.
  [[nodiscard]] bool Enabled(LogLevel level) const noexcept { return level >= options_.level; }

  // Writes out everything that is buffered, and one line for each event that was held back.
  void Flush() noexcept;

 private:
  struct Output;

  struct Repeats {
    SteadyTime window_start{};
    std::size_t written = 0;
    std::uint64_t suppressed = 0;
  };

  void Write(LogLevel level, std::string_view event, Fields fields) noexcept;
  // How many lines were suppressed since the last; nothing when this one is to be.
  std::optional<std::uint64_t> Admit(std::string_view event) EXCLUDES(mutex_);
  [[nodiscard]] std::string Format(LogLevel level, std::string_view event, Fields fields,
                                   std::uint64_t suppressed) const;

  const Clock& clock_;
  const Options options_;
  const std::unique_ptr<Output> output_;
  Mutex mutex_;
  std::map<std::string, Repeats, std::less<>> repeats_ GUARDED_BY(mutex_);
};

}  // namespace umbranet
