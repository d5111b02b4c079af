#include "umbranet/extraction/small_talk.h"

#include <unordered_set>

namespace umbranet {
namespace {

using WordSet = std::unordered_set<std::string_view>;

constexpr std::size_t kSmallTalkWordsMax = 16;

const WordSet& Greetings() {
  static const WordSet words = {"hi",        "hello",   "hey",     "hiya",      "heya", "howdy",
                                "greetings", "morning", "evening", "afternoon", "yo",   "sup"};
  return words;
}

const WordSet& Farewells() {
  static const WordSet words = {"bye", "goodbye", "ttyl", "cya", "goodnight", "night", "later"};
  return words;
}

const WordSet& Thanks() {
  static const WordSet words = {"thanks", "thank", "thx", "ty", "cheers", "appreciate", "grateful"};
  return words;
}

// What may stand around them without telling anything.
// A table in the shape of code.
const WordSet& Fillers() {  // NOLINT(readability-function-size)
  static const WordSet words = {"you",
                                "so",
                                "much",
                                "very",
                                "a",
                                "lot",
                                "ok",
                                "okay",
                                "k",
                                "great",
                                "cool",
                                "nice",
                                "good",
                                "fine",
                                "awesome",
                                "perfect",
                                "sure",
                                "yes",
                                "yeah",
                                "yep",
                                "yup",
                                "no",
                                "nope",
                                "nah",
                                "alright",
                                "right",
                                "got",
                                "it",
                                "there",
                                "how",
                                "are",
                                "is",
                                "going",
                                "what",
                                "up",
                                "s",
                                "day",
                                "have",
                                "see",
                                "ya",
                                "soon",
                                "to",
                                "hear",
                                "that",
                                "sounds",
                                "oh",
                                "wow",
                                "lol",
                                "haha",
                                "hahaha",
                                "hehe",
                                "hmm",
                                "well",
                                "all",
                                "the",
                                "for",
                                "your",
                                "help",
                                "everything",
                                "again",
                                "too",
                                "and",
                                "amazing",
                                "i",
                                "this",
                                "really",
                                "was",
                                "helpful",
                                "doing",
                                "today",
                                "welcome",
                                "care",
                                "take",
                                "be",
                                "one",
                                "talk",
                                "will",
                                "do",
                                "please",
                                "continue",
                                "go",
                                "on",
                                "understood",
                                "noted",
                                "exactly",
                                "indeed",
                                "agreed",
                                "of",
                                "course",
                                "absolutely",
                                "definitely",
                                "thats",
                                "wonderful",
                                "lovely",
                                "excellent",
                                "fantastic",
                                "best",
                                "wishes",
                                "luck",
                                "sir",
                                "friend",
                                "buddy",
                                "everyone",
                                "folks",
                                "guys",
                                "assistant",
                                "'s",
                                "problem",
                                "worries",
                                "not",
                                "at",
                                "am",
                                "glad",
                                "happy",
                                "ah",
                                "aw",
                                "in",
                                "touch",
                                "keep",
                                "fun",
                                "enjoy",
                                "weekend",
                                "rest",
                                "same",
                                "here",
                                "tomorrow",
                                "catch",
                                "us",
                                "let",
                                "congrats",
                                "congratulations",
                                "interesting"};
  return words;
}

}  // namespace

std::string_view SmallTalkKind(std::string_view text, const WordStream& message) {
  bool greeting = false;
  bool thanks = false;
  bool farewell = false;
  bool capital_name = false;
  std::size_t words = 0;
  for (std::size_t i = 0; i < message.words().size(); ++i) {
    const Word& word = message.words()[i];
    if (word.symbol) {
      continue;
    }
    if (++words > kSmallTalkWordsMax) {
      return "";
    }
    if (Greetings().contains(word.text)) {
      greeting = true;
    } else if (Thanks().contains(word.text)) {
      thanks = true;
    } else if (Farewells().contains(word.text)) {
      farewell = true;
    } else if (!Fillers().contains(word.text)) {
      // One name may be greeted: "Hey Nora!".
      const bool vocative = word.capital && !capital_name && (greeting || thanks || farewell);
      if (!vocative) {
        return "";
      }
      capital_name = true;
    }
  }
  if (words == 0) {
    // Code alone, a picture alone and signs alone are told apart by what was taken out.
    return text.find_first_not_of(" \t\r\n.!?,;:-()") == std::string_view::npos ? "empty" : "";
  }
  // A picture or a listing beside the pleasantry is worth keeping.
  if (text.find('[') != std::string_view::npos || text.find("```") != std::string_view::npos) {
    return "";
  }
  if (thanks) {
    return "thanks";
  }
  if (greeting) {
    return "greeting";
  }
  if (farewell) {
    return "farewell";
  }
  return "acknowledgement";
}

}  // namespace umbranet
