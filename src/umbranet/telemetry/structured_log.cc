#include "umbranet/telemetry/structured_log.h"

#include <array>
#include <charconv>
#include <cmath>
#include <exception>
#include <mutex>
#include <utility>
#include <vector>

#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "umbranet/base/utf8.h"

namespace umbranet {
namespace {

// Event names are literals, so there are few. Should something name events after data all the same,
// the rest shares one entry rather than growing the table.
constexpr std::size_t kEventsMax = 512;
constexpr std::string_view kOtherEvents = "(other)";

class FunctionSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit FunctionSink(std::function<void(std::string_view)> function)
      : function_(std::move(function)) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    function_({message.payload.data(), message.payload.size()});
  }

  void flush_() override {}

 private:
  const std::function<void(std::string_view)> function_;
};

spdlog::level::level_enum SpdlogLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
    case LogLevel::kOff:
      break;
  }
  return spdlog::level::off;
}

// The JSON escapes of RFC 8259, which logfmt readers understand as well. Bytes that are not UTF-8
// become U+FFFD, one each, so that one bad value cannot make a line unreadable.
void AppendQuoted(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  const bool valid = IsValidUtf8(text);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\u00";
      out += kHex[byte >> 4U];
      out += kHex[byte & 0x0fU];
    } else if (byte >= 0x80 && !valid) {
      out += "\xEF\xBF\xBD";
    } else {
      out += c;
    }
  }
  out += '"';
}

bool IsBareWord(std::string_view text) {
  if (text.empty()) {
    return false;
  }
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f || c == '"' || c == '=' || c == '\\') {
      return false;
    }
  }
  return true;
}

template <typename Number>
void AppendNumber(std::string& out, Number number) {
  std::array<char, 40> text{};
  std::to_chars_result end{};
  if constexpr (std::is_floating_point_v<Number>) {
    // Three decimals of a millisecond are as much as anybody reads.
    end = std::abs(number) < 1e15 ? std::to_chars(text.data(), text.data() + text.size(), number,
                                                  std::chars_format::fixed, 3)
                                  : std::to_chars(text.data(), text.data() + text.size(), number);
  } else {
    end = std::to_chars(text.data(), text.data() + text.size(), number);
  }
  out.append(text.data(), static_cast<std::size_t>(end.ptr - text.data()));
}

void AppendText(std::string& out, std::string_view text, LogFormat format) {
  if (format == LogFormat::kLogfmt && IsBareWord(text)) {
    out += text;
  } else {
    AppendQuoted(out, text);
  }
}

void AppendName(std::string& out, std::string_view name, LogFormat format) {
  if (format == LogFormat::kLogfmt) {
    if (!out.empty()) {
      out += ' ';
    }
    out += name;
    out += '=';
  } else {
    out += out.empty() ? '{' : ',';
    AppendQuoted(out, name);
    out += ':';
  }
}

}  // namespace

struct StructuredLog::Output {
  spdlog::logger logger;
};

std::string_view LogLevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
    case LogLevel::kOff:
      break;
  }
  return "off";
}

std::optional<LogLevel> ParseLogLevel(std::string_view name) {
  for (const LogLevel level :
       {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning, LogLevel::kError, LogLevel::kOff}) {
    if (name == LogLevelName(level)) {
      return level;
    }
  }
  return std::nullopt;
}

std::optional<LogFormat> ParseLogFormat(std::string_view name) {
  if (name == "logfmt") {
    return LogFormat::kLogfmt;
  }
  if (name == "json") {
    return LogFormat::kJson;
  }
  return std::nullopt;
}

StructuredLog::StructuredLog(const Clock& clock, Options options)
    : clock_(clock), options_(std::move(options)), output_([this]() -> std::unique_ptr<Output> {
        spdlog::sink_ptr sink;
        if (options_.sink) {
          sink = std::make_shared<FunctionSink>(options_.sink);
        } else {
          sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
        }
        auto output = std::unique_ptr<Output>(new Output{spdlog::logger("umbranet", sink)});
        output->logger.set_level(spdlog::level::trace);
        output->logger.set_pattern("%v");
        output->logger.flush_on(spdlog::level::warn);
        return output;
      }()) {}

