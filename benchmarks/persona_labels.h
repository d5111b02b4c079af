// How the labels of PersonaExt and the extractor's facts are compared: groups of relations that say
// the same of somebody, and objects that are named by the same words. Pure.
#pragma once

#include <algorithm>
#include <array>
#include <cctype>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "umbranet/base/text_analysis.h"
#include "umbranet/domain/entity_name.h"
#include "umbranet/domain/fact.h"
#include "umbranet/domain/reflection_plan.h"
#include "umbranet/extraction/person_lexicon.h"

namespace umbranet {

// A label is one (relation, object) of an utterance; the set names a single one even where the
// utterance tells more. Relations that say the same about somebody for a memory make one group, and
// every predicate of a fact belongs to one group alone. "other" is no group that a fact can have,
// so such labels are never found.
inline constexpr std::array kGroups =
    std::to_array<std::pair<std::string_view, std::string_view>>({{"like_", "taste"},
                                                                  {"favorite_", "taste"},
                                                                  {"doing", "taste"},
                                                                  {"dislike", "distaste"},
                                                                  {"do_not_", "distaste"},
                                                                  {"have_pet", "pet"},
                                                                  {"own", "belonging"},
                                                                  {"have_vehicle", "belonging"},
                                                                  {"have_no", "lack"},
                                                                  {"have_", "family"},
                                                                  {"get_along", "family"},
                                                                  {"fall_out", "family"},
                                                                  {"relationship", "family"},
                                                                  {"marital_status", "family"},
                                                                  {"live_in_", "home"},
                                                                  {"employed_by_", "work"},
                                                                  {"pre_employed_by_", "work"},
                                                                  {"job_status", "work"},
                                                                  {"want_", "wish"},
                                                                  {"attend_school", "study"},
                                                                  {"school_status", "study"},
                                                                  {"has_degree", "study"},
                                                                  {"physical_attribute", "body"},
                                                                  {"health_status", "body"},
                                                                  {"diet", "diet"},
                                                                  {"has_ability", "ability"},
                                                                  {"weakness", "weakness"},
                                                                  {"international_exp", "travel"},
                                                                  {"name", "name"},
                                                                  {"belief", "belief"},
                                                                  {"gender", "gender"},
                                                                  {"race", "descent"},
                                                                  {"member_of", "member"},
                                                                  {"used_to", "former"}});

inline std::string_view GroupOf(std::string_view relation) {
  for (const auto& [prefix, group] : kGroups) {
    if (relation.starts_with(prefix)) {
      return group;
    }
  }
  return "other";
}

inline std::string_view GroupOfDenied(Predicate predicate) {
  switch (predicate) {
    case Predicate::kLikes:
    case Predicate::kFavorite:
    case Predicate::kHobby:
      return "distaste";
    case Predicate::kSkill:
      return "weakness";
    case Predicate::kOwns:
    case Predicate::kHasPet:
    case Predicate::kRelation:
      return "lack";
    default:
      return "denied";
  }
}

// Kinds of statements that the set's relations leave out although another kind of the same
// predicate is there: it labels employers, fields and job status but no occupations ("a nurse"),
// wanted jobs but no other wishes, relatives but no friends or colleagues. No such fact can be
// right or wrong.
inline bool IsOfUnlabelledKind(const PlannedFact& fact) {
  static const std::set<std::string_view> no_kin = {"friend",    "roommate",  "boss",    "manager",
                                                    "colleague", "neighbor",  "mentor",  "coach",
                                                    "teammate",  "classmate", "landlord"};
  const std::size_t space = fact.object.rfind(' ');
  const std::string last = space == std::string::npos ? fact.object : fact.object.substr(space + 1);
  switch (fact.predicate) {
    case Predicate::kWorksAs:
      return IsJob(last) || fact.object.starts_with("teach ");
    case Predicate::kWants:
      return fact.qualifier != "become" && !fact.object.starts_with("work ");
    case Predicate::kPlan:
      return true;
    case Predicate::kRelation:
      return !fact.negated && no_kin.contains(fact.qualifier);
    default:
      return false;
  }
}

// The group of a fact; empty for kinds that the set has no labels for.
inline std::string_view GroupOf(const PlannedFact& fact) {
  if (IsOfUnlabelledKind(fact)) {
    return {};
  }
  if (fact.retracts) {
    return "former";
  }
  if (fact.negated) {
    return GroupOfDenied(fact.predicate);
  }
  switch (fact.predicate) {
    case Predicate::kLikes:
    case Predicate::kFavorite:
    case Predicate::kHobby:
      return "taste";
    case Predicate::kDislikes:
      return "distaste";
    case Predicate::kHasPet:
      return "pet";
    case Predicate::kOwns:
      return "belonging";
    case Predicate::kRelation:
    case Predicate::kRelationshipStatus:
      return "family";
    case Predicate::kLivesIn:
    case Predicate::kOrigin:
      return "home";
    case Predicate::kWorksAs:
    case Predicate::kWorksAt:
      return "work";
    case Predicate::kWants:
      return "wish";
    case Predicate::kStudies:
      return "study";
    case Predicate::kPhysical:
      return "body";
    case Predicate::kHealth:
      return fact.qualifier == "diet" ? "diet" : "body";
    case Predicate::kSkill:
      return "ability";
    case Predicate::kVisited:
      return "travel";
    case Predicate::kName:
      return "name";
    case Predicate::kBelief:
      return "belief";
    case Predicate::kGender:
      return "gender";
    case Predicate::kNationality:
      return "descent";
    case Predicate::kMember:
      return "member";
    default:
      return {};  // Age, birthday, event, state, other.
  }
}

// The words that name an object: everyday words for a relation made one, stemmed, without stop
// words; numbers ("5 cats") only when nothing else names it.
inline std::set<std::string> NamingWords(std::string_view object) {
  const std::string normal = NormalizeName(object);
  std::set<std::string> words;
  std::set<std::string> numbers;
  for (const TextToken& token : Tokenize(normal)) {
    static const std::set<std::string_view> counts = {"one", "two", "three", "four", "five", "six"};
    const bool digits = std::all_of(token.folded.begin(), token.folded.end(),
                                    [](unsigned char c) { return std::isdigit(c) != 0; });
    if (digits || counts.contains(token.folded)) {
      numbers.insert(token.term);
    } else if (!token.stop_word) {
      words.insert(token.term);
    }
  }
  if (!words.empty()) {
    return words;
  }
  const std::vector<std::string> all = AnalyzeName(normal);
  return numbers.empty() ? std::set<std::string>(all.begin(), all.end()) : numbers;
}

// Whether two objects are the same: at least half of their naming words, by the harmonic mean of
// both shares, are common.
inline bool SameObject(std::string_view a, std::string_view b) {
  const std::set<std::string> left = NamingWords(a);
  const std::set<std::string> right = NamingWords(b);
  const auto common = std::count_if(
      left.begin(), left.end(), [&right](const std::string& word) { return right.contains(word); });
  return common > 0 && 4 * static_cast<std::size_t>(common) >= left.size() + right.size();
}

}  // namespace umbranet
