#include <cstdint>
#include <optional>
#include <string_view>

#include "umbranet/extraction/temporal_terms.h"

// Clock times and parts of the day.

namespace umbranet::temporal {
namespace {

// After the digits: "am", "p.m.", "a", "ampm". Returns the token after it.
MaybeReading<Meridiem> ReadMeridiem(const TokenWindow& w, std::size_t i) {
  if (w.Is(i, "am")) {
    return Reading<Meridiem>{Meridiem::kAm, i + 1};
  }
  if (w.Is(i, "pm")) {
    return Reading<Meridiem>{Meridiem::kPm, i + 1};
  }
  if (w.Is(i, "ampm")) {
    return Reading<Meridiem>{Meridiem::kUnknown, i + 1};
  }
  if (!w.IsAny(i, {"a", "p"})) {
    return std::nullopt;
  }
  const Meridiem meridiem = w.Is(i, "a") ? Meridiem::kAm : Meridiem::kPm;
  if (w.Is(i + 1, ".") && w.IsGlued(i + 1) && w.Is(i + 2, "m") && w.IsGlued(i + 2)) {
    const bool dotted = w.Is(i + 3, ".") && w.IsGlued(i + 3);
    return Reading<Meridiem>{meridiem, dotted ? i + 4 : i + 3};
  }
  if (w.IsGlued(i)) {
    return Reading<Meridiem>{meridiem, i + 1};
  }
  return std::nullopt;
}

std::optional<ClockTime> MakeClock(int hour, int minute, int second) {
  if (hour < 0 || hour > 24 || minute < 0 || minute > 59 || second < 0 || second > 59) {
    return std::nullopt;
  }
  ClockTime clock;
  clock.hour = hour;
  clock.minute = minute;
  clock.second = second;
  if (hour == 0 || hour > 12) {
    clock.meridiem = Meridiem::kSettled;
  }
  return clock;
}

MaybeReading<ClockTime> Finish(ClockTime clock, const TokenWindow& w, std::size_t next) {
  if (w.Is(next, "oclock")) {
    ++next;
  }
  if (const auto meridiem = ReadMeridiem(w, next)) {
    if (clock.hour > 12 && meridiem->value == Meridiem::kAm) {
      return std::nullopt;
    }
    if (clock.meridiem != Meridiem::kSettled) {
      clock.meridiem = meridiem->value;
    }
    next = meridiem->next;
  }
  return Reading<ClockTime>{clock, next};
}

// "7:30", "7:30:15", "8.30pm", "1140 a.m.", "7pm".
MaybeReading<ClockTime> ReadDigitClock(const TokenWindow& w, std::size_t i) {
  const Token& hour = w.At(i);
  if (hour.kind != TokenKind::kNumber || hour.number < 0) {
    return std::nullopt;
  }
  const bool colon = w.Is(i + 1, ":");
  const bool separated = (colon || w.Is(i + 1, ".")) && w.IsGlued(i + 1) && w.IsGlued(i + 2) &&
                         w.At(i + 2).digits == 2 && hour.digits <= 2;
  if (separated) {
    int second = 0;
    std::size_t next = i + 3;
    if (colon && w.Is(next, ":") && w.IsGlued(next) && w.At(next + 1).digits == 2) {
      second = w.At(next + 1).number;
      next += 2;
    }
    auto clock = MakeClock(hour.number, w.At(i + 2).number, second);
    if (!clock) {
      return std::nullopt;
    }
    if (next > i + 3) {
      clock->granularity = TimeGranularity::kSecond;
    }
    auto finished = Finish(*clock, w, next);
    // "8.30" alone is a decimal number; "8.30pm" and "at 8.30" are times.
    const bool told = colon || (finished && finished->next > next) || w.Before(i).text == "at" ||
                      w.Before(i).text == "-" || w.Before(i).text == "between";
    return told ? finished : std::nullopt;
  }
  if (hour.digits >= 3 && hour.digits <= 4) {
    const auto clock = MakeClock(hour.number / 100, hour.number % 100, 0);
    if (!clock) {
      return std::nullopt;
    }
    const auto meridiem = ReadMeridiem(w, i + 1);
    return meridiem ? Finish(*clock, w, i + 1) : std::nullopt;
  }
  auto clock = hour.digits <= 2 ? MakeClock(hour.number, 0, 0) : std::nullopt;
  if (!clock || hour.number > 24) {
    return std::nullopt;
  }
  const bool meridiem = ReadMeridiem(w, i + 1).has_value();
  if (!meridiem && !w.Is(i + 1, "oclock")) {
    return std::nullopt;
  }
  clock->granularity = TimeGranularity::kHour;
  return Finish(*clock, w, i + 1);
}

// "half past seven", "quarter to nine", "20 min past eight", "ten to six".
MaybeReading<ClockTime> ReadRelativeClock(const TokenWindow& w, std::size_t i) {
  std::size_t at = i;
  int minutes = 0;
  if (w.Is(at, "a") && w.Is(at + 1, "quarter")) {
    ++at;
  }
  if (w.Is(at, "half")) {
    minutes = 30;
    ++at;
  } else if (w.Is(at, "quarter")) {
    minutes = 15;
    ++at;
  } else if (const auto count = ReadCardinal(w, at); count && count->value < 60) {
    minutes = count->value;
    at = count->next;
    if (w.IsAny(at, {"minutes", "minute", "min", "mins"})) {
      ++at;
    }
  } else {
    return std::nullopt;
  }
  const bool past = w.IsAny(at, {"past", "after"});
  if (!past && !w.IsAny(at, {"to", "till"})) {
    return std::nullopt;
  }
  // "two to four people", "5 to 6": only the round minutes of speech count back.
  const bool spoken = w.Is(at - 1, "half") || w.Is(at - 1, "quarter") ||
                      w.IsAny(at - 1, {"minutes", "minute", "min", "mins"});
  if (!past && !spoken) {
    return std::nullopt;
  }
  if (w.Is(at, "after") && !spoken) {
    return std::nullopt;
  }
  const auto hour = ReadCardinal(w, at + 1);
  if (!hour || hour->value < 1 || hour->value > 12) {
    return std::nullopt;
  }
  const int total = past ? hour->value * 60 + minutes : hour->value * 60 - minutes;
  auto clock = MakeClock(total / 60 == 0 ? 12 : total / 60, total % 60, 0);
  return clock ? Finish(*clock, w, hour->next) : std::nullopt;
}

// "six pm", "nine thirty", "five-thirty", "seven o'clock".
MaybeReading<ClockTime> ReadWordClock(const TokenWindow& w, std::size_t i) {
  const int hour = w.At(i).roles.cardinal;
  if (hour < 1 || hour > 12) {
    return std::nullopt;
  }
  std::size_t next = i + 1;
  if (w.Is(next, "-") && w.IsGlued(next)) {
    ++next;
  }
  const auto minutes = w.At(next).kind == TokenKind::kWord ? ReadCardinal(w, next) : std::nullopt;
  if (minutes && minutes->value >= 10 && minutes->value < 60 &&
      w.At(minutes->next).roles.unit < 0 && !w.IsAny(minutes->next, {"hundred", "thousand"})) {
    auto clock = MakeClock(hour, minutes->value, 0);
    return clock ? Finish(*clock, w, minutes->next) : std::nullopt;
  }
  const bool told = w.IsAny(i + 1, {"oclock", "am", "pm"}) ||
                    (w.IsAny(i + 1, {"a", "p"}) && ReadMeridiem(w, i + 1).has_value());
  if (!told) {
    return std::nullopt;
  }
  auto clock = MakeClock(hour, 0, 0);
  if (clock) {
    clock->granularity = TimeGranularity::kHour;
  }
  return clock ? Finish(*clock, w, i + 1) : std::nullopt;
}

MaybeReading<ClockTime> ReadNamedClock(const TokenWindow& w, std::size_t i) {
  std::size_t at = i;
  if (w.Is(at, "12") && w.IsAny(at + 1, {"noon", "midnight", "midday"})) {
    ++at;
  }
  ClockTime clock;
  clock.meridiem = Meridiem::kSettled;
  clock.granularity = TimeGranularity::kHour;
  if (w.IsAny(at, {"noon", "noonish", "midday", "noontime"})) {
    clock.hour = 12;
    clock.approximate = w.Is(at, "noonish");
    return Reading<ClockTime>{clock, at + 1};
  }
  if (w.Is(at, "midnight")) {
    return Reading<ClockTime>{clock, at + 1};
  }
  if (w.AreWords(at, {"mid", "night"})) {
    return Reading<ClockTime>{clock, at + 2};
  }
  return std::nullopt;
}

}  // namespace

MaybeReading<ClockTime> ReadClock(const TokenWindow& w, std::size_t i) {
  for (const auto reader : {ReadRelativeClock, ReadNamedClock, ReadDigitClock, ReadWordClock}) {
    if (auto clock = reader(w, i)) {
      return clock;
    }
  }
  return std::nullopt;
}

MaybeReading<ClockTime> ReadBareClock(const TokenWindow& w, std::size_t i) {
  if (auto told = ReadClock(w, i)) {
    return told;
  }
  const Token& token = w.At(i);
  // "0730" is a time only where one is expected.
  if (token.kind == TokenKind::kNumber && token.digits == 4 && token.number >= 0) {
    if (token.number >= 1900 && token.number < 2100 && token.number % 100 != 30) {
      return std::nullopt;
    }
    const auto clock = MakeClock(token.number / 100, token.number % 100, 0);
    return clock ? std::optional(Reading<ClockTime>{*clock, i + 1}) : std::nullopt;
  }
  const auto hour = token.digits > 2 ? std::nullopt : ReadCardinal(w, i);
  if (!hour || hour->value < 1 || hour->value > 24) {
    return std::nullopt;
  }
  // "2.5", "3%", "10th" and "$5" are no times.
  if (w.IsGlued(hour->next) && !w.IsAny(hour->next, {"-", ",", ".", "?", "!", ")", ";"})) {
    return std::nullopt;
  }
  if (w.Is(hour->next, ".") && w.IsGlued(hour->next) &&
      w.At(hour->next + 1).kind == TokenKind::kNumber && w.IsGlued(hour->next + 1)) {
    return std::nullopt;
  }
  auto clock = MakeClock(hour->value, 0, 0);
  if (clock) {
    clock->granularity = TimeGranularity::kHour;
  }
  return clock ? std::optional(Reading<ClockTime>{*clock, hour->next}) : std::nullopt;
}

MaybeReading<DayPart> ReadDayPart(const TokenWindow& w, std::size_t i) {
  DayPart part;
  std::size_t at = i;
  if (w.IsAny(at, {"early", "earlier"})) {
    part.edge = PartEdge::kEarly;
  }
  if (w.IsAny(at, {"late", "later"})) {
    part.edge = PartEdge::kLate;
  }
  if (part.edge != PartEdge::kWhole) {
    ++at;
    if (w.AreWords(at, {"in", "the"})) {
      at += 2;
    }
    if (w.Is(at, "in")) {
      ++at;
    }
  }
  if (w.AreWords(at, {"night", "-", "time"}) || w.AreWords(at, {"day", "-", "time"})) {
    part.part = w.Is(at, "night") ? PartOfDay::kNightTime : PartOfDay::kDaytime;
    return Reading<DayPart>{part, at + 3};
  }
  part.part = w.At(at).roles.part;
  if (part.part == PartOfDay::kNone) {
    return std::nullopt;
  }
  return Reading<DayPart>{part, at + 1};
}

MsOfDay HoursOf(const DayPart& part) {
  int from = 0;
  int to = 24;
  switch (part.part) {
    case PartOfDay::kMorning:
    case PartOfDay::kBreakfast:
      from = 8;
      to = 12;
      break;
    case PartOfDay::kAfternoon:
      from = 12;
      to = 16;
      break;
    case PartOfDay::kEvening:
    case PartOfDay::kDinner:
      from = 16;
      to = 20;
      break;
    case PartOfDay::kNight:
      from = 20;
      to = 24;
      break;
    case PartOfDay::kDaytime:
      from = 8;
      to = 18;
      break;
    case PartOfDay::kNightTime:
      from = 0;
      to = 8;
      break;
    case PartOfDay::kLunch:
      from = 11;
      to = 13;
      break;
    case PartOfDay::kNone:
      break;
  }
  const int middle = (from + to) / 2;
  if (part.edge == PartEdge::kEarly) {
    to = middle;
  }
  if (part.edge == PartEdge::kLate) {
    from = middle;
  }
  return {from * kMsPerHour, to * kMsPerHour};
}

std::int64_t SettleClock(const ClockTime& clock, PartOfDay part) {
  int hour = clock.hour;
  Meridiem meridiem = clock.meridiem;
  if (meridiem == Meridiem::kUnknown) {
    switch (part) {
      case PartOfDay::kMorning:
      case PartOfDay::kBreakfast:
      case PartOfDay::kNightTime:
        meridiem = Meridiem::kAm;
        break;
      case PartOfDay::kAfternoon:
      case PartOfDay::kEvening:
      case PartOfDay::kDinner:
        meridiem = Meridiem::kPm;
        break;
      case PartOfDay::kLunch:
        meridiem = hour >= 10 && hour != 12 ? Meridiem::kAm : Meridiem::kPm;
        break;
      case PartOfDay::kNight:
        meridiem = hour >= 5 && hour < 12 ? Meridiem::kPm : Meridiem::kAm;
        break;
      case PartOfDay::kDaytime:
      case PartOfDay::kNone:
        // Nobody says "at 3" of the small hours without saying so.
        meridiem = hour >= 7 && hour < 12 ? Meridiem::kAm : Meridiem::kPm;
        break;
    }
  }
  if (meridiem == Meridiem::kAm && hour == 12) {
    hour = 0;
  }
  if (meridiem == Meridiem::kPm && hour < 12) {
    hour += 12;
  }
  return hour * kMsPerHour + clock.minute * kMsPerMinute + clock.second * kMsPerSecond;
}

std::string_view TimexOf(PartOfDay part) {
  switch (part) {
    case PartOfDay::kMorning:
      return "TMO";
    case PartOfDay::kAfternoon:
      return "TAF";
    case PartOfDay::kEvening:
      return "TEV";
    case PartOfDay::kNight:
      return "TNI";
    case PartOfDay::kDaytime:
      return "TDT";
    case PartOfDay::kNightTime:
      return "TNT";
    case PartOfDay::kBreakfast:
      return "TMEB";
    case PartOfDay::kLunch:
      return "TMEL";
    case PartOfDay::kDinner:
      return "TMED";
    case PartOfDay::kNone:
      break;
  }
  return "";
}

}  // namespace umbranet::temporal
