#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "umbranet/extraction/verb_facts.h"

// Where somebody lives, works and studies, whom they marry, what they leave.

namespace umbranet {
namespace {

class LifeReader : public VerbFactWriter {
 public:
  using VerbFactWriter::VerbFactWriter;

  void Read(Frame frame) {
    if (s_.able) {
      return;  // "I can live in ..." is no life yet.
    }
    switch (frame) {
      case Frame::kLive:
        ReadLive();
        return;
      case Frame::kMove:
        ReadMove();
        return;
      case Frame::kGrowUp:
        ReadGrowUp();
        return;
      case Frame::kWork:
        ReadWork();
        return;
      case Frame::kStudy:
      case Frame::kAttend:
      case Frame::kGraduate:
        ReadStudies(frame);
        return;
      case Frame::kTeach:
        ReadTeach();
        return;
      case Frame::kMarry:
        ReadMarry();
        return;
      case Frame::kBreakUp:
        ReadBreakUp();
        return;
      case Frame::kQuit:
        ReadQuit();
        return;
      case Frame::kTurn:
        ReadTurn();
        return;
      case Frame::kGet:
        ReadGet();
        return;
      case Frame::kStart:
        ReadStart();
        return;
      case Frame::kBecome:
        ReadBecome();
        return;
      case Frame::kDrop:
        if (m_.Is(s_.rest, "out") && s_.past && !s_.negated) {
          sheet_.Add(s_, Predicate::kStudies, "dropped out", {.qualifier = "dropped out"});
        }
        return;
      case Frame::kHurt:
        ReadHurt();
        return;
      case Frame::kRetire:
        sheet_.Add(s_, Predicate::kWorksAs, "retired", {.supersedes = true});
        return;
      default:
        ReadBelonging(frame);
        return;
    }
  }

 private:
  static bool IsDwelling(std::string_view noun) {
    return noun == "house" || noun == "apartment" || noun == "flat" || noun == "condo" ||
           noun == "room" || noun == "cabin" || noun == "cottage" || noun == "town" ||
           noun == "village" || noun == "suburb" || noun == "suburbs" || noun == "part" ||
           noun == "area" || noun == "reservation" || noun == "outskirts" || noun == "middle" ||
           noun == "studio" || noun == "place" || noun == "neighborhood" || noun == "ranch" ||
           noun == "farm" || noun == "trailer";
  }

  void ReadBelonging(Frame frame) {
    if (frame == Frame::kJoin && !s_.negated && !s_.future) {
      AddObject(Predicate::kMember, {}, true);
    } else if (frame == Frame::kBelieve && m_.Is(s_.rest, "in") && !s_.negated) {
      AddPhrase(Predicate::kBelief, ObjectAt(m_, s_.rest + 1, s_.end), {});
    } else if (frame == Frame::kSuffer && m_.Is(s_.rest, "from") && !s_.negated) {
      AddPhrase(Predicate::kHealth, ObjectAt(m_, s_.rest + 1, s_.end), {});
    }
  }

  void ReadLive() {
    if (s_.negated && !s_.ended) {
      return;
    }
    std::size_t at = s_.rest;
    while (
        m_.IsAny(at, {"right", "just", "out", "up", "down", "here", "alone", "together", "back"})) {
      ++at;
    }
    if (m_.Is(at, "with")) {
      if (const auto read = ReadMention(m_, at + 1, s_.end, sheet_.context().self)) {
        sheet_.Introduce(read->mention);
      }
      ReadLater(at + 2);
      return;
    }
    if (!m_.IsAny(at, {"in", "at", "near", "on", "by", "outside", "around", "within"})) {
      ReadLater(at);
      return;
    }
    // "in a small flat in Porto": the town says more than the dwelling.
    const Phrase dwelling = PlaceAt(m_, at + 1, s_.end);
    if (!dwelling.empty() && IsDwelling(m_.Text(dwelling.last - 1)) &&
        m_.IsAny(dwelling.last, {"in", "of", "near", "outside"}) &&
        !m_.IsAny(dwelling.last + 1, {"my", "his", "her", "their"})) {
      at = dwelling.last;
    }
    AddPlace(Predicate::kLivesIn, at + 1);
  }

  // "live with my aunt in Porto": the place behind the company.
  void ReadLater(std::size_t from) {
    for (std::size_t i = from; i < std::min(s_.end, from + 6); ++i) {
      if (m_.IsAny(i, {"in", "near", "at"})) {
        AddPlace(Predicate::kLivesIn, i + 1);
        return;
      }
    }
  }

