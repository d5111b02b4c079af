#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <unordered_set>

#include "umbranet/extraction/verb_facts.h"

// Tastes that no verb of liking tells: passions and hobbies by their names, fans and lovers of
// things, opinions, answers to a question about a taste.

namespace umbranet {
namespace {

using WordSet = std::unordered_set<std::string_view>;

// "my passion", "my hobbies": what is equated with them is liked.
bool IsPassion(std::string_view noun) {
  static const WordSet words = {
      "passion",   "passions", "hobby",     "hobbies",  "love",    "loves",      "addiction",
      "vice",      "vices",    "obsession", "jam",      "pastime", "weakness",   "pleasure",
      "interests", "joy",      "specialty", "interest", "thing",   "weaknesses", "preference"};
  return words.contains(noun);
}

// "a huge jazz fan"; the word before it is what is liked.
bool IsFan(std::string_view noun) {
  static const WordSet words = {"lover",   "fan",        "enthusiast", "addict",
                                "buff",    "geek",       "nerd",       "junkie",
                                "fanatic", "aficionado", "drinker",    "connoisseur"};
  return words.contains(noun);
}

// Before the thing that is liked, in a clause about the speaker.
constexpr std::array kLeanings = std::to_array<std::string_view>(
    {"fan of",           "weakness for", "obsession with", "addiction to",        "love for",
     "love of",          "passion for",  "thing for",      "soft spot for",       "sucker for",
     "craving for",      "hooked on",    "live without",   "day without",         "survive without",
     "function without", "all about",    "live off of",    "nothing better than", "nothing beats",
     "enough of"});

bool IsBe(const WordStream& m, std::size_t i) {
  return m.IsAny(i, {"is", "are", "'s"});
}

class EnthusiasmReader {
 public:
  EnthusiasmReader(const Clause& clause, FactSheet& sheet)
      : clause_(clause), sheet_(sheet), m_(sheet.m()) {
    statement_.subject.name = std::string(sheet.context().self);
    statement_.subject_at = clause.first;
    statement_.verb = clause.first;
    statement_.end = clause.last;
  }

  void Read() {
    if (ReadAnswer()) {
      return;
    }
    ReadOpinion();
    std::size_t self = clause_.last;  // Where the clause begins to speak of the speaker.
    for (std::size_t i = clause_.first; i < clause_.last; ++i) {
      if (m_.IsAny(i, {"i", "me"}) || (self == clause_.last && m_.IsAny(i, {"my", "our"}))) {
        self = i;
      } else if (m_.IsAny(i, {"you", "he", "she", "they", "your", "his", "her"})) {
        self = clause_.last;
      }
      if (m_.IsAny(i, {"my", "our"})) {
        ReadPassion(i);
        ReadFear(i);
      }
      const bool opens = i <= clause_.first + 1;
      if (self < clause_.last || opens) {
        ReadLeaning(i, self);
        ReadFan(i, self);
        ReadExpense(i);
        ReadException(i, self);
      }
    }
  }

 private:
  // "Do you like sushi? I do." "I do not."
  bool ReadAnswer() {
    if (sheet_.asked().empty()) {
      return false;
    }
    std::size_t at = clause_.first;
    while (m_.IsAny(at, {"yes", "yeah", "well", "no", "nope", "because", "sometimes", "but"})) {
      ++at;
    }
    if (m_.Match(at, "i do") == 0) {
      return false;
    }
    at += 2;
    const bool negated = m_.Is(at, "not");
    at += negated ? 1U : 0U;
    while (m_.IsAny(at, {"too", "indeed", "really", "actually", "as", "well", "lol"})) {
      ++at;
    }
    if (at < clause_.last) {
      return false;
    }
    Add(negated ? Predicate::kDislikes : Predicate::kLikes, sheet_.asked());
    return true;
  }

  // "my passion is running", "running is my passion", "sports are not my thing".
  void ReadPassion(std::size_t my) {
    constexpr std::size_t kModifiersMax = 3;
    std::size_t noun = my + 1;
    while (noun < my + 1 + kModifiersMax && noun < clause_.last && !IsPassion(m_.Text(noun))) {
      if (m_.At(noun).symbol || IsBe(m_, noun)) {
        return;
      }
      ++noun;
    }
    if (noun >= clause_.last || !IsPassion(m_.Text(noun))) {
      return;
    }
    std::size_t after = noun + 1;
    if (m_.IsAny(after, {"of", "for"}) && m_.IsAny(after + 1, {"interest", "interested"})) {
      after += 2;
    }
    if (!m_.Is(noun, "thing") && (IsBe(m_, after) || m_.IsAny(after, {"include", "includes"}))) {
      std::size_t value = after + 1;
      while (m_.IsAny(value, {"with", "in", "for", "definitely", "probably", "to", "mostly"})) {
        ++value;
      }
      if (!m_.IsAny(value, {"not", "that", "so", "what", "how", "when", "it"})) {
        AddAll(Predicate::kLikes, value);
      }
      return;
    }
    // "running is (not) my passion".
    std::size_t be = my;
    const bool negated = be > clause_.first && m_.Is(be - 1, "not");
    be -= negated ? 1U : 0U;
    while (be > clause_.first + 1 && m_.IsAny(be - 1, {"really", "also", "definitely", "just"})) {
      --be;
    }
    if (be > clause_.first && IsBe(m_, be - 1)) {
      if (be >= clause_.first + 3 && m_.Match(be - 3, "in general") == be - 1) {
        be -= 2;
      }
      AddBefore(negated ? Predicate::kDislikes : Predicate::kLikes, be - 1);
    }
  }

