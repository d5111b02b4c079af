#include "umbranet/extraction/temporal_lexer.h"

#include <array>
#include <initializer_list>
#include <unordered_map>

#include "umbranet/extraction/civil_calendar.h"

namespace umbranet::temporal {
namespace {

using RoleTable = std::unordered_map<std::string_view, WordRoles>;

constexpr std::size_t kNumberDigitsMax = 9;
constexpr std::size_t kGapMax = 4;

struct Valued {
  std::string_view word;
  int value;
};

constexpr std::array kMonths = {
    Valued{"january", 1},   Valued{"february", 2}, Valued{"march", 3},     Valued{"april", 4},
    Valued{"may", 5},       Valued{"june", 6},     Valued{"july", 7},      Valued{"august", 8},
    Valued{"september", 9}, Valued{"october", 10}, Valued{"november", 11}, Valued{"december", 12}};
constexpr std::array kShortMonths = {
    Valued{"jan", 1},  Valued{"feb", 2},  Valued{"febr", 2}, Valued{"mar", 3}, Valued{"apr", 4},
    Valued{"jun", 6},  Valued{"jul", 7},  Valued{"aug", 8},  Valued{"sep", 9}, Valued{"sept", 9},
    Valued{"oct", 10}, Valued{"nov", 11}, Valued{"dec", 12}};
constexpr std::array kWeekdays = {
    Valued{"monday", 0}, Valued{"tuesday", 1},  Valued{"wednesday", 2}, Valued{"thursday", 3},
    Valued{"friday", 4}, Valued{"saturday", 5}, Valued{"sunday", 6}};
constexpr std::array kShortWeekdays = {Valued{"mon", 0},  Valued{"tue", 1},   Valued{"tues", 1},
                                       Valued{"wed", 2},  Valued{"weds", 2},  Valued{"thu", 3},
                                       Valued{"thur", 3}, Valued{"thurs", 3}, Valued{"fri", 4},
                                       Valued{"sat", 5},  Valued{"sun", 6}};
constexpr std::array kSeasons = {Valued{"spring", 0}, Valued{"summer", 1}, Valued{"autumn", 2},
                                 Valued{"fall", 2}, Valued{"winter", 3}};
constexpr std::array kCardinals = {
    Valued{"zero", 0},     Valued{"one", 1},        Valued{"two", 2},       Valued{"three", 3},
    Valued{"four", 4},     Valued{"five", 5},       Valued{"six", 6},       Valued{"seven", 7},
    Valued{"eight", 8},    Valued{"nine", 9},       Valued{"ten", 10},      Valued{"eleven", 11},
    Valued{"twelve", 12},  Valued{"thirteen", 13},  Valued{"fourteen", 14}, Valued{"fifteen", 15},
    Valued{"sixteen", 16}, Valued{"seventeen", 17}, Valued{"eighteen", 18}, Valued{"nineteen", 19},
    Valued{"twenty", 20},  Valued{"thirty", 30},    Valued{"forty", 40},    Valued{"fifty", 50},
    Valued{"sixty", 60},   Valued{"seventy", 70},   Valued{"eighty", 80},   Valued{"ninety", 90}};
constexpr std::array kOrdinals = {
    Valued{"first", 1},       Valued{"second", 2},       Valued{"third", 3},
    Valued{"fourth", 4},      Valued{"fifth", 5},        Valued{"sixth", 6},
    Valued{"seventh", 7},     Valued{"eighth", 8},       Valued{"ninth", 9},
    Valued{"tenth", 10},      Valued{"eleventh", 11},    Valued{"twelfth", 12},
    Valued{"thirteenth", 13}, Valued{"fourteenth", 14},  Valued{"fifteenth", 15},
    Valued{"sixteenth", 16},  Valued{"seventeenth", 17}, Valued{"eighteenth", 18},
    Valued{"nineteenth", 19}, Valued{"twentieth", 20},   Valued{"thirtieth", 30}};

struct UnitWord {
  std::string_view singular;
  std::string_view plural;
  Unit unit;
  int multiple = 1;
};

constexpr std::array kUnits = {UnitWord{"second", "seconds", Unit::kSecond},
                               UnitWord{"sec", "secs", Unit::kSecond},
                               UnitWord{"minute", "minutes", Unit::kMinute},
                               UnitWord{"min", "mins", Unit::kMinute},
                               UnitWord{"hour", "hours", Unit::kHour},
                               UnitWord{"hr", "hrs", Unit::kHour},
                               UnitWord{"day", "days", Unit::kDay},
                               UnitWord{"night", "nights", Unit::kDay},
                               UnitWord{"week", "weeks", Unit::kWeek},
                               UnitWord{"wk", "wks", Unit::kWeek},
                               UnitWord{"fortnight", "fortnights", Unit::kWeek, 2},
                               UnitWord{"weekend", "weekends", Unit::kWeekend},
                               UnitWord{"month", "months", Unit::kMonth},
                               UnitWord{"quarter", "quarters", Unit::kQuarter},
                               UnitWord{"year", "years", Unit::kYear},
                               UnitWord{"yr", "yrs", Unit::kYear},
                               UnitWord{"decade", "decades", Unit::kDecade},
                               UnitWord{"century", "centuries", Unit::kCentury}};

struct PartWord {
  std::string_view singular;
  std::string_view plural;
  PartOfDay part;
};

constexpr std::array kParts = {PartWord{"morning", "mornings", PartOfDay::kMorning},
                               PartWord{"afternoon", "afternoons", PartOfDay::kAfternoon},
                               PartWord{"evening", "evenings", PartOfDay::kEvening},
                               PartWord{"night", "nights", PartOfDay::kNight},
                               PartWord{"daytime", "daytimes", PartOfDay::kDaytime},
                               PartWord{"nighttime", "nighttimes", PartOfDay::kNightTime},
                               PartWord{"breakfast", "breakfasts", PartOfDay::kBreakfast},
                               PartWord{"lunchtime", "lunchtimes", PartOfDay::kLunch},
                               PartWord{"lunch", "lunches", PartOfDay::kLunch},
                               PartWord{"dinnertime", "dinnertimes", PartOfDay::kDinner},
                               PartWord{"dinner", "dinners", PartOfDay::kDinner}};

// Words without a role of their own at which an expression, or a part of one, can begin.
constexpr std::array kStarters = std::to_array<std::string_view>({"the",
                                                                  "a",
                                                                  "an",
                                                                  "in",
                                                                  "at",
                                                                  "from",
                                                                  "between",
                                                                  "since",
                                                                  "until",
                                                                  "till",
                                                                  "by",
                                                                  "before",
                                                                  "after",
                                                                  "for",
                                                                  "early",
                                                                  "earlier",
                                                                  "late",
                                                                  "later",
                                                                  "mid",
                                                                  "beginning",
                                                                  "start",
                                                                  "middle",
                                                                  "end",
                                                                  "rest",
                                                                  "last",
                                                                  "next",
                                                                  "this",
                                                                  "these",
                                                                  "past",
                                                                  "previous",
                                                                  "coming",
                                                                  "upcoming",
                                                                  "following",
                                                                  "current",
                                                                  "same",
                                                                  "that",
                                                                  "today",
                                                                  "yesterday",
                                                                  "tomorrow",
                                                                  "tonight",
                                                                  "tonite",
                                                                  "tmr",
                                                                  "tmrw",
                                                                  "now",
                                                                  "right",
                                                                  "just",
                                                                  "noon",
                                                                  "noonish",
                                                                  "midnight",
                                                                  "midday",
                                                                  "half",
                                                                  "couple",
                                                                  "few",
                                                                  "some",
                                                                  "several",
                                                                  "all",
                                                                  "entire",
                                                                  "whole",
                                                                  "every",
                                                                  "each",
                                                                  "any",
                                                                  "everyday",
                                                                  "daily",
                                                                  "weekly",
                                                                  "monthly",
                                                                  "yearly",
                                                                  "annually",
                                                                  "quarterly",
                                                                  "hourly",
                                                                  "nightly",
                                                                  "biweekly",
                                                                  "fortnightly",
                                                                  "weekdays",
                                                                  "bi",
                                                                  "semi",
                                                                  "once",
                                                                  "twice",
                                                                  "christmas",
                                                                  "xmas",
                                                                  "boxing",
                                                                  "new",
                                                                  "valentine",
                                                                  "valentines",
                                                                  "st",
                                                                  "international",
                                                                  "labour",
                                                                  "labor",
                                                                  "independence",
                                                                  "halloween",
                                                                  "veterans",
                                                                  "good",
                                                                  "easter",
                                                                  "black",
                                                                  "thanksgiving",
                                                                  "memorial",
                                                                  "mother",
                                                                  "mothers",
                                                                  "father",
                                                                  "fathers",
                                                                  "more",
                                                                  "less",
                                                                  "over",
                                                                  "about",
                                                                  "around",
                                                                  "almost",
                                                                  "nearly",
                                                                  "roughly",
                                                                  "approximately",
                                                                  "within",
                                                                  "during",
                                                                  "as",
                                                                  "no",
                                                                  "prior",
                                                                  "starting",
                                                                  "q",
                                                                  "h",
                                                                  "cy",
                                                                  "fy",
                                                                  "year",
                                                                  "calendar",
                                                                  "school",
                                                                  "fiscal",
                                                                  "eod",
                                                                  "w",
                                                                  "quarter",
                                                                  "business",
                                                                  "remaining",
                                                                  "remainder",
                                                                  "very",
                                                                  "another",
                                                                  "day",
                                                                  "twenties",
                                                                  "thirties",
                                                                  "forties",
                                                                  "fifties",
                                                                  "sixties",
                                                                  "seventies",
                                                                  "eighties",
                                                                  "nineties",
                                                                  "other",
                                                                  "tomorow",
                                                                  "todays",
                                                                  "final",
                                                                  "working"});

const RoleTable& Table() {
  // Keys are literals of static storage, so that views of them stay valid.
  static const RoleTable table = [] {
    static constexpr std::array<std::string_view, 7> kPluralWeekdays = {
        "mondays", "tuesdays", "wednesdays", "thursdays", "fridays", "saturdays", "sundays"};
    RoleTable roles;
    for (const Valued& m : kMonths) {
      roles[m.word].month = static_cast<std::int8_t>(m.value);
    }
    for (const Valued& m : kShortMonths) {
      roles[m.word].month = static_cast<std::int8_t>(m.value);
      roles[m.word].short_form = true;
    }
    for (const Valued& w : kWeekdays) {
      roles[w.word].weekday = static_cast<std::int8_t>(w.value);
      WordRoles& plural = roles[kPluralWeekdays.at(static_cast<std::size_t>(w.value))];
      plural.weekday = static_cast<std::int8_t>(w.value);
      plural.plural = true;
    }
    for (const Valued& w : kShortWeekdays) {
      roles[w.word].weekday = static_cast<std::int8_t>(w.value);
      roles[w.word].short_form = true;
    }
    for (const Valued& s : kSeasons) {
      roles[s.word].season = static_cast<std::int8_t>(s.value);
    }
    for (const Valued& c : kCardinals) {
      roles[c.word].cardinal = static_cast<std::int16_t>(c.value);
    }
    for (const Valued& o : kOrdinals) {
      roles[o.word].ordinal = static_cast<std::int8_t>(o.value);
    }
    for (const UnitWord& u : kUnits) {
      for (const std::string_view word : {u.singular, u.plural}) {
        roles[word].unit = static_cast<std::int8_t>(u.unit);
        roles[word].multiple = static_cast<std::int8_t>(u.multiple);
      }
      roles[u.plural].plural = true;
    }
    for (const PartWord& p : kParts) {
      roles[p.singular].part = p.part;
      roles[p.plural].part = p.part;
      roles[p.plural].plural = true;
    }
    for (auto& [word, role] : roles) {
      role.starter = true;
    }
    for (const std::string_view word : kStarters) {
      roles[word].starter = true;
    }
    return roles;
  }();
  return table;
}

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80;
}

// The typographic sign that starts at `at`, as its ASCII stand-in, or 0. All are three bytes long.
char TypographicSign(std::string_view text, std::size_t at) {
  if (at + 2 >= text.size() || text[at] != '\xE2' || text[at + 1] != '\x80') {
    return 0;
  }
  const char last = text[at + 2];
  if (last == '\x93' || last == '\x94') {
    return '-';
  }
  if (last == '\x98' || last == '\x99') {
    return '\'';
  }
  return 0;
}

struct Scan {
  std::size_t end;
  TokenKind kind;
};

// "'s", "'ll", "o'clock": an apostrophe opens a suffix of its own, except in "o'clock".
std::size_t WordEnd(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && IsLetter(text[end]) && TypographicSign(text, end) == 0) {
    // The half sign is a number of its own, "½ hour".
    if (end > at && text.substr(end, 2) == "\xC2\xBD") {
      break;
    }
    ++end;
  }
  return end;
}

