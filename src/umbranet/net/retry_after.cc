#include "umbranet/net/retry_after.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <vector>

namespace umbranet {
namespace {

constexpr Millis kWaitMax = std::chrono::hours{24};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr int kCentury = 100;

std::string_view Trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) {
    return {};
  }
  return text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(" ,-"), text.size());
    if (end > 0) {
      words.push_back(text.substr(0, end));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

std::optional<int> Number(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) {
    return std::nullopt;
  }
  return number;
}

std::optional<Millis> TimeOfDay(std::string_view text) {
  if (text.size() != 8 || text[2] != ':' || text[5] != ':') {
    return std::nullopt;
  }
  const auto hours = Number(text.substr(0, 2));
  const auto minutes = Number(text.substr(3, 2));
  const auto seconds = Number(text.substr(6, 2));
  // 60 is a leap second.
  if (!hours || !minutes || !seconds || *hours > 23 || *minutes > 59 || *seconds > 60) {
    return std::nullopt;
  }
  return std::chrono::hours{*hours} + std::chrono::minutes{*minutes} +
         std::chrono::seconds{*seconds};
}

// "94" is the year ending so that is nearest to this one.
int WholeYear(std::string_view text, int year, Timestamp now) {
  if (text.size() > 2) {
    return year;
  }
  const std::chrono::year_month_day today{std::chrono::floor<std::chrono::days>(now)};
  const int this_year = static_cast<int>(today.year());
  const int candidate = this_year - this_year % kCentury + year;
  if (candidate > this_year + kCentury / 2) {
    return candidate - kCentury;
  }
  return candidate < this_year - kCentury / 2 ? candidate + kCentury : candidate;
}

}  // namespace

std::optional<Timestamp> ParseHttpDate(std::string_view text, Timestamp now) {
  const std::vector<std::string_view> words = Words(Trim(text));
  if (words.size() < 5 || words.size() > 6) {
    return std::nullopt;
  }
  // asctime puts the month first and the year last, the other two end with GMT.
  const bool asctime = words.size() == 5;
  if (!asctime && words[5] != "GMT") {
    return std::nullopt;
  }
  const auto day = Number(asctime ? words[2] : words[1]);
  const auto month =
      std::find(kMonths.begin(), kMonths.end(), asctime ? words[1] : words[2]) - kMonths.begin();
  const std::string_view year_text = asctime ? words[4] : words[3];
  const auto year = Number(year_text);
  const auto time = TimeOfDay(asctime ? words[3] : words[4]);
  if (!day || !year || !time || month == static_cast<std::ptrdiff_t>(kMonths.size())) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year{WholeYear(year_text, *year, now)},
                                         std::chrono::month{static_cast<unsigned>(month) + 1},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) {
    return std::nullopt;
  }
  return Timestamp{std::chrono::sys_days{date}} + *time;
}

std::optional<Millis> ParseRetryAfter(std::string_view text, Timestamp now) {
  text = Trim(text);
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc() && end == text.data() + text.size() && std::isfinite(seconds)) {
    const double most = std::chrono::duration<double>(kWaitMax).count();
    if (seconds < 0) {
      return std::nullopt;
    }
    return Millis{std::llround(std::min(seconds, most) * 1000)};
  }
  if (const std::optional<Timestamp> at = ParseHttpDate(text, now)) {
    return std::clamp(std::chrono::duration_cast<Millis>(*at - now), Millis{0}, kWaitMax);
  }
  return std::nullopt;
}

}  // namespace umbranet
