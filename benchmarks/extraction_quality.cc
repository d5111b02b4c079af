// How well the rule extractor reads: facts about people, stated preferences, dates and times.
//
//   extraction_quality persona FILE [even|odd]      cases of one half only, by their place
//   extraction_quality preferences FILE [even|odd]
//   extraction_quality datetime FILE [even|odd]
//
// `--misses` as the last argument prints every case that is not right, `--cases` every case of the
// facts about people. extraction_sets.py makes the
// files from the public releases. Every text is read by the RuleExtractor as one turn of a user of
// their own, without anything known before; dates are also read by FindTimeExpressions with the
// options that the extractor uses. How each kind is scored stands above its function.
#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json.hpp>

#include "umbranet/base/clock.h"
#include "umbranet/base/text_analysis.h"
#include "umbranet/domain/reflection_plan.h"
#include "umbranet/domain/stated_fact.h"
#include "umbranet/extraction/rule_extractor.h"
#include "umbranet/extraction/temporal_expressions.h"

#include "persona_labels.h"

namespace umbranet {
namespace {

namespace json = boost::json;

struct Run {
  std::string half;  // "even", "odd", or empty for all.
  bool misses = false;
  bool cases = false;

  [[nodiscard]] bool Takes(std::size_t i) const {
    return half.empty() || (half == "even") == (i % 2 == 0);
  }
};

std::string Text(const json::value& value, std::string_view key) {
  const json::value* found = value.as_object().if_contains(key);
  return found != nullptr && found->is_string() ? std::string(found->as_string()) : std::string();
}

// "2016-11-07T16:12:00", "2016-11-07 16:12:00", "2016-11-07": all UTC.
std::optional<Timestamp> Time(std::string text) {
  if (text.size() == 10) {
    text += "T00:00:00";
  }
  if (text.size() < 19) {
    return std::nullopt;
  }
  text[10] = 'T';
  return ParseTimestamp(text.substr(0, 19) + "Z");
}

ReflectionPlan Read(std::string_view message) {
  ExtractionInput input;
  Interaction turn;
  turn.interaction_id = "turn";
  turn.user.user_id = "reader";
  turn.user_message = std::string(message);
  turn.occurred_at = Time("2024-03-06").value_or(Timestamp{});
  input.turns.push_back(std::move(turn));
  RuleExtractor extractor;
  auto plans = extractor.Extract(input, Deadline::Never());
  if (!plans.ok() || plans->empty()) {
    std::fprintf(stderr, "extraction_quality: the extractor failed\n");
    std::exit(1);
  }
  return std::move(plans->front());
}

double Percent(std::size_t part, std::size_t whole) {
  return whole == 0 ? 0 : 100 * static_cast<double>(part) / static_cast<double>(whole);
}

// ---- Facts about people ------------------------------------------------------------------------

struct PersonaCount {
  std::size_t labels = 0;
  std::size_t facts = 0;
  std::size_t right = 0;  // Facts that name the label.
  std::size_t found = 0;  // Labels that a fact names.
  std::size_t facts_in_label_group = 0;
  std::size_t utterances = 0;  // That gave a fact at all.
};

void PrintPersona(std::string_view name, const PersonaCount& count) {
  const double precision = Percent(count.right, count.facts);
  const double recall = Percent(count.found, count.labels);
  const double f1 = precision + recall == 0 ? 0 : 2 * precision * recall / (precision + recall);
  std::printf("| %-11.*s | %6zu | %6zu | %6zu | %5.1f | %5.1f | %5.1f | %5.1f |\n",
              static_cast<int>(name.size()), name.data(), count.labels, count.facts, count.found,
              precision, recall, f1, Percent(count.right, count.facts_in_label_group));
}

// A fact that the set could have labelled, as it is compared.
struct ScoredFact {
  std::string_view group;
  const PlannedFact* fact = nullptr;

  [[nodiscard]] bool Names(std::string_view object) const {
    const bool related =
        fact->predicate == Predicate::kRelation || fact->predicate == Predicate::kHasPet;
    return SameObject(fact->object, object) || (related && SameObject(fact->qualifier, object));
  }
};

// The facts of a plan that are of a kind which the set labels. The same said twice in one group
// ("likes hiking", "does hiking") counts once.
std::vector<ScoredFact> Scored(const ReflectionPlan& plan) {
  std::vector<ScoredFact> scored;
  std::set<std::pair<std::string_view, std::set<std::string>>> seen;
  for (const PlannedFact& fact : plan.facts) {
    const std::string_view group = GroupOf(fact);
    if (!group.empty() && seen.emplace(group, NamingWords(fact.object)).second) {
      scored.push_back({group, &fact});
    }
  }
  return scored;
}

// Confidences by tenths: facts, right ones. What is said to be right in 70 % should be.
struct Calibration {
  std::array<std::size_t, 10> facts = {};
  std::array<std::size_t, 10> right = {};

