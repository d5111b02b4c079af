#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "umbranet/extraction/verb_facts.h"

// What somebody likes, does, owns, can and wants.

namespace umbranet {
namespace {

class TasteReader : public VerbFactWriter {
 public:
  using VerbFactWriter::VerbFactWriter;

  void Read(Frame frame) {
    if (s_.able && (s_.negated ? ReadInability(frame) : ReadAbility(frame))) {
      return;
    }
    switch (frame) {
      case Frame::kLike:
      case Frame::kDislike:
        ReadTaste(frame == Frame::kDislike);
        return;
      case Frame::kOwn:
      case Frame::kBuy:
        ReadOwn(frame == Frame::kBuy);
        return;
      case Frame::kAdopt:
        ReadAdopt();
        return;
      case Frame::kDrive:
        ReadDrive();
        return;
      case Frame::kPlay:
      case Frame::kHobbyObject:
      case Frame::kHobbyVerb:
      case Frame::kConsume:
        ReadActivity(frame);
        return;
      case Frame::kSpeak:
        ReadSpeak();
        return;
      case Frame::kWant:
      case Frame::kPlan:
        ReadWish(frame == Frame::kPlan);
        return;
      case Frame::kVisit:
        ReadVisit();
        return;
      case Frame::kTry:
        if (!s_.past && !s_.negated &&
            (m_.Match(s_.rest, "to be") != 0 || m_.Match(s_.rest, "to become") != 0)) {
          const Phrase job = ObjectAt(m_, s_.rest + 2, s_.end);
          if (!job.empty() && IsJob(m_.Text(job.last - 1))) {
            AddPhrase(Predicate::kWants, job, {.qualifier = "become"});
          }
        }
        return;
      case Frame::kSpend:
        ReadSpend();
        return;
      case Frame::kStand:
        // "I can't stand ...", "I don't care for ...".
        if (s_.negated && !s_.past && (s_.lemma != "care" || m_.Is(s_.rest, "for"))) {
          const std::size_t at = s_.lemma == "care" ? s_.rest + 1 : s_.rest;
          AddPhrase(Predicate::kDislikes, ObjectAt(m_, at, s_.end), {});
        }
        return;
      case Frame::kRun:
        ReadRun();
        return;
      case Frame::kKnow:
        if (m_.Match(s_.rest, "how to") != 0 && !s_.negated) {
          AddPhrase(Predicate::kSkill, ObjectAt(m_, s_.rest + 2, s_.end), {});
        }
        return;
      case Frame::kWear:
        ReadLooks();
        return;
      default:
        return;
    }
  }

 private:
  // "I can sing", "she can speak Greek".
  bool ReadAbility(Frame frame) {
    if (frame == Frame::kLike || frame == Frame::kDislike || frame == Frame::kWant) {
      return false;
    }
    const bool vague = s_.lemma == "make" || s_.lemma == "build";
    if ((frame == Frame::kHobbyVerb && !vague) || frame == Frame::kPlay || frame == Frame::kSpeak ||
        frame == Frame::kDrive || frame == Frame::kRun) {
      Phrase phrase = ObjectAt(m_, s_.rest, s_.end);
      phrase.first = s_.verb;
      phrase.last = std::max(phrase.last, s_.verb + 1);
      sheet_.Add(s_, Predicate::kSkill, ObjectText(m_, phrase), {});
    }
    return true;
  }

  // "I can't swim"; "I can't sing tonight" says nothing about singing.
  bool ReadInability(Frame frame) {
    const bool skill = frame == Frame::kHobbyVerb || frame == Frame::kPlay ||
                       frame == Frame::kSpeak || frame == Frame::kDrive;
    const bool vague = s_.lemma == "make" || s_.lemma == "build" || s_.lemma == "travel";
    if (!skill || vague || sheet_.TimeWithin(s_.subject_at, s_.end)) {
      return false;
    }
    Phrase phrase = ObjectAt(m_, s_.rest, s_.end);
    phrase.first = s_.verb;
    phrase.last = std::max(phrase.last, s_.verb + 1);
    sheet_.Add(s_, Predicate::kSkill, ObjectText(m_, phrase), {.negated = true});
    return true;
  }

