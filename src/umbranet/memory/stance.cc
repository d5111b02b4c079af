#include "umbranet/memory/stance.h"

#include <algorithm>
#include <unordered_set>

#include "umbranet/base/text_analysis.h"
#include "umbranet/memory/stance_reading.h"

namespace umbranet {
namespace {

using WordSet = std::unordered_set<std::string_view>;

// How much of what the earlier statement holds of the question the later one must hold as well:
// the more plainly it says that things are different, the less.
constexpr double kSharedWithChangedValue = 0.3;
constexpr double kSharedWithValue = 0.65;
constexpr double kSharedWithName = 0.6;
constexpr double kSharedWithRearrangement = 0.85;
constexpr double kSharedWithMovingOn = 0.6;
constexpr double kSharedWithWhich = 0.5;
// Of what the earlier statement holds of the question, so much has been given up.
constexpr double kEndedHeld = 0.35;
constexpr double kSharedWithDenial = 0.6;
// Of what a value is said of.
constexpr double kSharedOfValue = 0.5;
// A denial bears on a statement that holds so much of what it denies, when it is mostly about that:
// "I have never met Kim" bears on whatever tells of Kim.
constexpr double kDeniedHeld = 0.6;
constexpr double kDeniedPart = 0.5;
constexpr double kDeniedOfStatement = 0.5;
// An assertion bears on an earlier denial when it holds nearly all of what was denied.
constexpr double kAssertedOfDenied = 0.8;

bool HasValue(const Stance& stance, const StatedValue& sought) {
  return std::any_of(stance.values.begin(), stance.values.end(), [&](const StatedValue& value) {
    return value.kind == sought.kind && value.value == sought.value;
  });
}

// Counts of something, and a count of which it is not said of what.
bool AreComparable(const StatedValue& a, const StatedValue& b) {
  const bool bare = a.kind == "count:" || b.kind == "count:";
  return a.kind == b.kind || (bare && a.kind.starts_with("count:") && b.kind.starts_with("count:"));
}

}  // namespace

StanceReader::StanceReader(const Question& question, const std::vector<double>& weights)
    : question_(question), weights_(weights) {
  for (std::size_t i = 0; i < question.terms.size(); ++i) {
    if (question.term_weights[question.stands_for[i]] >= 1) {
      places_.emplace(question.terms[i], i);
    }
  }
  ReadWhatIsAsked();
}

void StanceReader::ReadWhatIsAsked() {
  static const WordSet whether = {"have", "has", "do", "does", "am", "is", "are"};
  static const WordSet lists = {"different", "list", "all", "various", "each"};
  const std::vector<std::string>& words = question_.words;
  if (!question_.about_present || question_.about_development ||
      std::any_of(words.begin(), words.end(),
                  [&](const std::string& word) { return lists.contains(word); })) {
    return;
  }
  asked_ = whether.contains(words.front()) ? Asked::kWhether : Asked::kValue;
  ReadKinds();
  ReadWhich();
}

// "Which shift do I work?", "what floor is my desk on?": one of its kind that is so now. "Which
// games has she played?" asks for as many as there are.
void StanceReader::ReadWhich() {
  const std::vector<std::string>& words = question_.words;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    std::size_t last = i + 1;
    while ((words[i] == "which" || words[i] == "what") && last < words.size() &&
           !IsStopWord(words[last])) {
      ++last;
    }
    static const WordSet now = {"is", "do", "does", "am", "are", "should", "will"};
    if (last > i + 1 && last < words.size() && now.contains(words[last]) &&
        !words[last - 1].ends_with('s')) {
      which_.push_back(StemWord(words[last - 1]));
    }
  }
}