  void AddPlace(Predicate predicate, std::size_t at) {
    Phrase phrase = PlaceAt(m_, at, s_.end);
    if (!IsUsable(m_, phrase) ||
        m_.IsAny(phrase.first, {"moment", "same", "peace", "fear", "home"})) {
      return;
    }
    Extra extra;
    extra.retracts = s_.ended;
    std::string place = ObjectText(m_, phrase);
    // "Portland, Oregon".
    if (m_.Is(phrase.last, ",") && IsName(m_, phrase.last + 1) && m_.At(phrase.first).capital) {
      const std::size_t last = EndOfName(m_, phrase.last + 1, phrase.last + 3);
      place += ", " + std::string(m_.Source(phrase.last + 1, last));
    }
    if (m_.At(phrase.first).capital) {
      extra.object_is_entity = true;
      sheet_.AddEntity(place, EntityType::kPlace);
    }
    if (predicate == Predicate::kLivesIn && s_.past && !s_.ended && !s_.perfect) {
      predicate = Predicate::kOrigin;  // Lived there once.
    }
    sheet_.Add(s_, predicate, std::move(place), extra);
  }

  void ReadMove() {
    if (s_.negated) {
      return;
    }
    std::size_t from = 0;
    for (std::size_t i = s_.rest; i < std::min(s_.end, s_.rest + 8); ++i) {
      if (m_.Is(i, "from")) {
        from = i + 1;
      }
      if (!m_.IsAny(i, {"to", "into"})) {
        continue;
      }
      if (m_.IsAny(i + 1, {"my", "his", "her"}) || !LemmaOf(m_.Text(i + 1)).empty()) {
        break;
      }
      Phrase place = PlaceAt(m_, i + 1, s_.end);
      if (!IsUsable(m_, place) || m_.IsAny(place.first, {"next", "different"})) {
        return;
      }
      Extra extra;
      extra.object_is_entity = m_.At(place.first).capital;
      if (extra.object_is_entity) {
        sheet_.AddEntity(ObjectText(m_, place), EntityType::kPlace);
      }
      const bool done = (s_.past || s_.perfect) && !s_.future;
      extra.supersedes = done;
      const bool will = s_.future || s_.progressive || !done;
      sheet_.Add(s_, will ? Predicate::kPlan : Predicate::kLivesIn,
                 (will ? "move to " : "") + ObjectText(m_, place), extra);
      break;
    }
    if (from != 0) {
      AddPlace(Predicate::kOrigin, from);
    }
  }

  void ReadGrowUp() {
    std::size_t at = s_.rest;
    const bool grows = s_.lemma == "grow";
    if (grows && !m_.Is(at, "up")) {
      if (!s_.past || s_.progressive) {
        AddObject(Predicate::kHobby, {}, false);
      }
      return;
    }
    if (grows) {
      ++at;
    }
    while (m_.IsAny(at, {"and", "raised", "born", "mostly"})) {
      ++at;
    }
    if (m_.IsAny(at, {"in", "on", "near", "at", "around"})) {
      AddPlace(Predicate::kOrigin, at + 1);
    }
  }

  void ReadWork() {
    if (s_.negated && !s_.ended) {
      return;
    }
    Extra extra;
    extra.retracts = s_.ended;
    for (std::size_t i = s_.rest; i < std::min(s_.end, s_.rest + 6); ++i) {
      if (m_.Is(i, "as")) {
        Phrase job = ObjectAt(m_, i + 1, s_.end);
        AddPhrase(Predicate::kWorksAs, job, extra);
        for (std::size_t j = job.last; j < std::min(s_.end, job.last + 3); ++j) {
          if (m_.IsAny(j, {"at", "for"})) {
            AddEmployer(j + 1, extra);
          }
        }
        return;
      }
      if (m_.Is(i, "from") && m_.Is(i + 1, "home")) {
        sheet_.Add(s_, Predicate::kState, "works from home", extra);
        ++i;
        continue;  // "from home for a bank": for whom may follow.
      }
      if (m_.IsAny(i, {"at", "for"})) {
        AddEmployer(i + 1, extra);
        ReadRole(i + 1, extra);
        return;
      }
      if (m_.IsAny(i, {"in", "with"})) {
        const Phrase field = ObjectAt(m_, i + 1, s_.end);
        // With whom, and on what, is no occupation: there may be many at a time.
        if (m_.Is(i, "with") &&
            (IsName(m_, field.first) || m_.IsAny(i + 1, {"my", "our", "his", "her", "both"}))) {
          extra.qualifier = "works with";
          AddPhrase(Predicate::kOther, field, extra);
          return;
        }
        const bool place = !field.empty() && IsWorkplace(m_.Text(field.last - 1));
        AddPhrase(place ? Predicate::kWorksAt : Predicate::kWorksAs, field, extra);
        return;
      }
    }
  }

