#include "umbranet/extraction/statements.h"

#include <algorithm>
#include <array>
#include <unordered_set>
#include <utility>

namespace umbranet {
namespace {

using WordSet = std::unordered_set<std::string_view>;

bool IsBe(std::string_view word) {
  static const WordSet words = {"am", "is", "are", "was", "were", "be", "been", "being", "'s"};
  return words.contains(word);
}

bool IsSkippedAdverb(std::string_view word) {
  static const WordSet words = {
      "really",        "just",       "also",      "actually",     "always",      "usually",
      "often",         "still",      "currently", "now",          "already",     "only",
      "even",          "mostly",     "mainly",    "sometimes",    "definitely",  "totally",
      "absolutely",    "both",       "all",       "recently",     "finally",     "probably",
      "honestly",      "personally", "truly",     "especially",   "generally",   "normally",
      "typically",     "sort",       "kind",      "of",           "so",          "too",
      "very",          "pretty",     "basically", "occasionally", "frequently",  "once",
      "ever",          "soon",       "then",      "do",           "does",        "did",
      "simply",        "secretly",   "certainly", "obviously",    "fortunately", "luckily",
      "unfortunately", "sadly",      "rarely",    "barely",       "hardly",      "since",
      "almost",        "mine",       "first",     "originally",   "literally",   "though",
      "myself",        "more",       "quite"};
  return words.contains(word);
}

// "constantly", "recently": an adverb by its form, with the exceptions that are none.
bool IsAdverbByForm(std::string_view word) {
  static const WordSet exceptions = {"family",   "reply",  "fly",   "july",  "apply",  "lonely",
                                     "friendly", "lovely", "ugly",  "silly", "supply", "italy",
                                     "elderly",  "early",  "belly", "jelly", "bully",  "rely",
                                     "daily",    "weekly", "holy",  "curly", "chilly", "rally"};
  return word.size() > 4 && word.ends_with("ly") && !exceptions.contains(word);
}

// What may stand before the subject of a clause.
bool IsLeadIn(std::string_view word) {
  static const WordSet words = {
      "and",      "but",       "so",        "because",     "well",     "yes",           "no",
      "yeah",     "oh",        "also",      "then",        "plus",     "though",        "although",
      "since",    "while",     "as",        "or",          "actually", "honestly",      "anyway",
      "hey",      "hi",        "hello",     "ok",          "okay",     "lol",           "haha",
      "nah",      "yep",       "nope",      "sorry",       "thanks",   "now",           "like",
      "that",     "when",      "until",     "after",       "before",   "which",         "where",
      "sure",     "wow",       "btw",       "fortunately", "luckily",  "unfortunately", "sadly",
      "recently", "currently", "sometimes", "usually",     "today",    "yesterday",     "guess",
      "maybe",    "cause",     "cuz",       "definitely",  "lately"};
  return words.contains(word);
}

// Before "i", these make it no subject of a claim: "what I like" names, "do I like" asks.
bool UnmakesSubject(std::string_view word) {
  static const WordSet words = {"do",   "did",      "can",   "could",   "should", "would", "will",
                                "what", "whatever", "if",    "whether", "am",     "have",  "may",
                                "than", "shall",    "might", "how",     "unless", "wish",  "why"};
  return words.contains(word);
}

bool IsPetName(std::string_view word) {
  return ClassOf(word) == NounClass::kPet;
}

// "named Ana", "called Ana", "Ana" right after a noun that needs a name.
std::size_t NameAfter(const WordStream& m, std::size_t i, std::size_t end, std::string* name) {
  std::size_t at = i;
  bool announced = false;
  if (m.IsAny(at, {"named", "called"})) {
    ++at;
    announced = true;
  } else if (m.Is(at, ",") && at + 1 < end && IsName(m, at + 1) &&
             (m.Is(EndOfName(m, at + 1, end), ",") || EndOfName(m, at + 1, end) >= end)) {
    ++at;
  }
  std::size_t last = EndOfName(m, at, end);
  if (last == at && announced && at < end && !m.At(at).symbol) {
    last = at + 1;  // "a dog named rex", in lower case.
  }
  if (last == at) {
    return i;
  }
  *name = std::string(m.Source(at, last));
  return m.Is(last, ",") && m.Is(at - 1, ",") ? last + 1 : last;
}

// The noun that "my" introduces, adjectives skipped: a relation or a pet.
struct OwnedNoun {
  std::size_t at = 0;
  std::string relation;
  EntityType type = EntityType::kPerson;
  Gender gender = Gender::kUnknown;
  bool plural = false;
};

std::optional<OwnedNoun> ReadOwnedNoun(const WordStream& m, std::size_t i, std::size_t end) {
  static const WordSet adjectives = {
      "best",      "good",      "old",      "older", "younger", "little", "big",       "oldest",
      "youngest",  "twin",      "elder",    "close", "closest", "dear",   "new",       "late",
      "baby",      "first",     "second",   "only",  "two",     "three",  "four",      "middle",
      "girl",      "boy",       "current",  "own",   "beloved", "lovely", "wonderful", "former",
      "childhood", "step",      "adopted",  "pet",   "german",  "golden", "amazing",   "cute",
      "sweet",     "long-time", "longtime", "whole", "other",   "5",      "6",         "7",
      "8",         "3",         "4",        "2",     "year",    "great"};
  std::size_t at = i;
  while (at < end && at < i + 3 && adjectives.contains(m.Text(at)) &&
         !(m.Is(at, "twin") && KinOf(m.Text(at + 1)).relation.empty())) {
    ++at;
  }
  if (at >= end) {
    return std::nullopt;
  }
  OwnedNoun noun;
  noun.at = at;
  if (const Kin kin = KinOf(m.Text(at)); !kin.relation.empty()) {
    noun.relation = std::string(kin.relation);
    noun.gender = kin.gender;
    noun.plural = kin.plural;
    const std::size_t in_law = m.Match(at + 1, "- in - law");
    if (in_law != 0) {
      noun.relation += "-in-law";
      noun.at = in_law - 1;
    }
    return noun;
  }
  if (IsPetName(m.Text(at))) {
    noun.relation = std::string(SingularOf(m.Text(at)));
    noun.type = EntityType::kAnimal;
    noun.plural = noun.relation != m.Text(at);
    return noun;
  }
  return std::nullopt;
}

MentionRead MakeOwned(const WordStream& m, const OwnedNoun& noun, std::size_t end,
                      std::string_view owner) {
  MentionRead read;
  Mention& mention = read.mention;
  mention.type = noun.type;
  mention.gender = noun.gender;
  mention.plural = noun.plural;
  mention.relation = noun.relation;
  mention.owner = std::string(owner);
  // Several are described as they were named: "my parents", "my dogs".
  mention.description = Describe(owner, noun.plural ? m.Text(noun.at) : noun.relation);
  mention.name = mention.description;
  read.next = noun.at + 1;
  if (!noun.plural) {
    std::string name;
    read.next = NameAfter(m, noun.at + 1, end, &name);
    if (!name.empty()) {
      mention.name = std::move(name);
    }
  }
  return read;
}

class StatementReader {
 public:
  StatementReader(const WordStream& m, std::string_view self, Mention& person)
      : m_(m), self_(self), person_(person) {}

