#include <algorithm>

#include "umbranet/extraction/fact_finder.h"

// What is told of the speaker in passing, without a statement of its own.

namespace umbranet {
namespace {

class PassingReader {
 public:
  PassingReader(const Clause& clause, FactSheet& sheet)
      : clause_(clause), sheet_(sheet), m_(sheet.m()) {
    statement_.subject.name = std::string(sheet.context().self);
    statement_.subject_at = clause.first;
    statement_.verb = clause.first;
    statement_.end = clause.last;
  }

  void Read() {
    for (std::size_t i = clause_.first; i + 1 < clause_.last; ++i) {
      if (m_.Match(i, "call me") != 0) {
        ReadNickname(i);
      } else if (m_.Is(i, "as") && m_.IsAny(i + 1, {"a", "an"})) {
        ReadRole(i + 2);
      } else if (m_.IsAny(i, {"living", "working", "being"}) && OfSpeaker(i)) {
        ReadGerund(i);
      }
    }
  }

 private:
  // "Call me Theo", "everyone calls me Theo"; "never call me Bob" and "call me later" name nobody.
  void ReadNickname(std::size_t i) {
    const bool refused =
        i > clause_.first && m_.IsAny(i - 1, {"not", "never", "to", "stop", "ever"});
    const std::size_t last = EndOfName(m_, i + 2, clause_.last);
    const bool opens = i == clause_.first || m_.IsAny(i - 1, {"please", "just", "can", "may",
                                                              "always", "friends", "and"});
    if (!refused && opens && last > i + 2 && last == clause_.last) {
      FactSheet::Extra extra;
      extra.qualifier = "called";
      sheet_.Add(statement_, Predicate::kName, std::string(m_.Source(i + 2, last)), extra);
    }
  }

  // Whether a gerund can be the speaker's own: "I love living in ...", "living in ... is", "due to
  // me living in ...", but not "she is living in ..." and not "the cost of living in ...".
  [[nodiscard]] bool OfSpeaker(std::size_t i) const {
    if (i == clause_.first) {
      return true;
    }
    if (m_.IsAny(i - 1, {"me",      "my",    "love",   "like",  "enjoy", "hate",  "miss",
                         "started", "start", "prefer", "helps", "just",  "after", "since",
                         "because", "while", "about",  "tired", "from",  "by"})) {
      return true;
    }
    return m_.Is(i - 1, "of") && m_.IsAny(i - 2, {"tired", "sick", "fond", "proud"});
  }

  void ReadGerund(std::size_t i) {
    if (m_.Is(i, "being")) {
      ReadRole(m_.IsAny(i + 1, {"a", "an"}) ? i + 2 : i + 1);
      return;
    }
    const bool living = m_.Is(i, "living");
    if (!m_.IsAny(i + 1, {"in", "at", "near", "for", "as", "on"})) {
      return;
    }
    if (m_.Is(i + 1, "as") && !living) {
      const Phrase job = ObjectAt(m_, i + 2, clause_.last);
      Add(Predicate::kWorksAs, job);
      return;
    }
    const Phrase place = PlaceAt(m_, i + 2, clause_.last);
    if (place.empty() ||
        m_.IsAny(place.first, {"home", "general", "fact", "it", "that", "peace"})) {
      return;
    }
    if (living) {
      Add(Predicate::kLivesIn, place);
    } else if (m_.IsAny(i + 1, {"at", "for", "in"})) {
      Add(Predicate::kWorksAt, place);
    }
  }

  // "as a devout catholic", "being vegan", "as a nurse": what the speaker is.
  void ReadRole(std::size_t at) {
    constexpr std::size_t kRoleReach = 4;
    for (std::size_t i = at; i < std::min(clause_.last, at + kRoleReach); ++i) {
      const std::string_view word = m_.Text(i);
      if (m_.At(i).symbol || m_.IsAny(i, {"of", "to", "for", "in", "with", "and"})) {
        return;
      }
      if (IsDiet(word)) {
        FactSheet::Extra extra;
        extra.qualifier = "diet";
        extra.confidence = 0.6;
        sheet_.Add(statement_, Predicate::kHealth, std::string(word), extra);
        return;
      }
      if (IsBelief(word)) {
        Add(Predicate::kBelief, {i, i + 1});
        return;
      }
      // "as a nurse, I ..." opens the clause; "works as a nurse" is read with its verb.
      if (IsJob(word) && at == clause_.first + 2) {
        Add(Predicate::kWorksAs, {at, i + 1});
        return;
      }
    }
  }

  void Add(Predicate predicate, Phrase phrase) {
    if (!phrase.empty()) {
      sheet_.Add(statement_, predicate, ObjectText(m_, phrase), {.confidence = 0.6});
    }
  }

  const Clause& clause_;
  FactSheet& sheet_;
  const WordStream& m_;
  Statement statement_;
};

}  // namespace

void ReadPassing(const Sentence& sentence, FactSheet& sheet) {
  for (const Clause& clause : sentence.clauses) {
    if (!clause.question && !clause.conditional && !clause.reported) {
      PassingReader(clause, sheet).Read();
    }
  }
}

}  // namespace umbranet
