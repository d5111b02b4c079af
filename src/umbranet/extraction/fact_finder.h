#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/domain/reflection_plan.h"
#include "umbranet/extraction/entity_resolution.h"
#include "umbranet/extraction/statements.h"
#include "umbranet/extraction/temporal_expressions.h"
#include "umbranet/extraction/word_stream.h"

namespace umbranet {

// What a message teaches about people: facts about the speaker, about those the speaker names, and
// the entities they hang on. Each statement is read once; tables say which verb, complement or
// possession makes which fact. Pure; linear in the message.

struct FactsRead {
  std::vector<PlannedEntity> entities;
  std::vector<PlannedFact> facts;
};

struct FactContext {
  const WordStream& message;
  std::string_view self;  // The speaker's entity: kSelfEntity, or the speaker's name.
  Timestamp said_at{};
  const std::vector<TimeExpression>& times;
  const EntityResolver& entities;
};

[[nodiscard]] FactsRead FindFacts(const FactContext& context);

// Half-open range of words.
struct Phrase {
  std::size_t first = 0;
  std::size_t last = 0;

  [[nodiscard]] bool empty() const { return first >= last; }
};

// Collects facts and entities without repeats. The parts of the finder write into one sheet.
class FactSheet {
 public:
  explicit FactSheet(const FactContext& context) : context_(context) {}

  [[nodiscard]] const WordStream& m() const { return context_.message; }

  [[nodiscard]] const FactContext& context() const { return context_; }

  // Makes the mentioned one an entity of the plan and states its relation to its owner. The name
  // under which facts about it are kept.
  std::string Introduce(const Mention& mention);
  // A pet of the subject that has no name yet; "her name is Coco" may follow.
  void AddPet(const Statement& statement, Phrase phrase);
  // Gives the name to the one that was last described without one; false when there is none.
  bool NameLast(std::string name);
  // "a house in Porto", "an apartment in the city": where somebody lives who has it.
  void AddDwellingPlace(const Statement& statement, Phrase dwelling);
  // An entity that is no person spoken of: a place, a company.
  void AddEntity(std::string_view name, EntityType type);

  struct Extra {
    std::string qualifier = {};
    bool object_is_entity = false;
    bool negated = false;
    bool supersedes = false;
    bool retracts = false;
    std::string ends_object = {};
  };

  // A fact about the subject of `statement`; its text is the sentence around it, its time the date
  // that the clause names.
  void Add(const Statement& statement, Predicate predicate, std::string object, const Extra& extra);

  void Add(const Statement& statement, Predicate predicate, std::string object) {
    Add(statement, predicate, std::move(object), Extra{});
  }

  // The sentence whose statements are read now. What it asks is what "it" stands for in the answer
  // after it: "Do you like sushi? I love it."
  void SetSentence(const Sentence& sentence);

  [[nodiscard]] Phrase asked() const { return asked_; }

  [[nodiscard]] Phrase asked_favorite() const { return asked_favorite_; }

  // How many facts there are by now.
  [[nodiscard]] std::size_t size() const { return found_.facts.size(); }

  // The date named between two words of the sentence, if any.
  [[nodiscard]] std::optional<TimeRange> TimeWithin(std::size_t first, std::size_t last) const;

  [[nodiscard]] FactsRead Take();

 private:
  // That somebody has a mother, a family or a friend is no news as long as neither a name nor
  // anything else is told of them.
  [[nodiscard]] bool IsNoNews(const PlannedFact& fact) const;
  // What was only described so far turns out to have a name.
  void Rename(const std::string& description, const std::string& name);
  [[nodiscard]] std::string SentenceText(const Statement& statement) const;

  const FactContext& context_;
  const Sentence* sentence_ = nullptr;
  FactsRead found_;
  Mention unnamed_;  // Last described without a name.
  Phrase asked_;
  Phrase asked_favorite_;
};

// The object of a statement: a noun phrase or a verb phrase from `first`, without its determiners,
// up to the first word that cannot belong to it.
[[nodiscard]] Phrase ObjectAt(const WordStream& m, std::size_t first, std::size_t end);
// "dogs and cats" are two.
[[nodiscard]] std::vector<Phrase> SplitObjects(const WordStream& m, Phrase phrase);
// The objects of a verb, a list behind commas included: "hiking, swimming and my garden".
[[nodiscard]] std::vector<Phrase> ObjectsAt(const WordStream& m, std::size_t first,
                                            std::size_t end);
// The words of a phrase as an object is kept: lower case but for names, single spaces.
[[nodiscard]] std::string ObjectText(const WordStream& m, Phrase phrase);
// A place after "in", "to", "near": a name, or a noun phrase.
[[nodiscard]] Phrase PlaceAt(const WordStream& m, std::size_t first, std::size_t end);

// The noun phrase that ends at `end`, its determiner left out, or nothing; not before `floor`.
[[nodiscard]] Phrase NounBefore(const WordStream& m, std::size_t floor, std::size_t end);

// What can be had without being owned: "time", "an idea", "a meeting".
[[nodiscard]] bool IsAbstract(std::string_view word);

// Parts of the finder.
// "I sold my car", "I quit my job at Acme", "the meeting was called off": what is over.
void ReadEndings(const Sentence& sentence, FactSheet& sheet);
void ReadVerbFacts(const Statement& statement, FactSheet& sheet);
void ReadCopulaFacts(const Statement& statement, FactSheet& sheet);
void ReadHaveFacts(const Statement& statement, FactSheet& sheet);
// "the car I drive", "hiking is what I love": the object stands before its statement. False when it
// does not.
bool ReadGap(const Statement& statement, const Sentence& sentence, FactSheet& sheet);
// "a coffee lover", "running is my passion", "broccoli is gross": tastes told by nouns and set
// phrases.
void ReadEnthusiasm(const Sentence& sentence, FactSheet& sheet);
// What happened or is to happen on a day that the clause names, when nothing finer was made of it.
void ReadEventFacts(const Statement& statement, FactSheet& sheet);
// "the deadline is 15 April", "my budget is $500": attributes that have one value at a time.
void ReadAttributes(const Sentence& sentence, FactSheet& sheet);
// "Actually it is Tuesday", "no, it's 7 pm": the last dated fact said again with its new time.
// `earlier` are the facts of the turns before, oldest first.
[[nodiscard]] std::optional<PlannedFact> ReadCorrection(const FactContext& context,
                                                        const std::vector<PlannedFact>& earlier);
[[nodiscard]] bool MayCorrect(const WordStream& message);
// "living in Colorado", "working at the mill", "being vegan", "as a nurse": the speaker's life
// named in passing.
void ReadPassing(const Sentence& sentence, FactSheet& sheet);
// "my dog", "my favorite color is red", "Ana is my sister": what possessives tell by themselves.
void ReadPossessions(const Sentence& sentence, FactSheet& sheet);

}  // namespace umbranet