  // "for Acme as a translator".
  void ReadRole(std::size_t from, const Extra& extra) {
    constexpr std::size_t kReach = 5;
    for (std::size_t i = from; i + 2 < std::min(s_.end, from + kReach); ++i) {
      if (m_.Is(i, "as") && m_.IsAny(i + 1, {"a", "an", "the", "their"})) {
        AddPhrase(Predicate::kWorksAs, ObjectAt(m_, i + 1, s_.end), extra);
        return;
      }
    }
  }

  void AddEmployer(std::size_t at, Extra extra) {
    const Phrase phrase = PlaceAt(m_, at, s_.end);
    if (!IsUsable(m_, phrase) ||
        m_.IsAny(phrase.first, {"all", "home", "night", "living", "least", "long", "hours", "years",
                                "while", "moment"}) ||
        (m_.At(phrase.first).text[0] >= '0' && m_.At(phrase.first).text[0] <= '9')) {
      return;
    }
    if (m_.At(phrase.first).capital) {
      extra.object_is_entity = true;
      sheet_.AddEntity(ObjectText(m_, phrase), EntityType::kOrganization);
    }
    sheet_.Add(s_, Predicate::kWorksAt, ObjectText(m_, phrase), extra);
  }

  void ReadStudies(Frame frame) {
    if (s_.negated || s_.supposed) {
      return;
    }
    std::size_t at = s_.rest;
    if (frame == Frame::kGraduate) {
      while (m_.IsAny(at, {"from", "in", "with", "a", "the"})) {
        ++at;
      }
      if (!AddPhrase(Predicate::kStudies, ObjectAt(m_, at, s_.end), {.qualifier = "graduated"}) &&
          (s_.past || s_.perfect)) {
        sheet_.Add(s_, Predicate::kStudies, "graduated", {.qualifier = "graduated"});
      }
      return;
    }
    if (m_.IsAny(at, {"in", "at", "to", "about", "how", "for"})) {
      ++at;
    }
    if (frame == Frame::kAttend) {
      const Phrase phrase = ObjectAt(m_, at, s_.end);
      const bool school =
          !phrase.empty() && (ClassOf(m_.Text(phrase.last - 1)) == NounClass::kSchool ||
                              ClassOf(m_.Text(phrase.first)) == NounClass::kSchool);
      if (school) {
        AddPhrase(Predicate::kStudies, phrase, {});
      }
      return;
    }
    if (m_.Match(s_.rest, "to be") != 0 || m_.Match(s_.rest, "to become") != 0) {
      AddPhrase(Predicate::kWants, ObjectAt(m_, s_.rest + 2, s_.end), {.qualifier = "become"});
      return;
    }
    if (s_.past && !s_.progressive && s_.lemma == "learn") {
      return;
    }
    const Phrase subject = ObjectAt(m_, at, s_.end);
    AddPhrase(Predicate::kStudies, subject, {});
    if (m_.Is(subject.last, "at")) {
      const Phrase school = PlaceAt(m_, subject.last + 1, s_.end);
      if (IsUsable(m_, school) && !m_.IsAny(school.first, {"home", "night", "moment"})) {
        AddPhrase(Predicate::kStudies, school, {});
      }
    }
  }

  void ReadTeach() {
    if (s_.negated || (s_.past && !s_.perfect)) {
      return;
    }
    const Phrase phrase = ObjectAt(m_, s_.rest, s_.end);
    if (IsUsable(m_, phrase)) {
      sheet_.Add(s_, Predicate::kWorksAs, "teach " + ObjectText(m_, phrase), {});
    } else {
      sheet_.Add(s_, Predicate::kWorksAs, "teacher", {});
    }
  }

