#include <algorithm>
#include <array>
#include <unordered_set>
#include <utility>

#include "umbranet/extraction/fact_finder.h"

// What forms of "be" tell: name, age, origin, job, status, tastes, states.

namespace umbranet {
namespace {

using Extra = FactSheet::Extra;

bool IsNumber(std::string_view word) {
  return !word.empty() && word.size() <= 3 &&
         std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
}

struct Phrasing {
  std::string_view phrase;
  Predicate predicate;
  bool negative = false;  // The predicate is denied: "bad at".
};

// After "be" and its adverbs; what follows is the object.
constexpr std::array kPhrasings = std::to_array<Phrasing>({
    {"into", Predicate::kLikes},
    {"fond of", Predicate::kLikes},
    {"keen on", Predicate::kLikes},
    {"obsessed with", Predicate::kLikes},
    {"addicted to", Predicate::kLikes},
    {"passionate about", Predicate::kLikes},
    {"crazy about", Predicate::kLikes},
    {"interested in", Predicate::kLikes},
    {"in love with", Predicate::kLikes},
    {"a fan of", Predicate::kLikes},
    {"a big fan of", Predicate::kLikes},
    {"a huge fan of", Predicate::kLikes},
    {"big fan of", Predicate::kLikes},
    {"fan of", Predicate::kLikes},
    {"a lover of", Predicate::kLikes},
    {"afraid of", Predicate::kDislikes},
    {"scared of", Predicate::kDislikes},
    {"terrified of", Predicate::kDislikes},
    {"tired of", Predicate::kDislikes},
    {"sick of", Predicate::kDislikes},
    {"good at", Predicate::kSkill},
    {"great at", Predicate::kSkill},
    {"skilled at", Predicate::kSkill},
    {"talented at", Predicate::kSkill},
    {"fluent in", Predicate::kSkill},
    {"bad at", Predicate::kSkill, true},
    {"terrible at", Predicate::kSkill, true},
    {"awful at", Predicate::kSkill, true},
    {"horrible at", Predicate::kSkill, true},
    {"hopeless at", Predicate::kSkill, true},
    {"no good at", Predicate::kSkill, true},
    {"from", Predicate::kOrigin},
    {"originally from", Predicate::kOrigin},
    {"born and raised in", Predicate::kOrigin},
    {"born in", Predicate::kOrigin},
    {"born on", Predicate::kBirthday},
    {"raised in", Predicate::kOrigin},
    {"allergic to", Predicate::kHealth},
    {"diagnosed with", Predicate::kHealth},
    {"a member of", Predicate::kMember},
    {"part of", Predicate::kMember},
    {"employed at", Predicate::kWorksAt},
    {"employed by", Predicate::kWorksAt},
    {"employed in", Predicate::kWorksAt},
    {"in the army", Predicate::kWorksAt},
    {"in the navy", Predicate::kWorksAt},
    {"in the military", Predicate::kWorksAt},
    {"in the marines", Predicate::kWorksAt},
    {"in the air force", Predicate::kWorksAt},
    {"on the", Predicate::kMember},
    {"in a", Predicate::kMember},
    {"majoring in", Predicate::kStudies},
    {"based in", Predicate::kLivesIn},
});

class CopulaReader {
 public:
  CopulaReader(const Statement& s, FactSheet& sheet) : s_(s), sheet_(sheet), m_(sheet.m()) {}

  void Read() {
    if (s_.supposed || s_.future) {
      return;
    }
    if (ReadCalled() || ReadAge() || ReadPhrasing()) {
      return;
    }
    ReadComplement();
  }

 private:
  // "I'm called Theo", "her name is ...": names.
  bool ReadCalled() {
    if (!m_.IsAny(s_.rest, {"called", "named"}) || s_.negated || s_.rest + 1 >= s_.end) {
      return false;
    }
    AddName(s_.rest + 1);
    return true;
  }

  void AddName(std::size_t at) {
    std::size_t last = EndOfName(m_, at, s_.end);
    if (last == at) {
      last = at + 1;
    }
    const std::string name(m_.Source(at, last));
    // "my sister is called Ana": the description gets its name.
    if (!s_.subject.relation.empty()) {
      Mention named = s_.subject;
      named.name = name;
      named.description = Describe(named.owner, named.relation);
      sheet_.Introduce(named);
      return;
    }
    sheet_.Add(s_, Predicate::kName, name, {.supersedes = true});
  }