  // "a soft spot for cats", "can not live without tea"; "not a fan of cats".
  void ReadLeaning(std::size_t i, std::size_t self) {
    for (const std::string_view leaning : kLeanings) {
      const std::size_t at = m_.Match(i, leaning);
      if (at == 0 || at >= clause_.last) {
        continue;
      }
      // "can not get enough of" praises like "can not live without".
      const bool without = leaning.ends_with("without") || leaning == "enough of";
      if (leaning == "all about" && (i == 0 || !m_.IsAny(i - 1, {"am", "are"}))) {
        continue;
      }
      const std::size_t from = self < i ? self : clause_.first;
      const bool negated = Negated(from, i);
      if (without != negated && without) {
        return;
      }
      AddAll(negated && !without ? Predicate::kDislikes : Predicate::kLikes, at);
      return;
    }
  }

  // "my biggest fear is spiders".
  void ReadFear(std::size_t my) {
    const std::size_t noun = my + (m_.Is(my + 1, "fear") ? 1U : 2U);
    if (!m_.Is(noun, "fear") || !IsBe(m_, noun + 1) || m_.IsAny(noun + 2, {"that", "not", "of"})) {
      return;
    }
    std::size_t at = noun + 2;
    if (m_.Is(at, "being") && m_.Is(at + 2, "by")) {
      at += 3;
    }
    Add(Predicate::kDislikes, ObjectAt(m_, at, clause_.last));
  }

  // "I am a huge jazz fan", "a coffee lover", "not a cat person".
  void ReadFan(std::size_t i, std::size_t self) {
    const bool person = m_.Is(i, "person") && i > 0 &&
                        m_.IsAny(i - 1, {"dog", "cat", "animal", "coffee", "tea", "beach", "winter",
                                         "summer", "outdoors", "city", "people"});
    if (i == clause_.first || !(person || IsFan(m_.Text(i))) || m_.Is(i + 1, "of")) {
      return;
    }
    const bool mine = self < i && (m_.Is(self, "i") || m_.Is(self, "me"));
    if (!mine || !m_.IsAny(self + 1, {"am", "have", "was", "a", "as"})) {
      return;
    }
    Phrase thing = NounBefore(m_, self + 2, i);
    while (!thing.empty() && m_.IsAny(thing.first, {"big", "huge", "avid", "true", "real", "total",
                                                    "massive", "bit", "not", "complete", "long",
                                                    "such", "real", "fan", "time", "more"})) {
      ++thing.first;
    }
    Add(Negated(self, i) ? Predicate::kDislikes : Predicate::kLikes, thing);
  }

  // "I spend most of my money on books".
  void ReadExpense(std::size_t i) {
    if (!m_.IsAny(i, {"money", "lot", "fortune", "paycheck"}) || !m_.Is(i + 1, "on")) {
      return;
    }
    for (std::size_t j = clause_.first; j < i; ++j) {
      if (m_.IsAny(j, {"spend", "spends", "spending"})) {
        AddAll(Predicate::kLikes, i + 2);
        return;
      }
    }
  }

  // "I like everything except broccoli", "anything but country".
  void ReadException(std::size_t i, std::size_t self) {
    if (self >= i || !m_.IsAny(i, {"everything", "anything", "all", "any"})) {
      return;
    }
    bool liked = false;
    for (std::size_t j = self; j < i; ++j) {
      const std::string_view lemma = LemmaOf(m_.Text(j));
      liked = liked || lemma == "like" || lemma == "love" || lemma == "enjoy" || lemma == "eat";
    }
    constexpr std::size_t kReach = 5;
    for (std::size_t j = i + 1; liked && j < i + kReach; ++j) {
      // The exception opens a clause of its own.
      const bool but = m_.Is(j, "but") && j == i + 1 && m_.IsAny(i, {"everything", "anything"});
      if (but || m_.Is(j, "except") || m_.Match(j, "other than") != 0) {
        std::size_t at = j + (m_.Is(j, "other") ? 2U : 1U);
        at += m_.Is(at, "for") ? 1U : 0U;
        Add(Predicate::kDislikes, ObjectAt(m_, at, at + 5));
        return;
      }
    }
  }

