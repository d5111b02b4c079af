#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <unordered_set>

#include "umbranet/extraction/rule_statements.h"

// Preferences: what the speaker likes and dislikes firmly enough to be followed.

namespace umbranet {
namespace {

using WordSet = std::unordered_set<std::string_view>;

struct Opening {
  std::string_view phrase;  // After the subject and its adverbs.
  bool negative;
  double confidence;
};

// Longer phrases stand before their own beginnings.
constexpr std::array kOpenings = {
    Opening{"prefer not to", true, 0.9},
    Opening{"prefer not", true, 0.9},
    Opening{"prefer to avoid", true, 0.9},
    Opening{"prefer", false, 0.9},
    Opening{"favor", false, 0.7},
    Opening{"favour", false, 0.7},
    Opening{"rather not", true, 0.8},
    Opening{"rather", false, 0.7},
    Opening{"exclusively", false, 0.9},
    Opening{"stick to", false, 0.7},
    Opening{"stick with", false, 0.6},
    Opening{"adhere to", false, 0.9},
    Opening{"follow a", false, 0.7},
    Opening{"follow an", false, 0.7},
    Opening{"insist on", false, 0.9},
    Opening{"opt for", false, 0.7},
    Opening{"lean towards", false, 0.7},
    Opening{"lean toward", false, 0.7},
    Opening{"gravitate towards", false, 0.7},
    Opening{"gravitate toward", false, 0.7},
    Opening{"prioritize", false, 0.7},
    Opening{"value", false, 0.6},
    Opening{"am committed to", false, 0.7},
    Opening{"am drawn to", false, 0.7},
    Opening{"am particular about", false, 0.8},
    Opening{"am a vegan", false, 0.9},
    Opening{"am vegan", false, 0.9},
    Opening{"am a vegetarian", false, 0.9},
    Opening{"am vegetarian", false, 0.9},
    Opening{"am a strict", false, 0.9},
    Opening{"am pescatarian", false, 0.9},
    Opening{"am a pescatarian", false, 0.9},
    Opening{"am gluten-free", false, 0.9},
    Opening{"am lactose intolerant", true, 0.9},
    Opening{"am lactose-intolerant", true, 0.9},
    Opening{"am a minimalist", false, 0.7},
    Opening{"am an environmentalist", false, 0.7},
    Opening{"learn best", false, 0.8},
    Opening{"work best", false, 0.7},
    Opening{"chose to", false, 0.6},
    Opening{"chosen to", false, 0.6},
    Opening{"a strong preference", false, 0.9},
    Opening{"a preference for", false, 0.8},
    Opening{"a strong aversion", true, 0.9},
    Opening{"an aversion", true, 0.9},
    Opening{"an intense aversion", true, 0.9},
    Opening{"a deep aversion", true, 0.9},
    Opening{"a strong dislike", true, 0.9},
    Opening{"a dislike", true, 0.9},
    Opening{"a deep dislike", true, 0.9},
    Opening{"a low tolerance", true, 0.8},
    Opening{"low tolerance", true, 0.8},
    Opening{"no tolerance", true, 0.8},
    Opening{"no interest in", true, 0.8},
    Opening{"zero interest in", true, 0.8},
    Opening{"little interest in", true, 0.8},
    Opening{"no patience", true, 0.8},
    Opening{"a fear of", true, 0.8},
    Opening{"an intense fear", true, 0.8},
    Opening{"a severe fear", true, 0.8},
    Opening{"a phobia", true, 0.8},
    Opening{"an intolerance", true, 0.9},
    Opening{"celiac", true, 0.9},
    Opening{"dislike", true, 0.9},
    Opening{"hate", true, 0.8},
    Opening{"despise", true, 0.9},
    Opening{"detest", true, 0.9},
    Opening{"loathe", true, 0.9},
    Opening{"abhor", true, 0.9},
    Opening{"resent", true, 0.7},
    Opening{"avoid", true, 0.9},
    Opening{"refuse", true, 0.9},
    Opening{"reject", true, 0.7},
    Opening{"boycott", true, 0.9},
    Opening{"abstain from", true, 0.9},
    Opening{"refrain from", true, 0.9},
    Opening{"shy away from", true, 0.8},
    Opening{"steer clear of", true, 0.9},
    Opening{"stay away from", true, 0.9},
    Opening{"keep away from", true, 0.8},
    Opening{"oppose", true, 0.8},
    Opening{"am allergic", true, 0.9},
    Opening{"am sensitive to", true, 0.8},
    Opening{"am intolerant", true, 0.9},
    Opening{"am averse to", true, 0.9},
    Opening{"am against", true, 0.8},
    Opening{"am opposed to", true, 0.8},
    Opening{"am afraid of", true, 0.7},
    Opening{"am scared of", true, 0.7},
    Opening{"am terrified of", true, 0.7},
    Opening{"am uncomfortable", true, 0.8},
    Opening{"am uninterested in", true, 0.8},
    Opening{"am claustrophobic", true, 0.9},
    Opening{"am wary of", true, 0.7},
    Opening{"am skeptical of", true, 0.7},
    Opening{"am bothered by", true, 0.7},
    Opening{"am turned off by", true, 0.8},
    Opening{"am put off by", true, 0.8},
    Opening{"am triggered by", true, 0.7},
    Opening{"feel uncomfortable", true, 0.8},
    Opening{"feel uneasy", true, 0.8},
    Opening{"feel anxious", true, 0.7},
    Opening{"feel overwhelmed", true, 0.6},
    Opening{"feel claustrophobic", true, 0.8},
    Opening{"get uncomfortable", true, 0.8},
    Opening{"get anxious", true, 0.7},
    Opening{"get nauseous", true, 0.8},
    Opening{"get motion", true, 0.8},
    Opening{"get seasick", true, 0.8},
    Opening{"get carsick", true, 0.8},
    Opening{"get very", true, 0.7},
    Opening{"get easily", true, 0.7},
    Opening{"suffer from", true, 0.8},
    Opening{"struggle with", true, 0.5},
};

bool IsVerbOfHabit(std::string_view word) {
  static const WordSet words = {
      "eat",      "drink",    "consume",     "use",      "wear",      "buy",    "watch",
      "read",     "listen",   "play",        "stay",     "fly",       "drive",  "travel",
      "consider", "want",     "like",        "enjoy",    "support",   "follow", "trust",
      "purchase", "shop",     "cook",        "take",     "choose",    "date",   "visit",
      "attend",   "ride",     "feed",        "own",      "prefer",    "order",  "keep",
      "accept",   "do",       "go",          "work",     "live",      "rent",   "adopt",
      "dine",     "learn",    "study",       "exercise", "train",     "bake",   "book",
      "care",     "allow",    "participate", "engage",   "believe",   "invest", "subscribe",
      "smoke",    "touch",    "appreciate",  "tolerate", "recommend", "swim",   "run",
      "camp",     "purchase", "install",     "download", "speak",     "plan",   "sleep",
      "eat",      "serve"};
  return words.contains(word);
}

// After "I do not": verbs that make a dislike or a firm habit. "I do not know" makes none.
bool IsRefusedVerb(std::string_view word) {
  static const WordSet words = {
      "like",    "enjoy",    "eat",     "drink",     "consume",     "use",      "watch",
      "wear",    "trust",    "support", "tolerate",  "appreciate",  "read",     "listen",
      "buy",     "drive",    "fly",     "care",      "participate", "feel",     "find",
      "believe", "cook",     "play",    "do",        "smoke",       "engage",   "handle",
      "follow",  "consider", "stay",    "travel",    "attend",      "visit",    "celebrate",
      "shop",    "purchase", "love",    "tend",      "function",    "tolerate", "respond",
      "adapt",   "perform",  "condone", "subscribe", "swim"};
  return words.contains(word);
}

bool IsDislikedAdjective(std::string_view word) {
  static const WordSet words = {
      "boring",        "unengaging",  "tedious",        "annoying",    "distracting",
      "overwhelming",  "dull",        "uncomfortable",  "stressful",   "intimidating",
      "ineffective",   "frustrating", "unappealing",    "off-putting", "confusing",
      "exhausting",    "difficult",   "hard",           "unbearable",  "irritating",
      "disruptive",    "impractical", "unpleasant",     "challenging", "monotonous",
      "uninteresting", "disturbing",  "claustrophobic", "nauseating",  "repetitive",
      "impersonal",    "offensive",   "less",           "too",         "counterproductive",
      "excessive",     "unhelpful"};
  return words.contains(word);
}

struct Found {
  bool negative = false;
  double confidence = 0;
};

// What stands after "I have ...": an allergy, a phobia, a need that binds.
bool HasBindingCondition(const WordStream& m, std::size_t at, std::size_t last) {
  constexpr std::size_t kReach = 5;
  for (std::size_t i = at; i < std::min(last, at + kReach); ++i) {
    if (m.IsAny(i, {"allergy", "allergies", "phobia", "intolerance", "aversion", "dislike",
                    "sensitivity", "celiac", "sensitivities", "claustrophobia", "preference",
                    "objection", "fear", "distaste"})) {
      return true;
    }
  }
  return false;
}

// The words between the subject and the verb, and what they settle.
struct Auxiliaries {
  std::size_t verb = 0;  // First word after them.
  bool negated = false;
  bool has = false;
  bool am = false;
  std::optional<Found> settled;  // Nothing after them can change it.
};

std::size_t SkipFillers(const WordStream& m, std::size_t at) {
  while (IsFillerAdverb(m.Text(at))) {
    ++at;
  }
  return at;
}

// "I can't stand", "I cannot eat".
Found Unable(const WordStream& m, std::size_t at) {
  const std::size_t verb = SkipFillers(m, at);
  const bool strong = m.IsAny(verb, {"stand", "tolerate", "bear", "stomach", "digest"});
  const bool body = m.IsAny(verb, {"eat", "drink", "consume", "handle", "have"});
  return strong || body ? Found{true, strong ? 0.9 : 0.7} : Found{};
}

Auxiliaries ReadAuxiliaries(const WordStream& m, std::size_t subject) {
  Auxiliaries read;
  bool decided = false;
  bool forced = false;
  std::size_t at = subject + 1;
  for (;; ++at) {
    const std::string_view word = m.Text(at);
    if (word == "not") {
      read.negated = true;
    } else if (word == "no" && m.Is(at + 1, "longer")) {
      read.negated = true;  // "I no longer eat meat."
      ++at;
    } else if (word == "never" || word == "rarely" || word == "seldom") {
      read.negated = true;
      // "I have never read it" tells of the past, "I never eat it" of a habit.
      if (read.has || IsVerbOfHabit(m.Text(at + 1))) {
        read.settled = read.has ? Found{} : Found{true, 0.8};
        return read;
      }
    } else if (word == "have" || word == "had") {
      read.has = true;
    } else if (word == "am") {
      read.am = true;
    } else if (word == "can" && m.Is(at + 1, "not")) {
      read.settled = Unable(m, at + 2);
      return read;
    } else if (word == "only" || word == "solely" || word == "exclusively") {
      if (IsVerbOfHabit(m.Text(SkipFillers(m, at + 1)))) {
        read.settled = Found{false, 0.9};
        return read;
      }
    } else if (IsFillerAdverb(word)) {
      decided = decided || word == "will";
      forced = forced || (word == "to" && read.has);
    } else {
      break;
    }
  }
  read.verb = at;
  // "I'll stick with the blue one" settles one matter, "I had to reject it" was no wish.
  if (forced || (decided && m.IsAny(at, {"stick", "opt", "avoid", "follow", "prioritize"}))) {
    read.settled = Found{};
  }
  return read;
}

// "I'm not a fan of", "I don't eat".
Found Denied(const WordStream& m, const Auxiliaries& read) {
  const std::size_t at = read.verb;
  if (read.am) {
    bool distaste =
        m.IsAny(at, {"interested", "into", "comfortable", "fond", "keen", "willing", "okay"});
    for (const std::string_view phrase :
         {"a fan", "a big fan", "a huge fan", "big on", "able to eat", "a morning", "a night"}) {
      distaste = distaste || m.Match(at, phrase) != 0;
    }
    return distaste ? Found{true, 0.8} : Found{};
  }
  if (m.Is(at, "prefer")) {
    return {true, 0.7};
  }
  return IsRefusedVerb(m.Text(at)) ? Found{true, 0.8} : Found{};
}

bool Opens(const WordStream& m, const Auxiliaries& read, const Opening& opening) {
  std::string_view phrase = opening.phrase;
  if (phrase.starts_with("am ")) {
    if (!read.am) {
      return false;
    }
    phrase.remove_prefix(3);
  }
  bool possessed = phrase == "celiac";
  for (const std::string_view start : {"a ", "an ", "no ", "low ", "zero ", "little "}) {
    possessed = possessed || phrase.starts_with(start);
  }
  if (possessed && !read.has && !read.am) {
    return false;
  }
  if (phrase == "rather" &&
      (!m.Is(read.verb - 1, "would") || m.IsAny(read.verb + 1, {"show", "tell", "than", "say"}))) {
    return false;
  }
  return m.Match(read.verb, phrase) != 0;
}

Found PreferenceAt(const WordStream& m, std::size_t subject, std::size_t last) {
  const Auxiliaries read = ReadAuxiliaries(m, subject);
  if (read.settled) {
    return *read.settled;
  }
  if (read.verb >= last) {
    return {};
  }
  if (read.negated) {
    return Denied(m, read);
  }
  for (const Opening& opening : kOpenings) {
    if (Opens(m, read, opening)) {
      return {opening.negative, opening.confidence};
    }
  }
  if (read.has && HasBindingCondition(m, read.verb, last)) {
    return {true, 0.9};
  }
  // "I find lectures boring".
  constexpr std::size_t kVerdictReach = 12;
  if (m.IsAny(read.verb, {"find", "consider"})) {
    for (std::size_t i = read.verb + 1; i < std::min(last, read.verb + kVerdictReach); ++i) {
      if (IsDislikedAdjective(m.Text(i))) {
        return {true, 0.7};
      }
    }
  }
  return {};
}

// The end of what the preference says: up to the first clause that asks or asks for something.
std::size_t EndOfStatement(const WordStream& m, const Sentence& sentence, std::size_t from) {
  std::size_t end = sentence.last;
  for (const Clause& clause : sentence.clauses) {
    if (clause.first <= from) {
      continue;
    }
    std::size_t at = clause.first;
    while (m.IsAny(at, {"and", "so", "but", "then", "also", "now", "please"})) {
      ++at;
    }
    const bool asks =
        clause.question ||
        m.IsAny(at, {"can", "could", "what", "how", "do", "would", "which", "where", "help", "any",
                     "is", "are", "should", "will", "considering", "hoping"}) ||
        m.Match(at, "i am wondering") != 0 || m.Match(at, "i am not sure") != 0 ||
        m.Match(at, "i am looking") != 0;
    if (asks) {
      end = clause.first;
      break;
    }
  }
  while (end > from && (m.At(end - 1).symbol || m.IsAny(end - 1, {"so", "and", "but"}))) {
    --end;
  }
  return end;
}

PlannedRule Preference(std::string text, const Found& found) {
  PlannedRule rule;
  rule.kind = RuleKind::kPreference;
  rule.text = std::move(text);
  rule.negative = found.negative;
  rule.confidence = found.confidence;
  return rule;
}

}  // namespace

std::vector<PlannedRule> FindPreferences(const WordStream& m, const Sentence& sentence) {
  std::vector<PlannedRule> rules;
  for (const Clause& clause : sentence.clauses) {
    if (clause.conditional || clause.reported) {
      continue;
    }
    for (std::size_t i = clause.first; i < clause.last; ++i) {
      const bool stated =
          m.Match(i, "my preference is") != 0 || m.Match(i, "my preference for") != 0 ||
          m.Match(i, "my preferences are") != 0 || m.Match(i, "my preference to") != 0;
      // "I have severe anxiety and avoid heights": the subject reaches over the "and".
      const bool continued = m.Is(i, "and") && i > clause.first && m.Is(clause.first, "i") &&
                             m.IsAny(i + 1, {"prefer", "avoid", "dislike", "hate", "refuse",
                                             "despise", "detest", "cannot"});
      if (!stated && !continued && !m.IsAny(i, {"i", "we"})) {
        continue;
      }
      // "what I prefer", "the reasons that I hate": named, not stated.
      if (i > clause.first &&
          m.IsAny(i - 1, {"what", "that", "which", "if", "whether", "do", "should", "would", "can",
                          "could", "why", "how", "did", "where", "will", "might", "may"})) {
        continue;
      }
      const Found found = stated ? Found{false, 0.8} : PreferenceAt(m, i, clause.last);
      if (found.confidence <= 0 || (clause.question && !stated)) {
        continue;
      }
      const std::size_t end = EndOfStatement(m, sentence, i);
      if (end <= i + 2) {
        continue;
      }
      rules.push_back(Preference(RuleText(m, continued ? clause.first : i, end), found));
      // The rest of the sentence is part of the text already.
      return rules;
    }
  }
  return rules;
}

}  // namespace umbranet