  void ReadTaste(bool negative) {
    if (s_.past && !s_.ended) {
      return;
    }
    // "I would like to visit Rome" wishes; "I would love it" replies.
    if (s_.supposed) {
      if (s_.lemma == "prefer" && !s_.negated) {
        AddPhrase(Predicate::kLikes, ObjectAt(m_, s_.rest, s_.end), {});
      } else if (m_.Is(s_.rest, "to") && !negative && !s_.negated) {
        ReadWish(false);
      }
      return;
    }
    // "Love you", "like the sound of it", "hate to say it".
    const bool named_again = m_.IsAny(s_.rest, {"that", "those"}) && s_.end - s_.rest == 2;
    if ((m_.IsAny(s_.rest, {"it", "them", "those"}) || named_again) && !sheet_.asked().empty() &&
        s_.end - s_.rest <= 4) {
      const bool disliked = negative != s_.negated;
      AddPhrase(disliked ? Predicate::kDislikes : Predicate::kLikes, sheet_.asked(), {});
      return;
    }
    if (m_.IsAny(s_.rest, {"you", "your", "it", "that", "how", "when", "what"})) {
      return;
    }
    Extra extra;
    const bool turned = s_.negated && !s_.ended;
    extra.retracts = s_.ended;
    const Predicate predicate = negative != turned ? Predicate::kDislikes : Predicate::kLikes;
    const bool like_to = m_.Is(s_.rest, "to");
    Phrase phrase = ObjectAt(m_, s_.rest, s_.end);
    std::size_t from = like_to ? s_.rest : phrase.first;
    // "anything by Austen", "everything with noodles": whatever it is of is meant.
    if (m_.IsAny(s_.rest, {"anything", "everything"}) &&
        m_.IsAny(s_.rest + 1, {"by", "with", "about", "from"})) {
      from = s_.rest + 2;
    }
    if (like_to && phrase.first < s_.end && IsEmptyObject(m_.Text(phrase.first)) &&
        phrase.last - phrase.first > 1 &&
        m_.IsAny(phrase.first, {"be", "have", "get", "go", "do"})) {
      // "love to go hiking": what follows the empty verb is meant.
      from = phrase.first + 1;
    }
    for (const Phrase& part : ObjectsAt(m_, from, s_.end)) {
      AddPhrase(predicate, part, extra);
    }
  }

  void ReadOwn(bool bought) {
    if (s_.negated || s_.future) {
      return;
    }
    const Phrase phrase = ObjectAt(m_, s_.rest, s_.end);
    if (!IsUsable(m_, phrase)) {
      return;
    }
    const NounClass noun = ClassOf(m_.Text(phrase.last - 1));
    if (noun == NounClass::kPet || s_.ended) {
      AddPhrase(noun == NounClass::kPet ? Predicate::kHasPet : Predicate::kOwns, phrase,
                {.retracts = s_.ended});
      return;
    }
    // What is bought is owned when it lasts; groceries do not.
    const bool lasting = noun == NounClass::kVehicle || noun == NounClass::kOwnable ||
                         noun == NounClass::kInstrument;
    if (!bought || lasting) {
      AddPhrase(Predicate::kOwns, phrase, {});
      sheet_.AddDwellingPlace(s_, phrase);
    } else if (s_.past || s_.perfect) {
      AddPhrase(Predicate::kOwns, phrase, {});
    }
  }

  void ReadAdopt() {
    if (s_.negated || s_.supposed || s_.future) {
      return;
    }
    const Phrase phrase = ObjectAt(m_, s_.rest, s_.end);
    for (std::size_t i = phrase.first; i < phrase.last; ++i) {
      if (ClassOf(m_.Text(i)) == NounClass::kPet) {
        AddPetNamed(phrase, i);
        return;
      }
      if (!KinOf(m_.Text(i)).relation.empty()) {
        AddPhrase(Predicate::kRelation, phrase, {.qualifier = "child"});
        return;
      }
    }
  }

  // "a puppy called Pixie".
  void AddPetNamed(Phrase phrase, std::size_t noun) {
    const std::size_t announced = noun + 1;
    if (m_.IsAny(announced, {"named", "called"}) && announced + 1 < s_.end) {
      Mention pet;
      pet.relation = std::string(SingularOf(m_.Text(noun)));
      pet.type = EntityType::kAnimal;
      pet.owner = s_.subject.name;
      const std::size_t last = std::max(EndOfName(m_, announced + 1, s_.end), announced + 2);
      pet.name = std::string(m_.Source(announced + 1, last));
      sheet_.Introduce(pet);
      return;
    }
    phrase.last = noun + 1;
    sheet_.AddPet(s_, phrase);
  }