  // "five years old".
  bool ReadAgeInWords(std::size_t at) {
    static const std::unordered_set<std::string_view> words = {
        "two",     "three",     "four",     "five",     "six",      "seven",    "eight",
        "nine",    "ten",       "eleven",   "twelve",   "thirteen", "fourteen", "fifteen",
        "sixteen", "seventeen", "eighteen", "nineteen", "twenty",   "thirty",   "forty",
        "fifty",   "sixty",     "seventy",  "eighty",   "ninety"};
    if (!words.contains(m_.Text(at)) || !m_.IsAny(at + 1, {"years", "year"}) ||
        !m_.Is(at + 2, "old") || s_.negated) {
      return false;
    }
    sheet_.Add(s_, Predicate::kAge, std::string(m_.Text(at)), {.supersedes = s_.copula});
    return true;
  }

  bool ReadAge() {
    std::size_t at = s_.rest;
    while (m_.IsAny(at, {"almost", "about", "around", "nearly", "turning", "over"})) {
      ++at;
    }
    if (!IsNumber(m_.Text(at)) || s_.negated) {
      return ReadAgeInWords(at);
    }
    const bool years = m_.IsAny(at + 1, {"years", "year", "yrs"}) &&
                       (m_.Is(at + 2, "old") || at + 2 >= s_.end || m_.Is(at + 2, "young"));
    const bool closed = at + 1 >= s_.end || m_.At(at + 1).symbol || m_.Is(at + 1, "and");
    const std::string_view digits = m_.Text(at);
    if ((years || closed) && digits.size() <= 2 && digits != "1" && digits != "0") {
      sheet_.Add(s_, Predicate::kAge, std::string(digits), {.supersedes = s_.copula});
      return true;
    }
    return false;
  }

  bool ReadPhrasing() {
    for (const Phrasing& phrasing : kPhrasings) {
      std::size_t at = m_.Match(s_.rest, phrasing.phrase);
      if (at == 0) {
        continue;
      }
      AddPhrasing(phrasing.predicate, at, phrasing.negative);
      return true;
    }
    return false;
  }

  void AddPhrasing(Predicate predicate, std::size_t at, bool opposite) {
    Extra extra;
    extra.retracts = s_.ended;
    if (predicate == Predicate::kBirthday) {
      if (!s_.negated && sheet_.TimeWithin(at, s_.end)) {
        sheet_.Add(s_, predicate, ObjectText(m_, {at, s_.end}), extra);
      }
      return;
    }
    if (predicate == Predicate::kWorksAt) {
      const bool service = m_.Is(s_.rest, "in");
      const Phrase place = service ? Phrase{s_.rest + 2, at} : PlaceAt(m_, at, s_.end);
      if (!s_.negated && !place.empty()) {
        sheet_.Add(s_, predicate, ObjectText(m_, place), extra);
      }
      return;
    }
    if (predicate == Predicate::kMember) {
      const std::vector<Phrase> parts = SplitObjects(m_, ObjectAt(m_, at, s_.end));
      const Phrase phrase = parts.empty() ? Phrase{} : parts.front();
      const bool group =
          !phrase.empty() &&
          m_.IsAny(phrase.last - 1, {"band", "team", "club", "choir", "squad", "church", "group",
                                     "army", "navy", "gang", "orchestra", "league", "military"});
      if (group && !s_.negated) {
        sheet_.Add(s_, predicate, ObjectText(m_, phrase), extra);
      } else if (!phrase.empty() && ClassOf(m_.Text(phrase.last - 1)) == NounClass::kSchool) {
        sheet_.Add(s_, Predicate::kStudies, ObjectText(m_, phrase), extra);
      }
      return;
    }
    if (predicate == Predicate::kOrigin || predicate == Predicate::kLivesIn) {
      const Phrase place = PlaceAt(m_, at, s_.end);
      if (place.empty() || s_.negated || m_.IsAny(place.first, {"it", "that", "there", "here"})) {
        return;
      }
      extra.object_is_entity = m_.At(place.first).capital;
      if (extra.object_is_entity) {
        sheet_.AddEntity(ObjectText(m_, place), EntityType::kPlace);
      }
      sheet_.Add(s_, predicate, ObjectText(m_, place), extra);
      return;
    }
    if (s_.negated) {
      if (predicate == Predicate::kLikes) {
        predicate = Predicate::kDislikes;
      } else if (predicate == Predicate::kDislikes) {
        return;
      } else {
        extra.negated = !opposite;
      }
    } else {
      extra.negated = opposite;
    }
    if (predicate == Predicate::kHealth) {
      extra.qualifier = m_.Is(at - 2, "allergic") ? "allergy" : "illness";
    }
    for (const Phrase& part : SplitObjects(m_, ObjectAt(m_, at, s_.end))) {
      if (m_.IsAny(part.first, {"it", "that", "you", "them", "this", "what"})) {
        continue;
      }
      sheet_.Add(s_, predicate, ObjectText(m_, part), extra);
    }
  }

