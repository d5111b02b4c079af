#include <algorithm>
#include <array>
#include <utility>

#include "umbranet/extraction/fact_finder.h"

// What possessives tell: pets, relatives, belongings, looks, favourites, names.

namespace umbranet {
namespace {

using Extra = FactSheet::Extra;

class PossessionReader {
 public:
  PossessionReader(const Sentence& sentence, FactSheet& sheet)
      : sentence_(sentence), sheet_(sheet), m_(sheet.m()) {}

  void Read() {
    for (const Clause& clause : sentence_.clauses) {
      if (clause.conditional) {
        continue;
      }
      for (std::size_t i = clause.first; i < clause.last; ++i) {
        if (m_.IsAny(i, {"her", "his", "its"}) && m_.Is(i + 1, "name") &&
            m_.IsAny(i + 2, {"is", "'s"}) && i + 3 < clause.last && !clause.question) {
          const std::size_t last = std::max(EndOfName(m_, i + 3, clause.last), i + 4);
          sheet_.NameLast(std::string(m_.Source(i + 3, last)));
          continue;
        }
        // "What is your favorite color? Mine is teal."
        const bool mine = (m_.Is(i, "mine") && m_.IsAny(i + 1, {"is", "'s", "are"})) ||
                          (m_.Is(i, "mines") && i + 1 < clause.last);
        if (mine && !sheet_.asked_favorite().empty()) {
          const Phrase value =
              ObjectAt(m_, m_.IsAny(i + 1, {"is", "'s", "are"}) ? i + 2 : i + 1, clause.last);
          if (!value.empty() && !m_.IsAny(value.first, {"not", "the", "also", "too"})) {
            Extra extra;
            extra.qualifier = ObjectText(m_, sheet_.asked_favorite());
            sheet_.Add(OfSelf(clause), Predicate::kFavorite, ObjectText(m_, value), extra);
          }
          continue;
        }
        if (!clause.question && !clause.reported) {
          ReadTheirFavorite(clause, i);
        }
        if (!m_.IsAny(i, {"my", "our"})) {
          continue;
        }
        // What others say is theirs, but whom they speak of is there: "my sister says".
        if (clause.reported) {
          if (const auto read = ReadMention(m_, i, clause.last, sheet_.context().self)) {
            sheet_.Introduce(read->mention);
          }
          continue;
        }
        if (!clause.question && ReadFavorite(clause, i)) {
          continue;
        }
        if (ReadName(clause, i) || (!clause.question && ReadJobPlace(clause, i))) {
          continue;
        }
        ReadNoun(clause, i);
      }
    }
  }

 private:
  [[nodiscard]] Statement OfSelf(const Clause& clause) const {
    Statement statement;
    statement.subject.name = std::string(sheet_.context().self);
    statement.subject_at = clause.first;
    statement.verb = clause.first;
    statement.end = clause.last;
    return statement;
  }

  // "my daughter's favorite food is pizza".
  void ReadTheirFavorite(const Clause& clause, std::size_t i) {
    const auto owner = ReadMention(m_, i, clause.last, sheet_.context().self);
    if (!owner || !m_.Is(owner->next, "'s") ||
        !m_.IsAny(owner->next + 1, {"favorite", "favourite"})) {
      return;
    }
    const std::size_t kind = owner->next + 2;
    for (std::size_t be = kind; be < std::min(clause.last, kind + 4); ++be) {
      if (m_.IsAny(be, {"is", "are", "'s"}) && !m_.Is(be + 1, "not")) {
        Statement statement = OfSelf(clause);
        statement.subject = owner->mention;
        if (!owner->mention.relation.empty()) {
          statement.subject.name = sheet_.Introduce(owner->mention);
        }
        Extra extra;
        extra.qualifier = ObjectText(m_, Kind(kind, be));
        sheet_.Add(statement, Predicate::kFavorite,
                   ObjectText(m_, ObjectAt(m_, be + 1, clause.last)), extra);
        return;
      }
    }
  }

