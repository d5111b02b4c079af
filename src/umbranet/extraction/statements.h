#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/domain/fact.h"
#include "umbranet/extraction/person_lexicon.h"
#include "umbranet/extraction/word_stream.h"

namespace umbranet {

// Statements: who a clause speaks of, and its verb with everything that decides whether it may be
// taken for a fact (negation, wishes, questions, times). Clauses that ask, suppose or report give
// none. Pure; linear in the message.

// Someone or something that can be spoken of.
struct Mention {
  std::string name;  // Of the entity: kSelfEntity, a name, or a description: "my sister".
  EntityType type = EntityType::kPerson;
  Gender gender = Gender::kUnknown;
  std::string relation;     // To `owner`, when it was named by it: "sister", "dog".
  std::string owner;        // The entity it belongs to.
  std::string description;  // "my sister": the alias under which a named one was introduced.
  bool plural = false;      // "my parents", "we"
  bool renewed = false;     // "my new boss": there is no old one any more.

  [[nodiscard]] bool empty() const { return name.empty(); }
};

struct MentionRead {
  Mention mention;
  std::size_t next = 0;  // Word after the mention.
};

struct Statement {
  Mention subject;
  std::size_t subject_at = 0;  // First word of the subject.
  std::size_t verb = 0;        // Main verb or form of "be".
  std::string_view lemma;      // Empty when the verb is none that facts are made of.
  std::size_t rest = 0;        // First word after the verb.
  std::size_t end = 0;         // End of the clause.
  bool copula = false;
  bool negated = false;
  bool supposed = false;  // would, could, might, may, should
  bool future = false;    // will, going to
  bool past = false;
  bool perfect = false;
  bool progressive = false;
  bool able = false;   // can
  bool ended = false;  // no longer, used to, not ... anymore
};

// Reads who is mentioned at word `i`: "my sister Ana", "Tom's wife", "my brother's dog", "Ana".
// `self` is the entity of the speaker.
[[nodiscard]] std::optional<MentionRead> ReadMention(const WordStream& m, std::size_t i,
                                                     std::size_t end, std::string_view self);

// Whether the word can be a person's or a place's name: in upper case, none that sentences begin
// with, no verb.
[[nodiscard]] bool IsName(const WordStream& m, std::size_t i);

// One or more words of a name from `i`; the index after them, or `i`.
[[nodiscard]] std::size_t EndOfName(const WordStream& m, std::size_t i, std::size_t end);

// `person` is whom "he" and "she" stand for, and is brought up to date: the last other person that
// was spoken of.
[[nodiscard]] std::vector<Statement> ReadStatements(const WordStream& m, const Sentence& sentence,
                                                    std::string_view self, Mention& person);

// The base form of a verb that facts are made of, or nothing: "lives" -> "live".
[[nodiscard]] std::string_view LemmaOf(std::string_view word);

// "my sister" for the user, "Caroline's sister" for any other owner.
[[nodiscard]] std::string Describe(std::string_view owner, std::string_view noun);

}  // namespace umbranet