  void Read(const Sentence& sentence, std::vector<Statement>& out) {
    Mention last;  // What a clause without a subject continues, and what "she" may stand for.
    for (const Clause& clause : sentence.clauses) {
      if (clause.question || clause.conditional || clause.reported) {
        last = {};
        continue;
      }
      ReadClause(clause, last, out);
    }
  }

 private:
  void ReadClause(const Clause& clause, Mention& last, std::vector<Statement>& out) {
    std::size_t at = clause.first;
    while (at < clause.last && (IsLeadIn(m_.Text(at)) || m_.At(at).symbol)) {
      ++at;
    }
    bool found = false;
    std::size_t from = at;
    // The subject at the beginning of the clause, whoever it is.
    if (auto subject = ReadSubject(at, clause.last)) {
      subject = Join(std::move(*subject), clause.last);
      last = subject->mention;
      if (last.name != self_ && !last.plural) {
        person_ = last;
      }
      // "Dogs can ...", "Plants make ...": a plural noun in upper case is nobody's name.
      const bool opens = subject->mention.relation.empty() && IsName(m_, at) &&
                         subject->next == at + 1 && m_.Text(at).ends_with("s");
      if (!opens || ThirdPerson(subject->next)) {
        found = AddPredicates(subject->mention, at, subject->next, clause.last, out);
      }
      from = subject->next;
    } else if (at < clause.last && clause.joined && !last.empty() && Continues(at, last)) {
      // "... and work as a nurse".
      found = AddPredicates(last, at, at, clause.last, out);
      from = at + 1;
    }
    // "In my free time I hike", "as a vegan we avoid ...": the speaker further on.
    for (std::size_t i = std::max(from, clause.first + 1); i < clause.last; ++i) {
      if (!m_.IsAny(i, {"i", "we"}) || UnmakesSubject(m_.Text(i - 1))) {
        continue;
      }
      Mention self = Self(m_.Is(i, "we"));
      found = AddPredicates(self, i, i + 1, clause.last, out) || found;
      last = self;
    }
  }

