#include "umbranet/extraction/temporal_tense.h"

#include <string_view>
#include <unordered_set>

namespace umbranet::temporal {
namespace {

using Words = std::unordered_set<std::string_view>;

const Words& FutureWords() {
  static const Words words = {
      "will",        "'ll",      "shall",     "gonna",    "wo",       "going",    "planning",
      "plan",        "plans",    "hope",      "hoping",   "hopes",    "intend",   "expect",
      "expecting",   "schedule", "scheduled", "book",     "remind",   "arrange",  "meet",
      "let",         "should",   "must",      "need",     "upcoming", "deadline", "due",
      "appointment", "wanna",    "want",      "wants",    "can",      "could",    "might",
      "would",       "coming",   "starts",    "begins",   "leaves",   "arrives",  "please",
      "excited",     "forward",  "ends",      "tomorrow", "soon",     "flight",   "reservation"};
  return words;
}

const Words& PastWords() {
  static const Words words = {
      "was",        "were",   "did",    "had",    "went",   "got",    "came",      "saw",
      "met",        "made",   "took",   "gave",   "bought", "left",   "told",      "said",
      "found",      "felt",   "had",    "been",   "became", "began",  "broke",     "brought",
      "built",      "caught", "chose",  "drank",  "drew",   "drove",  "ate",       "fell",
      "flew",       "forgot", "grew",   "heard",  "held",   "kept",   "knew",      "led",
      "lost",       "paid",   "ran",    "rode",   "sang",   "sat",    "sent",      "slept",
      "sold",       "spent",  "spoke",  "stood",  "swam",   "taught", "thought",   "threw",
      "understood", "woke",   "won",    "wore",   "wrote",  "ago",    "yesterday", "born",
      "did",        "dealt",  "hung",   "lent",   "read",   "shot",   "showed",    "stuck",
      "swept",      "hit",    "quit",   "'ve",    "done",   "seen",   "gone",      "froze",
      "stole",      "tore",   "fought", "sought", "bit",    "hid",    "dug",       "spun"};
  return words;
}

// Words in -ed that are no past tense.
const Words& FalsePast() {
  static const Words words = {"need",    "indeed",  "speed",      "feed",   "seed",
                              "weed",    "bed",     "red",        "shed",   "exceed",
                              "proceed", "succeed", "interested", "tired",  "hundred",
                              "naked",   "sacred",  "wicked",     "blessed"};
  return words;
}

bool EndsSentence(const Token& token) {
  return token.kind == TokenKind::kSymbol &&
         (token.text == "." || token.text == "!" || token.text == "?" || token.text == ";");
}

Tense TenseAt(std::span<const Token> tokens, std::size_t i) {
  const Token& token = tokens[i];
  if (token.kind != TokenKind::kWord) {
    return Tense::kUntold;
  }
  const std::string_view text = token.text;
  const std::string_view before = i > 0 ? tokens[i - 1].text : std::string_view{};
  // "I'm meeting Ana on Friday", "we're leaving": the present progressive looks ahead.
  if (text.size() > 4 && text.ends_with("ing")) {
    if (before == "'m" || before == "am" || before == "'re" || before == "are" || before == "'s" ||
        before == "is") {
      return Tense::kFuture;
    }
    if (before == "was" || before == "were") {
      return Tense::kPast;
    }
    // "been meaning to", "keep going": told by the word before.
  }
  if (PastWords().contains(text)) {
    return Tense::kPast;
  }
  if (FutureWords().contains(text)) {
    return Tense::kFuture;
  }
  if (text.size() >= 4 && text.ends_with("ed") && !FalsePast().contains(text)) {
    // "is needed", "be finished": no past.
    const bool passive = before == "be" || before == "is" || before == "are" || before == "'m" ||
                         before == "'s" || before == "get";
    return passive ? Tense::kUntold : Tense::kPast;
  }
  return Tense::kUntold;
}

}  // namespace

std::vector<Tense> TensesOf(std::span<const Token> tokens) {
  std::vector<Tense> tenses(tokens.size(), Tense::kUntold);
  std::size_t sentence = 0;
  while (sentence < tokens.size()) {
    std::size_t end = sentence;
    while (end < tokens.size()) {
      // A dot inside of "a.m." or "2.30" is glued to what follows.
      const bool inner = end + 1 < tokens.size() && tokens[end + 1].glued;
      if (EndsSentence(tokens[end]) && !inner) {
        break;
      }
      ++end;
      if (end < tokens.size() && tokens[end].boundary) {
        break;
      }
    }
    Tense last = Tense::kUntold;
    Tense first = Tense::kUntold;
    for (std::size_t i = sentence; i < end; ++i) {
      tenses[i] = last;
      if (const Tense told = TenseAt(tokens, i); told != Tense::kUntold) {
        last = told;
        if (first == Tense::kUntold) {
          first = told;
        }
      }
    }
    // Before the first telling verb, that verb tells.
    for (std::size_t i = sentence; i < end && tenses[i] == Tense::kUntold; ++i) {
      tenses[i] = first;
    }
    sentence = end < tokens.size() && EndsSentence(tokens[end]) ? end + 1 : end;
    if (end == sentence && sentence < tokens.size() && !tokens[sentence].boundary &&
        EndsSentence(tokens[sentence])) {
      ++sentence;
    }
  }
  return tenses;
}

}  // namespace umbranet::temporal