Scan NextToken(std::string_view text, std::size_t at) {
  const char c = text[at];
  if (IsDigit(c)) {
    std::size_t end = at;
    while (end < text.size() && IsDigit(text[end])) {
      ++end;
    }
    return {end, TokenKind::kNumber};
  }
  if (text.substr(at, 2) == "\xC2\xBD") {
    return {at + 2, TokenKind::kSymbol};
  }
  if (TypographicSign(text, at) == '-') {
    return {at + 3, TokenKind::kSymbol};
  }
  const bool apostrophe = c == '\'' || TypographicSign(text, at) == '\'';
  if (apostrophe) {
    const std::size_t sign = c == '\'' ? 1 : 3;
    const std::size_t end = WordEnd(text, at + sign);
    return {end, end == at + sign ? TokenKind::kSymbol : TokenKind::kWord};
  }
  if (IsLetter(c)) {
    const std::size_t end = WordEnd(text, at);
    for (const std::string_view clock : {"o'clock",
                                         "o\xE2\x80\x99"
                                         "clock"}) {
      if (text.substr(at, clock.size()) == clock) {
        return {at + clock.size(), TokenKind::kWord};
      }
    }
    return {end, TokenKind::kWord};
  }
  return {at + 1, TokenKind::kSymbol};
}

