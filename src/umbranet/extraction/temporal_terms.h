#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "umbranet/extraction/civil_calendar.h"
#include "umbranet/extraction/temporal_expressions.h"
#include "umbranet/extraction/temporal_lexer.h"

namespace umbranet::temporal {

// The smallest phrases of the temporal grammar: numbers, years, lengths of time, clock times and
// parts of a day. Every reader takes a token index, looks a bounded number of tokens ahead, and
// returns what it read together with the index after it, or nothing.

template <typename T>
struct Reading {
  T value{};
  std::size_t next = 0;
};

template <typename T>
using MaybeReading = std::optional<Reading<T>>;

// A window on the tokens of one text. Reads beyond the window see an empty token, so that readers
// need no bounds of their own.
class TokenWindow {
 public:
  explicit TokenWindow(std::span<const Token> tokens) : tokens_(tokens), limit_(tokens.size()) {}

  // Closes the window at the next line break after `start`, and at most `width` tokens on.
  void Focus(std::size_t start, std::size_t width);

  [[nodiscard]] const Token& At(std::size_t i) const;
  [[nodiscard]] const Token& Before(std::size_t i) const;

  [[nodiscard]] bool Is(std::size_t i, std::string_view text) const { return At(i).text == text; }

  [[nodiscard]] bool IsAny(std::size_t i, std::initializer_list<std::string_view> texts) const;
  // Whether the words follow each other from `i`.
  [[nodiscard]] bool AreWords(std::size_t i, std::initializer_list<std::string_view> words) const;

  [[nodiscard]] bool IsGlued(std::size_t i) const { return At(i).glued; }

  // Nothing, a symbol, or a word that cannot be a noun that the number before it counts.
  [[nodiscard]] bool EndsNounPhrase(std::size_t i) const;

  [[nodiscard]] std::size_t limit() const { return limit_; }

 private:
  std::span<const Token> tokens_;
  std::size_t limit_;
};

// "25", "twenty five", "a hundred".
[[nodiscard]] MaybeReading<int> ReadCardinal(const TokenWindow& w, std::size_t i);
// "21st", "twenty-first", "third".
[[nodiscard]] MaybeReading<int> ReadOrdinal(const TokenWindow& w, std::size_t i);
// A year in four digits (1500 to 2199) or in words, or two digits after an apostrophe.
[[nodiscard]] MaybeReading<int> ReadYear(const TokenWindow& w, std::size_t i);

struct Amount {
  double count = 0;
  Unit unit = Unit::kDay;
};

// A length of time, at most four amounts: "2 years 1 month".
struct Length {
  std::array<Amount, 4> amounts{};
  std::size_t size = 0;
  bool vague = false;  // "a few days"

  [[nodiscard]] std::int64_t Milliseconds() const;
  [[nodiscard]] std::string Timex() const;
  // Shorter than a day in every amount.
  [[nodiscard]] bool IsClockLength() const;
  [[nodiscard]] Unit Finest() const;
};

[[nodiscard]] MaybeReading<Length> ReadLength(const TokenWindow& w, std::size_t i);
// The unit word at `i` and how many of the unit it stands for.
[[nodiscard]] MaybeReading<Amount> ReadUnit(const TokenWindow& w, std::size_t i);
// `ms` moved by the length, forward (1) or backward (-1); months keep the day of the month.
[[nodiscard]] std::int64_t MoveBy(std::int64_t ms, const Length& length, int sign);

enum class Meridiem : std::uint8_t { kUnknown, kAm, kPm, kSettled };

struct ClockTime {
  int hour = 0;  // 0 to 24
  int minute = 0;
  int second = 0;
  Meridiem meridiem = Meridiem::kUnknown;
  bool approximate = false;
  TimeGranularity granularity = TimeGranularity::kMinute;
};

// A clock time that says so itself: "8am", "7:30", "half past seven", "noon", "six o'clock".
[[nodiscard]] MaybeReading<ClockTime> ReadClock(const TokenWindow& w, std::size_t i);
// A number that is a clock time when the context asks for one: "at 5", "between 10 and 11".
[[nodiscard]] MaybeReading<ClockTime> ReadBareClock(const TokenWindow& w, std::size_t i);

enum class PartEdge : std::uint8_t { kWhole, kEarly, kLate };

struct DayPart {
  PartOfDay part = PartOfDay::kNone;
  PartEdge edge = PartEdge::kWhole;
};

// "morning", "early morning", "late in the evening". The caller asks for the words around it.
[[nodiscard]] MaybeReading<DayPart> ReadDayPart(const TokenWindow& w, std::size_t i);

struct MsOfDay {
  std::int64_t start = 0;
  std::int64_t end = 0;
};

// The conventional hours of a part of the day: morning 8 to 12, afternoon 12 to 16, evening 16 to
// 20, night 20 to 24; "early" and "late" are its halves.
[[nodiscard]] MsOfDay HoursOf(const DayPart& part);
// The hour of the clock once the part of the day (or, without one, waking hours) has settled
// whether it is before or after noon.
[[nodiscard]] std::int64_t SettleClock(const ClockTime& clock, PartOfDay part);
[[nodiscard]] std::string_view TimexOf(PartOfDay part);
[[nodiscard]] TimeGranularity GranularityOf(Unit unit);

}  // namespace umbranet::temporal