  // "a nurse", "married", "a big dog person", "vegan", "Portuguese".
  void ReadComplement() {
    constexpr std::size_t kComplementReach = 7;
    Extra extra;
    extra.negated = s_.negated && !s_.ended;
    extra.retracts = s_.ended;
    const std::size_t end = std::min(s_.end, s_.rest + kComplementReach);
    for (std::size_t i = s_.rest; i < end; ++i) {
      const std::string_view word = m_.Text(i);
      if (m_.At(i).symbol || m_.IsAny(i, {"with", "that", "who", "because", "when", "than", "like",
                                          "i", "my", "for", "of", "to", "at", "if", "so"})) {
        break;
      }
      if (ReadStatus(i, word, extra) || ReadJob(i, word, extra)) {
        return;
      }
    }
    if (!ReadOwnName() && !ReadTheirName()) {
      ReadNamedRole();
    }
  }

  // "I'm Theo."
  bool ReadOwnName() {
    if (s_.negated || s_.past || s_.ended || s_.subject.name != sheet_.context().self ||
        s_.subject.plural) {
      return false;
    }
    const std::size_t last = EndOfName(m_, s_.rest, s_.end);
    const bool whole = last > s_.rest && last - s_.rest <= 3 &&
                       (last >= s_.end || m_.IsAny(last, {"and", "from", "by"}));
    if (whole && !m_.At(s_.rest).shouted && !IsNationality(m_.Text(s_.rest))) {
      sheet_.Add(s_, Predicate::kName, std::string(m_.Source(s_.rest, last)), {.supersedes = true});
    }
    return whole;
  }

  // "My new boss is Theo."
  bool ReadTheirName() {
    const bool described = !s_.subject.relation.empty() && !s_.subject.plural;
    if (!described || s_.negated || s_.past || s_.ended) {
      return false;
    }
    const std::size_t last = EndOfName(m_, s_.rest, s_.end);
    const bool whole = last > s_.rest && last - s_.rest <= 3 &&
                       (last >= s_.end || m_.At(last).symbol || m_.Is(last, "now"));
    if (whole && !m_.At(s_.rest).shouted && !IsNationality(m_.Text(s_.rest)) &&
        !IsBelief(m_.Text(s_.rest))) {
      AddName(s_.rest);
    }
    return whole;
  }

  bool ReadStatus(std::size_t i, std::string_view word, const Extra& extra) {
    if (IsDiet(word)) {
      Extra diet = extra;
      diet.qualifier = "diet";
      sheet_.Add(s_, Predicate::kHealth, std::string(word), diet);
      return true;
    }
    if (IsMaritalStatus(word)) {
      // "a single parent" is one, "a single thing" is not.
      if (word == "single" && i + 1 < s_.end && !m_.At(i + 1).symbol &&
          !m_.IsAny(i + 1, {"and", "now", "mom", "mother", "dad", "father", "parent", "man",
                            "woman", "again", "too"})) {
        return true;
      }
      Extra status = extra;
      status.supersedes = !extra.negated;
      sheet_.Add(s_, Predicate::kRelationshipStatus, std::string(word), status);
      ReadSpouse(i + 1);
      return true;
    }
    if (IsBelief(word)) {
      sheet_.Add(s_, Predicate::kBelief, ObjectText(m_, {i, i + 1}), extra);
      return true;
    }
    if (IsNationality(word) &&
        (m_.Is(i - 1, "a") || m_.Is(i - 1, "an") || i + 1 >= s_.end || m_.At(i + 1).symbol ||
         m_.Is(i + 1, "and") || m_.Is(i - 1, "half"))) {
      sheet_.Add(s_, Predicate::kNationality, ObjectText(m_, {i, i + 1}), extra);
      return true;
    }
    if (IsPhysicalAdjective(word) && s_.subject.type == EntityType::kPerson) {
      sheet_.Add(s_, Predicate::kPhysical, std::string(word), extra);
      return true;
    }
    if (GenderOfNoun(word) != Gender::kUnknown && m_.IsAny(i - 1, {"a", "old", "young"})) {
      sheet_.Add(s_, Predicate::kGender, std::string(word), extra);
      return true;
    }
    if (m_.IsAny(i, {"retired", "unemployed", "self-employed", "jobless"})) {
      Extra job = extra;
      job.supersedes = !extra.negated;
      sheet_.Add(s_, Predicate::kWorksAs, std::string(word), job);
      return true;
    }
    if (m_.IsAny(i, {"disabled", "diabetic", "asthmatic", "autistic", "dyslexic", "pregnant",
                     "colorblind", "depressed", "claustrophobic"})) {
      sheet_.Add(s_, Predicate::kHealth, std::string(word), extra);
      return true;
    }
    return false;
  }