  // "Ana, my sister, is ..." and "My sister, Ana, is ...": two clauses that only name one person.
  MentionRead Join(MentionRead read, std::size_t end) {
    const bool bare = read.next >= end && read.mention.name != self_;
    if (!bare || read.mention.plural) {
      bare_ = {};
      return read;
    }
    const bool described = !read.mention.relation.empty();
    if (!bare_.empty() && described == bare_.relation.empty()) {
      const std::string name = described ? bare_.name : read.mention.name;
      if (!described) {
        read.mention = bare_;
      }
      read.mention.name = name;
    }
    bare_ = read.mention;
    return read;
  }

  [[nodiscard]] bool ThirdPerson(std::size_t i) const {
    i = SkipAdverbs(i);
    const std::string_view word = m_.Text(i);
    return word == "is" || word == "was" || word == "has" || word == "'s" ||
           (!LemmaOf(word).empty() && (word.ends_with("s") || word.ends_with("ed")));
  }

  // A verb without a subject goes on with the last one when its form fits that subject.
  [[nodiscard]] bool Continues(std::size_t i, const Mention& last) const {
    const std::string_view word = m_.Text(i);
    if (IsBe(word)) {
      return true;
    }
    if (LemmaOf(word).empty() || word.ends_with("ing")) {
      return false;
    }
    return last.name == self_ || last.plural ? !m_.Is(i - 1, ",") || word.ends_with("ed")
                                             : ThirdPerson(i);
  }

  [[nodiscard]] Mention Self(bool plural) const {
    Mention mention;
    mention.name = std::string(self_);
    mention.plural = plural;
    return mention;
  }

  std::optional<MentionRead> ReadSubject(std::size_t i, std::size_t end) const {
    if (m_.IsAny(i, {"i", "we"})) {
      if (i > 0 && UnmakesSubject(m_.Text(i - 1))) {
        return std::nullopt;
      }
      return MentionRead{Self(m_.Is(i, "we")), i + 1};
    }
    if (m_.IsAny(i, {"he", "she"})) {
      const Gender gender = m_.Is(i, "she") ? Gender::kFemale : Gender::kMale;
      const bool fits =
          !person_.empty() && (person_.gender == Gender::kUnknown || person_.gender == gender);
      if (!fits) {
        return std::nullopt;
      }
      person_.gender = gender;
      return MentionRead{person_, i + 1};
    }
    return ReadMention(m_, i, end, self_);
  }

  // The predicate after the subject, and those joined to it by "and".
  bool AddPredicates(const Mention& subject, std::size_t subject_at, std::size_t i, std::size_t end,
                     std::vector<Statement>& out) {
    bool added = false;
    constexpr int kPredicatesMax = 4;
    for (int count = 0; count < kPredicatesMax && i < end; ++count) {
      auto statement = ReadPredicate(subject, subject_at, i, end);
      if (!statement) {
        return added;
      }
      // "I can sing and dance": the auxiliary reaches over the "and".
      if (added && !statement->copula && m_.Text(statement->verb) == statement->lemma) {
        statement->able = statement->able || out.back().able;
        statement->future = statement->future || out.back().future;
      }
      // The next "and <verb>" ends this predicate and opens another.
      std::size_t next = end;
      for (std::size_t j = statement->rest; j + 1 < end; ++j) {
        if (m_.IsAny(j, {"i", "we"}) && j > statement->rest) {
          next = j;
          break;
        }
        if (!m_.IsAny(j, {"and", "but", "or"})) {
          continue;
        }
        const std::size_t verb = SkipAdverbs(j + 1);
        const std::string_view lemma = LemmaOf(m_.Text(verb));
        const bool gerund = m_.Text(verb).ends_with("ing");
        if ((!lemma.empty() && !gerund) || IsBe(m_.Text(verb)) || m_.IsAny(verb, {"can", "will"})) {
          next = j;
          break;
        }
      }
      statement->end = next;
      const bool inherits_modal = statement->supposed;
      out.push_back(*statement);
      added = true;
      if (next >= end || !m_.IsAny(next, {"and", "but", "or"}) || inherits_modal) {
        return added;
      }
      i = next + 1;
    }
    return added;
  }

  [[nodiscard]] std::size_t SkipAdverbs(std::size_t i) const {
    while (IsSkippedAdverb(m_.Text(i)) || IsAdverbByForm(m_.Text(i))) {
      ++i;
    }
    return i;
  }