  void ReadDrive() {
    if (s_.negated || s_.past) {
      return;
    }
    const Phrase phrase = ObjectAt(m_, s_.rest, s_.end);
    if (!IsUsable(m_, phrase) || m_.IsAny(phrase.first, {"fast", "slow", "home", "safely"})) {
      return;
    }
    const NounClass noun = ClassOf(m_.Text(phrase.last - 1));
    const bool vehicle =
        noun == NounClass::kVehicle || m_.At(phrase.first).capital ||
        (s_.lemma == "drive" && m_.IsAny(s_.rest, {"a", "an", "my"}) &&
         !m_.IsAny(phrase.last - 1, {"bus", "taxi", "cab", "lot", "train", "tram"})) ||
        ClassOf(m_.Text(phrase.first)) == NounClass::kVehicle;
    AddPhrase(vehicle ? Predicate::kOwns : Predicate::kHobby, phrase, {});
  }

  void ReadActivity(Frame frame) {
    if ((s_.past && !s_.ended) || s_.future) {
      return;
    }
    Extra extra;
    extra.retracts = s_.ended && !s_.negated;
    std::size_t at = s_.rest;
    if (frame == Frame::kHobbyObject && m_.Is(at, "to")) {
      ++at;
    }
    if (frame == Frame::kPlay && m_.IsAny(at, {"with", "in", "on", "for"})) {
      if (m_.IsAny(at, {"in", "for", "on"})) {
        AddPhrase(Predicate::kMember, ObjectAt(m_, at + 1, s_.end), extra);
        return;
      }
      ++at;
    }
    if (frame == Frame::kHobbyVerb && !s_.negated && !s_.ended && ReadCraftAtWork()) {
      return;
    }
    Phrase phrase = ObjectAt(m_, at, s_.end);
    if (s_.negated && s_.ended) {
      EndHabit(frame, phrase);
      return;
    }
    if (s_.negated) {
      if (frame == Frame::kConsume || frame == Frame::kHobbyObject) {
        AddPhrase(Predicate::kDislikes, phrase, {});
      }
      return;
    }
    // "I eat healthy", "we eat organic": how, not what.
    if (frame == Frame::kConsume && !phrase.empty() && phrase.last - phrase.first == 1 &&
        (m_.IsAny(phrase.first, {"healthy", "organic", "clean"}) ||
         IsDiet(m_.Text(phrase.first)))) {
      AddPhrase(Predicate::kHealth, phrase, {.qualifier = "diet"});
      return;
    }
    if (frame == Frame::kConsume) {
      for (const Phrase& part : ObjectsAt(m_, phrase.first, s_.end)) {
        AddPhrase(Predicate::kLikes, part, {});
      }
      return;
    }
    if (frame == Frame::kHobbyVerb) {
      if (m_.IsAny(s_.rest,
                   {"sure", "sense", "it", "me", "you", "up", "money", "friends", "that"}) &&
          m_.IsAny(s_.verb, {"make", "makes", "making", "build", "write", "practice"})) {
        return;
      }
      const bool usable = IsUsable(m_, phrase) && phrase.first == at;
      phrase.first = s_.verb;
      phrase.last = usable ? std::min(phrase.last, s_.verb + 5) : s_.verb + 1;
      const bool bare = phrase.last == s_.verb + 1;
      if (bare && m_.IsAny(s_.verb, {"make", "build", "makes", "building", "making"})) {
        return;
      }
      sheet_.Add(s_, Predicate::kHobby, ObjectText(m_, phrase), extra);
      return;
    }
    for (const Phrase& part : ObjectsAt(m_, phrase.first, s_.end)) {
      AddPhrase(Predicate::kHobby, part, extra);
    }
  }

  // "I cook at a small diner": the place where a craft is done is a place of work.
  bool ReadCraftAtWork() {
    if (s_.past || !m_.IsAny(s_.rest, {"at", "in", "for"}) ||
        !m_.IsAny(s_.rest + 1, {"a", "an", "the", "my", "our"})) {
      return false;
    }
    const Phrase place = PlaceAt(m_, s_.rest + 1, s_.end);
    if (!IsUsable(m_, place) || !IsWorkplace(m_.Text(place.last - 1)) ||
        m_.IsAny(place.last - 1, {"gym", "church", "mall", "bar", "garage", "library"})) {
      return false;
    }
    sheet_.Add(s_, Predicate::kWorksAt, ObjectText(m_, place), {});
    return true;
  }

