// What the suites of the semantic memory share: plans that say something, and the graph in words.
#pragma once

#include <algorithm>
#include <functional>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/base/text_analysis.h"

#include "tests/contract/tier_world.h"

namespace umbranet {

class SemanticMemoryContract : public TierContract {
 protected:
  SemanticMemory& memory() { return world_->semantic(); }

  static PlannedFact Says(const std::string& subject, Predicate predicate,
                          const std::string& object, const std::string& text) {
    PlannedFact fact;
    fact.subject = subject;
    fact.predicate = predicate;
    fact.object = object;
    fact.text = text;
    return fact;
  }

  static PlannedFact LivesIn(const std::string& place) {
    return Says("user", Predicate::kLivesIn, place, "the user lives in " + place);
  }

  static PlannedFact Likes(const std::string& thing, bool negated = false) {
    PlannedFact fact =
        Says("user", Predicate::kLikes, thing,
             std::string("the user ") + (negated ? "does not like " : "likes ") + thing);
    fact.negated = negated;
    return fact;
  }

  ReflectionPlan Turn(const UserKey& user, int minute, std::vector<PlannedFact> facts,
                      std::vector<PlannedEntity> entities = {}) {
    ReflectionPlan plan = NewPlan(user, minute);
    plan.facts = std::move(facts);
    plan.entities = std::move(entities);
    return plan;
  }

  FactsFound Find(const UserKey& user, const std::string& words, std::size_t candidates_max = 200,
                  std::optional<Timestamp> as_of = std::nullopt) {
    FactQuery query;
    query.user = user;
    query.candidates_max = candidates_max;
    query.as_of = as_of;
    query.version = Version(user);
    for (const std::string& term : AnalyzeTerms(words)) {
      if (std::find(query.terms.begin(), query.terms.end(), term) == query.terms.end()) {
        query.terms.push_back(term);
      }
    }
    auto found = memory().Find(query, Deadline::Never());
    EXPECT_TRUE(found.ok()) << found.error().message;
    return std::move(found).value();
  }

  // As recall asks for it, in worlds whose journal has one.
  std::optional<std::int64_t> Version(const UserKey& user) {
    Journal* const journal = world_->journal();
    return journal == nullptr
               ? std::nullopt
               : journal->ReadFreshness(user, Deadline::Never()).value().memory_version;
  }

  static std::vector<std::string> Texts(const FactsFound& found) {
    std::vector<std::string> texts;
    for (const FactCandidate& candidate : found.candidates) {
      texts.push_back(candidate.fact.text);
    }
    return texts;
  }

  KnowledgeGraph Graph(const UserKey& user) {
    auto graph = memory().ReadGraph(user, 1000, Deadline::Never());
    EXPECT_TRUE(graph.ok());
    return std::move(graph).value();
  }

  // The fact with this text; there must be one.
  Fact FactSaying(const UserKey& user, const std::string& text) {
    std::vector<Fact> found;
    for (const Fact& fact : Graph(user).facts) {
      if (fact.text == text) {
        found.push_back(fact);
      }
    }
    EXPECT_THAT(found, testing::SizeIs(1)) << text;
    return found.empty() ? Fact{} : found.front();
  }

  // Everything that is known, in words.
  std::vector<std::string> Describe(const UserKey& user) {
    std::vector<std::string> lines;
    const KnowledgeGraph graph = Graph(user);
    const auto time = [](const std::optional<Timestamp>& at) {
      return at.has_value() ? FormatTimestamp(*at) : std::string("-");
    };
    for (const Fact& fact : graph.facts) {
      std::string line = fact.memory_id + " " + fact.subject + "/" + fact.subject_id + " " +
                         std::string(PredicateName(fact.predicate)) + " " + fact.object + "/" +
                         fact.object_id.value_or("") + " " + fact.text + " " +
                         time(fact.valid_from) + " " + time(fact.valid_to) + " " +
                         fact.superseded_by.value_or("-") + " " + std::to_string(fact.evidence) +
                         " " + std::to_string(fact.confidence);
      for (const SourceRef& source : fact.sources) {
        line += " " + source.interaction_id;
      }
      lines.push_back(std::move(line));
    }
    for (const Entity& entity : graph.entities) {
      std::string line =
          entity.entity_id + " " + entity.name + " " + std::string(EntityTypeName(entity.type));
      for (const std::string& alias : entity.aliases) {
        line += " " + alias;
      }
      lines.push_back(std::move(line));
    }
    const FactsFound found = Find(user, "user lives sister Ana Porto likes works bakery");
    lines.push_back(std::to_string(found.statistics.documents) + " documents of " +
                    std::to_string(found.statistics.length_mean));
    for (const std::uint64_t frequency : found.statistics.document_frequency) {
      lines.push_back(std::to_string(frequency));
    }
    return lines;
  }

  // Applies the turns that `make` gives in every order, one by one and all at once; they must end
  // in the same memory. Returns it.
  std::vector<std::string> InEveryOrder(const std::function<std::vector<ReflectionPlan>()>& make) {
    std::vector<std::size_t> order(make().size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::optional<std::vector<std::string>> first;
    do {
      world_ = GetParam().make();
      turns_ = 0;
      const std::vector<ReflectionPlan> plans = make();
      for (const std::size_t index : order) {
        Apply(memory(), {plans[index]});
      }
      std::vector<std::string> described = Describe(ana_);
      if (!first.has_value()) {
        first = std::move(described);
      } else {
        EXPECT_EQ(described, *first) << "in the order " << testing::PrintToString(order);
      }
    } while (std::next_permutation(order.begin(), order.end()));
    world_ = GetParam().make();
    turns_ = 0;
    Apply(memory(), make());
    EXPECT_EQ(Describe(ana_), *first) << "all at once";
    return *first;
  }
};

}  // namespace umbranet