void StanceReader::ReadKinds() {
  static const WordSet money = {"budget", "cost",  "costs", "price", "salary", "rent",
                                "income", "spend", "fee",   "fees",  "pay",    "much"};
  static const WordSet percent = {"rate", "percent", "percentage", "accuracy", "share", "much"};
  static const WordSet date = {"deadline", "date", "day", "due", "when"};
  static const WordSet clock = {"time", "when"};
  constexpr std::string_view kDurations =
      "second minute hour day week month year night millisecond";
  const std::vector<std::string>& words = question_.words;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto add = [&](const WordSet& set, std::string_view kind) {
      if (set.contains(words[i])) {
        kinds_.emplace_back(kind);
      }
    };
    if (words[i] == "how" && i + 1 < words.size() &&
        (words[i + 1] == "many" || words[i + 1] == "long")) {
      constexpr std::size_t kCountedReach = 5;
      if (words[i + 1] == "long") {
        counted_ = AnalyzeName(kDurations);
      }
      for (std::size_t at = i + 2; at < words.size() && at < i + 2 + kCountedReach; ++at) {
        if (IsStopWord(words[at])) {
          break;
        }
        counted_.push_back(StemWord(words[at]));
      }
      kinds_ = {"count"};
      return;
    }
    add(money, "money");
    add(percent, "percent");
    add(date, "date");
    add(date, "weekday");
    if (words[i] == "when" || (words[i] == "time" && i > 0 && words[i - 1] == "what")) {
      add(clock, "clock");
    }
  }
}

double StanceReader::Mass(TermSet terms) const {
  double mass = 0;
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    mass += (terms >> i & 1U) != 0 ? weights_[i] : 0;
  }
  return mass;
}

Stance StanceReader::Read(std::string_view text) const {
  Stance stance;
  const StanceReading reading(text);
  const auto asked_in = [&](std::size_t first, std::size_t last) {
    TermSet terms = 0;
    for (std::size_t i = first; i < last; ++i) {
      const auto found = places_.find(reading.tokens()[i].term);
      terms |= found == places_.end() ? 0 : TermSet{1} << found->second;
    }
    return terms;
  };
  TermSet before = 0;  // Of the clause before; a related word makes a clause worth reading too.
  for (const StanceClause& clause : reading.clauses()) {
    const TermSet terms = asked_in(clause.first, clause.last);
    stance.terms |= terms;
    if (terms != 0 || before != 0) {
      reading.AddValues(clause, terms | before, which_, stance.values);
      reading.NoteChange(clause, stance);
    }
    before = terms;
    if (terms == 0) {
      continue;
    }
    stance.ended |= reading.Ends(clause) ? terms : 0;
    stance.moved_on |= reading.MovesOn(clause) ? terms : 0;
    const std::size_t from = reading.DeniedFrom(clause);
    stance.has_happened =
        stance.has_happened || (from == clause.last && reading.HasHappened(clause));
    const TermSet denied = asked_in(from, clause.last);
    if (denied != 0 && Mass(denied) >= Mass(stance.denied)) {
      std::unordered_set<std::string_view> content;
      std::size_t asked = 0;
      bool of_another = false;  // "I never met Kim" says nothing of Theo.
      for (std::size_t i = from; i < clause.last; ++i) {
        const TextToken& token = reading.tokens()[i];
        const bool is_asked = places_.contains(token.term);
        const bool fresh = !token.stop_word && content.insert(token.term).second;
        asked += fresh && is_asked ? 1U : 0U;
        of_another = of_another || (token.capitalized && !token.stop_word && !is_asked);
      }
      stance.denied = denied;
      stance.denied_part =
          of_another ? 0
                     : static_cast<double>(asked) /
                           static_cast<double>(content.size() + (content.empty() ? 1U : 0U));
    }
  }
  return stance;
}

bool StanceReader::IsOfAskedKind(const StatedValue& value) const {
  const bool is_count = value.kind.starts_with("count:");
  if (kinds_.empty()) {
    return value.kind != "count:";  // Versions, sizes in passing: too many to tell anything.
  }
  if (kinds_.front() != "count") {
    return std::find(kinds_.begin(), kinds_.end(), value.kind) != kinds_.end();
  }
  return is_count && (value.kind == "count:" || std::find(counted_.begin(), counted_.end(),
                                                          value.kind.substr(6)) != counted_.end());
}