StructuredLog::~StructuredLog() {
  Flush();
}

void StructuredLog::Debug(std::string_view event, Fields fields) noexcept {
  Write(LogLevel::kDebug, event, fields);
}

void StructuredLog::Info(std::string_view event, Fields fields) noexcept {
  Write(LogLevel::kInfo, event, fields);
}

void StructuredLog::Warning(std::string_view event, Fields fields) noexcept {
  Write(LogLevel::kWarning, event, fields);
}

void StructuredLog::Error(std::string_view event, Fields fields) noexcept {
  Write(LogLevel::kError, event, fields);
}

void StructuredLog::Write(LogLevel level, std::string_view event, Fields fields) noexcept {
  if (!Enabled(level)) {
    return;
  }
  try {
    const auto suppressed =
        level == LogLevel::kDebug ? std::optional<std::uint64_t>(0) : Admit(event);
    if (suppressed) {
      output_->logger.log(SpdlogLevel(level),
                          spdlog::string_view_t(Format(level, event, fields, *suppressed)));
    }
  } catch (const std::exception&) {
    // Out of memory, or a closed standard error: there is nobody left to tell.
  }
}

std::optional<std::uint64_t> StructuredLog::Admit(std::string_view event) {
  MutexLock lock(mutex_);
  auto found = repeats_.find(event);
  if (found == repeats_.end()) {
    const bool full = repeats_.size() >= kEventsMax;
    found = repeats_.try_emplace(std::string(full ? kOtherEvents : event)).first;
  }
  Repeats& repeats = found->second;
  const SteadyTime now = clock_.SteadyNow();
  if (repeats.written == 0 || now - repeats.window_start >= options_.window) {
    repeats.window_start = now;
    repeats.written = 0;
  }
  if (repeats.written >= options_.burst) {
    ++repeats.suppressed;
    return std::nullopt;
  }
  ++repeats.written;
  return std::exchange(repeats.suppressed, 0);
}

std::string StructuredLog::Format(LogLevel level, std::string_view event, Fields fields,
                                  std::uint64_t suppressed) const {
  const LogFormat format = options_.format;
  std::string out;
  out.reserve(128);
  AppendName(out, "ts", format);
  AppendText(out, FormatTimestamp(clock_.Now()), format);
  AppendName(out, "level", format);
  AppendText(out, LogLevelName(level), format);
  AppendName(out, "event", format);
  AppendText(out, event, format);
  for (const LogField& field : fields) {
    AppendName(out, field.name, format);
    if (const auto* text = std::get_if<std::string_view>(&field.value)) {
      AppendText(out, TruncateUtf8(*text, options_.value_bytes_max), format);
    } else if (const auto* truth = std::get_if<bool>(&field.value)) {
      out += *truth ? "true" : "false";
    } else if (const auto* whole = std::get_if<std::int64_t>(&field.value)) {
      AppendNumber(out, *whole);
    } else if (const auto* natural = std::get_if<std::uint64_t>(&field.value)) {
      AppendNumber(out, *natural);
    } else if (const double real = std::get<double>(field.value); std::isfinite(real)) {
      AppendNumber(out, real);
    } else {
      out += "null";
    }
  }
  if (suppressed > 0) {
    AppendName(out, "suppressed", format);
    AppendNumber(out, suppressed);
  }
  if (format == LogFormat::kJson) {
    out += '}';
  }
  return out;
}

void StructuredLog::Flush() noexcept {
  try {
    std::vector<std::pair<std::string, std::uint64_t>> held_back;
    {
      MutexLock lock(mutex_);
      for (auto& [event, repeats] : repeats_) {
        if (repeats.suppressed > 0) {
          held_back.emplace_back(event, std::exchange(repeats.suppressed, 0));
        }
      }
    }
    for (const auto& [event, count] : held_back) {
      output_->logger.log(
          spdlog::level::info,
          spdlog::string_view_t(Format(LogLevel::kInfo, "log_lines_suppressed",
                                       {{"of_event", event}, {"suppressed_lines", count}}, 0)));
    }
    output_->logger.flush();
  } catch (const std::exception&) {
    // As in Write.
  }
}

}  // namespace umbranet
