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
    ReadCount();
    for (std::size_t i = clause_.first; i + 1 < clause_.last; ++i) {
      if (m_.Match(i, "call me") != 0) {
        ReadNickname(i);
      } else if (m_.Is(i, "as") && m_.IsAny(i + 1, {"a", "an"})) {
        ReadRole(i + 2);
      } else if (m_.Is(i, "in") && m_.IsAny(i + 1, {"the", "a"})) {
        ReadService(i + 2);
      } else if (m_.Is(i, "here") && m_.Is(i + 1, "in")) {
        ReadHere(i + 2);
      } else if (IsDiet(m_.Text(i + 1)) && !m_.Is(i, "being")) {
        ReadDiet(i);
      } else if (m_.IsAny(i, {"living", "working", "being"}) && OfSpeaker(i)) {
        ReadGerund(i);
      } else if (m_.Is(i, "with")) {
        ReadCompany(i + 1);
      } else if (m_.Is(i, "tall") || m_.Is(i + 1, "tall")) {
        ReadHeight(m_.Is(i, "tall") ? i : i + 1);
      } else if (m_.IsAny(i, {"become", "becoming"}) || m_.Match(i, "to be") != 0) {
        ReadCalling(i);
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

  [[nodiscard]] bool SpeakerBefore(std::size_t i) const {
    for (std::size_t j = clause_.first; j < i; ++j) {
      if (m_.IsAny(j, {"not", "never", "he", "she", "they", "you", "who", "his", "her", "if"})) {
        return false;
      }
    }
    for (std::size_t j = clause_.first; j < i; ++j) {
      if (m_.IsAny(j, {"i", "me", "my"})) {
        return !m_.Is(j, "my") || KinOf(m_.Text(j + 1)).relation.empty();
      }
    }
    return i == clause_.first;
  }

  // "Two sons.", "just one dog and a cat": an answer that only counts.
  void ReadCount() {
    std::size_t at = clause_.first;
    if (at > 0 && !m_.At(at - 1).symbol) {
      return;
    }
    while (m_.IsAny(at, {"just", "only", "yes", "yeah", "well", "oh"})) {
      ++at;
    }
    const bool counted = m_.IsAny(at, {"one", "two", "three", "four", "five", "six", "seven",
                                       "eight", "2", "3", "4", "5", "6", "7"});
    if (!counted) {
      return;
    }
    for (std::size_t i = at + 1; i < std::min(clause_.last, at + 3); ++i) {
      const Kin kin = KinOf(m_.Text(i));
      const bool pet = ClassOf(m_.Text(i)) == NounClass::kPet;
      const bool ends = i + 1 >= clause_.last || m_.At(i + 1).symbol ||
                        m_.IsAny(i + 1, {"and", "too", "though", "named", "called", "for"});
      if ((!kin.relation.empty() || pet) && ends) {
        FactSheet::Extra extra;
        extra.qualifier = std::string(pet ? std::string_view() : kin.relation);
        sheet_.Add(statement_, pet ? Predicate::kHasPet : Predicate::kRelation,
                   ObjectText(m_, {at, i + 1}), extra);
        return;
      }
    }
  }

  // "I am a technician with two brothers": whom one has, said beside.
  void ReadCompany(std::size_t at) {
    const bool counted = m_.IsAny(at, {"one", "two", "three", "four", "five", "six", "seven", "a",
                                       "2", "3", "4", "5", "6", "7"});
    std::size_t be = at - 1;
    while (be > clause_.first && !m_.IsAny(be, {"am", "are"})) {
      --be;
    }
    // "I am going out with two friends" has nobody.
    const bool is_one = m_.IsAny(be + 1, {"a", "an", "married", "single", "divorced", "widowed"});
    if (!counted || !is_one || be == clause_.first || !m_.IsAny(be - 1, {"i", "we"}) ||
        !SpeakerBefore(at)) {
      return;
    }
    for (std::size_t i = at + 1; i < std::min(clause_.last, at + 4); ++i) {
      const Kin kin = KinOf(m_.Text(i));
      const bool pet = ClassOf(m_.Text(i)) == NounClass::kPet;
      if (!kin.relation.empty() || pet) {
        FactSheet::Extra extra;
        extra.qualifier = std::string(pet ? std::string_view() : kin.relation);
        sheet_.Add(statement_, pet ? Predicate::kHasPet : Predicate::kRelation,
                   ObjectText(m_, {m_.Is(at, "a") ? at + 1 : at, i + 1}), extra);
        return;
      }
    }
  }

  // "being six foot tall", "over 7 ft tall".
  void ReadHeight(std::size_t tall) {
    const bool measured = tall >= 2 && m_.IsAny(tall - 1, {"foot", "feet", "ft", "inches", "cm"});
    if (measured && tall - 2 >= clause_.first &&
        (SpeakerBefore(tall) || m_.IsAny(clause_.first, {"over", "being", "about", "at"}) ||
         tall - 2 == clause_.first)) {
      sheet_.Add(statement_, Predicate::kPhysical, ObjectText(m_, {tall - 2, tall + 1}), {});
    }
  }

  // "studying to become a vet", "my dream is to be a pilot", "I plan on becoming a teacher".
  void ReadCalling(std::size_t i) {
    const std::size_t at = i + (m_.Is(i, "to") ? 2U : 1U);
    if (!m_.IsAny(at, {"a", "an"}) || !SpeakerBefore(i)) {
      return;
    }
    // "I am proud to be a nurse" wishes nothing, "I used to be one" neither; "I want my son to be
    // one" nothing for oneself.
    const bool wished =
        m_.IsAny(i, {"become", "becoming"}) ||
        m_.IsAny(i - 1, {"want", "wants", "hope", "hoping", "plan", "planning", "school", "college",
                         "studying", "training", "going", "working", "learning", "is", "like",
                         "love", "trying", "decided"});
    bool over = m_.IsAny(i - 1, {"used", "had"}) || m_.IsAny(i - 2, {"used", "had", "wanted"});
    for (std::size_t j = clause_.first; j < i; ++j) {
      over = over || !KinOf(m_.Text(j)).relation.empty();
    }
    const Phrase job = ObjectAt(m_, at, clause_.last);
    for (std::size_t j = job.first; wished && !over && j < job.last; ++j) {
      if (IsJob(m_.Text(j)) && (j + 1 == job.last || !IsJob(m_.Text(j + 1)))) {
        FactSheet::Extra extra;
        extra.qualifier = "become";
        sheet_.Add(statement_, Predicate::kWants, ObjectText(m_, {job.first, j + 1}), extra);
        return;
      }
    }
  }

  // "It is popular here in Oregon", but not "I am here in Oregon on vacation".
  void ReadHere(std::size_t at) {
    for (std::size_t j = clause_.first; j < clause_.last; ++j) {
      if (m_.IsAny(j, {"vacation", "holiday", "visiting", "trip", "tour", "business", "weekend",
                       "week", "conference", "you", "she", "he", "they"})) {
        return;
      }
    }
    const Phrase place = PlaceAt(m_, at, clause_.last);
    const bool named = !place.empty() && IsName(m_, place.first);
    if (named || (!place.empty() && SpeakerBefore(at))) {
      Add(Predicate::kLivesIn, place);
    }
  }

  // "I have been away in the army", "being in the navy".
  void ReadService(std::size_t at) {
    const std::size_t noun = at + (IsNationality(m_.Text(at)) || m_.Is(at, "us") ? 1U : 0U);
    const bool force = m_.Match(noun, "air force") != 0;
    const bool service = force || m_.IsAny(noun, {"army", "navy", "military", "marines"});
    if (service && (SpeakerBefore(at) || m_.Is(clause_.first, "being"))) {
      Add(Predicate::kWorksAt, {at, noun + (force ? 2U : 1U)});
    }
  }

  // "I went vegan", "been vegan since I was five", "I'm on a keto diet", "I chose to be vegan".
  void ReadDiet(std::size_t i) {
    const bool turned =
        m_.IsAny(i, {"went", "go", "going", "gone", "turned", "became", "been", "be", "stay"}) &&
        IsDiet(m_.Text(i + 1));
    const bool kept = m_.IsAny(i, {"my", "a"}) && IsDiet(m_.Text(i + 1)) &&
                      m_.IsAny(i + 2, {"diet", "plan", "lifestyle"});
    const std::size_t after = i + 2;
    const bool thing = turned && m_.IsAny(after, {"food", "restaurant", "restaurants", "options",
                                                  "dishes", "meals", "recipes", "cheese"});
    if ((turned || kept) && !thing && (SpeakerBefore(i + 1) || i == clause_.first)) {
      sheet_.Add(statement_, Predicate::kHealth, std::string(m_.Text(i + 1)),
                 {.qualifier = "diet", .supersedes = m_.IsAny(i, {"went", "turned", "became"})});
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
                         "because", "while", "about",  "tired", "from",  "by",    "currently"})) {
      return true;
    }
    if (m_.Is(i - 1, "and") && SpeakerBefore(i)) {
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
        sheet_.Add(statement_, Predicate::kHealth, std::string(word), extra);
        return;
      }
      if (IsBelief(word)) {
        Add(Predicate::kBelief, {i, i + 1});
        return;
      }
      // "as a nurse, I ..." opens the clause; "works as a nurse" is read with its verb.
      if (IsJob(word) && at == clause_.first + 2 && !m_.IsAny(at, {"ai", "language", "role"})) {
        Add(Predicate::kWorksAs, {at, i + 1});
        return;
      }
    }
  }

  void Add(Predicate predicate, Phrase phrase) {
    if (!phrase.empty()) {
      sheet_.Add(statement_, predicate, ObjectText(m_, phrase), {});
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