  // "my favorite color is red", "red is my favorite color", "my favorite is red".
  bool ReadFavorite(const Clause& clause, std::size_t i) {
    std::size_t at = i + 1;
    if (m_.IsAny(at, {"all", "absolute", "all-time", "very"})) {
      ++at;
      if (m_.Is(at, "time")) {
        ++at;
      }
    }
    if (!m_.IsAny(at, {"favorite", "favourite", "favorites", "favourites", "fav", "fave"})) {
      return false;
    }
    // What it is the favourite of.
    std::size_t noun = at + 1;
    std::size_t be = clause.last;
    for (std::size_t j = noun; j < std::min(clause.last, noun + 8); ++j) {
      if (m_.IsAny(j, {"is", "are", "was", "were", "has", "would", "'s"})) {
        be = j;
        break;
      }
    }
    Extra extra;
    Statement statement = OfSelf(clause);
    if (be < clause.last) {
      extra.qualifier = ObjectText(m_, Kind(noun, be));
      std::size_t value = be + 1;
      while (m_.IsAny(value, {"to", "be", "have", "been", "probably", "definitely", "always", "by",
                              "when", "actually", "also", "still", "now", "currently"})) {
        ++value;
      }
      if (m_.IsAny(value, {"not", "what", "how", "that", "so", "because", "it", "about"}) ||
          m_.Match(value, "the ones") != 0) {
        return true;
      }
      for (const Phrase& part : SplitObjects(m_, ObjectAt(m_, value, clause.last))) {
        sheet_.Add(statement, Predicate::kFavorite, ObjectText(m_, part), extra);
      }
      return true;
    }
    // The value stands before: "pasta is my favorite (food)".
    for (std::size_t j = clause.first; j < i; ++j) {
      if (!m_.IsAny(j, {"is", "are", "was", "'s"}) || j == clause.first) {
        continue;
      }
      std::size_t first = clause.first;
      while (first < j && m_.IsAny(first, {"and", "but", "so", "because", "i", "think", "yes", "oh",
                                           "well", "yeah", "guess", "the"})) {
        ++first;
      }
      if (first < j && j - first <= 5 &&
          !m_.IsAny(first, {"it", "that", "they", "this", "those", "these", "which", "he", "she",
                            "what", "there", "one", "its"})) {
        extra.qualifier = ObjectText(m_, Kind(noun, clause.last));
        AddBefore(statement, {first, j}, extra);
      } else if (j == first + 1) {
        AddNamedBefore(first, Kind(noun, clause.last));
      }
      return true;
    }
    // "some ice cream, my favorite", "its my favorite color".
    const bool apposed = (i == clause.first && i > sentence_.first && m_.Is(i - 1, ",")) ||
                         EndsInApposition(clause, i, noun);
    if (apposed || (i > 0 && m_.Is(i - 1, "its"))) {
      AddNamedBefore(apposed ? i : i - 1, Kind(noun, clause.last));
    }
    // "my favorite band Nirvana", "listening to my favorite band".
    return true;
  }

  // "just had sushi and pizza my favorite": nothing else stands behind, a noun before it.
  [[nodiscard]] bool EndsInApposition(const Clause& clause, std::size_t i, std::size_t noun) const {
    if (i == clause.first || m_.At(i - 1).symbol || Kind(noun, clause.last).last < clause.last) {
      return false;
    }
    const Phrase before = NounBefore(m_, clause.first, i);
    return !before.empty() && before.first > clause.first && LemmaOf(m_.Text(i - 1)).empty() &&
           !m_.IsAny(i - 1, {"and", "or", "not", "even", "that", "this", "is", "be", "all", "of"});
  }

  // "pasta is", "plums and figs are my favorites"; not "we had soup that is".
  void AddBefore(const Statement& statement, Phrase phrase, const Extra& extra) {
    if (m_.IsAny(phrase.last - 1, {"that", "which", "it", "this", "these", "those"})) {
      return;
    }
    for (const Phrase& part : SplitObjects(m_, phrase)) {
      sheet_.Add(statement, Predicate::kFavorite, ObjectText(m_, part), extra);
    }
  }

