#include "umbranet/memory/stance.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <unordered_set>

#include "umbranet/base/text_analysis.h"

namespace umbranet {
namespace {

using WordSet = std::unordered_set<std::string_view>;

// How much of what the earlier statement holds of the question the later one must hold as well:
// the more plainly it says that things are different, the less.
constexpr double kSharedWithChangedValue = 0.3;
constexpr double kSharedWithValue = 0.65;
constexpr double kSharedWithName = 0.6;
constexpr double kSharedWithRearrangement = 0.85;
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

// Any form of these counts.
constexpr std::string_view kRearranging =
    "reschedule postpone cancel delay extend shorten update revise switch replace increase "
    "decrease "
    "reduce rename correct adjust sell quit resign stop";
constexpr std::string_view kChanging =
    "change move raise lower upgrade improve grow growth reach expand double triple promote "
    "surpass exceed boost rise drop add total";
constexpr std::array<std::string_view, 6> kChangeAdverbs = {"now",     "currently", "actually",
                                                            "instead", "anymore",   "nowadays"};

constexpr std::array<std::string_view, 12> kMonths = {
    "january", "february", "march",     "april",   "may",      "june",
    "july",    "august",   "september", "october", "november", "december"};
constexpr std::array<std::string_view, 13> kNumberWords = {
    "zero",  "one",   "two",  "three", "four",   "five",  "six",
    "seven", "eight", "nine", "ten",   "eleven", "twelve"};

using StemSet = std::unordered_set<std::string>;

StemSet StemsOf(std::string_view words) {
  const std::vector<std::string> terms = AnalyzeName(words);
  return {terms.begin(), terms.end()};
}

template <std::size_t kSize>
std::size_t PlaceIn(const std::array<std::string_view, kSize>& words, std::string_view word) {
  return static_cast<std::size_t>(std::find(words.begin(), words.end(), word) - words.begin());
}

bool IsNumber(std::string_view word) {
  return !word.empty() && std::isdigit(static_cast<unsigned char>(word.front())) != 0;
}

// A number in digits; empty for any other word. "one" is more often a pronoun.
std::string NumberOf(std::string_view word) {
  if (IsNumber(word)) {
    return std::string(word);
  }
  const std::size_t place = PlaceIn(kNumberWords, word);
  return place >= 2 && place < kNumberWords.size() ? std::to_string(place) : std::string();
}

// "2nd" and "02" are the second of a month as well.
std::string DayOf(std::string_view number) {
  std::string day;
  for (const char c : number) {
    if (std::isdigit(static_cast<unsigned char>(c)) == 0) {
      break;
    }
    if (!day.empty() || c != '0') {
      day += c;
    }
  }
  return day;
}

struct Clause {
  std::size_t first = 0;
  std::size_t last = 0;
};

// One text, word by word and clause by clause.
class Reading {
 public:
  explicit Reading(std::string_view text)
      : text_(text.substr(0, text.find("```"))), tokens_(Tokenize(text_)) {
    Clause clause;
    for (std::size_t i = 1; i < tokens_.size(); ++i) {
      if (OpensClause(i)) {
        clause.last = i;
        clauses_.push_back(clause);
        clause.first = i;
      }
    }
    clause.last = tokens_.size();
    clauses_.push_back(clause);
  }

  [[nodiscard]] const std::vector<TextToken>& tokens() const { return tokens_; }

  [[nodiscard]] const std::vector<Clause>& clauses() const { return clauses_; }

  // The word behind the one that denies; the clause's end when none does.
  [[nodiscard]] std::size_t DeniedFrom(const Clause& clause) const;
  [[nodiscard]] bool HasHappened(const Clause& clause) const;
  void NoteChange(const Clause& clause, Stance& stance) const;
  void AddValues(const Clause& clause, TermSet terms, std::vector<StatedValue>& values) const;

 private:
  [[nodiscard]] std::string_view Word(std::size_t i) const {
    return i < tokens_.size() ? std::string_view(tokens_[i].folded) : std::string_view();
  }

  // What stands between a word and the one before.
  [[nodiscard]] std::string_view Gap(std::size_t i) const {
    const std::size_t begin = i == 0 ? 0 : tokens_[i - 1].end;
    const std::size_t end = i < tokens_.size() ? tokens_[i].begin : text_.size();
    return text_.substr(begin, end - begin);
  }