  void ReadSpouse(std::size_t at) {
    if (!m_.Is(at, "to")) {
      return;
    }
    const std::size_t last = EndOfName(m_, at + 1, s_.end);
    if (last > at + 1) {
      Mention spouse;
      spouse.name = std::string(m_.Source(at + 1, last));
      spouse.relation = "spouse";
      spouse.owner = s_.subject.name;
      sheet_.Introduce(spouse);
    }
  }

  bool ReadJob(std::size_t i, std::string_view word, const Extra& extra) {
    const bool student = word == "student" || word == "freshman" || word == "sophomore" ||
                         word == "senior" || word == "undergrad";
    if (student) {
      std::size_t first = i;
      while (first > s_.rest && !m_.IsAny(first - 1, {"a", "an", "the"})) {
        --first;
      }
      sheet_.Add(s_, Predicate::kStudies, ObjectText(m_, {first, i + 1}), extra);
      if (m_.IsAny(i + 1, {"in", "at"})) {
        const Phrase school = PlaceAt(m_, i + 2, s_.end);
        if (!school.empty() && ClassOf(m_.Text(school.last - 1)) == NounClass::kSchool) {
          sheet_.Add(s_, Predicate::kStudies, ObjectText(m_, school), extra);
        }
      }
      return true;
    }
    if (word == "major" && i > s_.rest && !m_.IsAny(i - 1, {"a", "the", "an"})) {
      const std::size_t first = m_.IsAny(s_.rest, {"a", "an"}) ? s_.rest + 1 : s_.rest;
      sheet_.Add(s_, Predicate::kStudies, ObjectText(m_, {first, i}), extra);
      return true;
    }
    if (word == "child" && m_.Is(i - 1, "only") && !extra.negated) {
      Extra none = extra;
      none.negated = true;
      none.qualifier = "sibling";
      sheet_.Add(s_, Predicate::kRelation, "siblings", none);
      return true;
    }
    if (word == "school" || word == "college" || word == "kindergarten" || word == "university") {
      std::size_t in = s_.rest;
      while (m_.IsAny(in, {"only", "still", "just", "also", "currently", "now", "back"})) {
        ++in;
      }
      if (m_.IsAny(in, {"in", "at"})) {
        sheet_.Add(s_, Predicate::kStudies, ObjectText(m_, {in + 1, i + 1}), extra);
        return true;
      }
    }
    const Kin kin = KinOf(word);
    const bool parent = kin.relation == "mother" || kin.relation == "father" ||
                        kin.relation == "parent" || kin.relation == "grandmother" ||
                        kin.relation == "grandfather";
    if (parent && m_.IsAny(i - 1, {"a", "single", "new", "home", "proud", "the"}) &&
        s_.subject.name == sheet_.context().self) {
      if (m_.Match(i - 3 < s_.rest ? s_.rest : i - 3, "stay at home") != 0 ||
          m_.Is(i - 1, "home") || m_.Is(i - 1, "stay-at-home")) {
        sheet_.Add(s_, Predicate::kWorksAs, "stay at home " + std::string(word), extra);
        return true;
      }
      sheet_.Add(s_, Predicate::kRelation, std::string(kin.relation), {.qualifier = "child"});
      return true;
    }
    if (!IsJob(word)) {
      return ReadStaff(i, extra);
    }
    // The job's own modifiers: "a recording engineer", not "a really good cook".
    std::size_t last = i + 1;
    while (last < s_.end && IsJob(m_.Text(last))) {
      ++last;
    }
    std::size_t first = i;
    while (first > s_.rest &&
           !m_.IsAny(first - 1,
                     {"a",      "an",   "the",       "good",  "great",  "very", "my",   "pretty",
                      "really", "big",  "full-time", "time",  "new",    "old",  "huge", "avid",
                      "also",   "just", "local",     "young", "female", "male"})) {
      --first;
    }
    if (first == s_.rest && !m_.IsAny(s_.rest - 1, {"a", "an", "the"}) &&
        !m_.IsAny(s_.verb, {"am", "is", "was", "are", "were", "'s"})) {
      return true;
    }
    if (ReadAgent(first, i, last, extra)) {
      return true;
    }
    // "When I am a doctor" is none yet.
    if (!s_.past && s_.subject_at > 0 && m_.IsAny(s_.subject_at - 1, {"when", "once"})) {
      return true;
    }
    if (s_.past && !s_.ended) {
      sheet_.Add(s_, Predicate::kState, "was " + ObjectText(m_, {first, last}), {});
      return true;
    }
    sheet_.Add(s_, Predicate::kWorksAs, ObjectText(m_, {first, last}), extra);
    for (std::size_t j = last; j < std::min(s_.end, last + 3); ++j) {
      if (m_.IsAny(j, {"at", "for", "in"})) {
        AddEmployer(j, extra);
        break;
      }
    }
    return true;
  }

