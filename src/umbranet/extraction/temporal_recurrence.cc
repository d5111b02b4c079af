#include <array>
#include <utility>

#include "umbranet/extraction/temporal_grammar.h"

namespace umbranet::temporal {
namespace {

TimeExpression SetOf(std::string timex, TimeGranularity granularity,
                     const ReferencePoint& reference) {
  TimeExpression expression;
  expression.kind = TimeExpressionKind::kSet;
  expression.range = RangeOf(reference.ms, reference.ms);
  expression.granularity = granularity;
  expression.timex = std::move(timex);
  return expression;
}

std::string ClockSuffix(const ClockTime& clock, PartOfDay part) {
  const std::int64_t time = SettleClock(clock, part);
  const std::string text = FormatClock(time);
  if (text.ends_with(":00:00")) {
    return 'T' + text.substr(0, 2);
  }
  return 'T' + (text.ends_with(":00") ? text.substr(0, 5) : text);
}

struct Adverb {
  std::string_view word;
  std::string_view timex;
  TimeGranularity granularity;
};

constexpr std::array kAdverbs = {Adverb{"everyday", "P1D", TimeGranularity::kDay},
                                 Adverb{"daily", "P1D", TimeGranularity::kDay},
                                 Adverb{"nightly", "P1D", TimeGranularity::kDay},
                                 Adverb{"weekly", "P1W", TimeGranularity::kWeek},
                                 Adverb{"biweekly", "P2W", TimeGranularity::kWeek},
                                 Adverb{"fortnightly", "P2W", TimeGranularity::kWeek},
                                 Adverb{"monthly", "P1M", TimeGranularity::kMonth},
                                 Adverb{"quarterly", "P3M", TimeGranularity::kQuarter},
                                 Adverb{"yearly", "P1Y", TimeGranularity::kYear},
                                 Adverb{"annually", "P1Y", TimeGranularity::kYear},
                                 Adverb{"hourly", "PT1H", TimeGranularity::kHour}};

struct PrefixedAdverb {
  std::string_view prefix;
  std::string_view word;
  std::string_view timex;
};

constexpr std::array kPrefixedAdverbs = {
    PrefixedAdverb{"bi", "weekly", "P2W"},     PrefixedAdverb{"bi", "monthly", "P2M"},
    PrefixedAdverb{"bi", "annually", "P0.5Y"}, PrefixedAdverb{"semi", "annually", "P0.5Y"},
    PrefixedAdverb{"semi", "weekly", "P0.5W"}, PrefixedAdverb{"semi", "monthly", "P0.5M"}};

MaybeReading<TimeExpression> ReadAdverb(const TokenWindow& w, std::size_t i,
                                        const ReferencePoint& reference) {
  for (const Adverb& adverb : kAdverbs) {
    if (w.Is(i, adverb.word)) {
      return Reading<TimeExpression>{
          SetOf(std::string(adverb.timex), adverb.granularity, reference), i + 1};
    }
  }
  for (const PrefixedAdverb& adverb : kPrefixedAdverbs) {
    if (w.Is(i, adverb.prefix) && w.Is(i + 1, "-") && w.Is(i + 2, adverb.word)) {
      return Reading<TimeExpression>{
          SetOf(std::string(adverb.timex), TimeGranularity::kMonth, reference), i + 3};
    }
  }
  return std::nullopt;
}

// "twice a week", "once every month", "three times a day", "one a day".
MaybeReading<TimeExpression> ReadFrequency(const TokenWindow& w, std::size_t i,
                                           const ReferencePoint& reference) {
  std::size_t at = i;
  if (w.IsAny(at, {"once", "twice"})) {
    ++at;
  } else if (const auto count = ReadCardinal(w, at)) {
    at = count->next;
    if (w.Is(at, "times")) {
      ++at;
    } else if (!w.Is(i, "one")) {
      return std::nullopt;
    }
  } else {
    return std::nullopt;
  }
  if (!w.IsAny(at, {"a", "an", "per", "each", "every"})) {
    return std::nullopt;
  }
  const auto unit = ReadUnit(w, at + 1);
  if (!unit || w.At(at + 1).roles.plural) {
    return std::nullopt;
  }
  Length length;
  length.amounts[length.size++] = unit->value;
  return Reading<TimeExpression>{SetOf(length.Timex(), GranularityOf(unit->value.unit), reference),
                                 unit->next};
}

struct Target {
  std::string timex;
  TimeGranularity granularity = TimeGranularity::kDay;
  PartOfDay part = PartOfDay::kNone;
  bool whole_days = false;  // "every day": a clock time alone says it all
};

std::string WeekdayTimex(int weekday) {
  return "XXXX-WXX-" + std::to_string(weekday + 1);
}

// What recurs: "Tuesday", "two weeks", "other day", "morning", "summer", "May".
MaybeReading<Target> ReadTarget(const TokenWindow& w, std::size_t i) {
  static constexpr std::array<std::string_view, 4> kSeasons = {"SP", "SU", "FA", "WI"};
  Target target;
  std::size_t at = i;
  Length length;
  double count = 1;
  if (w.IsAny(at, {"single", "second", "other", "third", "fourth"})) {
    const bool is_unit =
        w.Is(at, "second") && w.At(at + 1).roles.unit < 0 && w.At(at + 1).roles.weekday < 0;
    if (!is_unit) {
      count = w.IsAny(at, {"other", "second"}) ? 2
              : w.Is(at, "third")              ? 3
              : w.Is(at, "fourth")             ? 4
                                               : 1;
      ++at;
    }
  } else if (const auto number = ReadCardinal(w, at); number && number->value <= 1000) {
    count = number->value;
    at = number->next;
  } else if (w.IsAny(at, {"few", "couple"})) {
    count = w.Is(at, "few") ? 3 : 2;
    at += w.Is(at + 1, "of") ? 2U : 1U;
  }
  const WordRoles& roles = w.At(at).roles;
  if (roles.weekday >= 0) {
    target.timex = WeekdayTimex(roles.weekday);
    std::size_t next = at + 1;
    if (w.At(next).roles.part != PartOfDay::kNone) {
      target.part = w.At(next).roles.part;
      target.timex += TimexOf(target.part);
      ++next;
    }
    return Reading<Target>{target, next};
  }
  if (roles.part != PartOfDay::kNone && roles.part < PartOfDay::kBreakfast) {
    target.part = roles.part;
    target.timex = TimexOf(roles.part);
    target.granularity = TimeGranularity::kPartOfDay;
    return Reading<Target>{target, at + 1};
  }
  if (roles.season >= 0 && !w.Is(at, "fall")) {
    target.timex = kSeasons.at(static_cast<std::size_t>(roles.season));
    target.granularity = TimeGranularity::kSeason;
    return Reading<Target>{target, at + 1};
  }
  if (roles.month > 0) {
    target.timex = "XXXX-" + std::string(roles.month < 10 ? "0" : "") + std::to_string(roles.month);
    target.granularity = TimeGranularity::kMonth;
    return Reading<Target>{target, at + 1};
  }
  const auto unit = ReadUnit(w, at);
  if (!unit) {
    return std::nullopt;
  }
  length.amounts[length.size++] = {unit->value.count * count, unit->value.unit};
  target.timex = length.Timex();
  target.granularity = GranularityOf(unit->value.unit);
  target.whole_days = unit->value.unit == Unit::kDay && count == 1;
  return Reading<Target>{target, unit->next};
}

// The time of day after a recurrence: "at 4pm", "17.30", "morning".
MaybeReading<std::string> ReadSetClock(const TokenWindow& w, std::size_t i, PartOfDay part) {
  std::size_t at = i;
  const bool told = w.IsAny(at, {"at", "@"});
  if (told) {
    ++at;
  }
  if (w.Is(at, "around")) {
    ++at;
  }
  auto clock = ReadClock(w, at);
  if (!clock && told) {
    clock = ReadBareClock(w, at);
  }
  if (!clock) {
    return std::nullopt;
  }
  return Reading<std::string>{ClockSuffix(clock->value, part), clock->next};
}

TimeExpression WithClock(const Target& target, const std::string& clock,
                         const ReferencePoint& reference) {
  const bool replaces = target.whole_days || target.granularity == TimeGranularity::kPartOfDay;
  std::string timex = replaces ? clock : target.timex + clock;
  return SetOf(std::move(timex), target.granularity, reference);
}

MaybeReading<TimeExpression> ReadEvery(const TokenWindow& w, std::size_t i,
                                       const ReferencePoint& reference) {
  const bool any = w.Is(i, "any");
  if (!any && !w.IsAny(i, {"every", "each"})) {
    return std::nullopt;
  }
  const auto target = ReadTarget(w, i + 1);
  if (!target) {
    return std::nullopt;
  }
  // "any day now", "any second": only periods are meant by "any".
  if (any && !w.IsAny(i + 1, {"weekend", "year", "week", "month"})) {
    return std::nullopt;
  }
  if (const auto clock = ReadSetClock(w, target->next, target->value.part)) {
    return Reading<TimeExpression>{WithClock(target->value, clock->value, reference), clock->next};
  }
  return Reading<TimeExpression>{SetOf(target->value.timex, target->value.granularity, reference),
                                 target->next};
}

// "Mondays", "on weekends", "Friday mornings".
MaybeReading<TimeExpression> ReadPlural(const TokenWindow& w, std::size_t i,
                                        const ReferencePoint& reference) {
  std::size_t at = w.Is(i, "on") || w.Is(i, "the") ? i + 1 : i;
  const WordRoles& roles = w.At(at).roles;
  Target target;
  std::size_t next = at + 1;
  if (roles.weekday >= 0) {
    const WordRoles& after = w.At(next).roles;
    const bool mornings = after.part != PartOfDay::kNone && after.plural;
    if (!roles.plural && !mornings) {
      return std::nullopt;
    }
    target.timex = WeekdayTimex(roles.weekday);
    if (after.part != PartOfDay::kNone) {
      target.part = after.part;
      target.timex += TimexOf(target.part);
      ++next;
    }
  } else if (w.IsAny(at, {"weekends", "weekdays"})) {
    const std::string_view before = at == i ? w.Before(i).text : w.At(i).text;
    if (before != "on" && before != "at" && before != "the") {
      return std::nullopt;
    }
    target.timex = w.Is(at, "weekends") ? "XXXX-WXX-WE" : "XXXX-WXX-WD";
  } else {
    return std::nullopt;
  }
  if (const auto clock = ReadSetClock(w, next, target.part)) {
    return Reading<TimeExpression>{WithClock(target, clock->value, reference), clock->next};
  }
  return Reading<TimeExpression>{SetOf(target.timex, target.granularity, reference), next};
}

}  // namespace

MaybeReading<TimeExpression> ReadRecurrence(const TokenWindow& w, std::size_t i,
                                            const ReferencePoint& reference) {
  if (auto every = ReadEvery(w, i, reference)) {
    return every;
  }
  if (auto plural = ReadPlural(w, i, reference)) {
    return plural;
  }
  if (auto adverb = ReadAdverb(w, i, reference)) {
    return adverb;
  }
  if (auto frequency = ReadFrequency(w, i, reference)) {
    return frequency;
  }
  // "3pm each day": the clock first.
  const std::size_t clock_at = w.Is(i, "at") ? i + 1 : i;
  const auto clock = ReadClock(w, clock_at);
  if (!clock) {
    return std::nullopt;
  }
  if (w.IsAny(clock->next, {"every", "each"})) {
    const auto target = ReadTarget(w, clock->next + 1);
    if (!target) {
      return std::nullopt;
    }
    return Reading<TimeExpression>{
        WithClock(target->value, ClockSuffix(clock->value, target->value.part), reference),
        target->next};
  }
  if (w.IsAny(clock->next, {"everyday", "daily"})) {
    return Reading<TimeExpression>{
        SetOf(ClockSuffix(clock->value, PartOfDay::kNone), TimeGranularity::kDay, reference),
        clock->next + 1};
  }
  return std::nullopt;
}

}  // namespace umbranet::temporal