  // What "it" stands for in "it is my favorite": what was named last, of colours the last colour.
  void AddNamedBefore(std::size_t pronoun, Phrase kind) {
    Statement statement;
    statement.subject.name = std::string(sheet_.context().self);
    Extra extra;
    extra.qualifier = ObjectText(m_, kind);
    constexpr std::size_t kReach = 16;
    const std::size_t floor = pronoun > kReach ? pronoun - kReach : 0;
    const bool color =
        extra.qualifier.starts_with("color") || extra.qualifier.starts_with("colour");
    std::size_t end = pronoun;
    while (end > floor && (m_.At(end - 1).symbol ||
                           m_.IsAny(end - 1, {"and", "because", "since", "as", "too", "yes", "one",
                                              "they", "it", "that", "which", "so", "now"}))) {
      --end;
    }
    if (color) {
      while (end > floor && !IsColor(m_.Text(end - 1))) {
        --end;
      }
      if (end > floor) {
        sheet_.Add(statement, Predicate::kFavorite, std::string(m_.Text(end - 1)), extra);
      }
      return;
    }
    Phrase thing = NounBefore(m_, floor, end);
    // "Toto at the hall": the place is not meant.
    if (thing.first > floor + 2) {
      std::size_t before = thing.first - 1;
      before -= m_.IsAny(before, {"the", "a", "an", "my"}) ? 1U : 0U;
      if (m_.IsAny(before, {"at", "in", "on", "with", "from", "for"})) {
        const Phrase other = NounBefore(m_, floor, before);
        thing = other.empty() || IsCommonWord(m_.Text(other.last - 1)) ? thing : other;
      }
    }
    if (thing.empty() || thing.last < thing.first + 1 || IsAbstract(m_.Text(thing.last - 1)) ||
        m_.IsAny(thing.last - 1, {"me", "you", "there", "here", "it", "that", "them"}) ||
        m_.Text(thing.last - 1).ends_with("ly")) {
      return;
    }
    sheet_.Add(statement, Predicate::kFavorite, ObjectText(m_, thing), extra);
  }

  // "color" of "my favorite color of all time is".
  [[nodiscard]] Phrase Kind(std::size_t first, std::size_t last) const {
    Phrase kind{first, first};
    for (std::size_t i = first; i < std::min(last, first + 4); ++i) {
      if (m_.At(i).symbol || m_.IsAny(i, {"of", "in", "to", "on", "for", "right", "too", "so",
                                          "and", "ever", "though", "at", "lol", "i"})) {
        break;
      }
      kind.last = i + 1;
    }
    return kind;
  }

  // "my name is Theo", "my sister's name is Ana", "my job title is".
  bool ReadName(const Clause& clause, std::size_t i) {
    const bool own = m_.Is(i + 1, "name");
    std::size_t at = i + 1;
    std::optional<MentionRead> owner;
    if (!own) {
      owner = ReadMention(m_, i, clause.last, sheet_.context().self);
      if (!owner || !m_.Is(owner->next, "'s") || !m_.Is(owner->next + 1, "name")) {
        return false;
      }
      at = owner->next + 1;
    }
    if (!m_.IsAny(at + 1, {"is", "'s"}) || at + 2 >= clause.last || clause.question) {
      return own;
    }
    std::size_t last = EndOfName(m_, at + 2, clause.last);
    if (last == at + 2) {
      last = at + 3;
    }
    if (m_.IsAny(at + 2, {"not", "on", "in", "a", "the", "too"})) {
      return own;
    }
    const std::string name(m_.Source(at + 2, last));
    if (own) {
      sheet_.Add(OfSelf(clause), Predicate::kName, name, {.supersedes = true});
    } else {
      Mention named = owner->mention;
      named.name = name;
      sheet_.Introduce(named);
    }
    return true;
  }

