#include "umbranet/extraction/temporal_grammar.h"

#include <algorithm>
#include <array>
#include <utility>

namespace umbranet::temporal {
namespace {

constexpr std::size_t kWindow = 32;

TimeExpression FromPlaced(Placed placed) {
  TimeExpression expression;
  expression.range = RangeOf(placed.start_ms, placed.end_ms);
  expression.granularity = placed.granularity;
  expression.kind = placed.kind;
  expression.approximate = placed.approximate;
  expression.timex = std::move(placed.timex);
  return expression;
}

enum class Opening : std::uint8_t { kSince, kAfter, kBefore, kUntil };

MaybeReading<Opening> ReadOpening(const TokenWindow& w, std::size_t i) {
  const auto opening = [](Opening value, std::size_t next) {
    return Reading<Opening>{value, next};
  };
  if (w.Is(i, "since")) {
    return opening(Opening::kSince, i + 1);
  }
  if (w.IsAny(i, {"starting", "beginning"})) {
    const bool joined = w.IsAny(i + 1, {"on", "from", "in", "at"});
    if (w.Is(i + 1, "of")) {
      return std::nullopt;
    }
    return opening(Opening::kSince, joined ? i + 2 : i + 1);
  }
  if (w.AreWords(i, {"as", "early", "as"})) {
    return opening(Opening::kSince, i + 3);
  }
  if (w.AreWords(i, {"as", "late", "as"})) {
    return opening(Opening::kUntil, i + 3);
  }
  if (w.AreWords(i, {"no", "later", "than"})) {
    return opening(Opening::kUntil, i + 3);
  }
  if (w.AreWords(i, {"later", "than"})) {
    return opening(Opening::kAfter, i + 2);
  }
  if (w.AreWords(i, {"earlier", "than"})) {
    return opening(Opening::kBefore, i + 2);
  }
  if (w.AreWords(i, {"prior", "to"})) {
    return opening(Opening::kBefore, i + 2);
  }
  if (w.AreWords(i, {">", "="})) {
    return opening(Opening::kSince, i + 2);
  }
  if (w.Is(i, "after")) {
    return opening(Opening::kAfter, i + 1);
  }
  if (w.Is(i, "before")) {
    return opening(Opening::kBefore, i + 1);
  }
  if (w.IsAny(i, {"until", "till"})) {
    return opening(Opening::kUntil, i + 1);
  }
  if (w.Is(i, "by")) {
    return opening(Opening::kUntil, i + 1);
  }
  return std::nullopt;
}

TimeExpression Opened(Opening opening, const Placed& placed, bool clock) {
  TimeExpression expression;
  expression.kind = TimeExpressionKind::kRange;
  expression.granularity = placed.granularity;
  expression.approximate = placed.approximate;
  switch (opening) {
    case Opening::kSince:
      expression.range = {FromUnixMillis(placed.start_ms), kOpenEnd};
      break;
    case Opening::kAfter:
      expression.range = {FromUnixMillis(clock ? placed.start_ms : placed.end_ms), kOpenEnd};
      break;
    case Opening::kBefore:
      expression.range = {kOpenStart, FromUnixMillis(placed.start_ms)};
      break;
    case Opening::kUntil:
      expression.range = {kOpenStart, FromUnixMillis(clock ? placed.start_ms : placed.end_ms)};
      break;
  }
  const bool forward = opening == Opening::kSince || opening == Opening::kAfter;
  expression.timex = forward ? '(' + placed.timex + ",)" : "(," + placed.timex + ')';
  return expression;
}

// "since 2016", "before 4pm", "by Friday", "tomorrow after 5", "2012 or later".
MaybeReading<TimeExpression> ReadOpenRange(const TokenWindow& w, std::size_t i, Direction direction,
                                           const ReferencePoint& reference) {
  auto opening = ReadOpening(w, i);
  MaybeReading<Point> date;
  if (!opening) {
    // The date first, its limit after it.
    date = ReadPoint(w, i, direction, reference);
    if (!date || date->value.now) {
      return std::nullopt;
    }
    if (w.IsAny(date->next, {"or", "and"}) && w.IsAny(date->next + 1, {"later", "after"}) &&
        (w.Is(date->next + 1, "later") || w.EndsNounPhrase(date->next + 2))) {
      std::size_t next = date->next + 2;
      Point point = date->value;
      if (w.Is(next, "on")) {
        if (auto day = ReadDate(w, next + 1, direction, reference, 0); day && !point.date) {
          point.date = std::move(day->value);
          next = day->next;
        }
      }
      const auto placed = PlacePoint(point, direction, reference);
      if (!placed || w.Is(date->next + 1, "after")) {
        return std::nullopt;
      }
      return Reading<TimeExpression>{Opened(Opening::kSince, *placed, true), next};
    }
    if (!date->value.date || !date->value.date->IsSingleDay() || date->value.clock) {
      return std::nullopt;
    }
    opening = ReadOpening(w, date->next);
    if (!opening || opening->value == Opening::kSince) {
      return std::nullopt;
    }
  }
  auto point = ReadPoint(w, opening->next, direction, reference);
  if (!point && date) {
    if (const auto bare = ReadBareClock(w, opening->next)) {
      Point clock;
      clock.clock = bare->value;
      point = Reading<Point>{clock, bare->next};
      if (w.AreWords(bare->next, {"in", "the"})) {
        if (const auto part = ReadDayPart(w, bare->next + 2)) {
          point->value.part = part->value;
          point->next = part->next;
        }
      }
    }
  }
  // "before lunch": only after a word of order is a meal a time.
  if (!point && !date) {
    if (const auto part = ReadDayPart(w, opening->next);
        part && (opening->value == Opening::kBefore || opening->value == Opening::kAfter) &&
        !w.At(opening->next).roles.plural && part->value.part >= PartOfDay::kBreakfast &&
        (w.EndsNounPhrase(part->next) || part->next >= w.limit() ||
         ReadDate(w, part->next, direction, reference, 0))) {
      Point meal;
      meal.part = part->value;
      point = Reading<Point>{meal, part->next};
    }
  }
  if (!point || point->value.now) {
    return std::nullopt;
  }
  if (date) {
    if (point->value.date || !point->value.clock) {
      return std::nullopt;
    }
    point->value.date = date->value.date;
  }
  const auto placed = PlacePoint(point->value, direction, reference);
  if (!placed) {
    return std::nullopt;
  }
  // "before the end of the year" lasts until its end, "after the start" from its start.
  const std::size_t edge_at = w.Is(opening->next, "the") ? opening->next + 1 : opening->next;
  Opening meant = opening->value;
  if (meant == Opening::kBefore && w.Is(edge_at, "end")) {
    meant = Opening::kUntil;
  }
  if (meant == Opening::kAfter && w.IsAny(edge_at, {"beginning", "start"})) {
    meant = Opening::kSince;
  }
  const bool clock = point->value.clock.has_value();
  return Reading<TimeExpression>{Opened(meant, *placed, clock), point->next};
}

// "from 10 am for 3 hours", "for 2 hours from 9", "3 days starting from next Monday".
MaybeReading<TimeExpression> ReadLengthRange(const TokenWindow& w, std::size_t i,
                                             Direction direction, const ReferencePoint& reference) {
  const auto span_of = [&](const Point& point, const Length& length,
                           std::size_t next) -> MaybeReading<TimeExpression> {
    const auto placed = PlacePoint(point, direction, reference);
    if (!placed) {
      return std::nullopt;
    }
    TimeExpression expression;
    expression.kind = TimeExpressionKind::kRange;
    const std::int64_t end = MoveBy(placed->start_ms, length, 1);
    expression.range = RangeOf(placed->start_ms, end);
    expression.granularity = std::min(placed->granularity, GranularityOf(length.Finest()));
    expression.approximate = placed->approximate || length.vague;
    expression.timex = '(' + placed->timex + ',' + FormatDay(DayOfMs(end)) + 'T' +
                       FormatClock(end - ToMs(DayOfMs(end))) + ',' + length.Timex() + ')';
    return Reading<TimeExpression>{std::move(expression), next};
  };
  const std::size_t length_at = w.Is(i, "for") ? i + 1 : i;
  if (const auto length = ReadLength(w, length_at)) {
    std::size_t at = length->next;
    if (w.Is(at, ",")) {
      ++at;
    }
    const bool starting = w.IsAny(at, {"starting", "beginning"});
    if (starting) {
      ++at;
    }
    const bool from = w.IsAny(at, {"from", "on", "at"});
    if (!starting && !w.Is(at, "from")) {
      return std::nullopt;
    }
    if (from) {
      ++at;
    }
    auto point = ReadPoint(w, at, direction, reference);
    if (!point && length->value.IsClockLength()) {
      if (const auto bare = ReadBareClock(w, at)) {
        Point clock;
        clock.clock = bare->value;
        point = Reading<Point>{clock, bare->next};
      }
    }
    if (!point || point->value.clock_to || point->value.now) {
      return std::nullopt;
    }
    // "three weeks from tomorrow" is a day, "for three weeks from tomorrow" is three weeks.
    if (!starting && length_at == i && !point->value.clock) {
      return std::nullopt;
    }
    return span_of(point->value, length->value, point->next);
  }
  std::size_t at = w.Is(i, "from") ? i + 1 : i;
  auto point = ReadPoint(w, at, direction, reference);
  if (!point || point->value.clock_to || point->value.now) {
    return std::nullopt;
  }
  std::size_t for_at = point->next;
  if (w.Is(for_at, "from") && !point->value.clock) {
    if (const auto clock = ReadBareClock(w, for_at + 1)) {
      point->value.clock = clock->value;
      for_at = clock->next;
    }
  }
  if (!w.Is(for_at, "for")) {
    return std::nullopt;
  }
  const auto length = ReadLength(w, for_at + 1);
  if (!length || (!point->value.clock && at == i)) {
    return std::nullopt;
  }
  return span_of(point->value, length->value, length->next);
}

MaybeReading<TimeExpression> ReadPointExpression(const TokenWindow& w, std::size_t i,
                                                 Direction direction,
                                                 const ReferencePoint& reference) {
  auto point = ReadPoint(w, i, direction, reference);
  if (!point) {
    return std::nullopt;
  }
  if (point->value.now && w.Is(i, "now")) {
    // "Now, tell me" and "now that" open a thought, not a time.
    const bool alone = w.Before(i).text.empty() || w.IsAny(point->next, {",", "that"});
    if (alone) {
      return std::nullopt;
    }
  }
  auto placed = PlacePoint(point->value, direction, reference);
  if (!placed) {
    return std::nullopt;
  }
  return Reading<TimeExpression>{FromPlaced(std::move(*placed)), point->next};
}

// "for 3 years", "10 minutes", "all day".
MaybeReading<TimeExpression> ReadDuration(const TokenWindow& w, std::size_t i,
                                          const ReferencePoint& reference) {
  const auto length = ReadLength(w, i);
  if (!length) {
    return std::nullopt;
  }
  const Token& token = w.At(i);
  const Unit unit = length->value.Finest();
  if (token.kind == TokenKind::kWord && length->value.amounts[0].count == 1 &&
      length->value.size == 1 && !w.IsAny(i, {"all"})) {
    static constexpr std::array<std::string_view, 17> kBeforeLength = {
        "for",   "over", "about", "within", "almost", "nearly", "of",    "than", "took",
        "takes", "in",   "last",  "lasted", "after",  "around", "spent", "per"};
    const std::string_view before = w.Before(i).text;
    const bool asked =
        std::find(kBeforeLength.begin(), kBeforeLength.end(), before) != kBeforeLength.end();
    // "one day", "a day" and "a second" are turns of speech.
    const bool idiom = w.IsAny(i, {"a", "an", "the", "another"}) || unit == Unit::kDay;
    if (idiom && !asked) {
      return std::nullopt;
    }
    if (w.Is(i, "the")) {
      return std::nullopt;
    }
  }
  // Ages: "5 years old", "3-year-old".
  const bool hyphen = w.Is(length->next, "-");
  if (w.IsAny(hyphen ? length->next + 1 : length->next, {"old"})) {
    return std::nullopt;
  }
  TimeExpression expression;
  expression.kind = TimeExpressionKind::kDuration;
  expression.range = RangeOf(reference.ms, reference.ms);
  expression.duration_ms = length->value.Milliseconds();
  expression.granularity = GranularityOf(unit);
  expression.approximate = length->value.vague;
  expression.timex = length->value.Timex();
  return Reading<TimeExpression>{std::move(expression), length->next};
}

}  // namespace

MaybeReading<TimeExpression> ReadExpression(TokenWindow& w, std::size_t i, Direction direction,
                                            const ReferencePoint& reference) {
  w.Focus(i, kWindow);
  MaybeReading<TimeExpression> best;
  const auto keep = [&best](MaybeReading<TimeExpression> reading) {
    // At the edges of the calendar clamped ends can pass each other: such a span is no time.
    const bool ordered = reading && reading->value.range.start <= reading->value.range.end;
    if (ordered && (!best || reading->next > best->next)) {
      best = std::move(reading);
    }
  };
  keep(ReadRecurrence(w, i, reference));
  keep(ReadRange(w, i, direction, reference));
  keep(ReadLengthRange(w, i, direction, reference));
  keep(ReadPointExpression(w, i, direction, reference));
  keep(ReadOpenRange(w, i, direction, reference));
  keep(ReadDuration(w, i, reference));
  if (best) {
    best->value.begin = w.At(i).begin;
    best->value.end = w.At(best->next - 1).end;
  }
  return best;
}

}  // namespace umbranet::temporal