std::string_view NormalisedText(std::string_view raw, TokenKind kind) {
  if (kind == TokenKind::kSymbol && raw.size() == 3) {
    return TypographicSign(raw, 0) == '-' ? "-" : "'";
  }
  if (kind != TokenKind::kWord) {
    return raw;
  }
  if (raw.size() >= 7 && raw.front() == 'o' && raw.ends_with("clock") && raw != "oclock") {
    return "oclock";
  }
  if (TypographicSign(raw, 0) != '\'') {
    return raw;
  }
  // Only the suffixes that the grammar reads are worth a table.
  const std::string_view suffix = raw.substr(3);
  for (const std::string_view known : {"'s", "'ll", "'m", "'re", "'ve", "'d", "'t"}) {
    if (suffix == known.substr(1)) {
      return known;
    }
  }
  return raw;
}

}  // namespace

const WordRoles& RolesOf(std::string_view word) {
  static const WordRoles none;
  const RoleTable& table = Table();
  const auto found = table.find(word);
  return found == table.end() ? none : found->second;
}

TokenisedText::TokenisedText(std::string_view text) : lowered_(text.begin(), text.end()) {
  for (char& c : lowered_) {
    if (c >= 'A' && c <= 'Z') {
      c = static_cast<char>(c - 'A' + 'a');
    }
  }
  const std::string_view lowered(lowered_.data(), lowered_.size());
  tokens_.reserve(text.size() / 5 + 4);
  std::size_t at = 0;
  std::size_t previous_end = 0;
  bool newline = false;
  while (at < lowered.size()) {
    if (IsSpace(lowered[at])) {
      newline = newline || lowered[at] == '\n';
      ++at;
      continue;
    }
    const Scan scan = NextToken(lowered, at);
    Token token;
    token.begin = at;
    token.end = scan.end;
    token.kind = scan.kind;
    token.glued = !tokens_.empty() && at == previous_end;
    token.boundary = newline || at - previous_end > kGapMax;
    token.capital = text[at] >= 'A' && text[at] <= 'Z';
    token.text = NormalisedText(lowered.substr(at, scan.end - at), scan.kind);
    token.starter = scan.kind == TokenKind::kNumber || token.text == "'" || token.text == ">" ||
                    token.text == "\xC2\xBD";
    if (scan.kind == TokenKind::kNumber) {
      token.digits = static_cast<int>(scan.end - at < 100 ? scan.end - at : 100);
      if (scan.end - at <= kNumberDigitsMax) {
        token.number = 0;
        for (std::size_t i = at; i < scan.end; ++i) {
          token.number = token.number * 10 + (lowered[i] - '0');
        }
      }
    } else if (scan.kind == TokenKind::kWord) {
      token.roles = RolesOf(token.text);
      token.starter = token.roles.starter;
    }
    tokens_.push_back(token);
    previous_end = scan.end;
    at = scan.end;
    newline = false;
  }
}

}  // namespace umbranet::temporal
