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
  static const WordSet words = {"do",     "did",  "can",      "could", "should",  "would",
                                "will",   "what", "whatever", "if",    "whether", "am",
                                "have",   "may",  "than",     "shall", "might",   "how",
                                "unless", "wish", "why",      "till",  "until"};
  return words.contains(word);
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
    bool found = ReadDropped(clause, out);
    std::size_t from = at;
    // The subject at the beginning of the clause, whoever it is.
    if (found) {
      return;
    }
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
    } else if (at < clause.last && clause.joined && !last.empty() && !m_.Is(clause.first, "or") &&
               Continues(at, last)) {
      // "... and work as a nurse".
      found = AddPredicates(last, at, at, clause.last, out);
      from = at + 1;
    }
    // "In my free time I hike", "as a vegan we avoid ...": the speaker further on.
    for (std::size_t i = std::max(from, clause.first + 1); i < clause.last; ++i) {
      if (!m_.IsAny(i, {"i", "we"}) || Unmade(i)) {
        continue;
      }
      // "my sister and I" are two.
      Mention self = Self(m_.Is(i, "we") || m_.Is(i - 1, "and"));
      found = AddPredicates(self, i, i + 1, clause.last, out) || found;
      last = self;
    }
  }

  // "What I like" names, "until I am rich" supposes; "that is why I work" and
  // "tea is what I like" claim all the same.
  [[nodiscard]] bool Unmade(std::size_t i) const {
    const bool reason = i > 1 && m_.IsAny(i - 1, {"why", "what"}) && m_.IsAny(i - 2, {"is", "'s"});
    return UnmakesSubject(m_.Text(i - 1)) && !reason;
  }

  // "Love hiking!", "Just moved to Porto.": the speaker's own, when a sentence opens with the verb.
  bool ReadDropped(const Clause& clause, std::vector<Statement>& out) {
    std::size_t at = clause.first;
    if (clause.joined || (at > 0 && !m_.At(at - 1).symbol)) {
      return false;
    }
    while (at < clause.last && (m_.IsAny(at, {"just", "really", "also", "finally", "recently"}) ||
                                IsLeadIn(m_.Text(at)) || m_.At(at).symbol)) {
      ++at;
    }
    const bool just = at > clause.first && m_.IsAny(at - 1, {"just", "finally", "recently"});
    const std::string_view word = m_.Text(at);
    const bool taste = m_.IsAny(at, {"love", "hate", "prefer", "dislike", "adore"}) &&
                       !m_.IsAny(at + 1, {"you", "it", "that", "this", "your", "the", "them", "how",
                                          "when", "what", "is", "to"});
    const bool to_do = m_.IsAny(at, {"love", "prefer"}) && m_.Is(at + 1, "to") &&
                       !m_.IsAny(at + 2, {"hear", "see", "know", "be", "have", "meet"});
    const bool done =
        m_.IsAny(at, {"moved", "bought", "adopted", "graduated", "married"}) ||
        (just && m_.IsAny(at, {"got", "started", "finished", "joined", "quit", "became", "ate"}));
    if (!taste && !to_do && !done) {
      return false;
    }
    Mention self = Self(false);
    Statement s;
    s.subject = self;
    s.subject_at = at;
    s.verb = at;
    s.lemma = LemmaOf(word);
    s.rest = at + 1;
    s.end = clause.last;
    s.past = done;
    out.push_back(std::move(s));
    return true;
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
      if (i > 0 && Unmade(i)) {
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
      } else if ((word == "almost" || word == "nearly") && !be) {
        s.supposed = true;  // "I almost bought a car"; "I am almost 30" is another matter.
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
    const bool much = m_.Match(at, "a lot of") != 0 && IsDone(m_.Text(at + 3));
    if (lemma.empty() && at > 0 && m_.IsAny(at - 1, {"do", "does", "did"}) &&
        (IsDone(word) || much)) {
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

std::vector<Statement> ReadStatements(const WordStream& m, const Sentence& sentence,
                                      std::string_view self, Mention& person) {
  std::vector<Statement> statements;
  StatementReader(m, self, person).Read(sentence, statements);
  return statements;
}

}  // namespace umbranet
