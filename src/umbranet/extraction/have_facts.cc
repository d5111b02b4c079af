#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_set>

#include "umbranet/extraction/fact_finder.h"

// What having tells: pets, relatives, belongings, looks, illnesses, degrees, jobs.

namespace umbranet {
namespace {

using Extra = FactSheet::Extra;
using WordSet = std::unordered_set<std::string_view>;

class HaveReader {
 public:
  HaveReader(const Statement& s, FactSheet& sheet) : s_(s), sheet_(sheet), m_(sheet.m()) {}

  void Read() {
    if (s_.supposed || s_.future || m_.Is(s_.rest, "to") || m_.Is(s_.rest, "been")) {
      return;
    }
    std::size_t at = s_.rest;
    const bool none = m_.Is(at, "no");
    if (none) {
      ++at;
    }
    Extra extra;
    extra.negated = (s_.negated && !s_.ended) || none;
    extra.retracts = s_.ended;
    const std::size_t end = s_.end;
    // The noun decides what kind of having it is.
    constexpr std::size_t kNounReach = 6;
    for (std::size_t i = at; i < std::min(end, at + kNounReach); ++i) {
      if (m_.At(i).symbol ||
          m_.IsAny(i, {"with", "for", "in", "at", "on", "to", "that", "who", "because", "about",
                       "when", "from", "outside", "without"})) {
        break;
      }
      if (ReadNoun(at, i, extra)) {
        ReadSecond(i + 1, extra);
        return;
      }
    }
    const Phrase phrase = ObjectAt(m_, at, end);
    if (phrase.empty() || s_.past || none || IsAbstract(m_.Text(phrase.last - 1)) ||
        IsAbstract(m_.Text(phrase.first)) || !m_.IsAny(at, {"a", "an", "my", "two", "three"})) {
      return;
    }
    if (ClassOf(m_.Text(phrase.last - 1)) != NounClass::kNone) {
      sheet_.Add(s_, Predicate::kOwns, ObjectText(m_, phrase), extra);
    }
  }

 private:
  // "a dog and two cats": the noun after the "and".
  void ReadSecond(std::size_t at, const Extra& extra) {
    for (int more = 0; more < 3; ++more) {
      at += m_.IsAny(at, {"too", "also"}) ? 1U : 0U;
      // A comma ends the clause, but not the list.
      if (!m_.IsAny(at, {"and", ",", "&"})) {
        return;
      }
      const bool closing = m_.Is(at, ",") && m_.Is(at + 1, "and");
      at += closing ? 1U : 0U;
      std::size_t next = 0;
      for (std::size_t i = at + 1; i < at + 5 && !m_.At(i).symbol; ++i) {
        if (m_.IsAny(i, {"i", "my", "we", "he", "she", "they", "it", "is", "the", "her", "his"})) {
          return;
        }
        if (ReadNoun(at + 1, i, extra)) {
          next = i + 1;
          break;
        }
      }
      if (next == 0) {
        return;
      }
      at = next;
    }
  }

  bool ReadNoun(std::size_t first, std::size_t i, const Extra& extra) {
    const std::string_view word = m_.Text(i);
    if (const Kin kin = KinOf(word); !kin.relation.empty() && kin.relation != "family") {
      return ReadKin(first, i, kin, extra);
    }
    if (word == "family") {
      sheet_.Add(s_, Predicate::kRelation, "family", extra);
      return true;
    }
    switch (ClassOf(word)) {
      case NounClass::kPet:
        if (const std::size_t kind = KindOfPet(i); kind > i) {
          sheet_.Add(s_, Predicate::kHasPet, ObjectText(m_, Noun(first, kind)), extra);
          return true;
        }
        // "a dog house", "a cat person", "a pet fish".
        if (m_.IsAny(i + 1, {"house", "person", "food", "sitter", "allergy", "farm", "farms",
                             "training", "walking", "shelter"}) ||
            ClassOf(m_.Text(i + 1)) == NounClass::kPet) {
          return false;
        }
        ReadPet(first, i, extra);
        return true;
      case NounClass::kVehicle:
      case NounClass::kOwnable:
      case NounClass::kInstrument:
        // "a computer science degree", "a boat house": the last noun is what is had.
        if (ClassOf(m_.Text(i + 1)) != NounClass::kNone || m_.Is(i + 2, "degree")) {
          return false;
        }
        sheet_.Add(s_, Predicate::kOwns, ObjectText(m_, Noun(first, i)), extra);
        if (!extra.negated && !extra.retracts) {
          sheet_.AddDwellingPlace(s_, Noun(first, i));
        }
        return true;
      case NounClass::kBody:
        if (s_.past || m_.IsAny(i + 1, {"contact", "start", "problems"})) {
          return true;  // "a hard time keeping eye contact" is no looks.
        }
        sheet_.Add(s_, Predicate::kPhysical, ObjectText(m_, Noun(first, i)), extra);
        return true;
      case NounClass::kIllness:
        sheet_.Add(s_, Predicate::kHealth, ObjectText(m_, Noun(first, i)), extra);
        return true;
      case NounClass::kDegree: {
        std::size_t last = i + 1;
        if (m_.Is(last, "in")) {
          last = std::max(last, ObjectAt(m_, last + 1, s_.end).last);
        }
        sheet_.Add(s_, Predicate::kStudies, ObjectText(m_, {Noun(first, i).first, last}), extra);
        return true;
      }
      default:
        break;
    }
    if (word == "job" || word == "internship") {
      const Phrase noun = Noun(first, i);
      for (std::size_t j = i + 1; j < std::min(s_.end, i + 3); ++j) {
        if (m_.IsAny(j, {"at", "with"})) {
          sheet_.Add(s_, Predicate::kWorksAt, ObjectText(m_, PlaceAt(m_, j + 1, s_.end)), extra);
          return true;
        }
        if (m_.Is(j, "as")) {
          sheet_.Add(s_, Predicate::kWorksAs, ObjectText(m_, ObjectAt(m_, j + 1, s_.end)), extra);
          return true;
        }
      }
      // "I have a job" does not say which.
      if (noun.last - noun.first > 1) {
        sheet_.Add(s_, Predicate::kWorksAs, ObjectText(m_, noun), extra);
      }
      return true;
    }
    return false;
  }