double StanceReader::DifferingValues(const Stance& earlier, const Stance& later,
                                     Compared compared) const {
  double best = 0;
  const bool names = compared == Compared::kNames;
  for (const StatedValue& value : later.values) {
    const bool is_which = value.kind.starts_with("which:");
    const bool eligible =
        names      ? value.kind == "name"
        : is_which ? compared == Compared::kWhich
                   : compared == Compared::kOthers && value.kind != "name" && IsOfAskedKind(value);
    if (!eligible || HasValue(earlier, value)) {
      continue;
    }
    for (const StatedValue& other : earlier.values) {
      if (AreComparable(value, other) && (names || is_which || IsOfAskedKind(other)) &&
          !HasValue(later, other)) {
        const double mass = std::min(Mass(other.terms), Mass(value.terms));
        best = std::max(best, mass > 0 ? Mass(value.terms & other.terms) / mass : 0);
      }
    }
  }
  return best;
}

Bearing StanceReader::BearingOfDenial(const Stance& earlier, const Stance& later) const {
  const Stance& denial = later.denied != 0 ? later : earlier;
  const Stance& assertion = later.denied != 0 ? earlier : later;
  const double denied = Mass(denial.denied);
  const double held = Mass(denial.denied & assertion.terms);
  if (later.denied != 0) {
    const bool same_thing =
        denial.denied_part >= kDeniedPart ||
        (Mass(earlier.terms & later.terms) >= kSharedWithDenial * Mass(earlier.terms) &&
         denied >= kDeniedOfStatement * Mass(earlier.terms));
    if (held < kDeniedHeld * denied || !same_thing) {
      return Bearing::kNone;
    }
  } else if (!later.has_happened || denial.denied_part < kDeniedPart ||
             held < kAssertedOfDenied * denied) {
    return Bearing::kNone;
  }
  return later.changes ? Bearing::kSucceeds : Bearing::kContradicts;
}

Bearing StanceReader::BearingOf(const Stance& earlier, const Stance& later) const {
  const double mass = Mass(earlier.terms);
  if (asked_ == Asked::kNothing || mass <= 0) {
    return Bearing::kNone;
  }
  if ((earlier.denied != 0) != (later.denied != 0)) {
    // Where a value is asked for, a flat denial is mostly of another matter.
    const Bearing bearing = BearingOfDenial(earlier, later);
    if (bearing == Bearing::kSucceeds || asked_ == Asked::kWhether) {
      if (bearing != Bearing::kNone) {
        return bearing;
      }
    }
  }
  const double shared = Mass(earlier.terms & later.terms) / mass;
  const bool gives_up = asked_ == Asked::kWhether && !question_.about_experience &&
                        earlier.ended == 0 &&
                        Mass(later.ended & earlier.terms) >= kEndedHeld * mass;
  const bool moves_on = kinds_.empty() && !question_.about_experience &&
                        Mass(later.moved_on & earlier.terms) >= kSharedWithMovingOn * mass;
  if (gives_up || moves_on) {
    return Bearing::kSucceeds;
  }
  if (later.rearranges && shared >= kSharedWithRearrangement) {
    return Bearing::kSucceeds;
  }
  if (asked_ == Asked::kValue) {
    const bool differs = DifferingValues(earlier, later, Compared::kOthers) >= kSharedOfValue;
    if (shared >= kSharedWithWhich &&
        DifferingValues(earlier, later, Compared::kWhich) >= kSharedOfValue) {
      return Bearing::kSucceeds;
    }
    const double enough = later.changes ? kSharedWithChangedValue : kSharedWithValue;
    if ((differs && shared >= enough) ||
        (kinds_.empty() && (later.changes || later.moved_on != 0) &&
         shared >= (later.moved_on != 0 ? kSharedWithChangedValue : kSharedWithName) &&
         DifferingValues(earlier, later, Compared::kNames) >= kSharedOfValue)) {
      return Bearing::kSucceeds;
    }
  }
  return Bearing::kNone;
}

}  // namespace umbranet