  std::optional<Statement> ReadPredicate(const Mention& subject, std::size_t subject_at,
                                         std::size_t i, std::size_t end) const {
    Statement s;
    s.subject = subject;
    s.subject_at = subject_at;
    s.end = end;
    bool be = false;
    bool have = false;
    std::size_t be_at = 0;
    std::size_t have_at = 0;
    constexpr std::size_t kAuxiliariesMax = 10;
    for (std::size_t at = i; at < end && at < i + kAuxiliariesMax; ++at) {
      const std::string_view word = m_.Text(at);
      if (word == "not" || word == "never") {
        s.negated = true;
      } else if (word == "no" && m_.Is(at + 1, "longer")) {
        s.ended = true;
        ++at;
      } else if (word == "used" && m_.Is(at + 1, "to")) {
        s.ended = true;
        s.past = true;
        ++at;
      } else if (word == "did") {
        s.past = true;
      } else if (word == "will" || word == "shall") {
        s.future = true;
      } else if (word == "can") {
        s.able = true;
      } else if (word == "would" || word == "could" || word == "might" || word == "may" ||
                 word == "should" || word == "must") {
        s.supposed = true;
      } else if (word == "going" && m_.Is(at + 1, "to") && be &&
                 !LemmaOf(m_.Text(at + 2)).empty()) {
        s.future = true;
        be = false;
        ++at;
      } else if (IsBe(word) && !(word == "'s" && at != i)) {
        be = true;
        be_at = at;
        s.past = s.past || word == "was" || word == "were";
      } else if ((word == "have" || word == "has" || word == "had") && !have) {
        have = true;
        have_at = at;
        s.past = s.past || word == "had";
      } else if (IsSkippedAdverb(word) || IsAdverbByForm(word)) {
        continue;
      } else {
        return Finish(std::move(s), at, be, have, be_at, have_at);
      }
    }
    if (be) {
      return FinishCopula(std::move(s), be_at);
    }
    return std::nullopt;
  }

  std::optional<Statement> FinishCopula(Statement s, std::size_t be_at) const {
    s.copula = true;
    s.verb = be_at;
    s.lemma = "be";
    s.rest = be_at + 1;
    while (m_.IsAny(s.rest, {"not", "never"}) || IsSkippedAdverb(m_.Text(s.rest)) ||
           IsAdverbByForm(m_.Text(s.rest))) {
      ++s.rest;
    }
    return s;
  }

  std::optional<Statement> Finish(Statement s, std::size_t at, bool be, bool have,
                                  std::size_t be_at, std::size_t have_at) const {
    const std::string_view word = m_.Text(at);
    const std::string_view lemma = LemmaOf(word);
    const bool gerund = word.ends_with("ing");
    if (be && gerund && !lemma.empty()) {
      s.progressive = true;
    } else if (be) {
      return FinishCopula(std::move(s), be_at);
    } else if (have && (lemma.empty() || lemma == word || !IsParticiple(word))) {
      // "I have a dog": the auxiliary is the verb.
      s.verb = have_at;
      s.lemma = "have";
      s.rest = have_at + 1;
      while (IsSkippedAdverb(m_.Text(s.rest)) || m_.Is(s.rest, "not")) {
        ++s.rest;
      }
      if (m_.Is(s.rest, "got")) {
        ++s.rest;
        s.past = false;
      }
      return s;
    } else if (have) {
      s.perfect = true;
      // "I have got a dog" has, it does not get.
      if (word == "got") {
        s.verb = at;
        s.lemma = "have";
        s.rest = at + 1;
        s.perfect = false;
        return s;
      }
    }
    // "I do yoga": the auxiliary is the verb.
    if (lemma.empty() && at > 0 && m_.IsAny(at - 1, {"do", "does", "did"}) && IsDone(word)) {
      s.past = s.past || m_.Is(at - 1, "did");
      s.verb = at - 1;
      s.lemma = "do";
      s.rest = at;
      return s;
    }
    // An unknown verb makes no fact by itself, but may be what happened on a day.
    if (lemma.empty() && (m_.At(at).symbol || IsLeadIn(word))) {
      return std::nullopt;
    }
    s.past = s.past || (lemma.empty() ? word.ends_with("ed") : IsPastForm(word, lemma));
    s.verb = at;
    s.lemma = lemma;
    s.rest = at + 1;
    for (std::size_t j = at + 1; j < std::min(s.end, at + 14); ++j) {
      if (m_.Is(j, "anymore") || (m_.Is(j, "any") && m_.Is(j + 1, "more") && s.negated)) {
        s.ended = s.ended || s.negated;
      }
    }
    return s;
  }