  void ReadMarry() {
    if (s_.negated || s_.supposed) {
      return;
    }
    if (s_.lemma == "divorce") {
      sheet_.Add(s_, Predicate::kRelationshipStatus, "divorced", {.supersedes = true});
      return;
    }
    if (s_.lemma == "date") {
      sheet_.Add(s_, Predicate::kRelationshipStatus, "dating", {});
      return;
    }
    const std::size_t name = EndOfName(m_, s_.rest, s_.end);
    sheet_.Add(s_, Predicate::kRelationshipStatus, s_.future ? "engaged" : "married",
               {.supersedes = true});
    if (name > s_.rest) {
      Mention spouse;
      spouse.name = std::string(m_.Source(s_.rest, name));
      spouse.relation = "spouse";
      spouse.owner = s_.subject.name;
      sheet_.Introduce(spouse);
    }
  }

  // "I broke my arm", "she is recovering from surgery".
  void ReadHurt() {
    if (s_.negated || s_.supposed || s_.future) {
      return;
    }
    if (s_.lemma == "recover") {
      if (m_.Is(s_.rest, "from")) {
        AddPhrase(Predicate::kHealth, ObjectAt(m_, s_.rest + 1, s_.end), {});
      }
      return;
    }
    const Phrase part = ObjectAt(m_, s_.rest, s_.end);
    if (!part.empty() && ClassOf(m_.Text(part.last - 1)) == NounClass::kBody) {
      const bool broken = s_.lemma == "break" || s_.lemma == "fracture";
      sheet_.Add(s_, Predicate::kHealth,
                 (broken ? "broken " : std::string(m_.Text(s_.verb)) + ' ') + ObjectText(m_, part),
                 {.qualifier = "injury"});
    }
  }

  void ReadBreakUp() {
    if (s_.negated || s_.supposed) {
      return;
    }
    if (s_.lemma == "break" && m_.IsAny(s_.rest, {"my", "his", "her"})) {
      ReadHurt();
      return;
    }
    const bool up = m_.Is(s_.rest, "up") || s_.lemma == "separate";
    const bool people = s_.subject.plural || m_.Is(s_.rest + 1, "with");
    if (up && people) {
      sheet_.Add(s_, Predicate::kRelationshipStatus, "single", {.supersedes = true});
    }
  }

  // "I quit my job", "I left Acme", "I stopped smoking".
  void ReadQuit() {
    if (s_.negated || s_.supposed || (!s_.past && !s_.perfect && s_.lemma != "quit")) {
      return;
    }
    const Phrase phrase = ObjectAt(m_, s_.rest, s_.end);
    if (!IsUsable(m_, phrase)) {
      return;
    }
    if (s_.lemma != "leave" && IsDiet(m_.Text(phrase.last - 1))) {
      sheet_.Add(s_, Predicate::kHealth, std::string(m_.Text(phrase.last - 1)),
                 {.qualifier = "diet", .retracts = true});
      return;
    }
    if (m_.Text(phrase.first).ends_with("ing") && s_.lemma != "leave") {
      AddPhrase(Predicate::kHobby, phrase, {.retracts = true});
      return;
    }
    const bool job = m_.IsAny(phrase.last - 1, {"job", "work"});
    if (job && s_.lemma != "stop") {
      // Whatever it was; of the speaker's own it is read with its place (ending_facts.cc).
      if (s_.subject.name != sheet_.context().self) {
        sheet_.Add(s_, Predicate::kWorksAt, "", {.retracts = true});
      }
    } else if (s_.lemma == "leave" && IsName(m_, phrase.first) &&
               sheet_.context().entities.IsKnown(ObjectText(m_, phrase))) {
      const std::string left = ObjectText(m_, phrase);
      sheet_.Add(s_, Predicate::kWorksAt, left, {.retracts = true, .ends_object = left});
    }
  }

