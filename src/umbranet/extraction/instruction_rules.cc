#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "umbranet/base/text_analysis.h"
#include "umbranet/extraction/rule_statements.h"

// Standing instructions, and the taking back of rules.

namespace umbranet {
namespace {

using WordSet = std::unordered_set<std::string_view>;

// What an assistant is told to do: the verbs that open an instruction.
bool IsTaskVerb(std::string_view word) {
  static const WordSet words = {
      "use",        "answer",   "reply",     "respond",   "give",         "show",     "include",
      "provide",    "format",   "explain",   "write",     "keep",         "remind",   "tell",
      "add",        "mention",  "list",      "cite",      "highlight",    "ask",      "check",
      "avoid",      "skip",     "start",     "end",       "begin",        "call",     "speak",
      "translate",  "convert",  "suggest",   "recommend", "focus",        "consider", "stick",
      "limit",      "be",       "make",      "put",       "assume",       "round",    "summarize",
      "summarise",  "address",  "refer",     "offer",     "present",      "prefer",   "break",
      "point",      "note",     "state",     "specify",   "describe",     "compare",  "emphasize",
      "prioritize", "organize", "structure", "quote",     "double-check", "verify",   "confirm",
      "remember",   "treat",    "talk",      "say",       "send",         "leave",    "omit",
      "do",         "wrap",     "label",     "number",    "sign",         "greet",    "comment",
      "follow",     "share",    "let",       "type",      "stop",         "ensure",   "display",
      "print",      "return",   "spell"};
  return words.contains(word);
}

// Nouns and adverbs of the assistant's own way of answering: with them, an imperative stands for
// longer than the moment.
bool SpeaksOfAnswers(const WordStream& m, std::size_t first, std::size_t last) {
  static const WordSet words = {
      "answers",  "responses", "replies",      "emojis",          "emoji",       "metric",
      "imperial", "celsius",   "fahrenheit",   "bullet",          "tone",        "formal",
      "formally", "informal",  "british",      "concise",         "concisely",   "brief",
      "briefly",  "short",     "jargon",       "disclaimers",     "apologizing", "apologies",
      "markdown", "bullets",   "explanations", "recommendations", "suggestions", "politely",
      "polite",   "slang",     "units",        "kilometers",      "kilometres",  "exclamation"};
  for (std::size_t i = first; i < last; ++i) {
    if (words.contains(m.Text(i))) {
      return true;
    }
  }
  return false;
}

// Words before the imperative: "please", "also", "and", "hey", "in the future".
std::size_t SkipCourtesy(const WordStream& m, std::size_t i, bool* standing) {
  static constexpr std::array kStanding = std::to_array<std::string_view>(
      {"from now on", "from here on out", "from here on", "going forward", "moving forward",
       "in the future", "in future", "henceforth", "for the future", "as a rule", "by default",
       "from this point on", "for future reference", "at all times"});
  for (;;) {
    bool moved = false;
    for (const std::string_view phrase : kStanding) {
      if (const std::size_t next = m.Match(i, phrase); next != 0) {
        *standing = true;
        i = next;
        moved = true;
        break;
      }
    }
    if (!moved && (m.IsAny(i, {"please", "also", "and", "hey", "ok", "okay", "but", "so", "just",
                               "oh", "then", "well", "kindly", "remember", "note", "important"}) ||
                   m.At(i).symbol)) {
      // "remember to" and "remember that" open what is to be remembered.
      if (m.Is(i, "remember")) {
        const bool opens = m.IsAny(i + 1, {"to", "that", ",", ":", "always", "never"});
        if (!opens) {
          return i;
        }
        *standing = *standing || m.Is(i + 1, "to") || m.IsAny(i + 1, {"always", "never"});
        i += m.IsAny(i + 1, {"to", "that"}) ? 1U : 0U;
      }
      ++i;
      moved = true;
    }
    if (!moved) {
      return i;
    }
  }
}

PlannedRule Instruction(const WordStream& m, const Sentence& sentence, std::size_t first,
                        std::size_t last, bool negative, double confidence) {
  PlannedRule rule;
  rule.kind = RuleKind::kInstruction;
  rule.text = RuleText(m, first, last);
  rule.scope = ScopeOf(m, sentence);
  rule.negative = negative;
  rule.confidence = confidence;
  return rule;
}

struct Verdict {
  bool is_rule = false;
  bool negative = false;
  double confidence = 0;
};

// "call me Bo", "address me as", "refer to me as": a name for the speaker.
bool IsAddress(const WordStream& m, std::size_t i) {
  return m.Match(i, "call me") != 0 || m.Match(i, "address me") != 0 ||
         m.Match(i, "refer to me") != 0;
}

bool OpensScope(const WordStream& m, const Sentence& sentence) {
  for (std::size_t i = sentence.first; i < sentence.last; ++i) {
    const bool when = m.IsAny(i, {"when", "whenever", "if", "anytime"});
    const bool times = m.IsAny(i, {"every", "each", "any"}) && m.Is(i + 1, "time");
    const std::size_t subject = times ? i + 2 : i + 1;
    if ((when || times) && m.Is(subject, "i") &&
        m.IsAny(subject + 1, {"ask", "say", "mention", "request", "talk", "write", "send", "want",
                              "need", "inquire", "am", "bring", "share", "type"})) {
      return true;
    }
    if ((when || times) && m.Is(subject, "you") &&
        m.IsAny(subject + 1, {"answer", "reply", "respond", "write", "give", "explain", "suggest",
                              "recommend", "talk"})) {
      return true;
    }
  }
  return false;
}

// The words from `i` on as an instruction, once courtesies are skipped.
Verdict Judge(const WordStream& m, const Sentence& sentence, std::size_t i, std::size_t last,
              bool standing, bool scoped) {
  if (m.IsAny(i, {"always", "never"})) {
    std::size_t verb = i + 1;
    while (m.IsAny(verb, {"ever", "again", "please", "just"})) {
      ++verb;
    }
    // "Always been like that", "never mind", "always a pleasure".
    const bool told = IsTaskVerb(m.Text(verb)) || IsAddress(m, verb);
    const bool mind = m.Is(verb, "mind");
    return {told && !mind, m.Is(i, "never"), 0.95};
  }
  if (m.Is(i, "do") && m.Is(i + 1, "not")) {
    const std::size_t verb = m.IsAny(i + 2, {"ever", "always", "please"}) ? i + 3 : i + 2;
    const bool ever = m.Is(i + 2, "ever");
    if (m.IsAny(verb, {"worry", "know", "get", "think", "forget", "mention", "mind", "hesitate"}) &&
        !scoped && !standing) {
      return {};
    }
    const bool told = IsTaskVerb(m.Text(verb)) || IsAddress(m, verb);
    const bool lasting =
        ever || standing || scoped || IsAddress(m, verb) || SpeaksOfAnswers(m, verb, last);
    return {told && lasting, true, ever || standing ? 0.9 : 0.75};
  }
  for (const std::string_view opening :
       {"make sure to", "make sure you", "make sure that you", "make sure your", "be sure to",
        "ensure that you", "ensure you", "ensure your", "make sure that your"}) {
    const std::size_t next = m.Match(i, opening);
    if (next == 0) {
      continue;
    }
    const bool always = m.IsAny(next, {"always", "never"});
    const bool lasting = always || standing || scoped || SpeaksOfAnswers(m, next, last) ||
                         (i > sentence.first && m.Is(i - 1, "please"));
    return {lasting, m.Is(next, "never"), always ? 0.95 : 0.7};
  }
  if (IsAddress(m, i)) {
    const bool later = m.IsAny(i + 2, {"when", "back", "if", "later", "tomorrow", "at", "crazy"});
    return {!later, false, 0.9};
  }
  if (m.IsAny(i, {"stop", "quit"}) && m.Text(i + 1).ends_with("ing")) {
    const bool lasting = standing || scoped || SpeaksOfAnswers(m, i, last) ||
                         m.IsAny(i + 1, {"calling", "using", "asking", "telling", "suggesting",
                                         "recommending", "apologizing", "saying"});
    return {lasting, true, 0.8};
  }
  if (m.Is(i, "no") && m.IsAny(i + 1, {"emojis", "emoji", "jargon", "disclaimers", "more"}) &&
      last - i <= 8) {
    return {true, true, 0.8};
  }
  // "Let me know", "keep me posted" close a conversation.
  const bool farewell = m.Match(i, "let me know") != 0 || m.Match(i, "keep me posted") != 0 ||
                        m.Match(i, "let us") != 0;
  if (IsTaskVerb(m.Text(i)) && !farewell) {
    if (standing || scoped) {
      return {true, m.IsAny(i, {"avoid", "skip", "omit", "stop"}), 0.9};
    }
    const bool about_answers =
        SpeaksOfAnswers(m, i, last) && last - i <= 14 &&
        m.IsAny(i, {"use", "keep", "be", "answer", "reply", "respond", "speak", "write", "avoid",
                    "give", "talk", "stick", "format", "skip"});
    return {about_answers, m.IsAny(i, {"avoid", "skip"}), 0.6};
  }
  return {};
}

// "you should always ...", "I want you to ...", "I'd like you to never ...".
std::size_t AfterAddressee(const WordStream& m, std::size_t i, bool* standing) {
  for (const std::string_view opening :
       {"i want you to", "i need you to", "i would like you to", "i prefer you to",
        "i would prefer you to", "i expect you to", "you should", "you must", "you need to",
        "you have to", "you are to", "i would appreciate it if you", "i want your answers to",
        "i want all your answers to"}) {
    if (const std::size_t next = m.Match(i, opening); next != 0) {
      *standing = *standing || m.IsAny(next, {"always", "never"});
      return next;
    }
  }
  return 0;
}

bool SharesWords(std::string_view a, std::string_view b) {
  const auto terms = AnalyzeTerms(a);
  const auto others = AnalyzeTerms(b);
  return std::any_of(terms.begin(), terms.end(), [&others](const std::string& term) {
    return std::find(others.begin(), others.end(), term) != others.end();
  });
}

}  // namespace

std::vector<PlannedRule> FindInstructions(const WordStream& m, const Sentence& sentence) {
  std::vector<PlannedRule> rules;
  // Longer runs without a full stop are logs, listings and transcripts.
  constexpr std::size_t kInstructionWordsMax = 80;
  if (sentence.clauses.empty() || sentence.last - sentence.first > kInstructionWordsMax) {
    return rules;
  }
  const bool scoped = OpensScope(m, sentence);
  const std::string leading_scope = ScopeOf(m, sentence);
  for (std::size_t c = 0; c < sentence.clauses.size(); ++c) {
    const Clause& clause = sentence.clauses[c];
    if (clause.question || clause.reported || (clause.conditional && !scoped)) {
      continue;
    }
    bool standing = false;
    std::size_t at = SkipCourtesy(m, clause.first, &standing);
    // A scope or a courtesy in a clause of its own opens the next clause.
    for (std::size_t before = 0; before < c; ++before) {
      const Clause& lead = sentence.clauses[before];
      bool leads = false;
      const std::size_t rest = SkipCourtesy(m, lead.first, &leads);
      standing = standing || (leads && rest >= lead.last);
    }
    const bool after_scope = c == 1 && !scoped && !leading_scope.empty();
    if (at >= clause.last) {
      continue;
    }
    if (const std::size_t told = AfterAddressee(m, at, &standing); told != 0) {
      at = told;
      if (!standing && !scoped && !SpeaksOfAnswers(m, at, clause.last) && !IsAddress(m, at)) {
        continue;
      }
    } else if (m.Match(at, "you can call me") != 0 || m.Match(at, "you may call me") != 0) {
      at += 2;
    }
    // "and use ..." within a request of the moment continues that request.
    if (c > 0 && !standing && !scoped && !after_scope && sentence.clauses[c - 1].question) {
      continue;
    }
    const Verdict verdict = Judge(m, sentence, at, clause.last, standing || after_scope, scoped);
    if (!verdict.is_rule) {
      continue;
    }
    rules.push_back(Instruction(m, sentence, sentence.first, sentence.last, verdict.negative,
                                verdict.confidence));
    return rules;
  }
  return rules;
}

std::vector<PlannedRule> FindWithdrawals(const WordStream& m, const Sentence& sentence,
                                         std::span<const Rule> known) {
  struct Form {
    std::string_view phrase;
    bool needs_known;             // The words fit other purposes as well.
    bool needs_negative = false;  // They allow something again.
  };

  static constexpr auto kForms = std::to_array<Form>({
      {"you can forget about", false},
      {"you may forget about", false},
      {"forget about", true},
      {"forget the", true},
      {"forget what i said about", false},
      {"ignore what i said about", false},
      {"disregard what i said about", false},
      {"you no longer need to", false},
      {"you no longer have to", false},
      {"there is no need to", true},
      {"no need to", true},
      {"scrap the", true},
      {"drop the", true},
      {"you do not need to", true},
      {"you do not have to", true},
      {"you can stop", false},
      {"i no longer prefer", false},
      {"i no longer need", true},
      {"i no longer want", true},
      {"i no longer avoid", true},
      {"i no longer dislike", true},
      {"i no longer hate", true},
      {"i no longer mind", true},
      {"i am no longer", true},
      {"i changed my mind about", true},
      {"i have changed my mind about", true},
      {"i take back what i said about", false},
      {"i do not mind", true},
      {"i am fine with", true, true},
      {"i am okay with", true, true},
      {"i am ok with", true, true},
      {"never mind about", true},
      {"you can ignore", true},
      {"scratch the", true},
      {"cancel the", true},
  });
  std::vector<PlannedRule> rules;
  for (const Clause& clause : sentence.clauses) {
    if (clause.question || clause.conditional || clause.reported) {
      continue;
    }
    bool standing = false;
    const std::size_t at = SkipCourtesy(m, clause.first, &standing);
    std::size_t content = 0;
    bool needs_known = false;
    bool needs_negative = false;
    for (const Form& form : kForms) {
      content = m.Match(at, form.phrase);
      if (content != 0) {
        needs_known = form.needs_known;
        needs_negative = form.needs_negative;
        break;
      }
    }
    const bool stop =
        content == 0 && m.IsAny(at, {"stop", "quit"}) && m.Text(at + 1).ends_with("ing");
    if (stop) {
      content = at + 1;
      needs_known = true;
    }
    if (content == 0 || content >= clause.last) {
      continue;
    }
    const bool anymore = m.IsAny(clause.last - 1, {"anymore", "longer"}) ||
                         m.Match(clause.last - 2, "any more") != 0;
    const std::string text = RuleText(m, content, clause.last);
    const bool fits = std::any_of(known.begin(), known.end(), [&](const Rule& rule) {
      return !rule.withdrawn_at && !(stop && rule.negative) && (rule.negative || !needs_negative) &&
             SharesWords(text, rule.text);
    });
    if (needs_known && !fits && !(anymore && !stop)) {
      continue;
    }
    PlannedRule rule;
    rule.kind = RuleKind::kInstruction;
    rule.text = text;
    rule.withdraws = true;
    rule.confidence = 0.9;
    rules.push_back(std::move(rule));
    return rules;
  }
  return rules;
}

}  // namespace umbranet