  // "I don't play tennis any more", "I don't run any more": whatever words told of it.
  void EndHabit(Frame frame, Phrase phrase) {
    if (frame != Frame::kHobbyVerb && frame != Frame::kRun) {
      AddPhrase(frame == Frame::kConsume ? Predicate::kLikes : Predicate::kHobby, phrase,
                {.retracts = true});
      return;
    }
    const std::string verb(s_.lemma);
    for (const Predicate predicate : {Predicate::kHobby, Predicate::kLikes}) {
      sheet_.Add(s_, predicate, verb, {.retracts = true});
      sheet_.Add(s_, predicate, GerundOf(verb), {.retracts = true});
    }
  }

  // "run", "running"; "hike", "hiking"; "ski", "skiing".
  static std::string GerundOf(std::string verb) {
    const auto vowel = [](char c) {
      return std::string_view("aeiou").find(c) != std::string::npos;
    };
    if (verb.size() > 2 && verb.ends_with('e') && !verb.ends_with("ee")) {
      verb.pop_back();
    } else if (verb.size() > 2 && verb.size() <= 4 && !vowel(verb.back()) &&
               std::string_view("wxy").find(verb.back()) == std::string::npos &&
               vowel(verb[verb.size() - 2]) && !vowel(verb[verb.size() - 3])) {
      verb += verb.back();
    }
    return verb + "ing";
  }

  void ReadSpeak() {
    if (s_.negated || s_.past) {
      return;
    }
    // "I speak six languages"
    const Phrase spoken = ObjectAt(m_, s_.rest, s_.end);
    if (!spoken.empty() && m_.IsAny(spoken.last - 1, {"languages", "language"})) {
      sheet_.Add(s_, Predicate::kSkill, "speaks " + ObjectText(m_, spoken));
      return;
    }
    for (std::size_t i = s_.rest; i < std::min(s_.end, s_.rest + 6); ++i) {
      if (IsLanguage(m_.Text(i))) {
        sheet_.AddEntity(ObjectText(m_, {i, i + 1}), EntityType::kOther);
        sheet_.Add(s_, Predicate::kSkill, "speaks " + ObjectText(m_, {i, i + 1}), {});
      }
    }
  }

  void ReadWish(bool plan) {
    // "I always wanted to be a pilot" still wants it, as far as is told.
    const bool lasting = s_.perfect || m_.Is(s_.verb - 1, "always");
    const Extra over{.retracts = s_.ended};
    if ((s_.negated && !s_.ended) || (s_.past && !s_.progressive && !lasting)) {
      return;
    }
    // "I hope my sister is well" wishes nothing for the speaker.
    if ((s_.lemma == "hope" || s_.lemma == "wish") && !m_.IsAny(s_.rest, {"to", "for"})) {
      return;
    }
    std::size_t at = s_.rest;
    while (m_.IsAny(at, {"to", "on", "of", "about", "for", "someday", "one", "day", "really"})) {
      ++at;
    }
    if (m_.IsAny(at, {"be", "become"})) {
      Phrase job = ObjectAt(m_, at + 1, s_.end);
      AddPhrase(Predicate::kWants, job, {.qualifier = "become", .retracts = s_.ended});
      return;
    }
    const Phrase phrase = ObjectAt(m_, s_.rest, s_.end);
    if (phrase.last - phrase.first == 1 && !LemmaOf(m_.Text(phrase.first)).empty() &&
        IsEmptyObject(m_.Text(phrase.first))) {
      return;
    }
    Phrase whole = phrase;
    if (plan || m_.Is(s_.rest, "to")) {
      whole.last = std::min(s_.end, std::max(phrase.last, phrase.first + 6));
      for (std::size_t i = whole.first; i < whole.last; ++i) {
        if (m_.At(i).symbol) {
          whole.last = i;
        }
      }
    }
    while (whole.last > whole.first && m_.IsAny(whole.last - 1, {"too", "someday", "also"})) {
      --whole.last;
    }
    if (whole.empty() || m_.IsAny(whole.last - 1, {"that", "it", "this", "one", "so"})) {
      return;
    }
    if (m_.IsAny(whole.first,
                 {"know", "hear", "ask", "say", "see", "make", "thank", "share", "tell", "talk",
                  "meet", "you", "i", "we", "he", "she", "they", "it"})) {
      return;
    }
    AddPhrase(plan ? Predicate::kPlan : Predicate::kWants, whole, over);
  }

