#include "umbranet/memory/stance_reading.h"

#include <cctype>
#include <unordered_set>

namespace umbranet {
namespace {

using WordSet = std::unordered_set<std::string_view>;

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

// What was before has been left for something else. Any form of the verbs counts.
constexpr std::string_view kMovingOn = "switch replace migrate swap convert rewrite rewrote";
constexpr std::array<std::array<std::string_view, 2>, 8> kMovingOnPairs = {{{"these", "days"},
                                                                            {"now", "on"},
                                                                            {"moved", "over"},
                                                                            {"moved", "on"},
                                                                            {"no", "longer"},
                                                                            {"any", "more"},
                                                                            {"is", "now"},
                                                                            {"are", "now"}}};
constexpr std::array<std::string_view, 4> kMovingOnAdverbs = {"lately", "nowadays", "instead",
                                                              "anymore"};
// Something is over. Any form counts.
constexpr std::string_view kEnding = "quit resign stop cancel sell sold drop finish abandon";
constexpr std::array<std::array<std::string_view, 2>, 7> kEndingPairs = {{{"gave", "up"},
                                                                          {"given", "up"},
                                                                          {"giving", "up"},
                                                                          {"called", "off"},
                                                                          {"no", "longer"},
                                                                          {"any", "more"},
                                                                          {"got", "rid"}}};

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

}  // namespace

StanceReading::StanceReading(std::string_view text)
    : text_(text.substr(0, text.find("```"))), tokens_(Tokenize(text_)) {
  StanceClause clause;
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

bool StanceReading::OpensClause(std::size_t i) const {
  static const WordSet openers = {"but",         "because", "so",    "since", "although",
                                  "considering", "though",  "which", "while", "whereas"};
  const std::string_view gap = Gap(i);
  // A point within a number ("4.5", "9:30") is none.
  const bool inside = gap.size() == 1 && IsNumber(Word(i)) && IsNumber(Word(i - 1));
  return openers.contains(Word(i)) ||
         (!inside && gap.find_first_of(",;:!?.\n") != std::string_view::npos);
}

std::size_t StanceReading::DeniedFrom(const StanceClause& clause) const {
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

bool StanceReading::HasHappened(const StanceClause& clause) const {
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

void StanceReading::NoteChange(const StanceClause& clause, Stance& stance) const {
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

bool StanceReading::MovesOn(const StanceClause& clause) const {
  static const StemSet moving_on = StemsOf(kMovingOn);
  for (std::size_t i = clause.first; i < clause.last; ++i) {
    if (moving_on.contains(tokens_[i].term) || IsPair(i, kMovingOnPairs) ||
        PlaceIn(kMovingOnAdverbs, Word(i)) < kMovingOnAdverbs.size()) {
      return true;
    }
  }
  return false;
}

bool StanceReading::Ends(const StanceClause& clause) const {
  static const StemSet ending = StemsOf(kEnding);
  for (std::size_t i = clause.first; i < clause.last; ++i) {
    if (ending.contains(tokens_[i].term) || Word(i) == "anymore" || IsPair(i, kEndingPairs)) {
      return true;
    }
  }
  return false;
}

// "March 22", "22 March", "the 22nd of March", "Friday". Each returns the number of words read, or
// 0.
std::size_t StanceReading::ReadDate(std::size_t i, StatedValue& value) const {
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
std::size_t StanceReading::ReadClock(std::size_t i, StatedValue& value) const {
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
std::size_t StanceReading::ReadAmount(std::size_t i, std::size_t last, StatedValue& value) const {
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

void StanceReading::AddValues(const StanceClause& clause, TermSet terms,
                              const std::vector<std::string>& which,
                              std::vector<StatedValue>& values) const {
  // These tell nothing from its like.
  static const WordSet vague = {"new",  "same", "main", "other", "right", "whole", "next",
                                "last", "only", "good", "best",  "big",   "great", "old"};
  for (std::size_t i = clause.first + 1; i < clause.last; ++i) {
    const bool told = std::find(which.begin(), which.end(), tokens_[i].term) != which.end();
    const TextToken& before = tokens_[i - 1];
    if (told && !before.stop_word && !vague.contains(before.folded) && !IsNumber(before.folded) &&
        Gap(i).size() == 1) {
      values.push_back({"which:" + tokens_[i].term, before.term, terms});
    }
  }
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

}  // namespace umbranet
