#include <algorithm>
#include <unordered_set>

#include "umbranet/extraction/fact_finder.h"
#include "umbranet/extraction/temporal_lexer.h"

// Objects of statements: where they begin and end, and how they are written down.

namespace umbranet {
namespace {

using WordSet = std::unordered_set<std::string_view>;

bool IsDeterminer(std::string_view word) {
  static const WordSet words = {
      "a",         "an",       "the",    "some",    "any",    "my",         "our",     "all",
      "his",       "her",      "their",  "your",    "these",  "those",      "this",    "that",
      "every",     "each",     "both",   "many",    "much",   "several",    "few",     "such",
      "really",    "very",     "just",   "also",    "only",   "quite",      "too",     "so",
      "lots",      "tons",     "most",   "more",    "mostly", "especially", "good",    "other",
      "its",       "to",       "lot",    "bunch",   "couple", "even",       "certain", "various",
      "different", "actually", "about",  "of",      "kind",   "new",        "great",   "nice",
      "big",       "another",  "always", "usually", "old"};
  return words.contains(word);
}

// Words at which an object ends.
bool EndsObject(std::string_view word) {
  static const WordSet words = {
      "because",    "but",       "so",       "when",      "while",   "that",     "which",
      "who",        "where",     "if",       "since",     "as",      "than",     "though",
      "although",   "until",     "after",    "before",    "with",    "for",      "from",
      "in",         "at",        "on",       "during",    "about",   "by",       "like",
      "into",       "near",      "around",   "through",   "without", "over",     "under",
      "every",      "too",       "also",     "very",      "much",    "most",     "more",
      "lol",        "though",    "then",     "i",         "we",      "you",      "he",
      "she",        "they",      "it",       "is",        "are",     "was",      "were",
      "am",         "do",        "does",     "did",       "will",    "would",    "can",
      "could",      "have",      "has",      "had",       "not",     "because",  "except",
      "especially", "better",    "best",     "well",      "now",     "right",    "today",
      "these",      "still",     "together", "alot",      "often",   "whenever", "cause",
      "cuz",        "plus",      "there",    "here",      "myself",  "a lot",    "lately",
      "recently",   "yesterday", "tomorrow", "anymore",   "away",    "haha",     "either",
      "instead",    "once",      "twice",    "sometimes", "always",  "usually",  "just",
      "way",        "up",        "out",      "off",       "yet",     "already",  "ago",
      "both",       "wow",       "ha",       "almost",    "outside", "perhaps"};
  return words.contains(word);
}

bool IsGerund(std::string_view word) {
  static const WordSet not_gerunds = {"thing",    "king",      "ring",     "spring",
                                      "string",   "morning",   "evening",  "wedding",
                                      "nothing",  "something", "anything", "everything",
                                      "building", "during",    "sibling",  "pudding"};
  return word.size() > 4 && word.ends_with("ing") && !not_gerunds.contains(word);
}

bool IsObjectPreposition(std::string_view word) {
  static const WordSet words = {"to",  "with",  "on",   "in", "at",
                                "for", "about", "into", "up", "out"};
  return words.contains(word);
}

// "a new job last week": the time is no part of the thing.
bool OpensTime(const WordStream& m, std::size_t at) {
  const bool counted = m.IsAny(at, {"one", "two", "three", "a"});
  if (!counted && !m.IsAny(at, {"last", "next", "this"})) {
    return false;
  }
  const temporal::WordRoles& roles = temporal::RolesOf(m.Text(at + 1));
  if (roles.unit >= 0) {
    return !counted || m.Is(at + 2, "ago");
  }
  return !counted && (roles.weekday >= 0 || roles.season >= 0 || roles.month > 0 ||
                      roles.part != temporal::PartOfDay::kNone);
}

// "Emma its my favorite": "it is", written without its apostrophe.
bool OpensComment(const WordStream& m, std::size_t at) {
  return m.Is(at, "its") && m.IsAny(at + 1, {"my", "our", "a", "an", "the", "so", "not", "very",
                                             "really", "such", "just", "too", "always"});
}

}  // namespace

Phrase ObjectAt(const WordStream& m, std::size_t first, std::size_t end) {
  constexpr std::size_t kObjectWordsMax = 7;
  std::size_t at = first;
  bool verbal = false;
  while (at < end && IsDeterminer(m.Text(at))) {
    verbal = verbal || m.Is(at, "to");
    ++at;
  }
  Phrase phrase{at, at};
  verbal = verbal || IsGerund(m.Text(at));
  // "listening to music", "going to the beach": a verb keeps its first preposition.
  bool preposition = verbal;
  for (; at < end && at < phrase.first + kObjectWordsMax; ++at) {
    const Word& word = m.At(at);
    if (word.symbol && word.text != "'" && word.text != "&") {
      break;
    }
    if (at == phrase.first + 1 && verbal && m.IsAny(at, {"out", "up", "around"})) {
      phrase.last = at + 1;  // "hang out with friends": the particle is part of the verb.
      continue;
    }
    if (at > phrase.first && preposition && IsObjectPreposition(word.text)) {
      // Only right behind the verb, or one noun later: "playing games with friends" ends there.
      const bool particle =
          phrase.last == at && at == phrase.first + 2 && m.IsAny(at - 1, {"out", "up", "around"});
      if (at > phrase.first + 1 && !particle) {
        break;
      }
      preposition = false;
      continue;
    }
    if (at >= phrase.first && EndsObject(word.text) && !(at == phrase.first && verbal)) {
      break;
    }
    if (at > phrase.first && (OpensTime(m, at) || OpensComment(m, at) ||
                              m.Match(at, "any more") != 0 || m.Match(at, "any longer") != 0)) {
      break;
    }
    if (word.text == "a" && (m.Is(at + 1, "lot") || m.Is(at + 1, "bit") || m.Is(at + 1, "ton"))) {
      break;
    }
    phrase.last = at + 1;
  }
  while (phrase.last > phrase.first &&
         (m.IsAny(phrase.last - 1, {"and", "or", "the", "a", "an", "to", "my", "of", "some", "all",
                                    "'s", "our", "his", "her"}))) {
    --phrase.last;
  }
  return phrase;
}

std::vector<Phrase> SplitObjects(const WordStream& m, Phrase phrase) {
  std::vector<Phrase> parts;
  std::size_t first = phrase.first;
  for (std::size_t i = phrase.first; i <= phrase.last; ++i) {
    if (i < phrase.last && !m.IsAny(i, {"and", "or"})) {
      continue;
    }
    while (first < i && IsDeterminer(m.Text(first))) {
      ++first;
    }
    if (first < i) {
      parts.push_back({first, i});
    }
    first = i + 1;
  }
  return parts;
}

std::vector<Phrase> ObjectsAt(const WordStream& m, std::size_t first, std::size_t end) {
  const Phrase head = ObjectAt(m, first, end);
  std::vector<Phrase> objects = SplitObjects(m, head);
  // "taking my dog out and reading": what stands between belongs to the first.
  if (!head.empty() && IsGerund(m.Text(head.first))) {
    for (std::size_t i = head.last; i + 1 < end; ++i) {
      if (m.Is(i, "and") && IsGerund(m.Text(i + 1)) && LemmaOf(m.Text(i - 1)).empty()) {
        const std::vector<Phrase> more = SplitObjects(m, ObjectAt(m, i + 1, end));
        objects.insert(objects.end(), more.begin(), more.end());
        break;
      }
    }
  }
  if (head.empty() || head.last < end || !m.Is(head.last, ",")) {
    return objects;
  }
  // The items behind the comma count only when an "and" closes the list.
  constexpr std::size_t kItemsMax = 8;
  constexpr std::size_t kItemWordsMax = 4;
  std::vector<Phrase> items;
  std::size_t at = head.last;
  for (std::size_t n = 0; n < kItemsMax && m.Is(at, ","); ++n) {
    std::size_t from = at + 1;
    const bool closing = m.IsAny(from, {"and", "or"});
    if (closing) {
      ++from;
    }
    const Phrase item = ObjectAt(m, from, from + kItemWordsMax + 1);
    const std::size_t last = item.last + (m.IsAny(item.last, {"too", "also"}) ? 1U : 0U);
    const Word& after = m.At(last);
    const bool ends = last >= m.words().size() || after.symbol;
    if (item.empty() || !ends || item.first > from + 1) {
      return objects;
    }
    const std::vector<Phrase> parts = SplitObjects(m, item);
    items.insert(items.end(), parts.begin(), parts.end());
    if (closing || parts.size() > 1) {
      objects.insert(objects.end(), items.begin(), items.end());
      return objects;
    }
    at = item.last;
  }
  return objects;
}

Phrase NounBefore(const WordStream& m, std::size_t floor, std::size_t end) {
  constexpr std::size_t kNounWordsMax = 4;
  Phrase noun{end, end};
  while (noun.first > floor && end - noun.first < kNounWordsMax) {
    const std::size_t at = noun.first - 1;
    const std::string_view word = m.Text(at);
    const bool joins = word == "and" || word == "of" || word == "'s";
    if (m.At(at).symbol || (!joins && (IsDeterminer(word) || EndsObject(word))) ||
        (noun.first < end && !word.ends_with("ing") && !LemmaOf(word).empty())) {
      break;
    }
    noun.first = at;
  }
  while (!noun.empty() &&
         m.IsAny(noun.first, {"and", "of", "or", "'s", "yes", "no", "oh", "well", "maybe",
                              "probably", "yeah", "think", "guess", "ok", "okay", "lol"})) {
    ++noun.first;
  }
  return noun;
}

std::string ObjectText(const WordStream& m, Phrase phrase) {
  std::string text;
  for (std::size_t i = phrase.first; i < phrase.last; ++i) {
    const Word& word = m.At(i);
    if (word.symbol) {
      continue;
    }
    const bool suffix = word.text == "'s";
    if (!text.empty() && !suffix) {
      text += ' ';
    }
    // Names keep their case; a contraction's halves share their bytes, so they are lower case.
    const bool name = word.capital && !(i > 0 && m.At(i - 1).begin == word.begin);
    text +=
        name && m.At(i).end - m.At(i).begin == word.text.size() ? m.Source(i, i + 1) : word.text;
  }
  return text;
}

Phrase PlaceAt(const WordStream& m, std::size_t first, std::size_t end) {
  std::size_t at = first;
  while (at < end && m.IsAny(at, {"the", "a", "an", "my", "our", "downtown", "beautiful", "sunny",
                                  "good", "old", "of"})) {
    ++at;
  }
  Phrase phrase{at, at};
  constexpr std::size_t kPlaceWordsMax = 5;
  for (; at < end && at < phrase.first + kPlaceWordsMax; ++at) {
    const Word& word = m.At(at);
    // "Portland, Oregon": the clause ends at the comma, the words stand behind each other.
    if (word.symbol) {
      break;
    }
    const bool of = word.text == "of" && at > phrase.first;
    const bool name =
        word.text == "best" && at == phrase.first && at + 1 < end && !m.At(at + 1).symbol;
    if (!of && !name && EndsObject(word.text)) {
      break;
    }
    if (at > phrase.first && m.IsAny(at, {"owned", "called", "named", "located", "to"})) {
      break;
    }
    if (m.IsAny(at, {"and", "or"}) || (at > phrase.first && OpensTime(m, at))) {
      break;
    }
    phrase.last = at + 1;
  }
  return phrase;
}

}  // namespace umbranet