  void Count(double confidence, bool is_right) {
    const auto tenth = std::min<std::size_t>(9, static_cast<std::size_t>(10 * confidence));
    ++facts[tenth];
    right[tenth] += is_right ? 1U : 0U;
  }

  void Print() const {
    for (std::size_t i = 0; i < facts.size(); ++i) {
      if (facts[i] != 0) {
        std::printf("confidence 0.%zu: %4zu facts, %.1f %% right\n", i, facts[i],
                    Percent(right[i], facts[i]));
      }
    }
  }
};

void PrintCase(const json::value& label, std::string_view group, bool found,
               const std::vector<ScoredFact>& facts) {
  std::printf("%s: %s\n  label: %.*s (%s): %s\n", found ? "found" : "miss",
              Text(label, "utterance").c_str(), static_cast<int>(group.size()), group.data(),
              Text(label, "relation").c_str(), Text(label, "object").c_str());
  for (const ScoredFact& scored : facts) {
    const std::string_view predicate = PredicateName(scored.fact->predicate);
    std::printf("  read:  %.*s (%.*s%s) %.2f: %s\n", static_cast<int>(scored.group.size()),
                scored.group.data(), static_cast<int>(predicate.size()), predicate.data(),
                scored.fact->negated ? ", negated" : "", scored.fact->confidence,
                scored.fact->object.c_str());
  }
}

// Right: a fact of the label's group with the same object; found: a label that such a fact names.
// Precision is strict: right facts over all facts read from the utterances, so a true fact that the
// set left unlabelled (it labels one an utterance) counts as wrong. The last column shows precision
// where the set can tell: right facts over the facts of the label's own group. "stated" are the
// facts of at least kStatedConfidence alone.
void MeasurePersona(const json::value& set, const Run& run) {
  PersonaCount all;
  PersonaCount stated;
  Calibration calibration;
  std::map<std::string_view, PersonaCount> groups;
  std::size_t at = 0;
  for (const json::value& label : set.at("cases").as_array()) {
    if (!run.Takes(at++)) {
      continue;
    }
    const std::string relation = Text(label, "relation");
    const std::string object = Text(label, "object");
    const std::string_view wanted = GroupOf(relation);
    const ReflectionPlan plan = Read(Text(label, "utterance"));
    const std::vector<ScoredFact> facts = Scored(plan);
    PersonaCount& group = groups[wanted];
    bool found = false;
    bool found_stated = false;
    for (const ScoredFact& scored : facts) {
      const bool is_stated = scored.fact->confidence >= kStatedConfidence;
      const bool own = scored.group == wanted;
      const bool right = own && scored.Names(object);
      ++groups[scored.group].facts;
      for (PersonaCount* count : {&group, &all, is_stated ? &stated : nullptr}) {
        if (count != nullptr) {
          count->facts_in_label_group += own ? 1U : 0U;
          count->right += right ? 1U : 0U;
        }
      }
      stated.facts += is_stated ? 1U : 0U;
      calibration.Count(scored.fact->confidence, right);
      found = found || right;
      found_stated = found_stated || (right && is_stated);
    }
    ++all.labels;
    ++stated.labels;
    all.utterances += facts.empty() ? 0U : 1U;
    ++group.labels;
    all.facts += facts.size();
    all.found += found ? 1U : 0U;
    stated.found += found_stated ? 1U : 0U;
    group.found += found ? 1U : 0U;
    if (run.cases || (!found && run.misses)) {
      PrintCase(label, wanted, found, facts);
    }
  }
  std::printf("| group       | labels |  facts |  found |     P |     R |    F1 | P own |\n");
  std::printf("|---|---|---|---|---|---|---|---|\n");
  for (const auto& [group, count] : groups) {
    PrintPersona(group, count);
  }
  PrintPersona("all", all);
  PrintPersona("stated", stated);
  calibration.Print();
  std::printf("utterances that gave facts: %zu, of which with the labelled one: %.1f %%\n",
              all.utterances, Percent(all.found, all.utterances));
}

// ---- Stated preferences ------------------------------------------------------------------------

// Recognised: at least one rule (preference or instruction) comes out of the statement. A false
// alarm: any rule out of a message that states no preference.
void MeasurePreferences(const json::value& set, const Run& run) {
  const auto rules = [&run](std::string_view message, bool wanted) {
    const ReflectionPlan plan = Read(message);
    if (run.misses && plan.rules.empty() == wanted) {
      std::printf("%s: %.300s\n", wanted ? "missed" : "false alarm", std::string(message).c_str());
      for (const PlannedRule& rule : plan.rules) {
        std::printf("  rule: %s\n", rule.text.c_str());
      }
    }
    return !plan.rules.empty();
  };
  std::array<std::size_t, 2> counted = {};
  std::array<std::size_t, 2> ruled = {};
  std::size_t at = 0;
  for (const json::value& stated : set.at("preferences").as_array()) {
    if (run.Takes(at++)) {
      ++counted[0];
      ruled[0] += rules(Text(stated, "preference"), true) ? 1U : 0U;
    }
  }
  at = 0;
  for (const json::value& message : set.at("ordinary_messages").as_array()) {
    if (run.Takes(at++)) {
      ++counted[1];
      ruled[1] += rules(std::string(message.as_string()), false) ? 1U : 0U;
    }
  }
  std::printf("stated preferences recognised: %zu of %zu, %.1f %%\n", ruled[0], counted[0],
              Percent(ruled[0], counted[0]));
  std::printf("false alarms on ordinary messages: %zu of %zu, %.1f %%\n", ruled[1], counted[1],
              Percent(ruled[1], counted[1]));
}

// ---- Dates and times ---------------------------------------------------------------------------

constexpr Millis kDay{std::int64_t{24} * 3600 * 1000};

std::optional<Millis> TimeOfDay(const std::string& text) {
  const auto time = Time("1970-01-01T" + text);
  return time ? std::optional<Millis>(Millis(ToUnixMillis(*time))) : std::nullopt;
}

Millis TimeOfDay(Timestamp time) {
  const std::int64_t day = kDay.count();
  return Millis(((ToUnixMillis(time) % day) + day) % day);
}

// One side of a period of days or instants. The label names the end of a period of days either as
// its last day or as the day after; ours is always the day after.
bool SameEnd(Timestamp ours, Timestamp label) {
  return ours == label || (TimeOfDay(label) == Millis{0} && ours == label + kDay) ||
         ours == label + Millis{1000} || ours == label + Millis{60000};
}

bool SameSpan(const TimeExpression& ours, const std::string& start, const std::string& end) {
  const bool from = start.empty() ? ours.range.start == kOpenStart
                                  : Time(start) && ours.range.start == *Time(start);
  const bool to =
      end.empty() ? ours.range.end == kOpenEnd : Time(end) && SameEnd(ours.range.end, *Time(end));
  return from && to;
}

// Times of day are compared on whatever day they are put.
bool SameTimes(const TimeExpression& ours, const std::string& start, const std::string& end) {
  const auto from = TimeOfDay(start);
  const auto to = TimeOfDay(end);
  const bool starts =
      start.empty() ? ours.range.start == kOpenStart : from && TimeOfDay(ours.range.start) == *from;
  const bool ends = end.empty() ? ours.range.end == kOpenEnd
                                : to && (TimeOfDay(ours.range.end) == *to ||
                                         TimeOfDay(ours.range.end) == *to + Millis{1000} ||
                                         TimeOfDay(ours.range.end) == *to + Millis{60000});
  return starts && ends;
}

bool SameValue(const TimeExpression& ours, std::string_view kind, const json::value& value) {
  const std::string text = Text(value, "value");
  const std::string start = Text(value, "start");
  const std::string end = Text(value, "end");
  if (text == "not resolved") {
    return ours.timex == Text(value, "timex");
  }
  if (kind == "date") {
    const auto day = Time(text);
    return day && ours.range.start == *day && ours.range.end == *day + kDay;
  }
  if (kind == "datetime") {
    return Time(text) && ours.range.start == *Time(text);
  }
  if (kind == "time") {
    return TimeOfDay(text) && TimeOfDay(ours.range.start) == *TimeOfDay(text);
  }
  if (kind == "duration") {
    return ours.kind == TimeExpressionKind::kDuration &&
           ours.duration_ms == 1000 * std::atoll(text.c_str());
  }
  return kind == "timerange" ? SameTimes(ours, start, end) : SameSpan(ours, start, end);
}

// Right: an expression that shares a word with the labelled one has one of the label's values, day
// for day and second for second. Several values are there where the words leave it open ("on
// Friday": the last or the next). What the label leaves unresolved must have the same TIMEX.
bool Resolved(const std::vector<TimeExpression>& found, std::string_view text,
              const json::value& label) {
  std::string kind = Text(label, "type");
  kind = kind.substr(kind.find('.') + 1);
  const std::string words = Text(label, "text");
  const std::size_t begin = FoldCase(text).find(FoldCase(words));
  if (begin == std::string::npos) {
    return false;
  }
  const json::array& values = label.at("values").as_array();
  return std::any_of(found.begin(), found.end(), [&](const TimeExpression& ours) {
    return ours.begin < begin + words.size() && ours.end > begin &&
           std::any_of(values.begin(), values.end(),
                       [&](const json::value& value) { return SameValue(ours, kind, value); });
  });
}

void PrintTimes(std::string_view text, const std::vector<TimeExpression>& found) {
  std::printf("  in: %.*s\n", static_cast<int>(text.size()), text.data());
  for (const TimeExpression& e : found) {
    const auto side = [](Timestamp time) {
      return time == kOpenStart || time == kOpenEnd ? std::string("open") : FormatTimestamp(time);
    };
    std::printf("  read: %s = %s .. %s, %s\n",
                std::string(text.substr(e.begin, e.end - e.begin)).c_str(),
                side(e.range.start).c_str(), side(e.range.end).c_str(), e.timex.c_str());
  }
}

void MeasureDatetime(const json::value& set, const Run& run) {
  std::map<std::string, std::pair<std::size_t, std::size_t>> kinds;  // Labels, right.
  std::size_t empty = 0;
  std::size_t alarms = 0;
  std::size_t at = 0;
  for (const json::value& one : set.at("cases").as_array()) {
    if (!run.Takes(at++)) {
      continue;
    }
    const std::string text = Text(one, "text");
    const Timestamp reference = Time(Text(one, "reference")).value_or(Timestamp{});
    const std::vector<TimeExpression> found = FindTimeExpressions(text, reference);
    const json::array& labels = one.at("results").as_array();
    if (labels.empty()) {
      ++empty;
      alarms += found.empty() ? 0U : 1U;
      if (!found.empty() && run.misses) {
        std::printf("false alarm\n");
        PrintTimes(text, found);
      }
    }
    for (const json::value& label : labels) {
      const bool right = Resolved(found, text, label);
      for (const std::string& kind : {Text(label, "type"), std::string("all")}) {
        ++kinds[kind].first;
        kinds[kind].second += right ? 1U : 0U;
      }
      if (!right && run.misses) {
        std::printf("miss: %s\n", json::serialize(label).c_str());
        PrintTimes(text, found);
      }
    }
  }
  for (const auto& [kind, count] : kinds) {
    std::printf("%-26s %4zu of %4zu, %5.1f %%\n", kind.c_str(), count.second, count.first,
                Percent(count.second, count.first));
  }
  std::printf("texts without an expression that give one: %zu of %zu\n", alarms, empty);
}

int Measure(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  Run run;
  for (int i = 3; i < argc; ++i) {
    const std::string_view option = argv[i];
    run.misses = run.misses || option == "--misses";
    run.cases = run.cases || option == "--cases";
    run.half = option == "even" || option == "odd" ? std::string(option) : run.half;
  }
  std::ifstream file(argc > 2 ? argv[2] : "");
  std::ostringstream text;
  text << file.rdbuf();
  boost::system::error_code error;
  const json::value set = json::parse(text.str(), error);
  if (argc < 3 || !file || error) {
    std::fprintf(stderr,
                 "usage: extraction_quality persona|preferences|datetime FILE [even|odd] "
                 "[--misses|--cases]\n");
    return 2;
  }
  if (what == "persona") {
    MeasurePersona(set, run);
  } else if (what == "preferences") {
    MeasurePreferences(set, run);
  } else if (what == "datetime") {
    MeasureDatetime(set, run);
  } else {
    std::fprintf(stderr, "extraction_quality: no measure is called so\n");
    return 2;
  }
  return 0;
}

}  // namespace
}  // namespace umbranet

int main(int argc, char** argv) {
  return umbranet::Measure(argc, argv);
}
