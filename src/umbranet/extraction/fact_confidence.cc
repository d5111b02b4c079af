#include "umbranet/extraction/fact_confidence.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string_view>
#include <unordered_set>

namespace umbranet {
namespace {

// Log-odds, of a logistic regression over what readers noted of utterances.
constexpr double kAny = 0.25;
constexpr double kAlone = 0.85;
constexpr double kCrowded = -0.45;  // Of three or more.
constexpr double kOpening = -0.4;   // The first of several mostly leads to what is meant.
constexpr double kBetween = -0.3;
constexpr double kVague = -0.7;

double OddsOf(Predicate predicate) {
  switch (predicate) {
    case Predicate::kWorksAt:
      return 0.95;
    case Predicate::kHealth:
      return 0.6;
    case Predicate::kFavorite:
    case Predicate::kWants:
      return 0.5;
    case Predicate::kDislikes:
      return 0.4;
    case Predicate::kRelationshipStatus:
      return 0.3;
    case Predicate::kPhysical:
      return 0.25;
    case Predicate::kLivesIn:
    case Predicate::kOrigin:
    case Predicate::kWorksAs:
      return -0.2;
    case Predicate::kLikes:
    case Predicate::kHobby:
    case Predicate::kStudies:
      return -0.25;
    case Predicate::kRelation:
    case Predicate::kGender:
      return -0.4;
    case Predicate::kSkill:
      return -0.5;
    default:
      return 0;
  }
}

// What nearly everybody would say of themselves: "I love music", "I like to read".
bool IsVague(std::string_view object) {
  static const std::unordered_set<std::string_view> words = {
      "animal", "animals",   "food",    "foods",   "music",   "sport",    "sports",  "movie",
      "movies", "book",      "books",   "game",    "games",   "art",      "nature",  "people",
      "kids",   "family",    "friends", "fun",     "things",  "tv",       "shows",   "colors",
      "life",   "outdoors",  "money",   "read",    "reading", "cook",     "cooking", "travel",
      "run",    "traveling", "running", "walk",    "walking", "dance",    "dancing", "sing",
      "sleep",  "singing",   "eat",     "eating",  "shop",    "sleeping", "swim",    "shopping",
      "drive",  "swimming",  "hang",    "driving", "watch",   "play",     "party",   "exercise",
      "work",   "working",   "living"};
  return words.contains(object);
}

bool IsTaste(Predicate predicate) {
  return predicate == Predicate::kLikes || predicate == Predicate::kDislikes ||
         predicate == Predicate::kHobby || predicate == Predicate::kFavorite;
}

}  // namespace

void JudgeConfidence(std::vector<PlannedFact>& facts) {
  // What happened on a day is told beside what is so, and takes nothing from it.
  const auto counts = [](const PlannedFact& fact) { return fact.predicate != Predicate::kEvent; };
  const auto told = static_cast<std::size_t>(std::count_if(facts.begin(), facts.end(), counts));
  std::size_t at = 0;
  for (PlannedFact& fact : facts) {
    double odds = kAny + OddsOf(fact.predicate);
    if (!counts(fact) || told == 1) {
      odds += kAlone;
    } else {
      odds += told > 2 ? kCrowded : 0;
      odds += at == 0 ? kOpening : (at + 1 < told ? kBetween : 0);
    }
    if (IsTaste(fact.predicate) && IsVague(fact.object)) {
      odds += kVague;
    }
    at += counts(fact) ? 1U : 0U;
    fact.confidence = 1 / (1 + std::exp(-odds));
  }
}

}  // namespace umbranet