  void ReadVisit() {
    if (s_.negated) {
      return;
    }
    std::size_t at = s_.rest;
    const bool visit = s_.lemma == "visit";
    if (!visit) {
      while (m_.IsAny(at, {"back", "up", "down", "over", "out"})) {
        ++at;
      }
      // "I go hiking" is a habit, "I went hiking" an event.
      if (m_.Text(at).ends_with("ing") && m_.Text(at).size() > 5) {
        if (!s_.past && !s_.future) {
          AddPhrase(Predicate::kHobby, ObjectAt(m_, at, s_.end), {});
        }
        return;
      }
      if (m_.IsAny(at, {"on", "for"})) {
        ReadOuting(at + 1);
        return;
      }
      if (!m_.Is(at, "to")) {
        return;
      }
      ++at;
    }
    const Phrase place = PlaceAt(m_, at, s_.end);
    if (!IsUsable(m_, place)) {
      return;
    }
    if (!visit && !s_.past && !s_.perfect && !s_.future &&
        ClassOf(m_.Text(place.last - 1)) == NounClass::kSchool) {
      AddPhrase(Predicate::kStudies, place, {});
      return;
    }
    if (!m_.At(place.first).capital) {
      return;
    }
    const bool done = s_.past || s_.perfect;
    sheet_.AddEntity(ObjectText(m_, place), EntityType::kPlace);
    sheet_.Add(s_, done ? Predicate::kVisited : Predicate::kPlan,
               (done ? "" : "visit ") + ObjectText(m_, place), {.object_is_entity = done});
  }

  // "I go on long walks", "we go for runs".
  void ReadOuting(std::size_t at) {
    if (s_.past || s_.future || s_.progressive) {
      return;
    }
    const Phrase outing = ObjectAt(m_, at, s_.end);
    if (!outing.empty() &&
        m_.IsAny(outing.last - 1, {"walk", "walks", "run", "runs", "hike", "hikes", "jog", "jogs",
                                   "ride", "rides", "drives", "swims", "cruises", "trips"})) {
      AddPhrase(Predicate::kHobby, outing, {});
    }
  }

  // "I wear glasses", "I dyed my hair pink".
  void ReadLooks() {
    if (s_.negated || s_.future) {
      return;
    }
    const bool dyed = s_.lemma == "dye" || s_.lemma == "color";
    if (!dyed) {
      if (!s_.past) {
        // What is worn for life; clothes change.
        const auto worn = SplitObjects(m_, ObjectAt(m_, s_.rest, s_.end));
        if (!worn.empty() &&
            m_.IsAny(worn.front().last - 1, {"glasses", "spectacles", "contacts", "lenses", "wig",
                                             "braces", "aid", "aids", "dentures", "toupee"})) {
          AddPhrase(Predicate::kPhysical, worn.front(), {});
        }
      }
      return;
    }
    for (std::size_t i = s_.rest; i + 1 < s_.end && i < s_.rest + 4; ++i) {
      if (m_.Is(i, "hair") && IsColor(m_.Text(i + 1))) {
        sheet_.Add(s_, Predicate::kPhysical, std::string(m_.Text(i + 1)) + " hair", {});
        return;
      }
    }
  }

  // "I spend my weekends hiking".
  void ReadSpend() {
    if (s_.past || s_.negated) {
      return;
    }
    for (std::size_t i = s_.rest; i < std::min(s_.end, s_.rest + 7); ++i) {
      if (m_.Text(i).ends_with("ing") && m_.Text(i).size() > 5 &&
          !m_.IsAny(i, {"evening", "morning", "evenings"})) {
        AddPhrase(Predicate::kHobby, ObjectAt(m_, i, s_.end), {});
        return;
      }
    }
  }

  void ReadRun() {
    if (s_.lemma == "run" && s_.negated && s_.ended) {
      EndHabit(Frame::kRun, {});
      return;
    }
    if (s_.past || s_.negated || s_.future) {
      return;
    }
    const Phrase phrase = ObjectAt(m_, s_.rest, s_.end);
    if (IsUsable(m_, phrase) && m_.IsAny(s_.rest, {"a", "an", "my", "our", "the"})) {
      const NounClass noun = ClassOf(m_.Text(phrase.last - 1));
      if (noun == NounClass::kOwnable || noun == NounClass::kWorkplace) {
        AddPhrase(Predicate::kOwns, phrase, {});
      }
      return;
    }
    if (s_.lemma == "run" && !m_.IsAny(s_.rest, {"into", "out", "late"})) {
      sheet_.Add(s_, Predicate::kHobby, ObjectText(m_, {s_.verb, s_.verb + 1}), {});
    }
  }
};

}  // namespace

void ReadTasteFacts(Frame frame, const Statement& statement, FactSheet& sheet) {
  TasteReader(statement, sheet).Read(frame);
}

}  // namespace umbranet