  [[nodiscard]] bool OpensClause(std::size_t i) const {
    static const WordSet openers = {"but",         "because", "so",    "since", "although",
                                    "considering", "though",  "which", "while", "whereas"};
    const std::string_view gap = Gap(i);
    // A point within a number ("4.5", "9:30") is none.
    const bool inside = gap.size() == 1 && IsNumber(Word(i)) && IsNumber(Word(i - 1));
    return openers.contains(Word(i)) ||
           (!inside && gap.find_first_of(",;:!?.\n") != std::string_view::npos);
  }

  std::size_t ReadDate(std::size_t i, StatedValue& value) const;
  std::size_t ReadClock(std::size_t i, StatedValue& value) const;
  std::size_t ReadAmount(std::size_t i, std::size_t last, StatedValue& value) const;

  std::string_view text_;
  std::vector<TextToken> tokens_;
  std::vector<Clause> clauses_;
};

std::size_t Reading::DeniedFrom(const Clause& clause) const {
  static const WordSet denials = {"never", "havent", "hasnt", "hadnt", "didnt", "doesnt",
                                  "dont",  "isnt",   "arent", "wasnt", "werent"};
  // "I'm not sure", "I don't know": these deny nothing but knowledge.
  static const WordSet opinions = {"sure",       "certain", "know", "think", "want",  "mind",
                                   "understand", "just",    "only", "worry", "forget"};
  for (std::size_t i = clause.first; i < clause.last; ++i) {
    if (Word(i) == "no" && Word(i + 1) == "longer") {
      return i + 2;
    }
    if ((denials.contains(Word(i)) || Word(i) == "not") && !opinions.contains(Word(i + 1))) {
      return i + 1;
    }
  }
  return clause.last;
}

bool Reading::HasHappened(const Clause& clause) const {
  static const WordSet done = {"went", "met",   "saw",   "bought", "took", "made", "got",
                               "did",  "began", "wrote", "ran",    "ate",  "flew", "drove",
                               "came", "gave",  "had",   "was",    "were", "been", "done"};
  static const WordSet intended = {"want",   "would", "will",  "plan",   "planning", "hope",
                                   "hoping", "going", "gonna", "should", "could",    "might"};
  bool happened = false;
  for (std::size_t i = clause.first; i < clause.last; ++i) {
    if (intended.contains(Word(i))) {
      return false;
    }
    happened = happened || done.contains(Word(i)) ||
               (Word(i).size() > 4 && Word(i).ends_with("ed") && !tokens_[i].stop_word);
  }
  return happened;
}

void Reading::NoteChange(const Clause& clause, Stance& stance) const {
  static const StemSet rearranging = StemsOf(kRearranging);
  static const StemSet changing = StemsOf(kChanging);
  for (std::size_t i = clause.first; i < clause.last; ++i) {
    const bool gave_up = (Word(i) == "gave" || Word(i) == "given") && Word(i + 1) == "up";
    const bool rearranges = gave_up || rearranging.contains(tokens_[i].term);
    stance.rearranges = stance.rearranges || rearranges;
    stance.changes = stance.changes || rearranges || changing.contains(tokens_[i].term) ||
                     PlaceIn(kChangeAdverbs, Word(i)) < kChangeAdverbs.size() ||
                     (Word(i) == "no" && Word(i + 1) == "longer");
  }
}

// "March 22", "22 March", "the 22nd of March", "Friday". Each returns the number of words read, or
// 0.
std::size_t Reading::ReadDate(std::size_t i, StatedValue& value) const {
  static const WordSet weekdays = {"monday",    "tuesday", "wednesday", "thursday", "friday",
                                   "saturday",  "sunday",  "mondays",   "tuesdays", "wednesdays",
                                   "thursdays", "fridays", "saturdays", "sundays"};
  if (weekdays.contains(Word(i))) {
    value.kind = "weekday";
    value.value = tokens_[i].term;
    return 1;
  }
  std::size_t month = i;
  std::size_t day = i + 1;
  if (IsNumber(Word(i))) {
    day = i;
    month = Word(i + 1) == "of" ? i + 2 : i + 1;
  }
  if (PlaceIn(kMonths, Word(month)) == kMonths.size() || !IsNumber(Word(day)) ||
      DayOf(Word(day)).size() > 2) {
    return 0;
  }
  value.kind = "date";
  value.value = std::string(Word(month)) + " " + DayOf(Word(day));
  return std::max(month, day) + 1 - i;
}

// "4 PM", "4:30pm", "16:30".
std::size_t Reading::ReadClock(std::size_t i, StatedValue& value) const {
  if (!IsNumber(Word(i))) {
    return 0;
  }
  const bool minutes = IsNumber(Word(i + 1)) && Gap(i + 1) == ":";
  const std::string_view half = Word(minutes ? i + 2 : i + 1);
  const bool has_half = half == "am" || half == "pm";
  const bool joined = Word(i).ends_with("am") || Word(i).ends_with("pm");
  if (!minutes && !has_half && !joined) {
    return 0;
  }
  value.kind = "clock";
  value.value = std::string(Word(i));
  if (minutes) {
    value.value.append(":").append(Word(i + 1));
  }
  if (has_half) {
    value.value += half;
  }
  return 1U + (minutes ? 1U : 0U) + (has_half ? 1U : 0U);
}

// "$650", "90%", "12 books", "5-7 months", "a total of 10".
std::size_t Reading::ReadAmount(std::size_t i, std::size_t last, StatedValue& value) const {
  value.value = NumberOf(Word(i));
  // What is left of a version ("v5.3.1") counts nothing.
  if (value.value.empty() || (i > 0 && Gap(i) == ".")) {
    return 0;
  }
  std::size_t next = i + 1;
  while (next < last && IsNumber(Word(next)) &&
         (Gap(next) == "-" || Gap(next) == "." || Gap(next) == "/")) {
    value.value.append(Gap(next)).append(Word(next));
    ++next;
  }
  static const WordSet currencies = {"dollars", "dollar", "euros", "euro", "pounds", "bucks"};
  const std::string_view before = Gap(i);
  if (before.ends_with('$') || before.ends_with("€") || before.ends_with("£") ||
      currencies.contains(Word(next))) {
    value.kind = "money";
  } else if (Gap(next).starts_with('%') || Word(next) == "percent") {
    value.kind = "percent";
  } else {
    value.kind = "count:";
    if (next < last && !tokens_[next].stop_word && !IsNumber(Word(next))) {
      value.kind += tokens_[next].term;
    }
  }
  return next - i;
}

void Reading::AddValues(const Clause& clause, TermSet terms,
                        std::vector<StatedValue>& values) const {
  for (std::size_t i = clause.first; i < clause.last;) {
    StatedValue value;
    value.terms = terms;
    std::size_t read = ReadDate(i, value);
    read = read == 0 ? ReadClock(i, value) : read;
    read = read == 0 ? ReadAmount(i, clause.last, value) : read;
    if (read == 0 && tokens_[i].capitalized && !tokens_[i].sentence_start &&
        !tokens_[i].stop_word) {
      value.kind = "name";
      value.value = tokens_[i].term;
      read = 1;
    }
    if (read > 0) {
      values.push_back(std::move(value));
    }
    i += std::max<std::size_t>(read, 1);
  }
}

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
  const Reading reading(text);
  const auto asked_in = [&](std::size_t first, std::size_t last) {
    TermSet terms = 0;
    for (std::size_t i = first; i < last; ++i) {
      const auto found = places_.find(reading.tokens()[i].term);
      terms |= found == places_.end() ? 0 : TermSet{1} << found->second;
    }
    return terms;
  };
  TermSet before = 0;  // Of the clause before; a related word makes a clause worth reading too.
  for (const Clause& clause : reading.clauses()) {
    const TermSet terms = asked_in(clause.first, clause.last);
    stance.terms |= terms;
    if (terms != 0 || before != 0) {
      reading.AddValues(clause, terms | before, stance.values);
      reading.NoteChange(clause, stance);
    }
    before = terms;
    if (terms == 0) {
      continue;
    }
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

double StanceReader::DifferingValues(const Stance& earlier, const Stance& later, bool names) const {
  double best = 0;
  for (const StatedValue& value : later.values) {
    const bool eligible =
        names ? value.kind == "name" : value.kind != "name" && IsOfAskedKind(value);
    if (!eligible || HasValue(earlier, value)) {
      continue;
    }
    for (const StatedValue& other : earlier.values) {
      if (AreComparable(value, other) && (names || IsOfAskedKind(other)) &&
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
  if (later.rearranges && shared >= kSharedWithRearrangement) {
    return Bearing::kSucceeds;
  }
  if (asked_ == Asked::kValue) {
    const bool differs = DifferingValues(earlier, later, false) >= kSharedOfValue;
    const double enough = later.changes ? kSharedWithChangedValue : kSharedWithValue;
    if ((differs && shared >= enough) ||
        (kinds_.empty() && later.changes && shared >= kSharedWithName &&
         DifferingValues(earlier, later, true) >= kSharedOfValue)) {
      return Bearing::kSucceeds;
    }
  }
  return Bearing::kNone;
}

}  // namespace umbranet