  // "a pet clown fish": the word that says which pet it is; `i` when none does.
  [[nodiscard]] std::size_t KindOfPet(std::size_t i) const {
    if (!m_.IsAny(i, {"pet", "pets"}) || m_.IsAny(i + 1, {"named", "called", "and", "or"})) {
      return i;
    }
    const Phrase kind = ObjectAt(m_, i + 1, std::min(s_.end, i + 4));
    return !kind.empty() && kind.first == i + 1 && LemmaOf(m_.Text(i + 1)).empty() ? kind.last - 1
                                                                                   : i;
  }

  // The noun with the adjectives before it, its article left out.
  [[nodiscard]] Phrase Noun(std::size_t first, std::size_t i) const {
    while (first < i && m_.IsAny(first, {"a", "an", "the", "my", "some", "such", "very", "really",
                                         "no", "any", "also", "own"})) {
      ++first;
    }
    return {first, i + 1};
  }

  bool ReadKin(std::size_t first, std::size_t i, const Kin& kin, Extra extra) {
    // "a girl friend's car" and "a child seat" are no relatives.
    if (m_.Is(i + 1, "'s")) {
      return false;
    }
    extra.qualifier = std::string(kin.relation);
    if (!kin.plural && !extra.negated && m_.IsAny(i + 1, {"named", "called"})) {
      Mention mention;
      mention.relation = extra.qualifier;
      mention.gender = kin.gender;
      mention.owner = s_.subject.name;
      const std::size_t last = std::max(EndOfName(m_, i + 2, s_.end), i + 3);
      mention.name = std::string(m_.Source(i + 2, last));
      mention.description = Describe(mention.owner, mention.relation);
      sheet_.Introduce(mention);
      return true;
    }
    sheet_.Add(s_, Predicate::kRelation, ObjectText(m_, Noun(first, i)), extra);
    return true;
  }

  void ReadPet(std::size_t first, std::size_t i, const Extra& extra) {
    if (!extra.negated && m_.IsAny(i + 1, {"named", "called"}) && i + 2 < s_.end) {
      Mention pet;
      pet.relation = std::string(SingularOf(m_.Text(i)));
      pet.type = EntityType::kAnimal;
      pet.owner = s_.subject.name;
      const std::size_t last = std::max(EndOfName(m_, i + 2, s_.end), i + 3);
      pet.name = std::string(m_.Source(i + 2, last));
      pet.description = Describe(pet.owner, pet.relation);
      sheet_.Introduce(pet);
      return;
    }
    if (extra.negated || extra.retracts) {
      sheet_.Add(s_, Predicate::kHasPet, ObjectText(m_, Noun(first, i)), extra);
    } else {
      sheet_.AddPet(s_, Noun(first, i));
    }
  }

  const Statement& s_;
  FactSheet& sheet_;
  const WordStream& m_;
};

}  // namespace

bool IsAbstract(std::string_view word) {
  static const WordSet words = {
      "time",     "fun",        "idea",       "question",    "questions",   "problem",
      "problems", "chance",     "feeling",    "fear",        "hope",        "day",
      "life",     "week",       "weekend",    "look",        "issue",       "issues",
      "trouble",  "clue",       "plan",       "plans",       "thing",       "things",
      "lot",      "ton",        "bunch",      "bit",         "way",         "reason",
      "need",     "say",        "doubt",      "luck",        "point",       "sense",
      "memory",   "memories",   "experience", "opportunity", "break",       "moment",
      "talk",     "chat",       "meeting",    "call",        "appointment", "deadline",
      "list",     "heart",      "passion",    "goal",        "dream",       "love",
      "great",    "good",       "interest",   "much",        "more",        "it",
      "that",     "them",       "one",        "some",        "same",        "to",
      "you",      "anything",   "something",  "nothing",     "many",        "most",
      "enough",   "everything", "people",     "access",      "date",        "blast",
      "party",    "dinner",     "lunch",      "breakfast",   "tea",         "coffee",
      "food",     "work",       "news",       "surprise",    "suggestions", "recommendations",
      "tips",     "advice",     "thought",    "thoughts",    "error",       "code"};
  return words.contains(word);
}

void ReadHaveFacts(const Statement& statement, FactSheet& sheet) {
  HaveReader(statement, sheet).Read();
}

}  // namespace umbranet
