#include <algorithm>
#include <string_view>
#include <unordered_set>

#include "umbranet/extraction/fact_finder.h"

// Statements whose object stands before them: "the car I drive", "hiking is what I love", "the
// hospital where I work".

namespace umbranet {
namespace {

using WordSet = std::unordered_set<std::string_view>;

bool IsBe(const WordStream& m, std::size_t i) {
  return m.IsAny(i, {"is", "are", "was", "were", "'s"});
}

// Nouns that stand for whatever they are equated with: "Oregon is the state I live in".
bool IsPlaceholder(std::string_view noun) {
  static const WordSet words = {"thing",  "things",  "one",     "ones",   "state",   "city",
                                "town",   "country", "place",   "food",   "company", "something",
                                "stuff",  "hobby",   "sport",   "only",   "way",     "person",
                                "people", "reason",  "subject", "island", "firm",    "everything",
                                "all",    "part",    "what",    "music",  "game",    "show"};
  return words.contains(noun);
}

Predicate TasteOf(const Statement& s, bool liked) {
  return liked != s.negated ? Predicate::kLikes : Predicate::kDislikes;
}

class GapReader {
 public:
  GapReader(const Statement& s, std::size_t floor, FactSheet& sheet)
      : s_(s), floor_(floor), sheet_(sheet), m_(sheet.m()) {}

  bool Read() {
    if (s_.copula || s_.supposed || s_.future || s_.ended || !EndsOpen()) {
      return false;
    }
    const auto predicate = PredicateOf();
    if (!predicate) {
      return false;
    }
    const Phrase noun = Antecedent();
    if (noun.empty()) {
      return false;
    }
    for (const Phrase& part : SplitObjects(m_, noun)) {
      const bool pet =
          *predicate == Predicate::kOwns && ClassOf(m_.Text(part.last - 1)) == NounClass::kPet;
      sheet_.Add(s_, pet ? Predicate::kHasPet : *predicate, ObjectText(m_, part), {});
    }
    return true;
  }

 private:
  // Nothing stands behind the verb, or only the preposition that the object left behind.
  [[nodiscard]] bool EndsOpen() const {
    std::size_t at = s_.rest;
    if (s_.lemma == "love" && m_.Is(at, "to") && m_.Is(at + 1, "do")) {
      at += 2;  // "gossip is what I love to do"
    }
    if (m_.IsAny(at, {"in", "at", "on", "for", "to"})) {
      ++at;
      if (!LemmaOf(m_.Text(at)).empty() && !m_.Is(at - 1, "to")) {
        return true;  // "the shop I work at sells tea"
      }
    }
    while (m_.IsAny(at, {"most", "best", "so", "much", "now", "too", "right", "currently"})) {
      ++at;
    }
    return at >= s_.end || m_.At(at).symbol || IsBe(m_, at) ||
           m_.IsAny(at, {"and", "but", "has", "before", "because", "most"});
  }

  [[nodiscard]] std::optional<Predicate> PredicateOf() const {
    const std::string_view verb = s_.lemma;
    if (verb == "love" || verb == "like" || verb == "enjoy" || verb == "adore" ||
        verb == "prefer") {
      return s_.past ? std::nullopt : std::optional(TasteOf(s_, true));
    }
    if (verb == "hate" || verb == "dislike" || verb == "detest" || verb == "despise" ||
        verb == "loathe") {
      return s_.past ? std::nullopt : std::optional(TasteOf(s_, false));
    }
    if (s_.negated) {
      return std::nullopt;
    }
    if (verb == "buy" || verb == "purchase" || verb == "adopt") {
      return Predicate::kOwns;
    }
    if (s_.past) {
      return std::nullopt;
    }
    if (verb == "own" || verb == "have" || verb == "drive") {
      return Predicate::kOwns;
    }
    const bool stranded = m_.IsAny(s_.rest, {"in", "at", "on", "for"});
    const bool where = s_.subject_at > 0 && m_.Is(s_.subject_at - 1, "where");
    if (verb == "live" && (stranded || where)) {
      return Predicate::kLivesIn;
    }
    if (verb == "work" && (stranded || where)) {
      return Predicate::kWorksAt;
    }
    return std::nullopt;
  }

  // The noun that a relative clause or a cleft sentence before the subject speaks of.
  [[nodiscard]] Phrase Antecedent() const {
    std::size_t end = s_.subject_at;
    const bool marked =
        end > floor_ && m_.IsAny(end - 1, {"that", "which", "where", "what", "something", "all"});
    if (marked) {
      --end;
      if (m_.Is(end, "what") || m_.Is(end, "something")) {
        return end > floor_ && IsBe(m_, end - 1) ? NounBefore(end - 1) : Phrase{};
      }
      if (end > floor_ && IsBe(m_, end - 1)) {
        return NounBefore(end - 1);  // "a hospital is where I work"
      }
    }
    if (end > floor_ && m_.Is(end - 1, ",")) {
      --end;
    }
    const Phrase noun = NounBefore(end);
    if (noun.empty()) {
      return {};
    }
    const bool defined =
        noun.first > floor_ && m_.IsAny(noun.first - 1, {"the", "a", "an", "my", "any", "another"});
    if (IsPlaceholder(m_.Text(noun.last - 1))) {
      // "Oregon is the state I live in", "the firm I work for is called Acme".
      const bool equated = defined && noun.first > floor_ + 1 && IsBe(m_, noun.first - 2);
      return equated ? NounBefore(noun.first - 2) : NamedAfter();
    }
    return marked || defined ? noun : Phrase{};
  }

  // The name that the gap's clause is equated with.
  [[nodiscard]] Phrase NamedAfter() const {
    std::size_t at = s_.rest;
    at += m_.IsAny(at, {"in", "at", "on", "for"}) ? 1U : 0U;
    if (!IsBe(m_, at)) {
      return {};
    }
    at += m_.IsAny(at + 1, {"called", "named"}) ? 2U : 1U;
    return {at, EndOfName(m_, at, s_.end)};
  }

  [[nodiscard]] Phrase NounBefore(std::size_t end) const {
    const Phrase noun = umbranet::NounBefore(m_, floor_, end);
    return noun.empty() || IsPronoun(m_.Text(noun.last - 1)) ? Phrase{} : noun;
  }

  [[nodiscard]] static bool IsPronoun(std::string_view word) {
    static const WordSet words = {"it",   "that", "this", "these", "those", "they", "he",
                                  "she",  "him",  "her",  "them",  "you",   "here", "there",
                                  "what", "who",  "i",    "we",    "me",    "us"};
    return words.contains(word);
  }

  const Statement& s_;
  std::size_t floor_;
  FactSheet& sheet_;
  const WordStream& m_;
};

}  // namespace

bool ReadGap(const Statement& statement, const Sentence& sentence, FactSheet& sheet) {
  return GapReader(statement, sentence.first, sheet).Read();
}

}  // namespace umbranet
