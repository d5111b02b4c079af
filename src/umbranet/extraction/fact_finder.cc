#include "umbranet/extraction/fact_finder.h"

#include <algorithm>
#include <utility>

#include "umbranet/base/utf8.h"
#include "umbranet/extraction/fact_confidence.h"

namespace umbranet {
namespace {

constexpr std::size_t kFactsMax = 24;  // Of one message.
constexpr std::size_t kFactTextMax = 300;

std::string OneLine(std::string_view text) {
  std::string line;
  bool space = false;
  for (const char c : text) {
    if (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
      space = !line.empty();
      continue;
    }
    if (space) {
      line += ' ';
      space = false;
    }
    line += c;
  }
  return std::string(TruncateUtf8(line, kFactTextMax));
}

}  // namespace

void FactSheet::SetSentence(const Sentence& sentence) {
  sentence_ = &sentence;
  for (const Clause& clause : sentence.clauses) {
    if (!clause.question) {
      continue;
    }
    for (std::size_t i = clause.first; i < clause.last; ++i) {
      const std::string_view lemma = LemmaOf(m().Text(i));
      const bool taste = lemma == "like" || lemma == "love" || lemma == "enjoy" ||
                         lemma == "hate" || lemma == "play" || lemma == "watch" || lemma == "eat" ||
                         lemma == "drink" || lemma == "read";
      if (taste && !m().IsAny(i + 1, {"it", "that"})) {
        asked_ = ObjectAt(m(), i + 1, clause.last);
        break;
      }
      // "What color do you like best?" asks for the favourite colour.
      if (m().Is(i, "what") && i + 4 < sentence.last && m().Match(i + 2, "do you") != 0 &&
          m().IsAny(i + 4, {"like", "prefer", "love"})) {
        asked_favorite_ = {i + 1, i + 2};
        break;
      }
      if (m().IsAny(i, {"favorite", "favourite"})) {
        asked_favorite_ = ObjectAt(m(), i + 1, clause.last);
        break;
      }
    }
  }
}

void FactSheet::Rename(const std::string& description, const std::string& name) {
  std::erase_if(found_.entities,
                [&](const PlannedEntity& entity) { return entity.name == description; });
  for (PlannedFact& fact : found_.facts) {
    if (fact.subject == description) {
      fact.subject = name;
    }
    if (fact.object_is_entity && fact.object == description) {
      fact.object = name;
    }
  }
}

std::string FactSheet::Introduce(const Mention& mention) {
  const FactContext& c = context_;
  if (mention.name == c.self) {
    return mention.name;
  }
  // Whom "my sister" means is the store's to say, so that a wrong answer can be undone there.
  Mention known = mention;
  // "Ana is my sister": what this message itself has introduced comes first.
  for (const PlannedEntity& entity : found_.entities) {
    const auto& aliases = entity.aliases;
    if (std::find(aliases.begin(), aliases.end(), mention.name) != aliases.end()) {
      known.name = entity.name;
    }
  }
  const bool named = known.name != mention.description;
  if (!named && !mention.plural) {
    unnamed_ = mention;
  }
  PlannedEntity entity;
  entity.name = known.name;
  entity.type = mention.type;
  if (named && !mention.description.empty()) {
    Rename(mention.description, known.name);
  }
  if (named && !mention.description.empty() &&
      c.entities.MayBear(known.name, mention.description)) {
    entity.aliases.push_back(mention.description);
  }
  const auto same = [&entity](const PlannedEntity& other) { return other.name == entity.name; };
  auto found = std::find_if(found_.entities.begin(), found_.entities.end(), same);
  if (found == found_.entities.end()) {
    found_.entities.push_back(entity);
  } else {
    for (std::string& alias : entity.aliases) {
      if (std::find(found->aliases.begin(), found->aliases.end(), alias) == found->aliases.end()) {
        found->aliases.push_back(std::move(alias));
      }
    }
  }
  if (!mention.relation.empty() && !mention.owner.empty()) {
    Statement statement;
    statement.subject.name = mention.owner;
    if (sentence_ != nullptr) {
      statement.subject_at = sentence_->first;
      statement.verb = sentence_->first;
      statement.end = sentence_->last;
    }
    Extra extra;
    extra.object_is_entity = true;
    extra.qualifier = mention.relation;
    extra.supersedes = mention.renewed;
    const bool pet = mention.type == EntityType::kAnimal;
    Add(statement, pet ? Predicate::kHasPet : Predicate::kRelation, known.name, extra);
  }
  return known.name;
}

void FactSheet::AddPet(const Statement& statement, Phrase phrase) {
  // "I have a dog" and "my dog" are the same dog.
  const std::string_view noun = m().Text(phrase.last - 1);
  Extra extra;
  if (phrase.last - phrase.first == 1 && SingularOf(noun) == noun) {
    extra.qualifier = std::string(noun);
  }
  Add(statement, Predicate::kHasPet, ObjectText(m(), phrase), extra);
  unnamed_ = {};
  unnamed_.type = EntityType::kAnimal;
  unnamed_.relation = std::string(SingularOf(m().Text(phrase.last - 1)));
  unnamed_.owner = statement.subject.name;
  unnamed_.description = Describe(unnamed_.owner, unnamed_.relation);
}

bool FactSheet::NameLast(std::string name) {
  if (unnamed_.relation.empty()) {
    return false;
  }
  Mention named = std::move(unnamed_);
  unnamed_ = {};
  // "I have a poodle. Her name is Coco": one pet, not two.
  std::erase_if(found_.facts, [&named](const PlannedFact& fact) {
    return fact.predicate == Predicate::kHasPet && !fact.object_is_entity && !fact.negated &&
           fact.subject == named.owner && fact.object.ends_with(named.relation);
  });
  named.name = std::move(name);
  Introduce(named);
  return true;
}

void FactSheet::AddDwellingPlace(const Statement& statement, Phrase dwelling) {
  if (dwelling.empty() || !m().Is(dwelling.last, "in") ||
      !m().IsAny(dwelling.last - 1, {"house", "apartment", "flat", "condo", "cottage", "home"})) {
    return;
  }
  const Phrase place = PlaceAt(m(), dwelling.last + 1, statement.end);
  if (!place.empty() && !m().IsAny(place.first, {"mind", "order", "which", "good", "front"})) {
    Add(statement, Predicate::kLivesIn, ObjectText(m(), place));
  }
}

void FactSheet::AddEntity(std::string_view name, EntityType type) {
  const bool known =
      std::any_of(found_.entities.begin(), found_.entities.end(),
                  [name](const PlannedEntity& entity) { return entity.name == name; });
  if (!known && !name.empty()) {
    found_.entities.push_back({std::string(name), type, {}});
  }
}

std::string FactSheet::SentenceText(const Statement& statement) const {
  if (sentence_ == nullptr) {
    return {};
  }
  // A long sentence is cut to the clause that says so.
  constexpr std::size_t kSentenceWordsMax = 40;
  if (sentence_->last - sentence_->first <= kSentenceWordsMax) {
    return OneLine(m().Source(sentence_->first, sentence_->last));
  }
  const std::size_t last =
      std::clamp(statement.end, statement.subject_at + 1, statement.subject_at + kSentenceWordsMax);
  return OneLine(m().Source(statement.subject_at, std::min(last, sentence_->last)));
}

std::optional<TimeRange> FactSheet::TimeWithin(std::size_t first, std::size_t last) const {
  if (first >= last) {
    return std::nullopt;
  }
  const std::size_t begin = m().At(first).begin;
  const std::size_t end = m().At(last - 1).end;
  for (const TimeExpression& expression : context_.times) {
    const bool placed = expression.kind != TimeExpressionKind::kDuration &&
                        expression.kind != TimeExpressionKind::kSet &&
                        expression.range.start != kOpenStart;
    if (placed && expression.begin >= begin && expression.begin < end) {
      return expression.range;
    }
  }
  return std::nullopt;
}

void FactSheet::Add(const Statement& statement, Predicate predicate, std::string object,
                    const Extra& extra) {
  // What is over may be whatever it was.
  if ((object.empty() && !extra.retracts) || object.size() > kFactTextMax ||
      found_.facts.size() >= kFactsMax) {
    return;
  }
  PlannedFact fact;
  fact.subject =
      statement.subject.name == context_.self ? std::string(context_.self) : statement.subject.name;
  fact.predicate = predicate;
  fact.qualifier = extra.qualifier;
  fact.object = std::move(object);
  fact.object_is_entity = extra.object_is_entity;
  fact.negated = extra.negated;
  fact.supersedes = extra.supersedes;
  fact.retracts = extra.retracts;
  // What is no longer so ends itself and nothing else.
  fact.ends_object = extra.retracts && extra.ends_object.empty() ? fact.object : extra.ends_object;
  const auto same = [&fact](const PlannedFact& other) {
    return other.subject == fact.subject && other.predicate == fact.predicate &&
           other.object == fact.object && other.negated == fact.negated &&
           other.qualifier == fact.qualifier;
  };
  if (std::any_of(found_.facts.begin(), found_.facts.end(), same)) {
    return;
  }
  fact.text = SentenceText(statement);
  if (sentence_ != nullptr && statement.end > statement.verb) {
    if (const auto time = TimeWithin(statement.subject_at, statement.end)) {
      if (fact.retracts) {
        fact.valid_to = time->start;
      } else {
        fact.valid_from = time->start;
      }
    }
  }
  AddEntity(fact.subject, statement.subject.type);
  found_.facts.push_back(std::move(fact));
}

bool FactSheet::IsNoNews(const PlannedFact& fact) const {
  const bool described =
      fact.predicate == Predicate::kRelation && fact.object_is_entity && !fact.negated &&
      !fact.retracts && IsSharedByAll(fact.qualifier) &&
      (fact.object.starts_with("my ") || fact.object.find('\'') != std::string::npos);
  return described &&
         std::none_of(found_.facts.begin(), found_.facts.end(), [&fact](const PlannedFact& other) {
           return other.subject == fact.object || (&other != &fact && other.object == fact.object);
         });
}

FactsRead FactSheet::Take() {
  std::vector<std::string> dropped;
  std::vector<PlannedFact> kept;
  for (const PlannedFact& fact : found_.facts) {
    if (IsNoNews(fact)) {
      dropped.push_back(fact.object);
    } else {
      kept.push_back(fact);
    }
  }
  found_.facts = std::move(kept);
  JudgeConfidence(found_.facts);
  // Whom no fact is left about is no entity either.
  std::erase_if(found_.entities, [&](const PlannedEntity& entity) {
    const auto named = [&entity](const PlannedFact& fact) {
      return fact.subject == entity.name || fact.object == entity.name;
    };
    const bool orphan = std::find(dropped.begin(), dropped.end(), entity.name) != dropped.end() ||
                        (!dropped.empty() && entity.name == context_.self);
    return orphan && std::none_of(found_.facts.begin(), found_.facts.end(), named);
  });
  return std::move(found_);
}

FactsRead FindFacts(const FactContext& context) {
  FactSheet sheet(context);
  Mention person;
  for (const Sentence& sentence : context.message.sentences()) {
    sheet.SetSentence(sentence);
    ReadEndings(sentence, sheet);
    for (Statement& statement : ReadStatements(context.message, sentence, context.self, person)) {
      if (statement.subject.empty()) {
        continue;
      }
      const bool self = statement.subject.name == context.self;
      // Somebody's name alone is no fact; it becomes an entity with its first fact.
      if (!self && !statement.subject.relation.empty()) {
        statement.subject.name = sheet.Introduce(statement.subject);
      }
      const std::size_t before = sheet.size();
      if (ReadGap(statement, sentence, sheet)) {
        continue;
      }
      if (statement.copula) {
        ReadCopulaFacts(statement, sheet);
      } else if (statement.lemma == "have") {
        ReadHaveFacts(statement, sheet);
      } else {
        ReadVerbFacts(statement, sheet);
      }
      if (sheet.size() == before) {
        ReadEventFacts(statement, sheet);
      }
    }
    ReadPossessions(sentence, sheet);
    ReadPassing(sentence, sheet);
    ReadEnthusiasm(sentence, sheet);
    ReadAttributes(sentence, sheet);
  }
  return sheet.Take();
}

}  // namespace umbranet
