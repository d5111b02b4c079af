// What a text says about the thing that a question asks about, as far as a later text can overtake
// it: the values that it names there, what it denies, whether it tells of a change. This is for
// what was said in passing and became no fact of the graph. Pure; may be called from any thread.
//
// Only the clauses that hold a word of the question are read, and the clause behind each: "the
// commits in the main branch, which have now reached 165". What stands in a fence of code is no
// statement.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "umbranet/memory/question.h"

namespace umbranet {

// Asked terms, by their index in Question::terms, which holds no more than fit.
using TermSet = std::uint64_t;
static_assert(kQuestionTermsMax <= 64);

// A value of a kind that two texts can differ in. Of counts the kind says of what, so that three
// rooms do not differ from two cats.
struct StatedValue {
  // "money", "percent", "clock", "date", "weekday", "name", "count:room", "count:", "which:room".
  std::string kind;
  std::string value;  // "650", "4:30pm", "april 5"
  TermSet terms = 0;  // What is asked about in its clause, or else in the one before.
};

struct Stance {
  TermSet terms = 0;  // Asked terms in all of the text.
  std::vector<StatedValue> values;
  bool changes = false;     // "reached", "moved", "now": counts beside another value.
  bool rearranges = false;  // "rescheduled", "extended", "cancelled": counts by itself.
  // Asked terms of clauses by which what was has been left for something else: "these days".
  TermSet moved_on = 0;
  TermSet ended = 0;          // Asked terms of clauses that give something up: "quit", "no longer".
  bool has_happened = false;  // Told as done: "I met", "we have been".
  TermSet denied = 0;         // Asked terms of the clause that denies most of what is asked.
  double denied_part = 0;     // Of that clause's own words the part that is asked about.
};

// How a later statement bears on an earlier one.
enum class Bearing : std::uint8_t {
  kNone,         // It speaks of something else, or says the same.
  kSucceeds,     // Things have changed: another value, or another state.
  kContradicts,  // It denies flatly what the other asserts, or the other way round.
};

class StanceReader {
 public:
  // `weights` are those of the question's terms. Both must outlive the reader.
  StanceReader(const Question& question, const std::vector<double>& weights);
  StanceReader(Question&&, const std::vector<double>&) = delete;

  // False for questions that no later statement answers better than an earlier one: those for the
  // past, for lists and for how something went.
  [[nodiscard]] bool Applies() const { return asked_ != Asked::kNothing; }

  [[nodiscard]] Stance Read(std::string_view text) const;

  [[nodiscard]] Bearing BearingOf(const Stance& earlier, const Stance& later) const;

 private:
  enum class Asked : std::uint8_t { kNothing, kWhether, kValue };

  void ReadWhatIsAsked();
  void ReadKinds();
  void ReadWhich();
  [[nodiscard]] double Mass(TermSet terms) const;
  [[nodiscard]] bool IsOfAskedKind(const StatedValue& value) const;
  enum class Compared : std::uint8_t { kNames, kWhich, kOthers };

  // The greatest overlap of what two differing values are said of, 0 when none differ.
  [[nodiscard]] double DifferingValues(const Stance& earlier, const Stance& later,
                                       Compared compared) const;
  [[nodiscard]] Bearing BearingOfDenial(const Stance& earlier, const Stance& later) const;

  const Question& question_;
  const std::vector<double>& weights_;
  std::unordered_map<std::string_view, std::size_t> places_;  // Views into question_.terms.
  Asked asked_ = Asked::kNothing;
  std::vector<std::string> kinds_;    // Of the value that is asked for; empty: any.
  std::vector<std::string> counted_;  // "how many open tickets": stems of what is counted.
  std::vector<std::string> which_;    // "which blue room": stems of what is to be told from others.
};

}  // namespace umbranet