  // "got a puppy", "got married", "got a job at the bakery".
  void ReadGet() {
    if (s_.negated || s_.supposed || s_.future || !(s_.past || s_.perfect)) {
      return;
    }
    if (IsMaritalStatus(m_.Text(s_.rest))) {
      sheet_.Add(s_, Predicate::kRelationshipStatus, std::string(m_.Text(s_.rest)),
                 {.supersedes = true});
      return;
    }
    const Phrase phrase = ObjectAt(m_, s_.rest, s_.end);
    if (m_.Is(phrase.first, "rid")) {
      return;
    }
    for (std::size_t i = phrase.first; i < phrase.last; ++i) {
      const NounClass noun = ClassOf(m_.Text(i));
      // "a computer science degree", "a pet fish": the last noun is the thing.
      if (i + 1 < phrase.last && ClassOf(m_.Text(phrase.last - 1)) != NounClass::kNone) {
        continue;
      }
      if (noun == NounClass::kDegree) {
        ReadDegree(phrase, i);
        return;
      }
      if (noun == NounClass::kIllness) {
        sheet_.Add(s_, Predicate::kHealth, ObjectText(m_, {phrase.first, i + 1}), {});
        return;
      }
      if (m_.Is(i, "pet") && i + 1 == phrase.last - 1) {
        sheet_.AddPet(s_, {phrase.first, phrase.last});  // "a pet fish"
        return;
      }
      if (noun == NounClass::kPet && !m_.IsAny(i + 1, {"food", "toy", "toys", "house", "bed"})) {
        sheet_.AddPet(s_, {phrase.first, i + 1});
        return;
      }
      if (noun == NounClass::kVehicle || noun == NounClass::kOwnable) {
        sheet_.Add(s_, Predicate::kOwns, ObjectText(m_, {phrase.first, i + 1}), {});
        return;
      }
      if (const Kin kin = KinOf(m_.Text(i));
          !kin.relation.empty() && (kin.plural || m_.Is(s_.rest, "a")) && i + 1 == phrase.last) {
        sheet_.Add(s_, Predicate::kRelation, ObjectText(m_, {phrase.first, i + 1}),
                   {.qualifier = std::string(kin.relation)});
        return;
      }
      if (m_.IsAny(i, {"job", "promotion", "internship"})) {
        ReadNewJob(i + 1);
        return;
      }
    }
  }

  // "got my masters in history", "got a law degree".
  void ReadDegree(Phrase phrase, std::size_t noun) {
    std::size_t last = noun + 1;
    if (m_.IsAny(last, {"in", "for"})) {
      last = std::max(last, ObjectAt(m_, last + 1, s_.end).last);
    }
    sheet_.Add(s_, Predicate::kStudies, ObjectText(m_, {phrase.first, last}), {});
  }

  // "as a nurse", "at the bakery" after "a new job".
  void ReadNewJob(std::size_t at) {
    if (m_.Is(at, "as")) {
      AddPhrase(Predicate::kWorksAs, ObjectAt(m_, at + 1, s_.end), {.supersedes = true});
    } else if (m_.IsAny(at, {"at", "with", "for"})) {
      AddEmployer(at + 1, {.supersedes = true});
    }
  }

  void ReadStart() {
    if (s_.negated || s_.supposed) {
      return;
    }
    const Phrase phrase = ObjectAt(m_, s_.rest, s_.end);
    const bool job = !phrase.empty() && m_.IsAny(phrase.last - 1, {"job", "position", "role"});
    if (job && (s_.past || s_.perfect)) {
      // ObjectAt ends before "as" and "at".
      ReadNewJob(m_.IsAny(phrase.last, {"as", "at", "with", "for"}) ? phrase.last : s_.end);
    } else if (m_.Is(s_.rest, "working") && m_.IsAny(s_.rest + 1, {"as", "at", "for"})) {
      ReadNewJob(s_.rest + 1);
    }
  }

  void ReadBecome() {
    if (s_.negated || s_.supposed || !(s_.past || s_.perfect)) {
      return;
    }
    const Phrase phrase = ObjectAt(m_, s_.rest, s_.end);
    if (!phrase.empty() && IsJob(m_.Text(phrase.last - 1))) {
      AddPhrase(Predicate::kWorksAs, phrase, {.supersedes = true});
    } else if (!phrase.empty() && IsDiet(m_.Text(phrase.last - 1))) {
      AddPhrase(Predicate::kHealth, phrase, {.qualifier = "diet"});
    }
  }

  void ReadTurn() {
    const std::string_view number = m_.Text(s_.rest);
    const bool age =
        !number.empty() && number.size() <= 2 &&
        std::all_of(number.begin(), number.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (age && !m_.IsAny(s_.rest + 1, {"degrees", "percent", "pages"}) && (s_.past || s_.perfect)) {
      sheet_.Add(s_, Predicate::kAge, std::string(number), {.supersedes = true});
    }
  }
};

}  // namespace

void ReadLifeFacts(Frame frame, const Statement& statement, FactSheet& sheet) {
  LifeReader(statement, sheet).Read(frame);
}

}  // namespace umbranet