  // "my job at the bank", "my work as a nurse".
  bool ReadJobPlace(const Clause& clause, std::size_t i) {
    std::size_t at = i + 1;
    if (m_.IsAny(at, {"new", "day", "part-time", "full-time", "current"})) {
      ++at;
    }
    if (m_.Match(at, "part time") != 0 || m_.Match(at, "full time") != 0) {
      at += 2;
    }
    if (!m_.IsAny(at, {"job", "work", "shift", "career"})) {
      return ReadNamedJob(i + 1);
    }
    if (m_.Is(at + 1, "is") && m_.IsAny(at + 2, {"at", "with"})) {
      ++at;
    }
    if (m_.IsAny(at + 1, {"at", "with"})) {
      const Phrase place = PlaceAt(m_, at + 2, clause.last);
      if (!place.empty() && !m_.IsAny(place.first, {"home", "moment", "night"})) {
        sheet_.Add(OfSelf(clause), Predicate::kWorksAt, ObjectText(m_, place), {});
      }
    } else if (m_.Is(at + 1, "as")) {
      const Phrase job = ObjectAt(m_, at + 2, clause.last);
      if (!job.empty()) {
        sheet_.Add(OfSelf(clause), Predicate::kWorksAs, ObjectText(m_, job), {});
      }
    }
    return true;
  }

  // "my factory job", "my coffee shop job".
  bool ReadNamedJob(std::size_t first) {
    constexpr std::size_t kReach = 4;
    for (std::size_t j = first + 1; j < first + kReach && !m_.At(j).symbol; ++j) {
      const bool work = IsWorkplace(m_.Text(j - 1));
      if (m_.Is(j, "job") && work) {
        Statement statement;
        statement.subject.name = std::string(sheet_.context().self);
        sheet_.Add(statement, Predicate::kWorksAt, ObjectText(m_, {first, j}), {});
        return true;
      }
    }
    return false;
  }

  void ReadNoun(const Clause& clause, std::size_t i) {
    if (const auto read = ReadMention(m_, i, clause.last, sheet_.context().self)) {
      sheet_.Introduce(read->mention);
      ReadSecond(read->next);
      return;
    }
    // "my 2011 Volkswagen", "my long hair", "my wheelchair".
    constexpr std::size_t kReach = 4;
    for (std::size_t j = i + 1; j < std::min(clause.last, i + kReach); ++j) {
      if (m_.At(j).symbol || m_.IsAny(j, {"and", "is", "of", "'s", "to", "in", "friend"})) {
        return;
      }
      const NounClass noun = ClassOf(m_.Text(j));
      if (noun == NounClass::kVehicle || noun == NounClass::kOwnable) {
        while (ClassOf(m_.Text(j + 1)) == NounClass::kVehicle) {
          ++j;  // "my pickup truck", "my Chevy truck"
        }
        // "my car insurance", "my phone number", "my house cleaner".
        if (m_.IsAny(j + 1,
                     {"insurance", "number", "cleaner", "keys", "payment", "loan", "mate",
                      "membership", "subscription", "class", "bag", "case", "trainer", "buddy"})) {
          return;
        }
        if (noun == NounClass::kVehicle && m_.Is(j + 1, "is") && m_.IsAny(j + 2, {"a", "an"})) {
          // "my car is a Civic"
          const Phrase make = ObjectAt(m_, j + 3, clause.last);
          if (!make.empty() &&
              (IsName(m_, make.first) || ClassOf(m_.Text(make.first)) == NounClass::kVehicle)) {
            sheet_.Add(OfSelf(clause), Predicate::kOwns, ObjectText(m_, make), {});
            return;
          }
        }
        const std::size_t first = m_.Is(i + 1, "own") ? i + 2 : i + 1;
        sheet_.Add(OfSelf(clause), Predicate::kOwns, ObjectText(m_, {first, j + 1}), {});
        if (m_.IsAny(j, {"house", "apartment", "flat", "condo", "home"}) && m_.Is(j + 1, "in") &&
            IsName(m_, j + 2)) {
          sheet_.Add(OfSelf(clause), Predicate::kLivesIn,
                     ObjectText(m_, PlaceAt(m_, j + 2, clause.last)), {});
        }
        return;
      }
      if (noun == NounClass::kDegree && !clause.question) {
        // "my teaching degree", "my masters in history", "my degree is in marketing"
        std::size_t field = j + (m_.Is(j + 1, "is") ? 2U : 1U);
        std::size_t last = j + 1;
        if (m_.Is(field, "in") && !m_.IsAny(field + 1, {"the", "my", "a"})) {
          last = std::max(last, ObjectAt(m_, field + 1, clause.last).last);
        } else {
          field = j;
        }
        const bool apart = m_.Is(j + 1, "is") && field > j;
        sheet_.Add(OfSelf(clause), Predicate::kStudies,
                   ObjectText(m_, {apart ? field + 1 : i + 1, last}), {});
        return;
      }
      if (noun == NounClass::kBody && !clause.question) {
        ReadLooks(clause, i + 1, j);
        return;
      }
    }
  }