  // "Running is fun", "cooking helps me relax", "broccoli is gross": about things in general.
  void ReadOpinion() {
    std::size_t first = clause_.first;
    while (m_.IsAny(first, {"yes", "yeah", "well", "oh", "but", "and", "because", "lol", "so", "no",
                            "though", "although", "haha", "besides", "think", "i"})) {
      ++first;
    }
    constexpr std::size_t kThingMax = 4;
    for (std::size_t be = first + 1; be < std::min(clause_.last, first + 1 + kThingMax); ++be) {
      if (m_.At(be - 1).symbol ||
          m_.IsAny(be - 1, {"my", "the", "a", "this", "that", "i", "you", "your", "it", "he", "she",
                            "they", "these", "there", "what", "who", "name", "we"})) {
        return;
      }
      const int opinion = OpinionAt(be, m_.Text(first).ends_with("ing"));
      if (opinion != 0) {
        for (const Phrase& part : SplitObjects(m_, {first, be})) {
          Add(opinion > 0 ? Predicate::kLikes : Predicate::kDislikes, part);
        }
        return;
      }
    }
  }

  // 1 for praise, -1 for blame, 0 for neither.
  [[nodiscard]] int OpinionAt(std::size_t be, bool gerund) const {
    if (gerund && m_.IsAny(be, {"helps", "relaxes", "calms", "keeps"}) && m_.Is(be + 1, "me") &&
        !m_.Is(be + 2, "awake")) {
      return 1;
    }
    if (m_.IsAny(be, {"scares", "scare", "terrifies", "terrify", "annoys", "annoy", "bores", "bore",
                      "disgusts", "disgust", "frightens", "frighten", "depresses"}) &&
        m_.Is(be + 1, "me")) {
      return -1;
    }
    if (m_.Is(be, "makes") && m_.Is(be + 1, "me")) {
      return m_.IsAny(be + 2, {"happy", "smile"}) || m_.IsAny(be + 3, {"better", "good", "great"})
                 ? 1
                 : 0;
    }
    if (!IsBe(m_, be)) {
      return 0;
    }
    std::size_t at = be + 1;
    const bool negated = m_.Is(at, "not");
    while (m_.IsAny(at, {"not", "so", "really", "very", "always", "just", "also", "pretty", "much",
                         "such", "a", "great", "kinda", "kind", "of"}) &&
           at + 1 < clause_.last) {
      ++at;
    }
    const bool praise = m_.Match(at, "the best") != 0 || m_.IsAny(at, {"delicious", "yummy"}) ||
                        (gerund && m_.IsAny(at, {"fun", "awesome", "amazing", "relaxing",
                                                 "enjoyable", "therapeutic", "wonderful"}));
    const bool blame =
        m_.Match(at, "the worst") != 0 ||
        m_.IsAny(at, {"gross", "disgusting", "nasty", "overrated", "yucky", "boring", "dumb"});
    if (praise) {
      return negated ? -1 : 1;
    }
    return blame && !negated ? -1 : 0;
  }

  [[nodiscard]] bool Negated(std::size_t first, std::size_t last) const {
    for (std::size_t j = first; j < last; ++j) {
      if (m_.IsAny(j, {"not", "never", "no", "without"})) {
        return true;
      }
    }
    return false;
  }

  void Add(Predicate predicate, Phrase phrase) {
    if (IsUsable(m_, phrase)) {
      sheet_.Add(statement_, predicate, ObjectText(m_, phrase));
    }
  }

  void AddAll(Predicate predicate, std::size_t first) {
    for (const Phrase& part : ObjectsAt(m_, first, clause_.last)) {
      Add(predicate, part);
    }
  }

  void AddBefore(Predicate predicate, std::size_t end) {
    const Phrase noun = NounBefore(m_, clause_.first, end);
    if (!noun.empty()) {
      for (const Phrase& part : SplitObjects(m_, noun)) {
        Add(predicate, part);
      }
    }
  }

  const Clause& clause_;
  FactSheet& sheet_;
  const WordStream& m_;
  Statement statement_;
};

}  // namespace

void ReadEnthusiasm(const Sentence& sentence, FactSheet& sheet) {
  for (const Clause& clause : sentence.clauses) {
    if (!clause.question && !clause.conditional && !clause.reported) {
      EnthusiasmReader(clause, sheet).Read();
    }
  }
}

}  // namespace umbranet
