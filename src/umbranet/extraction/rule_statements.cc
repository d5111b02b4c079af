#include "umbranet/extraction/rule_statements.h"

#include <algorithm>
#include <set>
#include <unordered_set>
#include <utility>

#include "umbranet/base/text_analysis.h"
#include "umbranet/base/utf8.h"

namespace umbranet {
namespace {

using WordSet = std::unordered_set<std::string_view>;

constexpr std::size_t kRuleBytesMax = 400;
constexpr std::size_t kRulesMax = 8;  // Of one message.
constexpr std::size_t kScopeWordsMax = 8;

// Words that only say that there is a rule, not which.
bool IsFraming(std::string_view folded) {
  static const WordSet words = {
      "always", "never",   "please",   "prefer",   "preference", "sure",     "make",
      "ensure", "now",     "future",   "whenever", "ask",        "asking",   "want",
      "like",   "really",  "strongly", "remember", "every",      "time",     "each",
      "avoid",  "dont",    "do",       "not",      "no",         "would",    "love",
      "hate",   "dislike", "stop",     "keep",     "going",      "forward",  "instead",
      "longer", "need",    "anymore",  "forget",   "just",       "also",     "again",
      "more",   "rather",  "refuse",   "only",     "strictly",   "generally"};
  return words.contains(folded);
}

std::size_t ClauseIndex(const Sentence& sentence, std::size_t word) {
  for (std::size_t c = 0; c < sentence.clauses.size(); ++c) {
    if (word < sentence.clauses[c].last) {
      return c;
    }
  }
  return sentence.clauses.empty() ? 0 : sentence.clauses.size() - 1;
}

std::string JoinScope(const WordStream& message, std::size_t first, std::size_t last) {
  static const WordSet skipped = {"the", "a", "an", "any", "my", "your", "some", "to", "of", "all"};
  std::string scope;
  std::size_t count = 0;
  for (std::size_t i = first; i < last && count < kScopeWordsMax; ++i) {
    const Word& word = message.At(i);
    if (word.symbol && word.text != "'" && word.text != "/" && word.text != "&") {
      break;
    }
    if (word.symbol || skipped.contains(word.text) || word.text == "'s") {
      continue;
    }
    if (!scope.empty()) {
      scope += ' ';
    }
    scope += word.text;
    ++count;
  }
  return scope;
}

// "I now prefer", "these days I prefer", "I have switched to": what was preferred before is over.
bool TellsOfNewTaste(const WordStream& message, const Sentence& sentence) {
  for (std::size_t i = sentence.first; i < sentence.last; ++i) {
    if (message.IsAny(i, {"now", "nowadays", "lately", "switched"}) ||
        message.Match(i, "these days") != 0 || message.Match(i, "instead of") != 0) {
      return true;
    }
  }
  return false;
}

// At least half of the words of each key are those of the other, and not all of them.
bool IsAnotherChoice(std::string_view key, std::string_view known) {
  const auto words_of = [](std::string_view text) {
    std::set<std::string_view> words;
    while (!text.empty()) {
      const std::size_t end = std::min(text.find(' '), text.size());
      words.insert(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    return words;
  };
  const std::set<std::string_view> words = words_of(key);
  const std::set<std::string_view> others = words_of(known);
  const auto shared = static_cast<std::size_t>(std::count_if(
      words.begin(), words.end(), [&](std::string_view word) { return others.contains(word); }));
  return shared > 0 && 2 * shared >= others.size() &&
         2 * shared >= std::min(words.size(), others.size()) && key != known;
}

// The preferences in force that a new one takes the place of, as withdrawals. They go before it.
std::vector<PlannedRule> FindReplaced(const WordStream& message, const Sentence& sentence,
                                      std::span<const PlannedRule> stated,
                                      std::span<const Rule> known) {
  std::vector<PlannedRule> replaced;
  if (stated.empty() || !TellsOfNewTaste(message, sentence)) {
    return replaced;
  }
  for (const Rule& rule : known) {
    const bool same_kind = rule.kind == RuleKind::kPreference && !rule.withdrawn_at &&
                           rule.negative == stated.front().negative;
    if (same_kind && IsAnotherChoice(RuleKey(stated.front().text), rule.key)) {
      PlannedRule withdrawal;
      withdrawal.kind = RuleKind::kPreference;
      withdrawal.text = rule.text;
      withdrawal.withdraws = true;
      withdrawal.confidence = 0.8;
      replaced.push_back(std::move(withdrawal));
    }
  }
  return replaced;
}

}  // namespace

bool IsFillerAdverb(std::string_view word) {
  static const WordSet words = {
      "really",       "strongly",     "strictly",    "generally",     "always",       "usually",
      "typically",    "absolutely",   "just",        "truly",         "personally",   "often",
      "definitely",   "also",         "still",       "much",          "do",           "tend",
      "to",           "try",          "honestly",    "actually",      "normally",     "mostly",
      "mainly",       "deeply",       "highly",      "very",          "extremely",    "quite",
      "simply",       "completely",   "totally",     "kind",          "of",           "somewhat",
      "particularly", "especially",   "certainly",   "rarely",        "genuinely",    "utterly",
      "specifically", "consciously",  "actively",    "deliberately",  "now",          "both",
      "all",          "so",           "have",        "intentionally", "even",         "too",
      "currently",    "overall",      "firmly",      "heavily",       "fully",        "severely",
      "increasingly", "vehemently",   "greatly",     "intensely",     "passionately", "thoroughly",
      "purposely",    "purposefully", "religiously", "would",         "will",         "been",
      "ever",         "sometimes",    "frequently",  "consistently"};
  return words.contains(word);
}

std::string RuleText(const WordStream& message, std::size_t first, std::size_t last) {
  // A bracket that was taken out ends a sentence, but is no part of it.
  while (last > first && message.At(last - 1).symbol && message.Source(last - 1, last) == "[") {
    --last;
  }
  std::string text;
  bool space = false;
  for (const char c : message.Source(first, last)) {
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      space = !text.empty();
      continue;
    }
    if (space) {
      text += ' ';
      space = false;
    }
    text += c;
  }
  std::string_view cut = TruncateUtf8(text, kRuleBytesMax);
  while (!cut.empty() && (cut.back() == ',' || cut.back() == ' ' || cut.back() == ';' ||
                          cut.back() == '?' || cut.back() == '-')) {
    cut.remove_suffix(1);
  }
  return std::string(cut);
}

std::string RuleKey(std::string_view text) {
  std::set<std::string> terms;
  for (const TextToken& token : Tokenize(text)) {
    if (!token.stop_word && !IsFraming(token.folded)) {
      terms.insert(token.term);
    }
  }
  std::string key;
  for (const std::string& term : terms) {
    if (!key.empty()) {
      key += ' ';
    }
    key += term;
  }
  return key;
}

std::string ScopeOf(const WordStream& message, const Sentence& sentence) {
  // A scope stands near the beginning or not at all; this also bounds the search.
  constexpr std::size_t kScopeReach = 120;
  const std::size_t reach = std::min(sentence.last, sentence.first + kScopeReach);
  for (std::size_t i = sentence.first; i < reach; ++i) {
    if (message.IsAny(i, {"when", "whenever", "if", "every", "each", "any", "anytime"})) {
      std::size_t at = i + 1;
      if (message.IsAny(i, {"every", "each", "any"})) {
        if (!message.Is(at, "time")) {
          continue;
        }
        ++at;
      }
      if (message.Match(at, "it comes to") != 0) {
        at += 3;
      } else if (message.Is(at, "i") || message.Is(at, "we")) {
        ++at;
        while (message.IsAny(at, {"am", "will", "do", "might", "ever", "need", "want"})) {
          ++at;
        }
        if (message.IsAny(at, {"ask", "asking", "inquire", "talk", "talking", "mention", "question",
                               "write", "request", "discuss", "bring"})) {
          ++at;
          while (message.IsAny(at, {"you", "for", "about", "a", "questions", "question", "help",
                                    "with", "on", "to", "up", "something"})) {
            ++at;
          }
        }
      } else if (message.IsAny(at, {"you", "discussing", "talking", "writing", "giving",
                                    "explaining", "working", "planning", "answering", "coding"})) {
        if (message.Is(at, "you")) {
          at += 2;
        } else if (!message.IsAny(at, {"coding"})) {
          at += message.IsAny(at + 1, {"about", "on", "with"}) ? 2U : 1U;
        }
      } else {
        continue;
      }
      const std::size_t clause = ClauseIndex(sentence, at);
      if (sentence.clauses.empty() || at >= sentence.clauses[clause].last) {
        continue;
      }
      return JoinScope(message, at, sentence.clauses[clause].last);
    }
  }
  // "In code, use tabs", "For travel, prefer trains": the scope leads and a comma closes it.
  if (sentence.clauses.size() >= 2) {
    const Clause& lead = sentence.clauses.front();
    if (message.IsAny(lead.first, {"in", "for", "with", "on", "regarding"}) &&
        lead.last - lead.first <= 6 && message.Is(lead.last, ",") &&
        !message.IsAny(lead.first + 1,
                       {"general", "the", "future", "my", "fact", "case", "addition", "short",
                        "this", "that", "example", "instance"})) {
      return JoinScope(message, lead.first + 1, lead.last);
    }
    if (message.Match(lead.first, "in my code") != 0) {
      return "code";
    }
  }
  return "";
}

std::vector<PlannedRule> FindRules(const WordStream& message, std::span<const Rule> known) {
  std::vector<PlannedRule> rules;
  std::unordered_set<std::string> keys;
  const auto take = [&](std::vector<PlannedRule> found) {
    for (PlannedRule& rule : found) {
      rule.key = RuleKey(rule.text);
      if (rule.key.empty() || rules.size() >= kRulesMax || !keys.insert(rule.key).second) {
        continue;
      }
      rules.push_back(std::move(rule));
    }
    return !found.empty();
  };
  for (const Sentence& sentence : message.sentences()) {
    if (take(FindWithdrawals(message, sentence, known))) {
      continue;
    }
    if (take(FindInstructions(message, sentence))) {
      continue;
    }
    std::vector<PlannedRule> preferences = FindPreferences(message, sentence);
    take(FindReplaced(message, sentence, preferences, known));
    take(std::move(preferences));
  }
  return rules;
}

}  // namespace umbranet
