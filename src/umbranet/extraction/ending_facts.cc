#include <algorithm>

#include "umbranet/extraction/fact_finder.h"

// What is over: "I sold my car", "I quit my job at Acme", "the dentist appointment got cancelled".
// Read before everything else of a sentence, so that "my car" in it is no evidence of a car.

namespace umbranet {
namespace {

class EndingReader {
 public:
  EndingReader(const Clause& clause, FactSheet& sheet)
      : clause_(clause), sheet_(sheet), m_(sheet.m()) {
    statement_.subject.name = std::string(sheet.context().self);
    statement_.subject_at = clause.first;
    statement_.verb = clause.first;
    statement_.end = clause.last;
  }

  void Read() {
    for (std::size_t i = clause_.first; i < clause_.last; ++i) {
      if (m_.IsAny(i, {"i", "we"})) {
        ReadDeed(i + 1);
      } else if (m_.IsAny(i, {"my", "our", "the"}) && ReadCancelled(i + 1)) {
        return;
      }
    }
  }

 private:
  void ReadDeed(std::size_t at) {
    while (m_.IsAny(at, {"have", "just", "finally", "recently", "already", "had", "also", "since",
                         "now", "actually"})) {
      ++at;
    }
    std::size_t rest = 0;
    for (const std::string_view parting : {"sold", "gave away", "donated", "got rid of", "lost",
                                           "threw away", "given away", "gotten rid of"}) {
      rest = std::max(rest, m_.Match(at, parting));
    }
    if (rest != 0 && m_.IsAny(rest, {"my", "our"})) {
      EndPossession(rest + 1);
      return;
    }
    rest = 0;
    for (const std::string_view leaving :
         {"quit", "left", "resigned from", "was fired from", "got fired from", "was laid off from",
          "got laid off from", "lost"}) {
      rest = std::max(rest, m_.Match(at, leaving));
    }
    if (rest != 0) {
      EndJob(rest);
    }
  }

  void EndPossession(std::size_t at) {
    const Phrase thing = ObjectAt(m_, at, clause_.last);
    // "I lost my job", "I sold my share of it", "I lost my temper": not that thing, or none.
    if (thing.empty() || m_.IsAny(thing.first, {"job", "work", "position", "share", "temper",
                                                "mind", "way", "appetite", "patience", "voice"})) {
      EndJob(at - 1);
      return;
    }
    sheet_.Add(statement_, Predicate::kOwns, ObjectText(m_, thing), {.retracts = true});
  }

  // "my job", "my old position at Acme", "Acme" where that is known for a company.
  void EndJob(std::size_t at) {
    std::size_t i = at;
    while (m_.IsAny(i, {"my", "the", "our", "old", "last", "current", "day", "full-time"})) {
      ++i;
    }
    std::string employer;
    if (m_.IsAny(i, {"job", "position", "work"})) {
      if (m_.IsAny(i + 1, {"at", "with", "for"})) {
        employer = NameAt(i + 2);
      } else if (i + 1 != clause_.last && !m_.At(i + 1).symbol &&
                 !m_.IsAny(i + 1, {"last", "yesterday", "today", "this", "in", "on", "and", "to",
                                   "because", "two", "a"})) {
        return;
      }
    } else {
      employer = NameAt(i);
      if (employer.empty() || !sheet_.context().entities.IsKnown(employer)) {
        return;
      }
    }
    sheet_.Add(statement_, Predicate::kWorksAt, employer, {.retracts = true});
  }

  // "the dentist appointment got cancelled": it has no time any more, whatever it was.
  bool ReadCancelled(std::size_t at) {
    constexpr std::size_t kNameWordsMax = 5;
    std::size_t end = at;
    while (end < clause_.last && end < at + kNameWordsMax &&
           !m_.IsAny(end, {"was", "were", "is", "are", "got", "has", "have", "been"})) {
      ++end;
    }
    std::size_t verb = end;
    while (m_.IsAny(verb, {"was", "were", "is", "are", "got", "has", "have", "been", "just"})) {
      ++verb;
    }
    const bool cancelled =
        m_.IsAny(verb, {"cancelled", "canceled"}) || m_.Match(verb, "called off") != 0;
    if (end == at || verb == end || !cancelled) {
      return false;
    }
    FactSheet::Extra extra;
    extra.qualifier = ObjectText(m_, {at, end});
    extra.retracts = true;
    sheet_.Add(statement_, Predicate::kState, "", extra);
    return true;
  }

  [[nodiscard]] std::string NameAt(std::size_t at) const {
    const std::size_t last = EndOfName(m_, at, clause_.last);
    return last > at ? std::string(m_.Source(at, last)) : std::string();
  }

  const Clause& clause_;
  FactSheet& sheet_;
  const WordStream& m_;
  Statement statement_;
};

}  // namespace

void ReadEndings(const Sentence& sentence, FactSheet& sheet) {
  for (const Clause& clause : sentence.clauses) {
    if (!clause.question && !clause.conditional && !clause.reported) {
      EndingReader(clause, sheet).Read();
    }
  }
}

}  // namespace umbranet