  // "a movie theater employee": the place names the employer.
  bool ReadStaff(std::size_t i, const Extra& extra) {
    if (!m_.IsAny(i, {"employee", "worker"}) || i == s_.rest || s_.past) {
      return false;
    }
    if (IsWorkplace(m_.Text(i - 1))) {
      const Phrase place = PlaceAt(m_, s_.rest, i);
      if (!place.empty() && place.last == i) {
        sheet_.Add(s_, Predicate::kWorksAt, ObjectText(m_, place), extra);
      }
      return true;
    }
    return false;
  }

  // "a good cook" can cook, "an aspiring singer" wants to be one.
  bool ReadAgent(std::size_t first, std::size_t noun, std::size_t last, const Extra& extra) {
    if (m_.Is(first, "aspiring")) {
      Extra wish = extra;
      wish.qualifier = "become";
      sheet_.Add(s_, Predicate::kWants, ObjectText(m_, {first + 1, last}), wish);
      return true;
    }
    const bool skilled = first > s_.rest && first == noun &&
                         m_.IsAny(first - 1, {"good", "great", "excellent", "decent", "amazing",
                                              "terrible", "bad", "horrible"});
    if (!skilled || !m_.IsAny(noun, {"cook", "baker", "dancer", "singer", "writer", "painter",
                                     "driver", "swimmer", "artist", "musician"})) {
      return false;
    }
    Extra skill = extra;
    skill.negated = extra.negated || m_.IsAny(first - 1, {"terrible", "bad", "horrible"});
    sheet_.Add(s_, Predicate::kSkill, ObjectText(m_, {noun, last}), skill);
    return true;
  }

  // The employer behind a job: "a nurse at the clinic", "a florist in a flower shop".
  void AddEmployer(std::size_t preposition, const Extra& extra) {
    const Phrase place = PlaceAt(m_, preposition + 1, s_.end);
    if (place.empty() || m_.IsAny(place.first, {"home", "years", "living", "now", "real", "fun"})) {
      return;
    }
    const bool workplace = IsWorkplace(m_.Text(place.last - 1)) ||
                           m_.IsAny(place.last - 1, {"navy", "army", "military", "government"});
    const bool named = m_.At(place.first).capital && !m_.Is(preposition, "in");
    if (workplace || named || (m_.Is(preposition, "at") && !extra.negated)) {
      sheet_.Add(s_, Predicate::kWorksAt, ObjectText(m_, place), extra);
    }
  }

  // "Ana is my sister", "Rita is Tom's wife".
  void ReadNamedRole() {
    if (s_.negated || s_.subject.name == sheet_.context().self || !s_.subject.relation.empty()) {
      return;
    }
    const auto read = ReadMention(m_, s_.rest, s_.end, sheet_.context().self);
    if (!read || read->mention.relation.empty() ||
        read->mention.name != read->mention.description) {
      return;
    }
    Mention named = read->mention;
    named.name = s_.subject.name;
    sheet_.Introduce(named);
  }

  const Statement& s_;
  FactSheet& sheet_;
  const WordStream& m_;
};

}  // namespace

void ReadCopulaFacts(const Statement& statement, FactSheet& sheet) {
  CopulaReader(statement, sheet).Read();
}

}  // namespace umbranet