  [[nodiscard]] static bool IsDone(std::string_view word) {
    static const WordSet words = {"yoga",   "karate",  "pilates",     "crossfit", "crafts",
                                  "ballet", "puzzles", "magic",       "drawings", "gymnastics",
                                  "judo",   "arts",    "photography", "pottery",  "crosswords",
                                  "zumba",  "cardio"};
    return words.contains(word) || (word.size() > 5 && word.ends_with("ing"));
  }

  [[nodiscard]] static bool IsParticiple(std::string_view word) {
    static const WordSet irregular = {
        "been",   "had",   "got",   "gone",   "grown",   "taught", "bought", "driven",
        "ridden", "drawn", "built", "made",   "written", "read",   "sung",   "run",
        "swum",   "eaten", "drunk", "spoken", "known",   "broken", "left",   "worn",
        "spent",  "met",   "lost",  "won",    "sold",    "become", "kept",   "given",
        "taken",  "come",  "held",  "seen",   "begun",   "found",  "quit",   "split"};
    return word.ends_with("ed") || irregular.contains(word);
  }

  [[nodiscard]] static bool IsPastForm(std::string_view word, std::string_view lemma) {
    static const WordSet present = {"read", "quit", "split", "run", "become", "come"};
    if (word == lemma || word.ends_with("ing") || word.ends_with("s") || present.contains(word)) {
      return word == "was";
    }
    return true;
  }

  const WordStream& m_;
  std::string_view self_;
  Mention& person_;
  Mention bare_;  // Named by the clause before, which said nothing else.
};

}  // namespace

std::string Describe(std::string_view owner, std::string_view noun) {
  if (owner == kSelfEntity) {
    return "my " + std::string(noun);
  }
  if (owner.starts_with("my ") || owner.find(' ') == std::string_view::npos ||
      !owner.ends_with("s")) {
    return std::string(owner) + "'s " + std::string(noun);
  }
  return std::string(owner) + "' " + std::string(noun);
}

bool IsName(const WordStream& m, std::size_t i) {
  const Word& word = m.At(i);
  if (word.symbol || !word.capital || word.text.size() < 2 || IsCommonWord(word.text)) {
    return false;
  }
  // A verb in upper case opens a sentence; in the middle of one it is a name ("Mark", "Will").
  const bool opens = i == 0 || m.At(i - 1).symbol;
  return !opens || (LemmaOf(word.text).empty() && KinOf(word.text).relation.empty());
}

std::size_t EndOfName(const WordStream& m, std::size_t i, std::size_t end) {
  constexpr std::size_t kNameWordsMax = 4;
  std::size_t at = i;
  while (at < end && at < i + kNameWordsMax && IsName(m, at)) {
    ++at;
  }
  return at;
}

std::optional<MentionRead> ReadMention(const WordStream& m, std::size_t i, std::size_t end,
                                       std::string_view self) {
  std::optional<MentionRead> read;
  if (m.IsAny(i, {"my", "our"})) {
    const auto noun = ReadOwnedNoun(m, i + 1, end);
    if (!noun) {
      return std::nullopt;
    }
    read = MakeOwned(m, *noun, end, self);
  } else if (IsName(m, i)) {
    const std::size_t last = EndOfName(m, i, end);
    Mention mention;
    mention.name = std::string(m.Source(i, last));
    read = MentionRead{std::move(mention), last};
  } else {
    return std::nullopt;
  }
  // "my brother's dog", "Tom's wife": what belongs to the one just read.
  constexpr int kChainMax = 2;
  for (int link = 0; link < kChainMax && m.Is(read->next, "'s"); ++link) {
    const auto noun = ReadOwnedNoun(m, read->next + 1, end);
    if (!noun) {
      break;  // "my sister's name", "Tom's car"
    }
    read = MakeOwned(m, *noun, end, read->mention.name);
  }
  // "Ana, my sister, lives ...".
  if (m.Is(read->next, ",") && m.Is(read->next + 1, "my") && read->mention.relation.empty()) {
    const auto noun = ReadOwnedNoun(m, read->next + 2, end);
    if (noun && (m.Is(noun->at + 1, ",") || noun->at + 1 >= end)) {
      read->mention.relation = noun->relation;
      read->mention.owner = std::string(self);
      read->mention.description = Describe(self, noun->relation);
      read->mention.gender = noun->gender;
      read->mention.type = noun->type;
      read->next = std::min(noun->at + 2, end);
    }
  }
  return read;
}

std::vector<Statement> ReadStatements(const WordStream& m, const Sentence& sentence,
                                      std::string_view self, Mention& person) {
  std::vector<Statement> statements;
  StatementReader(m, self, person).Read(sentence, statements);
  return statements;
}

}  // namespace umbranet