  // "my dogs and cats", "my wife and kids".
  void ReadSecond(std::size_t at) {
    if (!m_.Is(at, "and")) {
      return;
    }
    const bool pet = ClassOf(m_.Text(at + 1)) == NounClass::kPet;
    const Kin kin = KinOf(m_.Text(at + 1));
    const bool other = pet ? m_.Text(at + 1) != SingularOf(m_.Text(at + 1)) : kin.plural;
    if (!other || m_.Is(at + 2, "'s")) {
      return;
    }
    Mention mention;
    mention.plural = true;
    mention.type = pet ? EntityType::kAnimal : EntityType::kPerson;
    mention.relation = std::string(pet ? SingularOf(m_.Text(at + 1)) : kin.relation);
    mention.owner = std::string(sheet_.context().self);
    mention.description = Describe(mention.owner, m_.Text(at + 1));
    mention.name = mention.description;
    sheet_.Introduce(mention);
  }

  // "my hair is red", "my long hair".
  void ReadLooks(const Clause& clause, std::size_t first, std::size_t noun) {
    if (m_.IsAny(noun + 1, {"hurts", "hurt", "aches", "ache"}) ||
        (m_.IsAny(noun + 1, {"is", "was"}) &&
         m_.IsAny(noun + 2, {"broken", "sprained", "injured", "fractured", "sore"}))) {
      const std::size_t told = noun + (m_.IsAny(noun + 1, {"is", "was"}) ? 2U : 1U);
      sheet_.Add(OfSelf(clause), Predicate::kHealth,
                 told == noun + 1
                     ? ObjectText(m_, {first, told + 1})
                     : std::string(m_.Text(told)) + ' ' + ObjectText(m_, {first, noun + 1}),
                 {.qualifier = "injury"});
      return;
    }
    if (m_.IsAny(noun + 1, {"is", "are"})) {
      const Phrase value = ObjectAt(m_, noun + 2, std::min(clause.last, noun + 6));
      if (!value.empty() && (IsColor(m_.Text(value.last - 1)) ||
                             m_.IsAny(value.first, {"long", "short", "curly", "straight", "blonde",
                                                    "brown", "dark"}))) {
        sheet_.Add(OfSelf(clause), Predicate::kPhysical,
                   ObjectText(m_, value) + ' ' + std::string(m_.Text(noun)), {});
        return;
      }
    }
    if (noun > first) {
      sheet_.Add(OfSelf(clause), Predicate::kPhysical, ObjectText(m_, {first, noun + 1}), {});
    }
  }

  const Sentence& sentence_;
  FactSheet& sheet_;
  const WordStream& m_;
};

}  // namespace

void ReadPossessions(const Sentence& sentence, FactSheet& sheet) {
  PossessionReader(sentence, sheet).Read();
}

}  // namespace umbranet
